//! The examples on the real engine, with the images of the lab.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;
use std::time::Duration;

use crate::product::{Product, free_port, lab_key, measured, repository};
use crate::proxy::Proxy;
use crate::real::Corner;

/// One example in a corner of its own.
pub(crate) struct Example {
    pub(crate) product: Product,
    proxy: Proxy,
    pub(crate) corner: Corner,
    pub(crate) port: u16,
}

impl Example {
    /// Makes an example ready to run, with its port in a variable; nothing where there is
    /// no engine or no image and neither is required.
    pub(crate) async fn new(name: &str, port: &str, images: &[&str]) -> Option<Self> {
        let folder = format!("examples/{name}");
        let files = [format!("{folder}/compose.yaml")];
        let mut example =
            Self::of(name, &files, &format!("{folder}/lab.env"), images).await?;
        let number = example.port.to_string();
        example.product.variable(port, &number);
        Some(example)
    }

    pub(crate) async fn of(
        name: &str,
        files: &[String],
        variables: &str,
        images: &[&str],
    ) -> Option<Self> {
        let corner = Corner::new(name).await?;
        for image in images {
            if !corner.has(image).await {
                return None;
            }
        }
        let proxy = Proxy::start();
        let mut product = Product::bare();
        let path = |name: &str| repository().join(name).display().to_string();
        for file in files {
            product.option(&["-f", &path(file)]);
        }
        product.option(&["--env-file", &path(variables)]);
        product.option(&["-p", &corner.project(), "--host", &proxy.host()]);
        Some(Self { product, proxy, corner, port: free_port() })
    }

    /// Converges; what follows finds everything as it is wanted, and writes nothing.
    pub(crate) fn converge(&self) {
        self.product.ends(1, &["diff"]);
        self.proxy.assert_nothing_written();
        let clock = reconciler::clock::Clock::new();
        self.product.ends(0, &["apply", "--timeout", "240s"]);
        let seconds = clock.now().moment.0.as_secs_f64();
        measured(&format!("{}: ready after {seconds:.1} s", self.corner.project()));
        self.proxy.forget();
        self.product.ends(0, &["diff"]);
        self.product.ends(0, &["apply", "--timeout", "60s"]);
        self.product.ends(0, &["status"]);
        self.proxy.assert_nothing_written();
    }

    /// Takes everything away.
    pub(crate) fn delete(&self) {
        self.product.ends(0, &["delete", "--yes", "--volumes"]);
        let label = format!("label=com.docker.compose.project={}", self.corner.project());
        for what in
            [vec!["ps", "-aq"], vec!["network", "ls", "-q"], vec!["volume", "ls", "-q"]]
        {
            let left = docker(&[&what[..], &["--filter", &label]].concat());
            assert_eq!(left, "", "{what:?}");
        }
    }

    /// Returns the port of this host where it is to be found.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the ids of the containers of a service.
    pub(crate) fn ids(&self, service: &str) -> BTreeSet<String> {
        let project =
            format!("label=com.docker.compose.project={}", self.corner.project());
        let service = format!("label=com.docker.compose.service={service}");
        let ids = docker(&["ps", "-aq", "--filter", &project, "--filter", &service]);
        ids.lines().map(str::to_owned).collect()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        get(self.port, path)
    }
}

/// Runs the engine's own client, as a person would; returns what it says.
#[track_caller]
pub(crate) fn docker(arguments: &[&str]) -> String {
    let output = Command::new("docker").args(arguments).output().expect("docker runs");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let wrong = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {wrong}");
    said + &wrong
}

/// Gets a page of this host.
#[track_caller]
fn get(port: u16, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).expect("a connection");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a timeout");
    let request = format!("GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("a request");
    let mut page = String::new();
    stream.read_to_string(&mut page).expect("a page");
    assert!(page.contains(" 200 "), "{path}: {page}");
    page.split_once("\r\n\r\n").expect("a body").1.to_owned()
}

/// Repeats a question until the answer is right; a hang ends as a failed test.
#[track_caller]
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..600 {
        if holds() {
            return;
        }
        std::thread::sleep(Duration::from_millis(200));
    }
    panic!("{what}: never");
}

#[tokio::test]
async fn both_replicas_answer_through_the_front() {
    let example = Example::new("web-replicas", "WEB_PORT", &["lab/nginx:1.22"]).await;
    let Some(mut example) = example else { return };
    example.converge();
    let mut seen = BTreeSet::new();
    until("both answer", || {
        seen.insert(example.get("/"));
        seen.len() == 2
    });
    assert!(seen.iter().all(|page| page.starts_with("served by ")), "{seen:?}");
    example.product.variable("WEB_REPLICAS", "3");
    let diff = example.product.ends(1, &["diff", "-o", "json"]).json();
    let changes = diff["stacks"][0]["changes"].as_array().expect("changes");
    assert_eq!(changes.len(), 1, "{changes:#?}");
    assert_eq!(changes[0]["object"], "service/web/3");
    example.delete();
}

#[tokio::test]
async fn the_migration_runs_once_and_the_app_greets() {
    let images = ["lab/redis:7.0", "lab/busybox:1.35.0"];
    let example = Example::new("app-with-database", "APP_PORT", &images).await;
    let Some(example) = example else { return };
    example.converge();
    assert_eq!(example.get("/cgi-bin/visit").trim(), "Hello, visitor 1");
    assert_eq!(example.get("/cgi-bin/visit").trim(), "Hello, visitor 2");
    // `converge` has applied twice.
    let said = docker(&["logs", &example.corner.name("migrate-1")]);
    assert_eq!(said, "the schema is at version 0\nthe schema is at version 2\n");
    example.product.ends(0, &["delete", "--yes"]);
    let volume = example.corner.project() + "_data";
    assert!(docker(&["volume", "ls", "-q"]).contains(&volume), "the data stays");
    example.product.apply();
    assert_eq!(example.get("/cgi-bin/visit").trim(), "Hello, visitor 3");
    example.delete();
}

#[tokio::test]
async fn changed_configuration_is_served() {
    let example = Example::new("config-reload", "WEB_PORT", &["lab/nginx:1.22"]).await;
    let Some(mut example) = example else { return };
    example.converge();
    assert!(example.get("/").starts_with("Hello from "));
    example.product.variable("GREETING", "Welcome");
    example.product.ends(1, &["diff"]);
    example.product.apply();
    assert!(example.get("/").starts_with("Welcome from "));
    example.product.ends(0, &["diff"]);
    example.delete();
}

#[tokio::test]
async fn secrets_are_read_and_never_shown() {
    const SECRET: &str = "a-lab-password-of-no-value";
    let Some(example) = Example::new("secrets", "UNUSED", &["lab/redis:7.0"]).await
    else {
        return;
    };
    example.converge();
    let said = docker(&["logs", &example.corner.name("app-1")]);
    assert_eq!(said, "logged in; the API key has 25 bytes\n");
    for service in ["app-1", "database-1"] {
        let there = docker(&["inspect", &example.corner.name(service)]);
        assert!(!there.contains(SECRET), "{service}");
    }
    let mut changed = example;
    changed.product.variable("DATABASE_PASSWORD", "another-secret");
    for command in [["diff", "-o", "text"], ["diff", "-o", "json"]] {
        let diff = changed.product.ends(1, &command);
        let text = format!("{}{}", diff.output, diff.notices);
        assert!(!text.contains(SECRET) && !text.contains("another-secret"), "{text}");
    }
    changed.delete();
}

#[tokio::test]
async fn encrypted_secrets_are_read_and_never_shown() {
    let images = ["lab/busybox:1.35.0"];
    let Some(mut example) = Example::new("secrets-age", "UNUSED", &images).await else {
        return;
    };
    let key = lab_key();
    let path = key.path().display().to_string();
    example.product.option(&["--age-key-file", &path]);
    example.converge();
    let said = docker(&["logs", &example.corner.name("app-1")]);
    assert_eq!(said, "the code has 24 characters; the API key has 30 bytes\n");
    let explained = example.product.ends(0, &["explain", "app"]).output;
    assert!(explained.contains("(sensitive)"), "{explained}");
    assert!(!explained.contains("and-no-secret"), "{explained}");
    example.delete();
}

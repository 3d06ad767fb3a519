//! The recipe of `examples/container`: the operator in a container of the very engine that it
//! works on.

use std::fs;
use std::path::Path;
use std::time::Duration;

use crate::image::{self, docker, docker_does};
use crate::product::{Ended, Product};
use crate::real::raw::inspected;
use crate::real::{Corner, IMAGE};

/// The user of the recipe.
const USER: u32 = 65532;

/// An operator in a container, its folders, and the program that started it.
struct Contained {
    corner: Corner,
    folder: tempfile::TempDir,
    host: Product,
    image: String,
}

impl Contained {
    /// Builds the image, and makes the folders; nothing where there is no engine.
    async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        let image = image::build(&corner).await?;
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::create_dir(folder.path().join("state")).unwrap();
        std::os::unix::fs::chown(folder.path().join("state"), Some(USER), Some(USER))
            .unwrap();
        let host = Product::bare();
        Some(Self { corner, folder, host, image })
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.folder.path().join("stacks").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Wants a service that mounts a file beside its Compose file.
    fn want(&self, level: &str) {
        let project = self.corner.project();
        self.write(
            "web.yaml",
            &format!(
                "name: {project}
services:
  web:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    environment: {{LEVEL: '{level}'}}
    healthcheck: {{test: [CMD, 'true'], interval: 1s}}
    volumes: ['./app.conf:/etc/app.conf:ro']
"
            ),
        );
    }

    /// Starts the operator as the recipe says.
    fn operate(&mut self) {
        let socket = fs::metadata("/var/run/docker.sock").unwrap();
        let group = std::os::unix::fs::MetadataExt::gid(&socket).to_string();
        let (stacks, state) = (self.path("stacks"), self.path("state"));
        for (name, value) in [
            ("OPERATOR_IMAGE", self.image.as_str()),
            ("DOCKER_GROUP", &group),
            ("STACKS", &stacks),
            ("STATE", &state),
        ] {
            self.host.variable(name, value);
        }
        let recipe =
            concat!(env!("CARGO_MANIFEST_DIR"), "/examples/container/compose.yaml");
        self.host.option(&["-f", recipe, "-p", &self.corner.name("operator")]);
        self.host.apply();
    }

    fn operator(&self) -> String {
        self.corner.name("operator-reconciler-1")
    }

    /// Runs a command beside the operator.
    fn beside(&self, command: &[&str]) -> Ended {
        let operator = self.operator();
        docker(&[&["exec", &operator, "reconciler"], command].concat())
    }

    /// Waits until the stack is ready with this in the mounted file.
    #[track_caller]
    fn is_ready_with(&self, text: &str) {
        let web = self.corner.name("web-1");
        let mut seen = String::new();
        for _ in 0..300 {
            let read = docker(&["exec", &web, "cat", "/etc/app.conf"]);
            let status = self.beside(&["status"]);
            if status.code == 0 && read.output == text {
                return;
            }
            seen = format!("{status}\n{read}");
            std::thread::sleep(Duration::from_millis(100));
        }
        let log = docker(&["logs", &self.operator()]);
        panic!("it is never ready with {text:?}: {seen}\n{log}");
    }

    /// Runs a command in a container of its own whose stacks are at a path of its own.
    fn elsewhere(&self, command: &[&str]) -> Ended {
        let stacks = format!("{}:/config:ro", self.path("stacks"));
        let socket = "/var/run/docker.sock:/var/run/docker.sock";
        let mut line = vec!["run", "--rm", "--user", "0", "-v", &stacks, "-v", socket];
        line.extend([self.image.as_str(), "-f", "/config", "--state-dir", "/tmp"]);
        docker(&[line.as_slice(), command].concat())
    }
}

#[tokio::test]
async fn it_converges_what_is_beside_it_and_leaves_itself_alone() {
    let Some(mut contained) = Contained::new("contained").await else { return };
    contained.want("one");
    contained.write("app.conf", "one\n");
    contained.operate();
    contained.is_ready_with("one\n");
    let itself = || inspected(&contained.corner.name("operator"))["reconciler"].clone();
    let before = itself();

    // A changed file, and another container.
    contained.write("app.conf", "two\n");
    contained.is_ready_with("two\n");
    contained.want("two");
    let web = || inspected(&contained.corner.project())["web"].clone();
    for _ in 0..300 {
        if web()["Config"]["Env"].to_string().contains("LEVEL=two") {
            break;
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    contained.is_ready_with("two\n");
    assert_eq!(itself()["Id"], before["Id"]);
    assert_eq!(itself()["State"]["StartedAt"], before["State"]["StartedAt"]);

    // It ends by SIGTERM, and comes again to what it left.
    let kept = web();
    docker_does(&["restart", &contained.operator()]);
    contained.is_ready_with("two\n");
    assert_eq!(itself()["State"]["Restarting"], false);
    for field in ["/Id", "/State/StartedAt"] {
        assert_eq!(web().pointer(field), kept.pointer(field), "{field}");
    }

    // What it may not do.
    for line in ["touch /usr/x", "touch /etc/x"] {
        assert_ne!(docker(&["exec", &contained.operator(), "sh", "-c", line]).code, 0);
    }
    let status = docker(&["exec", &contained.operator(), "cat", "/proc/1/status"]).output;
    assert!(status.contains("CapBnd:\t0000000000000000"), "{status}");
    assert!(status.contains("NoNewPrivs:\t1"), "{status}");
    let programs = "git --version && ssh -V && age --version";
    docker_does(&["exec", &contained.operator(), "sh", "-c", programs]);
    assert_eq!(contained.beside(&["delete", "--yes"]).code, 0);
    assert_eq!(inspected(&contained.corner.project()).len(), 0);
    contained.host.ends(0, &["delete", "--yes"]);
}

#[tokio::test]
async fn what_would_mount_other_files_of_the_host_is_refused_before_anything_is_done() {
    let Some(contained) = Contained::new("elsewhere").await else { return };
    contained.want("one");
    contained.write("app.conf", "one\n");
    let stacks = contained.path("stacks");
    for command in [&["apply"][..], &["run"], &["run", "--dry-run"]] {
        let ended = contained.elsewhere(command);
        assert_eq!(ended.code, 2, "{command:?}: {ended}");
        let said = format!("/config is {stacks} on the host");
        assert!(ended.notices.contains(&said), "{ended}");
        let advice = format!("--volume {stacks}:{stacks}");
        assert!(ended.notices.contains(&advice), "{ended}");
    }
    assert_eq!(contained.elsewhere(&["validate"]).code, 0);
    assert_eq!(contained.elsewhere(&["diff"]).code, 1);
    assert_eq!(inspected(&contained.corner.project()).len(), 0);
    assert!(!Path::new("/config").exists());
}

//! The allow-list of `examples/least-privilege`, with a real nginx.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use crate::image::docker_does;
use crate::product::operator::Operator;
use crate::real::{Corner, registry};
use crate::ward::Ward;
use crate::{ACTS, DELETE, DRY, FACTS, LOOKS, table};

const NGINX: &str = "lab/nginx:1.22";
const CONFIG: &str = "examples/least-privilege/nginx.conf";

/// What nobody may ask for.
const NEVER: [&str; 12] = [
    "POST /build",
    "POST /containers/prune",
    "POST /volumes/prune",
    "POST /images/create?fromSrc=-",
    "POST /commit",
    "POST /swarm/join",
    "POST /plugins/pull",
    "GET /containers/nobody/archive",
    "POST /containers/nobody/attach",
    "DELETE /images/nobody",
    "DELETE /containers/nobody?force=true&v=true",
    "POST /containers/..%2F..%2Fbuild/prune",
];

/// Starts nginx in a container of its own; returns once it listens.
fn start(corner: &Corner, folder: &Path) {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join(CONFIG);
    let mounts = [
        format!("{}:/etc/nginx/nginx.conf:ro", config.display()),
        format!("{}:/run/engine-proxy", folder.display()),
        "/var/run/docker.sock:/var/run/docker.sock".to_owned(),
    ];
    let name = corner.name("nginx");
    let mut line = vec!["run", "-d", "--network", "none", "--name", &name];
    line.extend(mounts.iter().flat_map(|it| ["-v", it]));
    line.push(NGINX);
    docker_does(&line);
    for _ in 0..500 {
        if UnixStream::connect(folder.join("run.sock")).is_ok() {
            return;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    panic!("nginx does not listen");
}

/// Returns the status of the answer to a request about what is not there.
fn status(socket: &Path, endpoint: &str) -> u16 {
    let (method, path) = endpoint.split_once(' ').expect("method and path");
    let path = path.replace("{id}", "rtest-nobody").replace("{name}", "rtest%2Fnobody");
    let version = if path == "/version" { "" } else { "/v1.41" };
    // Without a driver that is not there the engine would make a volume.
    let body = "{\"Driver\":\"rtest-nobody\"}";
    let length = body.len();
    let mut stream = UnixStream::connect(socket).expect("nginx");
    write!(
        stream,
        "{method} {version}{path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\
         Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .expect("a request");
    // The stream of events never ends.
    let mut head = [0; 12];
    stream.read_exact(&mut head).expect("an answer");
    String::from_utf8_lossy(&head)[9..].parse().expect("a status")
}

#[tokio::test]
async fn it_allows_what_the_documentation_lists_and_nothing_else() {
    let Some(corner) = Corner::new("allow-list").await else { return };
    if !corner.has(NGINX).await {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    start(&corner, folder.path());
    let columns = table::columns();
    let union = |heads: &[&str]| -> BTreeSet<String> {
        heads.iter().flat_map(|head| columns[*head].clone()).collect()
    };
    for (socket, allowed) in [
        ("read.sock", union(&[FACTS, LOOKS, DRY])),
        ("run.sock", union(&[FACTS, LOOKS, DRY, ACTS, DELETE])),
    ] {
        let socket = folder.path().join(socket);
        for endpoint in columns.values().flatten().collect::<BTreeSet<_>>() {
            let status = status(&socket, endpoint);
            assert_ne!(status, 502, "the engine is not reached: {endpoint}");
            assert_eq!(
                status == 403,
                !allowed.contains(endpoint),
                "{endpoint}: {status}"
            );
        }
        for endpoint in NEVER {
            assert_eq!(status(&socket, endpoint), 403, "{endpoint}");
        }
    }
}

#[tokio::test]
async fn commands_work_through_it() {
    let Some(corner) = Corner::new("nginx").await else { return };
    if !corner.has(NGINX).await || !corner.has(registry::IMAGE).await {
        return;
    }
    let image = registry::publish(&corner).await;
    let folder = tempfile::tempdir().unwrap();
    start(&corner, folder.path());
    let ward = Ward::new(&corner, &image);
    let host = |socket: &str| format!("unix://{}", folder.path().join(socket).display());
    let (run, read) = (host("run.sock"), host("read.sock"));
    let ends = |code, host: &str, line: &[&str]| {
        ward.product.ends(code, &[line, &["--host", host]].concat());
    };
    ward.want("32M", "one");
    ends(1, &read, &["diff"]);
    ends(1, &read, &["apply", "--timeout", "3s"]);
    ends(0, &run, &["apply", "--timeout", "120s"]);
    let mut watcher =
        Operator::with_options(&ward.product, &["--dry-run", "--host", &read]);
    watcher.says_message("the stack is ready");
    // A test inside, which takes its connection over; another container; events.
    ward.product.write("app.conf", "two\n");
    let mut operator = Operator::with_options(&ward.product, &["--host", &run]);
    operator.says_message("reloaded");
    ward.want("32M", "two");
    watcher.says("a drift", |it| {
        it["message"] == "drift" && it["object"] == "service/app/1"
    });
    watcher.says_message("the drift is gone");
    operator.says_message("the stack is ready");
    docker_does(&["kill", &corner.name("app-1")]);
    operator.says("a start", |it| it["message"] == "started");
    operator.says_message("the stack is ready");
    for one in [&mut watcher, &mut operator] {
        one.signal("TERM");
        assert_eq!(one.ended().code(), Some(0));
    }
    ends(0, &read, &["wait", "--timeout", "60s"]);
    ends(0, &read, &["status"]);
    ends(0, &run, &["delete", "--yes"]);
}

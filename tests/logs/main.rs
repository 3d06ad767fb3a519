//! `reconciler logs` on the real engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    clippy::too_many_lines,
    reason = "what cannot go on ends the test, tests measure real time and tell long stories"
)]

mod follow;
#[path = "../product/mod.rs"]
mod product;
#[path = "../real/mod.rs"]
mod real;

use product::{CANARY, Product};
use real::{Corner, IMAGE};
use serde_json::Value as Json;

/// A stack of one's own.
struct Scene {
    product: Product,
    corner: Corner,
}

impl Scene {
    async fn new(what: &str, services: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await {
            return None;
        }
        let scene = Self { product: Product::new(), corner };
        scene.want(services);
        scene.product.apply();
        Some(scene)
    }

    fn want(&self, services: &str) {
        let services = services.replace("IMAGE", IMAGE);
        let text = format!("name: {}\nservices:\n{services}", self.corner.project());
        self.product.write("stack.yaml", &text);
    }

    /// Returns the lines of `logs`, without what is random about names.
    fn logs(&self, options: &[&str]) -> Vec<String> {
        let ended = self.product.ends(0, &[&["logs"], options].concat());
        ended.output.lines().map(str::to_owned).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.product.ends(0, &["delete", "--yes"]);
        }
    }
}

#[tokio::test]
async fn lines_are_interleaved_by_time_behind_the_names_of_who_wrote_them() {
    let services = "
  a:
    image: IMAGE
    init: true
    command: [sh, -c, 'echo one; sleep 1; echo three >&2; sleep 1; printf five; sleep 600']
  long-name:
    image: IMAGE
    init: true
    scale: 2
    tty: true
    command: [sh, -c, 'sleep 0.5; echo two; sleep 1; echo four; sleep 600']
    depends_on: {a: {condition: service_started}}
";
    let Some(scene) = Scene::new("interleaved", services).await else { return };
    for _ in 0..100 {
        if scene.logs(&[]).len() >= 6 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    let lines = scene.logs(&[]);
    let names: Vec<&str> = lines.iter().filter_map(|it| it.split(" | ").next()).collect();
    for name in ["a-1        ", "long-name-1", "long-name-2"] {
        assert!(names.contains(&name), "{name}: {lines:#?}");
    }
    let dated = scene.logs(&["-t"]);
    let times: Vec<&str> =
        dated.iter().filter_map(|it| it.split(" | ").nth(1)?.split(' ').next()).collect();
    assert!(times.is_sorted() && times.len() == lines.len(), "{dated:#?}");
    assert!(times.iter().all(|it| it.len() == 30 && it.ends_with('Z')), "{times:#?}");
    assert!(!lines.iter().any(|it| it.contains('\u{1b}')), "no colour in a pipe");

    let of_a = scene.logs(&["a"]);
    assert_eq!(of_a[..2], ["a-1 | one", "a-1 | three"], "{of_a:?}");
    assert_eq!(scene.logs(&["--tail", "1", "a"]), ["a-1 | three"]);
    assert_eq!(scene.logs(&["--tail", "0"]).len(), 0);
    assert_eq!(scene.logs(&["--since", "1h", "a"]), of_a);
    assert_eq!(scene.logs(&["--since", "2030-01-01T00:00:00Z"]).len(), 0);
    let third = &scene.logs(&["-t", "a"])[1];
    let time = third.split(" | ").nth(1).unwrap().split(' ').next().unwrap();
    assert_eq!(scene.logs(&["--since", time, "a"]), of_a[1..], "to the nanosecond");
    let raw = scene.product.ends(0, &["logs", "long-name"]).output;
    assert!(raw.contains("two\r\n"), "the bytes of a terminal stay: {raw:?}");
    let coloured = scene.product.ends(0, &["logs", "a", "--color", "always"]).output;
    assert!(coloured.contains("\u{1b}[36ma-1 | \u{1b}[0mone\n"), "{coloured:?}");

    let json: Vec<Json> = scene
        .logs(&["-o", "json"])
        .iter()
        .map(|it| serde_json::from_str(it).unwrap())
        .collect();
    let find = |text: &str| json.iter().find(|it| it["message"] == text).unwrap();
    assert_eq!(
        (&find("one")["stream"], &find("three")["stream"]),
        (&"stdout".into(), &"stderr".into())
    );
    assert_eq!(find("one")["service"], "a");
    assert_eq!(find("one")["container"], scene.corner.name("a-1").as_str());

    let wrong = scene.product.ends(2, &["logs", "long-nam"]);
    assert!(wrong.notices.contains("perhaps long-name was meant"), "{wrong}");
}

#[tokio::test]
async fn secrets_are_concealed_and_bytes_and_long_lines_are_whole() {
    let services = format!(
        "
  a:
    image: IMAGE
    init: true
    environment: {{DB_PASSWORD: {CANARY}}}
    command: [sh, -c, 'echo I got $$DB_PASSWORD!; printf \"\\\\377\\\\033[2J\\\\n\"; head -c 50000 /dev/zero | tr \"\\\\0\" x; echo; sleep 600']
  none:
    image: IMAGE
    init: true
    command: [sh, -c, 'echo unheard; sleep 600']
    logging: {{driver: none}}
"
    );
    let Some(scene) = Scene::new("secret", &services).await else { return };
    std::thread::sleep(std::time::Duration::from_millis(500));
    let mut command = scene.product.command(None);
    let output = command.args(["logs"]).output().unwrap();
    assert!(output.status.success());
    let lines: Vec<&[u8]> = output.stdout.split(|it| *it == b'\n').collect();
    assert_eq!(lines[0], b"a-1    | I got (sensitive)!");
    // What is no text, the engine itself has replaced when it kept it.
    assert_eq!(lines[1], b"a-1    | \xef\xbf\xbd\x1b[2J");
    assert_eq!(
        String::from_utf8_lossy(lines[2]),
        format!("a-1    | {}", "x".repeat(50_000))
    );
    assert_eq!(lines.len(), 4, "and the end");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("none-1: the log cannot be read, its driver is `none`"),
        "{said}"
    );
}

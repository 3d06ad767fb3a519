//! What systemd is told, and the unit that asks for it.

use std::os::unix::net::UnixDatagram;
use std::process::Command;
use std::time::Duration;

use crate::Scene;
use crate::product::operator::Operator;
use crate::product::repository;

/// The socket of a service manager.
struct Manager(UnixDatagram);

impl Manager {
    /// Listens, and tells the product of it.
    fn of(scene: &mut Scene) -> Self {
        let path = scene.product.path("notify.sock");
        let socket = UnixDatagram::bind(&path).expect("a socket");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a patience");
        scene.product.variable("NOTIFY_SOCKET", &path.display().to_string());
        Self(socket)
    }

    /// Waits for the next message that says this.
    #[track_caller]
    fn hears(&self, what: &str) -> String {
        let mut bytes = [0; 4096];
        loop {
            let length = self.0.recv(&mut bytes).unwrap_or_else(|_| panic!("no {what}"));
            let text = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if text.contains(what) {
                return text;
            }
        }
    }
}

#[tokio::test]
async fn the_service_manager_is_told_of_readiness_of_life_and_of_the_end() {
    let Some(mut scene) = Scene::new("systemd").await else { return };
    let manager = Manager::of(&mut scene);
    scene.product.variable("WATCHDOG_USEC", "400000");
    let mut operator = Operator::start(&scene.product);
    manager.hears("STATUS=waiting for the engine");
    let ready = manager.hears("READY=1");
    let keeping = format!("STATUS=keeping {}", scene.corner.project());
    assert!(ready.contains(&keeping), "{ready}");
    for _ in 0..5 {
        manager.hears("WATCHDOG=1");
    }
    operator.signal("TERM");
    manager.hears("STOPPING=1");
    assert_eq!(operator.ended().code(), Some(0));
}

#[tokio::test]
async fn nothing_is_ready_while_there_is_no_engine() {
    let Some(mut scene) = Scene::new("noengine").await else { return };
    let manager = Manager::of(&mut scene);
    let nowhere = scene.product.path("engine.sock").display().to_string();
    scene.product.option(&["--host", &format!("unix://{nowhere}")]);
    let mut operator = Operator::start(&scene.product);
    operator.says_message("no engine yet");
    manager.hears("STATUS=waiting for the engine");
    manager.0.set_nonblocking(true).expect("a socket");
    assert!(manager.0.recv(&mut [0; 4096]).is_err(), "it is not ready");
    // The engine comes.
    manager.0.set_nonblocking(false).expect("a socket");
    std::os::unix::fs::symlink("/var/run/docker.sock", &nowhere).expect("a link");
    manager.hears("READY=1");
    operator.says_message("the stack is ready");
}

#[test]
fn the_unit_of_the_examples_is_one_that_systemd_accepts() {
    let unit = repository().join("examples/systemd/reconciler.service");
    let text = std::fs::read_to_string(&unit).expect("the unit");
    for line in ["Type=notify", "WatchdogSec=30s", "ExecReload=/bin/kill -HUP $MAINPID"] {
        assert!(text.contains(line), "{line}");
    }
    // systemd wants the program to be there.
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("reconciler.service");
    let binary = env!("CARGO_BIN_EXE_reconciler");
    let text = text.replace("/usr/local/bin/reconciler", binary);
    std::fs::write(&copy, text).expect("a copy");
    let Ok(verified) = Command::new("systemd-analyze").arg("verify").arg(&copy).output()
    else {
        return;
    };
    let said = String::from_utf8_lossy(&verified.stderr);
    let about_it: Vec<&str> =
        said.lines().filter(|line| line.contains("reconciler")).collect();
    assert!(about_it.is_empty(), "{about_it:#?}");
}

//! The life of a stack of secrets.

use std::fs::File;
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::places::{FAILING, HUSH, PLAIN, secret};
use crate::product::operator::Operator;
use crate::real::IMAGE;
use crate::scan;
use crate::stage::Stage;

#[tokio::test]
async fn no_command_shows_a_secret_while_a_stack_is_made_and_changed_and_taken_down() {
    let Some(mut stage) = Stage::new("canary").await else { return };
    stage.look();
    let said = stage.ends(0, &["apply", "--timeout", "120s", "-v", "-v"]);
    assert!(said.notices.contains("service/app/1"), "{said}");
    stage.look();
    scan::engine(&stage.corner.project()).await;
    // `config` alone prints what the engine would get.
    let config = stage.product.ends(0, &["config"]).output;
    for place in ["environment-literal", "env-file-age", "env-file-sops", "entrypoint"] {
        assert!(config.contains(&secret(place, 1)), "{place}: {config}");
    }

    stage.files(2);
    stage.save(2, "");
    let said = stage.look();
    for field in
        ["environment.DB_PASSWORD", "environment.USER_CODE", "secrets./run/secrets"]
    {
        assert!(said.contains(field), "{field} is not told: {said}");
    }
    assert!(said.contains("(sensitive)"), "{said}");
    stage.ends(0, &["apply", "--timeout", "120s", "-o", "json"]);
    stage.ends(0, &["diff"]);
    // What is encrypted anew and says the same is no change.
    stage.files(2);
    stage.ends(0, &["diff"]);
    stage.ends(0, &["restart", "second", "--timeout", "60s"]);
    stage.ends(0, &["rollback", "--timeout", "120s", "-v"]);
    stage.look();
    stage.ends(0, &["resume"]);
    // The file no longer tells what is secret in the containers that are there.
    let plain = PLAIN.replace("<image>", IMAGE);
    stage
        .product
        .write("stack.yaml", &format!("name: {}\n{plain}", stage.corner.project()));
    stage.look();

    stage.files(3);
    stage.save(3, FAILING);
    stage.look();
    let said = stage.ends(1, &["apply", "--timeout", "15s", "-v", "-v"]);
    quotes(&said.notices);
    let said = stage.look();
    quotes(&said);
    for service in ["missing-program", "no-mount", "crash"] {
        stage.run(&["explain", service]);
        stage.run(&["explain", service, "-o", "json"]);
    }
    stage.run(&["retry"]);
    stage.run(&["pause", "crash", "--for", "1h"]);
    stage.run(&["wait", "--timeout", "1s"]);
    scan::state_directory(&stage.product.path("state"), &["revisions"]);
    scan::engine(&stage.corner.project()).await;
    stage.ends(0, &["delete", "--yes", "--volumes"]);
    stage.look();
    scan::state_directory(&stage.product.path("state"), &["revisions"]);
}

/// Asserts that the failures were told, and that what they quote was concealed.
#[track_caller]
fn quotes(said: &str) {
    for quoted in [
        r#"exec: "(sensitive)": executable file not found"#,
        "data: (sensitive): no such device",
    ] {
        let said = said.replace('\\', "");
        assert!(said.contains(quoted), "{quoted} is not told: {said}");
    }
}

/// An operator that logs as text.
struct Second(Child);

impl Drop for Second {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

#[tokio::test]
async fn no_log_and_no_reply_shows_a_secret_while_an_operator_keeps_a_stack() {
    let Some(mut stage) = Stage::new("kept").await else { return };
    let log = stage.product.path("log.json");
    let api = stage.product.path("api.sock");
    let listen = format!("unix:{}", api.display());
    let options = ["--listen", listen.as_str()];
    let mut operator = Operator::logging_to_with(&stage.product, &log, &options);
    operator.says_message("the stack is ready");
    stage.ask(&api);
    let recording = stage.listen_in();
    stage.look();
    // What changes in files alone: the variables of an operator stay.
    let seal = |stage: &Stage, name: &str, text: &str| {
        crate::tools::age(
            &stage.product.path("age.key"),
            text,
            &stage.product.path(name),
        );
    };
    seal(&stage, "key.age", &secret("secret-file-age", 2));
    operator.says_message("a new desired state");
    operator.says_message("the stack is ready");
    stage.ends(0, &["apply", "--timeout", "60s", "-v", "-v"]);
    stage.ends(0, &["restart", "second", "--timeout", "60s"]);
    stage.ends(0, &["pause", "--for", "1h"]);
    stage.run(&["status"]);
    stage.ends(0, &["resume"]);

    stage.save(2, FAILING);
    let is_failure = |words: &'static str| {
        move |it: &serde_json::Value| it.to_string().replace('\\', "").contains(words)
    };
    operator.says("a missing program", is_failure(r#""(sensitive)": executable file"#));
    operator.says("a crash", |it| it.to_string().contains("ended with code 3"));
    stage.look();
    stage.ask(&api);
    stage.run(&["retry"]);
    bad_files(&mut stage, &mut operator);
    stage.save(3, "");
    operator.says("no longer bad", |it| it["message"] == "a new desired state");
    stage.ends(0, &["apply", "--timeout", "120s", "--allow-prune"]);
    stage.look();
    scan::state_directory(&stage.product.path("state"), &["sources", "revisions"]);
    stage.ends(0, &["delete", "--yes"]);
    operator.signal("TERM");
    operator.ended();
    recording.assert_none();
    scan::assert_none("the log", &std::fs::read_to_string(&log).expect("a log"));
    scan::state_directory(&stage.product.path("state"), &["revisions"]);

    let log = stage.product.path("log.text");
    let mut command = stage.product.command(None);
    command.args(["run", "-v", "-v"]).stdin(Stdio::null()).stdout(Stdio::null());
    command.stderr(File::create(&log).expect("a log"));
    let second = Second(command.spawn().expect("the binary runs"));
    stage.save(3, FAILING);
    let read = || std::fs::read_to_string(&log).expect("a log");
    for _ in 0..1200 {
        if read().contains("data: (sensitive)") {
            break;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    drop(second);
    assert!(read().contains("data: (sensitive)"), "{}", read());
    scan::assert_none("the log", &read());
}

/// Files that are invalid near a secret, or because of one; what is good stays in force.
fn bad_files(stage: &mut Stage, operator: &mut Operator) {
    let good = crate::places::stack(&stage.corner.project(), "<image>", 4, "");
    let last = "LICENCE:";
    assert!(good.contains(last));
    for bad in [
        "DB_PASSWORD: !hush9 x\n      LICENCE:",
        "DB_TOKEN: [hush9]\n      LICENCE:",
        "DB_TOKEN: \"hush9\n      LICENCE:",
        "TWICE_TOKEN: hush9a\n      TWICE_TOKEN: hush9b\n      LICENCE:",
        "A: ${NO_TOKEN:?hush9 ${DOTENV_PASSWORD}}\n      LICENCE:",
        "A: b\n    mem_limit: ${DOTENV_PASSWORD}\n    environment:\n      LICENCE:",
    ] {
        stage.product.write("stack.yaml", &good.replacen(last, bad, 1));
        operator.says("SpecValid=False", |it| it["condition"] == "SpecValid=False");
        for command in ["validate", "status", "diff"] {
            for form in ["text", "json"] {
                let ended = stage.run(&[command, "-o", form]);
                assert!(!ended.output.contains(HUSH));
            }
        }
    }
    // An encrypted file that cannot be opened any more.
    stage.save(4, "");
    operator.says("good", |it| it["message"] == "a new desired state");
    stage.product.shell("cp key.age key.good; head -c 100 key.good >key.age");
    let said = operator.says("bad", |it| it["condition"] == "SpecValid=False");
    let problems = said["problems"].as_str().expect("problems");
    assert!(problems.contains("stack.yaml:") && problems.contains("key.age"), "{said}");
    assert!(problems.contains("it is damaged or not whole"), "{said}");
    let status = stage.run(&["status"]);
    assert!(status.output.contains("app"), "{status}");
    stage.product.shell("mv key.good key.age");
    operator.says("good", |it| {
        it["message"] == "the desired state is valid again and the same"
    });
}

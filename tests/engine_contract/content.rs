//! Changed content: signals, and tests inside and apart.

use std::time::Duration;

use reconciler::state::content::Contents;
use reconciler::state::ids::{ContainerId, ContainerName};
use reconciler::state::observed::{Status, labels};
use reconciler::state::secret::Secret;
use reconciler::state::step::{Done, FailureKind, Reach, Rehearsal, Step};
use reconciler::state::value::Value;

use crate::stage::{Stage, with};
use crate::subject::{ByHand, Subject};

/// A shell line that counts signals, and lives on.
const SERVER: &str =
    "trap 'echo again >> /read' HUP; touch /read; while :; do sleep 0.05; done";

fn signal(container: &ContainerId) -> Step {
    Step::Signal {
        container: container.clone(),
        signal: "SIGHUP".to_owned(),
        content: Contents::new(),
    }
}

async fn served<S: Subject>(
    stage: &mut Stage<S>,
    policy: &str,
    stop: &str,
) -> ContainerId {
    let fields = with(
        stage.shell(SERVER, &[("sim.stops", "never")]),
        [
            ("HostConfig.RestartPolicy.Name", Value::text(policy)),
            ("Config.StopSignal", Value::text(stop)),
        ],
    );
    let a = stage.run("a", fields).await;
    while stage.try_probe(&a, &["test", "-e", "/read"]).await
        != Ok(Done::Probed { exit_code: 0 })
    {
        stage.pass(Duration::from_millis(10)).await;
    }
    stage.told().await;
    a
}

pub(crate) async fn a_signal_reaches_the_first_process_and_the_container_runs_on(
    stage: &mut Stage<impl Subject>,
) {
    let a = served(stage, "no", "SIGTERM").await;
    let before = stage.inspect(&a).await;
    stage.does(signal(&a)).await;
    while stage.try_probe(&a, &["grep", "-q", "again", "/read"]).await
        != Ok(Done::Probed { exit_code: 0 })
    {
        stage.pass(Duration::from_millis(10)).await;
    }
    let after = stage.inspect(&a).await;
    assert_eq!(after.state, before.state);
    stage.told().await;
    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    stage.told().await;
    stage.refuses(signal(&a), FailureKind::Conflict).await;
}

pub(crate) async fn a_signal_takes_the_restart_policy_away_from_what_has_no_stop_signal(
    stage: &mut Stage<impl Subject>,
) {
    for (stop, is_kept) in [("SIGTERM", true), ("", false)] {
        let fields = with(
            stage.shell(
                "trap 'exit 3' HUP; while :; do sleep 0.05; done",
                &[("sim.signals", "ends")],
            ),
            [
                ("HostConfig.RestartPolicy.Name", Value::text("always")),
                ("Config.StopSignal", Value::text(stop)),
            ],
        );
        let name = if is_kept { "kept" } else { "lost" };
        let a = stage.run(name, fields).await;
        stage.pass(Duration::from_millis(500)).await;
        stage.does(signal(&a)).await;
        if is_kept {
            stage.until(&a, "was started again", |it| it.state.restarts == 1).await;
        } else {
            stage.until(&a, "has ended", |it| it.state.status == Status::Exited).await;
        }
        let name = stage.name(name);
        stage.by_hand(ByHand::RemoveByForce(name)).await;
    }
}

pub(crate) async fn changed_content_is_tested_inside(stage: &mut Stage<impl Subject>) {
    for (name, code, words) in [("good", 0, ""), ("bad", 1, "line 3 makes no sense\n")] {
        let mut simulated = vec![("sim.stops", "never")];
        if code > 0 {
            simulated.push(("sim.refuses", words));
        }
        let fields = stage.shell("sleep 600", &simulated);
        let a = stage.run(name, fields).await;
        let line = format!("printf '{words}' >&2; exit {code}");
        let test = Step::Test {
            container: a.clone(),
            command: ["sh", "-c", &line].into_iter().map(Secret::new).collect(),
            timeout: Duration::from_secs(30),
            content: String::new(),
        };
        let output = Secret::new(words);
        assert_eq!(
            stage.ask(test.clone()).await,
            Ok(Done::Tested { exit_code: code, output })
        );
        stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
        stage.refuses(test, FailureKind::Conflict).await;
        stage.told().await;
    }
}

pub(crate) async fn changed_content_is_tested_in_a_container_that_is_gone_afterwards(
    stage: &mut Stage<impl Subject>,
) {
    for (name, code, words) in [("good", 0, ""), ("bad", 1, "line 3 makes no sense\n")] {
        let mut simulated = vec![("sim.stops", "never")];
        if code > 0 {
            simulated.push(("sim.refuses", words));
        }
        let holder = stage.run(name, stage.shell("sleep 600", &simulated)).await;
        let line = format!("printf '{words}' >&2; exit {code}");
        let project = stage.name("").trim_end_matches('-').to_owned();
        let marks =
            [(labels::PROJECT, Value::Text(project)), (labels::TEST, Value::text("x"))];
        let document =
            with(stage.shell(&line, &[]), [("Config.Labels", Value::map(marks))]);
        let before = stage.look().await.containers.len();
        let rehearse = Step::Rehearse(Box::new(Rehearsal {
            holder: holder.clone(),
            name: ContainerName::new(stage.name(&format!("test-{name}"))),
            document,
            platform: None,
            networks: Vec::new(),
            files: Vec::new(),
            timeout: Duration::from_secs(30),
            content: String::new(),
        }));
        let output = Secret::new(words);
        assert_eq!(
            stage.ask(rehearse).await,
            Ok(Done::Tested { exit_code: code, output })
        );
        assert_eq!(stage.look().await.containers.len(), before);
        stage.does(Step::Stop { container: holder, grace: Duration::ZERO }).await;
    }
}

pub(crate) async fn a_command_of_the_file_tells_whether_a_container_is_well(
    stage: &mut Stage<impl Subject>,
) {
    for (name, code) in [("well", 0), ("sick", 1)] {
        let mut simulated = vec![("sim.stops", "never")];
        if code > 0 {
            simulated.push(("sim.health", "never"));
        }
        let a = stage.run(name, stage.shell("sleep 600", &simulated)).await;
        let line = format!("exit {code}");
        let command = ["sh", "-c", &line].into_iter().map(Secret::new).collect();
        let reach = Step::Reach {
            container: a.clone(),
            how: Reach::Exec { command },
            timeout: Duration::from_secs(30),
        };
        match stage.ask(reach.clone()).await {
            Ok(Done::Reached { is_well, .. }) => assert_eq!(is_well, code == 0),
            other => panic!("{other:?}"),
        }
        stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
        stage.refuses(reach, FailureKind::Conflict).await;
    }
}

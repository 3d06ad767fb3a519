//! The restart policies.

use std::time::Duration;

use reconciler::state::document::Document;
use reconciler::state::observed::{Container, Status};
use reconciler::state::secret::Secret;
use reconciler::state::step::{FailureKind, Step};
use reconciler::state::value::Value;

use crate::stage::{Stage, with};
use crate::subject::{ByHand, Subject};

const POLICY: &str = "HostConfig.RestartPolicy.Name";
const ATTEMPTS: &str = "HostConfig.RestartPolicy.MaximumRetryCount";

/// Returns the fields of a container that ends soon. Not at once: what ends before the
/// engine has taken note of its start reads as if it had ended before it.
fn crashing(stage: &Stage<impl Subject>, code: &str) -> Document {
    let line = format!("sleep 0.2; exit {code}");
    stage.shell(&line, &[("sim.exits", code), ("sim.after", "200ms")])
}

fn policy(document: Document, name: &str) -> Document {
    with(document, [(POLICY, Value::text(name))])
}

fn has_exited(container: &Container) -> bool {
    container.state.status == Status::Exited
}

pub(crate) async fn a_policy_with_a_limit_gives_up(stage: &mut Stage<impl Subject>) {
    let fields = crashing(stage, "3");
    let fields = with(policy(fields, "on-failure"), [(ATTEMPTS, Value::Int(2))]);
    let a = stage.run("a", fields).await;
    stage.until(&a, "has exited", has_exited).await;
    let ended = stage.inspect(&a).await.state;
    assert_eq!((ended.exit_code, ended.restarts), (3, 2));
    stage.told().await;
    // A start by hand is a new beginning.
    stage.does(Step::Start { container: a.clone() }).await;
    let again = |it: &Container| has_exited(it) && it.state.finished != ended.finished;
    stage.until(&a, "has exited again", again).await;
    stage.inspect(&a).await;
    stage.told().await;
}

pub(crate) async fn what_succeeded_is_not_restarted_on_failure(
    stage: &mut Stage<impl Subject>,
) {
    let fields = policy(crashing(stage, "0"), "on-failure");
    let a = stage.run("a", fields).await;
    stage.until(&a, "has exited", has_exited).await;
    let ended = stage.inspect(&a).await.state;
    assert_eq!((ended.exit_code, ended.restarts), (0, 0));
    stage.told().await;
}

pub(crate) async fn what_was_stopped_stays_down_whatever_its_policy(
    stage: &mut Stage<impl Subject>,
) {
    for name in ["always", "unlessstopped"] {
        let word = if name == "always" { name } else { "unless-stopped" };
        let a = stage.run(name, policy(stage.sleeper(), word)).await;
        stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
        stage.inspect(&a).await;
        stage.told().await;
        stage.does(Step::Start { container: a.clone() }).await;
        stage.by_hand(ByHand::Kill(stage.name(name))).await;
        stage.until(&a, "has exited", has_exited).await;
        // The first restart would come after 100 ms.
        stage.pass(Duration::from_millis(300)).await;
        let ended = stage.inspect(&a).await.state;
        assert_eq!((ended.status, ended.restarts), (Status::Exited, 0));
        stage.told().await;
    }
}

pub(crate) async fn the_pause_between_two_restarts_doubles(
    stage: &mut Stage<impl Subject>,
) {
    let fields = policy(crashing(stage, "3"), "always");
    let a = stage.run("a", fields).await;
    let first = stage.look().await.containers.remove(&a).expect("a").state.started;
    let many =
        |it: &Container| it.state.restarts >= 4 && it.state.status == Status::Restarting;
    let last = stage.until(&a, "was restarted 3 times", many).await.state.started;
    let took = last.expect("a start").duration_since(first.expect("a start"));
    // 200 ms each of 3 runs, and 100, 200 and 400 ms, unless the first look came late.
    assert!(took.as_secs_f64() >= 1.2, "{took:?}");
}

pub(crate) async fn what_waits_for_its_restart_counts_as_running_and_can_be_stopped(
    stage: &mut Stage<impl Subject>,
) {
    let fields = policy(crashing(stage, "3"), "always");
    let a = stage.run("a", fields).await;
    // It waits for 1.6 s then.
    let waits =
        |it: &Container| it.state.restarts == 5 && it.state.status == Status::Restarting;
    stage.until(&a, "waits for a restart", waits).await;
    stage.inspect(&a).await;
    let command = vec![Secret::new("true")];
    let timeout = Duration::from_secs(5);
    let probe = Step::Probe { container: a.clone(), command, timeout };
    stage.refuses(probe, FailureKind::Conflict).await;
    stage.refuses(Step::Remove { container: a.clone() }, FailureKind::Conflict).await;
    stage.does(Step::Start { container: a.clone() }).await;
    stage.told().await;
    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    stage.inspect(&a).await;
    stage.told().await;
    stage.does(Step::Remove { container: a }).await;
    stage.told().await;
}

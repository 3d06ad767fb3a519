//! Limits and policies that change on a live container.

use std::time::Duration;

use reconciler::state::document::Document;
use reconciler::state::observed::Status;
use reconciler::state::step::{Done, FailureKind, Step};
use reconciler::state::value::Value;

use crate::stage::{Stage, with};
use crate::subject::Subject;

const MEMORY: &str = "HostConfig.Memory";
const SWAP: &str = "HostConfig.MemorySwap";
const CPUS: &str = "HostConfig.NanoCpus";
const PIDS: &str = "HostConfig.PidsLimit";
const POLICY: &str = "HostConfig.RestartPolicy.Name";
const ATTEMPTS: &str = "HostConfig.RestartPolicy.MaximumRetryCount";

const fn mebibytes(number: i64) -> Value {
    Value::Int(number << 20)
}

pub(crate) async fn limits_change_while_the_container_runs(
    stage: &mut Stage<impl Subject>,
) {
    let fields = with(
        stage.sleeper(),
        [
            (MEMORY, mebibytes(64)),
            (SWAP, mebibytes(64)),
            (CPUS, Value::text("0.5")),
            (PIDS, Value::Int(50)),
        ],
    );
    let a = stage.run("a", fields).await;
    stage.inspect(&a).await;
    stage.told().await;
    let document = Document::from_iter([
        (MEMORY, mebibytes(128)),
        (SWAP, mebibytes(128)),
        (CPUS, Value::text("0.75")),
        (PIDS, Value::Int(60)),
    ]);
    stage.does_twice(Step::Update { container: a.clone(), document }).await;
    let after = stage.inspect(&a).await;
    assert_eq!(after.document.get(MEMORY), &mebibytes(128));
    assert_eq!(after.state.status, Status::Running);
    stage.told().await;
    // Where there was no limit there can be one.
    let b = stage.run("b", stage.sleeper()).await;
    stage.told().await;
    let document = Document::from_iter([(MEMORY, mebibytes(64)), (SWAP, mebibytes(64))]);
    stage.does(Step::Update { container: b.clone(), document }).await;
    stage.inspect(&b).await;
    stage.told().await;
}

/// But for the number of processes, which is unlimited then.
pub(crate) async fn a_limit_that_is_taken_away_is_ignored(
    stage: &mut Stage<impl Subject>,
) {
    let fields = with(
        stage.sleeper(),
        [
            (MEMORY, mebibytes(64)),
            (SWAP, mebibytes(64)),
            (CPUS, Value::text("0.5")),
            (PIDS, Value::Int(50)),
        ],
    );
    let a = stage.run("a", fields).await;
    stage.told().await;
    for (pointer, nothing) in
        [(MEMORY, Value::Int(0)), (CPUS, Value::text("0")), (PIDS, Value::Int(0))]
    {
        let document = Document::from_iter([(pointer, nothing)]);
        stage.does(Step::Update { container: a.clone(), document }).await;
    }
    let after = stage.inspect(&a).await;
    assert_eq!(after.document.get(MEMORY), &mebibytes(64));
    assert_eq!(after.document.get(CPUS), &Value::text("0.5"));
    assert_eq!(after.document.get(PIDS), &Value::Null);
    stage.told().await;
}

pub(crate) async fn memory_above_its_swap_is_refused(stage: &mut Stage<impl Subject>) {
    let fields = with(stage.sleeper(), [(MEMORY, mebibytes(64)), (SWAP, mebibytes(64))]);
    let a = stage.run("a", fields).await;
    stage.told().await;
    let update = |fields: Vec<(&'static str, Value)>| Step::Update {
        container: a.clone(),
        document: fields.into_iter().collect(),
    };
    let above = update(vec![(MEMORY, mebibytes(128))]);
    stage.refuses(above, FailureKind::Conflict).await;
    let below = update(vec![(MEMORY, mebibytes(128)), (SWAP, mebibytes(64))]);
    stage.refuses(below, FailureKind::Refused).await;
    let little = update(vec![(MEMORY, Value::Int(1)), (SWAP, Value::Int(1))]);
    stage.refuses(little, FailureKind::Refused).await;
    stage.inspect(&a).await;
    stage.told().await;
    let fields = with(stage.sleeper(), [(MEMORY, mebibytes(64)), (SWAP, mebibytes(32))]);
    let name = stage.name("b").as_str().into();
    let step = Step::Create { name, document: fields, platform: None };
    stage.refuses(step, FailureKind::Refused).await;
    let fields = with(stage.sleeper(), [(MEMORY, Value::Int(1))]);
    let name = stage.name("c").as_str().into();
    let step = Step::Create { name, document: fields, platform: None };
    stage.refuses(step, FailureKind::Refused).await;
    stage.told().await;
}

pub(crate) async fn memory_in_use_is_measured(stage: &mut Stage<impl Subject>) {
    let a = stage.create("a", stage.sleeper()).await;
    let measure = Step::Measure { container: a.clone() };
    assert_eq!(stage.ask(measure.clone()).await, Ok(Done::Measured { bytes: 0 }));
    stage.does(Step::Start { container: a.clone() }).await;
    let measured = stage.ask(measure.clone()).await;
    assert!(matches!(measured, Ok(Done::Measured { .. })), "{measured:?}");
    stage.told().await;
    stage.does(Step::Stop { container: a.clone(), grace: Duration::ZERO }).await;
    stage.does(Step::Remove { container: a }).await;
    stage.refuses(measure, FailureKind::NotFound).await;
    stage.told().await;
}

pub(crate) async fn a_restart_policy_changes_while_the_container_runs(
    stage: &mut Stage<impl Subject>,
) {
    let a =
        stage.run("a", with(stage.sleeper(), [(POLICY, Value::text("always"))])).await;
    stage.inspect(&a).await;
    stage.told().await;
    let policy = |name: &str| vec![(POLICY, Value::text(name))];
    let mut limited = policy("on-failure");
    limited.push((ATTEMPTS, Value::Int(3)));
    for fields in [limited, policy("on-failure"), policy("no"), policy("unless-stopped")]
    {
        let document = fields.into_iter().collect();
        stage.does(Step::Update { container: a.clone(), document }).await;
        stage.inspect(&a).await;
    }
    stage.told().await;
    let mut senseless = policy("always");
    senseless.push((ATTEMPTS, Value::Int(3)));
    let document = senseless.into_iter().collect();
    stage.refuses(Step::Update { container: a, document }, FailureKind::Refused).await;
}

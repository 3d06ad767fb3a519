use std::collections::BTreeSet;
use std::time::Duration;

use super::*;
use crate::planning::change::{Action, Change, Gate};
use crate::planning::check::history::{CheckState, CheckStates};
use crate::planning::check::{CheckResult, Verdict};
use crate::planning::status::{ConditionStatus, ContainerStatus, ServiceStatus};
use crate::planning::tally::ChangeResult;
use crate::state::ids::{Object, Replica};

fn service(name: &str, ready: bool) -> ServiceStatus {
    let condition = ConditionStatus {
        kind: "Ready",
        status: Some(ready),
        reason: "Unhealthy".to_owned(),
        message: "it has \"quotes\"\nand lines".to_owned(),
        since: None,
    };
    ServiceStatus {
        name: name.into(),
        ready,
        desired: 2,
        ready_replicas: if ready { 2 } else { 1 },
        containers: vec![ContainerStatus {
            name: name.into(),
            id: "0123".into(),
            state: "running",
            health: None,
            restarts: 3,
        }],
        conditions: vec![condition],
        attempts: u32::from(!ready),
        next: (!ready).then(|| "2026-11-28T10:00:10.5Z".parse().unwrap()),
    }
}

fn status(name: &str, services: Vec<ServiceStatus>) -> StackStatus {
    StackStatus {
        name: name.into(),
        generation: "sha256:aa".into(),
        observed_generation: Some("sha256:aa".into()),
        commit: None,
        ready: services.iter().all(|it| it.ready),
        conditions: Vec::new(),
        checks: checks(),
        services,
    }
}

/// One that passes, and one that is believed although its last answer is another.
fn checks() -> CheckStates {
    let state = |name: &str, verdict, believed| {
        let last = CheckResult {
            name: name.into(),
            kind: "tcp".to_owned(),
            verdict,
            found: String::new(),
            next: None,
            findings: Vec::new(),
            time: "2026-11-28T09:59:30Z".parse().unwrap(),
            took: Duration::from_millis(1500),
        };
        (name.into(), CheckState { last, believed, row: 0 })
    };
    let front = state("front", Verdict::Fail, Verdict::Pass);
    [state("disk", Verdict::Pass, Verdict::Pass), front].into()
}

fn plan() -> Plan {
    let changes =
        [("web", Action::Recreate), ("db", Action::None)].map(|(name, action)| Change {
            object: Object::Service(Replica { service: name.into(), number: 1 }),
            action,
            reason: String::new(),
            fields: Vec::new(),
            gate: Gate::Open,
        });
    Plan { changes: changes.into(), ..Plan::default() }
}

fn tally() -> Tally {
    let mut tally = Tally::default();
    for milliseconds in [4, 30, 400_000] {
        tally.passes.took(Duration::from_millis(milliseconds));
    }
    tally.changes.insert((Action::Create, ChangeResult::Done), 2);
    tally.changes.insert((Action::Recreate, ChangeResult::Failed), 1);
    tally
}

fn text(form: Form) -> String {
    let time = "2026-11-28T10:00:00Z".parse().unwrap();
    let (plan, tally, fresh) = (plan(), tally(), Tally::default());
    let status = status("shop", vec![service("db", true), service("web", false)]);
    let (shop, new) = ("shop".into(), "new".into());
    let mut calls = Calls { errors: 1, ..Calls::default() };
    calls.took.took(Duration::from_millis(12));
    let calls = [("look again", calls)].into();
    let stack = |name, last, tally, is_seen| StackMeasures { name, last, tally, is_seen };
    drawn(
        &Measures {
            version: "1.2.3",
            stacks: vec![
                stack(&new, None, &fresh, false),
                stack(&shop, Some((&plan, &status, time)), &tally, true),
            ],
            calls: &calls,
            git: Some(GitSync { last_success: Some(time), is_current: true }),
            deliveries: Deliveries { sent: 4, failed: 1 },
            process: Some(Process {
                start: 1_764_324_000.25,
                cpu: 0.5,
                resident: 9_000_000,
                virtual_size: 90_000_000,
                open_files: 12,
                most_files: None,
            }),
        },
        form,
    )
}

#[test]
fn the_text_is_a_contract() {
    insta::assert_snapshot!(text(Form::Prometheus));
}

#[test]
fn open_metrics_differ_in_heads_and_the_end() {
    let (plain, open) = (text(Form::Prometheus), text(Form::OpenMetrics));
    assert!(open.ends_with("\n# EOF\n"));
    assert!(
        open.contains("# TYPE reconciler_changes counter\nreconciler_changes_total{")
    );
    let samples = |text: &str| -> Vec<String> {
        text.lines().filter(|it| !it.starts_with('#')).map(str::to_owned).collect()
    };
    assert_eq!(samples(&plain), samples(&open));
}

#[test]
fn what_a_label_holds_cannot_end_it() {
    let mut page = Page::new(Form::Prometheus);
    page.family("a", Kind::Gauge, "b");
    page.sample(&[("l", "x\"} 1\ny\\")], 0);
    assert_eq!(page.ended(), "# HELP a b\n# TYPE a gauge\na{l=\"x\\\"} 1\\ny\\\\\"} 0\n");
}

#[test]
fn fifty_services_make_a_bounded_number_of_series_whatever_happens_to_them() {
    let calls = BTreeMap::new();
    let count = |round: u32| {
        let services = (0..50).map(|number| {
            let mut service =
                service(&format!("s{number}"), (number + round).is_multiple_of(2));
            for container in &mut service.containers {
                container.id = format!("{number}-{round}").as_str().into();
                container.restarts = round.into();
            }
            for condition in &mut service.conditions {
                condition.reason = format!("reason {round}");
                condition.message = format!("message {round}");
            }
            service
        });
        let (name, tally) = ("shop".into(), tally());
        let (plan, status) = (plan(), status("shop", services.collect()));
        let last = Some((&plan, &status, EngineTime::UNIX_EPOCH));
        let stack = StackMeasures { name: &name, last, tally: &tally, is_seen: true };
        let text = drawn(
            &Measures {
                version: "1",
                stacks: vec![stack],
                calls: &calls,
                git: None,
                deliveries: Deliveries::default(),
                process: None,
            },
            Form::Prometheus,
        );
        let series = text.lines().filter(|it| !it.starts_with('#'));
        series.filter_map(|it| Some(it.rsplit_once(' ')?.0.to_owned())).collect()
    };
    let (first, later): (BTreeSet<String>, BTreeSet<String>) = (count(0), count(1));
    let (all, both) = (first.union(&later).count(), first.intersection(&later).count());
    // Only who waits for a next try changes.
    assert!(first.len() < 50 * 10 && all - both <= 50, "{} {all} {both}", first.len());
}

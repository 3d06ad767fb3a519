//! What validation makes of a stack.

use super::*;

#[test]
fn sharing_something_is_a_dependency() {
    use crate::state::desired::{Condition, Dependency};
    let stack = valid(
        "services:
  a: {image: x, network_mode: 'service:b', volumes_from: ['c:ro', 'container:z'], \
         links: ['d:e']}
  b: {image: x}
  c: {image: x}
  d: {image: x}
",
    );
    let dependencies: Vec<(&str, Dependency)> = stack.services["a"]
        .depends_on
        .iter()
        .map(|(name, dependency)| (name.as_str(), *dependency))
        .collect();
    let dependency =
        |restart| Dependency { condition: Condition::Started, required: true, restart };
    assert_eq!(
        dependencies,
        [("b", dependency(true)), ("c", dependency(false)), ("d", dependency(true))]
    );
}

#[test]
fn typed_fields_are_read_from_the_canonical_form() {
    use std::time::Duration;

    use crate::state::desired::{HealthCheck, PullPolicy, RestartPolicy};
    let stack = valid(
        "services:
  a:
    image: x
    platform: linux/arm64
    pull_policy: always
    restart: on-failure:3
    stop_grace_period: 1m30s
    healthcheck: {test: 'x y', interval: 5s, timeout: 0s, retries: 2, start_period: 1m}
    deploy: {replicas: 3}
  b: {image: x, healthcheck: {disable: true}, restart: always, pull_policy: if_not_present,
      deploy: {restart_policy: {condition: on-failure, max_attempts: 2}}}
  c: {image: x, healthcheck: {test: [NONE]}, pull_policy: never}
x-reconciler: {ready_deadline: 7m, prune: always}
",
    );
    let a = &stack.services["a"];
    assert_eq!(a.platform.as_deref(), Some("linux/arm64"));
    assert_eq!((a.pull_policy, a.replicas), (PullPolicy::Always, 3));
    assert_eq!(a.restart, RestartPolicy::OnFailure { attempts: Some(3) });
    assert_eq!(a.stop_grace, Duration::from_secs(90));
    assert_eq!(a.settings.ready_deadline, Some(Duration::from_mins(7)));
    assert_eq!(
        a.health_check,
        HealthCheck::Check {
            test: ["CMD-SHELL", "x y"].map(Secret::new).to_vec(),
            interval: Some(Duration::from_secs(5)),
            timeout: Some(Duration::ZERO),
            start_period: Some(Duration::from_mins(1)),
            retries: Some(2),
        }
    );
    let b = &stack.services["b"];
    assert_eq!(b.restart, RestartPolicy::OnFailure { attempts: Some(2) });
    assert_eq!(
        (&b.health_check, b.pull_policy),
        (&HealthCheck::Disabled, PullPolicy::Missing)
    );
    let c = &stack.services["c"];
    assert_eq!(
        (&c.health_check, c.pull_policy),
        (&HealthCheck::Disabled, PullPolicy::Never)
    );
    assert_eq!(c.restart, RestartPolicy::No);
    assert_eq!(stack.settings.prune, crate::state::desired::Prune::Always);
}

#[test]
fn a_change_is_rolled_out_as_the_file_says_and_else_by_default() {
    use std::time::Duration;

    use crate::state::desired::{FailureAction, Rollout, StartOrder};
    let stack = valid(
        "services:
  a: {image: x}
  b:
    image: x
    deploy:
      update_config: {parallelism: 0, delay: 10s, monitor: 0s, max_failure_ratio: 0.3,
                      order: start-first, failure_action: pause}
      rollback_config: {parallelism: 2}
",
    );
    let of = |name: &str| &stack.services[name];
    assert_eq!(
        (&of("a").update, &of("a").rollback),
        (&Rollout::default(), &Rollout::default())
    );
    let update = Rollout {
        parallelism: None,
        delay: Duration::from_secs(10),
        monitor: Duration::ZERO,
        bearable: 300_000,
        order: StartOrder::StartFirst,
        failure_action: Some(FailureAction::Pause),
    };
    assert_eq!(of("b").update, update);
    assert_eq!(of("b").rollback, Rollout { parallelism: Some(2), ..Rollout::default() });
}

#[test]
fn how_many_failed_probes_are_too_many_is_said_by_the_probe_or_by_healing() {
    let stack = valid(
        "services:
  a: {image: x, x-reconciler: {probe: {tcp: 1}, heal: {failures: 7}}}
  b: {image: x, x-reconciler: {probe: {tcp: 1, failures: 2}, heal: {failures: 7}}}
  c: {image: x, x-reconciler: {probe: {tcp: 1}}}
",
    );
    let failures =
        |name: &str| stack.services[name].settings.probe.as_ref().unwrap().failures;
    assert_eq!(["a", "b", "c"].map(failures), [7, 2, 3]);
}

#[test]
fn many_services_are_checked_in_time_and_without_deep_recursion() {
    let mut text = "services:\n".to_owned();
    for number in 0..3_000 {
        use std::fmt::Write as _;
        let next = (number + 1) % 3_000;
        writeln!(text, "  s{number}: {{image: x, depends_on: [s{next}]}}").unwrap();
    }
    let loaded = loaded(&text);
    assert_eq!(found(&loaded, Severity::Error).len(), 1);
}

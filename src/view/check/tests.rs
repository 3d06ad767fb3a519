//! How results read.

use std::time::Duration;

use anstream::adapter::strip_str;

use super::*;
use crate::planning::check::Finding;
use crate::planning::check::history::CheckState;
use crate::state::time::Moment;
use crate::view::json;

fn result(name: &str, verdict: Verdict, found: &str, next: Option<&str>) -> CheckResult {
    CheckResult {
        name: name.into(),
        kind: "http".to_owned(),
        verdict,
        found: format!("service/web/1: {found}"),
        next: next.map(str::to_owned),
        findings: vec![Finding {
            object: "service/web/1".to_owned(),
            verdict,
            said: found.to_owned(),
        }],
        time: "2026-11-28T10:00:00Z".parse().unwrap(),
        took: Duration::from_millis(12),
    }
}

fn results() -> Vec<CheckResult> {
    vec![
        result("containers", Verdict::Pass, "it runs and is ready", None),
        result("disk", Verdict::Unknown, "it cannot be looked at", None),
        result(
            "healthz",
            Verdict::Fail,
            "GET /healthz answered 500",
            Some("`docker logs --tail 50 demo-web-1` says why"),
        ),
        result("image-age", Verdict::Warn, "200 days old", Some("change `image`")),
    ]
}

#[test]
fn what_was_found_and_what_to_do_stand_in_two_tables() {
    let text = drawn(&[("demo".into(), results())], None);
    insta::assert_snapshot!("text", strip_str(&text));
    let passing = drawn(&[("demo".into(), results()[..1].to_vec())], None);
    insta::assert_snapshot!("text_passing", strip_str(&passing));
}

#[test]
fn the_json_is_a_contract() {
    let json = json::pretty(&json::checks::checks(&[("demo".into(), results())]));
    insta::assert_snapshot!("json", json.unwrap());
}

#[test]
fn the_line_of_status_names_what_does_not_pass() {
    let now = Now {
        moment: Moment::default(),
        engine: "2026-11-28T10:00:20Z".parse().unwrap(),
    };
    let state = |last: CheckResult| {
        let believed = last.verdict;
        (last.name.clone(), CheckState { last, believed, row: 0 })
    };
    let states: CheckStates = results().into_iter().map(state).collect();
    assert_eq!(
        strip_str(&line(&states, now)).to_string(),
        "\nchecks: 1 passes, 1 warns, 1 fails, 1 is not known (healthz, image-age, disk), \
         20s ago\n"
    );
    assert_eq!(line(&CheckStates::new(), now), "");
}

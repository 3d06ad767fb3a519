//! What `explain` prints: how a service is and why it waits, and every field of it with the
//! rule that judged it.

use super::status::message;
use super::style::{CHANGE, GOOD, STRONG, paint};
use super::table;
use crate::planning::change::{Change, Gate};
use crate::planning::explain::ExplainRow;
use crate::planning::status::ServiceStatus;
use crate::state::time::Now;

/// How many characters of a value are shown where nothing can wrap; JSON has them all.
const LONGEST: usize = 60;

/// Returns how a service is: whether it is ready, why not, when it is tried again, and what
/// is to change about it.
pub fn summary(service: &ServiceStatus, changes: &[&Change], now: Now) -> String {
    let word =
        if service.ready { paint(GOOD, "ready") } else { paint(CHANGE, "not ready") };
    let mut text = format!(
        "{}  {word}  {} of {} ready\n",
        paint(STRONG, &service.name),
        service.ready_replicas,
        service.desired
    );
    let why = message(service, now);
    if !why.is_empty() {
        text += &format!("  {why}\n");
    }
    for Change { object, action, reason, gate, .. } in changes {
        text += &format!("  {object}: {}: {reason}\n", action.as_str());
        if let Gate::Waiting { on, .. } = gate {
            text += &format!("    waits for {}\n", on.join(", "));
        }
    }
    text
}

/// Returns the rows as a table; a `width` makes long values wrap, else they are cut.
pub fn drawn(rows: &[ExplainRow], width: Option<u16>) -> String {
    let cells = rows.iter().map(|row| {
        let or_dash = |value: &Option<String>| match (value, width) {
            (None, _) => "-".to_owned(),
            (Some(value), Some(_)) => value.clone(),
            (Some(value), None) => cut(value),
        };
        [
            row.path.clone(),
            or_dash(&row.desired),
            or_dash(&row.live),
            or_dash(&row.default),
            row.verdict.clone(),
            row.rule.clone(),
        ]
    });
    table::drawn(["FIELD", "DESIRED", "LIVE", "DEFAULT", "VERDICT", "RULE"], cells, width)
}

fn cut(value: &str) -> String {
    match value.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", value.get(..end).unwrap_or_default()),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstream::adapter::strip_str;

    #[test]
    fn why_a_service_waits_and_when_it_is_tried_again_stand_first() {
        use crate::planning::change::Action;
        use crate::planning::status::ConditionStatus;
        use crate::state::ids::{Object, Replica};
        use crate::state::time::{EngineTime, Moment};

        let engine: EngineTime = "2026-11-25T10:00:00Z".parse().unwrap();
        let now = Now { moment: Moment::default(), engine };
        let ready = ConditionStatus {
            kind: "Ready",
            status: Some(false),
            reason: "ImagePullBackOff".to_owned(),
            message: "no such image".to_owned(),
            since: None,
        };
        let service = ServiceStatus {
            name: "web".into(),
            ready: false,
            desired: 1,
            ready_replicas: 0,
            containers: Vec::new(),
            conditions: vec![ready],
            attempts: 2,
            next: Some("2026-11-25T10:00:20Z".parse().unwrap()),
        };
        let change = Change {
            object: Object::Service(Replica { service: "web".into(), number: 1 }),
            action: Action::Create,
            reason: "there is no container".to_owned(),
            fields: Vec::new(),
            gate: Gate::Waiting { on: vec!["backoff".to_owned()], until: None },
        };
        insta::assert_snapshot!(strip_str(&summary(&service, &[&change], now)), @r"
        web  not ready  0 of 1 ready
          ImagePullBackOff: no such image; next try in 20s after 2 failures
          service/web/1: create: there is no container
            waits for backoff
        ");
    }

    #[test]
    fn every_field_has_its_values_its_verdict_and_its_rule() {
        let row = |path: &str, live: Option<&str>, verdict: &str| ExplainRow {
            path: path.to_owned(),
            desired: Some("always".to_owned()),
            live: live.map(str::to_owned),
            default: None,
            verdict: verdict.to_owned(),
            rule: "exact".to_owned(),
        };
        let rows =
            [row("restart", Some("always"), "same"), row("x", None, "update-in-place")];
        insta::assert_snapshot!(strip_str(&drawn(&rows, None)), @r"
        FIELD    DESIRED  LIVE    DEFAULT  VERDICT          RULE
        restart  always   always  -        same             exact
        x        always   -       -        update-in-place  exact
        ");
    }
}

//! What `explain` prints: every field of a service and the rule that judged it.

use super::table;
use crate::planning::explain::ExplainRow;

/// How many characters of a value are shown where nothing can wrap; JSON has them all.
const LONGEST: usize = 60;

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

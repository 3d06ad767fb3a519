//! What `preflight` found, as text and as JSON.

use serde::Serialize;

use super::style::{BAD, CHANGE, FAINT, GOOD, paint};
use super::text::{count, one_line};
use crate::planning::preflight::{Finding, Grade};

/// What was found, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PreflightJson<'a> {
    /// Nothing fails.
    pub pass: bool,
    /// What is not as it should be, the worst first.
    pub findings: &'a [Finding],
}

/// Tells whether nothing fails.
pub fn passes(findings: &[Finding]) -> bool {
    findings.iter().all(|finding| finding.grade == Grade::Warning)
}

/// Returns what was found, as JSON.
pub fn json(findings: &[Finding]) -> PreflightJson<'_> {
    PreflightJson { pass: passes(findings), findings }
}

/// Returns what was found, each with its fix, and a summary.
pub fn drawn(findings: &[Finding]) -> String {
    let mut text = String::new();
    for Finding { grade, check, about, message, fix } in findings {
        let word = match grade {
            Grade::Fail => paint(BAD, "fail"),
            Grade::Warning => paint(CHANGE, "warning"),
        };
        text += &format!(
            "{word} {}: {} {}\n",
            one_line(about),
            one_line(message),
            paint(FAINT, format!("[{check}]"))
        );
        text += &format!("    {}\n", one_line(fix));
    }
    let number = |grade| findings.iter().filter(|it| it.grade == grade).count();
    let (fails, warnings) = (number(Grade::Fail), number(Grade::Warning));
    let word = if fails == 0 { paint(GOOD, "pass") } else { paint(BAD, "fail") };
    let details = match (fails, warnings) {
        (0, 0) => "everything is as it should be".to_owned(),
        (0, _) => count(warnings, "warning"),
        (_, 0) => count(fails, "failure"),
        (_, _) => format!("{}, {}", count(fails, "failure"), count(warnings, "warning")),
    };
    text + &format!("{word}: {details}\n")
}

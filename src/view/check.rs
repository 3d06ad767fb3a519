//! What `check` prints: every check, what was found, and what to do about it.

use anstyle::Style;

use super::style::{BAD, CHANGE, FAINT, GOOD, STRONG, paint};
use super::table::{self, Row};
use super::text::{age, count, one_line};
use crate::planning::check::history::CheckStates;
use crate::planning::check::{CheckResult, Verdict};
use crate::state::ids::ProjectName;
use crate::state::time::Now;

/// Returns the results of the checks of each stack as text; a `width` makes long texts wrap.
pub fn drawn(stacks: &[(ProjectName, Vec<CheckResult>)], width: Option<u16>) -> String {
    if stacks.is_empty() {
        return "No stacks.\n".to_owned();
    }
    let mut stacks: Vec<_> = stacks.iter().collect();
    stacks.sort_by(|a, b| a.0.cmp(&b.0));
    let texts: Vec<String> =
        stacks.into_iter().map(|(name, made)| stack_text(name, made, width)).collect();
    texts.join("\n")
}

fn stack_text(name: &ProjectName, made: &[CheckResult], width: Option<u16>) -> String {
    let verdicts = || made.iter().map(|it| it.verdict);
    let word = match verdicts().max() {
        Some(Verdict::Fail) => paint(BAD, "fails"),
        Some(Verdict::Warn) => paint(CHANGE, "passes with warnings"),
        Some(Verdict::Unknown) => paint(CHANGE, "passes as far as it is known"),
        Some(Verdict::Pass) | None => paint(GOOD, "passes"),
    };
    let summary = paint(FAINT, summary(verdicts()));
    let mut text = format!("{}  {word}  {summary}\n\n", paint(STRONG, name));
    let rows = made.iter().map(|it| Row {
        style: style(it.verdict),
        cells: [it.name.to_string(), it.verdict.as_str().to_owned(), it.found.clone()],
    });
    text += &table::drawn(["CHECK", "RESULT", "FOUND"], rows, width);
    let advised = made.iter().filter_map(|it| Some((it, it.next.as_ref()?)));
    let advised: Vec<[String; 2]> =
        advised.map(|(it, next)| [it.name.to_string(), next.clone()]).collect();
    if !advised.is_empty() {
        text +=
            &format!("\n{}", table::drawn(["CHECK", "WHAT TO DO NEXT"], advised, width));
    }
    text
}

/// Counts verdicts: `6 pass, 1 warns, 1 fails`.
fn summary(verdicts: impl Iterator<Item = Verdict>) -> String {
    let mut counts = [0usize; 4];
    for verdict in verdicts {
        if let Some(count) = counts.get_mut(verdict as usize) {
            *count += 1;
        }
    }
    let [pass, unknown, warn, fail] = counts;
    let words = [
        (pass, if pass == 1 { "passes" } else { "pass" }),
        (warn, if warn == 1 { "warns" } else { "warn" }),
        (fail, if fail == 1 { "fails" } else { "fail" }),
        (unknown, if unknown == 1 { "is not known" } else { "are not known" }),
    ];
    let words = words.into_iter().filter(|(number, _)| *number > 0);
    let texts: Vec<String> = words.map(|(number, it)| format!("{number} {it}")).collect();
    if texts.is_empty() { count(0, "check") } else { texts.join(", ") }
}

const fn style(verdict: Verdict) -> Style {
    match verdict {
        Verdict::Pass => Style::new(),
        Verdict::Unknown | Verdict::Warn => CHANGE,
        Verdict::Fail => BAD,
    }
}

/// Returns the line of `status` about the checks that `run` makes; nothing where it made
/// none. It names those that do not pass.
pub(super) fn line(states: &CheckStates, now: Now) -> String {
    let Some(newest) = states.values().map(|it| it.last.time).max() else {
        return String::new();
    };
    let named = |verdict: Verdict| {
        let of = states.values().filter(move |it| it.believed == verdict);
        of.map(|it| it.last.name.to_string()).collect::<Vec<_>>()
    };
    let mut text = format!("checks: {}", summary(states.values().map(|it| it.believed)));
    let bad: Vec<String> = [Verdict::Fail, Verdict::Warn, Verdict::Unknown]
        .into_iter()
        .flat_map(named)
        .collect();
    if !bad.is_empty() {
        text += &format!(" ({})", bad.join(", "));
    }
    let text = format!("{text}, {} ago", age(now.age(newest)));
    format!("\n{}\n", paint(FAINT, one_line(&text)))
}

#[cfg(test)]
mod tests;

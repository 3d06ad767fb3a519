//! What `history` prints: the revisions of the stacks, the newest first.

use anstyle::Style;
use serde::Serialize;

use super::json::Stacks;
use super::style::{CHANGE, GOOD};
use super::table::{self, Row};
use super::text::{age, short_digest};
use crate::planning::revision::{Revision, RevisionEnd, RevisionId};
use crate::state::ids::ProjectName;
use crate::state::time::Now;

const HEADER: [&str; 5] = ["STACK", "REVISION", "WANTED", "RESULT", "GENERATION"];

/// The revisions of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackHistory {
    /// The stack.
    pub name: ProjectName,
    /// Its revisions, the newest last.
    pub revisions: Vec<Revision>,
    /// The one that is wanted now.
    pub current: Option<RevisionId>,
    /// The one that is pinned.
    pub pinned: Option<RevisionId>,
}

impl StackHistory {
    /// Returns what came of a revision, and whether it is the one that is wanted.
    fn result(&self, revision: &Revision) -> String {
        let is_current = self.current.as_ref() == Some(&revision.id);
        let end = match revision.end {
            Some(end) => end.as_str(),
            None if is_current => "under way",
            None => "not ready in its time",
        };
        let mark = match (is_current, self.pinned.as_ref() == Some(&revision.id)) {
            (_, true) => ", pinned",
            (true, false) => ", current",
            (false, false) => "",
        };
        format!("{end}{mark}")
    }
}

/// Returns the revisions of the stacks as one table; a `width` makes long lines wrap.
pub fn drawn(stacks: &[StackHistory], now: Now, width: Option<u16>) -> String {
    let rows = stacks.iter().flat_map(|stack| {
        stack.revisions.iter().rev().map(move |it| Row::<5> {
            style: style(stack, it),
            cells: [
                stack.name.to_string(),
                it.id.to_string(),
                format!("{} ago", age(now.age(it.wanted))),
                stack.result(it),
                short_digest(it.generation.as_str()).to_owned(),
            ],
        })
    });
    let rows: Vec<Row<5>> = rows.collect();
    if rows.is_empty() {
        return "No revisions: `apply` and `run` keep what they bring about.\n"
            .to_owned();
    }
    table::drawn(HEADER, rows, width)
}

fn style(stack: &StackHistory, revision: &Revision) -> Style {
    match revision.end {
        Some(RevisionEnd::Failed | RevisionEnd::RolledBack) => CHANGE,
        Some(RevisionEnd::Converged) | None
            if stack.current.as_ref() == Some(&revision.id) =>
        {
            GOOD
        }
        Some(RevisionEnd::Converged) | None => Style::new(),
    }
}

/// What `history -o json` says of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackHistoryJson {
    name: String,
    revisions: Vec<RevisionJson>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct RevisionJson {
    revision: String,
    generation: String,
    wanted: String,
    result: Option<&'static str>,
    current: bool,
    pinned: bool,
}

/// Returns what `history -o json` prints; the newest revision comes first.
pub fn json(stacks: &[StackHistory]) -> Stacks<StackHistoryJson> {
    let of_stack = |stack: &StackHistory| StackHistoryJson {
        name: stack.name.to_string(),
        revisions: stack
            .revisions
            .iter()
            .rev()
            .map(|it| RevisionJson {
                revision: it.id.as_str().to_owned(),
                generation: it.generation.to_string(),
                wanted: it.wanted.to_string(),
                result: it.end.map(RevisionEnd::as_str),
                current: stack.current.as_ref() == Some(&it.id),
                pinned: stack.pinned.as_ref() == Some(&it.id),
            })
            .collect(),
    };
    Stacks { stacks: stacks.iter().map(of_stack).collect() }
}

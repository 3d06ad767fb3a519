//! What `history` prints: the revisions of the stacks, the newest first.

use anstyle::Style;
use serde::Serialize;

use super::json::{CommitJson, Stacks};
use super::style::{CHANGE, GOOD};
use super::table::{self, Row};
use super::text::{age, short_digest, took};
use crate::planning::change::Action;
use crate::planning::revision::{Changed, Changes, Revision, RevisionEnd, RevisionId};
use crate::state::ids::ProjectName;
use crate::state::time::Now;

const HEADER: [&str; 10] = [
    "STACK",
    "REVISION",
    "WANTED",
    "RESULT",
    "TOOK",
    "CHANGES",
    "GENERATION",
    "COMMIT",
    "AUTHOR",
    "MESSAGE",
];

/// The columns where no revision comes from git.
const PLAIN: [usize; 7] = [0, 1, 2, 3, 4, 5, 6];

/// Those where one does, on 100 columns.
const OF_GIT: [usize; 8] = [0, 1, 2, 3, 4, 5, 7, 8];

/// Those where there is room for the message, too.
const OF_GIT_WIDE: [usize; 9] = [0, 1, 2, 3, 4, 5, 7, 8, 9];

/// From how many columns on there is.
const WIDE: u16 = 140;

/// How many characters are shown of an author, and of a message.
const SHOWN: (usize, usize) = (14, 50);

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
        stack
            .revisions
            .iter()
            .rev()
            .map(move |it| Row { style: style(stack, it), cells: cells(stack, it, now) })
    });
    let rows: Vec<Row<10>> = rows.collect();
    if rows.is_empty() {
        return "No revisions: `apply` and `run` keep what they bring about.\n"
            .to_owned();
    }
    let is_of_git = |stack: &StackHistory| {
        stack.revisions.iter().any(|revision| revision.commit.is_some())
    };
    match (stacks.iter().any(is_of_git), width) {
        (false, _) => table(&rows, PLAIN, width),
        (true, Some(..WIDE)) => table(&rows, OF_GIT, width),
        (true, _) => table(&rows, OF_GIT_WIDE, width),
    }
}

fn table<const N: usize>(
    rows: &[Row<10>],
    columns: [usize; N],
    width: Option<u16>,
) -> String {
    let rows = rows.iter().map(|row| Row {
        style: row.style,
        cells: columns.map(|column| row.cells[column].clone()),
    });
    table::drawn(columns.map(|column| HEADER[column]), rows, width)
}

fn cells(stack: &StackHistory, it: &Revision, now: Now) -> [String; 10] {
    let commit = it.commit.as_ref();
    let (author, message) = SHOWN;
    [
        stack.name.to_string(),
        it.id.to_string(),
        format!("{} ago", age(now.age(it.wanted))),
        stack.result(it),
        it.took().map_or_else(String::new, took),
        it.changes.as_ref().map_or_else(String::new, changes),
        short_digest(it.generation.as_str()).to_owned(),
        commit.map(|it| it.id.to_string()).unwrap_or_default(),
        commit.map(|it| short(name_of(&it.author), author)).unwrap_or_default(),
        commit.map(|it| short(&it.subject, message)).unwrap_or_default(),
    ]
}

/// Returns how many objects were to be made, changed and removed, with the marks of `diff`.
fn changes(changes: &Changes) -> String {
    let number = |is_meant: fn(&str) -> bool| {
        changes.objects.iter().filter(|it| is_meant(&it.action)).count()
    };
    let created = number(|action| action == Action::Create.as_str());
    let removed = number(|action| action == Action::Remove.as_str());
    let others = changes.objects.len() - created - removed;
    let marks = [("+", created), ("~", others), ("-", removed)];
    let parts = marks.iter().filter(|(_, number)| *number > 0);
    let mut parts: Vec<String> =
        parts.map(|(mark, number)| format!("{mark}{number}")).collect();
    if changes.more > 0 {
        parts.push(format!("{} more", changes.more));
    }
    if parts.is_empty() { "none".to_owned() } else { parts.join(" ") }
}

/// Returns the name of an author, without the address.
fn name_of(author: &str) -> &str {
    match author.split_once('<') {
        Some((name, _)) if !name.trim().is_empty() => name.trim(),
        Some(_) | None => author.trim(),
    }
}

/// Returns so many characters of a text.
fn short(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    text.chars().take(most.saturating_sub(1)).chain(['…']).collect()
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
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StackHistoryJson {
    name: String,
    revisions: Vec<RevisionJson>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
struct RevisionJson {
    revision: String,
    generation: String,
    wanted: String,
    result: Option<&'static str>,
    current: bool,
    pinned: bool,
    commit: Option<CommitJson>,
    /// Null while it is not known; the first 20.
    changes: Option<Vec<ChangedJson>>,
    /// How many more there were.
    more_changes: usize,
    ended: Option<String>,
    duration_seconds: Option<f64>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct ChangedJson {
    object: String,
    action: String,
    fields: Vec<String>,
}

/// Returns what `history -o json` prints; the newest revision comes first.
pub fn json(stacks: &[StackHistory]) -> Stacks<StackHistoryJson> {
    let of_stack = |stack: &StackHistory| StackHistoryJson {
        name: stack.name.to_string(),
        revisions: stack.revisions.iter().rev().map(|it| revision(stack, it)).collect(),
    };
    Stacks { stacks: stacks.iter().map(of_stack).collect() }
}

fn revision(stack: &StackHistory, it: &Revision) -> RevisionJson {
    let changed = |it: &Changed| ChangedJson {
        object: it.object.clone(),
        action: it.action.clone(),
        fields: it.fields.clone(),
    };
    RevisionJson {
        revision: it.id.as_str().to_owned(),
        generation: it.generation.to_string(),
        wanted: it.wanted.to_string(),
        result: it.end.map(RevisionEnd::as_str),
        current: stack.current.as_ref() == Some(&it.id),
        pinned: stack.pinned.as_ref() == Some(&it.id),
        commit: it.commit.as_ref().map(CommitJson::from),
        changes: it.changes.as_ref().map(|it| it.objects.iter().map(changed).collect()),
        more_changes: it.changes.as_ref().map_or(0, |it| it.more),
        ended: it.ended.map(|it| it.to_string()),
        duration_seconds: it.took().map(|it| it.as_secs_f64()),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anstream::adapter::strip_str;

    use super::*;
    use crate::state::commit::{Commit, CommitId};
    use crate::state::time::{EngineTime, Moment};
    use crate::view::json::pretty;

    fn now() -> Now {
        let engine = "2026-11-22T10:00:00Z".parse().unwrap();
        Now { moment: Moment(Duration::from_secs(100)), engine }
    }

    fn changed(object: &str, action: Action) -> Changed {
        Changed {
            object: object.to_owned(),
            action: action.as_str().to_owned(),
            fields: vec!["image".to_owned(), "environment.TZ".to_owned()],
        }
    }

    fn before(seconds: u64) -> EngineTime {
        now().engine - Duration::from_secs(seconds)
    }

    fn revision(digit: &str, age: u64, end: Option<RevisionEnd>, took: u64) -> Revision {
        Revision {
            id: RevisionId::new(digit.repeat(64)),
            project: "milvus".into(),
            generation: format!("sha256:{}", digit.repeat(64)).as_str().into(),
            wanted: before(age),
            commit: None,
            changes: None,
            end,
            ended: end.map(|_| before(age - took)),
        }
    }

    fn history() -> StackHistory {
        let old = Revision {
            ended: None,
            ..revision("a", 90_000, Some(RevisionEnd::Converged), 0)
        };
        let objects = (0..20)
            .map(|number| changed(&format!("service/etcd/{number}"), Action::Create))
            .collect();
        let large = Revision {
            changes: Some(Changes { objects, more: 3 }),
            ..revision("b", 3000, Some(RevisionEnd::RolledBack), 75)
        };
        let objects = vec![
            changed("service/etcd/1", Action::Create),
            changed("service/minio/1", Action::Recreate),
            changed("service/nginx/1", Action::UpdateInPlace),
            changed("service/old/1", Action::Remove),
        ];
        let newest = Revision {
            changes: Some(Changes { objects, more: 0 }),
            ..revision("c", 60, Some(RevisionEnd::Converged), 8)
        };
        let current = Some(newest.id.clone());
        let revisions = vec![old, large, newest];
        StackHistory { name: "milvus".into(), revisions, current, pinned: None }
    }

    fn of_git() -> StackHistory {
        let mut history = history();
        let commit = |digit: &str, author: &str, subject: &str| Commit {
            id: CommitId::parse(&digit.repeat(40)).unwrap(),
            author: author.to_owned(),
            subject: subject.to_owned(),
            committed: before(120),
        };
        let long = "Raise the limits of etcd, MinIO and Milvus, as was decided on Friday";
        history.revisions[1].commit =
            Some(commit("1", "Bartholomew Longfellow <b@example.org>", long));
        history.revisions[2].commit =
            Some(commit("2", "Ada\u{1b}[2J <a@x>", "Nginx\u{202e}"));
        history
    }

    fn text(history: StackHistory, width: Option<u16>) -> String {
        strip_str(&drawn(&[history], now(), width)).to_string()
    }

    #[test]
    fn without_git_there_are_no_columns_of_commits() {
        insta::assert_snapshot!("history", text(history(), None));
    }

    #[test]
    fn with_git_each_revision_tells_its_commit_on_a_hundred_columns() {
        let narrow = text(of_git(), Some(100));
        assert!(narrow.lines().all(|it| it.chars().count() <= 100), "{narrow}");
        insta::assert_snapshot!("history_of_git", narrow);
    }

    #[test]
    fn where_there_is_room_the_message_is_told_too_and_cannot_steer_the_terminal() {
        let wide = text(of_git(), None);
        assert!(!drawn(&[of_git()], now(), None).contains("\u{1b}[2J"));
        assert!(!wide.contains('\u{202e}'));
        insta::assert_snapshot!("history_of_git_wide", wide);
    }

    #[test]
    fn the_json_is_a_contract() {
        let mut history = of_git();
        if let Some(changes) = &mut history.revisions[1].changes {
            changes.objects.truncate(1);
        }
        insta::assert_snapshot!("history_json", pretty(&json(&[history])).unwrap());
    }
}

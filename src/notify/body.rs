//! What a notification says: one JSON object whose `text` chat programs show.

use serde::Serialize;

use crate::planning::outbox::Parcel;
use crate::state::commit::Commit;

/// How many characters of a message are sent: chat programs take 2,000 to 16,000.
const MOST: usize = 1500;

#[derive(Serialize)]
struct Body<'a> {
    text: String,
    stack: &'a str,
    severity: &'static str,
    reason: &'static str,
    message: String,
    object: &'a str,
    commit: Option<CommitBody<'a>>,
    generation: &'a str,
    time: String,
    host: &'a str,
    /// How many more were due at the same time and are not told.
    more: u64,
    /// How many did not arrive before this one.
    lost: u64,
}

#[derive(Serialize)]
struct CommitBody<'a> {
    id: &'a str,
    author: &'a str,
    message: &'a str,
    committed: String,
}

/// Returns the JSON of a parcel.
pub(super) fn json(parcel: &Parcel, host: &str) -> Vec<u8> {
    let letter = &parcel.letter;
    let notice = &letter.notice;
    let body = Body {
        text: text(parcel, host),
        stack: letter.stack.as_str(),
        severity: notice.kind.severity().as_str(),
        reason: notice.kind.as_str(),
        message: short(&notice.message),
        object: &notice.object,
        commit: letter.commit.as_ref().map(|commit| CommitBody {
            id: commit.id.as_str(),
            author: &commit.author,
            message: &commit.subject,
            committed: commit.committed.to_string(),
        }),
        generation: letter.generation.as_str(),
        time: letter.time.to_string(),
        host,
        more: parcel.more,
        lost: parcel.lost,
    };
    // Texts and numbers can always be written.
    serde_json::to_vec(&body).unwrap_or_default()
}

/// Returns one line for people.
fn text(parcel: &Parcel, host: &str) -> String {
    let letter = &parcel.letter;
    let (stack, notice) = (&letter.stack, &letter.notice);
    let (severity, reason) = (notice.kind.severity().as_str(), notice.kind.as_str());
    let about = match notice.object.as_str() {
        "stack" => String::new(),
        object => format!(" {object}"),
    };
    let message = short(&notice.message);
    let mut text = format!("[{severity}] {stack} on {host} {reason}{about}: {message}");
    if let Some(Commit { id, author, subject, .. }) = &letter.commit {
        text += &format!(" (commit {id} by {author}: {})", short(subject));
    }
    if parcel.more > 0 {
        text += &format!("; and {} more, see `reconciler events`", parcel.more);
    }
    if parcel.lost > 0 {
        text += &format!("; {} before it did not arrive", parcel.lost);
    }
    harmless(&text)
}

fn short(text: &str) -> String {
    if text.chars().count() <= MOST {
        return text.to_owned();
    }
    text.chars().take(MOST - 1).chain(['…']).collect()
}

/// Returns a text that a chat program takes for nothing but text: what came from files, images
/// or commits calls nobody and hides nothing.
fn harmless(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => safe.push('‹'),
            '>' => safe.push('›'),
            // A space of no width behind it: `@all` calls everybody.
            '@' => safe.push_str("@\u{200b}"),
            '\n' | '\t' => safe.push(' '),
            '\u{200e}'
            | '\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' => {}
            other if other.is_control() => {}
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::notice::Notice;
    use crate::planning::outbox::Letter;
    use crate::state::commit::CommitId;
    use crate::state::ids::Generation;
    use crate::state::notice::NoticeKind;

    fn parcel() -> Parcel {
        let time = "2026-11-22T10:00:00Z".parse().unwrap();
        Parcel {
            letter: Letter {
                stack: "milvus".into(),
                notice: Notice {
                    kind: NoticeKind::RolledBack,
                    object: "service/etcd".to_owned(),
                    cause: "RolledBack".to_owned(),
                    message: "RolledBack: it said <!channel>\n\u{1b}[2J@all".to_owned(),
                },
                generation: Generation::new("sha256:0123"),
                commit: Some(Commit {
                    id: CommitId::parse(&"a".repeat(40)).unwrap(),
                    author: "Ada <ada@example.org>".to_owned(),
                    subject: "Bump etcd \u{202e}".to_owned(),
                    committed: time,
                }),
                time,
            },
            more: 2,
            lost: 1,
        }
    }

    fn shown(parcel: &Parcel) -> String {
        let bytes = json(parcel, "db-1");
        let value: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        serde_json::to_string_pretty(&value).unwrap()
    }

    #[test]
    fn the_json_is_a_contract_and_its_text_calls_nobody() {
        insta::assert_snapshot!("notification", shown(&parcel()));
    }

    #[test]
    fn without_git_and_about_the_whole_stack_there_is_less_to_say() {
        let mut parcel = Parcel { more: 0, lost: 0, ..parcel() };
        parcel.letter.commit = None;
        parcel.letter.notice = Notice {
            kind: NoticeKind::Converged,
            object: "stack".to_owned(),
            cause: String::new(),
            message: "x".repeat(5000),
        };
        let value: serde_json::Value = serde_json::from_str(&shown(&parcel)).unwrap();
        assert!(value["commit"].is_null());
        let text = value["text"].as_str().unwrap();
        assert!(text.starts_with("[info] milvus on db-1 converged: xxx"), "{text}");
        assert!(text.ends_with("x…") && text.chars().count() < 1600, "{text}");
    }
}

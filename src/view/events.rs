//! What `events` prints: what happened, the newest last, in kubectl's manner.

use anstyle::Style;
use serde::Serialize;

use super::json::Stacks;
use super::style::{CHANGE, FAINT, paint};
use super::table::{self, Row};
use super::text::{age, one_line};
use crate::planning::event::{Event, EventKind};
use crate::state::ids::ProjectName;
use crate::state::time::Now;

const HEADER: [&str; 6] = ["STACK", "LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];

/// How wide the columns are where rows come one by one.
const WIDTHS: [usize; 5] = [14, 18, 9, 20, 24];

/// The events of one stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StackEvents {
    /// The stack.
    pub name: ProjectName,
    /// What happened, the newest last.
    pub events: Vec<Event>,
}

/// Returns the events of the stacks as one table; a `width` makes long messages wrap.
pub fn drawn(stacks: &[StackEvents], now: Now, width: Option<u16>) -> String {
    let events = sorted(stacks);
    if events.is_empty() {
        return "No events.\n".to_owned();
    }
    let rows = events.iter().map(|(stack, event)| (cells(stack, event, now), event));
    if stacks.len() > 1 {
        let rows = rows.map(|(cells, event)| Row { style: style(event), cells });
        return table::drawn(HEADER, rows, width);
    }
    let [_, header @ ..] = HEADER;
    let rows =
        rows.map(|([_, cells @ ..], event)| Row::<5> { style: style(event), cells });
    table::drawn(header, rows, width)
}

/// Returns the header of events that come one by one, of one stack or of several.
pub fn header(of_several: bool) -> String {
    line(FAINT, &HEADER.map(str::to_owned), of_several)
}

/// Returns events that have come, one a line, to stand below [`header`].
pub fn lines(stacks: &[StackEvents], now: Now, of_several: bool) -> String {
    let events = sorted(stacks).into_iter();
    events
        .map(|(stack, event)| line(style(event), &cells(stack, event, now), of_several))
        .collect()
}

fn line(style: Style, cells: &[String; 6], of_several: bool) -> String {
    let [padded @ .., last] = cells;
    let mut text = String::new();
    for (cell, width) in padded.iter().zip(WIDTHS).skip(usize::from(!of_several)) {
        text += &format!("{:<width$}  ", one_line(cell));
    }
    text += &one_line(last);
    paint(style, text) + "\n"
}

fn sorted(stacks: &[StackEvents]) -> Vec<(&ProjectName, &Event)> {
    let of_stack = |stack| {
        let StackEvents { name, events }: &StackEvents = stack;
        events.iter().map(move |event| (name, event))
    };
    let mut all: Vec<(&ProjectName, &Event)> = stacks.iter().flat_map(of_stack).collect();
    // Within one instant the order in which they were told.
    all.sort_by_key(|(name, event)| (event.last, *name));
    all
}

fn style(event: &Event) -> Style {
    match event.kind {
        EventKind::Normal => Style::new(),
        EventKind::Warning => CHANGE,
    }
}

fn cells(stack: &ProjectName, event: &Event, now: Now) -> [String; 6] {
    let last = age(now.age(event.last));
    let seen = match event.count {
        0 | 1 => last,
        count => format!("{last} (x{count} over {})", age(now.age(event.first))),
    };
    [
        stack.to_string(),
        seen,
        event.kind.as_str().to_owned(),
        event.reason.clone(),
        event.object.clone(),
        event.message.clone(),
    ]
}

/// What `events -o json` says of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StackEventsJson {
    name: String,
    events: Vec<EventJson>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct EventJson {
    object: String,
    #[serde(rename = "type")]
    kind: &'static str,
    reason: String,
    message: String,
    count: u32,
    first: String,
    last: String,
}

/// Returns what `events -o json` prints: stacks by name, events by when they were last seen.
pub fn json(stacks: &[StackEvents]) -> Stacks<StackEventsJson> {
    let mut stacks: Vec<StackEventsJson> = stacks
        .iter()
        .map(|stack| StackEventsJson {
            name: stack.name.to_string(),
            events: sorted(std::slice::from_ref(stack))
                .into_iter()
                .map(|(_, event)| event_json(event))
                .collect(),
        })
        .collect();
    stacks.sort_by(|a, b| a.name.cmp(&b.name));
    Stacks { stacks }
}

fn event_json(event: &Event) -> EventJson {
    EventJson {
        object: event.object.clone(),
        kind: event.kind.as_str(),
        reason: event.reason.clone(),
        message: event.message.clone(),
        count: event.count,
        first: event.first.to_string(),
        last: event.last.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use anstream::adapter::strip_str;

    use super::*;
    use crate::state::time::{EngineTime, Moment};
    use crate::view::json::pretty;

    fn now() -> Now {
        let engine = "2026-11-22T10:00:00Z".parse().unwrap();
        Now { moment: Moment(Duration::from_secs(100)), engine }
    }

    fn event(id: u64, object: &str, kind: EventKind, count: u32, last: &str) -> Event {
        let (reason, message) = match kind {
            EventKind::Normal => ("Started", "started web-1"),
            EventKind::Warning => ("Failed", "pull web:1: no such\nimage\u{1b}[2J"),
        };
        let last: EngineTime = format!("2026-11-22T{last}Z").parse().unwrap();
        Event {
            id,
            object: object.to_owned(),
            kind,
            reason: reason.to_owned(),
            message: message.to_owned(),
            count,
            first: last - Duration::from_secs(60 * u64::from(count - 1)),
            last,
        }
    }

    fn web() -> StackEvents {
        let events = vec![
            event(0, "service/web/1", EventKind::Warning, 3, "09:55:00"),
            event(1, "service/web/1", EventKind::Normal, 1, "09:59:57"),
        ];
        StackEvents { name: "web".into(), events }
    }

    fn data() -> StackEvents {
        let events = vec![event(0, "network/a", EventKind::Normal, 1, "09:58:00")];
        StackEvents { name: "data".into(), events }
    }

    fn text(stacks: &[StackEvents]) -> String {
        strip_str(&drawn(stacks, now(), None)).to_string()
    }

    #[test]
    fn the_newest_comes_last_and_counts_say_over_which_time() {
        insta::assert_snapshot!(text(&[web()]), @r"
        LAST SEEN        TYPE     REASON   OBJECT         MESSAGE
        5m (x3 over 7m)  Warning  Failed   service/web/1  pull web:1: no such\nimage\u{1b}[2J
        3s               Normal   Started  service/web/1  started web-1
        ");
        assert_eq!(text(&[StackEvents { events: vec![], ..web() }]), "No events.\n");
        assert_eq!(text(&[]), "No events.\n");
    }

    #[test]
    fn of_several_stacks_each_event_says_whose_it_is() {
        insta::assert_snapshot!(text(&[web(), data()]), @r"
        STACK  LAST SEEN        TYPE     REASON   OBJECT         MESSAGE
        web    5m (x3 over 7m)  Warning  Failed   service/web/1  pull web:1: no such\nimage\u{1b}[2J
        data   2m               Normal   Started  network/a      started web-1
        web    3s               Normal   Started  service/web/1  started web-1
        ");
    }

    #[test]
    fn events_that_come_one_by_one_stand_below_one_another() {
        for of_several in [false, true] {
            let page = header(of_several)
                + &lines(&[data()], now(), of_several)
                + &lines(&[web()], now(), of_several);
            let page = strip_str(&page).to_string();
            insta::assert_snapshot!(page);
            assert!(!page.contains('\u{1b}'));
        }
    }

    #[test]
    fn the_json_is_a_contract() {
        insta::assert_snapshot!(pretty(&json(&[web(), data()])).unwrap());
    }
}

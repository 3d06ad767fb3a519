//! The fields of a change: old and new, aligned; long values line by line.

use anstyle::Style;
use similar::{ChangeTag, TextDiff};

use super::style::{BAD, FAINT, GOOD, PLACE, paint};
use super::text::{one_line, printable, round_size};
use crate::planning::change::{Action, FieldDrift};
use crate::state::value::Value;

/// What stands for a value that is not there.
const NOT_SET: &str = "(not set)";
/// Lists and maps that take more than this, old and new together, are shown item by item.
const ONE_LINE: usize = 72;
/// Longer paths do not push the values of all others to the right.
const WIDEST_PATH: usize = 48;
/// The keys whose numbers are bytes.
const SIZES: [&str; 7] = [
    "memory",
    "mem_limit",
    "mem_reservation",
    "memswap_limit",
    "shm_size",
    "kernel_memory",
    "size",
];

/// Returns the lines of the fields at fault, without indentation.
pub fn lines(action: Action, fields: &[FieldDrift]) -> Vec<String> {
    let width = fields
        .iter()
        .map(|field| field.path.chars().count())
        .filter(|width| *width <= WIDEST_PATH)
        .max()
        .unwrap_or(0);
    fields.iter().flat_map(|field| field_lines(action, field, width)).collect()
}

fn field_lines(action: Action, field: &FieldDrift, width: usize) -> Vec<String> {
    let path = one_line(&field.path);
    let cause = forces(action, field);
    if let Some((old, new)) = long_texts(field) {
        let mut lines = vec![format!("{path}:{cause}")];
        lines.extend(unified(&old, &new));
        return lines;
    }
    let (old, new) = field.shown();
    let both_concealed = field.is_sensitive() && old.is_some() && new.is_some();
    let old = short(&field.path, &field.observed, old);
    let new = short(&field.path, &field.desired, new);
    let values = if action == Action::Create && field.observed.is_null() {
        paint(GOOD, new)
    } else {
        let differs = if both_concealed { ", differs" } else { "" };
        format!("{} {} {}{differs}", paint(BAD, old), paint(FAINT, "→"), paint(GOOD, new))
    };
    vec![format!("{path:width$}  {values}{cause}")]
}

/// Names the fields that make a change a hard one.
fn forces(action: Action, field: &FieldDrift) -> String {
    let consequence = match field.cost {
        Action::Restart => "forces restart",
        Action::Recreate => "forces recreate",
        Action::None
        | Action::UpdateInPlace
        | Action::Reload
        | Action::Create
        | Action::Remove => "",
    };
    if consequence.is_empty() || field.cost != action {
        return String::new();
    }
    paint(FAINT, format!("  # {consequence}"))
}

/// Returns a value that fits on a line; `shown` is its concealed text.
fn short(path: &str, value: &Value, shown: Option<String>) -> String {
    let Some(shown) = shown else { return NOT_SET.to_owned() };
    let text = one_line(&shown);
    if text.trim() != text || text.is_empty() {
        return format!("\"{text}\"");
    }
    match size(path, value) {
        Some(size) => format!("{text} ({size})"),
        None => text.into_owned(),
    }
}

/// Returns a number of bytes as a person would have written it.
fn size(path: &str, value: &Value) -> Option<String> {
    let key = path.rsplit('.').next()?;
    SIZES.contains(&key).then(|| value.as_int().and_then(round_size))?
}

/// Returns both sides as text to be compared line by line, where that reads better.
fn long_texts(field: &FieldDrift) -> Option<(String, String)> {
    if field.is_sensitive() {
        return None;
    }
    let (old, new) = (&field.observed, &field.desired);
    let of_lines =
        |value: &Value| value.as_text().is_some_and(|text| text.contains('\n'));
    let is_tree = |value: &Value| !value.items().is_empty() || value.as_map().is_some();
    let width = || old.to_string().chars().count() + new.to_string().chars().count();
    let by_line = of_lines(old) || of_lines(new);
    let by_item = (is_tree(old) || is_tree(new)) && width() > ONE_LINE;
    (by_line || by_item).then(|| (by_lines(old), by_lines(new)))
}

fn by_lines(value: &Value) -> String {
    let item_line =
        |mark: &str, item: &Value| format!("{mark} {}\n", one_line(&item.to_string()));
    match value {
        Value::Null => String::new(),
        Value::List(items) => items.iter().map(|item| item_line("-", item)).collect(),
        Value::Map(map) => map
            .iter()
            .map(|(key, item)| item_line(&format!("{}:", one_line(key)), item))
            .collect(),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Real(_)
        | Value::Text(_)
        | Value::Secret(_) => printable(&value.to_string()).into_owned(),
    }
}

/// Returns the lines of a unified diff, without file names.
fn unified(old: &str, new: &str) -> Vec<String> {
    let diff = TextDiff::from_lines(old, new);
    let mut lines = Vec::new();
    for hunk in diff.unified_diff().context_radius(3).iter_hunks() {
        lines.push(format!("  {}", paint(PLACE, hunk.header().to_string().trim_end())));
        for change in hunk.iter_changes() {
            let (sign, style) = match change.tag() {
                ChangeTag::Delete => ("-", BAD),
                ChangeTag::Insert => ("+", GOOD),
                ChangeTag::Equal => (" ", Style::new()),
            };
            let line = change.value().trim_end_matches('\n');
            lines.push(format!("  {}", paint(style, format!("{sign}{line}"))));
            if change.missing_newline() {
                lines.push(format!("  {}", paint(FAINT, "\\ no line break at the end")));
            }
        }
    }
    lines
}

//! What `diff` prints: the plan of a stack, object by object.

use anstyle::Style;

use super::fields;
use super::style::{BAD, CHANGE, FAINT, GOOD, STRONG, paint};
use super::text::{age, count, one_line, short_digest};
use crate::planning::change::{Action, Change, Gate, Note, Plan};
use crate::state::ids::{Generation, ProjectName};
use crate::state::time::Moment;

/// A plan and the stack it is for.
#[derive(Clone, Copy, Debug)]
pub struct StackPlan<'a> {
    /// The stack.
    pub project: &'a ProjectName,
    /// What is wanted.
    pub generation: &'a Generation,
    /// What is to be done about it.
    pub plan: &'a Plan,
}

/// Returns the plans as text: what would change, why, and what waits for what.
pub fn drawn(stacks: &[StackPlan<'_>], now: Moment) -> String {
    let mut text: Vec<String> =
        stacks.iter().map(|stack| stack_text(stack, now)).collect();
    if stacks.len() > 1 {
        let in_sync = stacks.iter().filter(|stack| stack.plan.is_in_sync()).count();
        text.push(format!("{}, {in_sync} in sync.\n", count(stacks.len(), "stack")));
    }
    text.join("\n")
}

/// Returns the one line that sums a plan up.
pub fn summary(plan: &Plan) -> String {
    if plan.is_in_sync() {
        return "In sync: nothing to change.".to_owned();
    }
    let number = |action| plan.changes.iter().filter(|c| c.action == action).count();
    let reload = match number(Action::Reload) {
        0 => String::new(),
        count => format!("{count} to reload, "),
    };
    format!(
        "Plan: {} to create, {} to change in place, {reload}{} to restart, {} to recreate, \
         {} to remove.",
        number(Action::Create),
        number(Action::UpdateInPlace),
        number(Action::Restart),
        number(Action::Recreate),
        number(Action::Remove),
    )
}

fn stack_text(stack: &StackPlan<'_>, now: Moment) -> String {
    let name = paint(STRONG, stack.project);
    let mut text =
        format!("{name}  {}\n\n", paint(FAINT, short_digest(stack.generation.as_str())));
    for change in &stack.plan.changes {
        text += &change_text(change, now);
        text.push('\n');
    }
    for note in &stack.plan.notes {
        text += &note_text(note);
    }
    if !stack.plan.notes.is_empty() {
        text.push('\n');
    }
    text += &paint(STRONG, summary(stack.plan));
    text.push('\n');
    text
}

/// Returns one object: the mark and what happens to it, why, when, and the fields.
fn change_text(change: &Change, now: Moment) -> String {
    let (mark, style, verb) = headline(change.action);
    let colon = if change.reason.is_empty() { "" } else { ": " };
    let mut text = format!(
        "{} {}  {}{colon}{}\n",
        paint(style, format!("{mark:>3}")),
        paint(STRONG, one_line(&change.object.to_string())),
        paint(style, verb),
        one_line(&change.reason)
    );
    let waiting = waiting(&change.gate, now).map(|waiting| paint(CHANGE, waiting));
    for line in waiting.into_iter().chain(fields::lines(change.action, &change.fields)) {
        text.extend(["      ", &line, "\n"]);
    }
    text
}

const fn headline(action: Action) -> (&'static str, Style, &'static str) {
    match action {
        Action::None => ("", FAINT, "no change"),
        Action::UpdateInPlace => ("~", CHANGE, "update in place"),
        Action::Reload => ("~", CHANGE, "reload"),
        Action::Restart => ("~", CHANGE, "restart"),
        Action::Recreate => ("-/+", CHANGE, "recreate"),
        Action::Create => ("+", GOOD, "create"),
        Action::Remove => ("-", BAD, "remove"),
    }
}

/// Returns what an object waits for; nothing when it may go ahead.
pub fn waiting(gate: &Gate, now: Moment) -> Option<String> {
    match gate {
        Gate::Open => None,
        Gate::Waiting { on, until } => {
            let what = if on.is_empty() { "its time".to_owned() } else { on.join(", ") };
            let when = until
                .map(|until| format!(" (tried again in {})", age(until.since(now))))
                .unwrap_or_default();
            Some(format!("waits for {}{when}", one_line(&what)))
        }
    }
}

fn note_text(note: &Note) -> String {
    format!(
        "  {} {}  {}: {}\n",
        paint(CHANGE, "!"),
        paint(STRONG, one_line(&note.about)),
        note.reason,
        one_line(&note.message)
    )
}

#[cfg(test)]
mod tests;

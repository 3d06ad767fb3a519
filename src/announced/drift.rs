//! What a dry run has told about what differs: each drift once, and its end.

use std::collections::BTreeMap;

use crate::pass::Found;
use crate::planning::change::{Action, Change, FieldDrift};
use crate::state::ids::{Object, ProjectName};

/// Longer values are cut: `reconciler diff` shows them whole.
const LONGEST: usize = 80;

/// What differs, as far as it has been told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Drifts {
    told: BTreeMap<Object, Drift>,
    is_in_sync: Option<bool>,
}

/// What makes a drift another one: the reason may be said in other words each time.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Drift {
    action: Action,
    fields: String,
}

impl Drifts {
    /// Tells the log what differs now and did not, and what no longer does.
    pub(super) fn tell(&mut self, found: &Found) {
        let stack = &found.status.name;
        let mut before = std::mem::take(&mut self.told);
        for change in &found.plan.changes {
            let drift = Drift::of(change);
            if before.remove(&change.object).as_ref() != Some(&drift) {
                let (object, reason) = (&change.object, &change.reason);
                let Drift { action, fields } = &drift;
                let action = action.as_str();
                tracing::warn!(%stack, %object, action, %fields, %reason, "drift");
            }
            self.told.insert(change.object.clone(), drift);
        }
        for object in before.keys() {
            tracing::info!(%stack, %object, "the drift is gone");
        }
        self.tell_condition(stack, found);
    }

    fn tell_condition(&mut self, stack: &ProjectName, found: &Found) {
        let is_in_sync = found.plan.is_in_sync();
        if self.is_in_sync.replace(is_in_sync) == Some(is_in_sync) {
            return;
        }
        let mut conditions = found.status.conditions.iter();
        let Some(synced) = conditions.find(|it| it.kind == "Synced") else { return };
        let (reason, message) = (&synced.reason, &synced.message);
        if is_in_sync {
            tracing::info!(%stack, condition = "Synced=True", reason, "{message}");
        } else {
            tracing::warn!(%stack, condition = "Synced=False", reason, "{message}");
        }
    }
}

impl Drift {
    fn of(change: &Change) -> Self {
        let fields: Vec<String> = change.fields.iter().map(field).collect();
        Self { action: change.action, fields: fields.join(", ") }
    }
}

fn field(field: &FieldDrift) -> String {
    let (observed, desired) = field.shown();
    let short = |value: Option<String>| match value {
        None => "nothing".to_owned(),
        Some(value) if value.chars().count() > LONGEST => {
            value.chars().take(LONGEST).chain(['…']).collect()
        }
        Some(value) => value,
    };
    format!("{}: {} → {}", field.path, short(observed), short(desired))
}

//! Placeholders for what is another in every run: ids, names, addresses, times.

use std::collections::{BTreeMap, BTreeSet};

use reconciler::state::ids::ContainerId;
use reconciler::state::observed::Container;
use reconciler::state::time::EngineTime;
use serde_json::{Value as Json, json};

/// What stands for what.
#[derive(Debug, Default)]
pub(crate) struct Words {
    /// By what is replaced.
    of: BTreeMap<String, String>,
    /// The ids and names that belong to the stage.
    known: BTreeSet<String>,
    /// By container and field, the times that were seen, in the order in which they were.
    times: BTreeMap<(ContainerId, &'static str), Vec<EngineTime>>,
}

impl Words {
    /// Lets a placeholder stand for a text of this run.
    pub(crate) fn add(&mut self, text: &str, placeholder: &str) {
        if !text.is_empty() {
            self.of.insert(text.to_owned(), placeholder.to_owned());
        }
    }

    /// As [`Words::add`], for an id or a name that belongs to the stage alone.
    pub(crate) fn own(&mut self, text: &str, placeholder: &str) {
        self.known.insert(text.to_owned());
        self.add(text, placeholder);
    }

    /// Returns the ids and names that belong to the stage.
    pub(crate) const fn known(&self) -> &BTreeSet<String> {
        &self.known
    }

    /// Puts placeholders into a text.
    pub(crate) fn text(&self, text: &str) -> String {
        let mut longest_first: Vec<_> = self.of.iter().collect();
        longest_first.sort_by_key(|(of, _)| std::cmp::Reverse(of.len()));
        let text =
            longest_first.into_iter().fold(text.to_owned(), |text, (of, placeholder)| {
                text.replace(of, placeholder)
            });
        without_ids(&text)
    }

    /// Puts placeholders into every text and key of a tree.
    pub(crate) fn tree(&self, json: Json) -> Json {
        match json {
            Json::String(text) => Json::String(self.text(&text)),
            Json::Array(items) => items.into_iter().map(|it| self.tree(it)).collect(),
            Json::Object(members) => members
                .into_iter()
                .map(|(name, json)| (self.text(&name), self.tree(json)))
                .collect(),
            Json::Null | Json::Bool(_) | Json::Number(_) => json,
        }
    }

    /// Says of a container which of the times that were seen it shows, and in which order
    /// they lie.
    pub(crate) fn times(&mut self, container: &Container) -> Json {
        let state = &container.state;
        let mut shown = serde_json::Map::new();
        for (field, time) in [("started", state.started), ("finished", state.finished)] {
            let number = time.map(|time| {
                let seen = self.times.entry((container.id.clone(), field)).or_default();
                if !seen.contains(&time) {
                    seen.push(time);
                }
                seen.iter().position(|it| *it == time).map(|it| it + 1)
            });
            shown.insert(field.to_owned(), json!(number.flatten()));
        }
        let order = [("created", Some(container.created))]
            .into_iter()
            .chain([("started", state.started), ("finished", state.finished)]);
        let mut order: Vec<_> =
            order.filter_map(|(field, time)| Some((time?, field))).collect();
        order.sort_by_key(|(time, _)| *time);
        let order: Vec<_> = order.into_iter().map(|(_, field)| field).collect();
        shown.insert("order".to_owned(), order.join(" < ").into());
        shown.into()
    }
}

/// Replaces what looks like a full id, and is not known.
fn without_ids(text: &str) -> String {
    let mut shown = String::new();
    let mut rest = text;
    while let Some(start) = rest.find(|it: char| it.is_ascii_hexdigit()) {
        let (before, from) = rest.split_at(start);
        shown.push_str(before);
        let end = from.find(|it: char| !it.is_ascii_hexdigit()).unwrap_or(from.len());
        let (digits, after) = from.split_at(end);
        shown.push_str(if digits.len() == 64 { "<id>" } else { digits });
        rest = after;
    }
    shown + rest
}

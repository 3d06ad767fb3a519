//! One attribute under trial: how it is changed, what `diff` is to say of it, and what the
//! engine is to show of it.

use serde_json::Value as Json;

/// One attribute under trial, in a service of its own.
pub(crate) struct Case {
    /// The name of the service.
    pub(crate) name: &'static str,
    /// The row of the attribute table.
    pub(crate) row: &'static str,
    /// What the service has at first, besides what all have.
    pub(crate) before: &'static str,
    /// What it has in its place later.
    pub(crate) after: &'static str,
    /// What the change costs.
    pub(crate) there: &'static str,
    /// What the way back costs.
    pub(crate) back: &'static str,
    /// What `diff` names, both ways unless told.
    pub(crate) names: Vec<&'static str>,
    /// What `diff` names on the way back.
    pub(crate) names_back: Option<Vec<&'static str>>,
    /// What the engine shows after the change.
    pub(crate) shows: Vec<Shown>,
    /// Whether the service is on a network; those that are not start sooner.
    pub(crate) has_network: bool,
}

/// What the engine shows of a field.
pub(crate) struct Shown {
    /// The field of the attribute table.
    pub(crate) pointer: &'static str,
    /// Where it stands in an inspection, as a JSON pointer.
    pub(crate) place: String,
    /// What stands there.
    pub(crate) value: Expected,
}

/// What is to stand in an inspection. In texts, `{project}` and the like are filled in.
pub(crate) enum Expected {
    /// This.
    Is(Json),
    /// A list with this item.
    Has(Json),
    /// A list without this item, or an object without this key.
    Lacks(&'static str),
    /// A text that begins so.
    Begins(&'static str),
}

/// An attribute that is added, and taken away on the way back.
pub(crate) fn added(name: &'static str, row: &'static str, after: &'static str) -> Case {
    changed(name, row, "", after)
}

/// An attribute that gets another value, and its first one on the way back.
pub(crate) fn changed(
    name: &'static str,
    row: &'static str,
    before: &'static str,
    after: &'static str,
) -> Case {
    Case {
        name,
        row,
        before,
        after,
        there: "recreate",
        back: "recreate",
        names: vec![row],
        names_back: None,
        shows: Vec::new(),
        has_network: false,
    }
}

/// Another way to write the same: no change at all.
pub(crate) fn respelled(
    name: &'static str,
    row: &'static str,
    before: &'static str,
    after: &'static str,
) -> Case {
    Case { names: Vec::new(), ..changed(name, row, before, after) }
}

impl Case {
    /// The change is made on the live container; so is the way back.
    pub(crate) fn in_place(mut self) -> Self {
        (self.there, self.back) = ("update-in-place", "update-in-place");
        self
    }

    /// The change is made on the live container; to take it back needs another one.
    pub(crate) fn in_place_there(mut self) -> Self {
        self.there = "update-in-place";
        self
    }

    /// `diff` names these paths, not just the row's own.
    pub(crate) fn names(mut self, paths: &[&'static str]) -> Self {
        self.names = paths.to_vec();
        self
    }

    /// `diff` names these paths on the way back.
    pub(crate) fn names_back(mut self, paths: &[&'static str]) -> Self {
        self.names_back = Some(paths.to_vec());
        self
    }

    /// The service is on the stack's default network.
    pub(crate) fn on_network(mut self) -> Self {
        self.has_network = true;
        self
    }

    /// The engine shows this at the field's own place.
    pub(crate) fn shows(self, pointer: &'static str, value: Json) -> Self {
        let place = format!("/{}", pointer.replace('.', "/"));
        self.at(pointer, place, Expected::Is(value))
    }

    /// The engine shows this at another place.
    pub(crate) fn shows_at(
        self,
        pointer: &'static str,
        place: &str,
        value: Json,
    ) -> Self {
        self.at(pointer, place.to_owned(), Expected::Is(value))
    }

    /// The engine shows a list with this item.
    pub(crate) fn lists(self, pointer: &'static str, place: &str, item: Json) -> Self {
        self.at(pointer, place.to_owned(), Expected::Has(item))
    }

    /// The engine shows a list or an object without this.
    pub(crate) fn lacks(
        self,
        pointer: &'static str,
        place: &str,
        item: &'static str,
    ) -> Self {
        self.at(pointer, place.to_owned(), Expected::Lacks(item))
    }

    /// The engine shows a text that begins so.
    pub(crate) fn begins(self, pointer: &'static str, text: &'static str) -> Self {
        let place = format!("/{}", pointer.replace('.', "/"));
        self.at(pointer, place, Expected::Begins(text))
    }

    fn at(mut self, pointer: &'static str, place: String, value: Expected) -> Self {
        self.shows.push(Shown { pointer, place, value });
        self
    }
}

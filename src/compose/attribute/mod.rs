//! What every Compose key means: one attribute, one place.
//!
//! A key is one [`Attribute`] in the table of its family. The loader reads its shape, the
//! merge its rule, the engine mapping and drift its [`Field`]s, `explain` and the docs its
//! sentence. Adding a Compose key is adding a row.

pub mod deploy;
pub mod environment;
pub mod field;
pub mod form;
pub mod health;
pub mod image;
pub mod logging;
pub mod networking;
pub mod process;
pub mod project;
pub mod resources;
pub mod security;
pub mod service;
pub mod shape;
pub mod stack;
pub mod storage;

use std::sync::LazyLock;

use field::{Context, Field, Project};
use shape::Shape;

use crate::state::document::Document;
use crate::state::value::Value;

/// One key of the Compose Specification.
#[derive(Debug)]
pub struct Attribute {
    /// The key, within its parent.
    pub key: &'static str,
    /// What may be written, and what its canonical form is.
    pub shape: Shape,
    /// What happens when a later file says it again.
    pub merge: Merge,
    /// Whether we act on it.
    pub honoured: Honoured,
    /// What `config` prints when it says nothing.
    pub empty: Empty,
    /// The fields of the engine that it decides; the first row that names a field lends
    /// it its path in `diff`.
    pub fields: &'static [Field],
    /// How its canonical value becomes those fields.
    pub project: Project,
    /// What it is for, in one sentence.
    pub about: &'static str,
}

/// What happens when a later file says a key again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Merge {
    /// The later value takes the place of the earlier one; mappings merge key by key.
    Deep,
    /// The later value takes the place of the earlier one, whatever it is.
    Replace,
    /// The items of the later list are added.
    Append,
    /// The items of the later list are added, except that items of the same identity take
    /// the place of earlier ones: the identity is made of these keys of the item; of a
    /// text, it is what stands before the first `=`.
    Unique(&'static [&'static str]),
    /// As [`Merge::Unique`], with the first of these keys that the item has as identity.
    UniqueByFirst(&'static [&'static str]),
    /// The later list takes the place of the earlier one, except that an item is merged
    /// over the earlier one that has the same value of this key.
    ReplaceItems(&'static str),
    /// Mappings merge key by key, and the later entry takes the place of the earlier one,
    /// whatever it is.
    Entries,
    /// As [`Merge::Deep`], unless this key differs: then as [`Merge::Replace`].
    DeepIfSame(&'static str),
}

/// What `config` prints for an attribute that says nothing: zero, false, empty or absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// Nothing; a mapping with keys of its own is printed when it was written.
    Omitted,
    /// Nothing, even if something was written.
    Never,
    /// What was written, if anything was.
    Written,
    /// `null`, unless something was written.
    Null,
    /// An empty mapping.
    Mapping,
    /// `true`, unless something was written.
    True,
    /// This text, unless something was written.
    Text(&'static str),
}

/// Whether we act on an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Honoured {
    /// We do.
    Yes,
    /// It has no meaning on a single engine, or is not implemented: a warning says this.
    No(&'static str),
    /// Not yet, and the file means something else without it: an error says this.
    Unsupported(&'static str),
    /// The engine must speak this API version at least; on an older one a warning says so.
    FromApi(u32, u32),
}

/// Makes a row that is honoured, merges deeply and has nothing on the engine.
pub const fn row(key: &'static str, shape: Shape, about: &'static str) -> Attribute {
    Attribute {
        key,
        shape,
        merge: Merge::Deep,
        honoured: Honoured::Yes,
        empty: Empty::Omitted,
        fields: &[],
        project: Project::Nothing,
        about,
    }
}

impl Attribute {
    /// Sets the merge rule.
    #[must_use]
    pub const fn merges(mut self, merge: Merge) -> Self {
        self.merge = merge;
        self
    }

    /// Says that it is not honoured, and why.
    #[must_use]
    pub const fn ignored(mut self, why: &'static str) -> Self {
        self.honoured = Honoured::No(why);
        self
    }

    /// Says that a file with it is refused for now, and why.
    #[must_use]
    pub const fn unsupported(mut self, why: &'static str) -> Self {
        self.honoured = Honoured::Unsupported(why);
        self
    }

    /// Sets what `config` prints when it says nothing.
    #[must_use]
    pub const fn when_empty(mut self, empty: Empty) -> Self {
        self.empty = empty;
        self
    }

    /// Says from which API version on it is honoured.
    #[must_use]
    pub const fn from_api(mut self, major: u32, minor: u32) -> Self {
        self.honoured = Honoured::FromApi(major, minor);
        self
    }

    /// Sets the one field that its canonical value becomes as it is.
    #[must_use]
    pub const fn is_field(mut self, fields: &'static [Field; 1]) -> Self {
        self.fields = fields;
        self.project = Project::Same;
        self
    }

    /// Sets the fields that its canonical value becomes, and how.
    #[must_use]
    pub const fn becomes(mut self, fields: &'static [Field], project: Project) -> Self {
        self.fields = fields;
        self.project = project;
        self
    }
}

/// Every row of a service that names fields, with its canonical path, in table order.
static PLACED: LazyLock<Vec<(String, &'static Attribute)>> = LazyLock::new(|| {
    let mut placed = Vec::new();
    place(&service::SERVICE, "", &mut placed);
    placed
});

/// Every field once, with the paths of all rows that name it.
static FIELDS: LazyLock<Vec<(&'static Field, Vec<&'static str>)>> = LazyLock::new(|| {
    let mut fields: Vec<(&'static Field, Vec<&'static str>)> = Vec::new();
    for (path, row) in &*PLACED {
        for field in row.fields {
            let known = fields.iter_mut().find(|it| it.0.pointer == field.pointer);
            match known {
                Some((_, paths)) => paths.push(path),
                None => fields.push((field, vec![path])),
            }
        }
    }
    fields
});

fn place(shape: &Shape, prefix: &str, placed: &mut Vec<(String, &'static Attribute)>) {
    for row in shape.rows() {
        let path = if prefix.is_empty() {
            row.key.to_owned()
        } else {
            format!("{prefix}.{}", row.key)
        };
        if row.fields.is_empty() {
            if let Shape::Keys(_) = row.shape {
                place(&row.shape, &path, placed);
            }
        } else {
            placed.push((path, row));
        }
    }
}

/// Iterates over every field of a container, each with its canonical path: that of the
/// first row that names it.
pub fn fields() -> impl Iterator<Item = (&'static str, &'static Field)> {
    FIELDS.iter().filter_map(|(field, paths)| Some((*paths.first()?, *field)))
}

/// As [`fields`], each with the path by which this service sets it, where there are two:
/// `mem_limit` and `deploy.resources.limits.memory`.
pub fn fields_of(
    canonical: &Value,
) -> impl Iterator<Item = (&'static str, &'static Field)> {
    FIELDS.iter().filter_map(|(field, paths)| {
        let (first, more) = paths.split_first()?;
        let all = || paths.iter().find(|path| !canonical.at(path).is_null());
        let written = if more.is_empty() { None } else { all() };
        Some((*written.unwrap_or(first), *field))
    })
}

/// Returns what the service asks the engine for.
pub fn project(context: &Context<'_>) -> Document {
    let mut document = Document::default();
    for (path, row) in &*PLACED {
        let value = context.service.canonical.at(path);
        if value.is_null() {
            continue;
        }
        match row.project {
            Project::Nothing => {}
            Project::Same => {
                if let Some(field) = row.fields.first() {
                    document.set(field.pointer, value.clone());
                }
            }
            Project::With(project) => project(value, context, &mut document),
        }
    }
    document
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_service_key_of_the_specification_has_one_row() {
        let keys: Vec<&str> = service::SERVICE.rows().map(|row| row.key).collect();
        let unique: BTreeSet<&str> = keys.iter().copied().collect();
        assert_eq!(unique.len(), keys.len(), "a key is in two families");
        assert_eq!(unique.len(), 93, "{unique:?}");
    }

    #[test]
    fn every_sentence_begins_with_a_capital_and_ends_with_a_full_stop() {
        fn check(shape: &'static Shape) {
            for row in shape.rows() {
                assert!(row.about.ends_with('.'), "{}: {}", row.key, row.about);
                assert!(
                    row.about.starts_with(|first: char| !first.is_lowercase()),
                    "{}: {}",
                    row.key,
                    row.about
                );
                if let Honoured::No(why) | Honoured::Unsupported(why) = row.honoured {
                    assert!(!why.ends_with('.'), "{}: {why}", row.key);
                }
                check(row.shape.inner());
            }
        }
        check(&stack::ROOT);
    }
}

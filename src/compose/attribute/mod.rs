//! What every Compose key means: one attribute, one place.
//!
//! A key is one [`Attribute`] in the table of its family. The loader reads its shape, the
//! merge its rule, the engine mapping and drift its [`Field`]s, `explain` and the docs its
//! sentence. Adding a Compose key is adding a row.

pub mod field;
pub mod form;
pub mod shape;

use field::{Field, Project};
use shape::Shape;

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
    /// the place of earlier ones: the identity is made of these keys of the item.
    Unique(&'static [&'static str]),
    /// As [`Merge::Deep`], unless this key differs: then as [`Merge::Replace`].
    DeepIfSame(&'static str),
}

/// Whether we act on an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Honoured {
    /// We do.
    Yes,
    /// It has no meaning on a single engine, or is not implemented: a warning says this.
    No(&'static str),
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

//! What may be written for a key, and what its canonical form is.

use super::Attribute;

/// The shape of a value. Interpreted by `compose::canonical`.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// Anything: typed as YAML says, kept as it is.
    Any,
    /// Text; a number or a boolean must be quoted.
    Text,
    /// Text or a number; becomes text.
    Word,
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// When an image is pulled; `if_not_present` becomes `missing`.
    PullPolicy,
    /// True or false, also as text.
    Boolean,
    /// A whole number, also as text.
    Integer,
    /// A whole number, also as text; other tools find it as text.
    Percent,
    /// A number, also as text.
    Number,
    /// A number of bytes, with a unit or without; becomes decimal text.
    Bytes,
    /// A time such as `1m30s`; becomes text in the same notation.
    Duration,
    /// A command line, which is split into words, or a list of words; null stays null.
    Command,
    /// A shell line, which becomes `["CMD-SHELL", line]`, or a list that begins with
    /// `CMD`, `CMD-SHELL` or `NONE`.
    HealthTest,
    /// How many devices: a number, or `all`, which becomes -1.
    Count,
    /// A list of these.
    List(&'static Self),
    /// One of these, or a list of them; becomes a list.
    OneOrMore(&'static Self),
    /// A mapping from any name to these.
    Map(&'static Self),
    /// As [`Shape::Map`], or a list of names, which become entries that say nothing.
    Named(&'static Self),
    /// A mapping from names to texts, or a list of `name=value`; becomes a mapping.
    Pairs(Missing),
    /// A mapping from host names to addresses, or a list of `name=address` or
    /// `name:address`; becomes a sorted list of `name=address`.
    ExtraHosts,
    /// A whole number, or a mapping with these keys.
    IntegerOr(&'static [Attribute]),
    /// Text in a short form, or a mapping with these keys, which it becomes.
    Short(Short, &'static [Attribute]),
    /// A mapping with these keys.
    Keys(&'static [Attribute]),
    /// A mapping with the keys of all these families.
    Families(&'static [&'static [Attribute]]),
}

/// What a name without a value becomes in [`Shape::Pairs`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Null: the value is taken from the environment.
    Null,
    /// Empty text.
    Empty,
}

/// The short forms that become mappings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Short {
    /// `[address:][published:]target[/protocol]`, ranges too; may become several.
    Port,
    /// `[source:]target[:options]`.
    Mount,
    /// The key of a secret, mounted under `/run/secrets`.
    Secret,
    /// The key of a config, mounted under `/`.
    Config,
    /// The path of a file that must be there.
    EnvFile,
    /// `host[:container[:permissions]]`, which stays as it is; the mapping becomes it.
    Device,
    /// The path of a build context.
    BuildContext,
    /// `all`: every GPU.
    Gpus,
    /// `true`, or the older mapping with the name of the external thing.
    External,
    /// The name of a service of the same file.
    Extends,
    /// The path of another Compose file.
    Include,
}

impl Shape {
    /// Iterates over the rows of the keys that a mapping of this shape may have.
    pub fn rows(&self) -> impl Iterator<Item = &'static Attribute> + use<> {
        let (own, families): (&'static [Attribute], &'static [&'static [Attribute]]) =
            match *self {
                Self::Keys(rows) | Self::IntegerOr(rows) | Self::Short(_, rows) => {
                    (rows, &[])
                }
                Self::Families(families) => (&[], families),
                Self::Any
                | Self::Text
                | Self::Word
                | Self::Choice(_)
                | Self::PullPolicy
                | Self::Boolean
                | Self::Integer
                | Self::Percent
                | Self::Number
                | Self::Bytes
                | Self::Duration
                | Self::Command
                | Self::HealthTest
                | Self::Count
                | Self::List(_)
                | Self::OneOrMore(_)
                | Self::Map(_)
                | Self::Named(_)
                | Self::Pairs(_)
                | Self::ExtraHosts => (&[], &[]),
            };
        own.iter().chain(families.iter().copied().flatten())
    }

    /// Returns the row of a key.
    pub fn row(&self, key: &str) -> Option<&'static Attribute> {
        self.rows().find(|row| row.key == key)
    }

    /// Returns the shape of what a list or a mapping from free names holds; any other
    /// shape returns itself.
    pub const fn inner(&'static self) -> &'static Self {
        match self {
            Self::List(inner)
            | Self::OneOrMore(inner)
            | Self::Map(inner)
            | Self::Named(inner) => inner,
            Self::Any
            | Self::Text
            | Self::Word
            | Self::Choice(_)
            | Self::PullPolicy
            | Self::Boolean
            | Self::Integer
            | Self::Percent
            | Self::Number
            | Self::Bytes
            | Self::Duration
            | Self::Command
            | Self::HealthTest
            | Self::Count
            | Self::Pairs(_)
            | Self::ExtraHosts
            | Self::IntegerOr(_)
            | Self::Short(..)
            | Self::Keys(_)
            | Self::Families(_) => self,
        }
    }
}

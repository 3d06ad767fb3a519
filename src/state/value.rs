//! The tree in which desired and observed fields are compared.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use super::secret::{CONCEALED, Secret};

/// A map of values, ordered by key.
pub type Map = BTreeMap<String, Value>;

/// A typed value: what JSON can say, and secrets, which nothing can print.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Value {
    /// Nothing was said.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Real(Real),
    /// Text that may be shown.
    Text(String),
    /// Text that may not be shown.
    Secret(Secret),
    /// An ordered list.
    List(Vec<Self>),
    /// Named values.
    Map(Map),
}

/// A floating-point number with a total order, so that plans can be compared.
#[derive(Clone, Copy, Debug)]
pub struct Real(pub f64);

impl PartialEq for Real {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Real {}

impl PartialOrd for Real {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Real {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl Value {
    /// Makes a text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Makes a list of texts.
    pub fn texts<T: Into<String>>(items: impl IntoIterator<Item = T>) -> Self {
        Self::List(items.into_iter().map(Self::text).collect())
    }

    /// Makes a map.
    pub fn map<K: Into<String>>(entries: impl IntoIterator<Item = (K, Self)>) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }

    /// Tells whether the engine could have meant "not set": null, zero, false or empty.
    pub fn is_zero(&self) -> bool {
        match self {
            Self::Null => true,
            Self::Bool(value) => !value,
            Self::Int(number) => *number == 0,
            Self::Real(Real(number)) => *number == 0.0,
            Self::Text(text) => text.is_empty(),
            Self::Secret(secret) => secret.expose().is_empty(),
            Self::List(items) => items.is_empty(),
            Self::Map(map) => map.is_empty(),
        }
    }

    /// Tells whether this is null.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Tells whether a secret stands anywhere in the tree.
    pub fn is_sensitive(&self) -> bool {
        match self {
            Self::Secret(_) => true,
            Self::List(items) => items.iter().any(Self::is_sensitive),
            Self::Map(map) => map.values().any(Self::is_sensitive),
            Self::Null | Self::Bool(_) | Self::Int(_) | Self::Real(_) | Self::Text(_) => {
                false
            }
        }
    }

    /// Returns the text of a text that may be shown.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Real(_)
            | Self::Secret(_)
            | Self::List(_)
            | Self::Map(_) => None,
        }
    }

    /// Returns the text of a text, secret or not; see [`Secret::expose`].
    pub fn exposed_text(&self) -> Option<&str> {
        match self {
            Self::Secret(secret) => Some(secret.expose()),
            Self::Text(text) => Some(text),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Real(_)
            | Self::List(_)
            | Self::Map(_) => None,
        }
    }

    /// Returns the whole number.
    pub const fn as_int(&self) -> Option<i64> {
        if let Self::Int(number) = self { Some(*number) } else { None }
    }

    /// Returns the truth value.
    pub const fn as_bool(&self) -> Option<bool> {
        if let Self::Bool(value) = self { Some(*value) } else { None }
    }

    /// Returns the items of a list; nothing for any other value.
    pub fn items(&self) -> &[Self] {
        if let Self::List(items) = self { items } else { &[] }
    }

    /// Returns the map of a map.
    pub const fn as_map(&self) -> Option<&Map> {
        if let Self::Map(map) = self { Some(map) } else { None }
    }

    /// Iterates over the entries of a map; over nothing for any other value.
    pub fn entries(&self) -> impl Iterator<Item = (&str, &Self)> {
        self.as_map().into_iter().flatten().map(|(key, value)| (key.as_str(), value))
    }

    /// Returns the entry of a map; null when it is not there.
    pub fn get(&self, key: &str) -> &Self {
        const NOTHING: &Value = &Value::Null;
        self.as_map().and_then(|map| map.get(key)).unwrap_or(NOTHING)
    }

    /// Returns the value at a dotted path of map keys; null when it is not there.
    pub fn at(&self, path: &str) -> &Self {
        path.split('.').fold(self, |value, key| value.get(key))
    }

    /// Turns every text of the tree into a secret.
    #[must_use]
    pub fn concealed(self) -> Self {
        match self {
            Self::Text(text) => Self::Secret(Secret::new(text)),
            Self::List(items) => {
                Self::List(items.into_iter().map(Self::concealed).collect())
            }
            Self::Map(map) => Self::Map(
                map.into_iter().map(|(key, value)| (key, value.concealed())).collect(),
            ),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Real(_)
            | Self::Secret(_) => self,
        }
    }

    /// Returns the keys of a map, or the places in a list, under which secrets stand.
    pub fn sensitive_items(&self) -> Vec<String> {
        let items = self.items().iter().enumerate();
        let items = items.map(|(index, item)| (index.to_string(), item));
        let entries = self.entries().map(|(key, value)| (key.to_owned(), value));
        let all = items.chain(entries).filter(|(_, value)| value.is_sensitive());
        all.map(|(key, _)| key).collect()
    }

    /// Turns every text under a key of a map, or at a place in a list, into a secret.
    #[must_use]
    pub fn concealed_at(mut self, key: &str) -> Self {
        let at = match &mut self {
            Self::Map(map) => map.get_mut(key),
            Self::List(items) => key.parse().ok().and_then(|at: usize| items.get_mut(at)),
            Self::Null
            | Self::Bool(_)
            | Self::Int(_)
            | Self::Real(_)
            | Self::Text(_)
            | Self::Secret(_) => None,
        };
        if let Some(value) = at {
            *value = std::mem::take(value).concealed();
        }
        self
    }

    /// Returns the tree as JSON with its secrets in clear; see [`Secret::expose`].
    pub fn exposed(&self) -> Json {
        match self {
            Self::Null => Json::Null,
            Self::Bool(value) => Json::Bool(*value),
            Self::Int(number) => Json::from(*number),
            Self::Real(Real(number)) => Json::from(*number),
            Self::Text(text) => Json::String(text.clone()),
            Self::Secret(secret) => Json::String(secret.expose().to_owned()),
            Self::List(items) => items.iter().map(Self::exposed).collect(),
            Self::Map(map) => {
                map.iter().map(|(key, value)| (key.clone(), value.exposed())).collect()
            }
        }
    }
}

impl From<Json> for Value {
    fn from(json: Json) -> Self {
        match json {
            Json::Null => Self::Null,
            Json::Bool(value) => Self::Bool(value),
            Json::Number(number) => match number.as_i64() {
                Some(whole) => Self::Int(whole),
                None => Self::Real(Real(number.as_f64().unwrap_or(f64::NAN))),
            },
            Json::String(text) => Self::Text(text),
            Json::Array(items) => Self::List(items.into_iter().map(Self::from).collect()),
            Json::Object(map) => {
                Self::Map(map.into_iter().map(|(key, json)| (key, json.into())).collect())
            }
        }
    }
}

/// Shows the value on one line as YAML flow text would; secrets stay concealed.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Int(number) => write!(f, "{number}"),
            Self::Real(Real(number)) => write!(f, "{number}"),
            Self::Text(text) => f.write_str(text),
            Self::Secret(_) => f.write_str(CONCEALED),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{item}")?;
                }
                f.write_str("]")
            }
            Self::Map(map) => {
                f.write_str("{")?;
                for (index, (key, value)) in map.iter().enumerate() {
                    if index > 0 {
                        f.write_str(", ")?;
                    }
                    write!(f, "{key}: {value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_could_have_meant_as_unset_is_zero() {
        for zero in [
            Value::Null,
            Value::Int(0),
            Value::text(""),
            Value::Bool(false),
            Value::List(vec![]),
            Value::Map(Map::new()),
        ] {
            assert!(zero.is_zero(), "{zero}");
        }
        assert!(!Value::texts([""]).is_zero());
    }

    #[test]
    fn a_tree_with_a_secret_prints_without_it() {
        let tree = Value::map([("A", Value::Secret(Secret::new("hunter2")))]);
        assert_eq!(tree.to_string(), "{A: (sensitive)}");
        assert!(!format!("{tree:?}").contains("hunter2"));
        assert!(tree.is_sensitive());
    }
}

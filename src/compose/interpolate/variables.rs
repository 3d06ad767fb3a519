//! The variables that a file may name.

use std::collections::BTreeMap;
use std::fmt;

use crate::state::secret::{Secret, is_sensitive_name, is_sensitive_text};

/// The value of a variable.
#[derive(Clone, PartialEq, Eq)]
pub struct Variable {
    /// The text.
    pub text: String,
    /// It holds a secret: its name says so, it is a URL with a password, it comes from an
    /// encrypted file, or a secret went into it.
    pub sensitive: bool,
}

/// Variables by name; they print by name only.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Variables(BTreeMap<String, Variable>);

impl Variable {
    /// Makes the value of a variable; its name and its form tell whether it is a secret.
    pub fn named(name: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        let sensitive = is_sensitive_name(name) || is_sensitive_text(&text);
        Self { text, sensitive }
    }
}

impl Variables {
    /// Takes the variables of a process.
    pub fn from_environment(environment: &BTreeMap<String, String>) -> Self {
        Self(
            environment
                .iter()
                .map(|(name, text)| (name.clone(), Variable::named(name, text)))
                .collect(),
        )
    }

    /// Returns a variable.
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.0.get(name)
    }

    /// Returns the text of a variable.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|variable| variable.text.as_str())
    }

    /// Sets a variable.
    pub fn set(&mut self, name: impl Into<String>, variable: Variable) {
        self.0.insert(name.into(), variable);
    }

    /// Takes over the variables that are not there yet.
    pub fn add_missing(&mut self, others: Self) {
        for (name, variable) in others.0 {
            self.0.entry(name).or_insert(variable);
        }
    }

    /// Returns the same variables, all of them secret.
    #[must_use]
    pub fn concealed(mut self) -> Self {
        self.0.values_mut().for_each(|variable| variable.sensitive = true);
        self
    }

    /// Returns the secrets among them. What only tells where a secret is is none.
    pub fn secrets(&self) -> Vec<Secret> {
        let ends = ["_FILE", "_PATH", "_DIR"];
        let is_path = |name: &str| ends.iter().any(|end| name.ends_with(end));
        let secret = self.0.iter().filter(|(name, it)| it.sensitive && !is_path(name));
        secret.map(|(_, it)| Secret::new(&it.text)).collect()
    }

    /// Iterates over names and values.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.0.iter().map(|(name, variable)| (name.as_str(), variable))
    }
}

impl fmt::Debug for Variable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Variable")
            .field("sensitive", &self.sensitive)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Variables {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

//! Taking secrets that are known out of texts that others wrote.

use std::collections::BTreeSet;

use super::desired::{Content, Stack};
use super::secret::{CONCEALED, Secret, secrets_in};
use super::value::Value;

/// How many bytes a secret has at least that is taken out of a text. What is shorter (`1`,
/// `no`, `80`) stands in any text by chance: to take it out would garble the text, and point
/// at the secret.
const LEAST: usize = 4;

/// Takes every secret that it knows out of a text; it does not print what it knows.
///
/// A secret of several lines is known by each of them, a URL by its password and an argument
/// by its value too, and all of them also in the form in which an error quotes them.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Concealer {
    /// The longest first, so that a secret which holds another one goes as a whole.
    known: Vec<String>,
}

impl std::fmt::Debug for Concealer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Concealer").field("known", &self.known.len()).finish()
    }
}

impl Concealer {
    /// Makes one that knows these secrets.
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a str>) -> Self {
        let mut known = BTreeSet::new();
        for secret in secrets {
            learn(secret, &mut known);
        }
        let mut known: Vec<String> = known.into_iter().collect();
        known.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        Self { known }
    }

    /// Makes one that knows every secret of a stack, and of the values that are given: what
    /// is in a container now, say.
    pub fn of<'a>(stack: &Stack, others: impl IntoIterator<Item = &'a Value>) -> Self {
        let mut secrets: Vec<&str> = Vec::new();
        collect(&stack.canonical, &mut secrets);
        secrets.extend(stack.unspeakable.iter().map(Secret::expose));
        for service in stack.services.values() {
            secrets.extend(service.unspeakable.iter().map(Secret::expose));
        }
        for content in stack.secrets.values().chain(stack.configs.values()) {
            match content {
                Content::Inline(secret) => secrets.push(secret.expose()),
                Content::File(_) => {}
            }
        }
        others.into_iter().for_each(|value| collect(value, &mut secrets));
        Self::new(secrets)
    }

    /// Returns the text with every secret replaced.
    pub fn conceal(&self, text: &str) -> String {
        let mut shown = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            let known = self.known.iter().find(|it| rest.starts_with(it.as_str()));
            if known.is_some() {
                shown.push_str(CONCEALED);
            } else {
                shown.push(next);
            }
            let length = known.map_or(next.len_utf8(), String::len);
            rest = rest.get(length..).unwrap_or_default();
        }
        shown
    }
}

/// Adds a secret in all its forms.
fn learn(secret: &str, known: &mut BTreeSet<String>) {
    let lines = secret.lines().map(str::trim);
    let parts = lines.chain(secrets_in(secret)).chain([secret]);
    for part in parts.filter(|part| part.len() >= LEAST) {
        let quoted = Value::text(part).exposed().to_string();
        known.extend(quoted.get(1..quoted.len() - 1).map(str::to_owned));
        known.insert(part.to_owned());
    }
}

/// Finds every secret in a value.
fn collect<'a>(value: &'a Value, secrets: &mut Vec<&'a str>) {
    match value {
        Value::Secret(secret) => secrets.push(secret.expose()),
        Value::List(items) => items.iter().for_each(|item| collect(item, secrets)),
        Value::Map(map) => map.values().for_each(|value| collect(value, secrets)),
        Value::Null
        | Value::Bool(_)
        | Value::Int(_)
        | Value::Real(_)
        | Value::Text(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conceal(secrets: &[&str], text: &str) -> String {
        Concealer::new(secrets.iter().copied()).conceal(text)
    }

    #[test]
    fn a_secret_that_holds_another_one_goes_as_a_whole() {
        let secrets = ["hunter2", "pass-hunter2-word"];
        let shown = conceal(&secrets, "got pass-hunter2-word and hunter2.");
        assert_eq!(shown, "got (sensitive) and (sensitive).");
    }

    #[test]
    fn every_line_of_a_secret_and_its_quoted_form_go() {
        let secrets = ["first line\n  second \"line\"\nx"];
        let shown = conceal(&secrets, r#"first line; "second \"line\"\nx" x"#);
        assert_eq!(shown, r#"(sensitive); "(sensitive)\nx" x"#);
        let whole = conceal(&secrets, r#""first line\n  second \"line\"\nx""#);
        assert_eq!(whole, r#""(sensitive)""#);
    }

    #[test]
    fn the_password_of_a_url_goes_wherever_it_stands() {
        let secrets = ["postgres://app:hunter2@db/app"];
        assert_eq!(conceal(&secrets, "no hunter2 here"), "no (sensitive) here");
    }

    #[test]
    fn what_is_very_short_stays_since_it_stands_in_any_text() {
        assert_eq!(conceal(&["1", "", "no", "abc"], "exit 1: no abc"), "exit 1: no abc");
        assert_eq!(conceal(&["abcd"], "exit 1: abcd"), "exit 1: (sensitive)");
    }

    #[test]
    fn it_does_not_print_what_it_knows() {
        let concealer = Concealer::new(["hunter2"]);
        assert_eq!(format!("{concealer:?}"), "Concealer { known: 1 }");
    }
}

//! One value of a type: text, booleans, numbers, bytes and durations.

use super::scalar::{self, Scalar, is_sensitive, shown};
use super::{Path, Reader, text};
use crate::compose::node::{Kind, Node};
use crate::compose::problem::nearest;
use crate::compose::units;
use crate::state::value::Real;

impl Reader<'_> {
    /// Reads text. Other types must be quoted, since their spelling may get lost: `1.10`.
    pub(super) fn text(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        match scalar::resolve(node) {
            Some(Scalar::Text(_) | Scalar::Time(_)) => {
                let sensitive = is_sensitive(node);
                text(node.as_text().unwrap_or_default(), sensitive)
            }
            Some(
                Scalar::Bool(_) | Scalar::Int(_) | Scalar::Unsigned(_) | Scalar::Real(_),
            ) => {
                let quoted = node
                    .as_text()
                    .filter(|_| !is_sensitive(node))
                    .map(|written| format!("write it in quotes: \"{written}\""));
                let problem = self.wrong(node, "text", path);
                problem.help = quoted;
                Kind::Null
            }
            Some(Scalar::Null) | None => {
                self.wrong(node, "text", path);
                Kind::Null
            }
        }
    }

    /// Reads text or a number, which becomes text.
    pub(super) fn word(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        let sensitive = is_sensitive(node);
        match scalar::resolve(node) {
            Some(
                scalar @ (Scalar::Text(_)
                | Scalar::Time(_)
                | Scalar::Int(_)
                | Scalar::Unsigned(_)
                | Scalar::Real(_)),
            ) => text(scalar.into_text(), sensitive),
            Some(Scalar::Null | Scalar::Bool(_)) | None => {
                self.wrong(node, "text or a number", path);
                Kind::Null
            }
        }
    }

    /// Reads one of some texts.
    pub(super) fn choice(
        &mut self,
        node: &Node,
        choices: &'static [&'static str],
        path: &Path<'_>,
    ) -> Kind {
        let (span, shown) = (node.span, shown(node));
        let kind = self.text(node, path);
        let Kind::Text(found) = &kind else { return kind };
        if choices.contains(&found.text.as_str()) {
            return kind;
        }
        let message =
            format!("{shown} is not possible; allowed are `{}`", choices.join("`, `"));
        let problem = self.problems.error(span, path.to_string(), message);
        if !found.sensitive
            && let Some(meant) = nearest(&found.text, choices.iter().copied())
        {
            problem.help(format!("perhaps `{meant}` was meant"));
        }
        Kind::Null
    }

    /// Reads when an image is pulled.
    pub(super) fn pull_policy(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        const POLICIES: &[&str] =
            &["always", "never", "missing", "if_not_present", "build"];
        let kind = self.choice(node, POLICIES, path);
        if let Kind::Text(policy) = &kind
            && policy.text == "if_not_present"
        {
            return text("missing", policy.sensitive);
        }
        kind
    }

    /// Reads true or false. Words that were booleans in YAML 1.1 are understood.
    pub(super) fn boolean(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        match scalar::resolve(node) {
            Some(Scalar::Bool(value)) => return Kind::Bool(value),
            Some(Scalar::Text(written)) => {
                let value = match written.to_ascii_lowercase().as_str() {
                    "true" => return Kind::Bool(true),
                    "false" => return Kind::Bool(false),
                    "y" | "yes" | "on" => Some(true),
                    "n" | "no" | "off" => Some(false),
                    _ => None,
                };
                if let Some(value) = value {
                    let message = format!("`{written}` is text and is taken as {value}");
                    self.problems
                        .warning(node.span, path.to_string(), message)
                        .help(format!("write `{value}`"));
                    return Kind::Bool(value);
                }
            }
            Some(
                Scalar::Null
                | Scalar::Int(_)
                | Scalar::Unsigned(_)
                | Scalar::Real(_)
                | Scalar::Time(_),
            )
            | None => {}
        }
        self.wrong(node, "`true` or `false`", path);
        Kind::Null
    }

    /// Reads a whole number; as text it is decimal.
    pub(super) fn integer(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        if let Some(number) = scalar::resolve(node).and_then(whole) {
            return Kind::Int(number);
        }
        self.wrong(node, "a whole number", path);
        Kind::Null
    }

    /// Reads a number. Compose keeps the precision of 32 bits.
    pub(super) fn number(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        let number: Option<f32> = match scalar::resolve(node) {
            Some(Scalar::Int(number)) => return Kind::Int(number),
            Some(Scalar::Real(number)) => number.to_string().parse().ok(),
            Some(Scalar::Text(written)) => written.parse().ok(),
            Some(
                Scalar::Null | Scalar::Bool(_) | Scalar::Unsigned(_) | Scalar::Time(_),
            )
            | None => None,
        };
        let Some(number) = number.filter(|number| number.is_finite()) else {
            self.wrong(node, "a number", path);
            return Kind::Null;
        };
        // By way of text, so that 0.1 does not become 0.10000000149.
        let shortest = number.to_string();
        if let Ok(whole) = shortest.parse() {
            return Kind::Int(whole);
        }
        Kind::Real(Real(shortest.parse().unwrap_or_default()))
    }

    /// Reads a number of bytes, which becomes decimal text.
    pub(super) fn bytes(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        let sensitive = is_sensitive(node);
        match scalar::resolve(node) {
            Some(Scalar::Int(bytes)) => text(bytes.to_string(), sensitive),
            Some(Scalar::Text(written)) => match units::parse_bytes(&written) {
                Ok(bytes) => text(bytes.to_string(), sensitive),
                Err(why) => self.unreadable(node, &why, "a size such as `512m`", path),
            },
            Some(
                Scalar::Null
                | Scalar::Bool(_)
                | Scalar::Unsigned(_)
                | Scalar::Real(_)
                | Scalar::Time(_),
            )
            | None => {
                self.wrong(node, "a size such as `512m`", path);
                Kind::Null
            }
        }
    }

    /// Reads a duration, which becomes text in Go's notation.
    pub(super) fn duration(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        const NEEDED: &str = "a duration such as `30s`";
        let sensitive = is_sensitive(node);
        match scalar::resolve(node) {
            Some(Scalar::Text(written)) => match units::parse_duration(&written) {
                Ok(duration) => text(units::show_duration(duration), sensitive),
                Err(why) => self.unreadable(node, &why, NEEDED, path),
            },
            Some(Scalar::Int(number)) => {
                let help = format!("`{number}s` would be seconds");
                let problem = self.wrong(node, NEEDED, path);
                if !sensitive {
                    problem.help(help);
                }
                Kind::Null
            }
            Some(
                Scalar::Null
                | Scalar::Bool(_)
                | Scalar::Unsigned(_)
                | Scalar::Real(_)
                | Scalar::Time(_),
            )
            | None => {
                self.wrong(node, NEEDED, path);
                Kind::Null
            }
        }
    }

    /// Reads a number of devices.
    pub(super) fn count(&mut self, node: &Node, path: &Path<'_>) -> Kind {
        let scalar = scalar::resolve(node);
        if let Some(Scalar::Text(written)) = &scalar
            && written.eq_ignore_ascii_case("all")
        {
            return Kind::Int(-1);
        }
        if let Some(number) = scalar.and_then(whole) {
            return Kind::Int(number);
        }
        self.wrong(node, "`all` or a whole number", path);
        Kind::Null
    }

    /// Reports text that has no meaning, without showing it if it is sensitive.
    fn unreadable(
        &mut self,
        node: &Node,
        why: &str,
        needed: &str,
        path: &Path<'_>,
    ) -> Kind {
        let message = if is_sensitive(node) {
            format!("the value is not {needed}")
        } else {
            format!("{} {why}", shown(node))
        };
        self.problems.error(node.span, path.to_string(), message);
        Kind::Null
    }
}

/// Returns the whole number that a scalar is.
fn whole(scalar: Scalar) -> Option<i64> {
    match scalar {
        Scalar::Int(number) => Some(number),
        Scalar::Text(written) => written.parse().ok(),
        // `1e3` and `3.0` are whole; their shortest notation says so.
        Scalar::Real(number) => number.to_string().parse().ok(),
        Scalar::Null | Scalar::Bool(_) | Scalar::Unsigned(_) | Scalar::Time(_) => None,
    }
}

//! Variables into the values of a file, before anything else reads them.

pub mod template;
pub mod variables;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::node::{Kind, Node, Text};
use super::problem::{Problems, Sources, Span};
use template::{Expanded, expand};
use variables::Variables;

/// How much text variables may bring into one stack.
const MOST_TEXT: usize = 16 * 1024 * 1024;

/// How many places of a variable that is not set are shown.
const MOST_PLACES: usize = 9;

/// How many references are located inside one scalar.
const MOST_LOCATED: usize = 50;

/// Puts variables into trees, and remembers which ones were missing.
#[derive(Debug)]
pub struct Interpolation<'a> {
    variables: &'a Variables,
    unset: BTreeMap<String, Vec<(Span, String)>>,
    faulty: BTreeSet<Span>,
    text: usize,
}

impl<'a> Interpolation<'a> {
    /// Begins with these variables.
    pub const fn new(variables: &'a Variables) -> Self {
        Self { variables, unset: BTreeMap::new(), faulty: BTreeSet::new(), text: 0 }
    }

    /// Replaces the references in every value of a tree; keys stay as they are.
    ///
    /// A text that a variable went into is text: its type is decided by its attribute
    /// and never by how it looks, so that a password `0123` stays one.
    pub fn interpolate(
        &mut self,
        node: &mut Node,
        path: &str,
        sources: &Sources,
        problems: &mut Problems,
    ) {
        let span = node.span;
        match &mut node.kind {
            Kind::Text(text) if text.text.contains('$') => {
                let expanded = self.scalar(text, span, path, sources, problems);
                text.plain &= !expanded.changed;
                text.sensitive |= expanded.sensitive;
                text.text = expanded.text;
                if !expanded.faults.is_empty() {
                    self.faulty.insert(span);
                    node.kind = Kind::Null;
                }
            }
            Kind::Sequence(items) => {
                for item in items {
                    self.interpolate(item, path, sources, problems);
                }
            }
            Kind::Mapping(entries) => {
                for (key, entry) in entries {
                    let path = join(path, key);
                    self.interpolate(&mut entry.node, &path, sources, problems);
                }
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) | Kind::Text(_) => {
            }
        }
    }

    /// Tells whether the value at a place could not be put together; null stands there.
    pub fn is_faulty(&self, span: Span) -> bool {
        self.faulty.contains(&span)
    }

    /// Warns of the variables that were not set: once for each, with all its places.
    pub fn finish(self, problems: &mut Problems) {
        for (name, mut places) in self.unset {
            places.sort();
            places.dedup();
            let mut places = places.into_iter();
            let Some((span, path)) = places.next() else { continue };
            let message = format!("the variable {name} is not set; it is taken as empty");
            let problem = problems.warning(span, path, message);
            problem.help(format!(
                "set it in the environment or in the .env file, or write \
                 ${{{name}:-default}}, or ${{{name}:?message}} to demand it"
            ));
            for (place, _) in places {
                problem.see(place, "it is needed here too");
            }
        }
    }

    fn scalar(
        &mut self,
        text: &Text,
        span: Span,
        path: &str,
        sources: &Sources,
        problems: &mut Problems,
    ) -> Expanded {
        let mut expanded = expand(&text.text, &|name| self.variables.get(name));
        let place = |range: &Range<usize>| locate(sources, span, &text.text, range);
        for fault in &expanded.faults {
            let problem = problems.error(place(&fault.range), path, &fault.message);
            if let Some(help) = fault.help {
                problem.help(help);
            }
        }
        for (index, (name, range)) in expanded.unset.iter().enumerate() {
            let places = self.unset.entry(name.clone()).or_default();
            if places.len() < MOST_PLACES {
                let at = if index < MOST_LOCATED { place(range) } else { span };
                places.push((at, path.to_owned()));
            }
        }
        self.text += expanded.text.len();
        if self.text > MOST_TEXT {
            let message = "variables make this stack larger than 16 MiB";
            problems.error(span, path, message);
            expanded.text = String::new();
        }
        expanded
    }
}

/// Joins a path and a key.
fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Returns the place in the file of a part of a scalar's value.
///
/// Quotes, escapes and line folds make value and source differ: the part is looked for in
/// the source, and where it is not found the whole scalar is the place.
fn locate(sources: &Sources, span: Span, value: &str, range: &Range<usize>) -> Span {
    let (start, end) = (span.start as usize, span.end as usize);
    let found = || {
        let raw = sources.file(span.file)?.text.get(start..end)?;
        let part = value.get(range.clone())?;
        let before = value.get(..range.start)?.matches(part).count();
        let (at, _) = raw.match_indices(part).nth(before)?;
        let at = u32::try_from(start + at).ok()?;
        let length = u32::try_from(part.len()).ok()?;
        Some(Span { file: span.file, start: at, end: at + length })
    };
    found().unwrap_or(span)
}

#[cfg(test)]
mod tests {
    use super::super::yaml;
    use super::*;

    fn variables() -> Variables {
        let environment = [("TAG", "1.10"), ("PASSWORD", "0123"), ("EMPTY", "")];
        Variables::from_environment(
            &environment.map(|(name, text)| (name.to_owned(), text.to_owned())).into(),
        )
    }

    fn run(text: &str) -> (Node, Sources, Problems) {
        let (mut sources, mut problems) = (Sources::default(), Problems::default());
        let file = sources.add("f.yaml".into(), text.to_owned());
        let mut root = yaml::parse(file, text, &mut problems).unwrap().remove(0);
        let variables = variables();
        let mut interpolation = Interpolation::new(&variables);
        interpolation.interpolate(&mut root, "", &sources, &mut problems);
        interpolation.finish(&mut problems);
        (root, sources, problems)
    }

    fn found(sources: &Sources, problems: &Problems) -> Vec<(usize, usize, String)> {
        problems
            .iter()
            .map(|problem| {
                let (_, line, column) = sources.position(problem.span.unwrap()).unwrap();
                (line, column, problem.path.clone())
            })
            .collect()
    }

    #[test]
    fn values_are_replaced_and_keys_are_not() {
        let (root, ..) = run("$TAG: [a$TAG, {b: $$TAG}]\n");
        let list = root.get("$TAG").unwrap();
        assert_eq!(list.items()[0].as_text(), Some("a1.10"));
        assert_eq!(list.items()[1].get("b").and_then(Node::as_text), Some("$TAG"));
    }

    #[test]
    fn what_came_out_of_a_variable_is_text_and_a_secret_stays_one() {
        let (root, ..) = run("a: 1.10\nb: $TAG\nc: x${PASSWORD}\nd: ${EMPTY}\n");
        let text = |key| match &root.get(key).unwrap().kind {
            Kind::Text(text) => (text.text.clone(), text.plain, text.sensitive),
            other @ (Kind::Null
            | Kind::Bool(_)
            | Kind::Int(_)
            | Kind::Real(_)
            | Kind::Sequence(_)
            | Kind::Mapping(_)) => panic!("{other:?}"),
        };
        assert_eq!(text("a"), ("1.10".to_owned(), true, false));
        assert_eq!(text("b"), ("1.10".to_owned(), false, false));
        assert_eq!(text("c"), ("x0123".to_owned(), false, true));
        assert_eq!(text("d"), (String::new(), false, false));
        assert!(!format!("{root:?}").contains("0123"));
    }

    #[test]
    fn errors_stand_inside_the_scalar() {
        let (_, sources, problems) = run(concat!(
            "a: x ${} y\n",
            "b: \"say \\\"${B/c}\\\"\"\n",
            "c: |\n  one\n  two ${1}\n",
            "d:\n  - 'x'\n  - {e: '${X:?}'}\n",
        ));
        assert_eq!(
            found(&sources, &problems),
            [
                (1, 6, "a".to_owned()),
                (2, 11, "b".to_owned()),
                (5, 7, "c".to_owned()),
                (8, 10, "d.e".to_owned())
            ]
        );
    }

    #[test]
    fn a_variable_that_is_not_set_is_told_once_with_all_its_places() {
        let (_, sources, problems) = run("a: $X and $X\nb: ${Y}\nc: ${X}\n");
        assert!(!problems.has_errors());
        assert_eq!(
            found(&sources, &problems),
            [(1, 4, "a".to_owned()), (2, 4, "b".to_owned())]
        );
        let first = problems.iter().next().unwrap();
        assert!(first.message.contains("variable X is not set"));
        let related: Vec<_> = first
            .related
            .iter()
            .map(|(span, _)| sources.position(*span).unwrap())
            .collect();
        assert_eq!(
            related.iter().map(|(_, line, column)| (*line, *column)).collect::<Vec<_>>(),
            [(1, 11), (3, 4)]
        );
    }
}

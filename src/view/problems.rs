//! Problems of desired-state files, drawn on the lines they are about.

use annotate_snippets::{
    AnnotationKind, Element, Group, Level, Origin, Renderer, Snippet,
};
use serde::Serialize;

use super::cover::{CoveredFile, SensitiveNames};
use super::text::{count, one_line, printable};
use crate::compose::problem::{Problem, Problems, Severity, Sources, Span};

/// Returns every problem, drawn on its source line, and a summary line.
///
/// A line never shows the value of a secret, and lines of files of variables are not shown
/// at all. Without problems the text is empty.
pub fn drawn(problems: &Problems, sources: &Sources) -> String {
    let pages = Pages::of(sources);
    let renderer = Renderer::styled();
    let mut text = String::new();
    for problem in problems.iter() {
        text += &renderer.render(&[group(problem, &pages)]);
        text += "\n\n";
    }
    if !text.is_empty() {
        text += &summary(problems);
        text.push('\n');
    }
    text
}

/// Returns how many problems there are: `2 errors, 3 warnings`.
pub fn summary(problems: &Problems) -> String {
    let number_of = |severity| problems.iter().filter(|p| p.severity == severity).count();
    let parts: Vec<String> = [(Severity::Error, "error"), (Severity::Warning, "warning")]
        .into_iter()
        .map(|(severity, noun)| (number_of(severity), noun))
        .filter(|(number, _)| *number > 0)
        .map(|(number, noun)| count(number, noun))
        .collect();
    if parts.is_empty() { "no problems".to_owned() } else { parts.join(", ") }
}

/// Returns the problems as `{"problems": […]}`.
pub fn json(problems: &Problems, sources: &Sources) -> ProblemsJson {
    let pages = Pages::of(sources);
    ProblemsJson {
        problems: problems
            .iter()
            .map(|problem| ProblemJson::of(problem, &pages))
            .collect(),
    }
}

/// The JSON form of problems.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemsJson {
    /// The problems, in the order of the text.
    pub problems: Vec<ProblemJson>,
}

/// The JSON form of one problem.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ProblemJson {
    /// `error` or `warning`.
    pub severity: &'static str,
    /// The file; null when the problem has no place.
    pub file: Option<String>,
    /// The line, from 1.
    pub line: Option<usize>,
    /// The column in characters, from 1.
    pub column: Option<usize>,
    /// The canonical path, such as `services.etcd.image`.
    pub path: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

/// `file:line:column: message`.
impl std::fmt::Display for ProblemJson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let (Some(file), Some(line), Some(column)) =
            (&self.file, self.line, self.column)
        {
            write!(f, "{file}:{line}:{column}: ")?;
        }
        f.write_str(&self.message)
    }
}

impl ProblemJson {
    /// Tells whether it is an error.
    pub fn is_error(&self) -> bool {
        self.severity == "error"
    }

    fn of(problem: &Problem, pages: &Pages<'_>) -> Self {
        let place = problem.span.and_then(|span| Some((pages.file(span)?, span)));
        let position = place.map(|(file, span)| file.position(span.start as usize));
        Self {
            severity: match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
            },
            file: place.map(|(file, _)| file.path().display().to_string()),
            line: position.map(|(line, _)| line),
            column: position.map(|(_, column)| column),
            path: Some(problem.path.clone()).filter(|path| !path.is_empty()),
            message: problem.message.clone(),
            help: problem.help.clone(),
        }
    }
}

/// The files of a load, with their secrets covered.
struct Pages<'a>(Vec<CoveredFile<'a>>);

impl<'a> Pages<'a> {
    fn of(sources: &'a Sources) -> Self {
        let names = SensitiveNames::of(sources);
        let files = (0..u16::MAX).map_while(|index| sources.file(index));
        Self(files.map(|source| CoveredFile::of(source, &names)).collect())
    }

    fn file(&self, span: Span) -> Option<&CoveredFile<'a>> {
        self.0.get(usize::from(span.file))
    }
}

fn group<'a>(problem: &'a Problem, pages: &'a Pages<'_>) -> Group<'a> {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let primary =
        problem.span.and_then(|span| element(pages, span, AnnotationKind::Primary, None));
    let related = problem.related.iter().filter_map(|(span, how)| {
        element(pages, *span, AnnotationKind::Context, Some(how))
    });
    let mut group = level
        .primary_title(printable(&problem.message))
        .elements(primary.into_iter().chain(related));
    if !problem.path.is_empty() {
        group =
            group.element(Level::NOTE.with_name("at").message(one_line(&problem.path)));
    }
    if let Some(help) = &problem.help {
        group = group.element(Level::HELP.message(printable(help)));
    }
    group
}

/// Draws one place; only the first line of a place that covers several.
fn element<'a>(
    pages: &'a Pages<'_>,
    span: Span,
    kind: AnnotationKind,
    label: Option<&'a str>,
) -> Option<Element<'a>> {
    let file = pages.file(span)?;
    let (line, column) = file.position(span.start as usize);
    let path = file.path().display().to_string();
    let Some((covered, (start, end))) =
        file.shown(span.start as usize, span.end as usize)
    else {
        return Some(match label {
            Some(how) => {
                let note = format!("{path}:{line}:{column}: {}", one_line(how));
                Level::NOTE.message(note).into()
            }
            None => Origin::path(path).line(line).char_column(column).into(),
        });
    };
    let range =
        covered.text.floor_char_boundary(start)..covered.text.ceil_char_boundary(end);
    let annotation = kind.span(range).label(label.map(one_line));
    Some(
        Snippet::source(covered.text.as_str())
            .path(path)
            .line_start(line)
            .annotation(annotation)
            .into(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstream::adapter::strip_str;

    const STACK: &str = "\
services:
  etcd:
    imgae: quay.io/coreos/etcd:v3.5.25
    ports: [\"2379:2379\"]
    environment:
      ROOT_PASSWORD: [canary]
  web:
    ports: [\"2379:80\"]
";

    /// Returns the place of a text in a file.
    fn place(sources: &Sources, file: u16, text: &str) -> Span {
        let start = sources.file(file).unwrap().text.find(text).unwrap();
        let offset = |at: usize| u32::try_from(at).unwrap();
        Span { file, start: offset(start), end: offset(start + text.len()) }
    }

    fn sources() -> (Sources, u16, u16) {
        let mut sources = Sources::default();
        let stack = sources.add("desired-state/stack.yaml".into(), STACK.to_owned());
        let variables = sources.add(".env".into(), "A=1\nTAG canary\n".to_owned());
        (sources, stack, variables)
    }

    #[test]
    fn problems_are_drawn_with_place_help_and_related_places() {
        let (sources, stack, _) = sources();
        let mut problems = Problems::default();
        problems
            .error(
                place(&sources, stack, "imgae"),
                "services.etcd.imgae",
                "unknown key `imgae`",
            )
            .help("did you mean `image`?");
        problems
            .error(
                place(&sources, stack, "\"2379:80\""),
                "services.web.ports[0]",
                "host port 2379 is taken twice",
            )
            .see(place(&sources, stack, "\"2379:2379\""), "taken here first");
        problems.warning(None, "", "`other.yaml` could not be read");
        insta::assert_snapshot!(strip_str(&drawn(&problems, &sources)), @r#"
        error: unknown key `imgae`
         --> desired-state/stack.yaml:3:5
          |
        3 |     imgae: quay.io/coreos/etcd:v3.5.25
          |     ^^^^^
          |
          = at: services.etcd.imgae
          = help: did you mean `image`?

        error: host port 2379 is taken twice
         --> desired-state/stack.yaml:8:13
          |
        8 |     ports: ["2379:80"]
          |             ^^^^^^^^^
          |
         ::: desired-state/stack.yaml:4:13
          |
        4 |     ports: ["2379:2379"]
          |             ----------- taken here first
          |
          = at: services.web.ports[0]

        warning: `other.yaml` could not be read

        2 errors, 1 warning
        "#);
    }

    #[test]
    fn no_secret_is_drawn() {
        let (sources, stack, variables) = sources();
        let mut problems = Problems::default();
        problems.error(
            place(&sources, stack, "[canary]"),
            "services.etcd.environment.ROOT_PASSWORD",
            "expected text, found a list",
        );
        problems
            .error(place(&sources, variables, "TAG"), "", "expected `NAME=value`")
            .see(place(&sources, variables, "A=1"), "as here");
        let text = drawn(&problems, &sources);
        assert!(!text.contains("canary"), "{text}");
        insta::assert_snapshot!(strip_str(&text), @r"
        error: expected text, found a list
         --> desired-state/stack.yaml:6:22
          |
        6 |       ROOT_PASSWORD: (sensitive)
          |                      ^^^^^^^^^^^
          |
          = at: services.etcd.environment.ROOT_PASSWORD

        error: expected `NAME=value`
        --> .env:2:1
         = note: .env:1:1: as here

        2 errors
        ");
    }

    #[test]
    fn places_outside_the_text_do_not_panic() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml".into(), "ä: \u{1b}[31m ü\r\n".to_owned());
        let mut problems = Problems::default();
        for (start, end) in [(0, 0), (1, 1), (0, 99), (14, 14), (99, 100), (5, 2)] {
            problems.error(Span { file, start, end }, "a", "m\u{1b}[2J");
        }
        problems.error(Span { file: 9, start: 0, end: 1 }, "", "elsewhere");
        let text = drawn(&problems, &sources);
        assert!(!text.contains("\u{1b}[31m") && !text.contains("\u{1b}[2J"), "{text:?}");
        assert_eq!(json(&problems, &sources).problems.len(), 7);
    }

    #[test]
    fn the_json_form_has_place_and_nulls() {
        let (sources, stack, _) = sources();
        let mut problems = Problems::default();
        problems
            .error(place(&sources, stack, "imgae"), "services.etcd.imgae", "unknown key")
            .help("did you mean `image`?");
        problems.warning(None, "", "nothing here");
        let json = serde_json::to_string_pretty(&json(&problems, &sources)).unwrap();
        insta::assert_snapshot!(json, @r#"
        {
          "problems": [
            {
              "severity": "error",
              "file": "desired-state/stack.yaml",
              "line": 3,
              "column": 5,
              "path": "services.etcd.imgae",
              "message": "unknown key",
              "help": "did you mean `image`?"
            },
            {
              "severity": "warning",
              "file": null,
              "line": null,
              "column": null,
              "path": null,
              "message": "nothing here",
              "help": null
            }
          ]
        }
        "#);
    }

    #[test]
    fn the_summary_counts_by_severity() {
        let mut problems = Problems::default();
        assert_eq!(summary(&problems), "no problems");
        problems.warning(None, "", "a");
        assert_eq!(summary(&problems), "1 warning");
        problems.error(None, "", "a");
        problems.error(None, "", "b");
        assert_eq!(summary(&problems), "2 errors, 1 warning");
    }
}

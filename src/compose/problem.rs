//! What is wrong with a desired-state file, and where.

use std::path::{Path, PathBuf};

use crate::state::concealer::Concealer;

/// The files that a load has read, so that problems can be drawn on their text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources(Vec<SourceText>);

/// One file that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceText {
    /// The path, as it was asked for.
    pub path: PathBuf,
    /// The text; empty when it was not text.
    pub text: String,
}

/// A range of bytes in one of the [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// The index of the file.
    pub file: u16,
    /// The first byte.
    pub start: u32,
    /// The byte after the last one.
    pub end: u32,
}

impl Sources {
    /// Adds a file and returns its index.
    pub fn add(&mut self, path: PathBuf, text: String) -> u16 {
        self.0.push(SourceText { path, text });
        u16::try_from(self.0.len() - 1).unwrap_or(u16::MAX)
    }

    /// Returns the file that a span is in.
    pub fn file(&self, index: u16) -> Option<&SourceText> {
        self.0.get(usize::from(index))
    }

    /// Returns path, line and column of a span's start; lines and columns count from 1,
    /// columns in characters.
    pub fn position(&self, span: Span) -> Option<(&Path, usize, usize)> {
        let source = self.file(span.file)?;
        let before = source.text.get(..span.start as usize).unwrap_or(&source.text);
        let line = before.matches('\n').count() + 1;
        let column =
            before.rsplit('\n').next().map_or(0, |tail| tail.chars().count()) + 1;
        Some((&source.path, line, column))
    }
}

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Nothing may be done with this file.
    Error,
    /// The file works, but not as its writer may think.
    Warning,
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// How bad it is.
    pub severity: Severity,
    /// Where it is; nothing for a file that could not be read.
    pub span: Option<Span>,
    /// The canonical path, such as `services.etcd.healthcheck.interval`; may be empty.
    pub path: String,
    /// What is wrong: what was found, and what is allowed.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// Other places that have to do with it, each with a word on how.
    pub related: Vec<(Span, String)>,
}

/// All problems of a load.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds an error and returns it, so that help can be added.
    pub fn error(
        &mut self,
        span: impl Into<Option<Span>>,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.add(Severity::Error, span.into(), path.into(), message.into())
    }

    /// Adds a warning and returns it, so that help can be added.
    pub fn warning(
        &mut self,
        span: impl Into<Option<Span>>,
        path: impl Into<String>,
        message: impl Into<String>,
    ) -> &mut Problem {
        self.add(Severity::Warning, span.into(), path.into(), message.into())
    }

    fn add(
        &mut self,
        severity: Severity,
        span: Option<Span>,
        path: String,
        message: String,
    ) -> &mut Problem {
        let problem =
            Problem { severity, span, path, message, help: None, related: Vec::new() };
        self.0.push_mut(problem)
    }

    /// Tells whether any problem is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|problem| problem.severity == Severity::Error)
    }

    /// Iterates over the problems in the order of the text.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// Takes over problems that were found apart.
    pub fn extend(&mut self, problems: impl IntoIterator<Item = Problem>) {
        self.0.extend(problems);
    }

    /// Takes secrets out of everything that is said.
    pub fn conceal(&mut self, concealer: &Concealer) {
        for problem in &mut self.0 {
            let related = problem.related.iter_mut().map(|(_, how)| how);
            let texts = [&mut problem.path, &mut problem.message];
            for text in texts.into_iter().chain(&mut problem.help).chain(related) {
                *text = concealer.conceal(text);
            }
        }
    }

    /// Sorts the problems by place, errors and warnings alike, and drops repetitions.
    ///
    /// Of very many problems only the first ones are kept; the last one then says so.
    pub fn sort(&mut self) {
        const MOST: usize = 200;
        self.0.sort_by(|a, b| (a.span, &a.message).cmp(&(b.span, &b.message)));
        self.0.dedup();
        let rest = self.0.split_off(self.0.len().min(MOST));
        if let Some(worst) = rest.iter().map(|problem| problem.severity).min() {
            let message = format!("{} further problems are not shown", rest.len());
            self.add(worst, None, String::new(), message);
        }
    }
}

impl IntoIterator for Problems {
    type Item = Problem;
    type IntoIter = std::vec::IntoIter<Problem>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl Problem {
    /// Adds what to do about it.
    pub fn help(&mut self, help: impl Into<String>) -> &mut Self {
        self.help = Some(help.into());
        self
    }

    /// Adds another place that has to do with it.
    pub fn see(&mut self, span: Span, how: impl Into<String>) -> &mut Self {
        self.related.push((span, how.into()));
        self
    }
}

/// So many words of about the right length are looked at.
const MOST_CANDIDATES: usize = 100;

/// Returns the candidate that a mistyped word most likely meant, if any is near.
pub fn nearest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let most = |candidate: &str| 1 + candidate.len().min(word.len()) / 4;
    let length = word.chars().count();
    candidates
        .into_iter()
        .filter(|candidate| length.abs_diff(candidate.chars().count()) <= most(candidate))
        .take(MOST_CANDIDATES)
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= most(candidate))
        .min()
        .map(|(_, candidate)| candidate)
}

/// The edit distance in which a swap of neighbours counts as one.
pub(super) fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (
        a.to_lowercase().chars().take(64).collect(),
        b.to_lowercase().chars().take(64).collect(),
    );
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for i in 0..=a.len() {
        for j in 0..=b.len() {
            rows[i][j] = if i == 0 || j == 0 {
                i + j
            } else {
                let cost = usize::from(a[i - 1] != b[j - 1]);
                let mut best = (rows[i - 1][j] + 1)
                    .min(rows[i][j - 1] + 1)
                    .min(rows[i - 1][j - 1] + cost);
                if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                    best = best.min(rows[i - 2][j - 2] + 1);
                }
                best
            };
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_finds_the_key_that_was_meant() {
        let keys = ["image", "healthcheck", "environment", "env_file", "ports"];
        assert_eq!(nearest("enviroment", keys), Some("environment"));
        assert_eq!(nearest("helathcheck", keys), Some("healthcheck"));
        assert_eq!(nearest("imgae", keys), Some("image"));
        assert_eq!(nearest("zzz", keys), None);
    }

    #[test]
    fn of_very_many_problems_the_rest_is_counted_and_errors_stay_errors() {
        let mut problems = Problems::default();
        for start in 0..500 {
            problems.warning(Span { file: 0, start, end: start }, "", "odd");
        }
        problems.error(Span { file: 0, start: 900, end: 900 }, "", "wrong");
        problems.sort();
        assert_eq!(problems.iter().count(), 201);
        assert!(problems.has_errors());
        assert_eq!(
            problems.iter().last().map(|problem| problem.message.as_str()),
            Some("301 further problems are not shown")
        );
    }

    #[test]
    fn positions_count_lines_and_characters_from_one() {
        let mut sources = Sources::default();
        let file = sources.add("a.yaml".into(), "ä: 1\nb: ü x\n".into());
        let span = Span { file, start: 12, end: 13 };
        assert_eq!(sources.position(span), Some((Path::new("a.yaml"), 2, 6)));
    }
}

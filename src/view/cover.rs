//! Lines of desired-state files, fit to be shown: what is secret is covered.
//!
//! A problem is drawn on text that may not even be YAML, so this looks at lines, not at the
//! tree, and covers too much rather than too little.

use std::path::Path;

use crate::compose::problem::{SourceText, Sources};
use crate::state::secret::{CONCEALED, is_sensitive_name, passwords_in_urls};

/// The keys whose entries have names that a person chose: such a name holds no value.
const SECTIONS: [&str; 5] = ["services", "networks", "volumes", "configs", "secrets"];

/// The sections whose entries may hold their bytes under `content`.
const CONTENT_SECTIONS: [&str; 2] = ["configs", "secrets"];

/// Tells whether lines of this file may be shown at all: files of variables may not, nor
/// may anything else that is not plainly a document.
pub fn may_be_shown(path: &Path) -> bool {
    let is_environment = path
        .file_name()
        .is_none_or(|name| name.to_string_lossy().to_lowercase().starts_with(".env"));
    let is_document = path.extension().is_some_and(|extension| {
        ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known))
    });
    is_document && !is_environment
}

/// A line whose secret part, if it has one, is covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoveredLine {
    /// The text without line break.
    pub text: String,
    /// Where the cover begins; it reaches to the end of the line.
    cover: Option<usize>,
}

impl CoveredLine {
    /// Returns where a range of the original line stands in this one.
    pub fn range(&self, start: usize, end: usize) -> (usize, usize) {
        match self.cover {
            Some(cover) if end > cover => (start.min(cover), self.text.len()),
            Some(_) | None => (start.min(self.text.len()), end.min(self.text.len())),
        }
    }
}

/// The names that a load treats as secret besides the well-known ones.
#[derive(Clone, Debug, Default)]
pub struct SensitiveNames(Vec<String>);

impl SensitiveNames {
    /// Collects what the files list under any key `sensitive`.
    pub fn of(sources: &Sources) -> Self {
        let mut names = Vec::new();
        for source in (0..u16::MAX).map_while(|index| sources.file(index)) {
            let mut list = None;
            for line in source.text.lines().map(Line::of) {
                list = list.filter(|indent| line.continues_list(*indent));
                if line.key == Some("sensitive") {
                    list = Some(line.indent);
                }
                if list.is_some() {
                    names.extend(line.words());
                }
            }
        }
        Self(names)
    }

    fn holds(&self, name: &str) -> bool {
        is_sensitive_name(name)
            || self.0.iter().any(|pattern| {
                matches(pattern.to_lowercase().as_bytes(), name.to_lowercase().as_bytes())
            })
    }
}

/// Tells whether a name fits a pattern in which `*` stands for anything and `?` for one
/// character.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut in_pattern) = (0, 0);
    // Where to go on when what follows the last star did not fit.
    let mut retry: Option<(usize, usize)> = None;
    while let Some(found) = name.get(at) {
        match pattern.get(in_pattern) {
            Some(b'*') => {
                retry = Some((in_pattern + 1, at));
                in_pattern += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted == found => {
                (at, in_pattern) = (at + 1, in_pattern + 1);
            }
            Some(_) | None => {
                let Some((behind_star, start)) = retry else { return false };
                retry = Some((behind_star, start + 1));
                (at, in_pattern) = (start + 1, behind_star);
            }
        }
    }
    pattern.iter().skip(in_pattern).all(|rest| *rest == b'*')
}

/// A file with its secrets covered.
#[derive(Clone, Debug)]
pub struct CoveredFile<'a> {
    source: &'a SourceText,
    /// The offsets at which lines begin.
    starts: Vec<usize>,
    /// The lines; none when the file must not be shown.
    lines: Vec<CoveredLine>,
}

impl<'a> CoveredFile<'a> {
    /// Covers the secrets of a file.
    pub fn of(source: &'a SourceText, names: &SensitiveNames) -> Self {
        let breaks = source.text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        let mut above = Above::default();
        let cover = |text| above.enter(text, names);
        let lines = if may_be_shown(&source.path) {
            source.text.split('\n').map(cover).collect()
        } else {
            Vec::new()
        };
        Self { source, starts, lines }
    }

    /// Returns the path.
    pub fn path(&self) -> &'a Path {
        &self.source.path
    }

    /// Returns line and column of an offset; both count from 1, columns in characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let (line, start) = self.line_of(offset);
        let before = self.source.text.get(start..offset).unwrap_or_default();
        (line + 1, before.chars().count() + 1)
    }

    /// Returns the line that an offset is in, and the range of this line that shows the
    /// given range; nothing when the file must not be shown.
    pub fn shown(
        &self,
        start: usize,
        end: usize,
    ) -> Option<(&CoveredLine, (usize, usize))> {
        let (line, line_start) = self.line_of(start);
        let covered = self.lines.get(line)?;
        Some((covered, covered.range(start - line_start, end.max(start) - line_start)))
    }

    /// Returns the line of an offset, counted from 0, and the line's own offset.
    fn line_of(&self, offset: usize) -> (usize, usize) {
        let line =
            self.starts.partition_point(|start| *start <= offset).saturating_sub(1);
        (line, self.starts.get(line).copied().unwrap_or_default())
    }
}

/// A line, as far as block YAML can be told from it alone.
struct Line<'a> {
    /// The column of the key, or of the first character.
    indent: usize,
    /// The key, without quotes.
    key: Option<&'a str>,
    /// Where the text after the key begins.
    rest_at: usize,
    /// The text after the key, or all of it.
    rest: &'a str,
    /// It is a list item.
    is_item: bool,
    /// There is nothing on it, or a comment only.
    is_blank: bool,
}

impl<'a> Line<'a> {
    fn of(text: &'a str) -> Self {
        let trimmed = text.trim_start();
        let is_item = trimmed.starts_with("- ") || trimmed == "-";
        let content = text.trim_start_matches([' ', '\t']);
        let mut body = content;
        while let Some(item) = body.strip_prefix("- ") {
            body = item.trim_start();
        }
        let (key, rest) = match split_key(body) {
            Some((key, rest)) => (Some(key), rest),
            None => (None, content),
        };
        let start = if key.is_some() { body } else { content };
        Self {
            indent: text.len() - start.len(),
            key,
            rest_at: text.len() - rest.len(),
            rest,
            is_item,
            is_blank: trimmed.is_empty() || trimmed.starts_with('#'),
        }
    }

    fn continues_list(&self, indent: usize) -> bool {
        self.is_blank || self.indent > indent || self.is_item && self.indent == indent
    }

    fn words(&self) -> impl Iterator<Item = String> {
        self.rest
            .split(|c: char| {
                !(c.is_alphanumeric() || matches!(c, '_' | '*' | '?' | '.' | '-'))
            })
            .map(|word| word.trim_start_matches('-'))
            .filter(|word| !word.is_empty())
            .map(str::to_owned)
    }
}

/// Splits `key: rest`; the key may be quoted.
fn split_key(body: &str) -> Option<(&str, &str)> {
    let (key, after) = match body.chars().next()? {
        quote @ ('"' | '\'') => {
            let (key, after) = body.get(1..)?.split_once(quote)?;
            (key, after.trim_start().strip_prefix(':')?)
        }
        '#' | '{' | '[' | '|' | '>' => return None,
        _ => body.split_once(':').map(|(key, after)| (key.trim_end(), after))?,
    };
    let ends_key = after.is_empty() || after.starts_with([' ', '\t']);
    let is_name = !key.contains(['=', '#', ',']);
    (ends_key && is_name).then_some((key, after))
}

/// What stands above a line and encloses it.
#[derive(Default)]
struct Above<'a>(Vec<Encloser<'a>>);

struct Encloser<'a> {
    indent: usize,
    key: Option<&'a str>,
    covers: bool,
}

impl<'a> Above<'a> {
    /// Forgets what does not enclose the line.
    fn leave(&mut self, line: &Line<'_>) {
        if !line.is_blank {
            self.0.retain(|encloser| {
                encloser.indent < line.indent
                    || line.is_item
                        && line.key.is_none()
                        && encloser.key.is_some()
                        && encloser.indent == line.indent
            });
        }
    }

    /// Covers a line, and takes it into account for those below it.
    fn enter(&mut self, text: &'a str, names: &SensitiveNames) -> CoveredLine {
        let text = text.strip_suffix('\r').unwrap_or(text);
        let line = Line::of(text);
        self.leave(&line);
        let cover = self.cover(&line, text, names);
        if !line.is_blank {
            let covers = cover.is_some()
                || line.key.is_some_and(|key| self.holds_secret(key, names));
            self.0.push(Encloser { indent: line.indent, key: line.key, covers });
        }
        let text = match cover {
            Some(cover) => text.get(..cover).unwrap_or_default().to_owned() + CONCEALED,
            None => text.to_owned(),
        };
        CoveredLine { text, cover }
    }

    /// Returns where the secret part of a line begins.
    fn cover(
        &self,
        line: &Line<'_>,
        text: &str,
        names: &SensitiveNames,
    ) -> Option<usize> {
        let from = |at: usize| {
            let tail = text.get(at..)?;
            let start = at + tail.len() - tail.trim_start().len();
            (start < text.len()).then_some(start)
        };
        if self.0.iter().any(|encloser| encloser.covers) {
            return from(0);
        }
        if line.key.is_some_and(|key| self.holds_secret(key, names)) {
            return from(line.rest_at);
        }
        let places = [
            inline_secret(line.rest, names),
            default_of_secret(line.rest, names),
            password_of_url(line.rest),
            self.address(line),
        ];
        places.into_iter().flatten().min().and_then(|at| from(line.rest_at + at))
    }

    /// Returns where a URL begins at which somebody is told, or what stands in its place.
    fn address(&self, line: &Line<'_>) -> Option<usize> {
        const NOTIFY: Option<&str> = Some("notify");
        let is_below = self.0.iter().any(|encloser| encloser.key == NOTIFY);
        if !is_below && line.key != NOTIFY && !line.rest.contains("notify") {
            return None;
        }
        let is_flow = line.rest.trim_start_matches([' ', '-']).starts_with(['{', '[']);
        let is_whole = match line.key {
            Some("url") | None => is_below,
            key => key == NOTIFY,
        };
        if is_whole && !is_flow {
            return Some(0);
        }
        let marks = ["url:", "url\"", "url'", "://"];
        marks.into_iter().filter_map(|mark| Some(line.rest.find(mark)? + 3)).min()
    }

    /// Tells whether the value of a key at this place is secret.
    fn holds_secret(&self, key: &str, names: &SensitiveNames) -> bool {
        let keys: Vec<&str> = self.0.iter().filter_map(|encloser| encloser.key).collect();
        match keys.as_slice() {
            [section] if SECTIONS.contains(section) => false,
            [section, _] if CONTENT_SECTIONS.contains(section) && key == "content" => {
                true
            }
            _ => key != "secrets" && names.holds(key),
        }
    }
}

/// Returns where the value of a secret begins that stands inside a line: `NAME=value`,
/// `{NAME: value}`, `--name=value`.
fn inline_secret(text: &str, names: &SensitiveNames) -> Option<usize> {
    let is_word = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    let mut start = 0;
    for (at, character) in text.char_indices() {
        if matches!(character, ':' | '=') {
            let name = text.get(start..at)?.trim_end().trim_end_matches(['"', '\'']);
            let name = name.rsplit(|c| !is_word(c)).next().unwrap_or_default();
            if name != "secrets" && names.holds(name) {
                return Some(at + character.len_utf8());
            }
            start = at + character.len_utf8();
        }
    }
    None
}

/// Returns where `${NAME-default}` of a secret goes on after the name.
fn default_of_secret(text: &str, names: &SensitiveNames) -> Option<usize> {
    text.match_indices("${").map(|(at, mark)| at + mark.len()).find_map(|start| {
        let rest = text.get(start..)?;
        let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_'));
        let end = end.unwrap_or(rest.len());
        names.holds(rest.get(..end)?).then_some(start + end)
    })
}

/// Returns where the password of a URL begins.
fn password_of_url(text: &str) -> Option<usize> {
    passwords_in_urls(text).next().and_then(|password| text.find(password))
}

#[cfg(test)]
mod tests;

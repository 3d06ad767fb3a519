//! Reading files for a load: every path that was read or looked for is remembered.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::dotenv::{self, DotEnv};
use super::encrypted::{self, Encryption};
use super::files::{Files, ReadError};
use super::interpolate::variables::Variables;
use super::problem::{Problems, Sources, Span};
use super::yaml::{self, MOST_BYTES};
use crate::state::secret::Secret;

/// The files of a load.
pub struct Reading<'a> {
    files: &'a dyn Files,
    /// What was read, to draw problems on.
    pub sources: Sources,
    /// Every path that was read or looked for.
    pub touched: BTreeSet<PathBuf>,
    variables: BTreeMap<(PathBuf, bool), Option<Rc<Variables>>>,
}

/// Why a file gave no text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoText {
    /// It is not there.
    Missing,
    /// It was refused, or could not be read: the reason, for people.
    Failed(String),
    /// It is no text: a problem was reported at its place.
    Reported,
}

impl<'a> Reading<'a> {
    /// Begins with nothing read.
    pub fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            sources: Sources::default(),
            touched: BTreeSet::new(),
            variables: BTreeMap::new(),
        }
    }

    /// Returns what lends the files.
    pub fn files(&self) -> &'a dyn Files {
        self.files
    }

    /// Tells whether a file is there; it is watched from now on.
    pub fn exists(&mut self, path: &Path) -> bool {
        self.touched.insert(path.to_owned());
        self.files.exists(path)
    }

    /// Reads a file of the stack and adds it to the sources.
    pub fn text(
        &mut self,
        path: &Path,
        problems: &mut Problems,
    ) -> Result<(u16, String), NoText> {
        match yaml::decode(&self.bytes(path)?) {
            Ok(text) => Ok((self.sources.add(path.to_owned(), text.clone()), text)),
            Err(wrong) => {
                let file = self.sources.add(path.to_owned(), wrong.shown);
                problems.error(
                    place(file, wrong.offset..wrong.offset),
                    "",
                    wrong.message,
                );
                Err(NoText::Reported)
            }
        }
    }

    /// Reads an encrypted file, and returns what it says. Nothing of it is added to the
    /// sources.
    pub fn plaintext(&mut self, path: &Path, how: Encryption) -> Result<Secret, NoText> {
        let bytes = self.bytes(path)?;
        self.files.decrypt(&bytes, how).map_err(|error| no_text(&error))
    }

    /// Reads a file of variables, which may be encrypted: then all of them are secret. Its
    /// values are not added to the sources.
    pub fn variables(
        &mut self,
        path: &Path,
        raw: bool,
        environment: &Variables,
        problems: &mut Problems,
    ) -> Result<Rc<Variables>, NoText> {
        let key = (path.to_owned(), raw);
        if let Some(known) = self.variables.get(&key) {
            return known.clone().ok_or(NoText::Reported);
        }
        let bytes = self.bytes(path)?;
        let read = match encrypted::of_variables(path, &bytes) {
            None => self.parsed(path, &bytes, raw, environment, problems),
            Some(how) => {
                let text =
                    self.files.decrypt(&bytes, how).map_err(|error| no_text(&error))?;
                Some(Rc::new(concealed(text.expose(), raw, environment)?))
            }
        };
        self.variables.insert(key, read.clone());
        read.ok_or(NoText::Reported)
    }

    fn parsed(
        &mut self,
        path: &Path,
        bytes: &[u8],
        raw: bool,
        environment: &Variables,
        problems: &mut Problems,
    ) -> Option<Rc<Variables>> {
        let text = match yaml::decode(bytes) {
            Ok(text) => text,
            Err(wrong) => {
                let shown = dotenv::conceal(&wrong.shown, &DotEnv::default());
                let file = self.sources.add(path.to_owned(), shown);
                problems.error(
                    place(file, wrong.offset..wrong.offset),
                    "",
                    wrong.message,
                );
                return None;
            }
        };
        let read = variables_of(&text, raw, environment);
        let file = self.sources.add(path.to_owned(), dotenv::conceal(&text, &read));
        for fault in &read.faults {
            let span = place(file, fault.range.clone());
            let problem = problems.error(span, "", &fault.message);
            if let Some(help) = fault.help {
                problem.help(help);
            }
        }
        for (name, range) in &read.unset {
            let message = format!("the variable {name} is not set; it is taken as empty");
            problems.warning(place(file, range.clone()), "", message);
        }
        read.faults.is_empty().then(|| Rc::new(read.variables))
    }

    fn bytes(&mut self, path: &Path) -> Result<Vec<u8>, NoText> {
        self.touched.insert(path.to_owned());
        let bytes = self.files.read(path).map_err(|error| no_text(&error))?;
        let limit = u64::try_from(MOST_BYTES).unwrap_or(u64::MAX);
        if bytes.len() > MOST_BYTES {
            Err(no_text(&ReadError::TooLarge(limit)))
        } else {
            Ok(bytes)
        }
    }
}

impl NoText {
    /// Reports it, unless that was done.
    pub fn report(
        &self,
        path: &Path,
        span: Option<Span>,
        at: &str,
        problems: &mut Problems,
    ) {
        let path = path.display();
        match self {
            Self::Missing => {
                problems.error(span, at, format!("the file {path} is not there"));
            }
            Self::Failed(why) => {
                problems.error(span, at, format!("{path} cannot be read: {why}"));
            }
            Self::Reported => {}
        }
    }
}

fn variables_of(text: &str, raw: bool, environment: &Variables) -> DotEnv {
    if raw {
        dotenv::parse_raw(text, environment)
    } else {
        dotenv::parse(text, environment)
    }
}

/// Reads what a file says that was encrypted. What is wrong with it is told by its line
/// alone: any word of it may be a secret.
fn concealed(
    text: &str,
    raw: bool,
    environment: &Variables,
) -> Result<Variables, NoText> {
    let read = variables_of(text, raw, environment);
    let line =
        |at: usize| text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1;
    let fault =
        read.faults.first().map(|fault| (fault.range.start, "is no `NAME=value`"));
    let unset = read.unset.first();
    let unset = unset.map(|(_, range)| (range.start, "names a variable that is not set"));
    match fault.or(unset) {
        None => Ok(read.variables.concealed()),
        Some((at, what)) => {
            let line = line(at);
            let why = format!("line {line} of what is encrypted {what}{DOLLAR}");
            Err(NoText::Failed(why))
        }
    }
}

const DOLLAR: &str =
    "; a value with `$`, `#` or quotes is taken literally in single quotes";

fn no_text(error: &ReadError) -> NoText {
    match error {
        ReadError::Missing => NoText::Missing,
        ReadError::TooLarge(_) | ReadError::Refused(_) | ReadError::Failed(_) => {
            NoText::Failed(error.to_string())
        }
    }
}

fn place(file: u16, range: std::ops::Range<usize>) -> Span {
    let offset = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    Span { file, start: offset(range.start), end: offset(range.end) }
}

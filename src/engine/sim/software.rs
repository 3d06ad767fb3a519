//! What the software in a container does: by script, or by labels of its service.

use std::time::Duration;

use crate::compose::units::{parse_bytes, parse_duration};
use crate::state::document::Document;
use crate::state::value::Value;

/// What the software of a service does. It runs and is well unless told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Software {
    /// How long the call that starts it takes.
    pub starts: Duration,
    /// When it ends by itself; never when nothing.
    pub ends: Option<End>,
    /// What its health command says.
    pub health: Wellness,
    /// What it does when it is asked to stop.
    pub stops: Reaction,
    /// What the test of changed content says against it; it passes when nothing.
    pub refuses: Option<String>,
    /// Any signal ends it.
    pub ends_on_signals: bool,
    /// The paths for which its image asks for a volume.
    pub volumes: Vec<String>,
    /// How many bytes of memory it uses while it runs.
    pub uses: u64,
}

/// An end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct End {
    /// How long after the start, or after it was asked to stop.
    pub after: Duration,
    /// The exit code.
    pub code: i64,
}

/// What a health command says, by the age of the run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wellness {
    /// From which age on it passes; never when nothing.
    pub from: Passing,
    /// From which age on it fails again.
    pub until: Option<Duration>,
}

/// When a health command begins to pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passing {
    /// From this age of the run on.
    After(Duration),
    /// Not at all.
    Never,
}

impl Default for Passing {
    fn default() -> Self {
        Self::After(Duration::ZERO)
    }
}

/// What it does when it is asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reaction {
    /// It ends.
    Ends(End),
    /// Nothing: it has to be killed.
    Ignores,
}

impl Default for Reaction {
    fn default() -> Self {
        // Measured on 20.10: what handles its signal well exits with 0.
        Self::Ends(End { after: Duration::ZERO, code: 0 })
    }
}

impl Software {
    /// Returns software that runs, and whose health command fails.
    pub fn sick() -> Self {
        let health = Wellness { from: Passing::Never, until: None };
        Self { health, ..Self::default() }
    }

    /// Returns software that runs, and whose health command passes from this age on.
    pub fn well_after(age: Duration) -> Self {
        let health = Wellness { from: Passing::After(age), until: None };
        Self { health, ..Self::default() }
    }

    /// Returns software that ends with this code as soon as it was started.
    pub fn ends(code: i64) -> Self {
        let ends = Some(End { after: Duration::ZERO, code });
        Self { ends, ..Self::default() }
    }

    /// Tells whether the health command passes at this age of the run.
    pub fn is_well_at(&self, age: Duration) -> bool {
        let begins = match self.health.from {
            Passing::After(from) => age >= from,
            Passing::Never => false,
        };
        begins && self.health.until.is_none_or(|until| age < until)
    }

    /// Reads the labels `sim.*` of a container; see the table in [`crate::engine::sim`].
    ///
    /// # Errors
    /// A label is unknown, or its value makes no sense: a sentence says so.
    pub fn of_labels(document: &Document) -> Result<Self, String> {
        let mut software = Self::default();
        let mut end = End { after: Duration::ZERO, code: 0 };
        let mut has_end = false;
        for (name, value) in document.get("Config.Labels").entries() {
            let Some(key) = name.strip_prefix("sim.") else { continue };
            let text = value.exposed_text().unwrap_or_default();
            match key {
                "exits" => {
                    end.code = code(name, text)?;
                    has_end = true;
                }
                "after" => end.after = duration(name, text)?,
                "health" => software.health.from = passing(name, text)?,
                "sickens" => software.health.until = Some(duration(name, text)?),
                "stops" => software.stops = reaction(name, text)?,
                "starts" => software.starts = duration(name, text)?,
                "refuses" => software.refuses = Some(text.to_owned()),
                "signals" if text == "ends" => software.ends_on_signals = true,
                "uses" => software.uses = bytes(name, text)?,
                "volumes" => {
                    software.volumes = text.split(',').map(str::to_owned).collect();
                }
                _ => {
                    return Err(format!(
                        "{name}: the simulated engine knows no such label"
                    ));
                }
            }
        }
        software.ends = has_end.then_some(end);
        Ok(software)
    }
}

fn bytes(name: &str, text: &str) -> Result<u64, String> {
    let bytes = parse_bytes(text).ok().and_then(|bytes| u64::try_from(bytes).ok());
    bytes.ok_or_else(|| format!("{name}: `{text}` is not a number of bytes"))
}

fn code(name: &str, text: &str) -> Result<i64, String> {
    text.parse::<u8>()
        .map(i64::from)
        .map_err(|_| format!("{name}: `{text}` is not an exit code from 0 to 255"))
}

fn duration(name: &str, text: &str) -> Result<Duration, String> {
    parse_duration(text)
        .map_err(|_| format!("{name}: `{text}` is not a duration such as 2s or 1m30s"))
}

fn passing(name: &str, text: &str) -> Result<Passing, String> {
    if text == "never" {
        return Ok(Passing::Never);
    }
    duration(name, text).map(Passing::After)
}

fn reaction(name: &str, text: &str) -> Result<Reaction, String> {
    if text == "never" {
        return Ok(Reaction::Ignores);
    }
    Ok(Reaction::Ends(End { after: duration(name, text)?, code: 0 }))
}

/// Reads a duration of a document; nothing when there is none.
pub(super) fn duration_of(value: &Value) -> Option<Duration> {
    parse_duration(value.as_text()?).ok().filter(|it| !it.is_zero())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(labels: &[(&str, &str)]) -> Result<Software, String> {
        let mut document = Document::default();
        let labels = labels.iter().map(|(name, value)| (*name, Value::text(*value)));
        document.set("Config.Labels", Value::map(labels));
        Software::of_labels(&document)
    }

    #[test]
    fn labels_choose_what_software_does() {
        assert_eq!(read(&[("team", "x")]), Ok(Software::default()));
        let software = read(&[("sim.exits", "3"), ("sim.after", "2s")]).unwrap();
        let end = End { after: Duration::from_secs(2), code: 3 };
        assert_eq!(software.ends, Some(end));
        let software = read(&[("sim.health", "2s"), ("sim.sickens", "5s")]).unwrap();
        let well: Vec<bool> = [1, 2, 4, 5]
            .map(Duration::from_secs)
            .map(|age| software.is_well_at(age))
            .into();
        assert_eq!(well, [false, true, true, false]);
        assert_eq!(read(&[("sim.health", "never")]), Ok(Software::sick()));
        let software = read(&[("sim.stops", "never")]).unwrap();
        assert_eq!(software.stops, Reaction::Ignores);
    }

    #[test]
    fn a_label_that_is_not_understood_is_named() {
        for (name, value, word) in [
            ("sim.exit", "1", "no such label"),
            ("sim.exits", "300", "from 0 to 255"),
            ("sim.after", "soon", "not a duration"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.contains(word) && error.contains(name), "{error}");
        }
    }
}

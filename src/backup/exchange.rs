//! The exchange of data folders for those of an archive, journalled so that whoever comes
//! next can finish it or take it back, wherever it was cut off.
//!
//! The folders themselves stay where they are, since a mount point cannot be renamed: what is
//! in them is moved aside, and what was taken out of the archive is moved in. Both lie on the
//! same file system, in a folder of ours that only its owner can enter: beside the data folder
//! where that is on the same device, else within it. What was set aside is removed by
//! [`Exchange::keep`] alone, which is for whoever has seen the restored stack ready.
//!
//! A step is in the journal, and the journal on the disk, before it is taken. Every entry is
//! in one place only, so that each step can be taken again from wherever it was cut off.

use std::collections::BTreeMap;
use std::fs::{DirBuilder, File};
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::BackupError;
use super::entry::Kind;
use super::error::on;
use super::metadata;
use super::scan::{OURS, is_no_data};

/// An exchange that is under way.
#[derive(Debug)]
pub struct Exchange {
    path: PathBuf,
    journal: Journal,
}

/// How far an exchange has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// The archive is taken out; the data folders are as they were.
    Staging,
    /// The data folders are being exchanged.
    Exchanging,
    /// They are exchanged, and the stack has yet to be ready with them.
    Proving,
    /// They stay; what was set aside is being removed.
    Keeping,
    /// They are being changed back.
    Returning,
}

#[derive(Debug, Serialize, Deserialize)]
struct Journal {
    archive: PathBuf,
    stage: Stage,
    folders: Vec<Folder>,
}

/// One data folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Folder {
    name: String,
    data: PathBuf,
    work: PathBuf,
    step: Step,
}

/// What is done to one data folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Step {
    /// It is as it was.
    Untouched,
    /// What is in it is moved aside, or back from there.
    Clearing,
    /// What was taken out is moved in, or back out.
    Filling,
}

impl Folder {
    fn new_data(&self) -> PathBuf {
        self.work.join("new")
    }

    fn old_data(&self) -> PathBuf {
        self.work.join("old")
    }
}

impl Exchange {
    /// Returns the exchange that a journal tells of, if there is one.
    ///
    /// # Errors
    /// It cannot be read: a person has to look.
    pub fn found(path: &Path) -> Result<Option<Self>, BackupError> {
        let bytes = match std::fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(None);
            }
            Err(error) => return Err(on("read", path)(error)),
        };
        let journal = serde_json::from_slice(&bytes)
            .map_err(|error| on("understand", path)(error.into()))?;
        Ok(Some(Self { path: path.to_owned(), journal }))
    }

    /// Begins an exchange of these data folders, by their names in the archive.
    ///
    /// # Errors
    /// The system's; nothing is changed then.
    pub fn begin(
        path: &Path,
        archive: &Path,
        folders: &BTreeMap<String, PathBuf>,
        stamp: &str,
    ) -> Result<Self, BackupError> {
        let mut all = Vec::new();
        for (name, data) in folders {
            let work = place(data)?.join(format!("{OURS}restore-{name}-{stamp}"));
            let (name, data) = (name.clone(), data.clone());
            all.push(Folder { name, data, work, step: Step::Untouched });
        }
        let archive = archive.to_owned();
        let journal = Journal { archive, stage: Stage::Staging, folders: all };
        let exchange = Self { path: path.to_owned(), journal };
        exchange.write()?;
        for folder in &exchange.journal.folders {
            let made = DirBuilder::new().mode(0o700).create(&folder.work);
            if let Err(error) = made {
                let failed = on("make", &folder.work)(error);
                exchange.discard()?;
                return Err(failed);
            }
        }
        Ok(exchange)
    }

    /// Returns how far it has come.
    pub const fn stage(&self) -> Stage {
        self.journal.stage
    }

    /// Returns the archive.
    pub fn archive(&self) -> &Path {
        &self.journal.archive
    }

    /// Returns where the archive is to be taken out to, by the names in it.
    pub fn staging(&self) -> BTreeMap<String, PathBuf> {
        let folders = self.journal.folders.iter();
        folders.map(|it| (it.name.clone(), it.new_data())).collect()
    }

    /// Exchanges the data folders. Only while nothing runs.
    ///
    /// # Errors
    /// The system's: then they have to be changed back.
    pub fn exchange(&mut self) -> Result<(), BackupError> {
        self.enter(Stage::Exchanging)?;
        for at in 0..self.journal.folders.len() {
            let folder = self.step(at, Step::Clearing)?;
            let old = folder.old_data();
            let made = DirBuilder::new().mode(0o700).create(&old);
            made.map_err(on("make", &old))?;
            like(&folder.data, &old)?;
            pour(&folder.data, &old)?;
            let folder = self.step(at, Step::Filling)?;
            pour(&folder.new_data(), &folder.data)?;
            like(&folder.new_data(), &folder.data)?;
            settle(&folder)?;
        }
        self.enter(Stage::Proving)
    }

    /// Changes the data folders back, wherever it was cut off. Only while nothing runs.
    ///
    /// # Errors
    /// The system's: it has to be done again.
    pub fn give_back(&mut self) -> Result<(), BackupError> {
        self.enter(Stage::Returning)?;
        for at in (0..self.journal.folders.len()).rev() {
            let folder = self.journal.folders[at].clone();
            if folder.step == Step::Filling {
                pour(&folder.data, &folder.new_data())?;
                settle(&folder)?;
                self.step(at, Step::Clearing)?;
            }
            if self.journal.folders[at].step == Step::Clearing {
                let old = folder.old_data();
                if old.exists() {
                    pour(&old, &folder.data)?;
                    like(&old, &folder.data)?;
                    settle(&folder)?;
                }
                self.step(at, Step::Untouched)?;
            }
        }
        Ok(())
    }

    /// Keeps the data of the archive, and removes what was set aside for good. Only when the
    /// restored stack was seen ready.
    ///
    /// # Errors
    /// The system's: it has to be done again.
    pub fn keep(mut self) -> Result<(), BackupError> {
        self.enter(Stage::Keeping)?;
        self.discard()
    }

    /// Removes our own folders, and the journal. Only when the data folders are as they are
    /// to be.
    ///
    /// # Errors
    /// The system's: it has to be done again.
    pub fn discard(self) -> Result<(), BackupError> {
        let is_whole = match self.journal.stage {
            Stage::Staging | Stage::Keeping => true,
            Stage::Returning => {
                self.journal.folders.iter().all(|it| it.step == Step::Untouched)
            }
            Stage::Exchanging | Stage::Proving => false,
        };
        if !is_whole {
            let why = "its data folders are not as they are to be".to_owned();
            return Err(BackupError::Unfit { path: self.path, why });
        }
        for folder in &self.journal.folders {
            match std::fs::remove_dir_all(&folder.work) {
                Ok(()) => {}
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
                Err(error) => return Err(on("remove", &folder.work)(error)),
            }
        }
        std::fs::remove_file(&self.path).map_err(on("remove", &self.path))
    }

    fn enter(&mut self, stage: Stage) -> Result<(), BackupError> {
        self.journal.stage = stage;
        self.write()
    }

    fn step(&mut self, at: usize, step: Step) -> Result<Folder, BackupError> {
        self.journal.folders[at].step = step;
        self.write()?;
        Ok(self.journal.folders[at].clone())
    }

    /// Brings the journal to the disk.
    fn write(&self) -> Result<(), BackupError> {
        let path = &self.path;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        let write = || -> std::io::Result<()> {
            DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&serde_json::to_vec_pretty(&self.journal)?)?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            File::open(folder)?.sync_all()
        };
        write().map_err(on("write", path))
    }
}

/// Returns the folder for what is ours: beside a data folder where that is on its device.
fn place(data: &Path) -> Result<PathBuf, BackupError> {
    let device = |path: &Path| -> Result<u64, BackupError> {
        std::fs::metadata(path).map(|it| it.dev()).map_err(on("read", path))
    };
    let own = device(data)?;
    match data.parent() {
        Some(parent) if device(parent)? == own => Ok(parent.to_owned()),
        Some(_) | None => Ok(data.to_owned()),
    }
}

/// Moves everything in a folder to another one.
fn pour(from: &Path, to: &Path) -> Result<(), BackupError> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(from).map_err(on("read", from))? {
        names.push(entry.map_err(on("read", from))?.file_name());
    }
    for name in names.iter().filter(|name| !is_no_data(name.as_bytes())) {
        let source = from.join(name);
        std::fs::rename(&source, to.join(name)).map_err(on("move", &source))?;
    }
    Ok(())
}

/// Gives a folder the owner, permissions and times of another one.
fn like(from: &Path, to: &Path) -> Result<(), BackupError> {
    let known = std::fs::symlink_metadata(from).map_err(on("read", from))?;
    let entry = metadata::entry(from, Vec::new(), Kind::Folder, &known)?;
    metadata::apply(to, &entry)
}

/// Brings what was moved to the disk.
fn settle(folder: &Folder) -> Result<(), BackupError> {
    let open = File::open(&folder.data).map_err(on("open", &folder.data))?;
    rustix::fs::syncfs(&open)
        .map_err(|error| on("bring to the disk", &folder.data)(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn told(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path());
        let mut told: Vec<String> = entries
            .filter(|it| it.is_file())
            .map(|it| {
                let name = it.file_name().unwrap().to_string_lossy().into_owned();
                format!("{name}={}", fs::read_to_string(it).unwrap())
            })
            .collect();
        told.sort();
        told
    }

    struct Bench(tempfile::TempDir);

    impl Bench {
        fn new() -> Self {
            let bench = Self(tempfile::tempdir().unwrap());
            for name in ["a", "b"] {
                let data = bench.data(name);
                fs::create_dir(&data).unwrap();
                fs::write(data.join("both"), "old").unwrap();
                fs::write(data.join(format!("old-{name}")), "old").unwrap();
            }
            bench
        }

        fn data(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn journal(&self) -> PathBuf {
            self.0.path().join("state/restore.json")
        }

        fn staged(&self) -> Exchange {
            let names = ["a", "b"].map(|it| (it.to_owned(), self.data(it)));
            let journal = self.journal();
            let archive = Path::new("/archive");
            let exchange =
                Exchange::begin(&journal, archive, &BTreeMap::from(names), "1").unwrap();
            for (name, new) in exchange.staging() {
                fs::create_dir(&new).unwrap();
                fs::write(new.join("both"), "new").unwrap();
                fs::write(new.join(format!("new-{name}")), "new").unwrap();
            }
            exchange
        }

        fn is(&self, age: &str) {
            for name in ["a", "b"] {
                let own = format!("{age}-{name}={age}");
                let mut expected = vec![format!("both={age}"), own];
                expected.sort();
                assert_eq!(told(&self.data(name)), expected);
            }
        }

        fn is_tidy(&self) {
            let left = fs::read_dir(self.0.path()).unwrap().map(|it| it.unwrap().path());
            let left = left.filter(|it| it.to_string_lossy().contains(OURS));
            assert_eq!(left.count(), 0);
            assert!(!self.journal().exists());
        }
    }

    #[test]
    fn data_are_exchanged_and_kept_or_given_back() {
        let bench = Bench::new();
        let mut exchange = bench.staged();
        bench.is("old");
        exchange.exchange().unwrap();
        bench.is("new");
        assert!(Exchange::found(&bench.journal()).unwrap().unwrap().discard().is_err());
        exchange.give_back().unwrap();
        bench.is("old");
        exchange.discard().unwrap();
        bench.is_tidy();
        let mut exchange = bench.staged();
        exchange.exchange().unwrap();
        exchange.keep().unwrap();
        bench.is("new");
        bench.is_tidy();
    }

    /// Does one half of an exchange: everything up to a step, of which so many entries.
    fn cut_off(bench: &Bench, at: usize, step: Step, moved: usize) {
        let mut exchange = bench.staged();
        exchange.enter(Stage::Exchanging).unwrap();
        for number in 0..=at {
            let is_last = number == at;
            let folder = exchange.step(number, Step::Clearing).unwrap();
            fs::create_dir(folder.old_data()).unwrap();
            let some = |from: &Path, to: &Path, most: usize| {
                for entry in fs::read_dir(from).unwrap().take(most) {
                    let entry = entry.unwrap();
                    fs::rename(entry.path(), to.join(entry.file_name())).unwrap();
                }
            };
            let most = if is_last && step == Step::Clearing { moved } else { 9 };
            some(&folder.data, &folder.old_data(), most);
            if is_last && step == Step::Clearing {
                return;
            }
            exchange.step(number, Step::Filling).unwrap();
            some(&folder.new_data(), &folder.data, if is_last { moved } else { 9 });
        }
    }

    #[test]
    fn an_exchange_that_was_cut_off_anywhere_is_taken_back() {
        for at in 0..2 {
            for step in [Step::Clearing, Step::Filling] {
                for moved in 0..3 {
                    let bench = Bench::new();
                    cut_off(&bench, at, step, moved);
                    let mut found = Exchange::found(&bench.journal()).unwrap().unwrap();
                    assert_eq!(found.stage(), Stage::Exchanging);
                    found.give_back().unwrap();
                    bench.is("old");
                    found.discard().unwrap();
                    bench.is_tidy();
                }
            }
        }
    }

    #[test]
    fn staging_that_was_cut_off_is_cleared_away_and_changes_nothing() {
        let bench = Bench::new();
        drop(bench.staged());
        Exchange::found(&bench.journal()).unwrap().unwrap().discard().unwrap();
        bench.is("old");
        bench.is_tidy();
    }
}

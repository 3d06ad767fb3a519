//! What this host is and has: read from `/proc`, `/sys` and its disks, and nothing else.
//!
//! What cannot be read is left out; only what was read is judged.

mod disk;
mod listeners;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use crate::state::host::Host;

/// The settings of the kernel that are read, with where they stand.
const KERNEL: [(&str, &str); 2] = [
    ("vm.max_map_count", "proc/sys/vm/max_map_count"),
    ("vm.swappiness", "proc/sys/vm/swappiness"),
];

/// The programs that set clocks, as the kernel shortens their names.
const CLOCKS: [&str; 4] = ["chronyd", "ntpd", "systemd-timesyn", "openntpd"];

/// Looks at this host; `paths` are the folders that matter.
pub fn look(paths: &BTreeSet<String>) -> Host {
    Place { root: PathBuf::from("/") }.look(paths)
}

/// Says why a folder, or the closest one above it that is there, cannot be written to;
/// nothing when it can.
pub fn cannot_write(path: &Path) -> Option<String> {
    let there = path.ancestors().find(|it| it.exists())?;
    let error = rustix::fs::access(there, rustix::fs::Access::WRITE_OK).err()?;
    Some(format!("{}: {error}", there.display()))
}

/// Where files of the system are: a test puts its own there.
struct Place {
    root: PathBuf,
}

impl Place {
    fn look(&self, paths: &BTreeSet<String>) -> Host {
        let (programs, engine) = self.programs();
        let is_set = CLOCKS.iter().any(|it| programs.contains(*it));
        let was_set = self.root.join("run/systemd/timesync/synchronized").exists();
        let folders: BTreeMap<_, _> = paths
            .iter()
            .map(|path| (path.clone(), disk::folder(Path::new(path))))
            .collect();
        Host {
            is_root: rustix::process::geteuid().is_root(),
            kernel: KERNEL
                .iter()
                .filter_map(|(name, file)| Some(((*name).to_owned(), self.number(file)?)))
                .collect(),
            huge_pages: self.huge_pages(),
            has_ufw: self.has_ufw(),
            is_synchronised: is_set || was_set,
            programs,
            listeners: listeners::all(&self.root),
            folders,
            engine_files: engine.and_then(|pid| self.open_files(&pid)),
            limits_logs: self.limits_logs(),
            time: None,
        }
    }

    fn text(&self, file: &str) -> Option<String> {
        fs::read_to_string(self.root.join(file)).ok()
    }

    fn number(&self, file: &str) -> Option<i64> {
        self.text(file)?.trim().parse().ok()
    }

    /// The chosen word stands in brackets: `always [madvise] never`.
    fn huge_pages(&self) -> Option<String> {
        let text = self.text("sys/kernel/mm/transparent_hugepage/enabled")?;
        let (_, rest) = text.split_once('[')?;
        rest.split_once(']').map(|(word, _)| word.to_owned())
    }

    fn has_ufw(&self) -> bool {
        let text = self.text("etc/ufw/ufw.conf").unwrap_or_default();
        text.lines().any(|line| line.trim().eq_ignore_ascii_case("enabled=yes"))
    }

    /// Reads the names of all running programs, and the process of the engine.
    fn programs(&self) -> (BTreeSet<String>, Option<String>) {
        let (mut programs, mut engine) = (BTreeSet::new(), None);
        let entries = fs::read_dir(self.root.join("proc")).into_iter().flatten();
        for entry in entries.filter_map(Result::ok) {
            let pid = entry.file_name().to_string_lossy().into_owned();
            if !pid.bytes().all(|it| it.is_ascii_digit()) {
                continue;
            }
            let Some(name) = self.text(&format!("proc/{pid}/comm")) else { continue };
            let name = name.trim().to_owned();
            if name == "dockerd" {
                engine = Some(pid);
            }
            programs.insert(name);
        }
        (programs, engine)
    }

    fn open_files(&self, pid: &str) -> Option<u64> {
        let text = self.text(&format!("proc/{pid}/limits"))?;
        let line = text.lines().find_map(|line| line.strip_prefix("Max open files"))?;
        let soft = line.split_whitespace().next()?;
        if soft == "unlimited" { Some(u64::MAX) } else { soft.parse().ok() }
    }

    fn limits_logs(&self) -> bool {
        let text = self.text("etc/docker/daemon.json").unwrap_or_default();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        json["log-opts"]["max-size"].is_string()
    }
}

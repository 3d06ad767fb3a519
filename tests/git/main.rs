//! The source `git`, against real servers on loopback.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]
#![allow(
    clippy::disallowed_methods,
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    reason = "tests measure real time, list many cases, and match what they expect"
)]

mod access;
mod files;
#[path = "../forge/mod.rs"]
mod forge;
mod history;
mod trouble;
mod trust;

use std::path::{Path, PathBuf};

use forge::Forge;
use reconciler::source::git::{
    Access, Cache, GitError, GitUrl, Limits, Program, Reference, Remote,
};
use reconciler::state::commit::CommitId;

/// A cache beside a forge.
pub(crate) struct Host {
    folder: tempfile::TempDir,
    pub(crate) cache: Cache,
}

impl Host {
    /// Follows `main` by HTTP.
    pub(crate) fn of(forge: &Forge) -> Self {
        Self::with(&forge.http_url(), by_token(forge), Limits::default())
    }

    pub(crate) fn with(url: &str, access: Access, limits: Limits) -> Self {
        Self::follow(url, access, limits, Reference::branch("main").unwrap())
    }

    pub(crate) fn follow(
        url: &str,
        access: Access,
        limits: Limits,
        reference: Reference,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let remote = Remote { url: GitUrl::parse(url).unwrap(), reference, access };
        let at = folder.path().join("git/repository.git");
        Self { cache: Cache::new(at, remote, Program::new("git", limits)), folder }
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("git/repository.git")
    }

    pub(crate) fn staged(&self) -> PathBuf {
        self.folder.path().join("git/staged")
    }

    /// Fetches the tip and stages its files.
    pub(crate) async fn bring(&self) -> Result<Vec<String>, GitError> {
        let commit = self.cache.fetch(None).await?;
        self.cache.stage(&commit.id, &self.staged()).await
    }

    /// Returns the text of a staged file.
    pub(crate) fn text(&self, name: &str) -> String {
        std::fs::read_to_string(self.staged().join(name)).unwrap()
    }
}

pub(crate) fn by_token(forge: &Forge) -> Access {
    Access { token_file: Some(forge.token_file()), ..Access::default() }
}

pub(crate) fn by_key(forge: &Forge) -> Access {
    Access {
        ssh_key_file: Some(forge.ssh().key()),
        known_hosts_file: Some(forge.ssh().known_hosts()),
        ..Access::default()
    }
}

pub(crate) fn id(text: &str) -> CommitId {
    CommitId::parse(text).unwrap()
}

/// Returns the command lines of the processes that name a path, and are alive.
pub(crate) fn processes_about(path: &Path) -> Vec<String> {
    let about = path.display().to_string();
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let read =
            |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
        let text = [read("cmdline"), read("environ")].concat();
        let text = String::from_utf8_lossy(&text).replace('\0', " ");
        let is_own =
            entry.file_name().to_string_lossy() == std::process::id().to_string();
        if text.contains(&about) && !is_own {
            found.push(text);
        }
    }
    found
}

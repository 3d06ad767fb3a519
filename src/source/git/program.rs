//! The `git` program, with everything switched off that could run something, ask somebody,
//! or lead elsewhere.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use tokio::process::Command;

use super::access::Credentials;
use super::error::ProgramError;
use super::limits::Limits;
use super::process::{Bounds, Ended, ProcessError, run};
use super::url::Scheme;

/// The oldest version that verifies signatures by ssh with the time of the commit; Ubuntu
/// 22.04 has it.
const OLDEST: (u32, u32) = (2, 34);

/// What of our own environment programs get: where they are, and the way out of a network
/// with a proxy or authorities of its own.
const PASSED_ON: [&str; 11] = [
    "PATH",
    "https_proxy",
    "HTTPS_PROXY",
    "http_proxy",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
];

/// Settings for every call; nothing else is read, be it of the user or of the system.
const SETTINGS: [(&str, &str); 35] = [
    ("protocol.allow", "never"),
    ("protocol.version", "2"),
    // A token is for one server; it goes where the address says, or nowhere.
    ("http.followRedirects", "false"),
    ("http.lowSpeedLimit", "1"),
    // Should we be killed meanwhile, this ends what we started.
    ("http.lowSpeedTime", "60"),
    ("transfer.fsckObjects", "true"),
    ("fetch.fsckObjects", "true"),
    // What old programs wrote, and does no harm.
    ("fetch.fsck.zeroPaddedFilemode", "ignore"),
    ("fetch.fsck.badTimezone", "ignore"),
    ("fetch.fsck.missingSpaceBeforeDate", "ignore"),
    ("fetch.recurseSubmodules", "false"),
    ("fetch.writeCommitGraph", "false"),
    ("fetch.uriProtocols", ""),
    ("transfer.bundleURI", "false"),
    ("submodule.recurse", "false"),
    ("core.hooksPath", "/dev/null"),
    ("core.attributesFile", "/dev/null"),
    ("core.excludesFile", "/dev/null"),
    ("core.fsmonitor", "false"),
    ("core.askPass", ""),
    ("core.pager", "cat"),
    ("gc.auto", "0"),
    ("gc.autoDetach", "false"),
    // What is remembered of history does not know where it was cut.
    ("gc.writeCommitGraph", "false"),
    ("core.commitGraph", "false"),
    ("repack.writeBitmaps", "false"),
    ("maintenance.auto", "false"),
    // The host is there for others.
    ("pack.threads", "1"),
    ("pack.windowMemory", "64m"),
    ("log.showSignature", "false"),
    // Signatures of other kinds than ssh's are nobody's.
    ("gpg.program", "false"),
    ("gpg.openpgp.program", "false"),
    ("gpg.x509.program", "false"),
    ("gpg.format", "ssh"),
    ("gpg.minTrustLevel", "fully"),
];

/// The `git` program, and the limits of each call.
#[derive(Clone, Debug)]
pub struct Program {
    git: PathBuf,
    limits: Limits,
}

/// One call.
pub(super) struct Call<'c> {
    pub(super) repository: &'c Path,
    pub(super) arguments: Vec<&'c OsStr>,
    /// With a remote: how it is spoken to, and who we are.
    pub(super) remote: Option<(Scheme, &'c Credentials)>,
    /// More settings.
    pub(super) settings: Vec<(&'c str, &'c OsStr)>,
}

impl Default for Program {
    fn default() -> Self {
        Self::new("git", Limits::default())
    }
}

impl Program {
    /// Uses a program of this name or at this path.
    pub fn new(git: impl Into<PathBuf>, limits: Limits) -> Self {
        Self { git: git.into(), limits }
    }

    /// Returns the bounds of its calls.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Makes sure that the program is there and new enough.
    ///
    /// # Errors
    /// It is not.
    pub async fn check(&self) -> Result<(), ProgramError> {
        let bounds = self.local();
        let mut command = self.command(Path::new("/dev/null"));
        command.arg("version");
        let failed = |error| self.unable(&error);
        let Ended { status, output, complaints } =
            run(command, Vec::new(), bounds).await.map_err(failed)?;
        let output = String::from_utf8_lossy(&output);
        if !status.success() {
            return Err(ProgramError::Failed(complaints.trim().to_owned()));
        }
        match version(&output) {
            Some(found) if found >= OLDEST => Ok(()),
            Some(_) | None => Err(ProgramError::Old { found: output.trim().to_owned() }),
        }
    }

    /// Tells what it means that the program did not come to its own end.
    pub(super) fn unable(&self, error: &ProcessError) -> ProgramError {
        match error {
            ProcessError::Start(io) if io.kind() == std::io::ErrorKind::NotFound => {
                ProgramError::Missing {
                    program: self.git.display().to_string(),
                    package: "git",
                }
            }
            ProcessError::Start(io) | ProcessError::Broken(io) => {
                ProgramError::Failed(io.to_string())
            }
            ProcessError::Late(_) | ProcessError::TooMuch => {
                ProgramError::Failed(error.to_string())
            }
        }
    }

    /// Returns the bounds of work on this host.
    pub(super) fn local(&self) -> Bounds {
        Bounds {
            time: self.limits.local,
            output: 64 << 20,
            file: self.limits.most_fetched,
        }
    }

    /// Returns the command line of a call.
    pub(super) fn prepare(&self, call: &Call<'_>) -> Command {
        let mut command = self.command(call.repository);
        let mut count = 0;
        let mut set = |name: &str, value: &OsStr| {
            command.env(format!("GIT_CONFIG_KEY_{count}"), name);
            command.env(format!("GIT_CONFIG_VALUE_{count}"), value);
            count += 1;
        };
        for (name, value) in SETTINGS {
            set(name, OsStr::new(value));
        }
        for (name, value) in &call.settings {
            set(name, value);
        }
        if let Some((scheme, credentials)) = call.remote {
            set(&format!("protocol.{}.allow", scheme.name()), OsStr::new("always"));
            for (name, value) in &credentials.configuration {
                set(name, OsStr::new(value));
            }
        }
        command.env("GIT_CONFIG_COUNT", count.to_string());
        if let Some(ssh) =
            call.remote.and_then(|(_, credentials)| credentials.ssh.as_ref())
        {
            command.env("GIT_SSH_COMMAND", ssh).env("GIT_SSH_VARIANT", "ssh");
        }
        command.args(&call.arguments);
        command
    }

    /// Returns the program in an environment of its own.
    fn command(&self, repository: &Path) -> Command {
        let mut command = Command::new(&self.git);
        command.env_clear().current_dir("/");
        for name in PASSED_ON {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            // Whatever stands in the home of the user, passwords among it, is not ours.
            .env("HOME", repository)
            // What it writes for `ssh-keygen` depends on no folder of others.
            .env("TMPDIR", repository)
            .env("LC_ALL", "C")
            .env("GIT_DIR", repository)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_ATTR_NOSYSTEM", "1")
            .env("GIT_NO_REPLACE_OBJECTS", "1")
            .env("GIT_NO_LAZY_FETCH", "1")
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_ASKPASS", "")
            .env("GIT_OPTIONAL_LOCKS", "0");
        command
    }
}

/// Reads `git version 2.39.5 (Apple Git-154)`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix("git version ")?.split('.');
    Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn script(folder: &Path, text: &str) -> Program {
        let path = folder.join("git");
        std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        Program::new(path, Limits::default())
    }

    #[test]
    fn versions_are_understood_whatever_follows_them() {
        for (text, expected) in [
            ("git version 2.39.5\n", Some((2, 39))),
            ("git version 2.50.1 (Apple Git-155)", Some((2, 50))),
            ("git version 3.0.0.rc1", Some((3, 0))),
            ("hub version 2", None),
        ] {
            assert_eq!(version(text), expected, "{text}");
        }
    }

    #[tokio::test]
    async fn a_program_that_is_missing_or_too_old_is_told_apart() {
        let missing = Program::new("/nowhere/git", Limits::default()).check().await;
        let program = "/nowhere/git".to_owned();
        assert_eq!(missing, Err(ProgramError::Missing { program, package: "git" }));
        let folder = tempfile::tempdir().unwrap();
        let old = script(folder.path(), "echo git version 2.33.8").check().await;
        let found = "git version 2.33.8".to_owned();
        assert_eq!(old, Err(ProgramError::Old { found }));
    }

    #[tokio::test]
    async fn nothing_of_our_environment_but_the_way_out_gets_there() {
        let folder = tempfile::tempdir().unwrap();
        let program = script(folder.path(), "exec env");
        let call = Call {
            repository: folder.path(),
            arguments: Vec::new(),
            remote: None,
            settings: Vec::new(),
        };
        let ended =
            run(program.prepare(&call), Vec::new(), program.local()).await.unwrap();
        let output = String::from_utf8(ended.output).unwrap();
        let ours =
            ["PWD=", "OLDPWD=", "SHLVL=", "_=", "HOME=", "TMPDIR=", "LC_ALL=", "GIT_"];
        for line in output.lines().filter(|line| line.contains('=')) {
            let name = line.split('=').next().unwrap();
            assert!(
                PASSED_ON.contains(&name) || ours.iter().any(|it| line.starts_with(it)),
                "{line}"
            );
        }
        assert!(output.contains("protocol.allow"), "{output}");
    }
}

//! Who we are to a server, and how we know it.
//!
//! A token stays in its file: `git` asks a helper for it, a line of shell that reads the
//! file by its builtins. So it is in no argument, environment, address or second file, and
//! a new token counts from the next call on. The helper is bound to scheme, host and port.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::url::{GitUrl, Scheme};
use crate::state::secret::Secret;

/// What is shown to a server, and by what a server is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// The file whose first line is the token, for `https://`.
    pub token_file: Option<PathBuf>,
    /// The user that the token belongs to; most servers take any.
    pub user: Option<String>,
    /// The private key, without a passphrase, for ssh; without one ssh finds its own.
    pub ssh_key_file: Option<PathBuf>,
    /// The host keys that are trusted; without it those of the user and of the system.
    pub known_hosts_file: Option<PathBuf>,
}

/// Why the files for access cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It cannot be read.
    #[error("{what} {} cannot be read: {source}", path.display())]
    Unreadable {
        /// What it is for.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Others could know or change what is in it, or it is not a file.
    #[error("{what} {} {reason}", path.display())]
    Unsafe {
        /// What it is for.
        what: &'static str,
        /// Where it is.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: &'static str,
    },
    /// The token would travel in the clear.
    #[error("a token is not sent over http://, where others can read it; use https://")]
    InTheClear,
    /// It does not fit the address.
    #[error("{0}")]
    Unfit(&'static str),
}

/// What servers take for the user of a token when it does not matter.
const ANY_USER: &str = "x-access-token";
/// No token is longer; GitHub's longest are below 300 bytes, JSON web tokens below 4 KiB.
const LONGEST_TOKEN: u64 = 16 << 10;
const TOKEN: &str = "the token file";
const KEY: &str = "the ssh key";
const KNOWN_HOSTS: &str = "the file of known hosts";

/// How `git` is told of it, for one call.
#[derive(Debug, Default)]
pub(super) struct Credentials {
    /// Settings of `git`, by name.
    pub(super) configuration: Vec<(String, String)>,
    /// The `ssh` command line.
    pub(super) ssh: Option<String>,
    /// What no message may contain.
    pub(super) token: Option<Secret>,
}

impl Access {
    /// Reads and checks what there is to show to a server.
    ///
    /// # Errors
    /// A file cannot be read, others can read it, or it does not fit the address.
    pub fn check(&self, url: &GitUrl) -> Result<(), AccessError> {
        self.credentials(url).map(drop)
    }

    pub(super) fn credentials(&self, url: &GitUrl) -> Result<Credentials, AccessError> {
        if url.scheme() == Scheme::Ssh {
            let ssh = Some(self.ssh_command()?);
            return Ok(Credentials { ssh, ..Credentials::default() });
        }
        let Some(path) = &self.token_file else { return Ok(Credentials::default()) };
        if url.scheme() == Scheme::Http && !url.is_loopback() {
            return Err(AccessError::InTheClear);
        }
        let token = token(path)?;
        let user = self.user.as_deref().unwrap_or(ANY_USER);
        if user.is_empty() || user.contains(char::is_control) {
            return Err(AccessError::Unfit("the user of the token is empty or no text"));
        }
        let helper = helper(user, &absolute(TOKEN, path)?)?;
        let configuration = vec![(format!("credential.{}.helper", url.base()), helper)];
        Ok(Credentials { configuration, token: Some(token), ssh: None })
    }

    fn ssh_command(&self) -> Result<String, AccessError> {
        if self.token_file.is_some() {
            return Err(AccessError::Unfit(
                "a token is for https://; the repository is reached by ssh, which takes --git-ssh-key",
            ));
        }
        // No configuration of the user: it could run commands, or lead elsewhere.
        let mut command = "ssh -F /dev/null -oBatchMode=yes -oStrictHostKeyChecking=yes \
             -oUpdateHostKeys=no -oForwardAgent=no -oForwardX11=no -oClearAllForwardings=yes \
             -oPermitLocalCommand=no -oControlMaster=no -oControlPath=none \
             -oConnectTimeout=15 -oServerAliveInterval=10 -oServerAliveCountMax=3"
            .to_owned();
        if let Some(path) = &self.ssh_key_file {
            check_private(KEY, path)?;
            let path = ssh_path(KEY, path)?;
            command.push_str(&format!(" -oIdentitiesOnly=yes -oIdentityFile={path}"));
        }
        if let Some(path) = &self.known_hosts_file {
            open(KNOWN_HOSTS, path)?;
            let path = ssh_path(KNOWN_HOSTS, path)?;
            command.push_str(&format!(
                " -oGlobalKnownHostsFile=/dev/null -oUserKnownHostsFile={path}"
            ));
        }
        Ok(command)
    }
}

/// Returns the line of shell that answers `git` when it asks for credentials.
fn helper(user: &str, token_file: &Path) -> Result<String, AccessError> {
    let path = text(TOKEN, token_file)?;
    Ok(format!(
        "!f() {{ test \"$1\" = get || exit 0; IFS= read -r token <{path} || test -n \"$token\" || exit 1; printf 'username=%s\\npassword=%s\\n' {user} \"$token\"; }}; f",
        path = quoted(path),
        user = quoted(user),
    ))
}

/// Reads a token: the first and only line of a file that only its owner can read.
fn token(path: &Path) -> Result<Secret, AccessError> {
    let unsafe_for =
        |reason| AccessError::Unsafe { what: TOKEN, path: path.to_owned(), reason };
    let file = check_private(TOKEN, path)?;
    let mut bytes = Vec::new();
    file.take(LONGEST_TOKEN + 1).read_to_end(&mut bytes).map_err(|source| {
        AccessError::Unreadable { what: TOKEN, path: path.to_owned(), source }
    })?;
    let text = str::from_utf8(&bytes).map_err(|_| unsafe_for("is no text"))?;
    let token = text.strip_suffix('\n').unwrap_or(text);
    match token {
        "" => Err(unsafe_for("is empty; write the token to it")),
        _ if token.contains(char::is_control) => Err(unsafe_for(
            "holds more than one line of text; write only the token to it",
        )),
        _ if bytes.len() as u64 > LONGEST_TOKEN => {
            Err(unsafe_for("is too long for a token"))
        }
        _ => Ok(Secret::new(token)),
    }
}

/// Opens a file that only its owner, and root, can read.
fn check_private(what: &'static str, path: &Path) -> Result<File, AccessError> {
    let file = open(what, path)?;
    let unreadable =
        |source| AccessError::Unreadable { what, path: path.to_owned(), source };
    let metadata = file.metadata().map_err(unreadable)?;
    let own = std::fs::metadata("/proc/self").map_err(unreadable)?.uid();
    let reason = if metadata.permissions().mode() & 0o077 != 0 {
        "can be read or changed by others; `chmod 600` it"
    } else if metadata.uid() != own && metadata.uid() != 0 {
        "belongs to another user; `chown` it"
    } else {
        return Ok(file);
    };
    Err(AccessError::Unsafe { what, path: path.to_owned(), reason })
}

/// Opens a regular file; nothing else can hold a call up.
fn open(what: &'static str, path: &Path) -> Result<File, AccessError> {
    let unreadable =
        |source| AccessError::Unreadable { what, path: path.to_owned(), source };
    let not_blocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options()
        .read(true)
        .custom_flags(not_blocking)
        .open(path)
        .map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        let reason = "is not a file";
        return Err(AccessError::Unsafe { what, path: path.to_owned(), reason });
    }
    Ok(file)
}

fn absolute(what: &'static str, path: &Path) -> Result<PathBuf, AccessError> {
    std::path::absolute(path).map_err(|source| AccessError::Unreadable {
        what,
        path: path.to_owned(),
        source,
    })
}

fn text<'p>(what: &'static str, path: &'p Path) -> Result<&'p str, AccessError> {
    let odd = || AccessError::Unsafe {
        what,
        path: path.to_owned(),
        reason: "has control characters in its path; move it",
    };
    path.to_str().filter(|text| !text.contains(char::is_control)).ok_or_else(odd)
}

/// Writes a path so that neither the shell nor ssh finds anything else in it.
fn ssh_path(what: &'static str, path: &Path) -> Result<String, AccessError> {
    let absolute = absolute(what, path)?;
    let text = text(what, &absolute)?;
    if text.contains(['"', '\\', '$']) {
        let reason = "has a quote, a backslash or a dollar sign in its path; move it";
        return Err(AccessError::Unsafe { what, path: path.to_owned(), reason });
    }
    Ok(quoted(&format!("\"{}\"", text.replace('%', "%%"))))
}

/// Quotes a text for the shell.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests;

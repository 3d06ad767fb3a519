//! Who we are to a server, and how we know it.
//!
//! A token stays in its file: `git` asks a helper for it, a line of shell that reads the
//! file by its builtins. So it is in no argument, environment, address or second file, and
//! a new token counts from the next call on. The helper is bound to scheme, host and port.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::url::{GitUrl, Scheme};
use crate::source::secret_file::{SecretFile, SecretFileError};
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
    /// The token or the key cannot be read, or others can read it.
    #[error(transparent)]
    Secret(#[from] SecretFileError),
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
    /// What is in it or in its path is no such thing.
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
            SecretFile::new(path, 1).open()?;
            let path = ssh_path(KEY, path)?;
            command.push_str(&format!(" -oIdentitiesOnly=yes -oIdentityFile={path}"));
        }
        if let Some(path) = &self.known_hosts_file {
            File::open(path).map_err(|source| unreadable(KNOWN_HOSTS, path, source))?;
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

/// Reads a token: one line of text.
fn token(path: &Path) -> Result<Secret, AccessError> {
    let token = SecretFile::new(path, 1).read()?;
    if token.expose().contains(char::is_control) {
        let reason = "holds more than one line of text; write only the token to it";
        return Err(AccessError::Unsafe { what: TOKEN, path: path.to_owned(), reason });
    }
    Ok(token)
}

fn absolute(what: &'static str, path: &Path) -> Result<PathBuf, AccessError> {
    std::path::absolute(path).map_err(|source| unreadable(what, path, source))
}

fn unreadable(what: &'static str, path: &Path, source: io::Error) -> AccessError {
    AccessError::Unreadable { what, path: path.to_owned(), source }
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

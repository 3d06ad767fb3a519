//! Where a repository is.

use std::fmt;
use std::net::IpAddr;

/// The address of a repository, without any credentials.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct GitUrl {
    text: String,
    scheme: Scheme,
    host: String,
    /// Scheme, host and port.
    base: String,
}

/// How a repository is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// Encrypted.
    Https,
    /// In the clear.
    Http,
    /// By the `ssh` program.
    Ssh,
}

/// Why a text is no address that is followed. None of them repeats the text: it may hold a
/// password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GitUrlError {
    /// There is none.
    #[error("the address of the repository is empty; {FORMS}")]
    Empty,
    /// `git` or `ssh` would take it for an option.
    #[error(
        "the address of the repository, or a part of it, begins with `-`, as an option does; {FORMS}"
    )]
    Option,
    /// It has characters that no address has.
    #[error(
        "the address of the repository holds a space or a control character; {FORMS}"
    )]
    Characters,
    /// It is of a kind that is not followed.
    #[error("`{0}` is not followed; {FORMS}")]
    Scheme(String),
    /// It is a path.
    #[error("a repository on this host is not followed; {FORMS}")]
    Local,
    /// It has a password, a user, or something else that may be secret.
    #[error(
        "the address of the repository holds a user, a password or a query, which others could read; take it out, put the token in a file and name that with --git-token-file"
    )]
    Credentials,
    /// The host, the port or the path is missing or odd.
    #[error("the address of the repository has no {0}; {FORMS}")]
    Part(&'static str),
}

const FORMS: &str = "write https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH (http:// without a token)";

impl Scheme {
    /// Returns what `git` calls it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
            Self::Ssh => "ssh",
        }
    }
}

impl GitUrl {
    /// Takes the address of a repository: `https://`, `http://`, `ssh://` or `user@host:path`.
    ///
    /// # Errors
    /// It is none, is not followed, or holds credentials.
    pub fn parse(text: &str) -> Result<Self, GitUrlError> {
        if text.is_empty() {
            return Err(GitUrlError::Empty);
        }
        if text.chars().any(|it| it.is_control() || it.is_whitespace()) {
            return Err(GitUrlError::Characters);
        }
        if text.starts_with('-') {
            return Err(GitUrlError::Option);
        }
        match text.split_once("://") {
            Some((scheme, rest)) => Self::parse_url(text, scheme, rest),
            None => Self::parse_short(text),
        }
    }

    fn parse_url(text: &str, scheme: &str, rest: &str) -> Result<Self, GitUrlError> {
        let scheme = match scheme {
            "https" => Scheme::Https,
            "http" => Scheme::Http,
            "ssh" => Scheme::Ssh,
            other if is_name(other) => {
                return Err(GitUrlError::Scheme(format!("{other}://")));
            }
            _ => return Err(GitUrlError::Part("scheme that is known")),
        };
        let (authority, path) = rest.split_once('/').ok_or(GitUrlError::Part("path"))?;
        let (user, place) = match authority.rsplit_once('@') {
            Some((user, place)) => (Some(user), place),
            None => (None, authority),
        };
        let is_secret = match scheme {
            Scheme::Https | Scheme::Http => user.is_some() || text.contains(['?', '#']),
            Scheme::Ssh => user.is_some_and(|user| user.contains(':')),
        };
        if is_secret {
            return Err(GitUrlError::Credentials);
        }
        check_user(user)?;
        let host = host(place)?;
        check_path(path)?;
        let base = format!("{}://{place}", scheme.name());
        Ok(Self { text: text.to_owned(), scheme, host, base })
    }

    /// Takes what ssh users write: `user@host:path`.
    fn parse_short(text: &str) -> Result<Self, GitUrlError> {
        if let Some((helper, _)) = text.split_once("::")
            && is_name(helper)
        {
            return Err(GitUrlError::Scheme(format!("{helper}::")));
        }
        let (place, path) = split_after_brackets(text).ok_or(GitUrlError::Local)?;
        let (user, place) = place.rsplit_once('@').ok_or(GitUrlError::Local)?;
        // A colon after a slash is a part of a path.
        if user.contains('/') || place.contains('/') {
            return Err(GitUrlError::Local);
        }
        check_user(Some(user))?;
        let host = host(place)?;
        check_path(path)?;
        let base = format!("ssh://{place}");
        Ok(Self { text: text.to_owned(), scheme: Scheme::Ssh, host, base })
    }

    /// Returns how it is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// Returns the address as `git` is given it.
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns scheme, host and port: the place that a token is for.
    pub(super) fn base(&self) -> &str {
        &self.base
    }

    /// Tells whether what is sent there leaves this host.
    pub(super) fn is_loopback(&self) -> bool {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost" || host.parse().is_ok_and(|it: IpAddr| it.is_loopback())
    }
}

impl fmt::Display for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Debug for GitUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Splits at the first colon that is not in the brackets of an address.
fn split_after_brackets(text: &str) -> Option<(&str, &str)> {
    let end = text.find(']').unwrap_or(0);
    let at = end + text.get(end..)?.find(':')?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|it| it.is_ascii_alphanumeric() || b"+-.".contains(&it))
}

fn check_user(user: Option<&str>) -> Result<(), GitUrlError> {
    match user {
        None => Ok(()),
        Some(user) if user.starts_with('-') => Err(GitUrlError::Option),
        Some(user)
            if !user.is_empty()
                && user
                    .bytes()
                    .all(|it| it.is_ascii_alphanumeric() || b"._-+".contains(&it)) =>
        {
            Ok(())
        }
        Some(_) => Err(GitUrlError::Part("user of letters, digits and `._-+`")),
    }
}

/// Takes the host out of a host with or without a port.
fn host(place: &str) -> Result<String, GitUrlError> {
    let (host, port) = match split_after_brackets(place) {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    };
    if host.starts_with('-') {
        return Err(GitUrlError::Option);
    }
    let is_address = host
        .strip_prefix('[')
        .and_then(|it| it.strip_suffix(']'))
        .is_some_and(|it| it.parse::<std::net::Ipv6Addr>().is_ok());
    let is_letter = |it: u8| it.is_ascii_alphanumeric() || b".-_".contains(&it);
    if !is_address && (host.is_empty() || !host.bytes().all(is_letter)) {
        return Err(GitUrlError::Part("host"));
    }
    match port.map(str::parse::<u16>) {
        None | Some(Ok(1..)) => Ok(host.to_owned()),
        Some(Ok(0) | Err(_)) => {
            Err(GitUrlError::Part("port that is a number up to 65535"))
        }
    }
}

fn check_path(path: &str) -> Result<(), GitUrlError> {
    match path {
        "" | "/" => Err(GitUrlError::Part("path")),
        option if option.starts_with('-') => Err(GitUrlError::Option),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_for_a_repository_is_understood() {
        for (text, scheme, base) in [
            ("https://example.com/team/stack.git", Scheme::Https, "https://example.com"),
            ("https://example.com:8443/stack", Scheme::Https, "https://example.com:8443"),
            ("http://127.0.0.1:3000/stack.git", Scheme::Http, "http://127.0.0.1:3000"),
            ("http://[::1]:3000/stack.git", Scheme::Http, "http://[::1]:3000"),
            (
                "ssh://git@example.com:2222/~/stack.git",
                Scheme::Ssh,
                "ssh://example.com:2222",
            ),
            ("git@example.com:team/stack.git", Scheme::Ssh, "ssh://example.com"),
            ("git@[::1]:stack.git", Scheme::Ssh, "ssh://[::1]"),
        ] {
            let url = GitUrl::parse(text).unwrap();
            assert_eq!((url.scheme(), url.base()), (scheme, base), "{text}");
            assert_eq!(url.to_string(), text);
        }
    }

    #[test]
    fn what_could_run_something_or_is_on_this_host_is_refused() {
        for text in [
            "",
            "-u",
            "--upload-pack=touch /tmp/x",
            "ext::sh -c touch",
            "ext::sh",
            "fd::17",
            "file:///srv/stack.git",
            "git://example.com/stack.git",
            "ftp://example.com/stack.git",
            "/srv/stack.git",
            "./stack.git",
            "stack",
            "C:\\stack",
            "host:path",
            "dir/x@y:z",
            "ssh://-oProxyCommand=x/path",
            "ssh://git@-oProxyCommand=x/path",
            "ssh://-l@host/path",
            "git@-oProxyCommand:path",
            "-l@host:path",
            "git@host:-x",
            "git@host:",
            "https://host",
            "https://host/",
            "https:///path",
            "https://host:0/path",
            "https://host:port/path",
            "https://ho st/path",
            "https://host/pa\nth",
            "https://host/pa\u{7f}th",
        ] {
            assert!(GitUrl::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn credentials_in_the_address_are_refused_and_not_repeated() {
        for text in [
            "https://alice:hunter2@example.com/stack.git",
            "https://hunter2@example.com/stack.git",
            "https://example.com/stack.git?private_token=hunter2",
            "ssh://alice:hunter2@example.com/stack.git",
            "https://example.com:hunter2/stack.git",
        ] {
            let error = GitUrl::parse(text).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
        let error = GitUrl::parse("https://a:b@example.com/x").unwrap_err();
        assert!(error.to_string().contains("--git-token-file"), "{error}");
    }

    #[test]
    fn only_this_host_is_a_loopback() {
        for (text, expected) in [
            ("http://localhost/x", true),
            ("http://127.8.8.8:1/x", true),
            ("http://[::1]/x", true),
            ("http://localhost.example.com/x", false),
            ("http://10.0.0.1/x", false),
        ] {
            assert_eq!(GitUrl::parse(text).unwrap().is_loopback(), expected, "{text}");
        }
    }
}

//! Who is told about what happens to a stack, and about what.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

use super::secret::Secret;

/// Kinds of what people are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum NoticeKind {
    /// Another desired state is in place, and ready.
    Converged,
    /// What had failed is well again.
    Recovered,
    /// What is there is no longer what it was brought to.
    Drift,
    /// What had been ready fails.
    Degraded,
    /// Another desired state cannot be brought about.
    Failed,
    /// A check of the stack fails.
    CheckFailed,
    /// A replacement did not prove itself and was taken back.
    RolledBack,
    /// What people want now is no valid or trusted desired state.
    Refused,
    /// It cannot be told what people want, or how the stack is.
    Unavailable,
}

impl NoticeKind {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Converged,
        Self::Recovered,
        Self::Drift,
        Self::Degraded,
        Self::Failed,
        Self::CheckFailed,
        Self::RolledBack,
        Self::Refused,
        Self::Unavailable,
    ];

    /// Returns the word of files and of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Converged => "converged",
            Self::Recovered => "recovered",
            Self::Drift => "drift",
            Self::Degraded => "degraded",
            Self::Failed => "failed",
            Self::CheckFailed => "check-failed",
            Self::RolledBack => "rolled-back",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
        }
    }

    /// Tells whether somebody should look.
    pub const fn severity(self) -> Severity {
        match self {
            Self::Converged | Self::Recovered | Self::Drift => Severity::Info,
            Self::Degraded
            | Self::Failed
            | Self::CheckFailed
            | Self::RolledBack
            | Self::Refused
            | Self::Unavailable => Severity::Error,
        }
    }

    /// Tells whether it ends what was told before.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Converged | Self::Recovered)
    }
}

/// Whether somebody should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Severity {
    /// It is good to know.
    #[default]
    Info,
    /// Somebody should.
    Error,
}

impl Severity {
    /// Returns the word of files and of the JSON contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Error => "error",
        }
    }
}

/// One who is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotifySettings {
    /// Where.
    pub to: Address,
    /// From which severity on.
    pub severity: Severity,
    /// About what; about everything, if nothing is named.
    pub on: BTreeSet<NoticeKind>,
}

impl NotifySettings {
    /// Tells whether a kind is for this one.
    pub fn wants(&self, kind: NoticeKind) -> bool {
        kind.severity() >= self.severity
            && (self.on.is_empty() || self.on.contains(&kind))
    }
}

/// Where somebody is told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Address {
    /// At a URL.
    Url(WebhookUrl),
    /// At the URL that a file holds.
    File(PathBuf),
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Url(url) => f.write_str(url.host()),
            Self::File(path) => write!(f, "{}", path.display()),
        }
    }
}

/// A URL of HTTP. Whoever knows it may write there, so only its host is ever shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct WebhookUrl {
    is_secure: bool,
    host: String,
    port: u16,
    target: Secret,
}

/// That a text is no URL to post to; the text itself may be a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a URL such as https://chat.example.org/hooks/… is needed, without a user in it")]
pub struct NoWebhookUrl;

impl WebhookUrl {
    /// Takes a URL apart.
    ///
    /// # Errors
    /// It is none of HTTP, or names a user.
    pub fn parse(text: &str) -> Result<Self, NoWebhookUrl> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(NoWebhookUrl)?;
        let is_secure = match scheme.to_ascii_lowercase().as_str() {
            "https" => true,
            "http" => false,
            _ => return Err(NoWebhookUrl),
        };
        let rest = rest.split('#').next().unwrap_or_default();
        let (authority, target) =
            rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let target = if target.starts_with('/') {
            target.to_owned()
        } else {
            format!("/{target}")
        };
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_| NoWebhookUrl)?)
            }
            Some(_) | None => (authority, if is_secure { 443 } else { 80 }),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let is_host = |it: char| it.is_ascii_alphanumeric() || "-._:".contains(it);
        let is_good = !host.is_empty() && host.chars().all(is_host) && port > 0;
        if is_good && target.chars().all(|it| it.is_ascii_graphic()) {
            let (host, target) = (host.to_ascii_lowercase(), Secret::new(target));
            Ok(Self { is_secure, host, port, target })
        } else {
            Err(NoWebhookUrl)
        }
    }

    /// Tells whether TLS is spoken.
    pub const fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// Returns the host: all that may be shown.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Returns the port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// Returns the path and what follows it.
    pub const fn target(&self) -> &Secret {
        &self.target
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.host)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart_and_shows_its_host_only() {
        for (text, is_secure, host, port, target) in [
            (
                "https://Chat.example.org/hooks/abc?x=1#y",
                true,
                "chat.example.org",
                443,
                "/hooks/abc?x=1",
            ),
            ("http://127.0.0.1:8080", false, "127.0.0.1", 8080, "/"),
            ("http://[::1]:9/a", false, "::1", 9, "/a"),
            ("https://[::1]/a", true, "::1", 443, "/a"),
            (" HTTPS://h?token=t\n", true, "h", 443, "/?token=t"),
        ] {
            let url = WebhookUrl::parse(text).unwrap();
            let found = (url.is_secure(), url.host(), url.port(), url.target().expose());
            assert_eq!(found, (is_secure, host, port, target), "{text}");
            assert_eq!(format!("{url:?}"), host);
            assert_eq!(Address::Url(url).to_string(), host);
        }
        for text in [
            "",
            "chat.example.org/a",
            "ftp://h/a",
            "https://",
            "https:///a",
            "https://h:x/a",
            "https://h:0/a",
            "https://user:secret@h/a",
            "https://h/a b",
            "https://h/\u{e4}",
            "https://h\r\nX: y/a",
        ] {
            assert_eq!(WebhookUrl::parse(text), Err(NoWebhookUrl), "{text}");
        }
    }

    #[test]
    fn one_is_told_what_one_wants_to_know() {
        let address = Address::File("/a".into());
        let mut settings = NotifySettings {
            to: address,
            severity: Severity::Error,
            on: BTreeSet::new(),
        };
        assert!(settings.wants(NoticeKind::Failed) && !settings.wants(NoticeKind::Drift));
        settings.severity = Severity::Info;
        assert!(NoticeKind::ALL.iter().all(|kind| settings.wants(*kind)));
        settings.on.insert(NoticeKind::Drift);
        assert!(!settings.wants(NoticeKind::Failed) && settings.wants(NoticeKind::Drift));
    }
}

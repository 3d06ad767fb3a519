//! Which commit of a repository is wanted: the tip of a branch, or a tag.

use std::fmt;

/// What is followed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reference {
    /// The tip of a branch.
    Branch(Name),
    /// What a tag names.
    Tag(Name),
}

/// The name of a branch or a tag, by the rules of `git check-ref-format`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Name(String);

/// That a text names no branch and no tag.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{name}` cannot be the name of a branch or a tag: {reason}")]
pub struct ReferenceError {
    name: String,
    reason: &'static str,
}

impl Reference {
    /// Follows a branch.
    ///
    /// # Errors
    /// No branch can have that name.
    pub fn branch(name: &str) -> Result<Self, ReferenceError> {
        Name::parse(name).map(Self::Branch)
    }

    /// Follows a tag.
    ///
    /// # Errors
    /// No tag can have that name.
    pub fn tag(name: &str) -> Result<Self, ReferenceError> {
        Name::parse(name).map(Self::Tag)
    }

    /// Returns the full name of it on the server.
    pub(super) fn full(&self) -> String {
        match self {
            Self::Branch(Name(name)) => format!("refs/heads/{name}"),
            Self::Tag(Name(name)) => format!("refs/tags/{name}"),
        }
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Branch(Name(name)) => write!(f, "branch {name}"),
            Self::Tag(Name(name)) => write!(f, "tag {name}"),
        }
    }
}

impl Name {
    fn parse(name: &str) -> Result<Self, ReferenceError> {
        match fault(name) {
            None => Ok(Self(name.to_owned())),
            Some(reason) => {
                let name = name.escape_debug().take(100).collect();
                Err(ReferenceError { name, reason })
            }
        }
    }
}

fn fault(name: &str) -> Option<&'static str> {
    let is_banned = |it: char| it.is_control() || it == ' ' || "~^:?*[\\".contains(it);
    let is_bad_part = |part: &str| {
        part.is_empty()
            || part.starts_with('.')
            || std::path::Path::new(part).extension().is_some_and(|it| it == "lock")
    };
    match name {
        "" => Some("it is empty"),
        "@" => Some("`@` has another meaning"),
        _ if name.starts_with('-') => Some("it begins with `-`, as an option does"),
        _ if name.len() > 200 => Some("it is longer than 200 bytes"),
        _ if name.contains(is_banned) => {
            Some("it holds a space, a control character or one of `~^:?*[\\`")
        }
        _ if name.contains("..") || name.contains("@{") => Some("it holds `..` or `@{`"),
        _ if name.ends_with('.') => Some("it ends in a dot"),
        _ if name.split('/').any(is_bad_part) => {
            Some("a part of it is empty, begins with a dot or ends in `.lock`")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_the_rules_of_git() {
        for good in ["main", "release/1.2", "v1.0.0", "fix-a_b", "ünï", "a@b", "{x}"] {
            assert!(Reference::branch(good).is_ok(), "{good}");
            assert!(Reference::tag(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "@",
            "-x",
            "--upload-pack=x",
            "a b",
            "a..b",
            "a@{1}",
            "a~1",
            "a^",
            "a:b",
            "+a:b",
            "a?",
            "a*",
            "a[",
            "a\\b",
            "a\nb",
            "a\u{7f}",
            ".a",
            "a/.b",
            "a/",
            "/a",
            "a//b",
            "a.",
            "a.lock",
            "a.lock/b",
        ] {
            assert!(Reference::branch(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_reference_has_a_full_name_and_one_for_people() {
        let branch = Reference::branch("main").unwrap();
        assert_eq!(
            (branch.full(), branch.to_string()),
            ("refs/heads/main".into(), "branch main".into())
        );
        let tag = Reference::tag("v1").unwrap();
        assert_eq!(
            (tag.full(), tag.to_string()),
            ("refs/tags/v1".into(), "tag v1".into())
        );
    }
}

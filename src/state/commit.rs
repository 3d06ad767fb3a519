//! A commit that a desired state came from.

use std::fmt;

use super::time::EngineTime;

/// The name of a commit: 40 or 64 hexadecimal digits, in lower case.
#[derive(
    Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[serde(try_from = "String", into = "String")]
pub struct CommitId(String);

/// That a text is no name of a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a commit is named by 40 or 64 hexadecimal digits")]
pub struct NoCommitId;

impl CommitId {
    /// Takes the full name of a commit.
    ///
    /// # Errors
    /// It is none.
    pub fn parse(text: &str) -> Result<Self, NoCommitId> {
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let is_name = matches!(text.len(), 40 | 64) && text.bytes().all(is_digit);
        if is_name { Ok(Self(text.to_owned())) } else { Err(NoCommitId) }
    }

    /// Returns all digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns as many digits as people need.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

impl TryFrom<String> for CommitId {
    type Error = NoCommitId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text)
    }
}

impl From<CommitId> for String {
    fn from(id: CommitId) -> Self {
        id.0
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.short())
    }
}

impl fmt::Debug for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.short())
    }
}

/// A commit, as far as people want to know of it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Commit {
    /// What it is known by.
    pub id: CommitId,
    /// Who wrote it: a name and an address, as the commit has them.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// When it was committed, by the clock of who did it.
    pub committed: EngineTime,
}

#[cfg(test)]
impl Commit {
    /// Returns a commit whose name is made of one digit.
    pub(crate) fn of_digit(digit: char) -> Self {
        Self {
            id: CommitId(String::from(digit).repeat(40)),
            author: "Ada <ada@example.org>".to_owned(),
            subject: "More".to_owned(),
            committed: EngineTime::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_has_a_full_name_of_hexadecimal_digits() {
        for good in ["a".repeat(40), "0123456789abcdef".repeat(4)] {
            assert_eq!(CommitId::parse(&good).unwrap().as_str(), good);
        }
        let short = "a".repeat(39);
        let upper = "A".repeat(40);
        let option = format!("--{}", "a".repeat(38));
        for bad in ["", "main", &short, &upper, &option] {
            assert_eq!(CommitId::parse(bad), Err(NoCommitId), "{bad}");
        }
    }
}

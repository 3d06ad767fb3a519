//! What the exit status says.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// All is as it should be.
    Good = 0,
    /// Something differs, is not ready, or was rolled back.
    NotAsWanted = 1,
    /// The desired state or the command line is invalid.
    Invalid = 2,
    /// The engine does not answer.
    EngineUnreachable = 3,
    /// Another source's `run` has the stack.
    Refused = 4,
}

impl Exit {
    /// Returns the number.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Returns the status of a command that did several things: the gravest counts.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        self.max(other)
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_the_contract() {
        let all = [
            Exit::Good,
            Exit::NotAsWanted,
            Exit::Invalid,
            Exit::EngineUnreachable,
            Exit::Refused,
        ];
        assert_eq!(all.map(Exit::code), [0, 1, 2, 3, 4]);
        assert_eq!(Exit::NotAsWanted.and(Exit::Good), Exit::NotAsWanted);
    }
}

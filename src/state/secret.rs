//! Text that must not be seen.

use std::fmt;

/// What a secret looks like wherever it would have been printed.
pub const CONCEALED: &str = "(sensitive)";

/// A value that no output can contain: it has no `Display` and no `Serialize`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Secret(String);

impl Secret {
    /// Marks a text as secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// Returns the text itself.
    ///
    /// Only the engine (which must be given it), digests and `reconciler config` (which
    /// prints what the engine would get) may call this.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CONCEALED)
    }
}

/// Tells whether a variable of this name holds a secret by the field's own conventions.
///
/// Words are split at `_`, `-` and `.`; `TOKENIZER` is not a token, `DB_PASSWORD` is a
/// password.
pub fn is_sensitive_name(name: &str) -> bool {
    const WORDS: [&str; 14] = [
        "PASSWORD",
        "PASSWD",
        "PASSPHRASE",
        "PASS",
        "PWD",
        "SECRET",
        "SECRETS",
        "TOKEN",
        "APIKEY",
        "CREDENTIAL",
        "CREDENTIALS",
        "PRIVATE",
        "DSN",
        "ROOTPASSWORD",
    ];
    let upper = name.to_ascii_uppercase();
    let words: Vec<&str> = upper.split(['_', '-', '.']).collect();
    words.iter().any(|word| WORDS.contains(word) || word.ends_with("PASSWORD"))
        || words
            .windows(2)
            .any(|pair| matches!(pair, ["API" | "ACCESS" | "ENCRYPTION", "KEY"]))
            && !upper.ends_with("ACCESS_KEY_ID")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_hold_secrets_are_known_by_their_words() {
        for name in [
            "MINIO_ROOT_PASSWORD",
            "MINIO_SECRET_ACCESS_KEY",
            "db-password",
            "API_KEY",
            "GITHUB_TOKEN",
            "COMMON_SECURITY_DEFAULTROOTPASSWORD",
        ] {
            assert!(is_sensitive_name(name), "{name}");
        }
        for name in [
            "MINIO_ACCESS_KEY_ID",
            "TOKENIZER",
            "PATH",
            "ETCD_ENDPOINTS",
            "COMPASS",
            "TZ",
        ] {
            assert!(!is_sensitive_name(name), "{name}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), CONCEALED);
    }
}

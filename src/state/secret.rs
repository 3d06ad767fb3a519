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
/// password, and `PWD` alone is the folder that a shell is in.
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
    let is_word = |word: &&str| WORDS.contains(word) || word.ends_with("PASSWORD");
    let is_pair = |pair: &[&str]| {
        matches!(pair, ["API" | "ACCESS" | "ENCRYPTION", "KEY"])
            && !upper.ends_with("ACCESS_KEY_ID")
    };
    upper != "PWD" && (words.iter().any(is_word) || words.windows(2).any(is_pair))
}

/// Tells whether a text holds a secret whatever it is called.
pub fn is_sensitive_text(text: &str) -> bool {
    secrets_in(text).next().is_some()
}

/// Finds what is secret in a text whatever it is called: the passwords of URLs, and what is
/// given to a name that ends in a word for a secret, such as `x` in `--db-password=x`.
pub fn secrets_in(text: &str) -> impl Iterator<Item = &str> {
    passwords_in_urls(text).chain(text.split_whitespace().filter_map(given_secret))
}

/// Returns what a word gives to a name, if that is a secret. What is yet to be put in
/// (`$X`), and a path, are none.
fn given_secret(word: &str) -> Option<&str> {
    const QUOTES: [char; 3] = ['"', '\'', ';'];
    let (name, value) = word.split_once('=')?;
    let mut words = name.rsplit(['_', '-', '.']);
    let last = words.next().filter(|it| !it.is_empty())?;
    let is_secret = if last.eq_ignore_ascii_case("key") {
        words.next().is_some_and(|it| is_sensitive_name(&format!("{it}_{last}")))
    } else {
        is_sensitive_name(last.trim_start_matches(QUOTES))
    };
    let value = value.trim_matches(QUOTES);
    (is_secret && !value.is_empty() && !value.starts_with(['$', '/'])).then_some(value)
}

/// Finds the passwords of the URLs in a text: `p` in `postgres://u:p@host/db`.
pub fn passwords_in_urls(text: &str) -> impl Iterator<Item = &str> {
    text.split("://").skip(1).filter_map(|rest| {
        let ends = |c: char| c.is_whitespace() || "/?#\"'".contains(c);
        let authority = rest.split(ends).next().unwrap_or_default();
        let (user, _) = authority.rsplit_once('@')?;
        let (_, password) = user.split_once(':')?;
        (!password.is_empty()).then_some(password)
    })
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
            "DB_PWD",
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
            "PWD",
        ] {
            assert!(!is_sensitive_name(name), "{name}");
        }
    }

    #[test]
    fn the_passwords_of_urls_are_secrets_whatever_they_are_called() {
        let found = |text| passwords_in_urls(text).collect::<Vec<_>>();
        assert_eq!(found("postgres://app:hunter2@db/app"), ["hunter2"]);
        assert_eq!(found("--dsn='amqp://a:b@c:5672' redis://:p:q@r"), ["b", "p:q"]);
        for text in [
            "http://host:8080/a@b",
            "ssh://git@host/a",
            "postgres://app:@db",
            "a:b@c",
            "http://h/?x=u:p@q",
            "://",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn what_is_given_to_a_name_of_a_secret_is_one() {
        let found = |text| secrets_in(text).collect::<Vec<_>>();
        assert_eq!(found("serve --db-password=hunter2 -x"), ["hunter2"]);
        assert_eq!(found("export A=b API_KEY='hunter2'; run"), ["hunter2"]);
        assert_eq!(found("--secret-key=a token=b"), ["a", "b"]);
        for text in [
            "--secret-store=vault",
            "--pass-through=yes",
            "--password=$PASSWORD",
            "--password=/run/secrets/x",
            "--password=",
            "--public-key=x",
            "=x",
        ] {
            assert!(found(text).is_empty(), "{text}");
        }
    }

    #[test]
    fn a_secret_does_not_print() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), CONCEALED);
    }
}

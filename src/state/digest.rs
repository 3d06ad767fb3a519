//! Digests of meaning, into which secrets enter by a key.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use super::value::{Real, Value};

/// The key by which secrets enter digests, so that a digest that is shown does not help
/// to guess them. It never leaves the host.
#[derive(Clone, PartialEq, Eq)]
pub struct DigestKey([u8; 32]);

impl fmt::Debug for DigestKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(super::secret::CONCEALED)
    }
}

impl DigestKey {
    /// Makes a key of 32 secret bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Returns `sha256:` and the digest of a value in hexadecimal.
    pub fn digest(&self, value: &Value) -> String {
        let mut hash = Sha256::new();
        self.feed(value, &mut hash);
        format!("sha256:{}", hexadecimal(&hash.finalize()))
    }

    /// Returns what tells this key from another one, and nothing else about it.
    pub fn fingerprint(&self) -> String {
        hexadecimal(&self.keyed("which key this is")).chars().take(16).collect()
    }

    /// Returns the keyed digest of a text in hexadecimal.
    pub fn conceal(&self, text: &str) -> String {
        hexadecimal(&self.keyed(text))
    }

    /// Returns the keyed digest of bytes in hexadecimal.
    pub fn conceal_bytes(&self, bytes: &[u8]) -> String {
        hexadecimal(&self.keyed_bytes(bytes))
    }

    fn keyed(&self, text: &str) -> [u8; 32] {
        self.keyed_bytes(text.as_bytes())
    }

    fn keyed_bytes(&self, bytes: &[u8]) -> [u8; 32] {
        // HMAC takes keys of any length, so this cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return [0; 32] };
        mac.update(bytes);
        mac.finalize().into_bytes().into()
    }

    /// Feeds a value in a form in which different values differ: kind, length, content.
    fn feed(&self, value: &Value, hash: &mut Sha256) {
        let mut sized = |kind: u8, bytes: &[u8]| {
            hash.update([kind]);
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        match value {
            Value::Null => sized(b'n', b""),
            Value::Bool(value) => sized(b'b', &[u8::from(*value)]),
            Value::Int(number) => sized(b'i', &number.to_be_bytes()),
            Value::Real(Real(number)) => sized(b'r', &number.to_be_bytes()),
            Value::Text(text) => sized(b't', text.as_bytes()),
            Value::Secret(secret) => sized(b's', &self.keyed(secret.expose())),
            Value::List(items) => {
                sized(b'l', &(items.len() as u64).to_be_bytes());
                for item in items {
                    self.feed(item, hash);
                }
            }
            Value::Map(map) => {
                sized(b'm', &(map.len() as u64).to_be_bytes());
                for (key, value) in map {
                    self.feed(&Value::text(key), hash);
                    self.feed(value, hash);
                }
            }
        }
    }
}

/// Writes bytes as lower-case hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    use fmt::Write;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _written = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::secret::Secret;

    fn key(byte: u8) -> DigestKey {
        DigestKey::new([byte; 32])
    }

    #[test]
    fn a_secret_moves_the_digest_and_depends_on_the_key() {
        let one = Value::map([("P", Value::Secret(Secret::new("one")))]);
        let two = Value::map([("P", Value::Secret(Secret::new("two")))]);
        assert_ne!(key(1).digest(&one), key(1).digest(&two));
        assert_ne!(key(1).digest(&one), key(2).digest(&one));
        assert_eq!(key(1).digest(&one), key(1).digest(&one.clone()));
    }

    #[test]
    fn values_that_look_alike_have_different_digests() {
        let digests: std::collections::BTreeSet<String> = [
            Value::Null,
            Value::Int(1),
            Value::text("1"),
            Value::texts(["1"]),
            Value::texts(["1", ""]),
            Value::map([("1", Value::Null)]),
            Value::Bool(true),
            Value::Secret(Secret::new("1")),
        ]
        .iter()
        .map(|value| key(1).digest(value))
        .collect();
        assert_eq!(digests.len(), 8);
    }
}

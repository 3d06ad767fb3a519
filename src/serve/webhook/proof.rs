//! How a delivery proves that it comes from whoever knows the secret.
//!
//! | forge | header | what it holds |
//! |---|---|---|
//! | GitLab, with a signing token | `webhook-signature` | HMAC by the Standard Webhooks |
//! | GitHub | `X-Hub-Signature-256` | `sha256=` and the HMAC of the body |
//! | Forgejo, Gitea | `X-Forgejo-Signature`, `X-Gitea-Signature` | the HMAC of the body |
//! | GitLab, with a secret token | `X-Gitlab-Token` | the secret |
//!
//! Of several the first in this order counts: a weak proof does not mend a strong one that
//! fails. All HMACs are by SHA-256; what is signed by SHA-1 alone is not signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use hyper::header::{HeaderMap, HeaderValue};
use sha2::Sha256;

use crate::state::secret::Secret;
use crate::state::time::EngineTime;

/// By how many seconds the clock of a sender may differ from ours: the Standard Webhooks'.
const TOLERANCE: u64 = 300;

/// What a secret of the Standard Webhooks begins with; its key follows in Base64.
const STANDARD_PREFIX: &str = "whsec_";

/// What a delivery gives to prove itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof<'a> {
    /// By the Standard Webhooks: an id and a time are signed with the body.
    Standard { id: &'a [u8], time: &'a [u8], signatures: &'a [u8] },
    /// The HMAC of the body in hexadecimal digits.
    Signature(&'a [u8]),
    /// The secret itself.
    Token(&'a [u8]),
}

/// Why a delivery is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unproven {
    /// It gives none of the proofs.
    #[error(
        "no signature: X-Hub-Signature-256, X-Forgejo-Signature, X-Gitea-Signature, \
         webhook-signature or X-Gitlab-Token is needed"
    )]
    Unsigned,
    /// It is signed by SHA-1 only.
    #[error("X-Hub-Signature is SHA-1, which proves nothing; send X-Hub-Signature-256")]
    Sha1,
    /// A signature is not written as it should be.
    #[error("the signature is malformed")]
    Malformed,
    /// It was made with another secret, or for another body.
    #[error("the signature does not match")]
    Mismatch,
    /// It was made too long ago, or is yet to be made.
    #[error("the delivery was signed more than 5 minutes before or after now")]
    Stale,
    /// The Standard Webhooks need a secret of their own form.
    #[error("the secret here is no signing token: that begins with whsec_")]
    NoSigningToken,
}

impl<'a> Proof<'a> {
    /// Returns the strongest proof that the headers give.
    pub(super) fn of(headers: &'a HeaderMap) -> Result<Self, Unproven> {
        let get = |name| headers.get(name).map(HeaderValue::as_bytes);
        if let Some(signatures) = get("webhook-signature") {
            let (id, time) = (get("webhook-id"), get("webhook-timestamp"));
            let (Some(id), Some(time)) = (id, time) else {
                return Err(Unproven::Malformed);
            };
            return Ok(Self::Standard { id, time, signatures });
        }
        if let Some(signature) = get("x-hub-signature-256") {
            let digits = signature.strip_prefix(b"sha256=");
            return digits.map(Self::Signature).ok_or(Unproven::Malformed);
        }
        let bare = get("x-forgejo-signature").or_else(|| get("x-gitea-signature"));
        let signed = bare.map(Self::Signature);
        let proof = signed.or_else(|| get("x-gitlab-token").map(Self::Token));
        let is_sha1 = headers.contains_key("x-hub-signature");
        proof.ok_or(if is_sha1 { Unproven::Sha1 } else { Unproven::Unsigned })
    }

    /// Tells whether whoever sent a body knows the secret. No comparison takes longer the
    /// more of it is right.
    pub(super) fn verify(
        self,
        secret: &Secret,
        body: &[u8],
        now: EngineTime,
    ) -> Result<(), Unproven> {
        let secret = secret.expose();
        match self {
            Self::Standard { id, time, signatures } => {
                verify_age(time, now)?;
                let key = secret
                    .strip_prefix(STANDARD_PREFIX)
                    .and_then(|key| STANDARD.decode(key).ok())
                    .ok_or(Unproven::NoSigningToken)?;
                let mac = keyed(&key, &[id, b".", time, b".", body])?;
                any_matches(&mac, signatures)
            }
            Self::Signature(digits) => {
                let given = decoded(digits).ok_or(Unproven::Malformed)?;
                matches(keyed(secret.as_bytes(), &[body])?, &given)
            }
            // Both sides are digested, so that not even a length shows.
            Self::Token(token) => {
                let given = keyed(secret.as_bytes(), &[token])?.finalize().into_bytes();
                matches(keyed(secret.as_bytes(), &[secret.as_bytes()])?, &given)
            }
        }
    }
}

fn verify_age(time: &[u8], now: EngineTime) -> Result<(), Unproven> {
    let seconds: Option<i64> = str::from_utf8(time).ok().and_then(|it| it.parse().ok());
    let seconds = seconds.ok_or(Unproven::Malformed)?;
    let is_near = seconds.abs_diff(now.as_second()) <= TOLERANCE;
    if is_near { Ok(()) } else { Err(Unproven::Stale) }
}

/// Several signatures are given while a sender changes its secret; those of a version that
/// is not known are passed over.
fn any_matches(mac: &Hmac<Sha256>, signatures: &[u8]) -> Result<(), Unproven> {
    let mut given = signatures.split(|byte| *byte == b' ');
    let decoded = |it: &[u8]| STANDARD.decode(it.strip_prefix(b"v1,")?).ok();
    let is_right = |it: Vec<u8>| matches(mac.clone(), &it).is_ok();
    if given.any(|it| decoded(it).is_some_and(is_right)) {
        Ok(())
    } else {
        Err(Unproven::Mismatch)
    }
}

fn keyed(key: &[u8], parts: &[&[u8]]) -> Result<Hmac<Sha256>, Unproven> {
    // HMAC takes keys of any length, so this cannot fail.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).map_err(|_| Unproven::Mismatch)?;
    for part in parts {
        mac.update(part);
    }
    Ok(mac)
}

fn matches(mac: Hmac<Sha256>, given: &[u8]) -> Result<(), Unproven> {
    mac.verify_slice(given).map_err(|_| Unproven::Mismatch)
}

/// Reads hexadecimal digits, in upper or lower case.
fn decoded(digits: &[u8]) -> Option<Vec<u8>> {
    let (pairs, rest) = digits.as_chunks::<2>();
    let digit =
        |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let byte = |pair: &[u8; 2]| Some(digit(pair[0])? * 16 + digit(pair[1])?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verified(
        headers: &[(&'static str, &str)],
        secret: &str,
        body: &str,
    ) -> Result<(), Unproven> {
        let now = EngineTime::from_second(1_614_265_330).unwrap();
        verified_at(headers, secret, body, now)
    }

    fn verified_at(
        headers: &[(&'static str, &str)],
        secret: &str,
        body: &str,
        now: EngineTime,
    ) -> Result<(), Unproven> {
        let pairs = headers.iter().map(|(name, value)| {
            (name.parse().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        let headers: HeaderMap = pairs.collect();
        Proof::of(&headers)?.verify(&Secret::new(secret), body.as_bytes(), now)
    }

    /// The published example of GitHub's documentation.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &str = "Hello, World!";
    const DIGITS: &str =
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    #[test]
    fn the_signature_of_github_is_its_published_one() {
        let signature = format!("sha256={DIGITS}");
        let headers = [("x-hub-signature-256", signature.as_str())];
        assert_eq!(verified(&headers, SECRET, BODY), Ok(()));
        assert_eq!(verified(&headers, SECRET, "Hello, World?"), Err(Unproven::Mismatch));
        assert_eq!(verified(&headers, "another", BODY), Err(Unproven::Mismatch));
        let upper = format!("sha256={}", DIGITS.to_uppercase());
        assert_eq!(verified(&[("x-hub-signature-256", &upper)], SECRET, BODY), Ok(()));
    }

    #[test]
    fn forgejo_and_gitea_send_the_same_digits_bare() {
        for name in ["x-forgejo-signature", "x-gitea-signature"] {
            assert_eq!(verified(&[(name, DIGITS)], SECRET, BODY), Ok(()), "{name}");
            let wrong = verified(&[(name, DIGITS)], SECRET, "");
            assert_eq!(wrong, Err(Unproven::Mismatch), "{name}");
        }
        // The second test case of RFC 4231.
        let rfc = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let body = "what do ya want for nothing?";
        assert_eq!(verified(&[("x-gitea-signature", rfc)], "Jefe", body), Ok(()));
    }

    const TOKEN: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const SIGNED: &str = r#"{"test": 2432232314}"#;
    const BY_STANDARD: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn standard(signatures: &str) -> [(&'static str, &str); 3] {
        [
            ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
            ("webhook-timestamp", "1614265330"),
            ("webhook-signature", signatures),
        ]
    }

    #[test]
    fn the_signature_of_the_standard_webhooks_is_its_published_one() {
        assert_eq!(verified(&standard(BY_STANDARD), TOKEN, SIGNED), Ok(()));
        let several = format!("v1a,xxxx v1,AAAA {BY_STANDARD}");
        assert_eq!(verified(&standard(&several), TOKEN, SIGNED), Ok(()));
        let wrong = verified(&standard(BY_STANDARD), TOKEN, "{}");
        assert_eq!(wrong, Err(Unproven::Mismatch));
        let plain = verified(&standard(BY_STANDARD), SECRET, SIGNED);
        assert_eq!(plain, Err(Unproven::NoSigningToken));
        for malformed in ["", "v1", "v1,", "v2,g0hM", "v1,***"] {
            let found = verified(&standard(malformed), TOKEN, SIGNED);
            assert_eq!(found, Err(Unproven::Mismatch), "{malformed}");
        }
    }

    #[test]
    fn a_signature_of_the_standard_webhooks_holds_for_five_minutes() {
        let signed = 1_614_265_330;
        for (now, expected) in [
            (signed - 301, Err(Unproven::Stale)),
            (signed - 300, Ok(())),
            (signed + 300, Ok(())),
            (signed + 301, Err(Unproven::Stale)),
        ] {
            let now = EngineTime::from_second(now).unwrap();
            let found = verified_at(&standard(BY_STANDARD), TOKEN, SIGNED, now);
            assert_eq!(found, expected, "{now}");
        }
        let undated = [standard(BY_STANDARD)[0], standard(BY_STANDARD)[2]];
        assert_eq!(verified(&undated, TOKEN, SIGNED), Err(Unproven::Malformed));
    }

    #[test]
    fn a_token_of_gitlab_is_the_secret_and_nothing_near_it() {
        assert_eq!(verified(&[("x-gitlab-token", SECRET)], SECRET, BODY), Ok(()));
        for wrong in ["", "I", "It's a Secret to Everybod", "It's a Secret to Everybody!"]
        {
            let found = verified(&[("x-gitlab-token", wrong)], SECRET, BODY);
            assert_eq!(found, Err(Unproven::Mismatch), "{wrong}");
        }
    }

    #[test]
    fn a_delivery_without_a_good_proof_is_not_believed() {
        assert_eq!(verified(&[], SECRET, BODY), Err(Unproven::Unsigned));
        let sha1 = "sha1=01dc10d0c83e72ed246219cdd91669667fe2ca59";
        let found = verified(&[("x-hub-signature", sha1)], SECRET, BODY);
        assert_eq!(found, Err(Unproven::Sha1));
        let half = format!("sha256={}", &DIGITS[..32]);
        for (malformed, why) in [
            (DIGITS, Unproven::Malformed),
            ("sha256=", Unproven::Mismatch),
            ("sha256=757", Unproven::Malformed),
            ("sha256=no digits at all", Unproven::Malformed),
            (half.as_str(), Unproven::Mismatch),
        ] {
            let found = verified(&[("x-hub-signature-256", malformed)], SECRET, BODY);
            assert_eq!(found, Err(why), "{malformed}");
        }
    }

    #[test]
    fn a_weak_proof_does_not_mend_a_strong_one() {
        let token = ("x-gitlab-token", SECRET);
        let wrong = format!("sha256={}", "0".repeat(64));
        let found = verified(&[("x-hub-signature-256", &wrong), token], SECRET, BODY);
        assert_eq!(found, Err(Unproven::Mismatch));
        let [id, time, signature] = standard(BY_STANDARD);
        let found = verified(&[id, time, signature, token], SECRET, BODY);
        assert_eq!(found, Err(Unproven::NoSigningToken));
    }
}

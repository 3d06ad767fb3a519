//! Who signed a commit.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use crate::forge::Forge;
use crate::{Host, id};
use reconciler::source::git::{SignatureError, Signer};

async fn verify(host: &Host, allowed: &Path) -> Result<Signer, SignatureError> {
    let commit = host.cache.fetch(None).await.unwrap();
    host.cache.verify(&commit.id, allowed).await
}

/// Makes a commit of these bytes the tip of `main` on the server.
fn publish_object(forge: &Forge, commit: &str) -> String {
    let bare = forge.repository().display().to_string();
    let arguments = ["hash-object", "-t", "commit", "-w", "--stdin"];
    let id = forge.git_with(&bare, &arguments, commit.as_bytes());
    forge.git_in(&bare, &["update-ref", "refs/heads/main", &id]);
    id
}

#[tokio::test]
async fn a_commit_that_is_signed_with_a_listed_key_is_trusted() {
    let forge = Forge::new();
    let (ada, bob) = (forge.signing_key("ada"), forge.signing_key("bob"));
    let allowed = forge.allowed_signers(&[("bob@example.com", &bob), ("ada@a.b", &ada)]);
    forge.sign_with(&ada);
    forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    let signer = verify(&host, &allowed).await.unwrap();
    assert_eq!(signer.principal, "ada@a.b");
    assert!(signer.key.starts_with("SHA256:"), "{signer:?}");
}

#[tokio::test]
async fn an_unsigned_commit_is_not_trusted_though_the_one_before_is_signed() {
    let forge = Forge::new();
    let ada = forge.signing_key("ada");
    let allowed = forge.allowed_signers(&[("ada@example.com", &ada)]);
    forge.sign_with(&ada);
    forge.publish(&[("stack.yaml", "1")]);
    forge.sign_no_more();
    let commit = forge.publish(&[("stack.yaml", "2")]);
    let host = Host::of(&forge);
    let error = verify(&host, &allowed).await.unwrap_err();
    assert!(matches!(&error, SignatureError::Unsigned(it) if *it == id(&commit)));
}

#[tokio::test]
async fn a_key_that_is_not_listed_is_named() {
    let forge = Forge::new();
    let (ada, mallory) = (forge.signing_key("ada"), forge.signing_key("mallory"));
    let allowed = forge.allowed_signers(&[("ada@example.com", &ada)]);
    forge.sign_with(&mallory);
    forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    let error = verify(&host, &allowed).await.unwrap_err();
    let SignatureError::NotAllowed { key, .. } = &error else { panic!("{error:?}") };
    assert!(key.starts_with("SHA256:"), "{key}");
    // The same once it is listed.
    let allowed = forge.allowed_signers(&[("mallory@example.com", &mallory)]);
    assert_eq!(verify(&host, &allowed).await.unwrap().key, *key);
}

#[tokio::test]
async fn a_key_that_is_listed_for_another_time_or_purpose_is_not_allowed() {
    let forge = Forge::new();
    let ada = forge.signing_key("ada");
    forge.sign_with(&ada);
    forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    let key = fs::read_to_string(ada.with_extension("pub")).unwrap();
    let allowed = |text: &str| forge.private("allowed", &format!("ada@a.b {text}"));
    let expired = allowed(&format!("valid-before=\"20010101\" {key}"));
    let error = verify(&host, &expired).await.unwrap_err();
    assert!(matches!(error, SignatureError::NotAllowed { .. }), "{error:?}");
    let for_files = allowed(&format!("namespaces=\"file\" {key}"));
    let error = verify(&host, &for_files).await.unwrap_err();
    assert!(error.to_string().contains("not permitted for use"), "{error}");
    for text in ["", "this is no list of keys\n"] {
        let allowed = forge.private("allowed", text);
        let error = verify(&host, &allowed).await.unwrap_err();
        assert!(matches!(error, SignatureError::NotAllowed { .. }), "{text}: {error:?}");
    }
}

#[tokio::test]
async fn a_signature_of_something_else_does_not_fit() {
    let forge = Forge::new();
    let ada = forge.signing_key("ada");
    let allowed = forge.allowed_signers(&[("ada@example.com", &ada)]);
    forge.sign_with(&ada);
    forge.publish(&[("stack.yaml", "1")]);
    let signed = format!("{}\n", forge.git(&["cat-file", "commit", "HEAD"]));
    let host = Host::of(&forge);
    publish_object(&forge, &signed.replace("A change", "Another change"));
    let error = verify(&host, &allowed).await.unwrap_err();
    assert!(matches!(error, SignatureError::Bad { .. }), "{error:?}");
    // The first half of a signature.
    let cut =
        signed.lines().filter(|line| !line.starts_with(" AAAA")).collect::<Vec<_>>();
    publish_object(&forge, &format!("{}\n", cut.join("\n")));
    let error = verify(&host, &allowed).await.unwrap_err();
    assert!(matches!(error, SignatureError::Bad { .. }), "{error:?}");
}

#[tokio::test]
async fn a_signature_of_another_kind_starts_no_program() {
    let forge = Forge::new();
    let ada = forge.signing_key("ada");
    let allowed = forge.allowed_signers(&[("ada@example.com", &ada)]);
    forge.publish(&[("stack.yaml", "1")]);
    let plain = format!("{}\n", forge.git(&["cat-file", "commit", "HEAD"]));
    let host = Host::of(&forge);
    for signature in [
        "-----BEGIN PGP SIGNATURE-----\n \n iQEzBAABCAAdFiEE\n -----END PGP SIGNATURE-----",
        "-----BEGIN SIGNED MESSAGE-----\n MIIDWwYJ\n -----END SIGNED MESSAGE-----",
        "rubbish",
    ] {
        let (head, message) = plain.split_once("\n\n").unwrap();
        publish_object(&forge, &format!("{head}\ngpgsig {signature}\n\n{message}"));
        let error = verify(&host, &allowed).await.unwrap_err();
        assert!(matches!(error, SignatureError::OtherKind(_)), "{signature}: {error:?}");
    }
}

#[tokio::test]
async fn a_list_of_signers_that_everybody_can_write_to_is_not_believed() {
    let forge = Forge::new();
    let ada = forge.signing_key("ada");
    forge.sign_with(&ada);
    forge.publish(&[("stack.yaml", "1")]);
    let allowed = forge.allowed_signers(&[("ada@example.com", &ada)]);
    fs::set_permissions(&allowed, fs::Permissions::from_mode(0o666)).unwrap();
    let host = Host::of(&forge);
    for path in [allowed.as_path(), Path::new("/nowhere/signers"), Path::new("/dev/null")]
    {
        let error = verify(&host, path).await.unwrap_err();
        assert!(matches!(error, SignatureError::Signers { .. }), "{error:?}");
    }
}

//! Who is let in, and whom we believe.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::forge::http::Mood;
use crate::forge::{Forge, TOKEN};
use crate::{Host, by_key, by_token, id};
use reconciler::source::git::{Access, GitError, Limits, Reference};

#[tokio::test]
async fn a_commit_comes_over_http_with_a_token() {
    let forge = Forge::new();
    let commit = forge.publish(&[("stack.yaml", "services: {}\n")]);
    let host = Host::of(&forge);
    assert_eq!(host.cache.tip().await.unwrap(), id(&commit));
    let fetched = host.cache.fetch(None).await.unwrap();
    assert_eq!(fetched.id, id(&commit));
    assert_eq!(fetched.author, "Ada <ada@example.com>");
    assert_eq!(fetched.subject, "A change");
    assert!(host.bring().await.unwrap().is_empty());
    assert_eq!(host.text("stack.yaml"), "services: {}\n");
}

#[tokio::test]
async fn a_commit_comes_over_ssh_with_a_key() {
    let forge = Forge::new();
    let commit = forge.publish(&[("stack.yaml", "services: {}\n")]);
    let host = Host::with(&forge.ssh_url(), by_key(&forge), Limits::default());
    assert_eq!(host.cache.tip().await.unwrap(), id(&commit));
    host.bring().await.unwrap();
    assert_eq!(host.text("stack.yaml"), "services: {}\n");
}

#[tokio::test]
async fn files_for_access_may_be_anywhere() {
    let forge = Forge::new();
    let commit = forge.publish(&[("stack.yaml", "")]);
    let odd = forge.path("it's 100% \u{fc}n odd place");
    fs::create_dir(&odd).unwrap();
    let copy = |from: &std::path::Path| {
        let to = odd.join(from.file_name().unwrap());
        fs::copy(from, &to).unwrap();
        Some(to)
    };
    let by_token = Access { token_file: copy(&forge.token_file()), ..Access::default() };
    let by_key = Access {
        ssh_key_file: copy(&forge.ssh().key()),
        known_hosts_file: copy(&forge.ssh().known_hosts()),
        ..Access::default()
    };
    for (url, access) in [(forge.http_url(), by_token), (forge.ssh_url(), by_key)] {
        let host = Host::with(&url, access, Limits::default());
        assert_eq!(host.cache.tip().await.unwrap(), id(&commit), "{url}");
    }
}

#[tokio::test]
async fn a_tag_is_followed_to_its_commit() {
    let forge = Forge::new();
    let commit = forge.publish(&[("stack.yaml", "")]);
    forge.git(&["tag", "plain"]);
    forge.git(&["tag", "-a", "-m", "annotated", "v1"]);
    forge.git(&["push", "--quiet", "origin", "plain", "v1"]);
    for tag in ["plain", "v1"] {
        let (url, access) = (forge.http_url(), by_token(&forge));
        let tag = Reference::tag(tag).unwrap();
        let host = Host::follow(&url, access, Limits::default(), tag);
        assert_eq!(host.cache.tip().await.unwrap(), id(&commit));
        assert_eq!(host.cache.fetch(None).await.unwrap().id, id(&commit));
    }
}

#[tokio::test]
async fn a_wrong_token_is_denied_and_a_new_one_counts_from_the_next_call_on() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "")]);
    let host = Host::of(&forge);
    forge.private("token", "canary-wrong\n");
    for error in
        [host.cache.tip().await.unwrap_err(), host.cache.fetch(None).await.unwrap_err()]
    {
        assert!(matches!(error, GitError::Denied { .. }), "{error}");
        let text = format!("{error} {error:?}");
        assert!(text.contains("--git-token-file"), "{text}");
        assert!(!text.contains("canary"), "{text}");
    }
    forge.private("token", TOKEN);
    host.bring().await.unwrap();
}

#[tokio::test]
async fn without_a_token_nobody_is_asked_for_one() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "")]);
    let host = Host::with(&forge.http_url(), Access::default(), Limits::default());
    let error = host.cache.tip().await.unwrap_err();
    assert!(matches!(error, GitError::Denied { .. }), "{error}");
}

#[tokio::test]
async fn a_token_stays_with_the_server_that_it_is_for() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "")]);
    let other = Forge::new();
    other.publish(&[("stack.yaml", "")]);
    forge.be(Mood::Redirect(other.http().port()));
    let host = Host::of(&forge);
    let error = host.cache.tip().await.unwrap_err();
    assert!(error.to_string().contains("final address"), "{error}");
    assert!(other.http().shown().is_empty());
    assert_eq!(other.http().requests(), 0);
}

#[tokio::test]
async fn the_token_is_in_no_file_but_its_own() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "")]);
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    let found = std::process::Command::new("grep")
        .args(["-rl", TOKEN])
        .arg(host.repository().parent().unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}

#[tokio::test]
async fn a_token_that_others_can_read_is_not_used() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "")]);
    let host = Host::of(&forge);
    let mode = fs::Permissions::from_mode(0o640);
    fs::set_permissions(forge.token_file(), mode).unwrap();
    let error = host.cache.tip().await.unwrap_err();
    assert!(error.to_string().contains("chmod 600"), "{error}");
    assert_eq!(forge.http().requests(), 0);
}

#[tokio::test]
async fn a_key_that_the_server_does_not_know_is_denied() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "")]);
    let stranger = forge.signing_key("stranger");
    let access = Access { ssh_key_file: Some(stranger), ..by_key(&forge) };
    let host = Host::with(&forge.ssh_url(), access, Limits::default());
    let error = host.cache.tip().await.unwrap_err();
    assert!(matches!(error, GitError::Denied { .. }), "{error}");
    assert!(error.to_string().contains("--git-ssh-key"), "{error}");
}

#[tokio::test]
async fn a_server_with_another_host_key_is_not_believed() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "")]);
    let other = forge.signing_key("other");
    let other = fs::read_to_string(other.with_extension("pub")).unwrap();
    let known = fs::read_to_string(forge.ssh().known_hosts()).unwrap();
    let (place, _) = known.split_once(' ').unwrap();
    for text in [format!("{place} {other}"), String::new()] {
        let file = forge.private("known", &text);
        let access = Access { known_hosts_file: Some(file), ..by_key(&forge) };
        let host = Host::with(&forge.ssh_url(), access, Limits::default());
        let error = host.cache.tip().await.unwrap_err();
        assert!(matches!(error, GitError::Denied { .. }), "{error}");
        assert!(error.to_string().contains("--git-known-hosts"), "{error}");
    }
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_denied() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "")]);
    let by_http = forge.http_url().replace("stack", "other");
    let by_ssh = forge.ssh_url().replace("stack", "other");
    for (url, access) in [(by_http, by_token(&forge)), (by_ssh, by_key(&forge))] {
        let host = Host::with(&url, access, Limits::default());
        let error = host.cache.tip().await.unwrap_err();
        assert!(matches!(error, GitError::Denied { .. }), "{error}");
        assert!(error.to_string().contains("the address is wrong"), "{error}");
    }
}

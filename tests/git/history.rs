//! Whether what comes is newer than what is there.

use crate::forge::Forge;
use crate::{Host, id};
use reconciler::source::git::{Descent, GitError};

async fn descent(host: &Host, older: &str) -> Descent {
    let newer = host.cache.fetch(Some(&id(older))).await.unwrap();
    host.cache.descent(&newer.id, &id(older)).await.unwrap()
}

#[tokio::test]
async fn commits_between_two_looks_are_found_however_many() {
    let forge = Forge::new();
    let first = forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    assert_eq!(descent(&host, &first).await, Descent::Same);
    let second = forge.publish(&[("stack.yaml", "2")]);
    assert_eq!(descent(&host, &first).await, Descent::Descends);
    for number in 0..60 {
        forge.commit_all(&number.to_string());
    }
    forge.push();
    assert_eq!(descent(&host, &second).await, Descent::Descends);
    for number in 0..600 {
        forge.commit_all(&number.to_string());
    }
    forge.push();
    assert_eq!(descent(&host, &second).await, Descent::Descends);
}

#[tokio::test]
async fn a_rewritten_history_is_told_from_a_grown_one() {
    let forge = Forge::new();
    forge.publish(&[("stack.yaml", "1")]);
    let second = forge.publish(&[("stack.yaml", "2")]);
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    forge.git(&["commit", "--quiet", "--amend", "-m", "amended"]);
    forge.force_push();
    assert_eq!(descent(&host, &second).await, Descent::Rewound, "amended");
    forge.git(&["reset", "--quiet", "--hard", "HEAD~1"]);
    forge.force_push();
    assert_eq!(descent(&host, &second).await, Descent::Rewound, "gone back");
    forge.git(&["checkout", "--quiet", "--orphan", "other"]);
    forge.commit(&[("stack.yaml", "3")]);
    forge.git(&["branch", "-M", "other", "main"]);
    forge.force_push();
    assert_eq!(descent(&host, &second).await, Descent::Rewound, "another root");
    forge.git(&["reset", "--quiet", "--hard", &second]);
    forge.force_push();
    assert_eq!(descent(&host, &second).await, Descent::Same, "back again");
}

#[tokio::test]
async fn a_merge_descends_from_both_sides() {
    let forge = Forge::new();
    let root = forge.publish(&[("stack.yaml", "1")]);
    let left = forge.publish(&[("stack.yaml", "2")]);
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    forge.git(&["checkout", "--quiet", "-b", "side", &root]);
    for number in 0..70 {
        forge.commit_all(&number.to_string());
    }
    let right = forge.commit(&[("other.yaml", "")]);
    forge.git(&["merge", "--quiet", "-m", "merge", &left]);
    forge.git(&["branch", "-f", "main", "HEAD"]);
    forge.force_push();
    assert_eq!(descent(&host, &left).await, Descent::Descends);
    assert_eq!(descent(&host, &right).await, Descent::Descends);
    assert_eq!(descent(&host, &root).await, Descent::Descends);
}

#[tokio::test]
async fn a_lost_cache_does_not_lose_what_came_before() {
    let forge = Forge::new();
    let first = forge.publish(&[("stack.yaml", "1")]);
    let host = Host::of(&forge);
    host.bring().await.unwrap();
    std::fs::remove_dir_all(host.repository()).unwrap();
    forge.publish(&[("stack.yaml", "2")]);
    assert_eq!(descent(&host, &first).await, Descent::Descends);
    assert_eq!(descent(&host, &"a".repeat(40)).await, Descent::Rewound, "never there");
}

#[tokio::test]
async fn a_branch_that_is_deleted_or_was_never_there_is_said_so() {
    let forge = Forge::new();
    let host = Host::of(&forge);
    let error = host.cache.tip().await.unwrap_err();
    assert!(matches!(error, GitError::NoReference { .. }), "empty: {error}");
    forge.publish(&[("stack.yaml", "")]);
    host.bring().await.unwrap();
    forge.delete_branch("main");
    for error in
        [host.cache.tip().await.unwrap_err(), host.cache.fetch(None).await.unwrap_err()]
    {
        assert!(matches!(error, GitError::NoReference { .. }), "{error}");
        assert!(error.to_string().contains("branch main of http"), "{error}");
    }
    forge.push();
    host.bring().await.unwrap();
}

//! What the command line needs to know of a repository.

use crate::{Scene, web};

#[test]
fn what_does_not_fit_is_said_before_anything_is_done() {
    let scene = Scene::new();
    for (arguments, expected) in [
        (&["sync", "--verify", "ssh"][..], "--verify ssh and --allowed-signers"),
        (&["sync", "--git", "file:///srv/x.git"], "file://"),
        (&["sync", "--git", "https://user:pw@x.example/a"], "--git-token-file"),
        (&["sync", "--branch", "-x"], "-x"),
        (&["sync", "--path", "../x"], "--path"),
        (&["run", "--interval", "10ms"], "at least 1s"),
    ] {
        let ended = scene.product.ends(2, arguments);
        assert!(ended.notices.contains(expected), "{arguments:?}: {ended}");
        assert!(!ended.notices.contains("pw"), "{ended}");
    }
    assert!(!scene.product.path("state/git/checkout").exists());
}

#[test]
fn until_a_commit_is_there_commands_say_how_to_get_one() {
    let scene = Scene::new();
    let ended = scene.product.ends(2, &["status"]);
    assert!(ended.notices.contains("reconciler sync"), "{ended}");
    scene.product.ends(1, &["sync"]);
    let ended = scene.product.ends(2, &["status"]);
    assert!(
        ended.notices.contains("branch main") && ended.notices.contains("is not there"),
        "{ended}"
    );
    scene.forge.publish(&[("stacks/web.yaml", &web(1))]);
    scene.product.ends(0, &["sync"]);
    scene.product.ends(1, &["diff"]);
    scene.product.apply();
    scene.product.assert_in_sync();
}

#[test]
fn a_configuration_file_says_it_all() {
    let mut scene = Scene::new();
    scene.forge.publish(&[("stacks/web.yaml", &web(1))]);
    let product = crate::Product::bare();
    let text = format!(
        "# this host\nRECONCILER_GIT_URL={}\nRECONCILER_GIT_PATH=stacks\n\
         RECONCILER_GIT_TOKEN_FILE={}\nRECONCILER_HOST=sim:{}\n",
        scene.forge.http_url(),
        scene.forge.token_file().display(),
        product.path("engine.json").display(),
    );
    scene.product = product;
    scene.product.write("reconciler.env", &text);
    let file = scene.product.path("reconciler.env").display().to_string();
    scene.product.variable("RECONCILER_CONFIG", &file);
    scene.product.ends(0, &["sync"]);
    scene.product.apply();
    scene.product.write("reconciler.env", &text.replace("GIT_PATH", "GIT_PAHT"));
    let ended = scene.product.ends(2, &["status"]);
    assert!(ended.notices.contains("perhaps RECONCILER_GIT_PATH was meant"), "{ended}");
}

//! Saves as people and tools really make them, in real folders.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what cannot go on ends the test"
)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use reconciler::compose::files::Files;
use reconciler::source::file::HostFiles;
use reconciler::source::watch::{Watch, WatchOptions};
use tokio::time::timeout;

/// Long enough for a machine that has other things to do.
const SOON: Duration = Duration::from_secs(30);
/// Long enough for a change that is none to show itself.
const A_WHILE: Duration = Duration::from_millis(400);

struct Scene {
    folder: tempfile::TempDir,
    watch: Watch,
}

impl Scene {
    /// Makes a folder in which `stack.yaml` is watched, by events alone.
    fn new() -> Self {
        let hour = Duration::from_hours(1);
        Self::looking_every(hour)
    }

    fn looking_every(rehash: Duration) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("stack.yaml"), "memory: 1g\n").unwrap();
        let debounce = Duration::from_millis(50);
        let options = WatchOptions { debounce, rehash, ..WatchOptions::default() };
        let mut scene = Self { folder, watch: Watch::new(options).unwrap() };
        scene.watch(&["stack.yaml"]);
        scene
    }

    fn watch(&mut self, names: &[&str]) {
        self.watch.set_paths(names.iter().map(|name| self.path(name)).collect());
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// Runs a command line in the folder.
    fn shell(&self, line: &str) {
        let mut shell = Command::new("sh");
        let status = shell.args(["-euc", line]).current_dir(&self.folder).status();
        assert!(status.unwrap().success(), "{line}");
    }

    async fn changes(&mut self, after: &str) {
        assert!(timeout(SOON, self.watch.changed()).await.is_ok(), "{after}");
    }

    async fn is_quiet(&mut self, after: &str) {
        assert!(timeout(A_WHILE, self.watch.changed()).await.is_err(), "{after}");
    }
}

#[tokio::test]
async fn every_way_to_save_is_seen_once_and_the_next_one_too() {
    for (name, save) in [
        ("truncating", "echo 'memory: 2g' > stack.yaml"),
        ("sed -i", "sed -i s/1g/2g/ stack.yaml"),
        ("renaming over", "echo 2g > .new; mv .new stack.yaml"),
        ("backing up", "mv stack.yaml stack.yaml~; echo 2g > stack.yaml"),
        ("removing first", "rm stack.yaml; echo 2g > stack.yaml"),
        ("removing", "rm stack.yaml"),
    ] {
        let mut scene = Scene::new();
        scene.shell(save);
        scene.changes(name).await;
        scene.is_quiet(name).await;
        scene.write("stack.yaml", "memory: 3g\n");
        scene.changes(name).await;
    }
}

#[tokio::test]
async fn a_git_checkout_is_seen() {
    let mut scene = Scene::new();
    scene.shell(
        "git init -q . && git add stack.yaml && \
         git -c user.name=a -c user.email=a@b commit -qm 1 && \
         git checkout -qb other && echo 'memory: 2g' > stack.yaml && \
         git -c user.name=a -c user.email=a@b commit -qam 2",
    );
    scene.changes("the commit").await;
    scene.shell("git checkout -q -");
    scene.changes("the checkout").await;
    scene.is_quiet("the checkout").await;
}

#[tokio::test]
async fn a_swap_of_a_link_on_the_way_is_seen() {
    let mut scene = Scene::new();
    scene.shell(
        "mkdir ..1 ..2; echo 1g > ..1/app.yaml; echo 2g > ..2/app.yaml
         ln -s ..1 ..data; ln -s ..data/app.yaml app.yaml",
    );
    scene.watch(&["app.yaml"]);
    scene.shell("ln -s ..2 ..tmp; mv -T ..tmp ..data; rm -r ..1");
    scene.changes("the swap").await;
    scene.write("..2/app.yaml", "3g");
    scene.changes("a save behind the new link").await;
}

#[tokio::test]
async fn a_save_behind_a_link_to_another_folder_is_seen() {
    let mut scene = Scene::new();
    let other = tempfile::tempdir().unwrap();
    let target = other.path().join("real.yaml");
    fs::write(&target, "1g").unwrap();
    symlink(&target, scene.path("link.yaml")).unwrap();
    scene.watch(&["link.yaml"]);
    fs::write(&target, "2g").unwrap();
    scene.changes("a save behind the link").await;
}

#[tokio::test]
async fn a_folder_that_is_removed_and_made_again_is_watched_again() {
    let mut scene = Scene::new();
    scene.shell("mkdir -p a/b; echo 1g > a/b/stack.yaml");
    scene.watch(&["a/b/stack.yaml"]);
    scene.shell("rm -r a");
    scene.changes("the removal").await;
    scene.shell("mkdir -p a/b; echo 2g > a/b/stack.yaml");
    scene.changes("the return").await;
    scene.shell("echo 3g > a/b/stack.yaml");
    scene.changes("a save after the return").await;
    scene.shell("mv a/b old; cp -r old a/b");
    scene.is_quiet("the same content in another folder").await;
    scene.shell("echo 4g > a/b/stack.yaml");
    scene.changes("a save in the other folder").await;
}

#[tokio::test]
async fn a_file_that_was_missing_is_seen_when_it_appears() {
    let mut scene = Scene::new();
    scene.watch(&["stack.yaml", ".env", "later/extra.yaml"]);
    scene.write(".env", "TAG=1\n");
    scene.changes(".env").await;
    fs::create_dir(scene.path("later")).unwrap();
    scene.is_quiet("an empty folder").await;
    scene.write("later/extra.yaml", "services: {}\n");
    scene.changes("later/extra.yaml").await;
}

#[tokio::test]
async fn a_stack_that_is_added_to_a_watched_folder_is_seen() {
    let mut scene = Scene::new();
    scene.watch(&[""]);
    scene.write("notes.txt", "");
    scene.is_quiet("another kind of file").await;
    scene.write("second.yaml", "services: {}\n");
    scene.changes("a second stack").await;
}

#[tokio::test]
async fn reading_touching_and_what_lies_beside_change_nothing() {
    let mut scene = Scene::new();
    fs::read(scene.path("stack.yaml")).unwrap();
    scene.is_quiet("a read").await;
    scene.shell("touch stack.yaml");
    scene.is_quiet("a touch").await;
    scene.write("stack.yaml", "memory: 1g\n");
    scene.is_quiet("a save of the same bytes").await;
    scene.write("other.yaml", "memory: 2g\n");
    scene.is_quiet("another file").await;
    scene.rename("other.yaml", "another.yaml");
    scene.is_quiet("a rename beside").await;
}

#[tokio::test]
async fn a_file_system_that_tells_nothing_is_looked_at_every_while() {
    let mut scene = Scene::looking_every(Duration::from_millis(50));
    // What is written under another name of the file raises no event under this one.
    let other = tempfile::tempdir_in(scene.folder.path().parent().unwrap()).unwrap();
    let link = other.path().join("link");
    fs::hard_link(scene.path("stack.yaml"), &link).unwrap();
    scene.watch(&["stack.yaml"]);
    fs::write(&link, "memory: 2g\n").unwrap();
    scene.changes("a silent change").await;
}

#[tokio::test]
async fn a_wait_that_is_given_up_loses_no_change() {
    let mut scene = Scene::new();
    scene.write("stack.yaml", "memory: 2g\n");
    for _ in 0..20 {
        // It is dropped in all stages of a change, until one is told of.
        if timeout(Duration::from_millis(15), scene.watch.changed()).await.is_ok() {
            return;
        }
    }
    scene.changes("a wait that was given up").await;
}

#[tokio::test]
async fn what_is_written_between_a_load_and_the_watch_is_a_change() {
    let mut scene = Scene::new();
    let files = HostFiles::for_user(false, false);
    let path = scene.path("stack.yaml");
    files.read(&path).unwrap();
    scene.watch.follow(files.touched());
    scene.is_quiet("a load").await;
    files.read(&path).unwrap();
    scene.write("stack.yaml", "memory: 2g\n");
    scene.watch.follow(files.touched());
    scene.changes("a save between load and watch").await;
    scene.is_quiet("a change that was told of").await;
}

#[tokio::test]
async fn paths_that_are_no_longer_watched_are_quiet() {
    let mut scene = Scene::new();
    let other = tempfile::tempdir().unwrap();
    let path = other.path().join("other.yaml");
    fs::write(&path, "1g").unwrap();
    scene.watch.set_paths([path.as_path()].map(Path::to_owned).into());
    scene.write("stack.yaml", "memory: 2g\n");
    scene.is_quiet("a file that is not watched any more").await;
    fs::write(&path, "2g").unwrap();
    scene.changes("the file that is").await;
}

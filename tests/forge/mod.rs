//! A repository on real servers: git's smart HTTP with a token, and sshd with a key.

#![allow(dead_code, reason = "each test program uses a part of it")]

pub(crate) mod http;
pub(crate) mod ssh;

use std::fs;
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use http::{Http, Mood};
use ssh::{Ssh, make_key};

/// What the server wants to be shown; nothing may ever print it.
pub(crate) const TOKEN: &str = "canary-token-that-nobody-may-print";

/// A bare repository with servers before it, and a work tree to push from.
pub(crate) struct Forge {
    folder: tempfile::TempDir,
    http: Http,
    ssh: OnceLock<Ssh>,
}

impl Forge {
    /// Makes an empty repository, with the branch `main` to come.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().join("repositories");
        fs::create_dir(&root).expect("a folder");
        let forge =
            Self { http: Http::new(&root, Some(TOKEN)), folder, ssh: OnceLock::new() };
        let bare = forge.repository().display().to_string();
        let tree = forge.tree().display().to_string();
        forge.git_in("/", &["init", "--quiet", "--bare", "-b", "main", &bare]);
        forge.git_in("/", &["init", "--quiet", "-b", "main", &tree]);
        forge.git(&["remote", "add", "origin", &bare]);
        forge
    }

    /// Returns a path in the folder of the forge, outside of the repository.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the bare repository.
    pub(crate) fn repository(&self) -> PathBuf {
        self.path("repositories/stack.git")
    }

    /// Returns the work tree.
    pub(crate) fn tree(&self) -> PathBuf {
        self.path("tree")
    }

    /// Returns the address by HTTP.
    pub(crate) fn http_url(&self) -> String {
        self.http.url("stack.git")
    }

    /// Returns the HTTP server.
    pub(crate) fn http(&self) -> &Http {
        &self.http
    }

    /// Makes the HTTP server behave in another way.
    pub(crate) fn be(&self, mood: Mood) {
        self.http.be(mood);
    }

    /// Returns the address by ssh.
    pub(crate) fn ssh_url(&self) -> String {
        self.ssh().url(&self.repository())
    }

    /// Returns the ssh server, which is started when it is first asked for.
    pub(crate) fn ssh(&self) -> &Ssh {
        self.ssh.get_or_init(|| {
            let folder = self.path("ssh");
            fs::create_dir(&folder).expect("a folder");
            Ssh::new(&folder)
        })
    }

    /// Returns a file with the token.
    pub(crate) fn token_file(&self) -> PathBuf {
        self.private("token", &format!("{TOKEN}\n"))
    }

    /// Writes a file that only its owner can read.
    pub(crate) fn private(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        let mut file = fs::File::options()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .expect("a file");
        file.write_all(text.as_bytes()).expect("a file");
        path
    }

    /// Writes files to the work tree, and commits everything; returns the commit.
    pub(crate) fn commit(&self, files: &[(&str, &str)]) -> String {
        for (name, text) in files {
            self.write(name, text.as_bytes());
        }
        self.commit_all("A change")
    }

    /// Writes a file to the work tree.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.tree().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }

    /// Makes a symbolic link in the work tree.
    pub(crate) fn link(&self, name: &str, target: &str) {
        let path = self.tree().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        symlink(target, path).expect("a link");
    }

    /// Removes a file, a link or a folder from the work tree.
    pub(crate) fn remove(&self, name: &str) {
        self.git(&["rm", "-r", "--quiet", "--cached", "--", name]);
        let path = self.tree().join(name);
        if path.is_dir() && !path.is_symlink() {
            fs::remove_dir_all(path).expect("removed");
        } else {
            fs::remove_file(path).expect("removed");
        }
    }

    /// Commits everything in the work tree, also when nothing has changed.
    pub(crate) fn commit_all(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "-m", message]);
        self.head()
    }

    /// Commits and pushes.
    pub(crate) fn publish(&self, files: &[(&str, &str)]) -> String {
        let commit = self.commit(files);
        self.push();
        commit
    }

    /// Returns the commit of the work tree.
    pub(crate) fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// Pushes `main`.
    pub(crate) fn push(&self) {
        self.git(&["push", "--quiet", "origin", "main"]);
    }

    /// Pushes `main`, whatever was there before.
    pub(crate) fn force_push(&self) {
        self.git(&["push", "--quiet", "--force", "origin", "main"]);
    }

    /// Deletes a branch on the server.
    pub(crate) fn delete_branch(&self, name: &str) {
        let branch = format!("refs/heads/{name}");
        let bare = self.repository();
        self.git_in(&bare.display().to_string(), &["update-ref", "-d", &branch]);
    }

    /// Makes a key that commits can be signed with.
    pub(crate) fn signing_key(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        make_key(&path);
        path
    }

    /// Signs the commits from now on.
    pub(crate) fn sign_with(&self, key: &Path) {
        self.git(&["config", "gpg.format", "ssh"]);
        self.git(&["config", "user.signingKey", &key.display().to_string()]);
        self.git(&["config", "commit.gpgSign", "true"]);
    }

    /// No longer signs commits.
    pub(crate) fn sign_no_more(&self) {
        self.git(&["config", "commit.gpgSign", "false"]);
    }

    /// Writes a file of allowed signers: names, and the keys that they have.
    pub(crate) fn allowed_signers(&self, signers: &[(&str, &Path)]) -> PathBuf {
        let line = |(name, key): &(&str, &Path)| {
            let key = fs::read_to_string(key.with_extension("pub")).expect("a key");
            format!("{name} namespaces=\"git\" {key}")
        };
        let path = self.path("allowed_signers");
        fs::write(&path, signers.iter().map(line).collect::<String>()).expect("a file");
        path
    }

    /// Runs git in the work tree; returns what it prints.
    pub(crate) fn git(&self, arguments: &[&str]) -> String {
        self.git_in(&self.tree().display().to_string(), arguments)
    }

    /// Runs git in a folder.
    pub(crate) fn git_in(&self, folder: &str, arguments: &[&str]) -> String {
        self.git_with(folder, arguments, b"")
    }

    /// Runs git in a folder, with an input.
    pub(crate) fn git_with(
        &self,
        folder: &str,
        arguments: &[&str],
        input: &[u8],
    ) -> String {
        let mut child = Command::new("git")
            .current_dir(folder)
            .args(arguments)
            .env("HOME", self.folder.path())
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Ada")
            .env("GIT_AUTHOR_EMAIL", "ada@example.com")
            .env("GIT_COMMITTER_NAME", "Ada")
            .env("GIT_COMMITTER_EMAIL", "ada@example.com")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("git");
        child.stdin.take().expect("a pipe").write_all(input).expect("an input");
        let ended = child.wait_with_output().expect("git");
        let complaints = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "git {arguments:?}: {complaints}");
        String::from_utf8_lossy(&ended.stdout).trim_end().to_owned()
    }
}

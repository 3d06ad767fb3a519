//! A real `sshd` that lets one key in.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// Where distributions put it.
const USUAL: &str = "/usr/sbin";

/// A server on loopback; it ends with the value.
pub(crate) struct Ssh {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Ssh {
    /// Starts a server with its files in a folder; it knows the key `user` there.
    pub(crate) fn new(folder: &Path) -> Self {
        let program = program();
        for name in ["host", "user"] {
            make_key(&folder.join(name));
        }
        fs::copy(folder.join("user.pub"), folder.join("authorized")).expect("a copy");
        // It drops its rights to an empty folder.
        fs::create_dir_all("/run/sshd").expect("a folder");
        for _ in 0..10 {
            let port = free_port();
            let child = start(&program, folder, port);
            let mut server = Self { child, port, folder: folder.to_owned() };
            if server.answers() {
                server.write_known_hosts();
                return server;
            }
        }
        panic!(
            "sshd does not start: {}",
            fs::read_to_string(folder.join("log")).unwrap()
        );
    }

    /// Returns the address of a repository on this host.
    pub(crate) fn url(&self, repository: &Path) -> String {
        let user = Command::new("id").arg("-un").output().expect("a user");
        let user = String::from_utf8(user.stdout).expect("a name");
        format!("ssh://{}@127.0.0.1:{}{}", user.trim(), self.port, repository.display())
    }

    /// Returns the key that is let in.
    pub(crate) fn key(&self) -> PathBuf {
        self.folder.join("user")
    }

    /// Returns the file with the key of the server.
    pub(crate) fn known_hosts(&self) -> PathBuf {
        self.folder.join("known_hosts")
    }

    fn write_known_hosts(&self) {
        let key = fs::read_to_string(self.folder.join("host.pub")).expect("a key");
        let line = format!("[127.0.0.1]:{} {key}", self.port);
        fs::write(self.known_hosts(), line).expect("a file");
    }

    fn answers(&mut self) -> bool {
        for _ in 0..500 {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            if self.child.try_wait().expect("a child").is_some() {
                return false;
            }
            thread::sleep(Duration::from_millis(20));
        }
        false
    }
}

impl Drop for Ssh {
    fn drop(&mut self) {
        self.child.kill().unwrap_or_default();
        drop(self.child.wait());
    }
}

/// Makes a key without a passphrase.
pub(crate) fn make_key(path: &Path) {
    let made = Command::new("ssh-keygen")
        .args(["-q", "-t", "ed25519", "-N", "", "-C", "test", "-f"])
        .arg(path)
        .status()
        .expect("ssh-keygen");
    assert!(made.success(), "no key at {}", path.display());
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Returns the path of the server: it wants to be started by its full path.
fn program() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from(USUAL)]);
    let mut programs = folders.map(|folder| folder.join("sshd"));
    let why =
        "there is no sshd: `tests/lab/build tools` makes one, or install openssh-server";
    programs.find(|it| it.exists()).expect(why)
}

/// Starts a server where there is the user `sshd`, whom it insists on, wherever we are.
fn start(program: &Path, folder: &Path, port: u16) -> Child {
    let shown = folder.display();
    let configuration = format!(
        "ListenAddress 127.0.0.1:{port}\nHostKey {shown}/host\n\
         AuthorizedKeysFile {shown}/authorized\nPidFile none\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PermitRootLogin prohibit-password\nMaxStartups 100\n"
    );
    let configured = folder.join("sshd_config");
    fs::write(&configured, configuration).expect("a file");
    let mut users = fs::read_to_string("/etc/passwd").expect("the users");
    if !users.lines().any(|line| line.starts_with("sshd:")) {
        users.push_str("sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin\n");
    }
    fs::write(folder.join("passwd"), users).expect("a file");
    Command::new("unshare")
        .args(["--mount", "sh", "-c", "mount --bind \"$0\" /etc/passwd && exec \"$@\""])
        .arg(folder.join("passwd"))
        .arg(program)
        .args(["-D", "-f"])
        .arg(configured)
        .arg("-E")
        .arg(folder.join("log"))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .expect("unshare")
}

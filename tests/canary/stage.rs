//! The files of the stack, the command, and what it says.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use crate::places::{self, Origin, PLACES, secret, variable};
use crate::product::{Ended, Product};
use crate::real::{Corner, IMAGE};
use crate::scan;
use crate::tools;

/// A stack of secrets.
pub(crate) struct Stage {
    pub(crate) product: Product,
    pub(crate) corner: Corner,
}

impl Stage {
    /// Makes the stage, with the files of the first round; nothing where there is no engine.
    pub(crate) async fn new(what: &str) -> Option<Self> {
        let corner = Corner::new(what).await?;
        if !corner.has(IMAGE).await || !tools::are_here() {
            return None;
        }
        let mut product = Product::new();
        product.variable("PATH", &tools::path().to_string_lossy());
        tools::make_key(&product.path("age.key"));
        let key = product.path("age.key").display().to_string();
        product.option(&["--age-key-file", &key]);
        product.write("served/ok", "yes\n");
        let mut stage = Self { product, corner };
        stage.files(1);
        stage.save(1, "");
        Some(stage)
    }

    /// Writes the files beside the stack, and sets the variables.
    pub(crate) fn files(&mut self, round: u32) {
        let secret = |place: &str| secret(place, round);
        let key = self.product.path("age.key");
        let write = |name: &str, text: String| self.product.write(name, &text);
        write(
            ".env",
            format!("DOTENV_PASSWORD={}\nWHO=me\n", secret("variable-of-dotenv")),
        );
        write("plain.env", format!("APP_TOKEN={}\n", secret("env-file")));
        write("host.secret", secret("secret-file"));
        let seal =
            |name: &str, text: String| tools::age(&key, &text, &self.product.path(name));
        seal(".env.age", format!("WHO={}\n", secret("variable-of-dotenv-age")));
        seal("db.env.age", format!("USER_CODE={}\n", secret("env-file-age")));
        seal("crash.env.age", format!("CODE={}\n", secret("crash")));
        seal("key.age", format!("first line\n{}\n", secret("secret-file-age")));
        seal("app.conf.age", format!("code = {}\n", secret("config-file-age")));
        let cloud = format!("CLOUD_CODE={}\n", secret("env-file-sops"));
        tools::sops(&key, "dotenv", &cloud, &self.product.path("cloud.env"));
        let pem = secret("secret-file-sops");
        tools::sops(&key, "binary", &pem, &self.product.path("key.pem.sops"));
        for (place, origin) in PLACES {
            if origin == Origin::Environment {
                // What a volume is made of cannot change: its data would be lost.
                let is_volume = place.starts_with("volume");
                let value = places::secret(place, if is_volume { 1 } else { round });
                self.product.variable(&variable(place), &value);
            }
        }
    }

    /// Writes the stack.
    pub(crate) fn save(&self, round: u32, more: &str) {
        let text = places::stack(&self.corner.project(), IMAGE, round, more);
        self.product.write("stack.yaml", &text);
    }

    /// Runs a command; nothing that it says may hold a secret.
    #[track_caller]
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        let ended = self.product.run(arguments);
        assert!((0..=4).contains(&ended.code), "{arguments:?}: {ended}");
        scan::assert_none(&format!("the output of {arguments:?}"), &ended.output);
        scan::assert_none(&format!("what {arguments:?} notes"), &ended.notices);
        ended
    }

    /// As [`Stage::run`], and asserts how it ends.
    #[track_caller]
    pub(crate) fn ends(&self, code: i32, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {ended}");
        ended
    }

    /// Runs every command that only looks, in both forms; returns all that they said.
    #[track_caller]
    pub(crate) fn look(&self) -> String {
        let mut said = String::new();
        let commands: [&[&str]; 10] = [
            &["validate"],
            &["diff"],
            &["status"],
            &["events"],
            &["history"],
            &["logs"],
            &["check"],
            &["explain", "app"],
            &["explain", "second"],
            &["diff", "-v", "-v"],
        ];
        for command in commands {
            for form in ["text", "json"] {
                let ended = self.run(&[command, &["-o", form]].concat());
                said += &format!("{}{}", ended.output, ended.notices);
            }
        }
        said
    }

    /// Asks everything that an operator answers over HTTP.
    #[track_caller]
    pub(crate) fn ask(&self, socket: &Path) {
        for path in
            ["metrics", "api/v1/status", "api/v1/diff", "api/v1/events", "api/v1/history"]
        {
            let mut stream = UnixStream::connect(socket).expect("a server");
            let request = format!("GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n");
            stream.write_all(request.as_bytes()).expect("a server");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).expect("an answer");
            assert!(answer.starts_with("HTTP/1.1 200 "), "{path}: {answer}");
            assert!(answer.contains(&self.corner.project()), "{path}: {answer}");
            scan::assert_none(path, &answer);
        }
    }

    /// Returns the control socket of the operator.
    fn socket(&self) -> PathBuf {
        let user = std::fs::metadata("/proc/self").expect("a process").uid();
        let folder = match std::env::var_os("XDG_RUNTIME_DIR") {
            _ if user == 0 => PathBuf::from("/run/reconciler"),
            Some(folder) => PathBuf::from(folder).join("reconciler"),
            None => PathBuf::from(format!("/tmp/reconciler-{user}")),
        };
        let entries = std::fs::read_dir(folder).expect("a folder").flatten();
        let mut sockets = entries.map(|it| it.path()).filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let project = self.corner.project();
            name.starts_with(&project) && path.extension().is_some_and(|it| it == "sock")
        });
        sockets.next().expect("a socket")
    }

    /// Listens in on everything that is said through the control socket from now on.
    pub(crate) fn listen_in(&self) -> Recording {
        Recording::of(&self.socket())
    }
}

/// What went through a socket.
pub(crate) struct Recording(Arc<Mutex<Vec<u8>>>);

impl Recording {
    fn of(path: &Path) -> Self {
        let real = path.with_extension("real");
        std::fs::rename(path, &real).expect("a socket");
        let listener = UnixListener::bind(path).expect("a socket");
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
            .expect("mode");
        let heard = Arc::new(Mutex::new(Vec::new()));
        let recording = Self(heard.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(operator) = UnixStream::connect(&real) else { return };
                let pair = |one: &UnixStream, other: &UnixStream| {
                    (
                        one.try_clone().expect("a stream"),
                        other.try_clone().expect("a stream"),
                    )
                };
                for (mut from, mut to) in
                    [pair(&client, &operator), pair(&operator, &client)]
                {
                    let heard = heard.clone();
                    std::thread::spawn(move || {
                        let mut bytes = [0; 4096];
                        while let Ok(count @ 1..) = from.read(&mut bytes) {
                            heard.lock().expect("a lock").extend(&bytes[..count]);
                            if to.write_all(&bytes[..count]).is_err() {
                                break;
                            }
                        }
                        to.shutdown(std::net::Shutdown::Both).unwrap_or_default();
                    });
                }
            }
        });
        recording
    }

    /// Asserts that something went through, and no secret.
    #[track_caller]
    pub(crate) fn assert_none(&self) {
        let heard = self.0.lock().expect("a lock");
        let text = String::from_utf8_lossy(&heard);
        assert!(text.contains(r#""reply":"memory""#), "nothing was heard: {text}");
        scan::assert_none("what the control socket says", &text);
    }
}

use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::*;
use crate::compose::files::Files;
use crate::source::file::HostFiles;

const AGE: Encryption = Encryption::Age;
const PLAIN: &str = "DB_PASSWORD=hunter2\n";

/// A folder with the files of keys.
struct Room(tempfile::TempDir);

impl Room {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn write(&self, name: &str, text: &str, mode: u32) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path
    }

    /// Makes a new key.
    fn key(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        let mut keygen = Command::new("age-keygen");
        let made = keygen.arg("-o").arg(&path).stderr(Stdio::null()).status();
        assert!(made.expect("the Debian package age is installed").success());
        path
    }
}

/// Returns whom to encrypt for, so that this key decrypts it.
fn recipient(key: &Path) -> String {
    let said = Command::new("age-keygen").arg("-y").arg(key).output().unwrap();
    String::from_utf8(said.stdout).unwrap().trim().to_owned()
}

fn encrypted(key: &Path, plain: &[u8], options: &[&str]) -> Vec<u8> {
    let mut age = Command::new("age");
    age.args(["--encrypt", "-r", &recipient(key)]).args(options);
    let mut child =
        age.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("age runs");
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), plain).unwrap();
    child.wait_with_output().unwrap().stdout
}

/// Returns what a refusal says; it must not repeat what is in the file.
#[track_caller]
fn refused(key: Option<&Path>, bytes: &[u8], how: Encryption) -> String {
    let error = decrypt(key, bytes, how).unwrap_err();
    let said = format!("{error} {error:?}");
    assert!(!said.contains("hunter2") && !said.contains("DB_PASS"), "{said}");
    error.to_string()
}

#[test]
fn what_age_encrypted_is_decrypted_as_it_is_and_as_text() {
    let room = Room::new();
    let key = room.key("key");
    for options in [&[][..], &["--armor"]] {
        let sealed = encrypted(&key, PLAIN.as_bytes(), options);
        let plain = decrypt(Some(&key), &sealed, AGE).unwrap();
        assert_eq!(plain.expose(), PLAIN);
        assert_eq!(format!("{plain:?}"), "(sensitive)");
    }
}

#[test]
fn a_file_that_was_decrypted_is_not_decrypted_again_until_it_or_the_key_is_another() {
    let room = Room::new();
    let (key, other) = (room.key("key"), room.key("other"));
    let sealed = encrypted(&key, PLAIN.as_bytes(), &[]);
    assert!(decrypt(Some(&key), &sealed, AGE).is_ok());
    let held = SecretFile::new(&key, 1).read().unwrap();
    assert!(known().contains_key(&known_as(&sealed, &held, AGE)));
    // By the same path another key: what is known does not count.
    fs::copy(&other, &key).unwrap();
    assert!(refused(Some(&key), &sealed, AGE).contains("for other keys than those in"));
    let renewed = encrypted(&key, PLAIN.as_bytes(), &[]);
    assert_eq!(decrypt(Some(&key), &renewed, AGE).unwrap().expose(), PLAIN);
}

#[test]
fn what_cannot_be_decrypted_says_why_and_nothing_of_what_is_in_it() {
    let room = Room::new();
    let (key, other) = (room.key("key"), room.key("other"));
    let sealed = encrypted(&key, PLAIN.as_bytes(), &[]);
    let said = refused(Some(&other), &sealed, AGE);
    assert_eq!(
        said,
        format!("it is encrypted for other keys than those in {}", other.display())
    );
    let said = refused(Some(&key), &sealed[..sealed.len() - 3], AGE);
    assert_eq!(said, "it is damaged or not whole, says age");
    let said = refused(Some(&key), &sealed[..60], AGE);
    assert_eq!(said, "it is damaged or not whole, says age");
    let said = refused(Some(&key), PLAIN.as_bytes(), AGE);
    assert!(
        said.starts_with("its name says that age encrypted it, and it is not"),
        "{said}"
    );
    let said = refused(Some(&key), b"", AGE);
    assert!(said.contains("and it is not: encrypt it, or rename it"), "{said}");
    let binary = encrypted(&key, b"\xff\xfe\x00", &[]);
    assert!(refused(Some(&key), &binary, AGE).contains("no UTF-8 text"));
}

#[test]
fn a_key_that_is_missing_or_open_to_others_or_no_key_is_refused() {
    let room = Room::new();
    let key = room.key("key");
    let sealed = encrypted(&key, PLAIN.as_bytes(), &[]);
    assert!(refused(None, &sealed, AGE).contains("--age-key-file"));
    let missing = room.path("missing");
    assert!(
        refused(Some(&missing), &sealed, AGE).contains("cannot be read: No such file")
    );
    assert!(refused(Some(room.0.path()), &sealed, AGE).contains("is not a regular file"));
    for mode in [0o640, 0o604, 0o644] {
        fs::set_permissions(&key, fs::Permissions::from_mode(mode)).unwrap();
        let said = refused(Some(&key), &sealed, AGE);
        assert!(
            said.contains("is open to others") && said.contains("`chmod 600"),
            "{said}"
        );
    }
    let no_key = room.write("no-key", PLAIN, 0o600);
    let said = refused(Some(&no_key), &sealed, AGE);
    assert!(said.contains("holds no age identity"), "{said}");
}

#[test]
fn a_program_that_is_missing_or_fails_or_hangs_or_says_too_much_is_told() {
    let program = |name, arguments: &[&str]| Program {
        name,
        arguments: arguments.iter().map(Into::into).collect(),
        environment: Vec::new(),
    };
    let run = |name, arguments: &[&str], input: &[u8]| {
        run(&program(name, arguments), input, Duration::from_millis(500))
    };
    let missing = run("no-such-program-here", &[], b"").err().unwrap();
    assert_eq!(
        missing.to_string(),
        "there is no program `no-such-program-here` on this host: install it"
    );
    let ended = run("sh", &["-c", "echo no >&2; exit 3"], b"x").unwrap();
    assert_eq!((ended.output, ended.complaint.as_str()), (None, "no\n"));
    let endless = run("sleep", &["600"], b"").err().unwrap();
    assert_eq!(endless.to_string(), "`sleep` did not end within 0.5 s");
    let much = run("cat", &["/dev/zero"], b"").err().unwrap();
    assert!(matches!(much, ProgramError::TooMuch(_)), "{much}");
}

#[test]
fn a_program_has_nothing_of_our_environment_and_no_pipe_is_waited_for() {
    let program = Program {
        name: "sh",
        arguments: vec!["-c".into(), "/usr/bin/env; /bin/cat; /bin/cat".into()],
        environment: vec![("ITS_OWN", "yes".into())],
    };
    let ended = run(&program, "x".repeat(300_000).as_bytes(), PATIENCE).unwrap();
    let output = String::from_utf8(ended.output.unwrap()).unwrap();
    assert!(output.contains("ITS_OWN=yes") && output.ends_with("xxx"));
    assert!(!output.contains("CARGO"), "{}", &output[..200]);
}

#[test]
fn the_key_is_watched_so_that_another_one_leads_to_another_load() {
    let room = Room::new();
    let (key, other) = (room.key("key"), room.key("other"));
    let sealed = encrypted(&other, PLAIN.as_bytes(), &[]);
    let files = HostFiles::for_user(false, false).with_age_key(Some(&key));
    assert!(files.decrypt(&sealed, AGE).is_err());
    let touched = files.touched();
    let before = touched.get(&key).expect("the key is watched");
    fs::copy(&other, &key).unwrap();
    assert_ne!(&before.again(&key), before);
    assert!(files.decrypt(&sealed, AGE).is_ok());
}

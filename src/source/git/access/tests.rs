//! Who we are to a server: what is refused, and what git is told.

use super::*;
use std::fs;

fn private(folder: &Path, name: &str, text: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    path
}

fn url(text: &str) -> GitUrl {
    GitUrl::parse(text).unwrap()
}

#[test]
fn a_token_is_the_one_line_of_its_file() {
    let folder = tempfile::tempdir().unwrap();
    for text in ["ghp_x", "ghp_x\n"] {
        let path = private(folder.path(), "token", text.as_bytes());
        assert_eq!(token(&path).unwrap().expose(), "ghp_x");
    }
    let long = vec![b'x'; 20_000];
    for bytes in
        [b"".as_slice(), b"\n", b"one\ntwo\n", b"x\n\n", b"x\r\n", b"\0", b"\xff", &long]
    {
        let path = private(folder.path(), "token", bytes);
        let error = token(&path).unwrap_err();
        assert!(matches!(error, AccessError::Unsafe { .. }), "{bytes:?}: {error}");
    }
}

#[test]
fn what_others_can_read_or_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = private(folder.path(), "token", b"x");
    for mode in [0o604, 0o640, 0o602, 0o620, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(token(&path).is_err(), "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    assert!(token(&path).is_ok());
    let pipe = folder.path().join("pipe");
    std::process::Command::new("mkfifo").arg(&pipe).status().unwrap();
    for path in [pipe.as_path(), folder.path(), Path::new("/nowhere/token")] {
        assert!(token(path).is_err(), "{}", path.display());
    }
}

#[test]
fn a_token_travels_encrypted_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let access = Access {
        token_file: Some(private(folder.path(), "token", b"x")),
        ..Access::default()
    };
    assert!(access.check(&url("https://example.com/x")).is_ok());
    assert!(access.check(&url("http://127.0.0.1:3000/x")).is_ok());
    let clear = access.check(&url("http://example.com/x")).unwrap_err();
    assert!(matches!(clear, AccessError::InTheClear), "{clear}");
    let unfit = access.check(&url("git@example.com:x")).unwrap_err();
    assert!(unfit.to_string().contains("--git-ssh-key"), "{unfit}");
    let user = Some("a\nb".to_owned());
    assert!(Access { user, ..access }.check(&url("https://example.com/x")).is_err());
}

#[test]
fn the_helper_tells_git_what_is_in_the_file_and_only_when_it_is_asked() {
    let folder = tempfile::tempdir().unwrap();
    let odd = folder.path().join("it's $HOME \"`x`");
    fs::create_dir(&odd).unwrap();
    for text in ["tok'en$x\\n", "tok'en$x\\n\n"] {
        let path = private(&odd, "token", text.as_bytes());
        let line = helper("o'brien", &path).unwrap();
        let run = |action: &str| {
            let script = format!("{} {action}", line.strip_prefix('!').unwrap());
            let output = std::process::Command::new("sh").args(["-c", &script]).output();
            String::from_utf8(output.unwrap().stdout).unwrap()
        };
        assert_eq!(run("get"), "username=o'brien\npassword=tok'en$x\\n\n");
        assert_eq!(run("store") + &run("erase"), "");
    }
}

#[test]
fn credentials_are_bound_to_one_place_and_do_not_print() {
    let folder = tempfile::tempdir().unwrap();
    let token_file = private(folder.path(), "token", b"hunter2");
    let access = Access { token_file: Some(token_file), ..Access::default() };
    let credentials =
        access.credentials(&url("https://example.com:8443/team/x")).unwrap();
    let [(name, _)] = credentials.configuration.as_slice() else { panic!("one setting") };
    assert_eq!(name, "credential.https://example.com:8443.helper");
    assert!(!format!("{credentials:?}").contains("hunter2"));
}

#[test]
fn ssh_is_given_paths_that_it_cannot_take_for_anything_else() {
    let folder = tempfile::tempdir().unwrap();
    for (name, is_fine) in [
        ("key", true),
        ("it's 100%", true),
        ("a\"b", false),
        ("a$b", false),
        ("a\\b", false),
    ] {
        let key = private(folder.path(), name, b"x");
        let access = Access { ssh_key_file: Some(key), ..Access::default() };
        assert_eq!(access.check(&url("git@example.com:x")).is_ok(), is_fine, "{name}");
    }
}

//! The programs that encrypt, as people run them.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::product::repository;

/// Returns `PATH` with the tools that `tests/lab/build tools` makes.
pub(crate) fn path() -> OsString {
    let built = match std::env::var_os("RECONCILER_LAB_CACHE") {
        Some(cache) => repository().join(cache),
        None => repository().join(".cache/lab"),
    };
    let old = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&old).chain([built.join("bin")]);
    std::env::join_paths(folders).expect("a path")
}

/// Tells whether both programs are here; where an engine is required they are too.
pub(crate) fn are_here() -> bool {
    let is_here = |name: &str| {
        let mut command = Command::new(name);
        command.arg("--version").env("PATH", path());
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let here = is_here("age") && is_here("sops");
    let is_required =
        std::env::var_os("RECONCILER_REQUIRE_DOCKER").is_some_and(|it| it == "1");
    assert!(here || !is_required, "no age or sops: `tests/lab/build tools` fetches them");
    here
}

/// Makes a key.
pub(crate) fn make_key(path: &Path) {
    let mut keygen = Command::new("age-keygen");
    keygen.arg("-o").arg(path).env("PATH", self::path()).stderr(Stdio::null());
    assert!(keygen.status().expect("age-keygen runs").success());
}

/// Returns whom to encrypt for, so that this key decrypts it.
fn recipient(key: &Path) -> String {
    let mut keygen = Command::new("age-keygen");
    let said = keygen.arg("-y").arg(key).env("PATH", path()).output();
    String::from_utf8(said.expect("age-keygen runs").stdout).expect("text").trim().into()
}

/// Encrypts with `age`.
pub(crate) fn age(key: &Path, plain: &str, to: &PathBuf) {
    let recipient = recipient(key);
    filter("age", &["--encrypt", "-r", &recipient], plain, to);
}

/// Encrypts with `sops`; the kind is `dotenv`, `binary` and the like.
pub(crate) fn sops(key: &Path, kind: &str, plain: &str, to: &PathBuf) {
    let recipient = recipient(key);
    let arguments = ["--encrypt", "--age", &recipient, "--input-type", kind];
    let arguments = [&arguments[..], &["--output-type", kind, "/dev/stdin"]].concat();
    filter("sops", &arguments, plain, to);
}

fn filter(program: &str, arguments: &[&str], input: &str, to: &PathBuf) {
    let file = std::fs::File::create(to).expect("a file");
    let mut command = Command::new(program);
    command.args(arguments).env("PATH", path()).stdin(Stdio::piped()).stdout(file);
    let mut child = command.spawn().expect("it runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    assert!(child.wait().expect("it ends").success(), "{program}");
}

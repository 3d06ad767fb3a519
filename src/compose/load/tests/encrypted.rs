//! What comes out of an encrypted file is a secret, wherever it goes.

use super::*;
use crate::compose::encrypted::Encryption;
use crate::state::desired::Content;

/// Files that are "encrypted" by what stands in front of a `~`; no other key takes it away.
struct Sealed<'a> {
    files: &'a BTreeMap<PathBuf, Vec<u8>>,
    opens: bool,
}

impl Files for Sealed<'_> {
    fn read(&self, path: &Path) -> Result<Vec<u8>, ReadError> {
        self.files.read(path)
    }

    fn exists(&self, path: &Path) -> bool {
        self.files.exists(path)
    }

    fn decrypt(&self, bytes: &[u8], how: Encryption) -> Result<Secret, ReadError> {
        assert_eq!(how, Encryption::Age);
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        let plain = text.split_once('~').filter(|_| self.opens);
        let (_, plain) = plain.ok_or(ReadError::Failed("it is sealed".to_owned()))?;
        Ok(Secret::new(plain))
    }
}

fn open(scene: &Scene) -> Loaded {
    load(&scene.request, &Sealed { files: &scene.files, opens: true })
}

/// Returns what is wrong; nothing of it may repeat a secret.
#[track_caller]
fn errors(loaded: &Loaded) -> Vec<String> {
    assert!(loaded.desired.is_none());
    let said = format!("{:?} {:?}", loaded.problems, loaded.sources);
    assert!(!said.contains("hunter"), "{said}");
    shown(loaded, Severity::Error)
}

#[test]
fn variables_of_an_encrypted_file_are_secret_whatever_they_are_called() {
    let text = "services:
  a:
    image: x
    command: [run, --code=$CODE]
    env_file: db.env.age
    environment: {WHO: $WHO, TAG: $TAG}
";
    let scene = Scene::new([
        ("f.yaml", text),
        ("db.env.age", "~USER_NAME=hunter1\n"),
        (".env", "TAG=7\nWHO=plain\n"),
        (".env.age", "~WHO=hunter2\nCODE=hunter3\n"),
    ]);
    let loaded = open(&scene);
    assert!(!format!("{:?}", loaded.sources).contains("hunter"));
    let stack = loaded.desired.unwrap();
    let secret = |name: &str| Value::Secret(Secret::new(name));
    let service = &stack.services["a"].canonical;
    assert_eq!(service.at("environment.USER_NAME"), &secret("hunter1"));
    // Beside `.env`, and wins over it.
    assert_eq!(service.at("environment.WHO"), &secret("hunter2"));
    assert_eq!(service.at("environment.TAG"), &Value::text("7"));
    assert_eq!(service.at("command").items()[1], secret("--code=hunter3"));
}

#[test]
fn a_file_of_variables_that_is_named_may_be_encrypted() {
    let text = "services: {a: {image: x, environment: [A=$CODE]}}\n";
    let mut scene = Scene::new([("f.yaml", text), ("my.age", "~CODE=hunter2\n")]);
    scene.request.env_files = vec![PathBuf::from("/srv/app/my.age")];
    let stack = open(&scene).desired.unwrap();
    assert_eq!(environment(&stack, "a"), "{A: (sensitive)}");
    scene.files.clear();
    scene.files.insert(scene.request.files[0].clone(), text.as_bytes().to_vec());
    assert_eq!(errors(&open(&scene)), ["the file /srv/app/my.age is not there"]);
}

const CONTENTS: &str = "services: {a: {image: x, secrets: [s], configs: [c]}}
secrets: {s: {file: ./s.age}}
configs: {c: {file: ./c.conf.age}}
";

#[test]
fn an_encrypted_secret_or_config_is_content_and_no_mount() {
    let files = [("f.yaml", CONTENTS), ("s.age", "~hunter1"), ("c.conf.age", "~hunter2")];
    let stack = open(&Scene::new(files)).desired.unwrap();
    assert_eq!(stack.secrets["s"], Content::Inline(Secret::new("hunter1")));
    assert_eq!(stack.configs["c"], Content::Inline(Secret::new("hunter2")));
    assert_eq!(stack.canonical.at("secrets.s.file"), &Value::text("/srv/app/s.age"));
}

#[test]
fn what_is_encrypted_anew_is_no_change_and_other_text_is_one() {
    let generation = |sealed: &str| {
        let files = [("f.yaml", CONTENTS), ("s.age", sealed), ("c.conf.age", "~c")];
        open(&Scene::new(files)).desired.unwrap().generation.clone()
    };
    // Whatever stands in front of the mark is another way to encrypt the same.
    assert_eq!(generation("1~hunter"), generation("2~hunter"));
    assert_ne!(generation("1~hunter"), generation("1~hunter2"));
}

#[test]
fn what_cannot_be_decrypted_is_an_error_where_it_is_named() {
    let text = "services: {a: {image: x, env_file: e.age, secrets: [s]}}
secrets: {s: {file: ./s.age}}
";
    let mut scene = Scene::new([
        ("f.yaml", text),
        ("e.age", "~A=hunter1"),
        ("s.age", "~hunter2"),
        (".env.age", "~B=hunter3"),
    ]);
    let sealed = Sealed { files: &scene.files, opens: false };
    assert_eq!(
        errors(&load(&scene.request, &sealed)),
        ["/srv/app/.env.age cannot be read: it is sealed"]
    );
    scene.files.remove(Path::new("/srv/app/.env.age"));
    let sealed = Sealed { files: &scene.files, opens: false };
    assert_eq!(
        errors(&load(&scene.request, &sealed)),
        [
            "f.yaml:1:36 /srv/app/e.age cannot be read: it is sealed",
            "f.yaml:2:21 /srv/app/s.age cannot be read: it is sealed"
        ]
    );
    // Without a way to decrypt, and without the file.
    let at_the_secret = |loaded: &Loaded| errors(loaded).remove(1);
    assert_eq!(
        at_the_secret(&scene.load()),
        "f.yaml:2:21 /srv/app/s.age cannot be read: it is encrypted, and nothing here \
         decrypts it"
    );
    scene.files.remove(Path::new("/srv/app/s.age"));
    let sealed = Sealed { files: &scene.files, opens: false };
    assert_eq!(
        at_the_secret(&load(&scene.request, &sealed)),
        "f.yaml:2:21 the file /srv/app/s.age is not there"
    );
}

#[test]
fn what_is_wrong_inside_an_encrypted_file_is_told_by_its_line_alone() {
    let text = "services: {a: {image: x, env_file: e.age}}\n";
    for (inside, said) in [
        ("A=b\nhunter2 is here\n", "line 2 of what is encrypted is no `NAME=value`"),
        ("A=b\n\nB=pa$hunter2\n", "line 3 of what is encrypted names a variable that"),
        ("A=${hunter:?hunter2}\n", "line 1 of what is encrypted is no `NAME=value`"),
        ("A=\"hunter2\n", "line 1 of what is encrypted is no `NAME=value`"),
    ] {
        let scene = Scene::new([("f.yaml", text), ("e.age", &format!("~{inside}"))]);
        let errors = errors(&open(&scene));
        let start = format!("f.yaml:1:36 /srv/app/e.age cannot be read: {said}");
        assert!(errors.len() == 1 && errors[0].starts_with(&start), "{errors:?}");
    }
}

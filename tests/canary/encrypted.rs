//! Encrypted files through the command: what is given to containers, and what is refused.

use std::process::Command;

use crate::product::Product;
use crate::real::{Corner, IMAGE};
use crate::{scan, tools};

/// Files with a key, and no engine.
fn product() -> Option<Product> {
    if !tools::are_here() {
        return None;
    }
    let mut product = Product::new();
    product.variable("PATH", &tools::path().to_string_lossy());
    tools::make_key(&product.path("age.key"));
    Some(product)
}

fn with_key(mut product: Product) -> Product {
    let key = product.path("age.key").display().to_string();
    product.option(&["--age-key-file", &key]);
    product
}

const STACK: &str = "
name: sealed
services:
  app:
    image: app:1
    env_file: [cloud.env, more.sops.env]
    environment: {GREETING: $GREETING}
    secrets: [pem]
secrets: {pem: {file: key.pem.sops}}
";

/// Writes files that `sops` encrypted.
fn seal(product: &Product) {
    let key = product.path("age.key");
    let sops =
        |kind, text, name: &str| tools::sops(&key, kind, text, &product.path(name));
    sops("dotenv", "CODE=hush-1\nLIST=a b=c\n", "cloud.env");
    sops("dotenv", "MORE=hush-2\n", "more.sops.env");
    sops("binary", "hush-3\n", "key.pem.sops");
    product.write("stack.yaml", STACK);
}

#[test]
fn what_sops_encrypted_is_decrypted_with_the_key_of_age() {
    let Some(product) = product() else { return };
    let product = with_key(product);
    seal(&product);
    product.write("my.env", "GREETING=hello\n");
    let mine = product.path("my.env").display().to_string();
    let config = product.ends(0, &["config", "--env-file", &mine]).output;
    for line in ["CODE: hush-1", "LIST: a b=c", "MORE: hush-2", "GREETING: hello"] {
        assert!(config.contains(line), "{line}: {config}");
    }
    let diff = product.ends(1, &["diff", "--host", "sim:", "--env-file", &mine]);
    scan::assert_none("a plan", &format!("{diff}"));
}

#[test]
fn the_variables_of_a_file_that_is_named_are_decrypted_too() {
    let Some(product) = product() else { return };
    let product = with_key(product);
    seal(&product);
    let (key, named) = (product.path("age.key"), product.path("my.age"));
    tools::age(&key, "GREETING=hush-4\n", &named);
    let named = named.display().to_string();
    let config = product.ends(0, &["config", "--env-file", &named]).output;
    assert!(config.contains("GREETING: hush-4"), "{config}");
    let diff = product.ends(1, &["diff", "--host", "sim:", "--env-file", &named]);
    scan::assert_none("a plan", &format!("{diff}"));
}

#[test]
fn what_cannot_be_decrypted_is_told_where_it_is_named() {
    let Some(product) = product() else { return };
    seal(&product);
    let refused = |product: &Product, options: &[&str], what: &str| {
        let ended = product.ends(2, &[&["validate"], options].concat());
        let said = format!("{}{}", ended.output, ended.notices);
        scan::assert_none("a problem", &said);
        assert!(
            said.contains("stack.yaml:6:16") && said.contains(what),
            "{what}: {said}"
        );
    };
    refused(&product, &[], "--age-key-file");
    tools::make_key(&product.path("other.key"));
    let other = product.path("other.key").display().to_string();
    refused(&product, &["--age-key-file", &other], "for other keys than those in");
    product.shell("chmod 644 other.key");
    refused(&product, &["--age-key-file", &other], "chmod 600");
    let mut product = with_key(product);
    product.shell("sed -i 's/data:../data:/' cloud.env");
    refused(&product, &[], "it is damaged or not whole");
    seal(&product);
    product.write("cloud.env", "");
    product.write("more.sops.env", "MORE=hush-2\n");
    let ended = product.ends(2, &["validate"]);
    assert!(ended.notices.contains("its name says that sops encrypted it"), "{ended}");
    scan::assert_none("a problem", &format!("{ended}"));
    seal(&product);
    product.ends(0, &["validate"]);
    product.variable("PATH", "/nowhere");
    product.shell("true");
    let timeout = Command::new("sh").args(["-c", "command -v timeout"]).output().unwrap();
    assert!(timeout.status.success());
    let mut command = product.command(None);
    let output = command.arg("validate").output().expect("the binary runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert!(said.contains("there is no program `sops` on this host"), "{said}");
}

#[tokio::test]
async fn a_container_finds_a_secret_as_it_was_before_it_was_encrypted() {
    let Some(corner) = Corner::new("sealed").await else { return };
    let Some(product) = product().filter(|_| tools::are_here()) else { return };
    if !corner.has(IMAGE).await {
        return;
    }
    let product = with_key(product);
    let name = corner.project();
    let text = format!(
        "name: {name}
services:
  app:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    secrets: [plain, {{source: placed, target: /etc/key, mode: 0400}}]
    configs: [conf]
secrets: {{plain: {{file: a.age}}, placed: {{file: b.age}}}}
configs: {{conf: {{file: c.age}}}}
"
    );
    product.write("stack.yaml", &text);
    let key = product.path("age.key");
    for (name, text) in [("a", "one\ntwo\n"), ("b", "hush-b"), ("c", "x = hush-c\n")] {
        tools::age(&key, text, &product.path(&format!("{name}.age")));
    }
    product.apply();
    let inside = |line: &str| {
        let mut docker = Command::new("docker");
        docker.args(["exec", &corner.name("app-1"), "sh", "-c", line]);
        String::from_utf8(docker.output().expect("docker runs").stdout).unwrap()
    };
    assert_eq!(inside("cat /run/secrets/plain"), "one\ntwo\n");
    assert_eq!(inside("cat /etc/key; stat -c ' %a' /etc/key"), "hush-b 400\n");
    assert_eq!(inside("cat /conf"), "x = hush-c\n");
    product.assert_in_sync();
    tools::age(&key, "one\ntwo\n", &product.path("a.age"));
    product.assert_in_sync();
    tools::age(&key, "other", &product.path("a.age"));
    let diff = product.ends(1, &["diff"]).output;
    assert!(diff.contains("secrets./run/secrets/plain"), "{diff}");
    product.apply();
    assert_eq!(inside("cat /run/secrets/plain"), "other");
    // With another key nothing is lost: what is in force stays.
    product.shell("mv age.key old.key");
    tools::make_key(&key);
    product.ends(2, &["apply", "--timeout", "10s"]);
    assert_eq!(inside("cat /run/secrets/plain"), "other");
    product.shell("cat old.key >>age.key");
    product.assert_in_sync();
    product.ends(0, &["delete", "--yes"]);
}

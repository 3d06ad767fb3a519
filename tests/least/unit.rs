//! The unit of `examples/systemd`: it is valid, and what it takes away is not needed.
//!
//! Where no systemd runs, a container is put under the same limits: its system calls by the
//! very sets that `systemd-analyze` lists, its capabilities, and a file system that cannot be
//! written but for the two folders of the unit. `ProtectHome`, `ProtectProc` and the like are
//! not imitated.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::forge::Forge;
use crate::image::{self, docker, docker_does};
use crate::product::is_root;
use crate::real::{Corner, IMAGE};
use crate::tools;

const UNIT: &str = include_str!("../../examples/systemd/reconciler.service");

/// How much of the host is in reach, as `systemd-analyze security` counts: the page of the
/// example says so.
const EXPOSURE: f64 = 1.9;

/// Returns what a setting of the unit says, line by line.
fn setting(name: &str) -> Vec<&'static str> {
    let lines = UNIT.lines().filter(|line| !line.starts_with('#'));
    let of_name = lines.filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    of_name.collect()
}

fn is_on(name: &str) -> bool {
    setting(name) == ["yes"]
}

/// Runs `systemd-analyze`; nothing where it is not there.
fn analyze(arguments: &[&str]) -> Option<String> {
    let mut command = Command::new("systemd-analyze");
    let ended = command.args(arguments).stdin(Stdio::null()).output().ok()?;
    let text = String::from_utf8_lossy(&ended.stdout).into_owned();
    let complaints = String::from_utf8_lossy(&ended.stderr);
    assert!(ended.status.success(), "{arguments:?}: {complaints}{text}");
    Some(text)
}

#[test]
fn it_is_valid_and_as_tight_as_its_page_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("reconciler.service");
    // The program is looked for where the unit says.
    fs::write(&path, UNIT.replace("/usr/local/bin/reconciler", "/bin/true")).unwrap();
    let path = path.display().to_string();
    if analyze(&["verify", &path]).is_none() {
        return;
    }
    let judged = analyze(&["security", "--offline=true", "--no-pager", &path]).unwrap();
    let last = judged.lines().last().unwrap_or_default();
    let exposure = last.split_whitespace().find_map(|word| word.parse::<f64>().ok());
    assert!(exposure.is_some_and(|it| it <= EXPOSURE), "{last}");
    let page = include_str!("../../examples/systemd/README.md");
    assert!(page.contains(&format!("**{EXPOSURE}**")));
}

/// Returns the calls of a set of systemd's, with those of the sets in it.
fn calls(set: &str) -> BTreeSet<String> {
    let listed = analyze(&["syscall-filter", set]).expect("systemd-analyze");
    let names = listed.lines().skip(1).map(str::trim);
    let names = names.filter(|name| !name.is_empty() && !name.starts_with('#'));
    names
        .flat_map(|name| match name.strip_prefix('@') {
            Some(_) => calls(name),
            None => BTreeSet::from([name.to_owned()]),
        })
        .collect()
}

/// Calls that are allowed with some arguments only: each entry is a masked comparison that
/// has to hold.
fn with_arguments() -> BTreeMap<&'static str, Vec<(u32, u64, u64)>> {
    let mut rules = BTreeMap::new();
    if is_on("MemoryDenyWriteExecute") {
        // Neither writable and executable at once, nor executable later.
        rules.insert("mmap", vec![(2, 6, 0), (2, 6, 2), (2, 6, 4)]);
        rules.insert("mprotect", vec![(2, 4, 0)]);
        rules.insert("pkey_mprotect", vec![(2, 4, 0)]);
    }
    if is_on("RestrictNamespaces") {
        rules.insert("clone", vec![(0, 0x7e02_0000, 0)]);
    }
    if is_on("LockPersonality") {
        rules.insert("personality", vec![(0, u64::from(u32::MAX), 0)]);
    }
    let families = setting("RestrictAddressFamilies").concat();
    let number = |family: &str| match family {
        "AF_UNIX" => 1,
        "AF_INET" => 2,
        "AF_INET6" => 10,
        other => panic!("{other}"),
    };
    let allowed = families.split(' ').map(|it| (0, u64::from(u32::MAX), number(it)));
    rules.insert("socket", allowed.collect());
    if is_on("RestrictSUIDSGID") {
        rules.insert("chmod", vec![(1, 0o6000, 0)]);
        rules.insert("fchmod", vec![(1, 0o6000, 0)]);
        rules.insert("fchmodat", vec![(2, 0o6000, 0)]);
    }
    rules
}

/// Returns the system calls of the unit in the form that the engine takes.
fn system_calls() -> Json {
    let mut allowed = BTreeSet::new();
    for line in setting("SystemCallFilter") {
        let (is_denied, sets) = match line.strip_prefix('~') {
            Some(sets) => (true, sets),
            None => (false, line),
        };
        for name in sets.split(' ').flat_map(calls) {
            if is_denied {
                allowed.remove(&name)
            } else {
                allowed.insert(name)
            };
        }
    }
    let rules = with_arguments();
    // A filter cannot look into its arguments: programs fall back to `clone`.
    for name in rules.keys().chain(&["clone3"]) {
        allowed.remove(*name);
    }
    if is_on("RestrictNamespaces") {
        allowed.retain(|name| !matches!(name.as_str(), "unshare" | "setns"));
    }
    let mut entries = vec![
        json!({"names": allowed, "action": "SCMP_ACT_ALLOW"}),
        json!({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}),
    ];
    for (name, comparisons) in rules {
        for (index, mask, value) in comparisons {
            let argument = json!({
                "index": index, "value": mask, "valueTwo": value,
                "op": "SCMP_CMP_MASKED_EQ"
            });
            entries.push(json!({
                "names": [name], "action": "SCMP_ACT_ALLOW", "args": [argument]
            }));
        }
    }
    json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "archMap": [{"architecture": "SCMP_ARCH_X86_64", "subArchitectures": []}],
        "syscalls": entries
    })
}

/// An operator under the limits of the unit; its end ends it.
struct Confined<'c> {
    corner: &'c Corner,
    forge: &'c Forge,
    image: String,
    state: tempfile::TempDir,
    profile: String,
    key: String,
}

impl Confined<'_> {
    fn name(&self) -> String {
        self.corner.name("confined")
    }

    /// Starts it with options, and waits until the stack has an environment.
    fn follows(&self, options: &[&str], variable: &str) {
        let state = self.state.path().display().to_string();
        let files = self.forge.path("x").parent().unwrap().display().to_string();
        let (name, seccomp) = (self.name(), format!("seccomp={}", self.profile));
        let (state_mount, files) =
            (format!("{state}:{state}"), format!("{files}:{files}:ro"));
        let capability = setting("CapabilityBoundingSet").concat().replace("CAP_", "");
        let mut line = vec!["run", "-d", "--init", "--name", &name, "--network", "host"];
        line.extend(["--user", "0", "--read-only", "--cap-drop", "ALL"]);
        line.extend(["--cap-add", &capability, "--security-opt", "no-new-privileges"]);
        line.extend(["--security-opt", &seccomp, "--tmpfs", "/tmp"]);
        line.extend(["--tmpfs", "/run/reconciler:mode=0700"]);
        line.extend(["-v", "/var/run/docker.sock:/var/run/docker.sock"]);
        line.extend(["-v", &state_mount, "-v", &files, &self.image, "run"]);
        line.extend(["--state-dir", &state, "--age-key-file", &self.key]);
        line.extend(["--path", "stacks", "--interval", "1s"]);
        docker_does(&[&line, options].concat());
        let web = self.corner.name("web-1");
        let mut seen = String::new();
        for _ in 0..300 {
            let inspected = docker(&["inspect", &web]);
            if inspected.code == 0 && inspected.output.contains(variable) {
                docker_does(&["stop", &name]);
                docker_does(&["rm", &name]);
                return;
            }
            seen = inspected.to_string();
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("{variable} never comes: {seen}\n{}", docker(&["logs", &name]));
    }
}

/// A stack whose variable is encrypted, and that mounts a file of the repository.
fn stack(corner: &Corner, level: &str) -> String {
    format!(
        "name: {}
services:
  web:
    image: {IMAGE}
    command: [sleep, '600']
    init: true
    environment: {{LEVEL: '{level}', HIDDEN: '${{HIDDEN}}'}}
    healthcheck: {{test: [CMD, 'true'], interval: 1s}}
    volumes: ['./app.conf:/etc/app.conf:ro']
",
        corner.project()
    )
}

#[tokio::test]
async fn what_it_takes_away_is_needed_neither_by_the_operator_nor_by_git_ssh_and_age() {
    let Some(corner) = Corner::new("confined").await else { return };
    let Some(image) = image::build(&corner).await else { return };
    if !is_root() || !tools::are_here() || analyze(&["--version"]).is_none() {
        return;
    }
    let forge = Forge::new();
    let key = forge.path("age-key");
    tools::make_key(&key);
    fs::create_dir_all(forge.tree().join("stacks")).unwrap();
    tools::age(&key, "HIDDEN=plain\n", &forge.tree().join("stacks/.env.age"));
    let signing = forge.signing_key("signing");
    forge.sign_with(&signing);
    let signers = forge.allowed_signers(&[("ada@example.com", &signing)]);
    let profile = forge.path("seccomp.json");
    fs::write(&profile, system_calls().to_string()).unwrap();
    let text = |path: &Path| path.display().to_string();
    let state = tempfile::tempdir().unwrap();
    let (profile, key) = (text(&profile), text(&key));
    let confined =
        Confined { corner: &corner, forge: &forge, image, state, profile, key };

    // The limits are there: to be nicer needs no capability, only a system call.
    let seccomp = format!("seccomp={}", confined.profile);
    let nice =
        ["run", "--rm", "--security-opt", &seccomp, IMAGE, "nice", "-n", "1", "true"];
    assert_ne!(docker(&nice).code, 0);

    let publish = |level: &str| {
        let stack = stack(&corner, level);
        forge.publish(&[("stacks/web.yaml", &stack), ("stacks/app.conf", level)]);
    };
    publish("by-http");
    let (url, token) = (forge.http_url(), text(&forge.token_file()));
    confined.follows(&["--git", &url, "--git-token-file", &token], "LEVEL=by-http");
    let web = docker(&["inspect", &corner.name("web-1")]).output;
    assert!(web.contains("HIDDEN=plain"), "age ran");

    publish("by-ssh");
    let url = forge.ssh_url();
    let (user, hosts) = (text(&forge.ssh().key()), text(&forge.ssh().known_hosts()));
    let signers = text(&signers);
    let by_ssh = [
        "--git",
        &url,
        "--git-ssh-key-file",
        &user,
        "--git-known-hosts-file",
        &hosts,
        "--verify",
        "ssh",
        "--allowed-signers",
        &signers,
    ];
    confined.follows(&by_ssh, "LEVEL=by-ssh");
}

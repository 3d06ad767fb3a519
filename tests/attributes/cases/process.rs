//! What runs, as whom, how it is watched and when it is started again.

use serde_json::json;

use crate::case::{Case, added, changed, respelled};

/// Returns the cases.
pub(crate) fn all() -> Vec<Case> {
    [commands(), lifecycle(), namespaces(), variables(), health(), restarts()]
        .into_iter()
        .flatten()
        .collect()
}

fn commands() -> Vec<Case> {
    vec![
        changed("image", "image", "", "image: '{project}-other:1'")
            .shows("Config.Image", json!("{project}-other:1")),
        changed("command", "command", "", "command: [sleep, '601']")
            .shows("Config.Cmd", json!(["sleep", "601"])),
        respelled("command-text", "command", "", "command: sleep 600"),
        added("entrypoint", "entrypoint", "entrypoint: [env]")
            .shows("Config.Entrypoint", json!(["env"])),
        // An entry point of one's own does away with the image's command.
        changed(
            "no-command",
            "command",
            "command: ['600']\nentrypoint: [sleep]",
            "command: null\nentrypoint: [sleep, '600']",
        )
        .names(&["command", "entrypoint"])
        .shows("Config.Cmd", json!(null))
        .shows("Config.Entrypoint", json!(["sleep", "600"])),
        added("user", "user", "user: '1000:1000'")
            .shows("Config.User", json!("1000:1000")),
        changed("groups", "group_add", "group_add: [11, 12]", "group_add: [13, '12']")
            .lists("HostConfig.GroupAdd", "/HostConfig/GroupAdd", json!("13"))
            .lacks("HostConfig.GroupAdd", "/HostConfig/GroupAdd", "11"),
        added("folder", "working_dir", "working_dir: /etc")
            .shows("Config.WorkingDir", json!("/etc")),
    ]
}

fn lifecycle() -> Vec<Case> {
    vec![
        changed("init", "init", "init: false", "init: true")
            .shows("HostConfig.Init", json!(true)),
        added("tty", "tty", "tty: true").shows("Config.Tty", json!(true)),
        added("stdin", "stdin_open", "stdin_open: true")
            .shows("Config.OpenStdin", json!(true)),
        added("signal", "stop_signal", "stop_signal: SIGKILL")
            .shows("Config.StopSignal", json!("SIGKILL")),
        changed("grace", "stop_grace_period", "", "stop_grace_period: 1m30s")
            .shows("Config.StopTimeout", json!(90)),
        respelled("grace-spelt", "stop_grace_period", "", "stop_grace_period: 1000ms"),
        added("host-name", "hostname", "hostname: inside")
            .shows("Config.Hostname", json!("inside")),
        added("domain", "domainname", "domainname: example.test")
            .shows("Config.Domainname", json!("example.test")),
    ]
}

fn namespaces() -> Vec<Case> {
    vec![
        added("ipc", "ipc", "ipc: host").shows("HostConfig.IpcMode", json!("host")),
        added("ipc-peer", "ipc", "ipc: service:peer")
            .begins("HostConfig.IpcMode", "container:"),
        added("pid", "pid", "pid: host").shows("HostConfig.PidMode", json!("host")),
        added("pid-peer", "pid", "pid: service:peer")
            .begins("HostConfig.PidMode", "container:"),
        added("uts", "uts", "uts: host").shows("HostConfig.UTSMode", json!("host")),
        added("users", "userns_mode", "userns_mode: host")
            .shows("HostConfig.UsernsMode", json!("host")),
        added("cgroup", "cgroup", "cgroup: private")
            .shows("HostConfig.CgroupnsMode", json!("private")),
        added("runtime", "runtime", "runtime: io.containerd.runc.v2")
            .shows("HostConfig.Runtime", json!("io.containerd.runc.v2")),
    ]
}

fn variables() -> Vec<Case> {
    vec![
        changed(
            "variables",
            "environment",
            "environment: {KEPT: a, OTHER: b, GONE: c, EMPTY: ''}",
            "environment: {KEPT: a, OTHER: d, NEW: e=f, EMPTY: ''}",
        )
        .names(&["environment.GONE", "environment.NEW", "environment.OTHER"])
        .lists("Config.Env", "/Config/Env", json!("OTHER=d"))
        .lists("Config.Env", "/Config/Env", json!("NEW=e=f"))
        .lists("Config.Env", "/Config/Env", json!("EMPTY="))
        .lacks("Config.Env", "/Config/Env", "GONE=c"),
        changed("password", "environment", "", "environment: [DB_PASSWORD=hunter2]")
            .names(&["environment.DB_PASSWORD"])
            .lists("Config.Env", "/Config/Env", json!("DB_PASSWORD=hunter2")),
        // One that the image has is taken over, and comes back.
        changed("path", "environment", "", "environment: {PATH: '/bin:/else'}")
            .names(&["environment.PATH"])
            .lists("Config.Env", "/Config/Env", json!("PATH=/bin:/else")),
        respelled("list", "environment", "environment: {A: '1'}", "environment: [A=1]"),
        changed(
            "labels",
            "labels",
            "labels: {kept: a, other: b, gone: c}",
            "labels: {kept: a, other: d, new.one: e}",
        )
        .names(&["labels.gone", "labels.new.one", "labels.other"])
        .shows_at("Config.Labels", "/Config/Labels/other", json!("d"))
        .shows_at("Config.Labels", "/Config/Labels/new.one", json!("e"))
        .lacks("Config.Labels", "/Config/Labels", "gone"),
    ]
}

fn health() -> Vec<Case> {
    const TEST: &str = "healthcheck: {test: [CMD, 'true']}";
    let part = |name, row, after| changed(name, row, TEST, after);
    vec![
        part("test", "healthcheck.test", "healthcheck: {test: exit 0}")
            .shows("Config.Healthcheck.Test", json!(["CMD-SHELL", "exit 0"])),
        added("test-new", "healthcheck.test", TEST)
            .shows("Config.Healthcheck.Test", json!(["CMD", "true"])),
        part(
            "interval",
            "healthcheck.interval",
            "healthcheck: {test: [CMD, 'true'], interval: 1m30s}",
        )
        .shows("Config.Healthcheck.Interval", json!(90_000_000_000_u64)),
        part(
            "timeout",
            "healthcheck.timeout",
            "healthcheck: {test: [CMD, 'true'], timeout: 1500ms}",
        )
        .shows("Config.Healthcheck.Timeout", json!(1_500_000_000)),
        part(
            "retries",
            "healthcheck.retries",
            "healthcheck: {test: [CMD, 'true'], retries: 7}",
        )
        .shows("Config.Healthcheck.Retries", json!(7)),
        part(
            "start-period",
            "healthcheck.start_period",
            "healthcheck: {test: [CMD, 'true'], start_period: 10s}",
        )
        .shows("Config.Healthcheck.StartPeriod", json!(10_000_000_000_u64)),
        part("disabled", "healthcheck.disable", "healthcheck: {disable: true}")
            .names(&["healthcheck.disable"])
            .names_back(&["healthcheck.test"])
            .shows("Config.Healthcheck.Test", json!(["NONE"])),
        respelled(
            "health-spelt",
            "healthcheck.test",
            "healthcheck: {test: exit 0, interval: 90s}",
            "healthcheck: {test: [CMD-SHELL, exit 0], interval: 1m30s}",
        ),
    ]
}

fn restarts() -> Vec<Case> {
    const NAME: &str = "HostConfig.RestartPolicy.Name";
    const COUNT: &str = "HostConfig.RestartPolicy.MaximumRetryCount";
    let policy = |name, after| added(name, "restart", after).in_place();
    let deploy = |name, row, before, after| changed(name, row, before, after).in_place();
    vec![
        policy("restart", "restart: unless-stopped").shows(NAME, json!("unless-stopped")),
        policy("restart-some", "restart: on-failure:3")
            .shows(NAME, json!("on-failure"))
            .shows(COUNT, json!(3)),
        changed(
            "restart-less",
            "restart",
            "restart: on-failure:3",
            "restart: on-failure",
        )
        .in_place()
        .shows(NAME, json!("on-failure"))
        .shows(COUNT, json!(0)),
        respelled("restart-no", "restart", "", "restart: 'no'"),
        deploy(
            "condition",
            "deploy.restart_policy.condition",
            "",
            "deploy: {restart_policy: {condition: any}}",
        )
        .names_back(&["restart"])
        .shows(NAME, json!("always")),
        deploy(
            "attempts",
            "deploy.restart_policy.max_attempts",
            "deploy: {restart_policy: {condition: on-failure}}",
            "deploy: {restart_policy: {condition: on-failure, max_attempts: 4}}",
        )
        .names_back(&["restart"])
        .shows(COUNT, json!(4)),
    ]
}

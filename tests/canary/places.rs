//! Every kind of place where a secret can be, each with a value of its own.

/// Who holds a secret at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It stands in a file of the stack, in clear: the state directory keeps such files as
    /// they are, for the owner alone.
    Clear,
    /// It is in the environment of the command.
    Environment,
    /// It is in a file that `age` or `sops` encrypted.
    Encrypted,
    /// It is in a file of the host that is mounted.
    Mounted,
}

use Origin::{Clear, Encrypted, Environment, Mounted};

/// The places, and who holds their secrets.
pub(crate) const PLACES: [(&str, Origin); 36] = [
    ("environment-literal", Clear),
    ("environment-by-pattern", Clear),
    ("environment-url", Clear),
    ("argument-literal", Clear),
    ("variable-of-dotenv", Clear),
    ("variable-of-dotenv-age", Encrypted),
    ("variable-of-shell", Environment),
    ("variable-in-a-default", Clear),
    ("environment-from-shell", Environment),
    ("env-file", Clear),
    ("env-file-age", Encrypted),
    ("env-file-sops", Encrypted),
    ("secret-environment", Environment),
    ("secret-file", Mounted),
    ("secret-file-age", Encrypted),
    ("secret-file-sops", Encrypted),
    ("config-content", Environment),
    ("config-file-age", Encrypted),
    ("entrypoint", Environment),
    ("label", Environment),
    ("health-check", Environment),
    ("log-option", Environment),
    ("volume-label", Environment),
    ("volume-option", Environment),
    ("network-option", Environment),
    ("network-label", Environment),
    ("build-argument", Environment),
    ("probe-query", Environment),
    ("probe-argument", Environment),
    ("reload-test", Environment),
    ("missing-program", Environment),
    ("crash", Encrypted),
    ("notify-url", Clear),
    ("check-password", Clear),
    ("check-key", Environment),
    ("check-argument", Environment),
];

/// Returns the secret of a place; there is another one in each round.
pub(crate) fn secret(place: &str, round: u32) -> String {
    let number = PLACES.iter().position(|(name, _)| *name == place);
    let number = number.unwrap_or_else(|| panic!("no place {place}"));
    format!("hush{round}-{number:02}-{place}")
}

/// What every secret begins with, in any round.
pub(crate) const HUSH: &str = "hush";

/// Returns the stack of a project in a round; `{PLACE}` stands for a secret.
pub(crate) fn stack(project: &str, image: &str, round: u32, more: &str) -> String {
    let mut text = format!("name: {project}\n") + STACK + more;
    for (place, _) in PLACES {
        text = text.replace(&format!("<{place}>"), &secret(place, round));
    }
    text.replace("<image>", image)
}

/// Returns the variable that holds the secret of a place.
pub(crate) fn variable(place: &str) -> String {
    place.to_uppercase().replace('-', "_") + "_TOKEN"
}

const STACK: &str = r#"
x-reconciler:
  sensitive: ["LICEN*"]
  notify: {url: "http://127.0.0.1:9/hooks/<notify-url>"}
  checks:
    interval: 1s
    health: {grpc: "app:8080", user: root, password: <check-password>, failures: 1}
    s3: {s3: "http://app:8080", access_key: a, secret_key: "${CHECK_KEY_TOKEN}"}
    run: {exec: [sh, -c, "false", "${CHECK_ARGUMENT_TOKEN}"], in: app}
services:
  app:
    image: <image>
    entrypoint: [sh, -c, "trap 'exit 0' TERM; httpd -p 8080 -h /; while :; do sleep 1; done", app, "${ENTRYPOINT_TOKEN}"]
    command: [serve, "--key=${DOTENV_PASSWORD}", "${NO_PASSWORD:-<variable-in-a-default>}"]
    init: true
    stop_grace_period: 1s
    env_file: [plain.env, db.env.age, cloud.env]
    environment:
      DB_PASSWORD: <environment-literal>
      LICENCE: <environment-by-pattern>
      DATABASE_URL: postgres://app:<environment-url>@db/app
      PLAIN: "${VARIABLE_OF_SHELL_TOKEN}"
      WHO: "${WHO}"
      ENVIRONMENT_FROM_SHELL_TOKEN:
    labels: {note: "${LABEL_TOKEN}"}
    healthcheck: {test: [CMD, sh, -c, "true", "${HEALTH_CHECK_TOKEN}"], interval: 1s}
    logging: {driver: json-file, options: {labels: "${LOG_OPTION_TOKEN}"}}
    secrets: [from_environment, from_file, from_age, from_sops]
    configs: [inline, sealed]
    volumes: ["data:/data", "./served:/served:ro"]
    build: {context: ., args: {TOKEN: "${BUILD_ARGUMENT_TOKEN}"}}
    x-reconciler:
      reload: {signal: SIGHUP, test: [sh, -c, "true", "${RELOAD_TEST_TOKEN}"]}
      probe: {http: ":8080/served/ok?token=${PROBE_QUERY_TOKEN}"}
  second:
    image: <image>
    command: [sh, -c, "sleep 600", second, "--db-password=<argument-literal>"]
    init: true
    depends_on: {app: {condition: service_healthy}}
    x-reconciler:
      probe: {exec: [sh, -c, "true", "${PROBE_ARGUMENT_TOKEN}"]}
secrets:
  from_environment: {environment: SECRET_ENVIRONMENT_TOKEN}
  from_file: {file: ./host.secret}
  from_age: {file: ./key.age}
  from_sops: {file: ./key.pem.sops}
configs:
  inline: {content: "key = ${CONFIG_CONTENT_TOKEN}"}
  sealed: {file: ./app.conf.age}
volumes:
  data: {labels: {note: "${VOLUME_LABEL_TOKEN}"}}
networks:
  default:
    driver_opts: {org.example.token: "${NETWORK_OPTION_TOKEN}"}
    labels: {note: "${NETWORK_LABEL_TOKEN}"}
"#;

/// The same services with nothing in them that could be taken for a secret.
pub(crate) const PLAIN: &str = r#"
services:
  app:
    image: <image>
    entrypoint: [sh, -c, "sleep 600"]
    command: [serve]
    environment: {PLAIN: nothing}
    labels: {note: none}
    healthcheck: {test: [CMD, "true"]}
    volumes: ["data:/data"]
  second:
    image: <image>
volumes:
  data: {}
networks:
  default: {labels: {note: none}}
"#;

/// Services that fail, and whose failure quotes a secret.
pub(crate) const FAILING: &str = r#"
---
services:
  missing-program:
    image: <image>
    entrypoint: ["${MISSING_PROGRAM_TOKEN}"]
  no-mount:
    image: <image>
    command: [sleep, "600"]
    volumes: ["cifs:/cifs"]
  crash:
    image: <image>
    command: [sh, -c, "echo the code is $$CODE; exit 3"]
    env_file: crash.env.age
volumes:
  cifs:
    driver_opts:
      type: cifs
      device: //127.0.0.1/none
      o: "username=u,password=${VOLUME_OPTION_TOKEN}"
"#;

//! The two files of the guide load as they are, with warnings that tell the truth.

use super::*;

/// The production file of the guide, as it stands there.
pub(super) const PRODUCTION: &str =
    include_str!("../../../../tests/data/guide/docker-compose-prod.yml");

/// The monitoring file of the guide, as it stands there.
const MONITORING: &str =
    include_str!("../../../../tests/data/guide/docker-compose-monitoring.yml");

/// The variables of the guide, as they stand there.
const VARIABLES: &str = include_str!("../../../../tests/data/guide/.env");

#[test]
fn the_production_file_of_the_guide_loads_as_it_is() {
    let loaded = Scene::new([("p.yaml", PRODUCTION), (".env", VARIABLES)]).load();
    let starts: Vec<String> = shown(&loaded, Severity::Warning)
        .iter()
        .map(|warning| warning.chars().take(58).collect())
        .collect();
    assert_eq!(
        starts,
        [
            "p.yaml:1:1 `version` is ignored: it is obsolete and means ",
            "p.yaml:27:11 `cpus` is ignored: an engine reserves no proc",
            "p.yaml:62:11 `cpus` is ignored: an engine reserves no proc",
            "p.yaml:86:7 Milvus does not know `QUERY_NODE_MEMORY_LIMIT`",
            "p.yaml:87:7 Milvus does not know `DATA_NODE_MEMORY_LIMIT` ",
            "p.yaml:88:7 Milvus does not know `INDEX_NODE_MEMORY_LIMIT`",
            "p.yaml:111:9 this waits only until `etcd` is started, not ",
            "p.yaml:112:9 this waits only until `minio` is started, not",
            "p.yaml:120:11 `cpus` is ignored: an engine reserves no pro",
            "p.yaml:135:3 no service uses the volume `etcd`; it is not ",
            "p.yaml:136:3 no service uses the volume `minio`; it is not",
            "p.yaml:137:3 no service uses the volume `milvus`; it is no",
        ]
    );
    let stack = loaded.desired.expect("valid");
    let names: Vec<&str> = stack.services.keys().map(ServiceName::as_str).collect();
    assert_eq!(names, ["etcd", "minio", "standalone"]);
    let standalone = &stack.services["standalone"];
    assert_eq!(
        standalone.canonical.at("deploy.resources.limits.memory"),
        &Value::text("17179869184")
    );
    assert_eq!(
        standalone.canonical.at("environment.MINIO_SECRET_ACCESS_KEY").exposed_text(),
        Some("your_strong_password_here")
    );
    assert!(
        standalone.canonical.at("environment.MINIO_SECRET_ACCESS_KEY").is_sensitive()
    );
    assert_eq!(stack.networks["milvus"].name.as_str(), "app_milvus");
    assert!(stack.volumes.is_empty());
}

#[test]
fn the_monitoring_file_of_the_guide_loads_as_it_is() {
    let loaded = Scene::new([("m.yaml", MONITORING)]).load();
    let warnings = shown(&loaded, Severity::Warning);
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].starts_with("m.yaml:1:1 `version` is ignored"));
    let stack = loaded.desired.expect("valid");
    assert!(stack.networks["milvus"].external);
    assert_eq!(stack.networks["milvus"].name.as_str(), "milvus");
    let grafana = &stack.services["grafana"].canonical;
    assert!(grafana.at("environment.GF_SECURITY_ADMIN_PASSWORD").is_sensitive());
    assert_eq!(
        grafana.get("volumes").items()[1].get("source"),
        &Value::text("/srv/app/grafana/dashboards")
    );
}

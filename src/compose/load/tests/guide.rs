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
    insta::assert_snapshot!("guide", shown(&loaded, Severity::Warning).join("\n"));
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
    insta::assert_snapshot!("guide_monitoring", warnings.join("\n"));
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

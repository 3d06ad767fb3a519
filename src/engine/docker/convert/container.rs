//! Containers, as they are listed and as they are inspected.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value as Json;

use crate::compose::attribute::form;
use crate::engine::docker::error::CallError;
use crate::state::ids::{
    ContainerName, NetworkId, NetworkName, ProjectName, Replica, SourceId, VolumeName,
};
use crate::state::observed::{
    Container, ContainerState, Health, Origin, Status, is_anonymous, labels,
};
use crate::state::time::EngineTime;

use super::time;

type Labels = BTreeMap<String, String>;

/// One line of the list of containers.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::engine::docker) struct Listed {
    /// The full id.
    pub(in crate::engine::docker) id: String,
    names: Option<Vec<String>>,
    labels: Option<Labels>,
    state: Option<String>,
    network_settings: Option<InspectedNetworks>,
}

impl Listed {
    /// Returns the name without the leading slash; links add further names with two.
    pub(in crate::engine::docker) fn name(&self) -> ContainerName {
        let mut names = self.names.iter().flatten().filter_map(|n| n.strip_prefix('/'));
        ContainerName::new(names.find(|name| !name.contains('/')).unwrap_or_default())
    }

    /// Returns the Compose project that the labels name.
    pub(in crate::engine::docker) fn project(&self) -> Option<ProjectName> {
        self.labels.as_ref()?.get(labels::PROJECT).map(ProjectName::new)
    }

    /// Iterates over the networks that the container is attached to; the engine gives no id
    /// of those of a container that was never started.
    pub(in crate::engine::docker) fn networks(
        &self,
    ) -> impl Iterator<Item = (NetworkName, Option<NetworkId>)> {
        let networks = self.network_settings.iter().flat_map(|it| it.networks.iter());
        networks.flatten().map(|(name, endpoint)| {
            let id = Some(endpoint.network.as_str()).filter(|id| !id.is_empty());
            (NetworkName::new(name), id.map(NetworkId::new))
        })
    }

    /// Tells whether the line shows the container as it was when it was last inspected.
    pub(in crate::engine::docker) fn agrees_with(&self, container: &Container) -> bool {
        self.name() == container.name
            && self.state.as_deref() == Some(container.state.status.as_str())
    }
}

/// Reads the list of containers.
pub(in crate::engine::docker) fn listed(json: &Json) -> Result<Vec<Listed>, CallError> {
    Ok(Vec::deserialize(json)?)
}

/// What we read of an inspected container besides its document.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    name: String,
    image: String,
    created: String,
    #[serde(default)]
    restart_count: u64,
    state: InspectedState,
    config: InspectedConfig,
    network_settings: Option<InspectedNetworks>,
    mounts: Option<Vec<InspectedMount>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedMount {
    #[serde(default)]
    r#type: String,
    #[serde(default)]
    name: String,
    #[serde(default)]
    destination: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedConfig {
    labels: Option<Labels>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedNetworks {
    networks: Option<BTreeMap<String, InspectedEndpoint>>,
}

#[derive(Clone, Debug, Deserialize)]
struct InspectedEndpoint {
    #[serde(rename = "NetworkID", default)]
    network: String,
    #[serde(rename = "IPAddress", default)]
    address: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedState {
    status: EngineStatus,
    health: Option<InspectedHealth>,
    #[serde(default)]
    exit_code: i64,
    #[serde(rename = "OOMKilled", default)]
    out_of_memory: bool,
    #[serde(default)]
    error: String,
    started_at: Option<String>,
    finished_at: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct InspectedHealth {
    status: EngineHealth,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EngineStatus {
    Created,
    Running,
    Paused,
    Restarting,
    Removing,
    Exited,
    Dead,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum EngineHealth {
    #[serde(alias = "")]
    None,
    Starting,
    Healthy,
    Unhealthy,
}

/// Reads an inspected container.
pub(in crate::engine::docker) fn container(json: &Json) -> Result<Container, CallError> {
    let inspected = Inspected::deserialize(json)?;
    let networks = inspected.network_settings.and_then(|settings| settings.networks);
    let addresses = networks.iter().flatten().map(|(_, endpoint)| &endpoint.address);
    let address = addresses.into_iter().find(|address| !address.is_empty()).cloned();
    Ok(Container {
        id: inspected.id.as_str().into(),
        name: inspected.name.trim_start_matches('/').into(),
        image: inspected.image.as_str().into(),
        origin: origin(&inspected.config.labels.unwrap_or_default()),
        document: form::read(json),
        address,
        attached: networks
            .unwrap_or_default()
            .into_iter()
            .map(|(name, endpoint)| {
                (NetworkName::new(name), NetworkId::new(endpoint.network))
            })
            .collect(),
        created: time(&inspected.created).unwrap_or(EngineTime::UNIX_EPOCH),
        state: state(inspected.state, inspected.restart_count),
        anonymous: inspected
            .mounts
            .unwrap_or_default()
            .into_iter()
            .filter(|mount| mount.r#type == "volume" && is_anonymous(&mount.name))
            .map(|mount| (mount.destination, VolumeName::new(mount.name)))
            .collect(),
    })
}

fn state(state: InspectedState, restarts: u64) -> ContainerState {
    ContainerState {
        status: match state.status {
            EngineStatus::Created => Status::Created,
            EngineStatus::Running => Status::Running,
            EngineStatus::Paused => Status::Paused,
            EngineStatus::Restarting => Status::Restarting,
            EngineStatus::Removing => Status::Removing,
            EngineStatus::Exited => Status::Exited,
            EngineStatus::Dead => Status::Dead,
        },
        health: state.health.and_then(|health| match health.status {
            EngineHealth::None => None,
            EngineHealth::Starting => Some(Health::Starting),
            EngineHealth::Healthy => Some(Health::Healthy),
            EngineHealth::Unhealthy => Some(Health::Unhealthy),
        }),
        exit_code: state.exit_code,
        out_of_memory: state.out_of_memory,
        error: state.error,
        started: state.started_at.as_deref().and_then(time),
        finished: state.finished_at.as_deref().and_then(time),
        restarts,
    }
}

fn origin(labels: &Labels) -> Origin {
    let label = |name| labels.get(name).map(String::as_str);
    let number = label(labels::NUMBER).and_then(|number| number.parse().ok());
    Origin {
        replica: match (label(labels::SERVICE), number) {
            (Some(service), Some(number)) if number > 0 && !service.is_empty() => {
                Some(Replica { service: service.into(), number })
            }
            _ => None,
        },
        one_off: label(labels::ONE_OFF).is_some_and(|it| it.eq_ignore_ascii_case("true")),
        source: label(labels::SOURCE).map(SourceId::from),
        spec: label(labels::SPEC).map(Into::into),
        replaces: label(labels::REPLACES).map(Into::into),
        base: label(labels::BASE).map(Into::into),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn inspected() -> Json {
        json!({
            "Id": "2f6ace2a1cf864143c92ed189b6ad3c45abbd0966edfdc1d34c81cc6cab5f833",
            "Name": "/milvus-etcd",
            "Image": "sha256:6dad",
            "Created": "2026-11-22T20:07:11.123456789Z",
            "RestartCount": 3,
            "State": {
                "Status": "running", "ExitCode": 137, "OOMKilled": true, "Error": "",
                "StartedAt": "2026-11-22T21:07:12.5+01:00",
                "FinishedAt": "0001-01-01T00:00:00Z",
                "Health": {"Status": "starting", "FailingStreak": 0, "Log": []},
            },
            "Config": {"Labels": {
                "com.docker.compose.project": "milvus",
                "com.docker.compose.service": "etcd",
                "com.docker.compose.container-number": "1",
                "com.docker.compose.oneoff": "False",
                "reconciler.source": "/srv/milvus.yaml",
                "reconciler.replaces": "abc",
            }},
            "NetworkSettings": {"Networks": {"milvus": {"NetworkID": "8d37"}}},
            "Mounts": [
                {"Type": "volume", "Name": "a1".repeat(32), "Destination": "/data"},
                {"Type": "volume", "Name": "milvus_etcd", "Destination": "/etcd"},
                {"Type": "bind", "Source": "/srv", "Destination": "/srv"},
            ],
        })
    }

    #[test]
    fn a_container_reads_as_the_engine_tells_it() {
        let container = container(&inspected()).unwrap();
        assert_eq!(container.name, "milvus-etcd".into());
        assert_eq!(container.id.short(), "2f6ace2a1cf8");
        assert_eq!(container.attached, [("milvus".into(), "8d37".into())].into());
        let replica = Replica { service: "etcd".into(), number: 1 };
        assert_eq!(container.origin.replica, Some(replica));
        assert!(!container.origin.one_off);
        assert_eq!(container.origin.source, Some("/srv/milvus.yaml".into()));
        assert_eq!(container.origin.replaces, Some("abc".into()));
        assert_eq!(container.origin.spec, None);
        let state = container.state;
        assert_eq!(
            (state.status, state.health),
            (Status::Running, Some(Health::Starting))
        );
        assert_eq!(
            (state.exit_code, state.out_of_memory, state.restarts),
            (137, true, 3)
        );
        assert_eq!(state.started, Some("2026-11-22T20:07:12.5Z".parse().unwrap()));
        assert_eq!(state.finished, None);
        assert_eq!(
            container.anonymous,
            [("/data".into(), "a1".repeat(32).as_str().into())].into()
        );
    }

    #[test]
    fn labels_that_are_missing_or_malformed_make_nobodys_replica() {
        for (name, value) in [
            (labels::SERVICE, ""),
            (labels::NUMBER, "0"),
            (labels::NUMBER, "one"),
            (labels::NUMBER, ""),
        ] {
            let mut json = inspected();
            json["Config"]["Labels"][name] = value.into();
            assert_eq!(container(&json).unwrap().origin.replica, None, "{name}={value}");
        }
        let mut json = inspected();
        json["Config"]["Labels"] = Json::Null;
        assert_eq!(container(&json).unwrap().origin, Origin::default());
    }

    #[test]
    fn a_health_check_that_is_switched_off_is_none() {
        for health in [json!(null), json!({"Status": "none"}), json!({"Status": ""})] {
            let mut json = inspected();
            json["State"]["Health"] = health;
            assert_eq!(container(&json).unwrap().state.health, None);
        }
    }

    #[test]
    fn a_state_that_we_do_not_know_is_an_error_and_not_a_guess() {
        let mut json = inspected();
        json["State"]["Status"] = "levitating".into();
        assert!(container(&json).is_err());
    }

    #[test]
    fn a_listed_container_has_its_own_name_and_not_that_of_a_link() {
        let listed: Listed = serde_json::from_value(json!({
            "Id": "a", "Names": ["/web/db", "/db"], "Labels": null, "State": "exited",
        }))
        .unwrap();
        assert_eq!(listed.name(), "db".into());
        assert_eq!(listed.project(), None);
    }
}

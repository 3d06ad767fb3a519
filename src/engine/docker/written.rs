//! Who writes, and what.

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptions;
use futures_util::stream::{self, BoxStream};
use futures_util::{StreamExt, TryStreamExt};
use serde::Deserialize;
use serde_json::json;

use super::error::CallError;
use super::wire::{Wire, encoded};
use crate::engine::EngineError;
use crate::state::ids::{ContainerId, ContainerName, ProjectName};
use crate::state::log::{Line, Lines, Part, Stream, Writer};
use crate::state::observed::labels;
use crate::state::secret::{Secret, is_sensitive_name, secrets_in};

/// How many inspections are under way at once.
const AT_ONCE: usize = 8;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Listed {
    id: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Inspected {
    id: String,
    name: String,
    state: State,
    config: Config,
    host_config: HostConfig,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct State {
    running: bool,
    restarting: bool,
    exit_code: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Config {
    env: Option<Vec<String>>,
    labels: Option<std::collections::BTreeMap<String, String>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HostConfig {
    log_config: Option<LogConfig>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct LogConfig {
    #[serde(rename = "Type")]
    driver: String,
}

/// Returns the containers of a project that belong to services.
pub(super) async fn writers(
    wire: &Wire,
    project: &ProjectName,
) -> Result<Vec<Writer>, EngineError> {
    let filter = json!({"label": [format!("{}={project}", labels::PROJECT)]}).to_string();
    let path = format!("/containers/json?all=true&filters={}", encoded(&filter));
    let listed = wire.get(&path).await;
    let listed = listed.and_then(|json| Ok(Vec::<Listed>::deserialize(json)?));
    let listed = listed.map_err(|error| wire.error(error, "list its containers"))?;
    let inspections = listed.into_iter().map(|it| inspect(wire, it.id));
    let inspected = stream::iter(inspections).buffered(AT_ONCE);
    let found: Vec<Option<Writer>> = inspected.try_collect().await?;
    Ok(found.into_iter().flatten().collect())
}

/// Inspects a container; nothing when it is gone, or belongs to no service.
async fn inspect(wire: &Wire, id: String) -> Result<Option<Writer>, EngineError> {
    let json = wire.get(&format!("/containers/{id}/json")).await;
    match json.and_then(|json| Ok(Inspected::deserialize(json)?)) {
        Ok(inspected) => Ok(writer(inspected)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(wire.error(error, &format!("inspect the container {id}"))),
    }
}

fn writer(inspected: Inspected) -> Option<Writer> {
    let Inspected { id, name, state, config, host_config } = inspected;
    let labels = config.labels.unwrap_or_default();
    let is_one_off =
        labels.get(labels::ONE_OFF).is_some_and(|it| it.eq_ignore_ascii_case("true"));
    let service = labels.get(labels::SERVICE).filter(|_| !is_one_off)?;
    let number = labels.get(labels::NUMBER).and_then(|it| it.parse().ok());
    let environment = config.env.unwrap_or_default();
    let secrets = environment.iter().flat_map(|entry| {
        let (name, value) = entry.split_once('=').unwrap_or((entry, ""));
        let whole = is_sensitive_name(name).then_some(value);
        whole.into_iter().chain(secrets_in(value)).map(Secret::new)
    });
    Some(Writer {
        id: id.as_str().into(),
        name: ContainerName::new(name.trim_start_matches('/')),
        service: service.as_str().into(),
        number: number.unwrap_or(1),
        is_running: state.running || state.restarting,
        exit_code: state.exit_code,
        driver: host_config.log_config.map(|it| it.driver).unwrap_or_default(),
        secrets: secrets.collect(),
    })
}

/// Reads the log of a container, line by line; one that is followed ends with the container.
pub(super) fn log(
    wire: &Wire,
    container: &ContainerId,
    part: Part,
) -> BoxStream<'static, Result<Line, EngineError>> {
    let since = part.since.map_or(0, |it| i32::try_from(it.as_second()).unwrap_or(0));
    let options = LogsOptions {
        stdout: true,
        stderr: true,
        timestamps: true,
        follow: part.follow,
        since,
        tail: part.tail.map_or_else(|| "all".to_owned(), |lines| lines.to_string()),
        ..LogsOptions::default()
    };
    let what = format!("read the log of {}", container.short());
    let wire = wire.clone();
    let records = wire.client().logs(container.as_str(), Some(options));
    let records = records.map(Some).chain(stream::iter([None]));
    let lines = records.scan(Lines::default(), move |lines, record| {
        let made: Vec<Result<Line, EngineError>> = match record {
            None => lines.rest().into_iter().map(Ok).collect(),
            Some(Ok(record)) => taken(lines, record).map(Ok).into_iter().collect(),
            Some(Err(error)) => vec![Err(wire.error(CallError::from(error), &what))],
        };
        std::future::ready(Some(stream::iter(made)))
    });
    // The engine knows whole seconds only.
    let is_late = move |line: &Line| part.since.is_none_or(|since| line.at >= since);
    let lines = lines
        .flatten()
        .filter(move |line| std::future::ready(line.as_ref().map_or(true, is_late)));
    lines.boxed()
}

fn taken(lines: &mut Lines, record: LogOutput) -> Option<Line> {
    match record {
        LogOutput::StdErr { message } => lines.take(Stream::Error, &message),
        LogOutput::StdOut { message }
        | LogOutput::StdIn { message }
        | LogOutput::Console { message } => lines.take(Stream::Output, &message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_once_beside_the_services_is_none_of_them() {
        let inspected = |labels: &serde_json::Value| -> Inspected {
            let json = json!({
                "Id": "0123", "Name": "/shop-web-1",
                "State": {"Running": true, "Restarting": false, "ExitCode": 0},
                "Config": {"Env": ["A=b", "DB_PASSWORD=hunter2"], "Labels": labels},
                "HostConfig": {"LogConfig": {"Type": "none"}}
            });
            serde_json::from_value(json).unwrap()
        };
        let own = json!({labels::SERVICE: "web", labels::NUMBER: "1"});
        let writer_of_service = writer(inspected(&own)).unwrap();
        assert_eq!(writer_of_service.name.as_str(), "shop-web-1");
        assert_eq!(
            (writer_of_service.driver.as_str(), writer_of_service.number),
            ("none", 1)
        );
        assert_eq!(writer_of_service.secrets[0].expose(), "hunter2");
        let one_off = json!({labels::SERVICE: "web", labels::ONE_OFF: "True"});
        assert_eq!(writer(inspected(&one_off)), None);
        assert_eq!(writer(inspected(&json!(null))), None);
    }
}

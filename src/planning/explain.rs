//! Why a field is, or is not, as it is wanted.

use crate::compose::attribute;
use crate::compose::attribute::field::{Cost, Default, Field};
use crate::state::desired::StartOrder;
use crate::state::ids::ServiceName;
use crate::state::observed::Container;
use crate::state::secret::CONCEALED;
use crate::state::value::Value;

use super::change::{Action, FieldDrift};
use super::rollout::strategy;
use super::target::concealed;
use super::world::{Instance, World};

/// One field of a service, with everything that decides about it, as text.
///
/// Whoever makes a row conceals secrets in it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct ExplainRow {
    /// The canonical Compose path.
    pub path: String,
    /// The value that the file asks for.
    pub desired: Option<String>,
    /// The value on the engine.
    pub live: Option<String>,
    /// The value that the image or the engine puts there when nothing is asked for.
    pub default: Option<String>,
    /// What a plan does about it: `same`, or the action.
    pub verdict: String,
    /// The rule that led there, in a few words.
    pub rule: String,
}

/// Explains every field of a service's first container that is set on any side.
pub fn rows(world: &World<'_>, service: &ServiceName) -> Vec<ExplainRow> {
    let Some(instance) = world.replicas_of(service).next() else { return Vec::new() };
    let holder = instance.office.holder.map(|it| concealed(it, Some(instance.service)));
    let image = holder
        .as_ref()
        .and_then(|holder| world.observed.image(holder.image.as_str()))
        .or_else(|| world.observed.image(instance.service.image.as_str()));
    let mut rows: Vec<ExplainRow> = special_rows(instance, holder.as_ref());
    for (path, field) in attribute::fields_of(&instance.service.canonical) {
        let wanted = instance.target.document.get(field.pointer);
        let nothing = Value::Null;
        let live = holder.as_ref().map_or(&nothing, |it| it.document.get(field.pointer));
        let image = image.map_or(&nothing, |image| image.config.get(field.pointer));
        let is_known = rows.iter().any(|row| row.path == path);
        if is_known || wanted.is_null() && live.is_zero() && image.is_zero() {
            continue;
        }
        let hide = [wanted, live, image].iter().any(|value| value.is_sensitive());
        rows.push(ExplainRow {
            path: path.to_owned(),
            desired: shown(wanted, hide),
            live: shown(live, hide),
            default: shown(image, hide),
            verdict: if is_about(path, &instance.immutable) {
                "refused".to_owned()
            } else {
                verdict(path, &instance.fields())
            },
            rule: guarded(instance, path, rule(field, wanted)),
        });
    }
    rows
}

/// What is no field of the attribute table: the name, and how another container would take
/// its place.
fn special_rows(instance: &Instance<'_>, holder: Option<&Container>) -> Vec<ExplainRow> {
    let name = ExplainRow {
        path: "container_name".to_owned(),
        desired: Some(instance.target.name.to_string()),
        live: holder.map(|it| it.name.to_string()),
        default: None,
        verdict: verdict("container_name", &instance.drift),
        rule: "renamed while it runs".to_owned(),
    };
    let replacement = holder.map(|holder| {
        let strategy = strategy(instance, &holder.document);
        let order = |order| match order {
            StartOrder::StopFirst => "stop-first".to_owned(),
            StartOrder::StartFirst => "start-first".to_owned(),
        };
        ExplainRow {
            path: "deploy.update_config.order".to_owned(),
            desired: Some(order(instance.service.update.order)),
            live: Some(order(strategy.order)),
            default: Some(order(StartOrder::StopFirst)),
            verdict: "same".to_owned(),
            rule: strategy.because,
        }
    });
    std::iter::once(name).chain(replacement).collect()
}

fn shown(value: &Value, hide: bool) -> Option<String> {
    let text = || if hide { CONCEALED.to_owned() } else { value.to_string() };
    (!value.is_null()).then(text)
}

/// Adds which settings of a field must not change under data.
fn guarded(instance: &Instance<'_>, path: &str, rule: String) -> String {
    let below = format!("{path}.");
    let paths = instance.service.settings.immutable.iter();
    let mut paths = paths.filter(|it| *it == path || it.starts_with(&below));
    match paths.next() {
        None => rule,
        Some(it) => format!("{rule}; {it} must not change under data"),
    }
}

fn is_about(path: &str, fields: &[FieldDrift]) -> bool {
    verdict(path, fields) != "same"
}

fn verdict(path: &str, drift: &[FieldDrift]) -> String {
    let below = format!("{path}.");
    let fields = drift.iter().filter(|it| it.path == path || it.path.starts_with(&below));
    let worst = fields.map(|it| it.cost).max();
    worst.map_or_else(|| "same".to_owned(), |action: Action| action.as_str().to_owned())
}

/// Says in a few words where the expected value comes from and what a change costs.
fn rule(field: &Field, wanted: &Value) -> String {
    let source = if wanted.is_null() {
        match field.default {
            Default::Zero => "not asked for: must not be set",
            Default::Image => "not asked for: as the image says",
            Default::ImageEntries => "not asked for: what the image has",
            Default::EngineEntries(_) => "not asked for: what the engine adds",
            Default::Text(_) => "not asked for: the specification's default",
            Default::Any => "not asked for: anything will do",
            Default::Computed(_) => "not asked for: the engine's own choice",
        }
    } else {
        match field.default {
            Default::ImageEntries => "asked for, over what the image has",
            Default::EngineEntries(_) => "asked for, over what the engine adds",
            Default::Zero
            | Default::Image
            | Default::Text(_)
            | Default::Any
            | Default::Computed(_) => "asked for",
        }
    };
    let cost = match field.cost {
        Cost::Recreate => "a change needs a new container",
        Cost::Update => "changes in place; taking it away needs a new container",
        Cost::UpdateAny => "changes in place",
        Cost::Reconnect => "the network is disconnected and connected",
    };
    format!("{source}; {cost}")
}

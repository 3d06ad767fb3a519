//! What comes next for one volume: it is made, or it is left alone.

use crate::compose::attribute::project::process::as_text;
use crate::state::desired::VolumeSpec;
use crate::state::document::Document;
use crate::state::ids::{Object, VolumeKey};
use crate::state::observed::labels;
use crate::state::step::Step;
use crate::state::value::Value;

use super::change::{Action, Note};
use super::decision::{Decision, Next};
use super::drift::same;
use super::world::World;

/// Decides what comes next for a volume of the stack. A volume that is there is never
/// changed, whatever the file says.
pub fn decide(world: &World<'_>, key: &VolumeKey, spec: &VolumeSpec) -> Decision {
    let object = Object::Volume(key.clone());
    if world.observed.volumes.contains_key(&spec.name) {
        return Decision::new(object, Action::None, "it is there", Next::Nothing);
    }
    if spec.external {
        let wait = format!("somebody to make the volume {}", spec.name);
        let reason = "it is external, and not there";
        return Decision::new(object, Action::None, reason, Next::Wait(vec![wait]));
    }
    let mut document = wanted(spec);
    document.extend(
        "Labels",
        [
            (labels::PROJECT, world.desired.project.as_str()),
            (labels::VOLUME, key.as_str()),
            (labels::VERSION, env!("CARGO_PKG_VERSION")),
        ]
        .map(|(name, text)| (name.to_owned(), Value::text(text))),
    );
    let step = Step::CreateVolume { name: spec.name.clone(), document };
    Decision::new(object, Action::Create, "there is no volume", Next::Step(step))
}

fn wanted(spec: &VolumeSpec) -> Document {
    let canonical = &spec.canonical;
    let driver = canonical.get("driver").as_text().unwrap_or("local");
    let texts = |key: &str| -> Vec<(String, Value)> {
        let entries = canonical.get(key).entries();
        entries.map(|(name, value)| (name.to_owned(), as_text(value))).collect()
    };
    let mut document: Document = [("Driver", Value::text(driver))].into_iter().collect();
    let options = texts("driver_opts");
    if !options.is_empty() {
        document.extend("DriverOpts", options);
    }
    document.extend("Labels", texts("labels"));
    document
}

/// Says when a volume is not what the file says: that is a conflict for a person.
pub fn note(world: &World<'_>, key: &VolumeKey, spec: &VolumeSpec) -> Option<Note> {
    let volume = world.observed.volumes.get(&spec.name)?;
    let wanted = wanted(spec);
    let differs = ["Driver", "DriverOpts"]
        .into_iter()
        .any(|pointer| !same(wanted.get(pointer), volume.document.get(pointer)));
    (!spec.external && differs).then(|| Note {
        reason: "Conflict",
        about: Object::Volume(key.clone()).to_string(),
        message: format!(
            "the volume {} has another driver or other options than the file says; it \
             holds data, so it is used as it is: move the data to a new volume, or change \
             the file back",
            spec.name
        ),
    })
}

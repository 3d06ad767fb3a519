//! Which services are wanted: those without profiles, and those of an active one.

use std::collections::BTreeSet;

use super::interpolate::variables::Variables;
use super::node::{Mapping, Node};

/// The variable that names the active profiles when nobody asks for others.
const VARIABLE: &str = "COMPOSE_PROFILES";

/// Returns the active profiles: those asked for, else those of the environment.
pub fn active(asked: &BTreeSet<String>, variables: &Variables) -> BTreeSet<String> {
    if !asked.is_empty() {
        return asked.clone();
    }
    let listed = variables.text(VARIABLE).unwrap_or_default().split(',').map(str::trim);
    listed.filter(|profile| !profile.is_empty()).map(str::to_owned).collect()
}

/// Takes the services of inactive profiles out of a stack and returns them. The profile
/// `*` makes all of them active.
pub fn set_aside(root: &mut Node, active: &BTreeSet<String>) -> Mapping {
    let is_active = |service: &Node| {
        let mut profiles = service.get("profiles").map_or(&[][..], Node::items).iter();
        profiles.len() == 0
            || active.contains("*")
            || profiles.any(|profile| {
                profile.as_text().is_some_and(|profile| active.contains(profile))
            })
    };
    let Some(services) = root.get_mut("services").and_then(Node::as_mapping_mut) else {
        return Mapping::new();
    };
    let (active, inactive) = std::mem::take(services)
        .into_iter()
        .partition(|(_, entry)| is_active(&entry.node));
    *services = active;
    inactive
}

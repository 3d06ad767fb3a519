//! Whether the parts of a canonical stack fit together.
//!
//! All checks run, so that all problems are known at once: [`references`] (what is named
//! is there), [`cycle`], [`clash`] (what exists once is asked for once), [`limits`] (what
//! the engine would refuse), [`services`] (what a service must say), [`advice`] (what works,
//! but not as its writer may think), [`lint`] (what will be regretted). [`build`] makes the model that planning reads.

mod advice;
mod build;
mod clash;
mod cycle;
mod limits;
pub mod lint;
mod references;
mod rollout;
mod services;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::counted::OfService;
use super::extension::StackExtension;
use super::node::{Entry, Kind, Mapping, Node};
use super::problem::Problems;
use crate::state::desired::{Content, Desired};
use crate::state::digest::DigestKey;
use crate::state::ids::ProjectName;
use crate::state::secret::Secret;
use crate::state::value::Real;

/// The proof that a stack was validated; only this module can make one.
#[derive(Debug)]
pub struct Validated(());

/// A completed stack that waits for validation.
#[derive(Debug)]
pub struct Candidate {
    /// The name of the project.
    pub project: ProjectName,
    /// The files, in the order in which they were merged.
    pub files: Vec<PathBuf>,
    /// The folder that relative paths are against.
    pub working_dir: PathBuf,
    /// The stack in canonical form, without the services of inactive profiles.
    pub root: Node,
    /// Those services.
    pub inactive: Mapping,
    /// What was declared and is not used, as family and key.
    pub unused: Vec<(&'static str, String)>,
    /// The configs, by key.
    pub configs: BTreeMap<String, Content>,
    /// The secrets, by key.
    pub secrets: BTreeMap<String, Content>,
    /// The stack-level `x-reconciler`.
    pub extension: StackExtension,
    /// The key by which secrets enter digests.
    pub digest_key: DigestKey,
    /// The secrets that no message may repeat.
    pub unspeakable: Vec<Secret>,
    /// The files whose bytes count, by service.
    pub counted: BTreeMap<String, OfService>,
}

impl Candidate {
    /// Checks everything, and returns the stack when no problem so far is an error.
    pub fn validate(&self, problems: &mut Problems) -> Option<Desired> {
        services::check(self, problems);
        references::check(self, problems);
        cycle::check(self, problems);
        clash::check(self, problems);
        limits::check(self, problems);
        advice::check(self, problems);
        lint::check(self, problems);
        let stack = build::stack(self, problems);
        (!problems.has_errors()).then(|| Desired::new(stack, Validated(())))
    }

    /// Iterates over the services.
    fn services(&self) -> impl Iterator<Item = (&str, &Entry)> {
        self.root.get("services").into_iter().flat_map(Node::entries)
    }

    /// Returns a service.
    fn service(&self, name: &str) -> Option<&Node> {
        self.root.get("services")?.get(name)
    }

    /// Returns what is declared of a family such as `networks`.
    fn declared(&self, family: &str, key: &str) -> Option<&Node> {
        self.root.get(family)?.get(key)
    }
}

/// Returns a whole number, also one that was left as text.
fn integer(node: &Node) -> Option<i64> {
    match &node.kind {
        Kind::Int(number) => Some(*number),
        Kind::Text(text) => text.text.parse().ok(),
        Kind::Null
        | Kind::Bool(_)
        | Kind::Real(_)
        | Kind::Sequence(_)
        | Kind::Mapping(_) => None,
    }
}

/// Returns a number, also one that was left as text.
fn number(node: &Node) -> Option<f64> {
    match &node.kind {
        Kind::Real(Real(number)) => Some(*number),
        Kind::Int(number) => number.to_string().parse().ok(),
        Kind::Text(text) => text.text.parse().ok(),
        Kind::Null | Kind::Bool(_) | Kind::Sequence(_) | Kind::Mapping(_) => None,
    }
}

/// Returns a truth value.
const fn boolean(node: &Node) -> Option<bool> {
    if let Kind::Bool(value) = node.kind { Some(value) } else { None }
}

/// Returns the text of a key; nothing when it is empty.
fn text<'a>(node: &'a Node, path: &str) -> Option<&'a str> {
    node.at(path)?.as_text().filter(|text| !text.is_empty())
}

/// Returns the items of a list under a key.
fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).map_or(&[], Node::items)
}

/// Returns how many containers a service is to have, as far as it is said.
fn replicas(service: &Node) -> Option<i64> {
    let said = service.get("scale").or_else(|| service.at("deploy.replicas"));
    said.filter(|node| !node.is_null()).and_then(integer)
}

//! Services must not wait for each other in a circle.

use std::collections::{BTreeMap, BTreeSet};

use super::super::node::{Entry, Node};
use super::super::problem::Problems;
use super::Candidate;

/// So many circles are reported.
const MOST: usize = 10;

pub(super) fn check(stack: &Candidate, problems: &mut Problems) {
    let mut open: BTreeMap<&str, BTreeMap<&str, &Entry>> = stack
        .services()
        .map(|(name, service)| {
            let others =
                service.node.get("depends_on").into_iter().flat_map(Node::entries);
            (name, others.filter(|(other, _)| stack.service(other).is_some()).collect())
        })
        .collect();
    for _ in 0..MOST {
        drop_what_can_start(&mut open);
        let Some(circle) = circle(&open) else { return };
        report(&circle, &open, problems);
        for name in circle {
            open.remove(name);
        }
    }
}

/// Removes, again and again, what waits for nothing that is left.
fn drop_what_can_start(open: &mut BTreeMap<&str, BTreeMap<&str, &Entry>>) {
    let mut dependents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut waits: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, others) in &*open {
        let others = others.keys().filter(|other| open.contains_key(*other));
        let mut count = 0;
        for other in others {
            dependents.entry(other).or_default().push(name);
            count += 1;
        }
        waits.insert(name, count);
    }
    let mut ready: Vec<&str> =
        waits.iter().filter(|(_, count)| **count == 0).map(|(name, _)| *name).collect();
    while let Some(name) = ready.pop() {
        open.remove(name);
        for dependent in dependents.remove(name).unwrap_or_default() {
            if let Some(count) = waits.get_mut(dependent) {
                *count -= 1;
                if *count == 0 {
                    ready.push(dependent);
                }
            }
        }
    }
}

/// Returns a circle: everything that is open waits for something that is open.
fn circle<'a>(
    open: &BTreeMap<&'a str, BTreeMap<&'a str, &'a Entry>>,
) -> Option<Vec<&'a str>> {
    let mut walked = Vec::new();
    let mut seen = BTreeSet::new();
    let mut name = *open.keys().next()?;
    while seen.insert(name) {
        walked.push(name);
        name = open.get(name)?.keys().find(|other| open.contains_key(*other))?;
    }
    let start = walked.iter().position(|walked| *walked == name)?;
    Some(walked.split_off(start))
}

fn report(
    circle: &[&str],
    open: &BTreeMap<&str, BTreeMap<&str, &Entry>>,
    problems: &mut Problems,
) {
    let next = circle.iter().cycle().skip(1);
    let places: Vec<(&str, &str, &Entry)> = circle
        .iter()
        .zip(next)
        .filter_map(|(name, other)| Some((*name, *other, *open.get(name)?.get(other)?)))
        .collect();
    let Some((first, _, entry)) = places.first() else { return };
    let shown: Vec<&str> = circle.iter().chain(circle.first()).copied().collect();
    let message =
        format!("services wait for each other in a circle: {}", shown.join(" → "));
    let problem =
        problems.error(entry.key, format!("services.{first}.depends_on"), message);
    problem.help("take one of these dependencies away");
    for (name, other, entry) in places.iter().skip(1).take(20) {
        problem.see(entry.key, format!("{name} waits for {other}"));
    }
}

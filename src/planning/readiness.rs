//! When a container is ready, and when it is asked.

use std::time::Duration;

use crate::state::ids::Object;
use crate::state::observed::{Container, Health, Status};
use crate::state::secret::Secret;
use crate::state::time::{Moment, Now};
use crate::state::value::Value;

use super::memory::{Crashes, Memory};

/// How long a container without a health check must run to count as ready.
pub const SETTLING: Duration = Duration::from_secs(1);

/// As [`SETTLING`], for one that keeps crashing: after as long a run the engine forgets its
/// own restart delay too.
pub const STEADY: Duration = Duration::from_secs(10);

/// How far a container has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It does what it is for.
    Ready,
    /// It runs, and it is too early to tell.
    Starting {
        /// When to look or to probe again.
        next: Moment,
    },
    /// It runs, and its health check fails.
    Unhealthy,
    /// It does not run.
    Down,
}

/// Tells how far a container has come.
///
/// With a probe from outside: what that says, and the health check too where there is one.
/// With a health check: the engine's verdict, or before its first one a passed run of ours
/// since the last start. Without: running for [`SETTLING`], or for [`STEADY`] if it keeps
/// crashing; a restart starts that anew.
pub fn readiness(container: &Container, memory: &Memory, now: Now) -> Readiness {
    if container.state.status != Status::Running {
        return Readiness::Down;
    }
    let Some(started) = container.state.started else { return Readiness::Down };
    let watched = memory.watched.get(&container.id);
    let watched = watched.filter(|watched| watched.started == started);
    match watched.map(|watched| (watched.is_well, watched.next)) {
        Some((None, next)) => return Readiness::Starting { next },
        Some((Some(false), _)) => return Readiness::Unhealthy,
        Some((Some(true), _)) if health_command(container).is_none() => {
            return Readiness::Ready;
        }
        Some((Some(true), _)) | None => {}
    }
    if health_command(container).is_none() {
        let (age, settling) = (now.age(started), settling(container, memory));
        return if age >= settling {
            Readiness::Ready
        } else {
            Readiness::Starting { next: now.moment.after(settling.saturating_sub(age)) }
        };
    }
    match container.state.health {
        Some(Health::Healthy) => Readiness::Ready,
        Some(Health::Unhealthy) => Readiness::Unhealthy,
        Some(Health::Starting) | None => {
            if memory.proven.get(&container.id) == Some(&started) {
                return Readiness::Ready;
            }
            let probing = memory.probing.get(&container.id);
            let next = probing.map_or(now.moment, |probing| probing.next);
            Readiness::Starting { next }
        }
    }
}

fn settling(container: &Container, memory: &Memory) -> Duration {
    let object = container.origin.replica.clone().map(Object::Service);
    let crashes = object.and_then(|object| memory.crashes.get(&object));
    if crashes.is_some_and(Crashes::is_loop) { STEADY } else { SETTLING }
}

/// Returns the command line of a container's health check; nothing without one.
pub fn health_command(container: &Container) -> Option<Vec<Secret>> {
    let test = container.document.get("Config.Healthcheck.Test");
    let mut words = test.items().iter().filter_map(Value::exposed_text).map(Secret::new);
    match words.next()?.expose() {
        "CMD" => Some(words.collect()),
        "CMD-SHELL" => {
            let shell = ["/bin/sh", "-c"].map(Secret::new);
            Some(shell.into_iter().chain(words).collect())
        }
        _ => None,
    }
}

/// Returns how long one run of the health check may take: 30 s unless told.
pub fn health_timeout(container: &Container) -> Duration {
    let text = container.document.get("Config.Healthcheck.Timeout").as_text();
    text.and_then(|text| crate::compose::units::parse_duration(text).ok())
        .unwrap_or(Duration::from_secs(30))
}

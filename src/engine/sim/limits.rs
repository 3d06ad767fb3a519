//! Limits and restart policies: what the engine refuses, and what it makes of an update.

use super::refusal::{Refusal, conflict, senseless};
use super::world::World;
use crate::state::document::{Document, Pointer};
use crate::state::ids::ContainerId;
use crate::state::value::Value;

const MEMORY: Pointer = "HostConfig.Memory";
const SWAP: Pointer = "HostConfig.MemorySwap";
const CPUS: Pointer = "HostConfig.NanoCpus";
const PIDS: Pointer = "HostConfig.PidsLimit";
const POLICY: Pointer = "HostConfig.RestartPolicy.Name";
const ATTEMPTS: Pointer = "HostConfig.RestartPolicy.MaximumRetryCount";
/// The least memory that a container may be given.
const LEAST_MEMORY: i64 = 6 << 20;

/// Refuses what makes no sense on this host, be it asked of a new container or a live one.
pub(super) fn validate(document: &Document, cpus: u32) -> Result<(), Refusal> {
    let (memory, swap) = (number(document, MEMORY), number(document, SWAP));
    if memory > 0 && memory < LEAST_MEMORY {
        return Err(senseless("Minimum memory limit allowed is 6MB"));
    }
    if swap > 0 && swap < memory {
        return Err(senseless(
            "Minimum memoryswap limit should be larger than memory limit, see usage",
        ));
    }
    if processors(document) > f64::from(cpus) {
        return Err(senseless(&format!(
            "Range of CPUs is from 0.01 to {cpus}.00, as there are only {cpus} CPUs available"
        )));
    }
    match document.get(POLICY).as_text() {
        Some(policy) if policy != "on-failure" && number(document, ATTEMPTS) != 0 => {
            Err(senseless(&format!(
                "maximum retry count cannot be used with restart policy '{policy}'"
            )))
        }
        Some(_) | None => Ok(()),
    }
}

fn number(document: &Document, pointer: Pointer) -> i64 {
    document.get(pointer).as_int().unwrap_or(0)
}

fn processors(document: &Document) -> f64 {
    document.get(CPUS).to_string().parse().unwrap_or(0.0)
}

impl World {
    pub(super) fn update(
        &mut self,
        id: &ContainerId,
        document: &Document,
    ) -> Result<(), Refusal> {
        let container = self.container(id)?;
        validate(document, self.facts().cpus)?;
        let swap = number(&container.document, SWAP);
        if number(document, MEMORY) > swap
            && number(document, SWAP) == 0
            && swap != -1
            && swap != 0
        {
            return Err(conflict(&format!(
                "Cannot update container {id}: Memory limit should be smaller than already \
                 set memoryswap limit, update the memoryswap at the same time"
            )));
        }
        let fixed = self.reads_back.clone();
        if let Some(container) = self.containers.get_mut(id) {
            if !document.get(POLICY).is_null() {
                container.document.set(ATTEMPTS, Value::Null);
            }
            for (pointer, value) in document.iter() {
                let value = fixed.get(pointer).unwrap_or(value);
                let is_nothing =
                    value.is_zero() || pointer == CPUS && processors(document) == 0.0;
                // Taking a limit away is accepted, and ignored; but for the processes.
                if pointer == PIDS && value.as_int().is_some_and(|limit| limit <= 0) {
                    container.document.set(pointer, Value::Null);
                } else if !is_nothing {
                    container.document.set(pointer, value.clone());
                }
            }
        }
        self.tell(id, "update", &[]);
        Ok(())
    }
}

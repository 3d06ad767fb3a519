//! Changed content: signals, and what its test says.

use super::lifecycle::runs;
use super::refusal::{Refusal, conflict};
use super::world::World;
use crate::state::ids::ContainerId;
use crate::state::observed::Status;
use crate::state::secret::Secret;
use crate::state::step::{Done, Rehearsal};

impl World {
    /// Sends a signal to the first process of a container.
    pub(super) fn signal(
        &mut self,
        id: &ContainerId,
        signal: &str,
    ) -> Result<(), Refusal> {
        let container = self.container(id)?;
        if container.state.status != Status::Running {
            let id = &container.id;
            return Err(conflict(&format!(
                "Cannot kill container: {id}: Container {id} is not running"
            )));
        }
        let ends = self.software_of(container).ends_on_signals;
        // Measured: its restart policy is forgotten, unless it has a stop signal.
        let is_forgotten = container.document.get("Config.StopSignal").is_zero();
        let number = match signal {
            "SIGHUP" => 1,
            "SIGINT" => 2,
            "SIGUSR1" => 10,
            "SIGUSR2" => 12,
            _ => 15,
        };
        self.tell(id, "kill", &[("signal", number.to_string())]);
        self.life(id).by_hand |= is_forgotten;
        if ends {
            self.die(id, 128 + number);
        }
        Ok(())
    }

    /// Runs the test of changed content inside a container.
    pub(super) fn test(&self, id: &ContainerId) -> Result<Done, Refusal> {
        // As any command that is run inside.
        self.probe(id)?;
        let container = self.container(id)?;
        Ok(tested(self.software_of(container).refuses.as_deref()))
    }

    /// Asks from outside whether a container is well.
    pub(super) fn reach(&self, id: &ContainerId) -> Result<Done, Refusal> {
        let is_well = self.probe(id)? == 0;
        let said = if is_well { "it answers" } else { "it does not answer" };
        Ok(Done::Reached { is_well, said: said.to_owned() })
    }

    /// Runs the test of changed content in a container made for it.
    pub(super) fn rehearse(&mut self, it: &Rehearsal) -> Result<Done, Refusal> {
        self.create(&it.name, &it.document)?;
        let made = self.find(it.name.as_str()).map(|made| made.id.clone());
        let holder = self.containers.get(&it.holder);
        let refuses = holder.and_then(|holder| self.software_of(holder).refuses.clone());
        if let Some(id) = made {
            let started = self.start(&id);
            if self.containers.get(&id).is_some_and(runs) {
                self.die(&id, i64::from(refuses.is_some()));
            }
            self.forget(&id);
            started?;
        }
        Ok(tested(refuses.as_deref()))
    }
}

fn tested(refuses: Option<&str>) -> Done {
    Done::Tested {
        exit_code: i64::from(refuses.is_some()),
        output: Secret::new(refuses.unwrap_or_default()),
    }
}

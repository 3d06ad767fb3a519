//! What the engine says, without the secrets that it quotes.
//!
//! An error of the engine may repeat what it was given: a command, a variable, an option of
//! a driver. So the secrets that are known are taken out of its words before anybody reads
//! or keeps them: those of the file as it is now, those that a step carries for a file that
//! was another one, and those that containers were made with.

use crate::compose::attribute;
use crate::state::concealer::Concealer;
use crate::state::desired::Desired;
use crate::state::observed::{Container, Observed};
use crate::state::step::{Done, Outcome, Step};
use crate::state::value::Value;

use super::target::concealed;

/// Returns the outcome of a step with the secrets taken out of what was said.
pub fn outcome(
    mut outcome: Outcome,
    desired: &Desired,
    observed: Option<&Observed>,
) -> Outcome {
    let said = match &mut outcome.result {
        Err(failure) => &mut failure.message,
        Ok(Done::Reached { said, .. }) => said,
        // What a test or a container wrote is a secret as a whole.
        Ok(
            Done::Done
            | Done::Probed { .. }
            | Done::Tested { .. }
            | Done::Measured { .. }
            | Done::Log { .. },
        ) => return outcome,
    };
    let live = observed.map(|observed| live(desired, observed)).unwrap_or_default();
    let carried = carried(&outcome.step);
    *said = Concealer::of(desired, live.iter().chain(&carried)).conceal(said);
    outcome
}

/// Takes the secrets out of what the engine says about its containers.
pub fn errors(observed: &mut Observed, desired: &Desired) {
    let says = |container: &Container| !container.state.error.is_empty();
    if !observed.containers.values().any(says) {
        return;
    }
    let concealer = Concealer::of(desired, &live(desired, observed));
    for container in observed.containers.values_mut() {
        container.state.error = concealer.conceal(&container.state.error);
    }
}

/// Returns what containers were made with, as far as it is known to be secret.
fn live(desired: &Desired, observed: &Observed) -> Vec<Value> {
    let fields = |container: &Container| {
        let service = container.origin.replica.as_ref().map(|it| &it.service);
        let service = service.and_then(|name| desired.services.get(name));
        let concealed = concealed(container, service);
        attribute::fields()
            .map(|(_, field)| concealed.document.get(field.pointer).clone())
            .filter(Value::is_sensitive)
            .collect::<Vec<_>>()
    };
    observed.containers.values().flat_map(fields).collect()
}

/// Returns what a step gives to the engine.
fn carried(step: &Step) -> Vec<Value> {
    let document = match step {
        Step::Create { document, .. }
        | Step::CreateNetwork { document, .. }
        | Step::CreateVolume { document, .. }
        | Step::Update { document, .. } => document,
        Step::Rehearse(rehearsal) => &rehearsal.document,
        Step::Probe { command, .. } | Step::Test { command, .. } => {
            return command.iter().cloned().map(Value::Secret).collect();
        }
        Step::CopyIn { files, .. } => {
            let content = files.iter().map(|file| file.content.clone());
            return content.map(Value::Secret).collect();
        }
        Step::Pull { .. }
        | Step::RemoveNetwork { .. }
        | Step::Connect { .. }
        | Step::Disconnect { .. }
        | Step::Rename { .. }
        | Step::Start { .. }
        | Step::Unpause { .. }
        | Step::Stop { .. }
        | Step::Remove { .. }
        | Step::ReadLog { .. }
        | Step::Measure { .. }
        | Step::Signal { .. }
        | Step::Reach { .. } => return Vec::new(),
    };
    document.iter().map(|(_, value)| value.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::planning::testing::{Drive, Named, desired, desired_with};
    use crate::state::step::{Failure, FailureKind};

    const FILE: &str = "
services:
  web:
    image: web:1
    command: [serve, --key=hunter1]
    environment: {DB_PASSWORD: hunter2, DSN: 'db://u:hunter3@h'}
";

    fn failed(step: &Step, message: &str) -> Outcome {
        let failure = Failure { kind: FailureKind::Failed, message: message.to_owned() };
        let object = crate::state::ids::Object::Network("default".into());
        Outcome { object, step: step.clone(), result: Err(failure) }
    }

    fn said(outcome: &Outcome) -> &str {
        outcome.result.as_ref().map_or_else(|it| it.message.as_str(), |_| "")
    }

    #[test]
    fn what_the_engine_quotes_of_the_file_is_concealed() {
        let mut drive = Drive::new(desired(FILE));
        let (_, step) = drive.pass().steps.remove(0);
        let failed = failed(&step, "no: DB_PASSWORD=hunter2, not hunter3");
        let outcome = outcome(failed, &drive.desired, None);
        assert_eq!(said(&outcome), "no: DB_PASSWORD=(sensitive), not (sensitive)");
    }

    #[test]
    fn what_only_a_step_or_a_container_still_has_is_concealed_too() {
        let mut drive = Drive::new(desired(FILE));
        drive.settle();
        let observed = drive.machine.observe(&drive.desired);
        let document = observed.containers.values().next().unwrap().document.clone();
        let other = desired("services: {web: {image: 'web:1'}}");
        let start = Step::Start { container: "x".into() };
        let quoting = failed(&start, "hunter2");
        assert_eq!(
            said(&outcome(quoting.clone(), &other, Some(&observed))),
            "(sensitive)"
        );
        assert_eq!(said(&outcome(quoting, &other, None)), "hunter2");
        let (name, platform) = ("x".into(), None);
        let create = Step::Create { name, document, platform };
        assert_eq!(
            said(&outcome(failed(&create, "hunter2"), &other, None)),
            "(sensitive)"
        );
    }

    #[test]
    fn of_what_a_container_was_made_with_only_the_secrets_go() {
        let file = "
services:
  web:
    image: web:1
    command: [serve, $X_PASSWORD]
    labels: {plain: visible, note: $X_PASSWORD}
";
        let mut drive = Drive::new(desired_with(file, &[("X_PASSWORD", "hunter2")]));
        drive.settle();
        let observed = drive.machine.observe(&drive.desired);
        let other = desired("services: {web: {image: 'web:1'}}");
        let quoting =
            failed(&Step::Start { container: "x".into() }, "demo serve visible hunter2");
        let outcome = outcome(quoting, &other, Some(&observed));
        assert_eq!(said(&outcome), "demo serve visible (sensitive)");
    }

    #[test]
    fn the_error_of_a_container_is_concealed() {
        let mut drive = Drive::settled(FILE);
        drive.machine.named_mut("demo-web-1").state.error =
            "exec: hunter2: not found".to_owned();
        let mut observed = drive.machine.observe(&drive.desired);
        errors(&mut observed, &drive.desired);
        let container = observed.containers.values().next().unwrap();
        assert_eq!(container.state.error, "exec: (sensitive): not found");
    }
}

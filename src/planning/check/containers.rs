//! Whether every container that is wanted runs, and is ready.

use std::collections::BTreeSet;

use super::question::{Question, name};
use crate::planning::readiness::Readiness;
use crate::planning::world::{Instance, Standing, World};
use crate::state::ask::{Found, Trouble, TroubleKind};
use crate::state::ids::ServiceName;
use crate::state::observed::Container;

/// Returns what the look tells of the containers of these services, or of all.
pub(super) fn questions(world: &World<'_>, of: &BTreeSet<ServiceName>) -> Vec<Question> {
    let meant = |it: &&Instance<'_>| of.is_empty() || of.contains(&it.replica.service);
    let instances = world.instances.values().filter(meant);
    let questions: Vec<Question> = instances.map(|it| question(world, it)).collect();
    if questions.is_empty() {
        let answer = Ok(Found::Well("no container is wanted".to_owned()));
        return vec![Question::known("containers".to_owned(), answer)];
    }
    questions
}

fn question(world: &World<'_>, instance: &Instance<'_>) -> Question {
    let object = name(instance);
    let Some(holder) = instance.office.holder else { return absent(world, instance) };
    let called = &holder.name;
    let (said, next) = match &instance.standing {
        Standing::Running(Readiness::Ready) => {
            let well = Ok(Found::Well("it runs and is ready".to_owned()));
            return about(holder, Question::known(object, well));
        }
        Standing::Completed => {
            let well = Ok(Found::Well("it has done its work".to_owned()));
            return about(holder, Question::known(object, well));
        }
        Standing::Running(Readiness::Unhealthy) => (
            "it runs and is unhealthy".to_owned(),
            format!(
                "what its health check said: `docker inspect -f '{{{{json .State.Health}}}}' {called}`"
            ),
        ),
        Standing::Running(Readiness::Starting { .. } | Readiness::Down) => (
            "it runs and is not ready yet".to_owned(),
            "wait for it: `reconciler wait`".to_owned(),
        ),
        Standing::Created => {
            ("it was made and never started".to_owned(), status().to_owned())
        }
        Standing::Paused => (
            "it is frozen".to_owned(),
            format!("`docker unpause {called}`, or `reconciler apply`"),
        ),
        Standing::Restarting => (
            format!("it {}, and the engine starts it again", ended(holder)),
            format!("its last words: `docker logs --tail 50 {called}`"),
        ),
        Standing::Ended => (
            format!("it does not run: it {}", ended(holder)),
            format!(
                "its last words: `docker logs --tail 50 {called}`; `reconciler apply` \
                 starts it"
            ),
        ),
        Standing::Dead => (
            "the engine could not clean up after it".to_owned(),
            format!("`docker inspect -f '{{{{.State.Error}}}}' {called}` says why"),
        ),
        Standing::Absent => return absent(world, instance),
    };
    let trouble = Trouble::new(TroubleKind::Unwell, said);
    about(holder, Question::known(object, Err(trouble)).with_next(next))
}

fn about(holder: &Container, question: Question) -> Question {
    Question { container: Some(holder.name.clone()), ..question }
}

fn absent(world: &World<'_>, instance: &Instance<'_>) -> Question {
    let object = name(instance);
    if instance.standing == Standing::Completed {
        let well = Ok(Found::Well("it has done its work".to_owned()));
        return Question::known(object, well);
    }
    let (said, next) = if world.is_down() {
        ("`reconciler delete` took it down", "`reconciler apply` brings it up again")
    } else {
        ("there is no container", status())
    };
    let trouble = Trouble::new(TroubleKind::Unwell, said);
    Question::known(object, Err(trouble)).with_next(next)
}

const fn status() -> &'static str {
    "`reconciler status` says why, `reconciler apply` brings it up"
}

fn ended(holder: &Container) -> String {
    let state = &holder.state;
    let memory = if state.out_of_memory { ", for want of memory" } else { "" };
    let error = match state.error.as_str() {
        "" => String::new(),
        error => format!(" ({error})"),
    };
    format!("ended with code {}{memory}{error}", state.exit_code)
}

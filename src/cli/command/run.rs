//! `run`: the operator.

use std::collections::BTreeMap;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::session::{Connected, Session, chain};
use crate::cli::arguments::Run;
use crate::cli::exit::Exit;
use crate::cli::stacks::{LoadedStack, LoadedStacks};
use crate::engine::EngineError;
use crate::operator::{Operator, Wanted};
use crate::planning::retry::ERROR;
use crate::planning::world::Allowed;
use crate::report::Report;
use crate::source::watch::{Watch, WatchOptions};
use crate::state::desired::Desired;
use crate::state::ids::ProjectName;
use crate::view::problems;

pub(super) async fn run(session: &Session, options: &Run) -> Result<Exit> {
    let mut watch = Watch::new(WatchOptions::default())?;
    let connected = tokio::select! {
        connected = patient_connect(session) => connected,
        () = asked_to_end() => return Ok(Exit::Good),
    };
    let allowed = Allowed { prune: options.prune.allow_prune };
    let mut operators = Operators {
        session,
        connected: &connected,
        allowed,
        stacks: BTreeMap::new(),
        tasks: JoinSet::new(),
    };
    let mut look_again = signal(SignalKind::hangup())?;
    let mut end = std::pin::pin!(asked_to_end());
    let mut is_asked = false;
    loop {
        let loaded = session.load();
        watch.follow(loaded.touched.clone());
        operators.take(loaded, is_asked);
        is_asked = false;
        tokio::select! {
            () = watch.changed() => tracing::info!("the desired state changed on disk"),
            Some(()) = look_again.recv() => {
                tracing::info!("asked to look again");
                is_asked = true;
            }
            () = &mut end => break,
        }
    }
    tracing::info!("ending; containers are left running");
    operators.end().await;
    Ok(Exit::Good)
}

/// Connects, and goes on trying: an operator outlives its engine's restarts.
async fn patient_connect(session: &Session) -> Connected {
    let mut failures = 0;
    loop {
        match session.connect().await {
            Ok(connected) => return connected,
            Err(error) => {
                failures += 1;
                let delay = ERROR.jittered(u32::min(failures, 5), "engine");
                tracing::warn!(error = %reasons(&error), retry_in = ?delay, "no engine yet");
                tokio::time::sleep(delay).await;
            }
        }
    }
}

fn reasons(error: &EngineError) -> String {
    chain(error)
}

/// Waits until a person or the system asks this process to end.
pub(super) async fn asked_to_end() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// The stacks under this process.
struct Operators<'a> {
    session: &'a Session,
    connected: &'a Connected,
    allowed: Allowed,
    stacks: BTreeMap<ProjectName, Stack>,
    tasks: JoinSet<()>,
}

/// One stack: how to tell its operator, and which files it came from.
struct Stack {
    wanted: watch::Sender<Wanted>,
    files: Vec<std::path::PathBuf>,
}

impl Operators<'_> {
    /// Tells every operator what is wanted now. A stack that is invalid, or gone from the
    /// disk, stays as it is.
    fn take(&mut self, loaded: LoadedStacks, is_asked: bool) {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let mut seen = Vec::new();
        for stack in loaded.stacks {
            seen.push(stack.files.clone());
            match stack.desired().cloned() {
                Some(desired) => self.want(desired, &stack, is_asked),
                None => self.refuse(&stack),
            }
        }
        for (project, stack) in &self.stacks {
            if !seen.contains(&stack.files) {
                tracing::warn!(stack = %project, "its file is gone; the stack stays as it is");
            }
        }
    }

    fn want(&mut self, desired: Desired, loaded: &LoadedStack, is_asked: bool) {
        let project = desired.project.clone();
        if let Some(stack) = self.stacks.get(&project) {
            stack.wanted.send_modify(|wanted| {
                wanted.desired = desired;
                wanted.invalid = None;
                wanted.looks += u64::from(is_asked);
            });
            return;
        }
        let warnings = problems::summary(&loaded.loaded.problems);
        tracing::info!(stack = %project, generation = %desired.generation, problems = %warnings,
            "a stack to converge");
        let wanted = Wanted { desired, invalid: None, looks: 0 };
        let (sender, receiver) = watch::channel(wanted);
        let report = Report::new(self.session.output.progress(), format!("{project} "));
        let (operator, pulls) = Operator::new(
            self.connected.engine.clone(),
            self.connected.facts.id.clone(),
            self.session.store.clone(),
            receiver,
            self.allowed,
            report,
        );
        self.tasks.spawn(operator.run(pulls));
        let files = loaded.files.clone();
        self.stacks.insert(project, Stack { wanted: sender, files });
    }

    fn refuse(&self, loaded: &LoadedStack) {
        let text = said(loaded);
        let known = self.stacks.values().find(|stack| stack.files == loaded.files);
        if let Some(stack) = known {
            stack.wanted.send_modify(|wanted| wanted.invalid = Some(text));
        } else {
            let condition = "SpecValid=False";
            let problems = text;
            tracing::error!(condition, %problems, "there is no valid desired state");
        }
    }

    /// Asks every operator to end, and waits until all have.
    async fn end(mut self) {
        self.stacks.clear();
        while self.tasks.join_next().await.is_some() {}
    }
}

/// Returns the errors of a load, each with its place, on one line.
fn said(loaded: &LoadedStack) -> String {
    let json = problems::json(&loaded.loaded.problems, &loaded.loaded.sources);
    let errors = json.problems.iter().filter(|problem| problem.is_error());
    errors.map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

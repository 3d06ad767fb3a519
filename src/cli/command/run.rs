//! `run`: the operator.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::session::{Connected, Session, chain};
use crate::cli::arguments::Run;
use crate::cli::exit::Exit;
use crate::cli::journal::Journal;
use crate::cli::stacks::{LoadedStack, LoadedStacks};
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
    let facts = &connected.facts;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), engine = facts.version, api = ?facts.api,
        "the operator is running");
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
    loop {
        let loaded = session.load();
        watch.follow(loaded.touched.clone());
        operators.take(loaded);
        tokio::select! {
            () = watch.changed() => tracing::info!("the desired state changed on disk"),
            Some(()) = look_again.recv() => tracing::info!("asked to look again"),
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
                tracing::warn!(error = %chain(&error), retry_in = ?delay, "no engine yet");
                tokio::time::sleep(delay).await;
            }
        }
    }
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
    /// No file asks for it any more.
    is_gone: bool,
}

impl Operators<'_> {
    /// Tells every operator what is wanted now. A stack that is invalid, or gone from the
    /// disk, stays as it is.
    fn take(&mut self, loaded: LoadedStacks) {
        for warning in &loaded.warnings {
            tracing::warn!("{warning}");
        }
        let (mut asked_for, mut invalid) = (BTreeSet::new(), BTreeSet::new());
        for stack in loaded.stacks {
            match stack.desired().cloned() {
                Some(desired) => {
                    asked_for.insert(desired.project.clone());
                    self.want(desired, &stack);
                }
                // A file that was deleted asks for nothing, which is not to ask wrongly.
                None if self.is_known(&stack)
                    && stack.files.iter().any(|file| is_missing(file)) => {}
                None => {
                    self.refuse(&stack);
                    invalid.insert(stack.files);
                }
            }
        }
        for (project, stack) in &mut self.stacks {
            let is_gone = !asked_for.contains(project) && !invalid.contains(&stack.files);
            if is_gone && !stack.is_gone {
                tracing::warn!(stack = %project, condition = "SpecValid=Unknown",
                    "no file asks for the stack any more; it stays as it is");
            }
            stack.is_gone = is_gone;
        }
    }

    fn want(&mut self, desired: Desired, loaded: &LoadedStack) {
        let project = desired.project.clone();
        if let Some(stack) = self.stacks.get(&project) {
            stack.wanted.send_modify(|wanted| {
                wanted.desired = desired;
                wanted.invalid = None;
            });
            return;
        }
        let warnings = problems::summary(&loaded.loaded.problems);
        tracing::info!(stack = %project, generation = %desired.generation, problems = %warnings,
            "a stack is taken up");
        let wanted = Wanted { desired, invalid: None };
        let (sender, receiver) = watch::channel(wanted);
        let report = Report::new(Box::new(Journal::new(project.clone())), String::new());
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
        self.stacks.insert(project, Stack { wanted: sender, files, is_gone: false });
    }

    fn is_known(&self, loaded: &LoadedStack) -> bool {
        self.stacks.values().any(|stack| stack.files == loaded.files)
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

fn is_missing(file: &std::path::Path) -> bool {
    matches!(file.try_exists(), Ok(false))
}

/// Returns the errors of a load, each with its place, on one line.
fn said(loaded: &LoadedStack) -> String {
    let json = problems::json(&loaded.loaded.problems, &loaded.loaded.sources);
    let errors = json.problems.iter().filter(|problem| problem.is_error());
    errors.map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

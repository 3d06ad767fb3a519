//! `run`: the operator.

use std::pin::Pin;

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc;

use super::desired_source::{Refusal, Source};
use super::listening::{Listening, Shared};
use super::notifier::{LAST_WORDS, notifier};
use super::operators::Operators;
use super::own_container;
use super::session::{Connected, Session, chain};
use crate::cli::arguments::Run;
use crate::cli::exit::Exit;
use crate::cli::service_manager::{self, Heart};
use crate::cli::stacks::LoadedStacks;
use crate::control::server::Reload;
use crate::planning::retry::ERROR;
use crate::planning::world::Allowed;
use crate::source::watch::{Watch, WatchOptions};

/// How many clients may wait for the files to be read.
const RELOADS: usize = 16;

pub(super) async fn run(session: &Session, options: &Run) -> Result<Exit> {
    let watch = Watch::new(WatchOptions::default())?;
    let _heart = Heart::beating();
    let notifier = match notifier(session, options) {
        Ok(notifier) => notifier,
        Err(error) => {
            session.output.notice(&format!("error: {}\n", chain(&error)))?;
            return Ok(Exit::Invalid);
        }
    };
    let shared = Shared::default();
    // Before anything that may take its time: who asks is told that it does.
    let listen = &options.listen;
    let _listening = match Listening::begin(session, listen, &shared, &notifier).await {
        Ok(listening) => listening,
        Err(error) => return Refusal::from(error).told(session),
    };
    let mut source = match Source::begin(session, options, &shared).await {
        Ok(source) => source,
        Err(refusal) => return refusal.told(session),
    };
    service_manager::says("waiting for the engine");
    let connected = tokio::select! {
        connected = patient_connect(session) => connected,
        () = asked_to_end() => return Ok(Exit::Good),
    };
    if let Some(exit) = own_container::check(session, &connected).await? {
        return Ok(exit);
    }
    let facts = &connected.facts;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), engine = facts.version, api = ?facts.api,
        dry_run = options.dry_run, "the operator is running");
    let (prune, only_looks) = (options.prune.allow_prune, options.dry_run);
    let allowed = Allowed { prune, only_looks, ..Allowed::default() };
    let (reloads, asked_to_reload) = mpsc::channel(RELOADS);
    let (told, board) = (notifier.clone(), shared.board);
    let mut operators =
        Operators::new(session, &connected, allowed, reloads, told, board);
    let loaded = source.load(session).unwrap_or_default();
    let mut reasons = Reasons {
        watch,
        look_again: signal(SignalKind::hangup())?,
        asked_to_reload,
        clients: Vec::new(),
        end: Box::pin(asked_to_end()),
        is_asked_to_end: false,
    };
    tokio::select! {
        locked = operators.lock(&loaded) => if let Err(refusal) = locked {
            return session.refused(&refusal);
        },
        () = &mut reasons.end => return Ok(Exit::Good),
    }
    keep(session, &mut source, &mut operators, &mut reasons, loaded).await;
    service_manager::is_ending();
    tracing::info!("ending; containers are left running");
    operators.end().await;
    notifier.finish(LAST_WORDS).await;
    Ok(Exit::Good)
}

/// Keeps the stacks as they are wanted, until the operator is asked to end.
async fn keep(
    session: &Session,
    source: &mut Source,
    operators: &mut Operators<'_>,
    reasons: &mut Reasons,
    loaded: LoadedStacks,
) {
    let mut loaded = Some(loaded);
    loop {
        if let Some(loaded) = loaded {
            reasons.watch.follow(loaded.touched.clone());
            operators.take(loaded);
            operators.reloaded(&mut reasons.clients);
        }
        operators.take_gone(source.gone(), source.allows_prune());
        operators.doubt(source.doubt());
        operators.put_up();
        service_manager::is_ready(&operators.summary());
        while !reasons.arise(session, source, operators).await {}
        if reasons.is_asked_to_end {
            return;
        }
        loaded = source.load(session);
    }
}

/// What may be a reason to load again.
struct Reasons {
    watch: Watch,
    look_again: Signal,
    asked_to_reload: mpsc::Receiver<Reload>,
    /// Those who are to be told when everything has been loaded again.
    clients: Vec<Reload>,
    end: Pin<Box<dyn Future<Output = ()>>>,
    is_asked_to_end: bool,
}

impl Reasons {
    /// Waits until something happens; tells whether that is a reason to load again, or to end.
    async fn arise(
        &mut self,
        session: &Session,
        source: &mut Source,
        operators: &mut Operators<'_>,
    ) -> bool {
        tokio::select! {
            () = self.watch.changed() => {
                tracing::info!("the desired state changed on disk");
                return !source.restores();
            }
            Some(()) = self.look_again.recv() => {
                tracing::info!("asked to look again");
                source.ask();
            }
            Some(client) = self.asked_to_reload.recv() => self.clients.push(client),
            news = source.news() => return source.take(session, news).await,
            gone = operators.news() => if let Some(project) = gone {
                source.forget(&project);
                return false;
            },
            () = &mut self.end => self.is_asked_to_end = true,
        }
        true
    }
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

//! `run`: the operator.

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::operators::Operators;
use super::session::{Connected, Session, chain};
use crate::cli::arguments::Run;
use crate::cli::exit::Exit;
use crate::cli::service_manager::{self, Heart};
use crate::planning::retry::ERROR;
use crate::planning::world::Allowed;
use crate::source::watch::{Watch, WatchOptions};

/// How many clients may wait for the files to be read.
const RELOADS: usize = 16;

pub(super) async fn run(session: &Session, options: &Run) -> Result<Exit> {
    let mut watch = Watch::new(WatchOptions::default())?;
    let _heart = Heart::beating();
    service_manager::says("waiting for the engine");
    let connected = tokio::select! {
        connected = patient_connect(session) => connected,
        () = asked_to_end() => return Ok(Exit::Good),
    };
    let facts = &connected.facts;
    tracing::info!(version = env!("CARGO_PKG_VERSION"), engine = facts.version, api = ?facts.api,
        dry_run = options.dry_run, "the operator is running");
    let (prune, only_looks) = (options.prune.allow_prune, options.dry_run);
    let allowed = Allowed { prune, only_looks, ..Allowed::default() };
    let (reloads, mut asked_to_reload) = mpsc::channel(RELOADS);
    let mut operators = Operators::new(session, &connected, allowed, reloads);
    let mut end = std::pin::pin!(asked_to_end());
    let mut look_again = signal(SignalKind::hangup())?;
    let mut loaded = session.load_wanted();
    tokio::select! {
        locked = operators.lock(&loaded) => if let Err(refusal) = locked {
            return session.refused(&refusal);
        },
        () = &mut end => return Ok(Exit::Good),
    }
    let mut clients = Vec::new();
    loop {
        watch.follow(loaded.touched.clone());
        operators.take(loaded);
        operators.reloaded(&mut clients);
        service_manager::is_ready(&operators.summary());
        tokio::select! {
            () = watch.changed() => tracing::info!("the desired state changed on disk"),
            Some(()) = look_again.recv() => tracing::info!("asked to look again"),
            Some(client) = asked_to_reload.recv() => clients.push(client),
            () = operators.refused_long_enough() => {}
            () = &mut end => break,
        }
        loaded = session.load_wanted();
    }
    service_manager::is_ending();
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

//! The commands, one per file.

mod answers;
mod apply;
mod backup;
mod backup_create;
mod change;
mod check;
mod config;
mod delete;
mod desired_source;
mod diff;
mod events;
mod explain;
mod following;
mod history;
mod listening;
mod logs;
mod notifier;
mod operators;
mod own_container;
mod pause;
mod preflight;
mod restart;
mod restore;
mod retry;
mod rollback;
mod run;
mod session;
mod status;
mod sync;
mod tell;
mod validate;
mod wait;

use super::arguments::{self, Arguments, Command};
use super::exit::Exit;
use super::output::Output;
use session::Session;

/// Does what a person asked for.
///
/// # Errors
/// What keeps the command from its work and is no answer of its own: an output that cannot
/// be written, a system that refuses what every process needs.
pub async fn run(arguments: Arguments, output: Output) -> anyhow::Result<Exit> {
    let session = match Session::new(arguments.options, output.clone()) {
        Ok(session) => session,
        Err(error) => {
            output.notice(&format!("error: {error}\n"))?;
            return Ok(Exit::Invalid);
        }
    };
    match arguments.command {
        Command::Validate => validate::run(&session),
        Command::Preflight => preflight::run(&session).await,
        Command::Config => config::run(&session),
        Command::Diff => diff::run(&session).await,
        Command::Apply(apply) => apply::run(&session, &apply).await,
        Command::Run(run) if run.dry_run => run::run(&session.only_looking(), &run).await,
        Command::Run(run) => run::run(&session, &run).await,
        Command::Sync(sync) => sync::run(&session, &sync).await,
        Command::Status(status) => status::run(&session, status).await,
        Command::Check(options) => check::run(&session, &options).await,
        Command::Events(events) => events::run(&session, &events).await,
        Command::Logs(logs) => logs::run(&session, &logs).await,
        Command::Explain(explain) => explain::run(&session, &explain).await,
        Command::Retry(retry) => retry::run(&session, &retry).await,
        Command::History => history::run(&session),
        Command::Rollback(rollback) => rollback::run(&session, &rollback).await,
        Command::Pause(pause) => pause::run(&session, &pause).await,
        Command::Resume(resume) => pause::resume(&session, &resume).await,
        Command::Restart(restart) => restart::run(&session, &restart).await,
        Command::Wait(wait) => wait::run(&session, wait).await,
        Command::Backup(backup) => backup::run(&session, &backup).await,
        Command::Restore(restore) => restore::run(&session, &restore).await,
        Command::Delete(delete) => delete::run(&session, delete).await,
        Command::Completions(completions) => {
            session.output.raw_result(&arguments::completions(completions.shell))?;
            Ok(Exit::Good)
        }
    }
}

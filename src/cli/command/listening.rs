//! `run --listen`: metrics, the API and the webhook.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::answers::Answering;
use super::following::CannotFollow;
use super::session::{Session, chain};
use crate::board::Board;
use crate::cli::arguments::Listen;
use crate::notify::Notifier;
use crate::serve::api::{Answers, Door, LEAST_TOKEN};
use crate::serve::listener::Address;
use crate::serve::server::{Routes, Server};
use crate::serve::webhook::{LEAST_SECRET, Webhook};
use crate::source::secret_file::SecretFile;

/// What others share with this process.
#[derive(Clone, Debug, Default)]
pub(super) struct Shared {
    /// Where operators put up how their stacks are.
    pub(super) board: Board,
    /// Rings when something was pushed.
    pub(super) pushes: Arc<Notify>,
}

/// A server at work; its end ends it.
pub(super) struct Listening(Option<JoinHandle<()>>);

impl Drop for Listening {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

impl Listening {
    /// Listens from now on, if that is asked for.
    pub(super) async fn begin(
        session: &Session,
        options: &Listen,
        shared: &Shared,
        notifier: &Notifier,
    ) -> Result<Self, CannotFollow> {
        let Some(address) = &options.listen else {
            let files = [&options.webhook_secret_file, &options.listen_token_file];
            return if files.iter().all(|it| it.is_none()) {
                Ok(Self(None))
            } else {
                Err(wrong("a webhook or a token needs --listen ADDRESS".to_owned()))
            };
        };
        let webhook = webhook(session, options, shared)?;
        let door = door(address, options)?;
        let answering =
            Answering::new(session.store.clone(), shared.board.clone(), notifier.clone());
        let answers = Some(Answers::new(Arc::new(answering), door));
        let server = Server::bind(address, Routes { webhook, answers }).await;
        let server = server
            .map_err(|error| wrong(format!("cannot listen at {address}: {error}")))?;
        tracing::info!(%address, "listening: /metrics, /api/v1/, /livez, /readyz");
        if options.webhook_secret_file.is_some() {
            tracing::info!(%address, "listening for pushes: POST /webhook/git");
        }
        Ok(Self(Some(tokio::spawn(server.serve()))))
    }
}

fn wrong(why: String) -> CannotFollow {
    CannotFollow::Options(why)
}

fn webhook(
    session: &Session,
    options: &Listen,
    shared: &Shared,
) -> Result<Option<Webhook>, CannotFollow> {
    let Some(file) = &options.webhook_secret_file else { return Ok(None) };
    if session.git.is_none() {
        let why =
            "--webhook-secret-file is for pushes, and without --git nothing is pulled";
        return Err(wrong(why.to_owned()));
    }
    let secret = SecretFile::new(file, LEAST_SECRET);
    // A secret that cannot be used is better said now than at the first push.
    secret.read().map_err(|error| wrong(chain(&error)))?;
    Ok(Some(Webhook::new(secret, shared.pushes.clone())))
}

fn door(address: &Address, options: &Listen) -> Result<Door, CannotFollow> {
    if let Some(file) = &options.listen_token_file {
        let token = SecretFile::new(file, LEAST_TOKEN);
        token.read().map_err(|error| wrong(chain(&error)))?;
        return Ok(Door::Token(token));
    }
    match address {
        Address::Socket(_) => return Ok(Door::Socket),
        Address::Network(_) if address.is_near() => return Ok(Door::Near),
        Address::Network(_) => {}
    }
    if options.webhook_secret_file.is_some() {
        tracing::info!(%address, "without --listen-token-file only the webhook is served there");
        return Ok(Door::Shut);
    }
    Err(wrong(format!(
        "other hosts can reach {address}: --listen-token-file FILE names the token that \
         they need (`(umask 077; openssl rand -hex 32 >FILE)` makes one), or listen at \
         127.0.0.1 or unix:/path/to.sock"
    )))
}

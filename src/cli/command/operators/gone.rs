//! Stacks that no commit asks for any more: they are kept up until somebody allows that they
//! are taken down. Data stays in either case.

use std::collections::BTreeMap;

use tokio::sync::mpsc;

use super::{Operators, Stack};
use crate::control::server::Call;
use crate::control::{Reply, Request};
use crate::converge::{End, Goal, end};
use crate::pass::Wanted;
use crate::state::desired::Prune;
use crate::state::ids::ProjectName;
use crate::store::commits::GoneStack;

impl Operators<'_> {
    /// Keeps up what is gone, or takes it down where that is allowed.
    pub(in super::super) fn take_gone(
        &mut self,
        gone: &BTreeMap<ProjectName, GoneStack>,
        is_allowed: bool,
    ) {
        for (project, stack) in gone {
            if !self.stacks.contains_key(project) {
                self.take_up_gone(project, stack);
            }
            let Some(known) = self.stacks.get_mut(project) else { continue };
            let doubt = stack.doubt();
            known.wanted.send_if_modified(|wanted| {
                let is_new = wanted.doubt.as_ref() != Some(&doubt);
                if is_new {
                    let (reason, message) = (doubt.reason.as_str(), &doubt.message);
                    tracing::warn!(stack = %project, condition = "SpecValid=Unknown", reason, "{message}");
                }
                wanted.doubt = Some(doubt);
                is_new
            });
            let prune = known.wanted.borrow().desired.settings.prune;
            if is_allowed || self.allowed.prune || prune == Prune::Always {
                self.take_down(project);
            }
        }
    }

    /// Takes up a stack that an earlier process has kept up, as it was last good.
    fn take_up_gone(&mut self, project: &ProjectName, stack: &GoneStack) {
        let kept = self.session.last_good_of(&stack.files);
        let Some(desired) = kept.filter(|desired| desired.project == *project) else {
            tracing::debug!(stack = %project, "nothing is known any more of what it was");
            return;
        };
        self.want(Wanted::new(desired), &stack.files, "");
    }

    fn take_down(&mut self, project: &ProjectName) {
        let Some(stack) = self.stacks.get_mut(project) else { return };
        if std::mem::replace(&mut stack.is_going_down, true) {
            return;
        }
        tracing::warn!(stack = %project,
            "no commit asks for the stack any more: it is taken down, and its data stays");
        let source = stack.wanted.borrow().desired.source.clone();
        let (call, replies) = Call::of_this_process(Request::Delete { source });
        if stack.calls.try_send(call).is_err() {
            // Its operator is busy: the next look at what is gone asks again.
            stack.is_going_down = false;
            return;
        }
        self.downs.spawn(until_gone(project.clone(), replies));
    }

    /// Waits until a stack has been taken down, or an operator that was let go has ended.
    /// Returns the stack that is gone now.
    pub(super) async fn taken_down(&mut self) -> ProjectName {
        loop {
            tokio::select! {
                Some(Ok(Some(project))) = self.downs.join_next() => {
                    self.let_go(&project);
                }
                Some(Ok(project)) = self.tasks.join_next() => {
                    if self.leaving.remove(&project).is_some() {
                        let engine = &self.connected.facts.id;
                        self.session.store.forget(engine, &project);
                        return project;
                    }
                }
                else => std::future::pending().await,
            }
        }
    }

    /// Has the operator of a stack that is down end, unless the stack is wanted again.
    fn let_go(&mut self, project: &ProjectName) {
        if !self.stacks.get(project).is_some_and(|stack| stack.is_going_down) {
            return;
        }
        let Some(stack) = self.stacks.remove(project) else { return };
        let Stack { lock, files, server, .. } = stack;
        if let Some(server) = server {
            server.abort();
        }
        self.session.store.forget_sources(&files);
        self.session.store.unpin(&files);
        self.leaving.insert(project.clone(), lock);
        tracing::info!(stack = %project, "the stack is gone");
    }
}

/// Follows an operator until its stack is down; nothing when that does not come to pass.
async fn until_gone(
    project: ProjectName,
    mut replies: mpsc::Receiver<Reply>,
) -> Option<ProjectName> {
    while let Some(reply) = replies.recv().await {
        if let Reply::Convergence(convergence) = reply
            && end(&convergence, Goal::Gone, false, false) == Some(End::Done)
        {
            return Some(project);
        }
    }
    None
}

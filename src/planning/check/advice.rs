//! What to do about what was found.

use super::question::Question;
use crate::state::ask::{Trouble, TroubleKind};
use crate::state::check::CheckKind;

/// Returns what to do about an answer that is not good.
pub(super) fn of(
    kind: &CheckKind,
    question: &Question,
    trouble: &Trouble,
) -> Option<String> {
    match trouble.kind {
        TroubleKind::Unknown => None,
        TroubleKind::Denied => Some(denied(kind)),
        TroubleKind::Unreachable => Some(match &question.container {
            Some(container) => format!(
                "does it listen on this port, and not on 127.0.0.1 alone? `docker logs \
                 --tail 50 {container}`"
            ),
            None => "does anything listen there? `ss -ltn` on that host; is the port \
                     published?"
                .to_owned(),
        }),
        TroubleKind::Silent => Some(match &question.container {
            Some(container) => format!(
                "it hangs, or is busy: `docker logs --tail 50 {container}`, `docker stats \
                 {container}`; a new start: `reconciler restart {}`",
                service(question)
            ),
            None => "it hangs, or a firewall is in between".to_owned(),
        }),
        TroubleKind::Unwell => Some(unwell(kind, question)),
    }
}

fn denied(kind: &CheckKind) -> String {
    match kind {
        CheckKind::S3(_) => "the server does not take these credentials: compare \
                             `access_key`, `secret_key`, `bucket` and `region` of the \
                             check with what the server was given"
            .to_owned(),
        CheckKind::Http { .. } => {
            "the page asks who we are: check one that does not, or \
                                   name the `status` that is good"
                .to_owned()
        }
        CheckKind::Grpc { .. }
        | CheckKind::EtcdAlarms { .. }
        | CheckKind::Containers { .. }
        | CheckKind::Tcp { .. }
        | CheckKind::Disk { .. }
        | CheckKind::Memory { .. }
        | CheckKind::ImageAge { .. }
        | CheckKind::Exec { .. } => "the server does not take these credentials: is the \
                                     password of the check today's? Give it `user` and \
                                     `password`"
            .to_owned(),
    }
}

fn unwell(kind: &CheckKind, question: &Question) -> String {
    let container = question.container.as_ref();
    let logs = container.map(|it| format!("`docker logs --tail 50 {it}` says why"));
    let logs = logs.unwrap_or_else(|| "see the log of what answers there".to_owned());
    match kind {
        CheckKind::EtcdAlarms { .. } => "NOSPACE: compact, defragment, then disarm; \
                                         CORRUPT: restore a backup; docs/checks.md has \
                                         the commands"
            .to_owned(),
        CheckKind::S3(_) => format!("{logs}; does the bucket exist?"),
        CheckKind::Disk { .. } => "is the path right, and its disk mounted?".to_owned(),
        CheckKind::Exec { .. } => format!("run it by hand in the container; {logs}"),
        CheckKind::Tcp { .. } => match container {
            Some(_) => logs,
            None => {
                "what publishes the port does not answer behind it: `docker ps` shows \
                     which container that is, `docker logs` why"
                    .to_owned()
            }
        },
        CheckKind::Http { .. }
        | CheckKind::Grpc { .. }
        | CheckKind::Containers { .. }
        | CheckKind::Memory { .. }
        | CheckKind::ImageAge { .. } => logs,
    }
}

/// Returns the service of a question about a replica.
pub(super) fn service(question: &Question) -> &str {
    question.object.split('/').nth(1).unwrap_or(&question.object)
}

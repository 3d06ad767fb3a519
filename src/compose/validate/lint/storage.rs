//! What Milvus stands on: etcd and the object store.

use super::super::super::node::Node;
use super::super::super::problem::Span;
use super::super::super::units::parse_bytes;
use super::super::{Candidate, text};
use super::{ETCD_ADDRESS, ETCD_QUOTA, Finding, MINIO_DEFAULT, Service};

/// How etcd writes the name of an option in its environment.
const ADDRESS: (&str, &str) = ("advertise-client-urls", "etcdadvertiseclienturls");

/// As [`ADDRESS`].
const QUOTA: (&str, &str) = ("quota-backend-bytes", "etcdquotabackendbytes");

/// The user and the password of an object store that was told none.
const MINIO: &str = "minioadmin";

pub(super) fn check<'a>(
    stack: &Candidate,
    service: &Service<'a>,
    findings: &mut Vec<Finding<'a>>,
) {
    if service.runs("etcd") {
        if stack.services().count() > 1 {
            address(service, findings);
        }
        quota(service, findings);
    }
    if service.runs("minio") {
        credentials(service, findings);
    }
}

/// Returns what an option of etcd says, and where: on the command line, or in a variable.
fn option(
    service: &Service<'_>,
    (flag, variable): (&str, &str),
) -> Option<(Span, String)> {
    let words = service.words();
    let command = service.node.get("command").map(|node| node.span);
    let mut found = words.iter().enumerate().filter_map(|(at, word)| {
        // Go takes one dash for two.
        let rest = word.trim_start_matches('-').strip_prefix(flag)?;
        if !word.starts_with('-') {
            return None;
        }
        match rest.strip_prefix('=') {
            Some(value) => Some(value.to_owned()),
            None if rest.is_empty() => words.get(at + 1).map(|it| (*it).to_owned()),
            None => None,
        }
    });
    if let (Some(value), Some(span)) = (found.next(), command) {
        return Some((span, value));
    }
    let (span, _) = service.variable(variable)?;
    Some((span, service.value(variable)?))
}

fn address<'a>(service: &Service<'a>, findings: &mut Vec<Finding<'a>>) {
    let Some((span, urls)) = option(service, ADDRESS) else { return };
    let is_local = |url: &str| url.contains("//127.") || url.contains("//localhost");
    if urls.split(',').any(is_local) {
        findings.push(service.finding(
            ETCD_ADDRESS,
            (span, "command"),
            "etcd tells its clients to dial 127.0.0.1: in another container that is \
             themselves",
            format!("write --advertise-client-urls=http://{}:2379", service.name),
        ));
    }
}

fn quota<'a>(service: &Service<'a>, findings: &mut Vec<Finding<'a>>) {
    let limit = service.node.at("deploy.resources.limits.memory");
    let limit = limit.or_else(|| service.node.get("mem_limit"));
    let limit = limit.and_then(bytes).filter(|limit| *limit > 0);
    let said = option(service, QUOTA);
    let quota = said.as_ref().and_then(|(_, value)| value.parse::<i64>().ok());
    let (Some(limit), Some((span, _)), Some(quota)) = (limit, said, quota) else {
        return;
    };
    if quota >= limit {
        findings.push(service.finding(
            ETCD_QUOTA,
            (span, "environment"),
            format!(
                "etcd's database may grow to {} MiB, and the container has {} MiB of memory: \
                 it is mapped into memory, so etcd slows down or is killed long before",
                quota >> 20,
                limit >> 20
            ),
            "give it more memory than its quota, or a smaller quota",
        ));
    }
}

fn bytes(node: &Node) -> Option<i64> {
    let number = super::super::integer(node);
    number.or_else(|| node.as_text().and_then(|text| parse_bytes(text).ok()))
}

fn credentials<'a>(service: &Service<'a>, findings: &mut Vec<Finding<'a>>) {
    let names = ["miniorootpassword", "miniosecretkey"];
    let files = ["miniorootpasswordfile", "miniosecretkeyfile"];
    if files.iter().any(|name| service.variable(name).is_some()) {
        return;
    }
    let said = names.iter().find_map(|name| service.variable(name));
    let (span, message) = match said {
        Some((span, node)) if node.as_text() == Some(MINIO) => {
            (span, "the object store has the password that everybody knows")
        }
        None if text(service.node, "image").is_some() => (
            service.key,
            "the object store is told no password, and takes the one that everybody knows",
        ),
        Some(_) | None => return,
    };
    findings.push(service.finding(
        MINIO_DEFAULT,
        (span, "environment"),
        message,
        "choose MINIO_ROOT_USER and MINIO_ROOT_PASSWORD, without a default: \
         `${MINIO_ROOT_PASSWORD:?choose one}`",
    ));
}

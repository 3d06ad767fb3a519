//! What works, and will be regretted: lints, above all for a stack of Milvus.
//!
//! Each has a name, which stands at the end of its message, and by which
//! `x-reconciler: {lint: {ignore: [NAME]}}` silences it, for the stack or for one service.

mod milvus;
mod names;
mod storage;
#[cfg(test)]
mod tests;

use std::net::IpAddr;

use super::super::extension::KEY;
use super::super::node::{Kind, Node};
use super::super::problem::{Problems, Span};
use super::{Candidate, integer, items, text};

/// A name of a Milvus setting that Milvus does not know.
const UNKNOWN_NAME: &str = "milvus-unknown-name";
/// It is not said where the write-ahead log lives.
const MQ_TYPE: &str = "milvus-mq-type";
/// Two Milvus write to one place.
const SHARED_ROOT: &str = "milvus-shared-root";
/// The management port is open to others.
const MANAGEMENT_PORT: &str = "milvus-management-port";
/// Anybody may do anything.
const NO_AUTH: &str = "milvus-no-auth";
/// Clients are told an address that is their own.
const ETCD_ADDRESS: &str = "etcd-address";
/// The database may grow beyond the memory.
const ETCD_QUOTA: &str = "etcd-quota";
/// The password that everybody knows.
const MINIO_DEFAULT: &str = "minio-default-credentials";
/// The image is another one tomorrow.
const UNPINNED: &str = "unpinned-image";

/// What others release, beside Milvus and among it: of their images somebody else decides what
/// `latest` is.
const RELEASED: [&str; 6] = ["etcd", "grafana", "milvus", "minio", "nginx", "prometheus"];

/// Every name.
pub const NAMES: [&str; 9] = [
    UNKNOWN_NAME,
    MQ_TYPE,
    SHARED_ROOT,
    MANAGEMENT_PORT,
    NO_AUTH,
    ETCD_ADDRESS,
    ETCD_QUOTA,
    MINIO_DEFAULT,
    UNPINNED,
];

/// What a lint has to say.
struct Finding<'a> {
    lint: &'static str,
    service: &'a str,
    span: Span,
    path: String,
    message: String,
    help: String,
    see: Option<(Span, &'static str)>,
}

pub(super) fn check(stack: &Candidate, problems: &mut Problems) {
    let mut findings = Vec::new();
    for (name, entry) in stack.services() {
        let service = Service { name, key: entry.key, node: &entry.node };
        names::check(&service, &mut findings);
        milvus::check(&service, &mut findings);
        storage::check(stack, &service, &mut findings);
        unpinned(&service, &mut findings);
    }
    milvus::shared(stack, &mut findings);
    for Finding { lint, service, span, path, message, help, see } in findings {
        let is_ignored = ignores(&stack.root, lint)
            || stack.service(service).is_some_and(|node| ignores(node, lint));
        if is_ignored {
            continue;
        }
        let path = format!("services.{service}.{path}");
        let problem = problems.warning(span, path, format!("{message} [{lint}]"));
        problem.help(help);
        if let Some((span, how)) = see {
            problem.see(span, how);
        }
    }
}

/// Tells whether a stack or a service does not want to hear of a lint.
fn ignores(node: &Node, lint: &str) -> bool {
    let said =
        node.get(KEY).and_then(|it| it.get("lint")).and_then(|it| it.get("ignore"));
    let mut names = said.into_iter().flat_map(Node::items);
    names.any(|name| name.as_text() == Some(lint))
}

/// One service, as lints read it.
struct Service<'a> {
    name: &'a str,
    key: Span,
    node: &'a Node,
}

impl<'a> Service<'a> {
    /// Tells whether it runs a program, by the repository of its image.
    fn runs(&self, program: &str) -> bool {
        text(self.node, "image").is_some_and(|image| repository(image) == program)
    }

    /// Returns an environment entry whose name is this one; Milvus compares names so.
    fn variable(&self, normal: &str) -> Option<(Span, &'a Node)> {
        let entries = self.node.get("environment").into_iter().flat_map(Node::entries);
        let mut entries =
            entries.filter(|(name, _)| names::normal(name) == normal).map(|(_, it)| it);
        entries.next().map(|entry| (entry.key, &entry.node))
    }

    /// Returns the text of an environment entry.
    fn value(&self, normal: &str) -> Option<String> {
        self.variable(normal).and_then(|(_, node)| plain(node))
    }

    /// Iterates over its published ports of this number inside that others than this host
    /// can reach.
    fn open_ports(&self, target: i64) -> impl Iterator<Item = &'a Node> {
        items(self.node, "ports").iter().filter(move |port| {
            let is_it = port.get("target").and_then(integer) == Some(target);
            let address = text(port, "host_ip").unwrap_or_default();
            let address = address.trim_matches(['[', ']']).parse::<IpAddr>();
            is_it && !address.is_ok_and(|it| it.is_loopback())
        })
    }

    /// Returns the words of its command.
    fn words(&self) -> Vec<&'a str> {
        let command = self.node.get("command");
        let one = command.and_then(Node::as_text).into_iter();
        let one = one.flat_map(str::split_whitespace);
        one.chain(items(self.node, "command").iter().filter_map(Node::as_text)).collect()
    }

    fn finding(
        &self,
        lint: &'static str,
        (span, path): (Span, impl Into<String>),
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Finding<'a> {
        Finding {
            lint,
            service: self.name,
            span,
            path: path.into(),
            message: message.into(),
            help: help.into(),
            see: None,
        }
    }
}

/// Returns what a plain value says, as Milvus reads it from its environment.
fn plain(node: &Node) -> Option<String> {
    match &node.kind {
        Kind::Bool(value) => Some(value.to_string()),
        Kind::Int(number) => Some(number.to_string()),
        Kind::Text(text) => Some(text.text.clone()),
        Kind::Null | Kind::Real(_) | Kind::Sequence(_) | Kind::Mapping(_) => None,
    }
}

/// Returns the last name of an image's repository.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    let last = image.rsplit('/').next().unwrap_or(image);
    last.split(':').next().unwrap_or(last)
}

fn unpinned<'a>(service: &Service<'a>, findings: &mut Vec<Finding<'a>>) {
    let Some(node) = service.node.get("image") else { return };
    let is_latest = node.as_text().is_some_and(|image| image.ends_with(":latest"));
    if is_latest && RELEASED.iter().any(|it| service.runs(it)) {
        findings.push(service.finding(
            UNPINNED,
            (node.span, "image"),
            "`latest` is another image tomorrow: a host that is set up again, or a pull, \
             upgrades without anybody saying so, and there is nothing to go back to",
            "name a version, and if need be its digest",
        ));
    }
}

//! Milvus itself: its log, its ports, and its place in etcd and the object store.

use super::super::super::problem::Span;
use super::super::{Candidate, items, replicas, text};
use super::{Finding, MANAGEMENT_PORT, MQ_TYPE, NO_AUTH, SHARED_ROOT, Service};

/// The port of clients.
const CLIENTS: i64 = 19530;

/// The port of health, metrics and management.
const MANAGEMENT: i64 = 9091;

pub(super) fn check<'a>(service: &Service<'a>, findings: &mut Vec<Finding<'a>>) {
    if !service.runs("milvus") {
        return;
    }
    let is_configured = has_own_file(service);
    if !is_configured && is_standalone(service) && service.variable("mqtype").is_none() {
        findings.push(service.finding(
            MQ_TYPE,
            (service.key, "environment"),
            "nothing says where Milvus keeps its write-ahead log: a standalone then picks \
             RocksMQ on its local disk",
            "set MQ_TYPE (woodpecker, rocksmq, pulsar, kafka) before there is data, and \
             guard it: `x-reconciler: {immutable: [environment.MQ_TYPE]}`",
        ));
    }
    for port in service.open_ports(MANAGEMENT) {
        findings.push(service.finding(
            MANAGEMENT_PORT,
            (port.span, "ports"),
            "the management port 9091 is published beyond this host: it asks for no \
             password, and can stop Milvus and show its settings",
            "publish it on 127.0.0.1, or not at all: Prometheus reaches it over the network",
        ));
    }
    let has_auth = service.value("commonsecurityauthorizationenabled");
    if is_configured || has_auth.as_deref() == Some("true") {
        return;
    }
    for port in service.open_ports(CLIENTS) {
        findings.push(service.finding(
            NO_AUTH,
            (port.span, "ports"),
            "Milvus is published beyond this host, and asks nobody for a password",
            "set COMMON_SECURITY_AUTHORIZATIONENABLED: \"true\" and the first password of \
             root, COMMON_SECURITY_DEFAULTROOTPASSWORD; or publish it on 127.0.0.1",
        ));
    }
}

/// Tells whether it reads a file of its own, in which everything may stand.
fn has_own_file(service: &Service<'_>) -> bool {
    let mut targets =
        ["volumes", "configs"].into_iter().flat_map(|key| items(service.node, key));
    targets.any(|it| {
        text(it, "target").is_some_and(|target| target.starts_with("/milvus/configs"))
    })
}

fn is_standalone(service: &Service<'_>) -> bool {
    let words = service.words();
    words.is_empty() || words.contains(&"standalone")
}

/// Where one Milvus keeps what.
struct Place {
    what: &'static str,
    parts: Vec<String>,
}

/// Warns of two standalones that write to one place: the second one panics, or spoils it.
pub(super) fn shared<'a>(stack: &'a Candidate, findings: &mut Vec<Finding<'a>>) {
    let mut seen: Vec<(Span, [Place; 2])> = Vec::new();
    for (name, entry) in stack.services() {
        let service = Service { name, key: entry.key, node: &entry.node };
        if !service.runs("milvus") || !is_standalone(&service) || has_own_file(&service) {
            continue;
        }
        let places = places(&service);
        let several = replicas(service.node).unwrap_or(1) > 1;
        let other = seen.iter().find_map(|(span, others)| {
            let mut pairs = places.iter().zip(others);
            pairs.find(|(a, b)| a.parts == b.parts).map(|(a, _)| (*span, a.what))
        });
        let (span, what) = match other {
            Some((span, what)) => (Some(span), what),
            None if several => (None, "root path in etcd"),
            None => {
                seen.push((service.key, places));
                continue;
            }
        };
        let mut finding = service.finding(
            SHARED_ROOT,
            (service.key, "environment"),
            format!(
                "two standalone Milvus have the same {what}: the second one does not start, \
                 or spoils what the first one wrote"
            ),
            "give each its own ETCD_ROOTPATH and MINIO_ROOTPATH (or MINIO_BUCKETNAME), and \
             MSGCHANNEL_CHANNAMEPREFIX_CLUSTER; they are two databases then",
        );
        finding.see = span.map(|span| (span, "the other one"));
        findings.push(finding);
    }
}

/// Returns where one keeps its metadata and its files, with what Milvus takes when it is
/// told nothing.
fn places(service: &Service<'_>) -> [Place; 2] {
    let value = |normal: &str, otherwise: &str| {
        service.value(normal).unwrap_or_else(|| otherwise.to_owned())
    };
    [
        Place {
            what: "root path in etcd",
            parts: vec![
                value("etcdendpoints", "localhost:2379"),
                value("etcdrootpath", "by-dev"),
            ],
        },
        Place {
            what: "root path in the object store",
            parts: vec![
                value("minioaddress", "localhost"),
                value("miniobucketname", "a-bucket"),
                value("miniorootpath", "files"),
            ],
        },
    ]
}

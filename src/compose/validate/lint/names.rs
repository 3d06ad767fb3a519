//! Environment names that Milvus does not know, though guides name them.
//!
//! Milvus compares every environment name with its configuration keys, both in small
//! letters and without `_`, `.` and `/`. A name that fits none is ignored in silence. The
//! list of keys is not that of every version, so a name that is like none of them is not
//! warned of.

use super::super::super::node::Node;
use super::super::super::problem::distance;
use super::{Finding, Service, UNKNOWN_NAME};

/// Names that fit no key, in Milvus's own normal form, and what to use instead.
const UNKNOWN: &[(&str, &str)] = &[
    (
        "querynodememorylimit",
        "`QUERYNODE_CACHE_MEMORYLIMIT` limits the query cache; the whole container is \
         limited by `deploy.resources.limits.memory`",
    ),
    (
        "datanodememorylimit",
        "`QUOTAANDLIMITS_LIMITWRITING_MEMPROTECTION_DATANODEMEMORYHIGHWATERLEVEL` slows \
         writes when memory is scarce; the whole container is limited by \
         `deploy.resources.limits.memory`",
    ),
    (
        "indexnodememorylimit",
        "Milvus 2.6 has no index node; the whole container is limited by \
         `deploy.resources.limits.memory`",
    ),
    ("cachesize", "`QUERYNODE_CACHE_MEMORYLIMIT` limits the query cache"),
    (
        "querynodenumparalleltasks",
        "`QUERYNODE_SCHEDULER_MAXREADCONCURRENTRATIO` sets how many reads run at once",
    ),
    (
        "datanodenumparalleltasks",
        "`DATANODE_DATASYNC_FLOWGRAPH_MAXPARALLELISM` sets how many flow graphs run at once",
    ),
    ("indexnodenumparalleltasks", "Milvus 2.6 has no index node"),
];

/// Words at the front of names of a node that Milvus 2.6 does not have.
const GONE: &[(&str, &str)] = &[("indexnode", "Milvus 2.6 has no index node")];

/// The keys that are known, as the documentation lists them.
const KEYS: &str = include_str!("milvus-keys.txt");

/// How many letters a name may differ from a key for that to be meant.
const NEAR: usize = 2;

/// The front that newer versions take for their own.
const FRONT: &str = "milvusconf";

/// Warns of such names in a service that runs Milvus.
pub(super) fn check<'a>(service: &Service<'a>, findings: &mut Vec<Finding<'a>>) {
    if !service.runs("milvus") {
        return;
    }
    let entries = service.node.get("environment").into_iter().flat_map(Node::entries);
    for (variable, entry) in entries {
        if let Some(instead) = unknown(variable) {
            findings.push(service.finding(
                UNKNOWN_NAME,
                (entry.key, format!("environment.{variable}")),
                format!("Milvus does not know `{variable}` and ignores it"),
                instead,
            ));
        }
    }
}

/// Returns the form in which Milvus compares names.
pub(super) fn normal(name: &str) -> String {
    let plain = name.chars().filter(|c| !matches!(c, '_' | '.' | '/'));
    let normal: String = plain.flat_map(char::to_lowercase).collect();
    match normal.strip_prefix(FRONT) {
        Some(rest) => rest.to_owned(),
        None => normal,
    }
}

/// Returns what to use instead of a name that Milvus does not know.
fn unknown(variable: &str) -> Option<String> {
    let normal = normal(variable);
    let exact = UNKNOWN.iter().find(|(name, _)| *name == normal);
    let front = || GONE.iter().find(|(front, _)| normal.starts_with(front));
    if let Some((_, instead)) = exact.or_else(front) {
        return Some((*instead).to_owned());
    }
    let keys = || KEYS.lines().filter(|line| !line.starts_with('#'));
    let near = |key: &&str| {
        let key = self::normal(key);
        let length = key.len().abs_diff(normal.len());
        length <= NEAR && key.len() > 4 * NEAR && distance(&key, &normal) <= NEAR
    };
    if keys().any(|key| self::normal(key) == normal) {
        return None;
    }
    let meant = keys().find(near)?;
    let name = meant.replace('.', "_").to_uppercase();
    Some(format!("perhaps `{name}` was meant, for the key {meant}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_milvus_compares_them() {
        for name in [
            "QUERY_NODE_MEMORY_LIMIT",
            "queryNode.memoryLimit",
            "INDEX_NODE_X",
            "CACHE_SIZE",
        ] {
            assert!(unknown(name).is_some(), "{name}");
        }
        for name in [
            "ETCD_ENDPOINTS",
            "QUERYNODE_CACHE_MEMORYLIMIT",
            "TZ",
            "MQ_TYPE",
            "MILVUS_CONF_MQ_TYPE",
            "MINIO_ACCESS_KEY_ID",
            "COMMON_GRACEFULSTOPTIMEOUT",
            "HTTP_PROXY",
        ] {
            assert!(unknown(name).is_none(), "{name}");
        }
    }

    #[test]
    fn a_slip_of_the_pen_finds_the_key_that_was_meant() {
        for name in
            ["COMMON_SECURITY_AUTHORISATIONENABLED", "MILVUS_CONF_MINIO_BUKETNAME"]
        {
            let instead = unknown(name).unwrap_or_default();
            assert!(instead.starts_with("perhaps `"), "{name}: {instead}");
        }
    }
}

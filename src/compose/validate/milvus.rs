//! Environment names that Milvus does not know, though guides name them.
//!
//! Milvus compares every environment name with its configuration keys, both in small
//! letters and without `_`, `.` and `/`. A name that fits none is ignored in silence.

use super::super::node::Node;
use super::super::problem::Problems;
use super::text;

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

/// Warns of such names in a service that runs Milvus.
pub(super) fn check(name: &str, service: &Node, problems: &mut Problems) {
    if !text(service, "image").is_some_and(is_milvus) {
        return;
    }
    for (variable, entry) in
        service.get("environment").into_iter().flat_map(Node::entries)
    {
        if let Some(instead) = unknown(variable) {
            problems
                .warning(
                    entry.key,
                    format!("services.{name}.environment.{variable}"),
                    format!("Milvus does not know `{variable}` and ignores it"),
                )
                .help(instead);
        }
    }
}

/// Tells whether an image is Milvus by its repository.
fn is_milvus(image: &str) -> bool {
    let repository = image.split('@').next().unwrap_or(image);
    let last = repository.rsplit('/').next().unwrap_or(repository);
    last.split(':').next() == Some("milvus")
}

/// Returns what to use instead of a name that Milvus does not know.
fn unknown(variable: &str) -> Option<&'static str> {
    let normal: String = variable
        .chars()
        .filter(|c| !matches!(c, '_' | '.' | '/'))
        .flat_map(char::to_lowercase)
        .collect();
    let exact = UNKNOWN.iter().find(|(name, _)| *name == normal);
    let front = || GONE.iter().find(|(front, _)| normal.starts_with(front));
    exact.or_else(front).map(|(_, instead)| *instead)
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
        for name in ["ETCD_ENDPOINTS", "QUERYNODE_CACHE_MEMORYLIMIT", "TZ", "MQ_TYPE"] {
            assert!(unknown(name).is_none(), "{name}");
        }
    }

    #[test]
    fn milvus_is_known_by_its_repository() {
        for image in ["milvusdb/milvus:v2.6.11", "milvus", "h:5000/x/milvus@sha256:a"] {
            assert!(is_milvus(image), "{image}");
        }
        assert!(!is_milvus("milvusdb/milvus-backup:v1"));
        assert!(!is_milvus("etcd:milvus"));
    }
}

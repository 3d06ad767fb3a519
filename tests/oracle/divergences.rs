//! Where we differ from docker compose 2.26.1, and why.

use serde_json::Value as Json;

/// The case, the place in the JSON, and the reason.
const DIVERGENCES: &[(&str, &str, &str)] = &[
    ("blkio", "/services/a/blkio_config/device_read_bps", CAPITALS),
    ("blkio", "/services/a/blkio_config/device_write_iops", CAPITALS),
    ("blkio", "/services/a/blkio_config/weight_device", CAPITALS),
    ("build", "/services/short/build/dockerfile", BUILD),
    ("build", "/services/long/build/args", BUILD),
    ("ulimit-zero", "/services/a/ulimits/core", "it prints a limit of 0 as `{}`"),
    (
        "merge-reset-listed",
        "/services/a/environment/A",
        "it cannot take away what the first file wrote as a list item",
    ),
    (
        "merge-environment-file",
        "/services/a/environment/OWN",
        "a file of variables means the same, whatever file is named before it",
    ),
    (
        "merge-extensions",
        "/x-reconciler",
        "our own extension is merged, like anything else that is ours",
    ),
];

const BUILD: &str = "nothing is built here, so that nothing is looked up for a build";

const CAPITALS: &str = "it prints these keys in capitals and does not read them again";

/// Cases that only the oracle refuses, and why we do not.
const ONLY_OURS: &[(&str, &str)] = &[
    ("repeated", "what is said twice is no error, even where order matters"),
    ("memory-number", "a plain number of bytes is as clear as one in quotes"),
    ("boolean-texts", "newer versions take text for every boolean"),
    ("date-as-text", "text that looks like a date is text where only text may stand"),
];

/// Takes out of both sides what differs for a good reason; panics when it does not differ
/// any more.
pub(crate) fn take_out(case: &str, expected: &mut Json, ours: &mut Json) {
    for (_, place, reason) in DIVERGENCES.iter().filter(|(name, ..)| *name == case) {
        assert_ne!(
            expected.pointer(place),
            ours.pointer(place),
            "{case}: {place} does not differ any more ({reason})"
        );
        remove(expected, place);
        remove(ours, place);
    }
}

/// Tells whether only the oracle refuses a case.
pub(crate) fn is_only_ours(case: &str) -> bool {
    ONLY_OURS.iter().any(|(name, _)| *name == case)
}

fn remove(json: &mut Json, place: &str) {
    let (parent, key) = place.rsplit_once('/').expect("a pointer");
    let key = key.replace("~1", "/").replace("~0", "~");
    match json.pointer_mut(parent) {
        Some(Json::Object(map)) => {
            map.remove(&key);
        }
        Some(Json::Array(items)) => {
            let index: usize = key.parse().expect("an index");
            if let Some(item) = items.get_mut(index) {
                *item = Json::Null;
            }
        }
        _ => {}
    }
}

//! The bytes of files that count as part of a service: what it should have read, and what a
//! container of it did read when it started.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::value::Value;

/// What counts, by canonical path such as `volumes./etc/nginx/nginx.conf`.
pub type Contents = BTreeMap<String, Counted>;

/// Which file or folder of the host it is: a save that renames makes it another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Place {
    /// The device.
    pub device: u64,
    /// The inode.
    pub inode: u64,
}

/// One file, or one folder of files, whose bytes count.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counted {
    /// What is mounted: the file itself, or the folder; nothing for what is not mounted.
    pub place: Option<Place>,
    /// The keyed digest of each file: of a folder by its path below it, of a file by an
    /// empty one.
    pub files: BTreeMap<String, String>,
    /// Nothing may be shown but that it differs.
    pub is_secret: bool,
}

/// Returns what contents mean: the digests, wherever the files are.
pub fn meaning_of(contents: &Contents) -> Value {
    Value::map(contents.iter().map(|(path, counted)| {
        let files = counted.files.iter();
        (path, Value::map(files.map(|(file, digest)| (file, Value::text(digest)))))
    }))
}

//! What an archive is of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::state::ids::{Generation, ProjectName, ServiceName};
use crate::state::time::EngineTime;

/// The form of manifests that this version writes and reads.
pub const FORM: u32 = 1;

/// What an archive is of. Fields may be added within one form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The form.
    pub form: u32,
    /// Where it comes from.
    #[serde(flatten)]
    pub about: About,
    /// The data folders, in the order of the archive.
    pub roots: Vec<Root>,
    /// How much is in it.
    pub counts: Counts,
    /// The SHA-256 of the index, as it stands in the archive.
    pub index_sha256: String,
    /// How many bytes the index has.
    pub index_size: u64,
}

/// Where an archive comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct About {
    /// The stack.
    pub stack: ProjectName,
    /// The generation that was in force.
    pub generation: Generation,
    /// The services, and which software each ran.
    pub services: BTreeMap<ServiceName, Software>,
    /// The version of the writer.
    pub version: String,
    /// When the archive was begun.
    pub begun: EngineTime,
}

/// Which software a service ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Software {
    /// The image as it is named in the file.
    pub image: String,
    /// The content-addressed id of the image.
    pub id: Option<String>,
}

/// A data folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Its name in the archive: the first part of the names of its entries.
    pub name: String,
    /// Where it is on the host.
    pub path: String,
    /// The named volume that it is of, if it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<String>,
    /// The services that mount it.
    pub services: Vec<ServiceName>,
    /// How many bytes of it are data.
    #[serde(default)]
    pub data: u64,
}

/// How much is in an archive.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Regular files, hard links not counted.
    pub files: u64,
    /// All entries.
    pub entries: u64,
    /// The sum of the sizes of files, holes included.
    pub apparent: u64,
    /// The bytes of files that are not holes.
    pub data: u64,
    /// Sockets and pipes, which only live processes give a meaning and which were left out.
    pub left_out: u64,
}

/// What one entry is: a line of the index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its name, in which what is no UTF-8 is escaped.
    pub path: String,
    /// Its kind: `file`, `dir`, `symlink`, `hardlink`.
    pub kind: String,
    /// The permissions, with the special bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The last change of the content, in nanoseconds since 1970.
    pub mtime: i128,
    /// The size of a file.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub size: u64,
    /// The SHA-256 of a file's content, holes included: what `sha256sum` says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// What a link points at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// The SHA-256 of its extended attributes, if it has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attributes: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
fn is_nothing(size: &u64) -> bool {
    *size == 0
}

/// Writes a name of bytes as text: different names differ as texts, too.
pub fn escaped(name: &[u8]) -> String {
    let mut text = String::with_capacity(name.len());
    for chunk in name.utf8_chunks() {
        for letter in chunk.valid().chars() {
            if letter == '\\' || letter.is_control() {
                text.push_str(&format!("\\u{{{:x}}}", u32::from(letter)));
            } else {
                text.push(letter);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

//! Archives of data folders: written, listed, verified, taken out again. Blocking file work
//! that knows no engine, no clock and no plan.
//!
//! An archive is a tar stream under zstd that GNU tar can read (`tar --zstd -xf`). Its last
//! two entries, each in a zstd frame of its own, are the index (what every entry is, with the
//! SHA-256 of every file) and the manifest (what the archive is of); a skippable frame at the
//! very end says where they begin, so that listing reads a few kilobytes of an archive, and
//! there is no second file that could be lost or belong to another.
//!
//! Read in this order: [`manifest`], [`entry`] (the form of one tar entry), [`scan`] and
//! [`mod@write`], [`read`] with [`verify`] and [`extract`], and [`shelf`] (the folder of archives).

pub mod entry;
pub mod error;
pub mod exchange;
pub mod extract;
pub mod manifest;
mod metadata;
pub mod read;
pub mod scan;
pub mod shelf;
pub mod verify;
pub mod write;

pub use error::BackupError;

#[cfg(test)]
mod tests;

/// How far a long piece of work has come; asked after every piece, it may also say that
/// nobody wants it any more.
pub trait Watcher {
    /// Takes note of so many bytes of data that were dealt with; tells whether to go on.
    fn passed(&mut self, bytes: u64) -> bool;
}

impl<F: FnMut(u64) -> bool> Watcher for F {
    fn passed(&mut self, bytes: u64) -> bool {
        self(bytes)
    }
}

/// Tells a watcher, and gives up when it says so.
fn tell(watcher: &mut dyn Watcher, bytes: u64) -> Result<(), BackupError> {
    if watcher.passed(bytes) { Ok(()) } else { Err(BackupError::GivenUp) }
}

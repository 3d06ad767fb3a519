//! Reading an archive: its tail and manifest at once, its entries one after the other.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Take};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use zstd::stream::read::Decoder;

use super::entry::{Entry, Kind, read_header, skip_padding};
use super::error::{BackupError, on};
use super::manifest::{FORM, Line, Manifest};
use super::write::{INDEX, MANIFEST};

/// A skippable frame of zstd, by which the tail is told.
const SKIPPABLE: [u8; 4] = 0x184D_2A5B_u32.to_le_bytes();

/// What a tail begins with.
const MAGIC: &[u8; 8] = b"RCNLBAK1";

/// How many bytes a tail has behind the head of its frame.
const PAYLOAD: usize = 8 + 8 + 8 + 32;

/// How long a tail is.
const TAIL: usize = 8 + PAYLOAD;

/// How long a manifest may be.
const LONGEST_MANIFEST: u64 = 16 << 20;

/// What stands at the very end of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tail {
    /// Where the frame of the index begins.
    pub index_at: u64,
    /// Where the frame of the manifest begins.
    pub manifest_at: u64,
    /// The SHA-256 of the manifest.
    pub manifest_sha256: [u8; 32],
}

impl Tail {
    /// Returns the tail as it stands in an archive.
    pub fn to_bytes(self) -> Vec<u8> {
        let length = u32::try_from(PAYLOAD).unwrap_or_default();
        let mut bytes = [SKIPPABLE, length.to_le_bytes()].concat();
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.index_at.to_le_bytes());
        bytes.extend_from_slice(&self.manifest_at.to_le_bytes());
        bytes.extend_from_slice(&self.manifest_sha256);
        bytes
    }

    fn parse(bytes: &[u8]) -> Option<Self> {
        let length = u32::try_from(PAYLOAD).ok()?.to_le_bytes();
        let head = [&SKIPPABLE[..], &length, MAGIC].concat();
        let bytes = bytes.strip_prefix(&head[..])?;
        let (index_at, bytes) = bytes.split_first_chunk()?;
        let (manifest_at, bytes) = bytes.split_first_chunk()?;
        Some(Self {
            index_at: u64::from_le_bytes(*index_at),
            manifest_at: u64::from_le_bytes(*manifest_at),
            manifest_sha256: bytes.try_into().ok()?,
        })
    }
}

/// An archive whose manifest is right.
#[derive(Debug)]
pub struct Archive {
    /// Where it is.
    pub path: PathBuf,
    /// What it is of.
    pub manifest: Manifest,
    /// Its size.
    pub size: u64,
    tail: Tail,
}

impl Archive {
    /// Opens an archive and reads what it is of; its data are not looked at.
    ///
    /// # Errors
    /// It cannot be read, is none, is half of one, or of a newer form.
    pub fn open(path: &Path) -> Result<Self, BackupError> {
        let damaged = |why: &str| BackupError::Damaged {
            archive: path.to_owned(),
            why: why.to_owned(),
        };
        let mut file = File::open(path).map_err(on("open", path))?;
        let size = file.seek(SeekFrom::End(0)).map_err(on("read", path))?;
        let tail_at = size.checked_sub(TAIL as u64);
        let tail_at = tail_at.ok_or_else(|| damaged("it has no end"))?;
        file.seek(SeekFrom::Start(tail_at)).map_err(on("read", path))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(on("read", path))?;
        let tail = Tail::parse(&bytes).ok_or_else(|| {
            damaged(
                "it has no end: it is half of one, or was not made by `backup create`",
            )
        })?;
        if !(tail.index_at <= tail.manifest_at && tail.manifest_at <= tail_at) {
            return Err(damaged("its end is wrong"));
        }
        let bytes = own(&mut file, tail.manifest_at, MANIFEST, LONGEST_MANIFEST)
            .map_err(|error| damaged(&format!("its manifest cannot be read: {error}")))?;
        if Sha256::digest(&bytes)[..] != tail.manifest_sha256 {
            return Err(damaged("its manifest is not what was written"));
        }
        let manifest: Manifest = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(&format!("its manifest is malformed: {error}")))?;
        if manifest.form != FORM {
            return Err(damaged(&format!(
                "it has the form {}, and this version reads {FORM}",
                manifest.form
            )));
        }
        Ok(Self { path: path.to_owned(), manifest, size, tail })
    }

    /// Returns the same archive under its new name.
    #[must_use]
    pub(super) fn moved(self, path: PathBuf) -> Self {
        Self { path, ..self }
    }

    /// Reads the index and goes to the first entry.
    ///
    /// # Errors
    /// The archive cannot be read, or its index is not what was written.
    pub fn entries(&self) -> Result<Entries, BackupError> {
        let path = &self.path;
        let mut file = File::open(path).map_err(on("open", path))?;
        let size = self.manifest.index_size;
        let index = own(&mut file, self.tail.index_at, INDEX, size).map_err(|error| {
            self.damaged(format!("its index cannot be read: {error}"))
        })?;
        let digest = crate::state::digest::hexadecimal(&Sha256::digest(&index));
        if digest != self.manifest.index_sha256 {
            return Err(self.damaged("its index is not what was written".to_owned()));
        }
        file.seek(SeekFrom::Start(0)).map_err(on("read", path))?;
        // The frame has to end where the index begins.
        let frame = file.take(self.tail.index_at);
        let stream = Decoder::new(frame).map_err(on("read", path))?;
        Ok(Entries { archive: path.clone(), stream, index: io::Cursor::new(index) })
    }

    fn damaged(&self, why: String) -> BackupError {
        BackupError::Damaged { archive: self.path.clone(), why }
    }
}

/// Reads an entry of our own at the beginning of a frame.
fn own(file: &mut File, at: u64, name: &str, longest: u64) -> io::Result<Vec<u8>> {
    file.seek(SeekFrom::Start(at))?;
    let mut frame = Decoder::new(&mut *file)?.single_frame();
    let found = read_header(&mut frame)?;
    let Some((Entry { path, kind: Kind::File { data: None, .. }, .. }, size)) = found
    else {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "something else is there",
        ));
    };
    if path != name.as_bytes() || size > longest {
        return Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "something else is there",
        ));
    }
    let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    frame.read_exact(&mut bytes)?;
    skip_padding(&mut frame, size)?;
    // To the end: only there the checksum of the frame is looked at.
    io::copy(&mut frame, &mut io::sink())?;
    Ok(bytes)
}

/// The entries of an archive, each held against its line of the index.
pub struct Entries {
    archive: PathBuf,
    stream: Decoder<'static, BufReader<Take<File>>>,
    index: io::Cursor<Vec<u8>>,
}

impl std::fmt::Debug for Entries {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entries").field("archive", &self.archive).finish_non_exhaustive()
    }
}

impl Entries {
    /// Reads the next entry up to its data, with what the index says of it; nothing after
    /// the last one, when nothing is left over either.
    ///
    /// # Errors
    /// The archive cannot be read, or is not what was written.
    pub fn next_entry(&mut self) -> Result<Option<(Entry, Line)>, BackupError> {
        let mut line = String::new();
        self.index.read_line(&mut line).map_err(|error| self.broken(&error))?;
        if line.is_empty() {
            let rest = io::copy(&mut self.stream, &mut io::sink());
            return match rest {
                Ok(0) => Ok(None),
                Ok(_) => Err(self.damaged("it has entries that its index does not have")),
                Err(error) => Err(self.broken(&error)),
            };
        }
        let line: Line = serde_json::from_str(&line)
            .map_err(|error| self.damaged(&format!("its index is malformed: {error}")))?;
        let entry = read_header(&mut self.stream).map_err(|error| self.broken(&error))?;
        let Some((entry, _)) = entry else {
            return Err(self.damaged("it ends before its index does"));
        };
        if entry.line(line.sha256.clone()) != line {
            let why = format!("its entry `{}` is not what was written", line.path);
            return Err(self.damaged(&why));
        }
        Ok(Some((entry, line)))
    }

    /// Reads data of the last entry.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub fn data(&mut self, piece: &mut [u8]) -> Result<(), BackupError> {
        self.stream.read_exact(piece).map_err(|error| self.broken(&error))
    }

    /// Goes past the data of an entry, which had so many bytes.
    ///
    /// # Errors
    /// The archive cannot be read.
    pub fn end_data(&mut self, length: u64) -> Result<(), BackupError> {
        skip_padding(&mut self.stream, length).map_err(|error| self.broken(&error))
    }

    fn broken(&self, error: &io::Error) -> BackupError {
        self.damaged(&error.to_string())
    }

    /// Says that the archive is not what was written.
    pub(super) fn damaged(&self, why: &str) -> BackupError {
        BackupError::Damaged { archive: self.archive.clone(), why: why.to_owned() }
    }

    /// Says that an entry could do harm.
    pub(super) fn harmful(&self, line: &Line, why: &'static str) -> BackupError {
        let (archive, entry) = (self.archive.clone(), line.path.clone());
        BackupError::Unsafe { archive, entry, why }
    }
}

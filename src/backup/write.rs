//! Writing an archive.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Advice, OFlags};
use rustix::io::Errno;
use sha2::{Digest, Sha256};
use zstd::stream::write::Encoder;

use super::entry::{BLOCK, Entry, Kind, pad};
use super::error::{BackupError, on};
use super::manifest::{About, Counts, FORM, Line, Manifest, Root};
use super::read::Tail;
use super::scan::{Found, Scan, unchanged};
use super::{Watcher, metadata, tell};
use crate::state::digest::hexadecimal;

/// The name of the index in an archive.
pub const INDEX: &str = ".reconciler-backup/index.jsonl";

/// The name of the manifest in an archive.
pub const MANIFEST: &str = ".reconciler-backup/manifest.json";

/// How hard to compress: as small as gzip makes it, several times as fast.
const LEVEL: i32 = 3;

/// How much is read at once.
const PIECE: usize = 1 << 20;

/// Writes an archive of what was scanned to a file that is empty, and brings it to the disk.
///
/// # Errors
/// Something cannot be read or written, or was changed meanwhile: the file is of no use.
pub fn write(
    (archive, path): (File, &Path),
    (about, roots): (About, Vec<Root>),
    scan: &Scan,
    workers: u32,
    watcher: &mut dyn Watcher,
) -> Result<Manifest, BackupError> {
    let mut writer = Writer {
        path,
        out: frame(archive, workers).map_err(on("write", path))?,
        links: BTreeMap::new(),
        index: Vec::new(),
        counts: Counts { left_out: scan.left_out.len() as u64, ..Counts::default() },
        by_root: BTreeMap::new(),
        watcher,
        piece: vec![0; PIECE],
    };
    for found in &scan.found {
        writer.add(found)?;
    }
    scan.is_unchanged()?;
    writer.finish(about, roots)
}

type Frame = Encoder<'static, File>;

/// Begins a frame, whose checksum tells a flipped bit.
fn frame(file: File, workers: u32) -> io::Result<Frame> {
    let mut encoder = Encoder::new(file, LEVEL)?;
    encoder.include_checksum(true)?;
    encoder.multithread(workers)?;
    Ok(encoder)
}

struct Writer<'a> {
    path: &'a Path,
    out: Frame,
    /// The first name of every file that has several.
    links: BTreeMap<(u64, u64), Vec<u8>>,
    index: Vec<u8>,
    counts: Counts,
    /// How many bytes of data each root has.
    by_root: BTreeMap<Vec<u8>, u64>,
    watcher: &'a mut dyn Watcher,
    piece: Vec<u8>,
}

impl Writer<'_> {
    fn add(&mut self, found: &Found) -> Result<(), BackupError> {
        let Found { path, name, metadata } = found;
        let kind = metadata.file_type();
        if kind.is_dir() {
            return self.plain(found, Kind::Folder);
        }
        if kind.is_symlink() {
            use std::os::unix::ffi::OsStringExt;
            let target = std::fs::read_link(path).map_err(on("read", path))?;
            return self.plain(found, Kind::Symlink(target.into_os_string().into_vec()));
        }
        if metadata.nlink() > 1 {
            let id = (metadata.dev(), metadata.ino());
            if let Some(first) = self.links.get(&id) {
                return self.plain(found, Kind::HardLink(first.clone()));
            }
            self.links.insert(id, name.clone());
        }
        self.file(found)
    }

    fn plain(&mut self, found: &Found, kind: Kind) -> Result<(), BackupError> {
        let Found { path, name, metadata } = found;
        let entry = metadata::entry(path, name.clone(), kind, metadata)?;
        entry.write_header(&mut self.out).map_err(on("write", self.path))?;
        self.counts.entries += 1;
        self.note(&entry.line(None))?;
        tell(self.watcher, 0)
    }

    fn file(&mut self, found: &Found) -> Result<(), BackupError> {
        let Found { path, name, metadata } = found;
        let mut file = open(path)?;
        unchanged(path, metadata, || file.metadata())?;
        let size = metadata.size();
        let has_holes = metadata.blocks().saturating_mul(512) < size;
        let data = if has_holes { Some(data_of(&file, path, size)?) } else { None };
        let kind = Kind::File { size, data: data.clone() };
        let entry = metadata::entry(path, name.clone(), kind, metadata)?;
        let length = entry.write_header(&mut self.out).map_err(on("write", self.path))?;
        let mut hash = Sha256::new();
        let mut at = 0;
        for (offset, length) in data.unwrap_or_else(|| vec![(0, size)]) {
            zeros(&mut hash, offset - at);
            file.seek(SeekFrom::Start(offset)).map_err(on("read", path))?;
            self.copy((&mut file, path), length, &mut hash)?;
            at = offset + length;
        }
        zeros(&mut hash, size - at);
        pad(&mut self.out, length).map_err(on("write", self.path))?;
        unchanged(path, metadata, || file.metadata())?;
        self.counts.files += 1;
        self.counts.entries += 1;
        self.counts.apparent += size;
        self.counts.data += length;
        let root = name.split(|byte| *byte == b'/').next().unwrap_or_default();
        *self.by_root.entry(root.to_vec()).or_default() += length;
        self.note(&entry.line(Some(hexadecimal(&hash.finalize()))))
    }

    fn copy(
        &mut self,
        (file, path): (&mut File, &Path),
        length: u64,
        hash: &mut Sha256,
    ) -> Result<(), BackupError> {
        let mut left = length;
        while left > 0 {
            let piece = usize::try_from(left).unwrap_or(PIECE).min(PIECE);
            let piece = &mut self.piece[..piece];
            match file.read_exact(piece) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    let (path, how) = (path.to_owned(), "became shorter");
                    return Err(BackupError::Changed { path, how });
                }
                Err(error) => return Err(on("read", path)(error)),
            }
            hash.update(&*piece);
            self.out.write_all(piece).map_err(on("write", self.path))?;
            left -= piece.len() as u64;
            tell(self.watcher, piece.len() as u64)?;
        }
        Ok(())
    }

    fn note(&mut self, line: &Line) -> Result<(), BackupError> {
        serde_json::to_writer(&mut self.index, line)
            .map_err(|error| on("write", self.path)(error.into()))?;
        self.index.push(b'\n');
        Ok(())
    }

    /// Writes index, manifest and tail, and brings everything to the disk.
    fn finish(self, about: About, mut roots: Vec<Root>) -> Result<Manifest, BackupError> {
        let Self { path, out, index, counts, by_root, .. } = self;
        for root in &mut roots {
            root.data = by_root.get(root.name.as_bytes()).copied().unwrap_or_default();
        }
        let manifest = Manifest {
            form: FORM,
            about,
            roots,
            counts,
            index_sha256: hexadecimal(&Sha256::digest(&index)),
            index_size: index.len() as u64,
        };
        let write = || -> io::Result<()> {
            let mut file = out.finish()?;
            let index_at = file.stream_position()?;
            let file = own(file, INDEX, &index, false)?;
            let mut file = file;
            let manifest_at = file.stream_position()?;
            let bytes = serde_json::to_vec_pretty(&manifest)?;
            let mut file = own(file, MANIFEST, &bytes, true)?;
            let manifest_sha256 = Sha256::digest(&bytes).into();
            let tail = Tail { index_at, manifest_at, manifest_sha256 };
            file.write_all(&tail.to_bytes())?;
            file.sync_all()?;
            // What is verified next is to come from the disk.
            rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
            Ok(())
        };
        write().map_err(on("write", path))?;
        Ok(manifest)
    }
}

/// Writes an entry of our own in a frame of its own.
fn own(file: File, name: &str, bytes: &[u8], is_last: bool) -> io::Result<File> {
    let mut frame = frame(file, 0)?;
    let entry = Entry {
        path: name.as_bytes().to_vec(),
        kind: Kind::File { size: bytes.len() as u64, data: None },
        mode: 0o600,
        uid: 0,
        gid: 0,
        mtime: (0, 0),
        attributes: BTreeMap::new(),
    };
    entry.write_header(&mut frame)?;
    frame.write_all(bytes)?;
    pad(&mut frame, bytes.len() as u64)?;
    if is_last {
        // So does a tar stream end.
        frame.write_all(&[0; 2 * BLOCK])?;
    }
    frame.finish()
}

/// Opens a file without following a link, and without a trace where that is allowed.
fn open(path: &Path) -> Result<File, BackupError> {
    let open = |flags: OFlags| {
        let flags = i32::try_from(flags.bits()).unwrap_or_default();
        OpenOptions::new().read(true).custom_flags(flags).open(path)
    };
    let file = match open(OFlags::NOFOLLOW | OFlags::NOATIME) {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open(OFlags::NOFOLLOW)
        }
        opened => opened,
    };
    file.map_err(|error| {
        if error.kind() == io::ErrorKind::NotFound {
            return BackupError::Changed { path: path.to_owned(), how: "went away" };
        }
        on("read", path)(error)
    })
}

/// Returns where a file has data: offsets and lengths. A last one of no length says how far
/// the file goes, as GNU tar has it.
fn data_of(file: &File, path: &Path, size: u64) -> Result<Vec<(u64, u64)>, BackupError> {
    let failed = |error: Errno| on("find the holes of", path)(error.into());
    let mut data = Vec::new();
    let mut at = 0;
    while at < size {
        let begin = match rustix::fs::seek(file, rustix::fs::SeekFrom::Data(at)) {
            Ok(begin) => begin.min(size),
            // There is nothing but a hole up to the end.
            Err(Errno::NXIO) => size,
            Err(error) => return Err(failed(error)),
        };
        if begin >= size {
            break;
        }
        let end = rustix::fs::seek(file, rustix::fs::SeekFrom::Hole(begin));
        at = end.map_err(failed)?.min(size);
        data.push((begin, at - begin));
    }
    if data.last().is_none_or(|(offset, length)| offset + length < size) {
        data.push((size, 0));
    }
    Ok(data)
}

/// Feeds zeros to a digest.
pub(super) fn zeros(hash: &mut Sha256, mut count: u64) {
    static ZEROS: [u8; 64 << 10] = [0; 64 << 10];
    while count > 0 {
        let piece = usize::try_from(count).unwrap_or(ZEROS.len()).min(ZEROS.len());
        hash.update(&ZEROS[..piece]);
        count -= piece as u64;
    }
}

/// Writes an archive of any stream and index.
#[cfg(test)]
pub(in crate::backup) fn forge(
    path: &Path,
    about: About,
    roots: Vec<Root>,
    stream: &[u8],
    index: &[u8],
) {
    let mut out = frame(File::create_new(path).unwrap(), 0).unwrap();
    out.write_all(stream).unwrap();
    let (counts, piece) = (Counts::default(), Vec::new());
    let (links, index, watcher) = (BTreeMap::new(), index.to_vec(), &mut |_| true);
    let by_root = BTreeMap::new();
    let writer = Writer { path, out, links, index, counts, by_root, watcher, piece };
    writer.finish(about, roots).unwrap();
}

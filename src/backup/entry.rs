//! The form of one tar entry: a ustar header, with a PAX header before it for what does not
//! fit in there. Sparse files have the PAX form 1.0 of GNU tar.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use sha2::{Digest, Sha256};

use super::manifest::{Line, escaped};
use crate::state::digest::hexadecimal;

/// The size of a block of a tar stream.
pub const BLOCK: usize = 512;

/// How long the records of one PAX header may be: more than any file system gives.
const LONGEST_RECORDS: u64 = 16 << 20;

/// One entry of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its name, without a slash at either end.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: Kind,
    /// The permissions, with the special bits.
    pub mode: u32,
    /// The owner.
    pub uid: u32,
    /// The group.
    pub gid: u32,
    /// The last change of the content: seconds and nanoseconds since 1970.
    pub mtime: (i64, u32),
    /// Extended attributes.
    pub attributes: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// What an entry is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A folder.
    Folder,
    /// A regular file.
    File {
        /// Its size, holes included.
        size: u64,
        /// Where it has data: offsets and lengths; nothing where it has no holes.
        data: Option<Vec<(u64, u64)>>,
    },
    /// A symbolic link.
    Symlink(Vec<u8>),
    /// Another name of a file that came before.
    HardLink(Vec<u8>),
}

impl Entry {
    /// Returns the line of the index, given the digest of the content of a file.
    pub fn line(&self, sha256: Option<String>) -> Line {
        let (kind, size, target) = match &self.kind {
            Kind::Folder => ("dir", 0, None),
            Kind::File { size, .. } => ("file", *size, None),
            Kind::Symlink(target) => ("symlink", 0, Some(escaped(target))),
            Kind::HardLink(target) => ("hardlink", 0, Some(escaped(target))),
        };
        let (seconds, nanoseconds) = self.mtime;
        Line {
            path: escaped(&self.path),
            kind: kind.to_owned(),
            mode: self.mode,
            uid: self.uid,
            gid: self.gid,
            mtime: i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds),
            size,
            sha256,
            target,
            attributes: self.attributes_digest(),
        }
    }

    fn attributes_digest(&self) -> Option<String> {
        let mut hash = Sha256::new();
        for (name, value) in &self.attributes {
            for bytes in [name, value] {
                hash.update((bytes.len() as u64).to_be_bytes());
                hash.update(bytes);
            }
        }
        (!self.attributes.is_empty()).then(|| hexadecimal(&hash.finalize()))
    }

    /// Writes everything of an entry that comes before its data. Returns how many bytes of
    /// data have to follow, before the padding.
    ///
    /// # Errors
    /// The writer's.
    pub fn write_header(&self, out: &mut dyn Write) -> io::Result<u64> {
        let mut records = Vec::new();
        let (seconds, nanoseconds) = self.mtime;
        // A fraction counts upwards, also before 1970.
        let time = match (seconds, nanoseconds) {
            (seconds, nanoseconds) if seconds < 0 && nanoseconds > 0 => {
                format!("-{}.{:09}", -(seconds + 1), 1_000_000_000 - nanoseconds)
            }
            (seconds, nanoseconds) => format!("{seconds}.{nanoseconds:09}"),
        };
        record(&mut records, b"mtime", time.as_bytes());
        record(&mut records, b"uid", self.uid.to_string().as_bytes());
        record(&mut records, b"gid", self.gid.to_string().as_bytes());
        for (name, value) in &self.attributes {
            record(&mut records, &[b"SCHILY.xattr.", name.as_slice()].concat(), value);
        }
        let mut name = self.path.clone();
        let (mut map, mut stored, mut flag, mut link) = (None, 0, b'0', &[][..]);
        match &self.kind {
            Kind::Folder => {
                flag = b'5';
                name.push(b'/');
            }
            Kind::File { size, data: None } => stored = *size,
            Kind::File { size, data: Some(data) } => {
                let text = sparse_map(data);
                stored = text.len() as u64 + data.iter().map(|(_, it)| it).sum::<u64>();
                record(&mut records, b"GNU.sparse.major", b"1");
                record(&mut records, b"GNU.sparse.minor", b"0");
                record(&mut records, b"GNU.sparse.name", &name);
                record(&mut records, b"GNU.sparse.realsize", size.to_string().as_bytes());
                map = Some(text);
            }
            Kind::Symlink(target) => (flag, link) = (b'2', target),
            Kind::HardLink(target) => (flag, link) = (b'1', target),
        }
        if map.is_none() {
            record(&mut records, b"path", &name);
        }
        if matches!(flag, b'1' | b'2') {
            record(&mut records, b"linkpath", link);
        }
        record(&mut records, b"size", stored.to_string().as_bytes());
        out.write_all(&header(b"pax", records.len() as u64, b'x', 0o644))?;
        out.write_all(&records)?;
        pad(out, records.len() as u64)?;
        out.write_all(&header(&name, stored, flag, self.mode))?;
        if let Some(map) = &map {
            out.write_all(map)?;
        }
        Ok(stored - map.map_or(0, |map| map.len() as u64))
    }
}

/// Writes zeros up to the end of a block.
///
/// # Errors
/// The writer's.
pub fn pad(out: &mut dyn Write, written: u64) -> io::Result<()> {
    let block = BLOCK as u64;
    let rest = usize::try_from((block - written % block) % block).unwrap_or_default();
    out.write_all(&[0; BLOCK][..rest])
}

/// Adds a PAX record, which begins with its own length.
fn record(records: &mut Vec<u8>, key: &[u8], value: &[u8]) {
    let rest = key.len() + value.len() + 3;
    let mut length = rest;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend_from_slice(length.to_string().as_bytes());
    records.push(b' ');
    records.extend_from_slice(key);
    records.push(b'=');
    records.extend_from_slice(value);
    records.push(b'\n');
}

/// The map of a sparse file stands before its data, in whole blocks.
fn sparse_map(data: &[(u64, u64)]) -> Vec<u8> {
    let mut map = format!("{}\n", data.len()).into_bytes();
    for (offset, length) in data {
        map.extend_from_slice(format!("{offset}\n{length}\n").as_bytes());
    }
    map.resize(map.len().next_multiple_of(BLOCK), 0);
    map
}

/// A ustar header; what does not fit is cut off, since a PAX header says it.
fn header(name: &[u8], size: u64, flag: u8, mode: u32) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, bytes: &[u8]| {
        block[at..at + bytes.len()].copy_from_slice(bytes);
    };
    put(0, &name[..name.len().min(100)]);
    put(100, format!("{mode:07o}").as_bytes());
    put(108, b"0000000");
    put(116, b"0000000");
    put(124, format!("{:011o}", size.min(0o77_777_777_777)).as_bytes());
    put(136, b"00000000000");
    put(148, b"        ");
    put(156, &[flag]);
    put(257, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

/// Reads the next entry up to its data, in the form that [`Entry::write_header`] writes and
/// no other; nothing at the end of the stream. Returns how many bytes of data follow, too.
///
/// # Errors
/// The stream ends too early, or is in another form; the reader's errors.
pub fn read_header(input: &mut dyn Read) -> io::Result<Option<(Entry, u64)>> {
    let Some(pax) = block(input)? else { return Ok(None) };
    if pax[156] != b'x' {
        return Err(odd("an entry has no extended header"));
    }
    let size = octal(&pax[124..135])?;
    if size > LONGEST_RECORDS {
        return Err(odd("an extended header is too long"));
    }
    let mut records = vec![0; usize::try_from(size).map_err(io::Error::other)?];
    input.read_exact(&mut records)?;
    skip_padding(input, size)?;
    let records = parse_records(&records)?;
    let block = block(input)?.ok_or_else(|| odd("an entry has no header"))?;
    entry(input, &records, &block).map(Some)
}

type Records = BTreeMap<Vec<u8>, Vec<u8>>;

fn entry(
    input: &mut dyn Read,
    records: &Records,
    block: &[u8; BLOCK],
) -> io::Result<(Entry, u64)> {
    let stored = number(records, "size")?;
    let mut rest = stored;
    let target = || {
        let target = records.get(&b"linkpath"[..]);
        target.cloned().ok_or_else(|| odd("a link has no target"))
    };
    let is_sparse = records.contains_key(&b"GNU.sparse.name"[..]);
    let kind = match block[156] {
        b'5' => Kind::Folder,
        b'2' => Kind::Symlink(target()?),
        b'1' => Kind::HardLink(target()?),
        b'0' if is_sparse => {
            let size = number(records, "GNU.sparse.realsize")?;
            let (data, length) = read_map(input, stored)?;
            rest = stored.checked_sub(length).ok_or_else(|| odd("a map is too long"))?;
            let sum = data.iter().try_fold(0, |end, (offset, length)| {
                let next = offset.checked_add(*length)?;
                (*offset >= end && next <= size).then_some(next)
            });
            let held = data.iter().map(|(_, length)| length).sum::<u64>();
            if sum.is_none() || held != rest {
                return Err(odd("the map of a sparse file is wrong"));
            }
            Kind::File { size, data: Some(data) }
        }
        b'0' => Kind::File { size: stored, data: None },
        _ => return Err(odd("an entry is neither a file, a folder nor a link")),
    };
    if !matches!(kind, Kind::File { .. }) && stored != 0 {
        return Err(odd("what is no file has data"));
    }
    let key: &[u8] = if is_sparse { b"GNU.sparse.name" } else { b"path" };
    let path = records.get(key).ok_or_else(|| odd("an entry has no name"))?;
    let path = path.strip_suffix(b"/").unwrap_or(path).to_vec();
    let of_attribute = |(key, value): (&Vec<u8>, &Vec<u8>)| {
        Some((key.strip_prefix(b"SCHILY.xattr.")?.to_vec(), value.clone()))
    };
    let id = |key| u32::try_from(number(records, key)?).map_err(io::Error::other);
    let entry = Entry {
        path,
        kind,
        mode: u32::try_from(octal(&block[100..107])?).map_err(io::Error::other)?,
        uid: id("uid")?,
        gid: id("gid")?,
        mtime: time(records.get(&b"mtime"[..]))?,
        attributes: records.iter().filter_map(of_attribute).collect(),
    };
    Ok((entry, rest))
}

/// Reads past the zeros up to the end of a block.
///
/// # Errors
/// The stream ends too early, or they are no zeros.
pub fn skip_padding(input: &mut dyn Read, read: u64) -> io::Result<()> {
    let block = BLOCK as u64;
    let rest = usize::try_from((block - read % block) % block).unwrap_or_default();
    let mut padding = [0; BLOCK];
    input.read_exact(&mut padding[..rest])?;
    if padding.iter().any(|byte| *byte != 0) {
        return Err(odd("the padding of an entry is not empty"));
    }
    Ok(())
}

/// Reads a header whose checksum is right; nothing where the stream says that it is over.
fn block(input: &mut dyn Read) -> io::Result<Option<[u8; BLOCK]>> {
    let mut block = [0; BLOCK];
    input.read_exact(&mut block)?;
    if block.iter().all(|byte| *byte == 0) {
        return Ok(None);
    }
    let said = octal(&block[148..154])?;
    let spaces = 8 * u64::from(b' ');
    let sum: u64 = block.iter().map(|byte| u64::from(*byte)).sum();
    let of_sum: u64 = block[148..156].iter().map(|byte| u64::from(*byte)).sum();
    if sum - of_sum + spaces != said {
        return Err(odd("the checksum of a header is wrong"));
    }
    Ok(Some(block))
}

fn parse_records(mut bytes: &[u8]) -> io::Result<Records> {
    let wrong = || odd("an extended header is malformed");
    let mut records = Records::new();
    while !bytes.is_empty() {
        let space = bytes.iter().position(|it| *it == b' ').ok_or_else(wrong)?;
        let length = std::str::from_utf8(&bytes[..space]).ok();
        let length: usize = length.and_then(|it| it.parse().ok()).ok_or_else(wrong)?;
        let record = bytes.get(space + 1..length).ok_or_else(wrong)?;
        let record = record.strip_suffix(b"\n").ok_or_else(wrong)?;
        let equals = record.iter().position(|it| *it == b'=').ok_or_else(wrong)?;
        let (key, value) = (record[..equals].to_vec(), record[equals + 1..].to_vec());
        if records.insert(key, value).is_some() {
            return Err(wrong());
        }
        bytes = &bytes[length..];
    }
    Ok(records)
}

fn number(records: &Records, key: &str) -> io::Result<u64> {
    let value = records.get(key.as_bytes()).and_then(|it| std::str::from_utf8(it).ok());
    value.and_then(|it| it.parse().ok()).ok_or_else(|| odd("a number is missing"))
}

fn time(value: Option<&Vec<u8>>) -> io::Result<(i64, u32)> {
    let wrong = || odd("a time is malformed");
    let text = value.and_then(|it| std::str::from_utf8(it).ok()).ok_or_else(wrong)?;
    let (seconds, fraction) = text.split_once('.').ok_or_else(wrong)?;
    let is_before = seconds.starts_with('-');
    let seconds: i64 = seconds.parse().map_err(|_| wrong())?;
    let fraction: u32 = fraction.parse().map_err(|_| wrong())?;
    match (is_before, fraction) {
        (_, 1_000_000_000..) => Err(wrong()),
        (true, 1..) => Ok((seconds - 1, 1_000_000_000 - fraction)),
        (true, 0) | (false, _) => Ok((seconds, fraction)),
    }
}

/// Reads the map of a sparse file; returns how long it was, too.
fn read_map(input: &mut dyn Read, limit: u64) -> io::Result<(Vec<(u64, u64)>, u64)> {
    let (mut numbers, mut length) = (Vec::new(), 0);
    let mut digits = String::new();
    loop {
        length += BLOCK as u64;
        if length > limit {
            return Err(odd("a map is too long"));
        }
        let mut block = [0; BLOCK];
        input.read_exact(&mut block)?;
        for byte in block {
            match byte {
                b'0'..=b'9' if digits.len() < 20 => digits.push(char::from(byte)),
                b'\n' => {
                    let number: u64 =
                        digits.parse().map_err(|_| odd("a map is malformed"))?;
                    numbers.push(number);
                    digits.clear();
                }
                0 if digits.is_empty() => break,
                _ => return Err(odd("a map is malformed")),
            }
            let wanted = numbers.first().map(|count| count.saturating_mul(2) + 1);
            if wanted == Some(numbers.len() as u64) {
                let pairs = numbers[1..].chunks_exact(2);
                return Ok((pairs.map(|pair| (pair[0], pair[1])).collect(), length));
            }
        }
    }
}

fn octal(field: &[u8]) -> io::Result<u64> {
    let text = std::str::from_utf8(field).map_err(|_| odd("a header is malformed"))?;
    u64::from_str_radix(text, 8).map_err(|_| odd("a header is malformed"))
}

fn odd(why: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

//! The files of a commit, as `git ls-tree` lists them, before any of them is written.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::limits::Limits;

/// No target of a symbolic link is longer (Linux's `PATH_MAX`).
const LONGEST_TARGET: u64 = 4096;

/// Why a commit is at fault itself: the next one may be better.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A symbolic link leads out.
    #[error(
        "the symbolic link {} leads to {}, which is outside of the repository; link to a file of the repository, by a relative path",
        shown(link),
        shown(target)
    )]
    Escape {
        /// The link.
        link: PathBuf,
        /// What it holds.
        target: PathBuf,
    },
    /// A symbolic link leads nowhere.
    #[error(
        "the symbolic link {} leads to {}, which is not in the repository; add that, or remove the link",
        shown(link),
        shown(target)
    )]
    Nowhere {
        /// The link.
        link: PathBuf,
        /// What it holds.
        target: PathBuf,
    },
    /// Its files are too large together.
    #[error(
        "its files have {bytes} bytes together, and {most} is the most; keep data elsewhere"
    )]
    TooLarge {
        /// What they have.
        bytes: u64,
        /// What they may have.
        most: u64,
    },
    /// There are too many files.
    #[error("it has {files} files, and {most} is the most; keep data elsewhere")]
    TooMany {
        /// How many there are.
        files: usize,
        /// How many there may be.
        most: usize,
    },
    /// What it takes to fetch it is too large.
    #[error("more than {most} bytes would have to be fetched; keep data elsewhere")]
    TooMuch {
        /// What may be fetched.
        most: u64,
    },
    /// A name that is not written.
    #[error("{} cannot be the name of a file; rename it", shown(path))]
    Name {
        /// Which.
        path: PathBuf,
    },
    /// Two names are one here, or a name is too long.
    #[error("{} cannot be written: {reason}; rename it", shown(path))]
    Unwritable {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// `git` itself refuses an object.
    #[error("git does not take it: {0}")]
    Object(String),
}

/// What a name of a commit stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    File { is_executable: bool },
    Link,
    Submodule,
}

/// A name of a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    /// The object that holds its bytes.
    pub(super) id: String,
    pub(super) bytes: u64,
}

/// Returns a name for people; commits can have names with line breaks.
pub(super) fn shown(path: &Path) -> String {
    format!("`{}`", path.to_string_lossy().escape_debug())
}

/// Reads what `git ls-tree -r -z -l` printed; nothing when it is no such thing.
pub(super) fn parse(listing: &[u8]) -> Option<Vec<Entry>> {
    let entries = listing.split(|byte| *byte == 0).filter(|entry| !entry.is_empty());
    entries.map(entry).collect()
}

/// Reads `100644 blob ID    SIZE<tab>PATH`.
fn entry(text: &[u8]) -> Option<Entry> {
    let tab = text.iter().position(|byte| *byte == b'\t')?;
    let (head, path) = (str::from_utf8(text.get(..tab)?).ok()?, text.get(tab + 1..)?);
    let mut words = head.split_ascii_whitespace();
    let (mode, _, id, size) =
        (words.next()?, words.next()?, words.next()?, words.next()?);
    let kind = match mode {
        "120000" => Kind::Link,
        "160000" => Kind::Submodule,
        "100755" => Kind::File { is_executable: true },
        // Very old programs wrote 100664.
        "100644" | "100664" => Kind::File { is_executable: false },
        _ => return None,
    };
    let bytes = if kind == Kind::Submodule { 0 } else { size.parse().ok()? };
    let path = PathBuf::from(OsStr::from_bytes(path));
    Some(Entry { path, kind, id: id.to_owned(), bytes })
}

/// Tells whether all of it may be written.
pub(super) fn check(entries: &[Entry], limits: &Limits) -> Result<(), Refusal> {
    if entries.len() > limits.most_files {
        return Err(Refusal::TooMany { files: entries.len(), most: limits.most_files });
    }
    let bytes = entries.iter().map(|entry| entry.bytes).fold(0, u64::saturating_add);
    if bytes > limits.most_bytes {
        return Err(Refusal::TooLarge { bytes, most: limits.most_bytes });
    }
    for entry in entries {
        let is_long_link = entry.kind == Kind::Link && entry.bytes > LONGEST_TARGET;
        if is_long_link || !is_name(&entry.path) {
            return Err(Refusal::Name { path: entry.path.clone() });
        }
    }
    Ok(())
}

/// `git` refuses such names when it fetches; here nothing depends on that.
fn is_name(path: &Path) -> bool {
    path.as_os_str().as_bytes().split(|byte| *byte == b'/').all(|part| {
        !part.is_empty()
            && part != b"."
            && part != b".."
            && !part.eq_ignore_ascii_case(b".git")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";

    fn listing(lines: &[&str]) -> Vec<u8> {
        lines.iter().flat_map(|line| format!("{line}\0").into_bytes()).collect()
    }

    #[test]
    fn a_listing_is_read_with_any_name() {
        let listing = listing(&[
            &format!("100644 blob {ID}      12\ta/b.yaml"),
            &format!("100755 blob {ID}       0\t-x\nline"),
            &format!("120000 blob {ID}       3\tlink"),
            &format!("160000 commit {ID}       -\tmodule"),
        ]);
        let entries = parse(&listing).unwrap();
        let found: Vec<_> = entries
            .iter()
            .map(|it| (it.path.to_str().unwrap(), it.kind, it.bytes))
            .collect();
        assert_eq!(
            found,
            [
                ("a/b.yaml", Kind::File { is_executable: false }, 12),
                ("-x\nline", Kind::File { is_executable: true }, 0),
                ("link", Kind::Link, 3),
                ("module", Kind::Submodule, 0),
            ]
        );
        assert_eq!(parse(b""), Some(Vec::new()));
        assert_eq!(parse(b"error: something"), None);
    }

    #[test]
    fn names_that_git_itself_would_not_write_are_refused() {
        let refused = |path: &str| {
            let listing = listing(&[&format!("100644 blob {ID} 1\t{path}")]);
            check(&parse(&listing).unwrap(), &Limits::default()).is_err()
        };
        for path in
            ["../x", "a/../x", "/x", "a//x", ".git/config", "a/.GIT", "a/./x", "a/"]
        {
            assert!(refused(path), "{path}");
        }
        for path in [".gitattributes", "-x", "a b", "..x", "x..", "a/.github/x"] {
            assert!(!refused(path), "{path}");
        }
    }

    #[test]
    fn too_many_and_too_large_files_are_refused_before_any_is_written() {
        let listing = listing(&[
            &format!("100644 blob {ID} 600\ta"),
            &format!("100644 blob {ID} 500\tb"),
        ]);
        let entries = parse(&listing).unwrap();
        let limits = Limits { most_bytes: 1000, ..Limits::default() };
        let refusal = Refusal::TooLarge { bytes: 1100, most: 1000 };
        assert_eq!(check(&entries, &limits), Err(refusal));
        let limits = Limits { most_files: 1, ..Limits::default() };
        assert_eq!(check(&entries, &limits), Err(Refusal::TooMany { files: 2, most: 1 }));
    }
}

//! The files of the host whose bytes count as part of a service.
//!
//! Configs and secrets that are files, regular files that are mounted read-only, folders
//! that are mounted read-only where a reload takes them up, and what `x-reconciler.content`
//! lists. What is mounted writable does not count: the service itself may write it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::attribute::project::storage::{config_target, secret_target};
use super::extension;
use super::files::{Files, Kind};
use super::node::{Kind as NodeKind, Node};
use super::paths;
use super::problem::{Problems, Span};
use super::reading::Reading;
use crate::state::content::{Contents, Counted, Place};
use crate::state::desired::{Content, ServiceSettings};
use crate::state::digest::DigestKey;
use crate::state::secret::Secret;

/// How many files of one folder may count.
const MOST_FILES: usize = 256;
/// How many folders below one folder are looked into.
const MOST_FOLDERS: usize = 64;
/// How many bytes the files of one folder may have together.
const MOST_BYTES: usize = 16 << 20;

/// What counts of one service.
#[derive(Clone, Debug, Default)]
pub struct OfService {
    /// What counts, by canonical path.
    pub contents: Contents,
    /// What stands in its secret files.
    pub unspeakable: Vec<Secret>,
}

/// What is known when the files are counted.
pub struct Surroundings<'a> {
    /// The folder that relative paths are against.
    pub folder: &'a Path,
    /// The home of the caller.
    pub home: Option<&'a str>,
    /// The configs, by key.
    pub configs: &'a BTreeMap<String, Content>,
    /// The secrets, by key.
    pub secrets: &'a BTreeMap<String, Content>,
    /// The key by which bytes enter digests.
    pub key: &'a DigestKey,
}

/// A bind mount of a service.
struct Mount<'a> {
    source: &'a Path,
    target: &'a str,
    is_read_only: bool,
    span: Span,
}

/// Counts the files of every service of a complete stack.
pub fn count(
    root: &Node,
    surroundings: &Surroundings<'_>,
    reading: &mut Reading<'_>,
    problems: &mut Problems,
) -> BTreeMap<String, OfService> {
    let services = root.get("services").into_iter().flat_map(Node::entries);
    services
        .map(|(name, entry)| {
            // Reported once, by the validation.
            let mut ignored = Problems::default();
            let settings = extension::service(name, &entry.node, &mut ignored).settings;
            let path = format!("services.{name}");
            let mut count = Count {
                surroundings,
                settings: &settings,
                path,
                reading: &mut *reading,
                problems: &mut *problems,
                of: OfService::default(),
            };
            count.service(&entry.node);
            (name.to_owned(), count.of)
        })
        .collect()
}

struct Count<'a, 'r> {
    surroundings: &'a Surroundings<'a>,
    settings: &'a ServiceSettings,
    path: String,
    reading: &'a mut Reading<'r>,
    problems: &'a mut Problems,
    of: OfService,
}

impl Count<'_, '_> {
    fn service(&mut self, service: &Node) {
        let (configs, secrets) = (self.surroundings.configs, self.surroundings.secrets);
        for reference in service.get("configs").map_or(&[][..], Node::items) {
            let target = config_target(&reference.value());
            if let Some(path) = file_of(reference, configs) {
                self.file(format!("configs.{target}"), path, false);
            }
        }
        for reference in service.get("secrets").map_or(&[][..], Node::items) {
            let target = secret_target(&reference.value());
            if let Some(path) = file_of(reference, secrets) {
                self.file(format!("secrets.{target}"), path, true);
            }
        }
        let mounts: Vec<Mount<'_>> = service
            .get("volumes")
            .map_or(&[][..], Node::items)
            .iter()
            .filter_map(mount)
            .collect();
        let listed: Vec<PathBuf> = self
            .settings
            .content
            .iter()
            .map(|path| {
                let Surroundings { folder, home, .. } = self.surroundings;
                PathBuf::from(paths::absolute(path, folder, *home))
            })
            .collect();
        for it in &mounts {
            self.mount(it, &listed);
        }
        for (index, path) in listed.iter().enumerate() {
            let entry = service.at("x-reconciler.content");
            let item = entry.and_then(|list| list.items().get(index));
            self.listed(path, &mounts, item.map(|item| item.span));
        }
    }

    fn mount(&mut self, mount: &Mount<'_>, listed: &[PathBuf]) {
        let canonical = format!("volumes.{}", mount.target);
        let kind = self.reading.files().kind(mount.source);
        match kind.map(|(kind, _)| kind) {
            Some(Kind::File) if mount.is_read_only => {
                self.file(canonical, mount.source, false);
            }
            Some(Kind::File) if !listed.iter().any(|path| path == mount.source) => {
                let message = format!(
                    "a change of {} does nothing: it is mounted writable, so its bytes do not count",
                    mount.source.display()
                );
                self.problems
                    .warning(mount.span, format!("{}.volumes", self.path), message)
                    .help(
                        "mount it read-only (`:ro`), or list it in `x-reconciler.content`",
                    );
            }
            Some(Kind::Folder | Kind::FolderLink)
                if mount.is_read_only && self.settings.reload.is_some() =>
            {
                let place = kind.map(|(_, place)| place);
                self.folder(canonical, mount.source, place, Some(mount.span));
            }
            // What appears later counts from then on.
            None if mount.is_read_only => {
                self.reading.touched.insert(mount.source.to_owned());
                self.reading.files().exists(mount.source);
            }
            Some(_) | None => {}
        }
    }

    /// A file or folder that the service lists. What it is mounted by tells whether a
    /// container sees a change of it.
    fn listed(&mut self, path: &Path, mounts: &[Mount<'_>], span: Option<Span>) {
        let canonical = format!("x-reconciler.content.{}", path.display());
        let by = mounts.iter().find(|mount| path.starts_with(mount.source));
        let place = by.and_then(|mount| self.reading.files().kind(mount.source));
        let place = place.map(|(_, place)| place);
        match self.reading.files().kind(path).map(|(kind, _)| kind) {
            Some(Kind::Folder | Kind::FolderLink) => {
                self.folder(canonical, path, place, span);
            }
            Some(Kind::File | Kind::Other) | None => {
                self.file(canonical.clone(), path, false);
                if let Some(counted) = self.of.contents.get_mut(&canonical) {
                    counted.place = place;
                    return;
                }
                let path = path.display();
                let message = format!(
                    "{path} is no regular file of at most 1 MiB now, so its bytes do not count"
                );
                let at = format!("{}.x-reconciler.content", self.path);
                self.problems.warning(span, at, message);
            }
        }
    }

    /// Counts a file; one that cannot be read tells nothing.
    fn file(&mut self, canonical: String, path: &Path, is_secret: bool) {
        self.reading.touched.insert(path.to_owned());
        let Ok((bytes, place)) = self.reading.files().content(path) else { return };
        if is_secret {
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().map(str::trim).filter(|line| line.len() >= 4);
            self.of.unspeakable.extend(lines.map(Secret::new));
        }
        let digest = self.surroundings.key.conceal_bytes(&bytes);
        let files = BTreeMap::from([(String::new(), digest)]);
        let counted = Counted { place: Some(place), files, is_secret };
        self.of.contents.insert(canonical, counted);
    }

    fn folder(
        &mut self,
        canonical: String,
        path: &Path,
        place: Option<Place>,
        span: Option<Span>,
    ) {
        let Some(found) = find(self.reading.files(), path) else {
            self.too_much(path, span);
            return;
        };
        for (folder, names) in &found.folders {
            self.reading.touched.insert(folder.clone());
            self.reading.files().watch_names(folder, names);
        }
        let (mut files, mut size) = (BTreeMap::new(), 0);
        for file in &found.files {
            self.reading.touched.insert(file.clone());
            let Ok((bytes, _)) = self.reading.files().content(file) else { continue };
            size += bytes.len();
            let below = file.strip_prefix(path).unwrap_or(file);
            let digest = self.surroundings.key.conceal_bytes(&bytes);
            files.insert(below.to_string_lossy().into_owned(), digest);
        }
        if size > MOST_BYTES {
            self.too_much(path, span);
            return;
        }
        let counted = Counted { place, files, is_secret: false };
        self.of.contents.insert(canonical, counted);
    }

    fn too_much(&mut self, path: &Path, span: Option<Span>) {
        let message = format!(
            "the files in {} do not count: there are more than {MOST_FILES} of them, or more \
             than {MOST_FOLDERS} folders or {} MiB",
            path.display(),
            MOST_BYTES >> 20
        );
        self.problems
            .warning(span, format!("{}.volumes", self.path), message)
            .help("list those that matter in `x-reconciler.content`");
    }
}

/// Returns the file of a reference to a config or secret; nothing when it is no file.
fn file_of<'a>(
    reference: &Node,
    contents: &'a BTreeMap<String, Content>,
) -> Option<&'a Path> {
    match contents.get(reference.get("source")?.as_text()?)? {
        Content::File(path) => Some(path),
        Content::Inline(_) => None,
    }
}

fn mount(node: &Node) -> Option<Mount<'_>> {
    let text = |key| node.get(key).and_then(Node::as_text);
    let is_read_only =
        node.get("read_only").is_some_and(|it| matches!(it.kind, NodeKind::Bool(true)));
    (text("type") == Some("bind")).then_some(Mount {
        source: Path::new(text("source")?),
        target: text("target")?,
        is_read_only,
        span: node.span,
    })
}

/// The files and folders below a folder.
#[derive(Default)]
struct Found {
    files: Vec<PathBuf>,
    folders: Vec<(PathBuf, Vec<String>)>,
}

/// Finds what lies below a folder; nothing when that is too much. Links to folders lead
/// somewhere else inside a container, so they are not followed.
fn find(files: &dyn Files, folder: &Path) -> Option<Found> {
    let mut found = Found::default();
    let mut ahead = vec![folder.to_owned()];
    while let Some(folder) = ahead.pop() {
        let Ok(names) = files.names(&folder) else { continue };
        if names.len() > MOST_FILES + MOST_FOLDERS {
            return None;
        }
        for name in &names {
            let path = folder.join(name);
            match files.kind(&path).map(|(kind, _)| kind) {
                Some(Kind::File) => found.files.push(path),
                Some(Kind::Folder) => ahead.push(path),
                Some(Kind::FolderLink | Kind::Other) | None => {}
            }
        }
        found.folders.push((folder, names));
        if found.files.len() > MOST_FILES
            || found.folders.len() + ahead.len() > MOST_FOLDERS
        {
            return None;
        }
    }
    found.files.sort();
    Some(found)
}

#[cfg(test)]
mod tests;

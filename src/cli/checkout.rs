//! Desired state that comes from git: where its files are on this host.

use std::path::{Component, Path, PathBuf};

use super::options::{Checkout, Options};
use crate::store::Store;
use crate::store::commits::GitFolder;

/// Why desired state cannot come from git.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCheckout {
    /// Nothing is kept.
    #[error("--git needs a folder for its files: name one by --state-dir")]
    NoStateDirectory,
    /// The path is none in a repository.
    #[error("--path names a folder or file in the repository, and {0} leads out of it")]
    PathLeadsOut(PathBuf),
    /// The name could be a path.
    #[error("--host-name is the name of a folder below hosts/, and {0:?} is none")]
    HostName(String),
}

/// Makes the options those of the files that were pulled; nothing when they come from no
/// repository.
///
/// # Errors
/// The options do not fit.
pub fn place(
    options: &mut Options,
    store: &Store,
) -> Result<Option<GitFolder>, NoCheckout> {
    if options.git.is_none() {
        return Ok(None);
    }
    let folder = store.git().ok_or(NoCheckout::NoStateDirectory)?;
    let inside =
        |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    if !options.path.components().all(inside) {
        return Err(NoCheckout::PathLeadsOut(options.path.clone()));
    }
    let host_name = host_name(options);
    let mut parts = Path::new(&host_name).components();
    let is_name =
        matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if !is_name {
        return Err(NoCheckout::HostName(host_name));
    }
    let path: PathBuf =
        options.path.components().filter(|it| *it != Component::CurDir).collect();
    options.files = vec![folder.checkout().join(path)];
    options.checkout =
        Some(Checkout { folder: folder.checkout(), staged: None, host_name });
    Ok(Some(folder))
}

/// Returns the name of this host: the one that was given, else the system's.
pub fn host_name(options: &Options) -> String {
    options.host_name.clone().unwrap_or_else(name_of_this_host)
}

/// The system's name of this host, without its domain.
fn name_of_this_host() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let name = name.trim().split('.').next().unwrap_or_default();
    if name.is_empty() { "localhost".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::cli::arguments::parse_from;

    fn placed(line: &str) -> Result<Options, NoCheckout> {
        let words = line.split_whitespace().map(std::ffi::OsString::from);
        let mut options = parse_from(words, &BTreeMap::new(), |_| None).unwrap().options;
        let store = Store::new(options.state_dir.clone());
        place(&mut options, &store).map(|_| options)
    }

    #[test]
    fn the_files_are_those_of_the_checkout() {
        let line = "reconciler --git https://x.example/a --state-dir /s";
        let options = placed(&format!("{line} status")).unwrap();
        assert_eq!(options.files, [PathBuf::from("/s/git/checkout")]);
        let line = format!("{line} --path ./stacks/a --host-name two diff");
        let options = placed(&line).unwrap();
        assert_eq!(options.files, [PathBuf::from("/s/git/checkout/stacks/a")]);
        let checkout = options.checkout.unwrap();
        assert_eq!(checkout.folder, PathBuf::from("/s/git/checkout"));
        assert_eq!(checkout.host_name, "two");
        assert_eq!(placed("reconciler status").unwrap().checkout, None);
    }

    #[test]
    fn neither_path_nor_host_name_lead_elsewhere() {
        let line = "reconciler --git https://x.example/a --state-dir /s status";
        for path in ["/etc", "..", "a/../../b"] {
            let error = placed(&format!("{line} --path {path}")).unwrap_err();
            assert_eq!(error, NoCheckout::PathLeadsOut(path.into()));
        }
        for name in ["..", "a/b", "/", "."] {
            let error = placed(&format!("{line} --host-name {name}")).unwrap_err();
            assert_eq!(error, NoCheckout::HostName(name.to_owned()));
        }
    }
}

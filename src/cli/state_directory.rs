//! Where state is kept.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// Returns the folder for state: the given one; else the system's when root; else the
/// user's by the XDG rules. Nothing when there is no home to put it in.
pub fn state_directory(
    given: Option<&Path>,
    is_root: bool,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Option<PathBuf> {
    if let Some(given) = given {
        return Some(given.to_path_buf());
    }
    if is_root {
        return Some(PathBuf::from("/var/lib/reconciler"));
    }
    // The XDG rules say that a relative path is to be ignored.
    let absolute =
        |name: &str| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let state = absolute("XDG_STATE_HOME")
        .or_else(|| Some(absolute("HOME")?.join(".local/state")));
    Some(state?.join("reconciler"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(is_root: bool, state: Option<&str>, home: Option<&str>) -> Option<PathBuf> {
        state_directory(None, is_root, |name| match name {
            "XDG_STATE_HOME" => state.map(OsString::from),
            "HOME" => home.map(OsString::from),
            other => panic!("{other} is not asked for"),
        })
    }

    #[test]
    fn state_lives_where_the_system_expects_it() {
        let path = |text: &str| Some(PathBuf::from(text));
        assert_eq!(found(true, Some("/x"), None), path("/var/lib/reconciler"));
        assert_eq!(found(false, Some("/x"), Some("/home/a")), path("/x/reconciler"));
        let home = path("/home/a/.local/state/reconciler");
        assert_eq!(found(false, Some("relative"), Some("/home/a")), home);
        assert_eq!(found(false, None, Some("/home/a")), home);
        assert_eq!(found(false, None, None), None);
    }

    #[test]
    fn what_was_given_counts_most() {
        let given = state_directory(Some(Path::new("here")), true, |_| None);
        assert_eq!(given, Some(PathBuf::from("here")));
    }
}

//! Where locks and control sockets are: in one place, whatever the state directory.

use std::ffi::OsString;
use std::path::PathBuf;

/// Returns the folder for locks and sockets: the system's when root; else the user's by
/// the XDG rules; else one in the folder for temporary files that has the user's number.
pub fn runtime_directory(
    user: u32,
    variable: impl Fn(&str) -> Option<OsString>,
) -> PathBuf {
    if user == 0 {
        return PathBuf::from("/run/reconciler");
    }
    let own = variable("XDG_RUNTIME_DIR").map(PathBuf::from);
    match own.filter(|path| path.is_absolute()) {
        Some(folder) => folder.join("reconciler"),
        None => PathBuf::from(format!("/tmp/reconciler-{user}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locks_are_where_every_process_of_the_user_looks_for_them() {
        let found = |user, given: Option<&str>| {
            runtime_directory(user, |name| {
                assert_eq!(name, "XDG_RUNTIME_DIR");
                given.map(OsString::from)
            })
        };
        assert_eq!(found(0, Some("/run/user/0")), PathBuf::from("/run/reconciler"));
        let user = PathBuf::from("/run/user/7/reconciler");
        assert_eq!(found(7, Some("/run/user/7")), user);
        assert_eq!(found(7, Some("run")), PathBuf::from("/tmp/reconciler-7"));
        assert_eq!(found(7, None), PathBuf::from("/tmp/reconciler-7"));
    }
}

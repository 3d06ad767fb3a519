//! The last lines of containers that failed, for the owner alone: anything may stand in them.

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::disk::write_atomically;
use crate::state::secret::Secret;

/// How many containers of a stack have their last lines kept.
const MOST: usize = 20;

/// Keeps the last lines of a container under its name.
pub(super) fn keep(folder: &Path, container: &str, lines: &Secret) -> io::Result<()> {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || matches!(it, '.' | '_' | '-');
    let name: String = container.chars().filter(|it| is_plain(*it)).collect();
    write_atomically(&folder.join(format!("{name}.log")), lines.expose().as_bytes())?;
    remove_the_oldest(folder)
}

fn remove_the_oldest(folder: &Path) -> io::Result<()> {
    let mut logs: Vec<(SystemTime, PathBuf)> = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|it| it == "log") {
            logs.push((entry.metadata()?.modified()?, entry.path()));
        }
    }
    logs.sort();
    let over = logs.len().saturating_sub(MOST);
    logs.iter().take(over).try_for_each(|(_, path)| std::fs::remove_file(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn last_lines_are_for_the_owner_alone_and_their_number_is_bounded() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..30 {
            let name = format!("demo-web-1.next-{number:02}");
            keep(folder.path(), &name, &Secret::new("boom")).unwrap();
        }
        let names = std::fs::read_dir(folder.path()).unwrap();
        assert_eq!(names.count(), MOST);
        let newest = folder.path().join("demo-web-1.next-29.log");
        assert_eq!(std::fs::read_to_string(&newest).unwrap(), "boom");
        assert_eq!(newest.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_name_leads_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        keep(&folder.path().join("logs"), "../x", &Secret::new("boom")).unwrap();
        assert!(folder.path().join("logs/..x.log").exists());
    }
}

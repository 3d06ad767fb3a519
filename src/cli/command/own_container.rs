//! Whether this process, where it runs in a container, sees its files where the engine does.

use std::path::PathBuf;

use anyhow::Result;

use super::session::{Connected, Session};
use crate::cli::exit::Exit;
use crate::cli::stacks::absolute;
use crate::planning::same_paths::{elsewhere, own_container};

/// Refuses to go on where containers would not get the files that they are to mount. Where
/// nobody can tell it goes on: the engine may be another host's.
pub(super) async fn check(
    session: &Session,
    connected: &Connected,
) -> Result<Option<Exit>> {
    // Where there is no such file there are no containers either.
    let mountinfo = std::fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
    let Some(id) = own_container(&mountinfo) else { return Ok(None) };
    let mounts = match connected.engine.mounts_of(&id).await {
        Ok(Some(mounts)) => mounts,
        Ok(None) => {
            tracing::warn!(
                container = id.short(),
                "the engine is not the one of this container: relative binds are paths of its host"
            );
            return Ok(None);
        }
        Err(error) => return session.no_engine(&error).map(Some),
    };
    let mut wrong = folders(session).into_iter().filter_map(|it| elsewhere(&mounts, &it));
    let Some(wrong) = wrong.next() else { return Ok(None) };
    session.output.notice(&format!("error: {wrong}\n"))?;
    Ok(Some(Exit::Invalid))
}

/// The folders that relative binds come from.
fn folders(session: &Session) -> Vec<PathBuf> {
    if let Some(git) = &session.git {
        return vec![git.checkout()];
    }
    let files = session.options.files.iter().map(|file| absolute(file));
    let folder = |file: PathBuf| {
        if file.is_dir() { Some(file) } else { file.parent().map(PathBuf::from) }
    };
    files.filter_map(folder).collect()
}

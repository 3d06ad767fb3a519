//! A program that ends: in time, with all that it started, and with output of bounded size.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process_group, prlimit};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdout, Command};

/// How much of what a program complains of is kept.
const MOST_COMPLAINTS: u64 = 16 << 10;

/// How far a program may go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) time: Duration,
    /// The bytes of its output.
    pub(super) output: u64,
    /// The bytes of each file that it writes.
    pub(super) file: u64,
}

/// How a program ended.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) status: ExitStatus,
    pub(super) output: Vec<u8>,
    pub(super) complaints: String,
}

/// Why a program did not come to its own end.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProcessError {
    #[error("it cannot be started")]
    Start(#[source] io::Error),
    #[error("it took longer than {0:?}")]
    Late(Duration),
    #[error("its output is too long")]
    TooMuch,
    #[error("its output cannot be read")]
    Broken(#[source] io::Error),
}

/// A process group that ends with this value.
struct Group(Option<Pid>);

impl Group {
    /// Called once its leader has ended by itself: the number may be another's from now on.
    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            // Nobody may be left.
            kill_process_group(leader, Signal::KILL).unwrap_or_default();
        }
    }
}

/// Runs a program with an input, and reads what it writes.
pub(super) async fn run(
    command: Command,
    input: Vec<u8>,
    bounds: Bounds,
) -> Result<Ended, ProcessError> {
    let most = bounds.output;
    converse(command, input, bounds, async move |stdout| {
        let output = read(stdout, most + 1).await.map_err(ProcessError::Broken)?;
        if output.len() as u64 > most { Err(ProcessError::TooMuch) } else { Ok(output) }
    })
    .await
    .map(|(status, output, complaints)| Ended { status, output, complaints })
}

/// Runs a program with an input while its output is worked on.
///
/// When time is up, or the work on the output fails, it is killed with all that it started.
/// So it is when the future is dropped.
pub(super) async fn converse<T, E: From<ProcessError>>(
    mut command: Command,
    input: Vec<u8>,
    bounds: Bounds,
    work: impl AsyncFnOnce(ChildStdout) -> Result<T, E>,
) -> Result<(ExitStatus, T, String), E> {
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .map_err(ProcessError::Start)?;
    let leader = child.id().and_then(|id| Pid::from_raw(id.cast_signed()));
    let group = Group(leader);
    limit(leader, bounds.file);
    let talk = talk(&mut child, &input, work);
    let talk = tokio::time::timeout(bounds.time, talk);
    let ended =
        talk.await.unwrap_or_else(|_| Err(ProcessError::Late(bounds.time).into()));
    match ended {
        Ok(ended) => {
            group.forget();
            Ok(ended)
        }
        Err(error) => {
            drop(group);
            // It is dead; whoever started it has to ask for its end.
            drop(child.wait().await);
            Err(error)
        }
    }
}

async fn talk<T, E: From<ProcessError>>(
    child: &mut Child,
    input: &[u8],
    work: impl AsyncFnOnce(ChildStdout) -> Result<T, E>,
) -> Result<(ExitStatus, T, String), E> {
    let (stdin, stdout, stderr) =
        (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
        return Err(ProcessError::Start(io::Error::other("no pipes")).into());
    };
    let write = async {
        if let Some(mut stdin) = stdin {
            // A program that ends early says why by its exit status.
            stdin.write_all(input).await.unwrap_or_default();
        }
        Ok(())
    };
    let complaints = async {
        read(stderr, MOST_COMPLAINTS)
            .await
            .map_err(|error| ProcessError::Broken(error).into())
    };
    let ((), done, complaints) = tokio::try_join!(write, work(stdout), complaints)?;
    let status = child.wait().await.map_err(ProcessError::Broken)?;
    Ok((status, done, String::from_utf8_lossy(&complaints).into_owned()))
}

/// Reads to the end, and keeps so many bytes.
async fn read(mut from: impl AsyncRead + Unpin, most: u64) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    (&mut from).take(most).read_to_end(&mut kept).await?;
    tokio::io::copy(&mut from, &mut tokio::io::sink()).await?;
    Ok(kept)
}

/// Bounds every file that a process, and what it starts from now on, can write. It leaves no
/// core behind: that could hold a token.
fn limit(process: Option<Pid>, bytes: u64) {
    for (resource, most) in [(Resource::Fsize, bytes), (Resource::Core, 0)] {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        if let Err(error) = prlimit(process, resource, limit) {
            tracing::debug!(%error, "a program runs without a limit");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Bounds =
        Bounds { time: Duration::from_secs(60), output: 1000, file: 10_000 };

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[tokio::test]
    async fn a_program_is_told_and_heard() {
        let script = "cat; echo complaint >&2; exit 3";
        let ended = run(shell(script), b"hello".to_vec(), LONG).await.unwrap();
        assert_eq!(ended.status.code(), Some(3));
        assert_eq!(ended.output, b"hello");
        assert_eq!(ended.complaints, "complaint\n");
    }

    #[tokio::test]
    async fn a_program_that_takes_too_long_is_not_waited_for() {
        let bounds = Bounds { time: Duration::from_millis(100), ..LONG };
        let error = run(shell("sleep 1000"), Vec::new(), bounds).await.unwrap_err();
        assert!(matches!(error, ProcessError::Late(_)), "{error}");
    }

    #[tokio::test]
    async fn a_program_that_nobody_waits_for_is_killed_with_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pids");
        let script =
            format!("sleep 1000 & echo $! >{0}; echo $$ >>{0}; wait", path.display());
        let pids = async {
            loop {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                if text.matches('\n').count() == 2 {
                    return text;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let pids = tokio::select! {
            ended = run(shell(&script), Vec::new(), LONG) => panic!("{ended:?}"),
            pids = pids => pids,
        };
        for pid in pids.lines() {
            // What is dead may not have been noticed by its parent yet.
            while std::fs::read_to_string(format!("/proc/{pid}/stat"))
                .is_ok_and(|stat| !stat.contains(") Z "))
            {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        }
    }

    #[tokio::test]
    async fn output_and_files_are_bounded() {
        let much = run(shell("head -c 1001 /dev/zero"), Vec::new(), LONG).await;
        assert!(matches!(much, Err(ProcessError::TooMuch)), "{much:?}");
        let folder = tempfile::tempdir().unwrap();
        let script = format!(
            "read word; exec head -c 20000 /dev/zero >{}/file",
            folder.path().display()
        );
        let ended = run(shell(&script), b"go\n".to_vec(), LONG).await.unwrap();
        assert!(!ended.status.success(), "{ended:?}");
        assert_eq!(folder.path().join("file").metadata().unwrap().len(), 10_000);
    }
}

//! Reading what a container wrote.

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptions;
use futures_util::TryStreamExt;

use super::error::CallError;
use super::wire::Wire;
use crate::state::ids::ContainerId;
use crate::state::secret::Secret;
use crate::state::step::{Done, Failure};

/// How many lines are read.
const LINES: &str = "200";

/// How many bytes are kept of them, the last ones.
const BYTES: usize = 64 << 10;

/// Reads the last lines of a container, with their times.
pub(super) async fn read(wire: &Wire, container: &ContainerId) -> Result<Done, Failure> {
    let about = format!("read the log of {}", container.short());
    let options = LogsOptions {
        stdout: true,
        stderr: true,
        timestamps: true,
        tail: LINES.to_owned(),
        ..LogsOptions::default()
    };
    let mut lines = wire.client().logs(container.as_str(), Some(options));
    let mut bytes: Vec<u8> = Vec::new();
    loop {
        match lines.try_next().await {
            Ok(Some(line)) => bytes.extend_from_slice(&LogOutput::into_bytes(line)),
            Ok(None) => break,
            Err(error) => return Err(CallError::from(error).failing(&about)),
        }
        let over = bytes.len().saturating_sub(2 * BYTES);
        bytes.drain(..over);
    }
    bytes.drain(..bytes.len().saturating_sub(BYTES));
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Done::Log { lines: Secret::new(text) })
}

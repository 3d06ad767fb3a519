//! `config`: the canonical stack, as the engine would get it, secrets and all.

use anyhow::Result;

use super::session::Session;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::compose::render;

pub(super) fn run(session: &Session) -> Result<Exit> {
    let stacks = session.load();
    session.show_problems(&stacks)?;
    let mut exit = Exit::Good;
    let count = stacks.stacks.len();
    for stack in &stacks.stacks {
        let Some(desired) = stack.desired() else {
            exit = Exit::Invalid;
            continue;
        };
        match session.output.format {
            Format::Json => {
                let text = render::json_text(&desired.canonical);
                session.output.raw_result(text.as_bytes())?;
            }
            Format::Text => {
                if count > 1 {
                    session.output.result("---\n")?;
                }
                let text = render::yaml_text(&desired.canonical);
                session.output.raw_result(text.as_bytes())?;
            }
        }
    }
    Ok(exit)
}

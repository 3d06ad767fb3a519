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
        let (Some(canonical), Some(_)) = (&stack.loaded.canonical, stack.desired()) else {
            exit = Exit::Invalid;
            continue;
        };
        match session.output.format {
            Format::Json => session.output.json(&render::json(canonical))?,
            Format::Text => {
                if count > 1 {
                    session.output.result("---\n")?;
                }
                session.output.raw_result(render::yaml(canonical).as_bytes())?;
            }
        }
    }
    Ok(exit)
}

//! `validate`: loads everything and reports all problems.

use anyhow::Result;
use serde::Serialize;

use super::session::Session;
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::view::problems::{self, ProblemJson};
use crate::view::text::count;

#[derive(Serialize)]
struct Report {
    valid: bool,
    problems: Vec<ProblemJson>,
}

pub(super) fn run(session: &Session) -> Result<Exit> {
    let stacks = session.load();
    let valid = stacks.stacks.iter().all(|stack| stack.desired().is_some());
    match session.output.format {
        Format::Json => {
            session.show_warnings(&stacks)?;
            let problems = stacks.stacks.iter().flat_map(|it| {
                problems::json(&it.loaded.problems, &it.loaded.sources).problems
            });
            session.output.json(&Report { valid, problems: problems.collect() })?;
        }
        Format::Text => {
            session.show_problems(&stacks)?;
            for stack in &stacks.stacks {
                let name = stack.files.iter().map(|path| path.display().to_string());
                let name = name.collect::<Vec<_>>().join(" + ");
                let line = match stack.desired() {
                    Some(desired) => format!(
                        "{name}: valid, project {} with {}\n",
                        desired.project,
                        count(desired.services.len(), "service")
                    ),
                    None => format!(
                        "{name}: invalid, {}\n",
                        problems::summary(&stack.loaded.problems)
                    ),
                };
                session.output.result(&line)?;
            }
        }
    }
    Ok(if valid { Exit::Good } else { Exit::Invalid })
}

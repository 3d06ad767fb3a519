//! `logs`: what the containers write.

use std::collections::{BTreeMap, BTreeSet};
use std::io::IsTerminal;
use std::sync::Arc;

use anyhow::Result;
use tokio::sync::mpsc;

use super::events;
use super::run::asked_to_end;
use super::session::{Connected, Session};
use crate::cli::arguments::{Logs, Since, Tail};
use crate::cli::exit::Exit;
use crate::cli::options::Format;
use crate::engine::EngineError;
use crate::logbook::{Logbook, Told};
use crate::state::concealer::Concealer;
use crate::state::desired::Desired;
use crate::state::ids::{ContainerId, ServiceName};
use crate::state::log::{Part, Writer};
use crate::state::value::Value;
use crate::view::log::{self, Look};
use crate::view::text::printable;

/// How many lines may wait to be printed.
const BACKLOG: usize = 1024;

/// How many bytes are printed at once, at most.
const BUFFER: usize = 64 << 10;

pub(super) async fn run(session: &Session, options: &Logs) -> Result<Exit> {
    let stacks = events::desired(session)?;
    if stacks.is_empty() {
        return Ok(Exit::Invalid);
    }
    let services: BTreeSet<ServiceName> =
        options.services.iter().map(|it| ServiceName::new(it.as_str())).collect();
    for service in &services {
        if !stacks.iter().any(|it| it.services.contains_key(service)) {
            return session.no_such_service(service, &stacks);
        }
    }
    let connected = match session.connect().await {
        Ok(connected) => connected,
        Err(error) => return session.no_engine(&error),
    };
    tokio::select! {
        shown = show(session, options, &connected, &stacks, &services) => shown,
        () = asked_to_end() => Ok(Exit::Good),
    }
}

/// Shows the logs of all stacks: of several, what was written stack by stack, and what follows
/// as it comes.
async fn show(
    session: &Session,
    options: &Logs,
    connected: &Connected,
    stacks: &[Desired],
    services: &BTreeSet<ServiceName>,
) -> Result<Exit> {
    let now = connected.clock.now().engine;
    let since = options.since.map(|since| match since {
        Since::At(time) => time,
        Since::Ago(time) => now.checked_sub(time).unwrap_or(now),
    });
    let tail = match options.tail {
        Tail::All => None,
        Tail::Lines(lines) => Some(lines),
    };
    let part = Part { since, tail, follow: false };
    let meant = stacks.iter().filter(|stack| {
        services.is_empty() || services.iter().any(|it| stack.services.contains_key(it))
    });
    let mut printers = Vec::new();
    for stack in meant {
        let (teller, told) = mpsc::channel(BACKLOG);
        let (engine, project) = (connected.engine.clone(), stack.project.clone());
        let mut book = Logbook::new(engine, project, services.clone(), teller);
        let writers = match book.open().await {
            Ok(writers) => writers,
            Err(error) => return cannot_open(session, &error),
        };
        let printer = Printer::new(session, options, stack, &writers);
        let follows = options.follow;
        let told_all = async move {
            // Whoever listens no more has no use for the rest.
            if book.past(&writers, part, now).await.is_ok() && follows {
                book.follow().await.unwrap_or(());
            }
        };
        printers.push(async move {
            let ((), done) = tokio::join!(told_all, printer.print(told));
            done
        });
    }
    if options.follow {
        futures_util::future::try_join_all(printers).await?;
    } else {
        for printer in printers {
            printer.await?;
        }
    }
    Ok(Exit::Good)
}

fn cannot_open(session: &Session, error: &EngineError) -> Result<Exit> {
    if matches!(error, EngineError::Unsupported { .. }) {
        session.output.notice(&format!("error: {error}\n"))?;
        return Ok(Exit::Invalid);
    }
    session.no_engine(error)
}

/// Prints what is told of one stack.
struct Printer<'a> {
    session: &'a Session,
    options: &'a Logs,
    stack: &'a Desired,
    /// The places of the services, which give them their colours.
    places: BTreeMap<&'a ServiceName, usize>,
    width: usize,
    has_colors: bool,
    is_terminal: bool,
    /// What is secret, by container: what the stack knows, and what a container has of old.
    concealers: BTreeMap<ContainerId, Concealer>,
    waiting: Vec<u8>,
}

impl<'a> Printer<'a> {
    fn new(
        session: &'a Session,
        options: &'a Logs,
        stack: &'a Desired,
        writers: &[Arc<Writer>],
    ) -> Self {
        let titles = writers.iter().map(|it| it.title(stack.project.as_str()).len());
        Self {
            session,
            options,
            stack,
            places: stack.services.keys().zip(0..).collect(),
            width: titles.max().unwrap_or_default(),
            has_colors: session.output.colors_stdout(),
            is_terminal: std::io::stdout().is_terminal(),
            concealers: BTreeMap::new(),
            waiting: Vec::new(),
        }
    }

    /// Prints until nothing more is told, or nobody reads it.
    async fn print(mut self, mut told: mpsc::Receiver<Told>) -> Result<()> {
        while let Some(next) = told.recv().await {
            let mut next = Some(next);
            while let Some(told_now) = next {
                self.take(&told_now)?;
                if self.waiting.len() >= BUFFER && !self.flush()? {
                    return Ok(());
                }
                next = told.try_recv().ok();
            }
            if !self.flush()? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Writes what waits; tells whether somebody still reads it.
    fn flush(&mut self) -> Result<bool> {
        let waiting = std::mem::take(&mut self.waiting);
        Ok(waiting.is_empty() || self.session.output.part(&waiting)?)
    }

    fn take(&mut self, told: &Told) -> Result<()> {
        match told {
            Told::Line(writer, line) => {
                let stack = self.stack;
                let concealer = self
                    .concealers
                    .entry(writer.id.clone())
                    .or_insert_with(|| concealer(stack, writer));
                let bytes = if self.session.output.format == Format::Json {
                    log::json(stack.project.as_str(), writer, line, concealer)?
                } else {
                    let place = self.places.get(&writer.service).copied();
                    let style = log::style(place.unwrap_or_default());
                    let look = Look {
                        title: writer.title(stack.project.as_str()),
                        width: self.width,
                        style: self.has_colors.then_some(style),
                        is_dated: self.options.timestamps,
                        is_shown: self.is_terminal,
                    };
                    log::line(look, line, concealer)
                };
                self.waiting.extend(bytes);
                Ok(())
            }
            Told::Unreadable(writer, why) => {
                let driver = &writer.driver;
                self.note(&format!(
                    "{}: the log cannot be read, its driver is `{driver}`: {why}",
                    writer.name
                ))
            }
            Told::Ended(writer) => {
                let (code, id) = (writer.exit_code, writer.id.short());
                self.note(&format!("{} ({id}) ended with code {code}", writer.name))
            }
            Told::Removed(writer) => {
                let id = writer.id.short();
                self.note(&format!("{} ({id}) was removed", writer.name))
            }
            Told::Away(why) => self.note(&format!("the engine is away: {why}")),
        }
    }

    /// Says something beside the lines, after those that were written before.
    fn note(&mut self, text: &str) -> Result<()> {
        // Whether somebody reads the lines is seen at the next one.
        self.flush()?;
        Ok(self.session.output.notice(&format!("{}\n", printable(text)))?)
    }
}

fn concealer(stack: &Desired, writer: &Writer) -> Concealer {
    let own: Vec<Value> =
        writer.secrets.iter().map(|it| Value::Secret(it.clone())).collect();
    Concealer::of(stack, &own)
}

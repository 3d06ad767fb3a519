//! Where text goes: results to standard output, everything else to standard error.

use std::io::{self, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

use super::options::{Color, Format, Options};
use super::progress::{Lines, Live};
use crate::planning::progress::Progress;
use crate::view::json;

/// The two streams of this process, and how to write to them.
///
/// Text comes styled and loses its style where colour has no place. A reader that has
/// gone away (`reconciler diff | head`) is no error.
#[derive(Clone, Debug)]
pub struct Output {
    /// The form that results have.
    pub format: Format,
    color: Color,
    bars: MultiProgress,
}

impl Output {
    /// Makes the output that the options ask for.
    pub fn new(options: &Options) -> Self {
        let can_redraw = io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        let target = if can_redraw {
            ProgressDrawTarget::stderr()
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            format: options.output,
            color: options.color,
            bars: MultiProgress::with_draw_target(target),
        }
    }

    /// Writes a result to standard output.
    pub fn result(&self, text: &str) -> io::Result<()> {
        let stdout = io::stdout().lock();
        let choice = self.choice(AutoStream::choice(&stdout));
        let mut stream = AutoStream::new(stdout, choice);
        self.bars.suspend(|| forgiving(write_all(&mut stream, text)))
    }

    /// Writes a result as it is, such as a script.
    pub fn raw_result(&self, bytes: &[u8]) -> io::Result<()> {
        let mut stdout = io::stdout().lock();
        forgiving(stdout.write_all(bytes).and_then(|()| stdout.flush()))
    }

    /// Writes a part of a result that goes on; tells whether somebody still reads it.
    pub fn part(&self, bytes: &[u8]) -> io::Result<bool> {
        let mut stdout = io::stdout().lock();
        match stdout.write_all(bytes).and_then(|()| stdout.flush()) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Writes a result as JSON to standard output.
    pub fn json(&self, value: &impl Serialize) -> io::Result<()> {
        self.raw_result(json::pretty(value)?.as_bytes())
    }

    /// Writes the next frame of something that is watched: over the last one on a
    /// terminal, below it elsewhere.
    pub fn frame(&self, text: &str) -> io::Result<()> {
        const HOME_AND_CLEAR: &[u8] = b"\x1b[H\x1b[2J\x1b[3J";
        if io::stdout().is_terminal() {
            self.raw_result(HOME_AND_CLEAR)?;
            self.result(text)
        } else {
            self.result(&format!("{text}\n"))
        }
    }

    /// Writes a message to standard error, above any live progress.
    pub fn notice(&self, text: &str) -> io::Result<()> {
        let stderr = io::stderr().lock();
        let choice = self.choice(AutoStream::choice(&stderr));
        drop(stderr);
        self.bars.suspend(|| {
            let mut stream = AutoStream::new(io::stderr().lock(), choice);
            forgiving(write_all(&mut stream, text))
        })
    }

    /// Asks to type `expected`, and tells whether it was typed. Where nobody can answer,
    /// it was not.
    pub fn confirm(&self, question: &str, expected: &str) -> io::Result<bool> {
        if !io::stdin().is_terminal() {
            return Ok(false);
        }
        self.notice(&format!("{question}\nType `{expected}` to go on: "))?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(answer.trim() == expected)
    }

    /// Returns the width of the terminal that results go to; nothing for a pipe.
    pub fn width(&self) -> Option<u16> {
        terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
    }

    /// Returns what follows the work of a loop: live on a terminal, else line by line.
    pub fn progress(&self) -> Box<dyn Progress> {
        if self.bars.is_hidden() {
            Box::new(Lines::new(self.clone()))
        } else {
            Box::new(Live::new(self.clone(), self.bars.clone()))
        }
    }

    /// Tells whether standard output gets colour.
    pub fn colors_stdout(&self) -> bool {
        self.choice(AutoStream::choice(&io::stdout())) != ColorChoice::Never
    }

    /// Tells whether standard error gets colour.
    pub fn colors_stderr(&self) -> bool {
        self.choice(AutoStream::choice(&io::stderr())) != ColorChoice::Never
    }

    /// Applies `--color` to what the stream and the environment ask for.
    const fn choice(&self, automatic: ColorChoice) -> ColorChoice {
        match self.color {
            Color::Auto => automatic,
            Color::Always => ColorChoice::AlwaysAnsi,
            Color::Never => ColorChoice::Never,
        }
    }
}

/// Writes the log to standard error, above any live progress.
impl<'a> tracing_subscriber::fmt::MakeWriter<'a> for Output {
    type Writer = LogWriter;

    fn make_writer(&'a self) -> LogWriter {
        LogWriter(self.bars.clone())
    }
}

/// See the [`MakeWriter`](tracing_subscriber::fmt::MakeWriter) of [`Output`].
#[derive(Debug)]
pub struct LogWriter(MultiProgress);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.suspend(|| io::stderr().lock().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

fn write_all(stream: &mut impl Write, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes())?;
    stream.flush()
}

fn forgiving(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        result => result,
    }
}

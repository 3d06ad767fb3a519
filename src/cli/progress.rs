//! The progress of a loop on standard error: live, or line by line.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::output::Output;
use crate::planning::progress::{Progress, ProgressEvent, ProgressState};
use crate::state::time::Moment;
use crate::view::progress;
use crate::view::style::{BAD, GOOD, STRONG, paint};

/// How often a live line moves.
const TICK: Duration = Duration::from_millis(120);

/// A line for each change of state, for logs and pipes.
#[derive(Debug)]
pub struct Lines<W = Notices> {
    sink: W,
    last: BTreeMap<String, Said>,
}

/// What was last said of an object.
type Said = (Discriminant<ProgressState>, Option<String>);

/// Writes to standard error.
#[derive(Debug)]
pub struct Notices(Output);

impl Write for Notices {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.notice(&String::from_utf8_lossy(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    /// Writes the lines to standard error.
    pub const fn new(output: Output) -> Self {
        Self { sink: Notices(output), last: BTreeMap::new() }
    }
}

impl<W: Write + Send> Progress for Lines<W> {
    fn report(&mut self, event: &ProgressEvent) {
        let said = (discriminant(&event.state), event.message.clone());
        if self.last.get(&event.object) == Some(&said) {
            return;
        }
        self.last.insert(event.object.clone(), said);
        let line = progress::line(event) + "\n";
        // Progress that cannot be written is no reason to stop the work.
        match self.sink.write_all(line.as_bytes()) {
            Ok(()) | Err(_) => {}
        }
    }

    fn finish(&mut self) {}
}

/// A line for each object, redrawn as it changes; what is left at the end stays.
#[derive(Debug)]
pub struct Live {
    output: Output,
    bars: MultiProgress,
    objects: Vec<LiveObject>,
}

/// One line.
#[derive(Clone, Debug)]
struct LiveObject {
    name: String,
    bar: ProgressBar,
    /// When its present piece of work began.
    began: Moment,
}

impl Live {
    /// Draws on these bars, and leaves its last state on the output.
    pub const fn new(output: Output, bars: MultiProgress) -> Self {
        Self { output, bars, objects: Vec::new() }
    }

    /// Returns the line of an object; a new one if there is none.
    fn line(&mut self, event: &ProgressEvent) -> &mut LiveObject {
        let known = self.objects.iter().position(|object| object.name == event.object);
        let index = known.unwrap_or_else(|| {
            let bar = ProgressBar::no_length().with_style(self.style());
            let bar = self.bars.add(bar);
            bar.enable_steady_tick(TICK);
            let name = event.object.clone();
            self.objects.push(LiveObject { name, bar, began: event.at });
            self.align();
            self.objects.len() - 1
        });
        // The index was found, or is that of the object that was pushed.
        &mut self.objects[index]
    }

    /// Makes all labels as wide as the widest.
    fn align(&self) {
        let labels = self.objects.iter().map(|object| progress::label(&object.name));
        let labels: Vec<String> = labels.collect();
        let width = labels.iter().map(|label| label.chars().count()).max().unwrap_or(0);
        for (object, label) in self.objects.iter().zip(labels) {
            object.bar.set_prefix(format!("{label:width$}"));
        }
    }

    fn style(&self) -> ProgressStyle {
        let template = if self.output.colors_stderr() {
            "{spinner:.cyan} {prefix:.bold}  {wide_msg}"
        } else {
            "{spinner} {prefix}  {wide_msg}"
        };
        ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_spinner())
            .tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏✔")
    }
}

impl Progress for Live {
    fn report(&mut self, event: &ProgressEvent) {
        let object = self.line(event);
        if object.bar.is_finished() && !progress::is_settled(event) {
            object.began = event.at;
            object.bar.reset();
            object.bar.enable_steady_tick(TICK);
        }
        let text = progress::live(event, event.at.since(object.began));
        if progress::is_settled(event) {
            object.bar.finish_with_message(text);
        } else {
            object.bar.set_message(text);
        }
    }

    fn finish(&mut self) {
        let mut last = String::new();
        for object in self.objects.drain(..) {
            let mark = if object.bar.is_finished() {
                paint(GOOD, "✔")
            } else {
                paint(BAD, "✘")
            };
            let label = paint(STRONG, object.bar.prefix());
            last.extend([&mark, " ", &label, "  ", &object.bar.message(), "\n"]);
            object.bar.finish_and_clear();
            self.bars.remove(&object.bar);
        }
        // Progress that cannot be written is no reason to fail.
        match self.output.notice(&last) {
            Ok(()) | Err(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::arguments::parse_from;
    use indicatif::ProgressDrawTarget;

    fn event(millis: u64, state: ProgressState, message: Option<&str>) -> ProgressEvent {
        ProgressEvent {
            at: Moment(Duration::from_millis(millis)),
            object: "service/etcd/1".to_owned(),
            state,
            message: message.map(str::to_owned),
            reason: None,
        }
    }

    #[test]
    fn a_line_is_written_once_for_each_change_of_state() {
        let pulling = |current| ProgressState::Pulling {
            image: "etcd:3".into(),
            current,
            total: 100,
        };
        let mut lines = Lines { sink: Vec::new(), last: BTreeMap::new() };
        for state in [
            pulling(0),
            pulling(50),
            ProgressState::Pulled,
            ProgressState::AwaitingHealth,
            ProgressState::AwaitingHealth,
            ProgressState::Ready,
        ] {
            lines.report(&event(0, state, None));
        }
        lines.report(&event(0, ProgressState::Waiting, Some("a")));
        lines.report(&event(0, ProgressState::Waiting, Some("b")));
        insta::assert_snapshot!(String::from_utf8(lines.sink).unwrap(), @r"
        service/etcd/1  pulling etcd:3
        service/etcd/1  pulled
        service/etcd/1  waiting for health
        service/etcd/1  ready
        service/etcd/1  waiting for a
        service/etcd/1  waiting for b
        ");
    }

    #[test]
    fn a_live_line_ends_with_the_time_it_took_and_begins_anew() {
        let bars = MultiProgress::with_draw_target(ProgressDrawTarget::hidden());
        let arguments =
            parse_from(["reconciler", "diff"].map(Into::into), &BTreeMap::new(), |_| {
                None
            });
        let output = Output::new(&arguments.unwrap().options);
        let mut live = Live::new(output, bars);
        live.report(&event(1000, ProgressState::Starting, None));
        live.report(&event(2300, ProgressState::Ready, None));
        let bar = live.objects[0].bar.clone();
        assert_eq!((bar.prefix(), bar.message()), ("etcd".into(), "Ready 1.3s".into()));
        assert!(bar.is_finished());
        live.report(&event(9000, ProgressState::Stopping, None));
        assert_eq!((bar.message(), bar.is_finished()), ("Stopping".into(), false));
        live.report(&event(9500, ProgressState::Removed, None));
        assert_eq!(bar.message(), "Removed 0.5s");
        assert_eq!(live.objects.len(), 1);
    }
}

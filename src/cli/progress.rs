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

/// A line for each object, redrawn as it changes.
#[derive(Debug)]
pub struct Live {
    bars: MultiProgress,
    colors: bool,
    width: usize,
    objects: BTreeMap<String, (ProgressBar, Moment)>,
}

impl Live {
    /// Draws on these bars.
    pub const fn new(bars: MultiProgress, colors: bool) -> Self {
        Self { bars, colors, width: 0, objects: BTreeMap::new() }
    }

    /// Returns the bar of an object, and when its work began.
    fn bar(&mut self, event: &ProgressEvent) -> (ProgressBar, Moment) {
        if let Some(known) = self.objects.get(&event.object) {
            return known.clone();
        }
        let bar = self.bars.add(ProgressBar::no_length().with_style(self.style()));
        bar.enable_steady_tick(Duration::from_millis(120));
        let label = progress::label(&event.object);
        self.objects.insert(event.object.clone(), (bar.clone(), event.at));
        self.width = self.width.max(label.chars().count());
        for (object, (bar, _)) in &self.objects {
            bar.set_prefix(format!("{:1$}", progress::label(object), self.width));
        }
        (bar, event.at)
    }

    fn style(&self) -> ProgressStyle {
        let template = if self.colors {
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
        let (bar, began) = self.bar(event);
        let text = progress::live(event, event.at.since(began));
        if progress::is_settled(event) {
            bar.finish_with_message(text);
        } else {
            if bar.is_finished() {
                bar.reset();
                bar.enable_steady_tick(Duration::from_millis(120));
                self.objects.insert(event.object.clone(), (bar.clone(), event.at));
            }
            bar.set_message(text);
        }
    }

    fn finish(&mut self) {
        for (bar, _) in self.objects.values().filter(|(bar, _)| !bar.is_finished()) {
            bar.abandon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use indicatif::ProgressDrawTarget;

    fn event(millis: u64, state: ProgressState, message: Option<&str>) -> ProgressEvent {
        ProgressEvent {
            at: Moment(Duration::from_millis(millis)),
            object: "service/etcd/1".to_owned(),
            state,
            message: message.map(str::to_owned),
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
        let mut live = Live::new(bars, false);
        live.report(&event(1000, ProgressState::Starting, None));
        live.report(&event(2300, ProgressState::Ready, None));
        let (bar, _) = live.objects["service/etcd/1"].clone();
        assert_eq!((bar.prefix(), bar.message()), ("etcd".into(), "Ready 1.3s".into()));
        assert!(bar.is_finished());
        live.report(&event(9000, ProgressState::Stopping, None));
        assert_eq!((bar.message(), bar.is_finished()), ("Stopping".into(), false));
        live.report(&event(9500, ProgressState::Removed, None));
        assert_eq!(bar.message(), "Removed 0.5s");
    }
}

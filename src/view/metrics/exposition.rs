//! The text formats of Prometheus: 0.0.4, and `OpenMetrics` 1.0.

use std::time::Duration;

use crate::planning::tally::Histogram;
use crate::state::time::EngineTime;

/// The forms of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// The text format of Prometheus, 0.0.4.
    Prometheus,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

/// The kinds of metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The value of a sample.
#[derive(Clone, Debug)]
pub(super) struct Number(String);

impl From<u64> for Number {
    fn from(number: u64) -> Self {
        Self(number.to_string())
    }
}

impl From<u32> for Number {
    fn from(number: u32) -> Self {
        Self(number.to_string())
    }
}

impl From<i32> for Number {
    fn from(number: i32) -> Self {
        Self(number.to_string())
    }
}

impl From<bool> for Number {
    fn from(holds: bool) -> Self {
        Self(u8::from(holds).to_string())
    }
}

impl From<f64> for Number {
    fn from(number: f64) -> Self {
        Self(number.to_string())
    }
}

impl From<Duration> for Number {
    fn from(time: Duration) -> Self {
        Self(time.as_secs_f64().to_string())
    }
}

impl From<EngineTime> for Number {
    fn from(time: EngineTime) -> Self {
        let since_1970 = time.duration_since(EngineTime::UNIX_EPOCH);
        Self(since_1970.as_secs_f64().to_string())
    }
}

/// The text so far. A family without samples is not told of.
#[derive(Debug)]
pub(super) struct Page {
    form: Form,
    text: String,
    name: &'static str,
    /// The head of a family that has no sample yet.
    head: Option<String>,
}

impl Page {
    pub(super) const fn new(form: Form) -> Self {
        Self { form, text: String::new(), name: "", head: None }
    }

    /// Begins a family; its samples follow.
    pub(super) fn family(&mut self, name: &'static str, kind: Kind, help: &str) {
        let family = match self.form {
            Form::Prometheus => name,
            // There a counter is named without the end that its samples have.
            Form::OpenMetrics => name.strip_suffix("_total").unwrap_or(name),
        };
        let kind = kind.as_str();
        self.name = name;
        self.head = Some(format!("# HELP {family} {help}\n# TYPE {family} {kind}\n"));
    }

    /// Tells a sample of the family.
    pub(super) fn sample(
        &mut self,
        labels: &[(&'static str, &str)],
        value: impl Into<Number>,
    ) {
        self.line("", labels, None, value.into());
    }

    /// Tells a histogram of the family.
    pub(super) fn histogram(
        &mut self,
        labels: &[(&'static str, &str)],
        histogram: &Histogram,
    ) {
        for (bound, count) in histogram.cumulative() {
            let Number(bound) = Duration::from_millis(bound).into();
            // OpenMetrics wants a number that cannot be taken for a whole one.
            let bound = if bound.contains('.') { bound } else { bound + ".0" };
            self.line("_bucket", labels, Some(&bound), count.into());
        }
        self.line("_bucket", labels, Some("+Inf"), histogram.count.into());
        self.line("_sum", labels, None, histogram.sum.into());
        self.line("_count", labels, None, histogram.count.into());
    }

    fn line(
        &mut self,
        suffix: &str,
        labels: &[(&'static str, &str)],
        bound: Option<&str>,
        Number(value): Number,
    ) {
        if let Some(head) = self.head.take() {
            self.text += &head;
        }
        let bound = bound.map(|it| ("le", it));
        let labels: Vec<String> = labels
            .iter()
            .copied()
            .chain(bound)
            .map(|(name, value)| format!("{name}=\"{}\"", escaped(value)))
            .collect();
        let labels = match labels.as_slice() {
            [] => String::new(),
            labels => format!("{{{}}}", labels.join(",")),
        };
        self.text += &format!("{}{suffix}{labels} {value}\n", self.name);
    }

    /// Returns the whole text.
    pub(super) fn ended(self) -> String {
        match self.form {
            Form::Prometheus => self.text,
            Form::OpenMetrics => self.text + "# EOF\n",
        }
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

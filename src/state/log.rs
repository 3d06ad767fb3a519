//! What containers write.

use super::ids::{ContainerId, ContainerName, ServiceName};
use super::secret::Secret;
use super::time::EngineTime;

/// How long a line may be, in bytes: what is longer is told in parts.
const LONGEST: usize = 1 << 20;

/// How many bytes of a line the engine keeps as one record.
const RECORD: usize = 16 << 10;

/// A container that writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// Its id.
    pub id: ContainerId,
    /// Its name.
    pub name: ContainerName,
    /// Its service.
    pub service: ServiceName,
    /// The number of the replica.
    pub number: u32,
    /// It runs, or is about to.
    pub is_running: bool,
    /// With which code it ended; of one that runs, how it ended before.
    pub exit_code: i64,
    /// The engine's word for what keeps its log.
    pub driver: String,
    /// What is secret about its environment, as far as names tell.
    pub secrets: Vec<Secret>,
}

impl Writer {
    /// Returns what it is called beside its lines, as `docker compose` does: its name without
    /// the project's, and without what is added while it gives way to another one.
    pub fn title(&self, project: &str) -> &str {
        let name = self.name.as_str();
        let own = match name.rsplit_once('.') {
            Some((own, word)) if is_aside(word) => own,
            Some(_) | None => name,
        };
        let short = own.strip_prefix(project);
        let short = short.and_then(|rest| rest.strip_prefix(['-', '_']));
        short.filter(|rest| !rest.is_empty()).unwrap_or(own)
    }
}

/// Tells whether a name ends so while a replica has two containers: a word, and eight digits of
/// an id.
fn is_aside(word: &str) -> bool {
    let Some((word, digits)) = word.split_once('-') else { return false };
    !word.is_empty()
        && word.bytes().all(|it| it.is_ascii_lowercase())
        && digits.len() == 8
        && digits.bytes().all(|it| it.is_ascii_hexdigit())
}

/// Which part of a log is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Part {
    /// What was written before is left out.
    pub since: Option<EngineTime>,
    /// Only so many lines, the last ones.
    pub tail: Option<u64>,
    /// What is yet to be written follows.
    pub follow: bool,
}

/// Where a line was written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stream {
    /// Standard output, or the terminal of a container that has one.
    Output,
    /// Standard error.
    Error,
}

impl Stream {
    /// Returns the usual word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Output => "stdout",
            Self::Error => "stderr",
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was written.
    pub at: EngineTime,
    /// Where to.
    pub stream: Stream,
    /// Its bytes, without the end of the line.
    pub bytes: Vec<u8>,
}

/// Makes lines of the records of one log, each of which begins with its time.
#[derive(Debug, Default)]
pub struct Lines {
    output: Option<(EngineTime, Vec<u8>)>,
    error: Option<(EngineTime, Vec<u8>)>,
    last: EngineTime,
}

impl Lines {
    /// Takes a record; returns the line that it ends, if it does.
    pub fn take(&mut self, stream: Stream, record: &[u8]) -> Option<Line> {
        let (at, text) = dated(record).unwrap_or((self.last, record));
        self.last = at;
        let open = self.open(stream);
        let (_, bytes) = open.get_or_insert_with(|| (at, Vec::new()));
        append(bytes, text);
        if let Some(b'\n') = bytes.last() {
            bytes.pop();
        } else if bytes.len() < LONGEST {
            return None;
        }
        let (at, bytes) = open.take()?;
        Some(Line { at, stream, bytes })
    }

    /// Returns what has no end of a line yet.
    pub fn rest(&mut self) -> Vec<Line> {
        let rest = [Stream::Output, Stream::Error].into_iter().filter_map(|stream| {
            let (at, bytes) = self.open(stream).take()?;
            Some(Line { at, stream, bytes })
        });
        rest.collect()
    }

    const fn open(&mut self, stream: Stream) -> &mut Option<(EngineTime, Vec<u8>)> {
        match stream {
            Stream::Output => &mut self.output,
            Stream::Error => &mut self.error,
        }
    }
}

/// Splits a record into its time and the rest.
fn dated(record: &[u8]) -> Option<(EngineTime, &[u8])> {
    // A time with an offset has 35 characters.
    let end = record.iter().take(36).position(|it| *it == b' ')?;
    let (time, text) = record.split_at(end);
    Some((str::from_utf8(time).ok()?.parse().ok()?, &text[1..]))
}

/// Adds text, in which further records of one line may stand behind their times: those of a
/// terminal come without a border.
fn append(bytes: &mut Vec<u8>, mut text: &[u8]) {
    while let Some((record, rest)) = text.split_at_checked(RECORD) {
        let Some((_, next)) = dated(rest) else { break };
        bytes.extend_from_slice(record);
        text = next;
    }
    bytes.extend_from_slice(text);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIME: &str = "2026-11-28T10:00:00.000000001Z";

    #[test]
    fn a_container_is_called_by_what_its_name_adds_to_the_project() {
        let title = |name: &str| {
            let writer = Writer {
                id: "a".into(),
                name: name.into(),
                service: "web".into(),
                number: 2,
                is_running: true,
                exit_code: 0,
                driver: "json-file".to_owned(),
                secrets: Vec::new(),
            };
            writer.title("shop").to_owned()
        };
        assert_eq!(title("shop-web-2"), "web-2");
        assert_eq!(title("shop_web_2"), "web_2");
        assert_eq!(title("shopping"), "shopping");
        assert_eq!(title("milvus-etcd"), "milvus-etcd");
        assert_eq!(title("shop-web-2.next-0123abcd"), "web-2");
        assert_eq!(title("milvus-etcd.old-0123abcd"), "milvus-etcd");
        assert_eq!(title("db.example-2"), "db.example-2");
    }

    fn record(text: &str) -> Vec<u8> {
        format!("{TIME} {text}").into_bytes()
    }

    #[test]
    fn a_record_is_a_line_with_its_time() {
        let mut lines = Lines::default();
        let line = lines.take(Stream::Error, &record("a b\r\n")).unwrap();
        assert_eq!((line.at, line.stream), (TIME.parse().unwrap(), Stream::Error));
        assert_eq!(line.bytes, b"a b\r");
        let empty = lines.take(Stream::Output, &record("\n")).unwrap();
        assert_eq!(empty.bytes, b"");
        let offset = b"2026-11-28T18:00:00.000000001+08:00 x\n";
        let line = lines.take(Stream::Output, offset).unwrap();
        assert_eq!((line.at, line.bytes), (TIME.parse().unwrap(), b"x".to_vec()));
        // What has no time was written at the last one.
        let line = lines.take(Stream::Output, b"\xff\xfe\n").unwrap();
        assert_eq!((line.at, line.bytes), (TIME.parse().unwrap(), b"\xff\xfe".to_vec()));
    }

    #[test]
    fn the_parts_of_a_long_line_are_joined_each_stream_by_itself() {
        let mut lines = Lines::default();
        assert_eq!(lines.take(Stream::Output, &record("one ")), None);
        assert_eq!(lines.take(Stream::Error, &record("other")), None);
        let line = lines.take(Stream::Output, &record("line\n")).unwrap();
        assert_eq!(line.bytes, b"one line");
        let rest = lines.rest();
        assert_eq!((rest.len(), rest[0].bytes.as_slice()), (1, &b"other"[..]));
        assert!(lines.rest().is_empty());
    }

    #[test]
    fn the_parts_of_a_long_line_on_a_terminal_hide_their_times() {
        let (long, mut lines) = ("x".repeat(RECORD), Lines::default());
        let both = record(&format!("{long}{TIME} {long}{TIME} end\n"));
        let line = lines.take(Stream::Output, &both).unwrap();
        assert_eq!(line.bytes, format!("{long}{long}end").into_bytes());
    }

    #[test]
    fn a_line_without_end_is_told_in_parts() {
        let mut lines = Lines::default();
        let long = record(&"x".repeat(LONGEST));
        assert_eq!(lines.take(Stream::Output, &long).unwrap().bytes.len(), LONGEST);
    }
}

//! What `logs` prints: the lines of containers, each behind the name of who wrote it.

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::style::paint;
use super::text::{one_line, printable};
use crate::state::concealer::Concealer;
use crate::state::log::{Line, Writer};

/// The colours of services, one after the other.
const COLORS: [AnsiColor; 12] = [
    AnsiColor::Cyan,
    AnsiColor::Yellow,
    AnsiColor::Green,
    AnsiColor::Magenta,
    AnsiColor::Blue,
    AnsiColor::Red,
    AnsiColor::BrightCyan,
    AnsiColor::BrightYellow,
    AnsiColor::BrightGreen,
    AnsiColor::BrightMagenta,
    AnsiColor::BrightBlue,
    AnsiColor::BrightRed,
];

/// What stands at the end of a line that had a style of its own.
const RESET: &str = "\u{1b}[0m";

/// Returns the style of the names of a service, by its place among the services.
pub const fn style(place: usize) -> Style {
    COLORS[place % COLORS.len()].on_default()
}

/// How a line is printed.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Who wrote it.
    pub title: &'a str,
    /// How wide names are.
    pub width: usize,
    /// How names look; nothing where colour has no place.
    pub style: Option<Style>,
    /// Its time is told, too.
    pub is_dated: bool,
    /// It goes to a terminal, which it must not steer.
    pub is_shown: bool,
}

/// Returns a line as it is printed. What is secret is taken out; for all else the bytes stay as
/// they are, unless they go to a terminal.
pub fn line(look: Look<'_>, line: &Line, concealer: &Concealer) -> Vec<u8> {
    let Look { title, width, style, is_dated, is_shown } = look;
    let name = format!("{:<width$} | ", one_line(title));
    let mut text = match style {
        Some(style) => paint(style, name),
        None => name,
    };
    if is_dated {
        // Always as many digits, so that lines stand below one another.
        text += &format!("{:.9} ", line.at);
    }
    let mut bytes = text.into_bytes();
    if is_shown {
        let said = concealer.conceal(&String::from_utf8_lossy(&line.bytes));
        bytes.extend(shown(said.trim_end_matches('\r'), style.is_some()).into_bytes());
    } else {
        bytes.extend(concealed(&line.bytes, concealer));
    }
    bytes.push(b'\n');
    bytes
}

/// Takes secrets out of bytes that may be no text.
fn concealed(bytes: &[u8], concealer: &Concealer) -> Vec<u8> {
    let mut shown = Vec::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        shown.extend_from_slice(concealer.conceal(chunk.valid()).as_bytes());
        shown.extend_from_slice(chunk.invalid());
    }
    shown
}

/// Neutralises what could steer a terminal. Tabs stay; so do colours, where they have a place,
/// up to the end of the line.
fn shown(text: &str, with_colors: bool) -> String {
    let mut safe = String::with_capacity(text.len());
    let (mut rest, mut is_styled) = (text, false);
    while let Some(at) = rest.find(['\u{1b}', '\t']) {
        let (before, after) = rest.split_at(at);
        safe += &printable(before);
        let length = match style_length(after) {
            Some(length) => {
                is_styled |= with_colors;
                safe += after.get(..length).filter(|_| with_colors).unwrap_or_default();
                length
            }
            None if after.starts_with('\t') => {
                safe.push('\t');
                1
            }
            None => {
                safe += &printable("\u{1b}");
                1
            }
        };
        rest = after.get(length..).unwrap_or_default();
    }
    safe += &printable(rest);
    if is_styled {
        safe += RESET;
    }
    safe
}

/// Returns the length of a sequence that only gives text a style: `ESC [ digits ; … m`.
fn style_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|it: char| !it.is_ascii_digit() && it != ';')?;
    parameters[end..].starts_with('m').then_some(2 + end + 1)
}

/// What `logs -o json` prints of one line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct LineJson<'a> {
    time: String,
    stack: &'a str,
    service: &'a str,
    container: &'a str,
    stream: &'static str,
    message: String,
}

/// Returns a line as one JSON object on one line.
pub fn json(
    stack: &str,
    writer: &Writer,
    line: &Line,
    concealer: &Concealer,
) -> serde_json::Result<Vec<u8>> {
    let mut text = serde_json::to_vec(&LineJson {
        time: format!("{:.9}", line.at),
        stack,
        service: writer.service.as_str(),
        container: writer.name.as_str(),
        stream: line.stream.as_str(),
        message: concealer.conceal(&String::from_utf8_lossy(&line.bytes)),
    })?;
    text.push(b'\n');
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::log::Stream;

    fn said(bytes: &[u8]) -> Line {
        let at = "2026-11-28T10:00:00.5Z".parse().unwrap();
        Line { at, stream: Stream::Error, bytes: bytes.to_vec() }
    }

    const LOOK: Look<'_> =
        Look { title: "web-1", width: 8, style: None, is_dated: false, is_shown: false };

    fn drawn(look: Look<'_>, bytes: &[u8]) -> String {
        let concealer = Concealer::new(["hunter2"]);
        String::from_utf8(line(look, &said(bytes), &concealer)).unwrap()
    }

    #[test]
    fn a_line_stands_behind_the_name_of_who_wrote_it() {
        assert_eq!(drawn(LOOK, b"ready"), "web-1    | ready\n");
        let dated = drawn(Look { is_dated: true, ..LOOK }, b"ready");
        assert_eq!(dated, "web-1    | 2026-11-28T10:00:00.500000000Z ready\n");
        let colored = drawn(Look { style: Some(style(0)), ..LOOK }, b"ready");
        assert_eq!(colored, "\u{1b}[36mweb-1    | \u{1b}[0mready\n");
    }

    #[test]
    fn a_terminal_is_not_steered_but_may_be_coloured() {
        let shown = Look { is_shown: true, ..LOOK };
        let bytes =
            "\u{1b}[31mred\u{1b}[0m\t\u{1b}[2J\u{1b}]0;x\u{7}\u{202e}\r".as_bytes();
        let text = drawn(shown, bytes);
        assert_eq!(text, "web-1    | red\t\\u{1b}[2J\\u{1b}]0;x\\u{7}\\u{202e}\n");
        let colored = drawn(Look { style: Some(Style::new()), ..shown }, bytes);
        assert!(colored.contains("\u{1b}[31mred\u{1b}[0m\t\\u{1b}[2J"), "{colored:?}");
        assert!(colored.ends_with("\u{1b}[0m\n"));
        assert_eq!(drawn(shown, b"\xff!"), "web-1    | \u{fffd}!\n");
    }

    #[test]
    fn elsewhere_bytes_stay_as_they_are_but_for_secrets() {
        let bytes = b"\xff\x1b[2J hunter2 \xfe\r";
        let text = line(LOOK, &said(bytes), &Concealer::new(["hunter2"]));
        assert_eq!(text, b"web-1    | \xff\x1b[2J (sensitive) \xfe\r\n");
    }

    #[test]
    fn an_object_stands_on_one_line() {
        let writer = Writer {
            id: "0123".into(),
            name: "shop-web-1".into(),
            service: "web".into(),
            number: 1,
            is_running: true,
            exit_code: 0,
            driver: "json-file".to_owned(),
            secrets: Vec::new(),
        };
        let line = said(b"a \"quote\" of hunter2\xff\r");
        let text = json("shop", &writer, &line, &Concealer::new(["hunter2"])).unwrap();
        insta::assert_snapshot!(String::from_utf8(text).unwrap(), @r#"{"time":"2026-11-28T10:00:00.500000000Z","stack":"shop","service":"web","container":"shop-web-1","stream":"stderr","message":"a \"quote\" of (sensitive)�\r"}"#);
    }
}

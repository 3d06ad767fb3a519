//! Numbers, ages and foreign text, as people read them.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::time::Duration;

/// Returns the text with every character that could move the cursor, restyle the terminal
/// or reorder the line spelled out; line breaks stay.
///
/// Whatever came from a file, an image or the engine goes through here.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unprintable) {
        return Cow::Borrowed(text);
    }
    let mut safe = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        if is_unprintable(character) {
            safe.extend(character.escape_default());
        } else {
            safe.push(character);
        }
    }
    Cow::Owned(safe)
}

/// As [`printable`], on one line.
pub fn one_line(text: &str) -> Cow<'_, str> {
    match printable(text) {
        safe if safe.contains('\n') => Cow::Owned(safe.replace('\n', "\\n")),
        safe => safe,
    }
}

fn is_unprintable(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// Returns a number with its noun: `1 error`, `2 errors`.
pub fn count(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}

/// Returns an age in its largest unit: `3s`, `5m`, `2h`, `4d`.
pub fn age(age: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match age.as_secs() {
        seconds @ ..MINUTE => format!("{seconds}s"),
        seconds @ ..HOUR => format!("{}m", seconds / MINUTE),
        seconds if seconds < 2 * DAY => format!("{}h", seconds / HOUR),
        seconds => format!("{}d", seconds / DAY),
    }
}

/// Returns how long something took: `0.4s`, `12s`, `2m05s`.
pub fn took(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        ..10 => format!("{seconds}.{}s", duration.subsec_millis() / 100),
        10..60 => format!("{seconds}s"),
        60.. => format!("{}m{:02}s", seconds / 60, seconds % 60),
    }
}

/// Returns enough of a digest to tell it from others: `sha256:0123456789ab`.
pub fn short_digest(digest: &str) -> &str {
    let hex = digest.find(':').map_or(0, |colon| colon + 1);
    digest.get(..hex + 12).unwrap_or(digest)
}

/// Returns a number of transferred bytes as `docker pull` would: `12.3MB`.
pub fn transferred(bytes: u64) -> String {
    scaled(bytes, 1000, ["B", "kB", "MB", "GB", "TB"])
}

/// Returns a size as Compose files write it, where it has a round form: `8g`, `512m`.
pub fn round_size(bytes: i64) -> Option<String> {
    const UNITS: [(&str, i64); 3] = [("g", 1 << 30), ("m", 1 << 20), ("k", 1 << 10)];
    let (unit, size) =
        UNITS.into_iter().find(|(_, size)| bytes >= *size && bytes % size == 0)?;
    Some(format!("{}{unit}", bytes / size))
}

fn scaled(bytes: u64, step: u64, units: [&str; 5]) -> String {
    let (mut unit_size, mut unit) = (1, units[0]);
    for larger in &units[1..] {
        if bytes / unit_size < step {
            break;
        }
        (unit_size, unit) = (unit_size * step, larger);
    }
    let whole = bytes / unit_size;
    let mut text = whole.to_string();
    if unit_size > 1 && whole < 100 {
        // Writing to a string cannot fail.
        let _ok = write!(text, ".{}", bytes % unit_size * 10 / unit_size).is_ok();
    }
    text + unit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_cannot_steer_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\rc"), "a\\u{1b}[2Jb\\rc");
        assert_eq!(printable("left\u{202e}right"), "left\\u{202e}right");
        assert_eq!(printable("two\nlines, süß"), "two\nlines, süß");
        assert_eq!(one_line("two\nlines"), "two\\nlines");
    }

    #[test]
    fn ages_are_short() {
        let of = |seconds| age(Duration::from_secs(seconds));
        assert_eq!(
            [of(3), of(59), of(300), of(7200), of(86_400), of(3 * 86_400)],
            ["3s", "59s", "5m", "2h", "24h", "3d"]
        );
    }

    #[test]
    fn durations_are_precise_only_while_they_are_short() {
        let of = |millis| took(Duration::from_millis(millis));
        assert_eq!(
            [of(0), of(1234), of(12_900), of(125_000)],
            ["0.0s", "1.2s", "12s", "2m05s"]
        );
    }

    #[test]
    fn sizes_have_three_digits_at_most_before_the_unit() {
        assert_eq!(
            [
                transferred(0),
                transferred(999),
                transferred(12_345_678),
                transferred(123_456_789)
            ],
            ["0B", "999B", "12.3MB", "123MB"]
        );
        assert_eq!(transferred(u64::MAX), "18446744TB");
    }

    #[test]
    fn digests_are_cut_to_twelve_digits() {
        assert_eq!(short_digest("sha256:0123456789abcdef"), "sha256:0123456789ab");
        assert_eq!(short_digest("sha256:01"), "sha256:01");
        assert_eq!(short_digest("0123456789abcdef"), "0123456789ab");
    }

    #[test]
    fn only_round_sizes_get_a_short_form() {
        assert_eq!(round_size(8 << 30).as_deref(), Some("8g"));
        assert_eq!(round_size(1536 << 20).as_deref(), Some("1536m"));
        assert_eq!(round_size(1001), None);
        assert_eq!(round_size(0), None);
        assert_eq!(round_size(-1), None);
    }

    #[test]
    fn nouns_follow_their_number() {
        assert_eq!([count(1, "error"), count(2, "error")], ["1 error", "2 errors"]);
    }
}

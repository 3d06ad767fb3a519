//! Durations and byte sizes as Compose writes them.

use std::time::Duration;

/// A unit of time and its length in nanoseconds; longer names come first.
const TIME_UNITS: [(&str, u128); 10] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
    ("w", 604_800_000_000_000),
];

/// The longest duration that the engine can be told: 63 bits of nanoseconds.
const MOST_NANOSECONDS: u128 = i64::MAX as u128;

/// Reads a duration in Go's syntax: `1m30s`, `1.5h`, `500ms`, `0`.
///
/// The error is half a sentence that follows the value in a message.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    const EXAMPLE: &str = "a duration such as `30s`, `1m30s` or `500ms`";
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Ok(Duration::ZERO);
    }
    if rest.starts_with('-') {
        return Err(format!("is negative; it must be {EXAMPLE}"));
    }
    if rest.is_empty() {
        return Err(format!("is empty; it must be {EXAMPLE}"));
    }
    let mut nanoseconds: u128 = 0;
    while !rest.is_empty() {
        let (number, after) = take_number(rest);
        let number = number.ok_or_else(|| format!("is not {EXAMPLE}"))?;
        let (unit, after) = take_letters(after);
        let length = time_unit(unit, text)?;
        nanoseconds = number
            .times(length)
            .and_then(|part| nanoseconds.checked_add(part))
            .filter(|sum| *sum <= MOST_NANOSECONDS)
            .ok_or("is too long; at most about 292 years are possible")?;
        rest = after;
    }
    Ok(Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(u64::MAX)))
}

/// Returns the length of a unit of time, or what is wrong with it.
fn time_unit(unit: &str, text: &str) -> Result<u128, String> {
    if unit.is_empty() {
        return Err(format!("has no unit; `{text}s` would be seconds"));
    }
    TIME_UNITS
        .iter()
        .find(|(name, _)| *name == unit)
        .map(|(_, length)| *length)
        .ok_or_else(|| {
            format!(
                "has the unknown unit `{unit}`; the units are ns, us, ms, s, m, h, d, w"
            )
        })
}

/// Writes a duration as Go does, which is its canonical form: `1m30s`, `1h0m0s`, `1.5s`.
pub fn show_duration(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    let fraction = |unit: u128, name: &str| {
        let (whole, part) = (nanoseconds / unit, nanoseconds % unit);
        format!("{}{name}", decimal(whole, part, unit))
    };
    match nanoseconds {
        0 => "0s".to_owned(),
        1..1_000 => format!("{nanoseconds}ns"),
        1_000..1_000_000 => fraction(1_000, "µs"),
        1_000_000..1_000_000_000 => fraction(1_000_000, "ms"),
        _ => {
            let minutes = nanoseconds / 60_000_000_000;
            let rest = nanoseconds % 60_000_000_000;
            let seconds =
                decimal(rest / 1_000_000_000, rest % 1_000_000_000, 1_000_000_000);
            match (minutes / 60, minutes % 60) {
                (0, 0) => format!("{seconds}s"),
                (0, minutes) => format!("{minutes}m{seconds}s"),
                (hours, minutes) => format!("{hours}h{minutes}m{seconds}s"),
            }
        }
    }
}

/// Writes a number with its fraction, without trailing zeros.
fn decimal(whole: u128, part: u128, unit: u128) -> String {
    if part == 0 {
        return whole.to_string();
    }
    let digits = unit.to_string().len() - 1;
    let fraction = format!("{part:0digits$}");
    format!("{whole}.{}", fraction.trim_end_matches('0'))
}

/// Reads a size in bytes: `512m`, `1.5GiB`, `64kb`, `1024`; `-1` means "no limit".
///
/// Every unit is a power of 1024, as everywhere in Compose. The error is half a sentence
/// that follows the value in a message.
pub fn parse_bytes(text: &str) -> Result<i64, String> {
    const EXAMPLE: &str = "a size such as `512m`, `1.5g` or a number of bytes";
    if text == "-1" {
        return Ok(-1);
    }
    if text.starts_with('-') {
        return Err(format!("is negative; it must be {EXAMPLE}"));
    }
    let (number, unit) = take_number(text);
    let number = number.ok_or_else(|| format!("is not {EXAMPLE}"))?;
    let unit = unit.strip_prefix(' ').unwrap_or(unit);
    let factor = byte_unit(unit).ok_or_else(|| {
        format!("has the unknown unit `{unit}`; the units are b, k, m, g, t, p")
    })?;
    number
        .times(factor)
        .and_then(|bytes| i64::try_from(bytes).ok())
        .ok_or_else(|| "is more bytes than a machine can have".to_owned())
}

/// Returns how many bytes a unit has: `""`, `b`, `k`, `kb`, `kib`, … in any case.
fn byte_unit(unit: &str) -> Option<u128> {
    let lower = unit.to_ascii_lowercase();
    let letter = match lower.as_str() {
        "" | "b" => return Some(1),
        long => {
            long.strip_suffix("ib").or_else(|| long.strip_suffix('b')).unwrap_or(long)
        }
    };
    let power = ["k", "m", "g", "t", "p"].iter().position(|name| *name == letter)?;
    1024_u128.checked_pow(u32::try_from(power).ok()? + 1)
}

/// A number without sign, kept exactly: `digits / 10^scale`.
struct Decimal {
    digits: u128,
    scale: u128,
}

impl Decimal {
    /// Multiplies, and cuts what is less than one.
    fn times(&self, factor: u128) -> Option<u128> {
        Some(self.digits.checked_mul(factor)? / self.scale)
    }
}

/// Takes a number such as `1`, `1.5`, `.5` or `1.` off the front.
fn take_number(text: &str) -> (Option<Decimal>, &str) {
    /// So many digits after the point cannot change a result.
    const MOST_FRACTION_DIGITS: usize = 15;
    let (whole, after) = take_while(text, |c| c.is_ascii_digit());
    let (fraction, rest) = match after.strip_prefix('.') {
        Some(after_point) => take_while(after_point, |c| c.is_ascii_digit()),
        None => ("", after),
    };
    if whole.is_empty() && fraction.is_empty() {
        return (None, text);
    }
    let fraction = fraction.get(..MOST_FRACTION_DIGITS).unwrap_or(fraction);
    let scale = 10_u128.pow(u32::try_from(fraction.len()).unwrap_or_default());
    // A number too large for 128 bits is too large for every use: the product says so.
    let digits = format!("{whole}{fraction}").parse().unwrap_or(u128::MAX);
    (Some(Decimal { digits, scale }), rest)
}

/// Takes the letters of a unit off the front.
fn take_letters(text: &str) -> (&str, &str) {
    take_while(text, |c| !c.is_ascii_digit() && c != '.')
}

fn take_while(text: &str, holds: impl Fn(char) -> bool) -> (&str, &str) {
    let end = text.find(|c| !holds(c)).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn canonical(text: &str) -> String {
        show_duration(parse_duration(text).unwrap())
    }

    #[test]
    fn durations_are_shown_as_go_shows_them() {
        for (written, shown) in [
            ("0", "0s"),
            ("0s", "0s"),
            ("30s", "30s"),
            ("90s", "1m30s"),
            ("1m30s", "1m30s"),
            ("1h", "1h0m0s"),
            ("1.5h", "1h30m0s"),
            ("1.5s", "1.5s"),
            ("100ms", "100ms"),
            ("1500us", "1.5ms"),
            ("1500ns", "1.5µs"),
            ("12ns", "12ns"),
            ("2h45m30.25s", "2h45m30.25s"),
            (".5s", "500ms"),
            ("1.s", "1s"),
            ("1d", "24h0m0s"),
            ("1w", "168h0m0s"),
            ("61s500ms", "1m1.5s"),
        ] {
            assert_eq!(canonical(written), shown, "{written}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        for (written, word) in [
            ("10", "no unit"),
            ("", "empty"),
            ("-1s", "negative"),
            ("1y", "unknown unit `y`"),
            ("s", "is not a duration"),
            ("1s ", "unknown unit `s `"),
            ("99999999999h", "too long"),
            ("9999999999999999999999999999999999999999999999s", "too long"),
        ] {
            let error = parse_duration(written).unwrap_err();
            assert!(error.contains(word), "{written}: {error}");
        }
    }

    #[test]
    fn sizes_are_powers_of_1024_with_fractions_cut() {
        for (written, bytes) in [
            ("0", 0),
            ("1024", 1024),
            ("1b", 1),
            ("64k", 65_536),
            ("64KB", 65_536),
            ("64KiB", 65_536),
            ("512m", 536_870_912),
            ("16G", 17_179_869_184),
            ("1.5GiB", 1_610_612_736),
            ("0.1g", 107_374_182),
            ("1 g", 1_073_741_824),
            ("1t", 1_099_511_627_776),
            ("-1", -1),
        ] {
            assert_eq!(parse_bytes(written), Ok(bytes), "{written}");
        }
    }

    #[test]
    fn what_is_no_size_says_why() {
        for (written, word) in [
            ("", "is not a size"),
            ("many", "is not a size"),
            ("-5m", "negative"),
            ("1x", "unknown unit `x`"),
            ("1ib", "unknown unit"),
            ("99999p", "more bytes"),
        ] {
            let error = parse_bytes(written).unwrap_err();
            assert!(error.contains(word), "{written}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_duration_reads_back_as_it_was_shown(nanoseconds in 0..=i64::MAX.unsigned_abs()) {
            let duration = Duration::from_nanos(nanoseconds);
            prop_assert_eq!(parse_duration(&show_duration(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "[0-9.+\\-a-zµ ]{0,40}|.{0,12}") {
            if let Ok(duration) = parse_duration(&text) {
                prop_assert!(duration.as_nanos() <= MOST_NANOSECONDS);
            }
            if let Ok(bytes) = parse_bytes(&text) {
                prop_assert!(bytes >= -1);
            }
        }
    }
}

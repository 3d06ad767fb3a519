//! Dates that are written without quotes: YAML gives them a type of their own, and
//! Compose then writes them in its own way.

use std::fmt;

/// A date with a time of day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Timestamp {
    date: (u32, u32, u32),
    time: (u32, u32, u32),
    /// The digits after the point, without trailing zeros.
    fraction: String,
    /// Minutes east of Greenwich.
    offset: i32,
}

impl Timestamp {
    /// Reads `2020-01-31`, `2020-01-31 10:20:30.5` or `2020-01-31T10:20:30+02:00`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let four_digits = text.bytes().take(4).filter(u8::is_ascii_digit).count() == 4;
        if !four_digits || text.as_bytes().get(4) != Some(&b'-') {
            return None;
        }
        let Some(place) = text.find(['T', 't', ' ']) else {
            let date = date(text)?;
            return Some(Self {
                date,
                time: (0, 0, 0),
                fraction: String::new(),
                offset: 0,
            });
        };
        let (day, rest) = (text.get(..place)?, text.get(place + 1..)?);
        let (clock, offset) =
            if text.get(place..=place)? == " " { (rest, 0) } else { zone(rest)? };
        let (clock, fraction) = match clock.split_once('.') {
            Some((clock, fraction)) => (clock, fraction),
            None => (clock, ""),
        };
        if fraction.len() > 9 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let mut parts = clock.split(':');
        let time = (
            number(parts.next()?, 2, 23)?,
            number(parts.next()?, 2, 59)?,
            number(parts.next()?, 2, 59)?,
        );
        let fraction = fraction.trim_end_matches('0').to_owned();
        let date = date(day)?;
        parts.next().is_none().then_some(Self { date, time, fraction, offset })
    }

    /// Writes it as in an x- extension: `2020-01-31T10:20:30Z`.
    pub(super) fn rfc3339(&self) -> String {
        let zone = if self.offset == 0 {
            "Z".to_owned()
        } else {
            let (sign, hours, minutes) = self.zone();
            format!("{sign}{hours:02}:{minutes:02}")
        };
        format!("{}{zone}", self.clock('T'))
    }

    fn clock(&self, between: char) -> String {
        let ((year, month, day), (hour, minute, second)) = (self.date, self.time);
        let point = if self.fraction.is_empty() { "" } else { "." };
        format!(
            "{year:04}-{month:02}-{day:02}{between}{hour:02}:{minute:02}:{second:02}\
             {point}{}",
            self.fraction
        )
    }

    const fn zone(&self) -> (char, i32, i32) {
        let sign = if self.offset < 0 { '-' } else { '+' };
        (sign, self.offset.abs() / 60, self.offset.abs() % 60)
    }
}

/// Writes it as in an environment variable: `2020-01-31 10:20:30 +0000 UTC`.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (sign, hours, minutes) = self.zone();
        let zone = format!("{sign}{hours:02}{minutes:02}");
        let name = if self.offset == 0 { "UTC" } else { &zone };
        write!(f, "{} {zone} {name}", self.clock(' '))
    }
}

fn date(text: &str) -> Option<(u32, u32, u32)> {
    let mut parts = text.split('-');
    let year = number(parts.next()?, 4, 9999)?;
    let month = number(parts.next()?, 2, 12).filter(|month| *month > 0)?;
    let day = number(parts.next()?, 2, days(year, month)).filter(|day| *day > 0)?;
    parts.next().is_none().then_some((year, month, day))
}

const fn days(year: u32, month: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4)
            && (!year.is_multiple_of(100) || year.is_multiple_of(400)) =>
        {
            29
        }
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Splits `10:20:30Z` or `10:20:30-05:00`.
fn zone(text: &str) -> Option<(&str, i32)> {
    if let Some(clock) = text.strip_suffix('Z') {
        return Some((clock, 0));
    }
    let place = text.rfind(['+', '-'])?;
    let sign = if text.get(place..=place)? == "-" { -1 } else { 1 };
    let (hours, minutes) = text.get(place + 1..)?.split_once(':')?;
    if hours.len() != 2 || minutes.len() != 2 {
        return None;
    }
    let minutes = number(hours, 2, 24)? * 60 + number(minutes, 2, 59)?;
    Some((text.get(..place)?, sign * i32::try_from(minutes).ok()?))
}

fn number(text: &str, length: usize, most: u32) -> Option<u32> {
    let digits = !text.is_empty()
        && text.len() <= length
        && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten().filter(|number| *number <= most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_written_as_compose_writes_them() {
        for (written, text, json) in [
            ("2020-01-01", "2020-01-01 00:00:00 +0000 UTC", "2020-01-01T00:00:00Z"),
            ("2020-1-2 3:4:5", "2020-01-02 03:04:05 +0000 UTC", "2020-01-02T03:04:05Z"),
            (
                "2001-12-14t21:59:43.10-05:00",
                "2001-12-14 21:59:43.1 -0500 -0500",
                "2001-12-14T21:59:43.1-05:00",
            ),
        ] {
            let time = Timestamp::parse(written).expect(written);
            assert_eq!(
                (time.to_string().as_str(), time.rfc3339().as_str()),
                (text, json)
            );
        }
    }

    #[test]
    fn what_only_looks_like_a_date_stays_text() {
        for written in [
            "2020-13-01",
            "2020-02-30",
            "2020-01-01 10:00:00 +1",
            "12:30:45",
            "2020-01",
            "2020-01-01-x",
            "2020-01-01T10:00",
            "RELEASE.2023-03-20",
            "2023-03-20T20-16-18Z",
            "2020-ä-ö",
            "2020-01-01Tä",
        ] {
            assert_eq!(Timestamp::parse(written), None, "{written}");
        }
    }
}

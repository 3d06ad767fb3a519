//! When something is done again and again: the five fields of cron.
//!
//! `minute hour day-of-month month day-of-week`, each `*`, a number, a range `1-5`, a list
//! `1,3` or steps `*/15` and `10-30/5`; months and days of the week by their English names
//! too; Sunday is 0 and 7. As cron has it, when both days are restricted either is enough.
//! Times are those of the host's clock on the wall: one that is left out when the clocks go
//! forward comes as much later, one that comes twice counts the first time.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// How many days ahead the next time is looked for: the 29th of February may be eight
/// years away.
const FURTHEST: i32 = 9 * 366;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// A cron expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule {
    text: String,
    minutes: Field,
    hours: Field,
    days: Field,
    months: Field,
    weekdays: Field,
}

/// The values of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Field {
    /// One bit for each value.
    values: u64,
    /// It begins with `*`: it restricts nothing by itself.
    is_open: bool,
}

impl Field {
    const fn has(self, value: i8) -> bool {
        value >= 0 && self.values & (1 << value) != 0
    }
}

/// Why a text is no schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no schedule: {why}; it has five fields, minute hour day month weekday, \
     such as `0 2 * * *` for every night at two"
)]
pub struct NoSchedule {
    text: String,
    why: String,
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Schedule {
    type Err = NoSchedule;

    fn from_str(text: &str) -> Result<Self, NoSchedule> {
        let wrong = |why: String| NoSchedule { text: text.to_owned(), why };
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else {
            return Err(wrong(format!("it has {} fields", fields.len())));
        };
        let read = |text, what, range, names| field(text, what, range, names);
        let mut weekdays = read(weekdays, "weekday", (0, 7), &DAYS[..]).map_err(wrong)?;
        // Both 0 and 7 are Sunday.
        weekdays.values |= (weekdays.values >> 7) & 1;
        let schedule = Self {
            text: fields.join(" "),
            minutes: read(minutes, "minute", (0, 59), &[]).map_err(wrong)?,
            hours: read(hours, "hour", (0, 23), &[]).map_err(wrong)?,
            days: read(days, "day", (1, 31), &[]).map_err(wrong)?,
            months: read(months, "month", (1, 12), &MONTHS[..]).map_err(wrong)?,
            weekdays,
        };
        let some_day = Timestamp::UNIX_EPOCH;
        if schedule.next(some_day, &TimeZone::UTC).is_none() {
            return Err(wrong("there is no such day".to_owned()));
        }
        Ok(schedule)
    }
}

impl Schedule {
    /// Returns the first time after another one, on the clocks of a time zone.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = zone.to_datetime(after).date();
        for _ in 0..FURTHEST {
            if self.is_on(date) {
                let mut times = self.times();
                let moments = times.find_map(|time| {
                    let moment = zone.to_ambiguous_zoned(date.to_datetime(time));
                    let moment = moment.compatible().ok()?.timestamp();
                    (moment > after).then_some(moment)
                });
                if moments.is_some() {
                    return moments;
                }
            }
            date = date.checked_add(Span::new().days(1)).ok()?;
        }
        None
    }

    fn is_on(&self, date: Date) -> bool {
        let day = self.days.has(date.day());
        let weekday = self.weekdays.has(date.weekday().to_sunday_zero_offset());
        let is_day = if self.days.is_open || self.weekdays.is_open {
            day && weekday
        } else {
            day || weekday
        };
        self.months.has(date.month()) && is_day
    }

    fn times(&self) -> impl Iterator<Item = Time> {
        let hours = (0..24).filter(|hour| self.hours.has(*hour));
        hours.flat_map(|hour| {
            let minutes = (0..60).filter(|minute| self.minutes.has(*minute));
            minutes.filter_map(move |minute| Time::new(hour, minute, 0, 0).ok())
        })
    }
}

fn field(
    text: &str,
    what: &str,
    (least, greatest): (u32, u32),
    names: &[&str],
) -> Result<Field, String> {
    let value = |part: &str| {
        let name = part.to_ascii_lowercase();
        let by_word = names.iter().position(|it| *it == name);
        let by_word = by_word.and_then(|at| Some(u32::try_from(at).ok()? + least));
        let is_number = !part.is_empty() && part.bytes().all(|it| it.is_ascii_digit());
        let number = part.parse().ok().filter(|_| is_number);
        let value = by_word.or(number).filter(|it| (least..=greatest).contains(it));
        value.ok_or_else(|| {
            format!("its {what} `{part}` is not one of {least} to {greatest}")
        })
    };
    let mut values = 0_u64;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (from, until) = match range.split_once('-') {
            _ if range == "*" => (least, greatest),
            Some((from, until)) => (value(from)?, value(until)?),
            None if step.is_some() => (value(range)?, greatest),
            None => (value(range)?, value(range)?),
        };
        if from > until {
            return Err(format!("its {what} `{part}` runs backwards"));
        }
        let step = step.map_or(Some(1), |it| it.parse().ok().filter(|it| *it > 0));
        let step = step.ok_or_else(|| format!("its {what} `{part}` has no step"))?;
        for value in (from..=until).step_by(step) {
            values |= 1 << value;
        }
    }
    Ok(Field { values, is_open: text.starts_with('*') })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn zone() -> TimeZone {
        TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    fn next(text: &str, after: &str) -> String {
        let schedule: Schedule = text.parse().unwrap();
        let after = after.parse().unwrap();
        schedule.next(after, &zone()).unwrap().to_string()
    }

    #[test]
    fn the_next_time_is_the_first_that_fits_on_the_clock_on_the_wall() {
        let after = "2026-11-28T21:00:00Z";
        assert_eq!(next("0 2 * * *", after), "2026-11-29T01:00:00Z");
        assert_eq!(next("*/15 * * * *", after), "2026-11-28T21:15:00Z");
        assert_eq!(next("30 4 1,15 * *", after), "2026-12-01T03:30:00Z");
        assert_eq!(next("0 0 29 feb *", after), "2028-02-28T23:00:00Z");
        assert_eq!(next("0 12 * * mon-fri", after), "2026-11-30T11:00:00Z");
        assert_eq!(next("0 12 * * 7", after), "2026-11-29T11:00:00Z");
        assert_eq!(next("0 12 13 * fri", after), "2026-12-04T11:00:00Z");
    }

    #[test]
    fn a_time_that_is_left_out_comes_later_and_one_that_comes_twice_counts_once() {
        assert_eq!(next("30 2 * * *", "2026-03-29T00:00:00Z"), "2026-03-29T01:30:00Z");
        let first = next("30 2 * * *", "2026-10-24T22:00:00Z");
        assert_eq!(first, "2026-10-25T00:30:00Z");
        assert_eq!(next("30 2 * * *", &first), "2026-10-26T01:30:00Z");
    }

    #[test]
    fn what_is_no_schedule_is_refused_with_the_reason() {
        let wrong = [
            "",
            "* * * *",
            "60 * * * *",
            "* 24 * * *",
            "* * 0 * *",
            "5-1 * * * *",
            "*/0 * * * *",
            "a * * * *",
            "* * 30 2 *",
            "+5 * * * *",
            "1,,2 * * * *",
        ];
        let told = wrong.map(|text| text.parse::<Schedule>().unwrap_err().why);
        insta::assert_snapshot!(told.join("\n"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn each_time_is_after_the_last_and_fits(
            minute in 0_i8..60, hour in 0_i8..24, seconds in 0_i64..4_000_000_000,
        ) {
            let schedule: Schedule = format!("{minute} {hour} * * *").parse().unwrap();
            let after = Timestamp::from_second(seconds).unwrap();
            let zone = TimeZone::UTC;
            let next = schedule.next(after, &zone).unwrap();
            prop_assert!(next > after);
            prop_assert!(next.duration_since(after).as_hours() <= 24);
            let time = zone.to_datetime(next).time();
            prop_assert_eq!((time.hour(), time.minute(), time.second()), (hour, minute, 0));
        }

        #[test]
        fn no_text_makes_it_panic(text in "[0-9*/, -]{0,20}|.{0,20}") {
            drop(text.parse::<Schedule>());
        }
    }
}

//! Which archives stay, and which may go.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;

use crate::state::backup::Keep;
use crate::state::time::EngineTime;

/// Returns which of these good archives may go, by when they were begun. Archives that are
/// not good are not among them: they keep no other from staying. The newest one stays,
/// whatever is said.
pub fn expired(
    good: &BTreeSet<EngineTime>,
    keep: Keep,
    zone: &TimeZone,
) -> BTreeSet<EngineTime> {
    let newest_first = || good.iter().rev().copied();
    let last = usize::try_from(keep.last.max(1)).unwrap_or(usize::MAX);
    let mut stays: BTreeSet<EngineTime> = newest_first().take(last).collect();
    let day = |time: EngineTime| zone.to_datetime(time).date();
    stays.extend(first_of_each(newest_first(), keep.daily, day));
    let week = |time: EngineTime| {
        let date = day(time).iso_week_date();
        (date.year(), date.week())
    };
    stays.extend(first_of_each(newest_first(), keep.weekly, week));
    good.difference(&stays).copied().collect()
}

/// Returns the first of each span of time, for so many spans that have one.
fn first_of_each<T: Ord>(
    times: impl Iterator<Item = EngineTime>,
    count: u32,
    span: impl Fn(EngineTime) -> T,
) -> Vec<EngineTime> {
    let mut seen = BTreeSet::new();
    let first = times.filter(|time| seen.insert(span(*time)));
    first.take(usize::try_from(count).unwrap_or(usize::MAX)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(days: i64, hours: i64) -> EngineTime {
        let seconds = 1_790_000_000 + days * 86_400 + hours * 3_600;
        EngineTime::from_second(seconds).unwrap()
    }

    #[test]
    fn the_newest_of_each_day_and_week_stay_and_the_rest_goes() {
        let good: BTreeSet<EngineTime> =
            (0..30).flat_map(|day| [at(day, 0), at(day, 3)]).collect();
        let keep = Keep { last: 1, daily: 3, weekly: 3 };
        let gone = expired(&good, keep, &TimeZone::UTC);
        let stays: Vec<String> = good
            .difference(&gone)
            .map(|it| it.strftime("%a %d %H").to_string())
            .collect();
        insta::assert_snapshot!(stays.join("\n"));
    }

    proptest! {
        #[test]
        fn the_newest_good_archive_never_goes(
            days in prop::collection::btree_set(0_i64..200, 0..30),
            last in 0_u32..4, daily in 0_u32..4, weekly in 0_u32..4,
        ) {
            let good: BTreeSet<EngineTime> = days.into_iter().map(|day| at(day, 0)).collect();
            let gone = expired(&good, Keep { last, daily, weekly }, &TimeZone::UTC);
            prop_assert!(gone.is_subset(&good));
            prop_assert!(good.last().is_none_or(|newest| !gone.contains(newest)));
            let stays = good.len() - gone.len();
            let wanted = last.max(daily).max(weekly).max(1) as usize;
            prop_assert!(stays >= wanted.min(good.len()) || daily.max(weekly) as usize == wanted);
            prop_assert!(stays <= (last.max(1) + daily + weekly) as usize);
        }
    }
}

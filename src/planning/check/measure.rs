//! What is measured, and held against a threshold.

use std::collections::BTreeMap;
use std::time::Duration;

use super::advice::service;
use super::question::Question;
use crate::state::ask::DiskUse;

/// What was found about one object, before its severity counts.
pub(super) struct Measured {
    pub(super) object: String,
    pub(super) is_good: bool,
    pub(super) said: String,
    pub(super) next: Option<String>,
}

/// Returns how full file systems are, each once, with the folders that are on it.
pub(super) fn disks(disks: &[(&Question, DiskUse)], below: u8) -> Vec<Measured> {
    let mut by_device: BTreeMap<u64, (Vec<&str>, DiskUse)> = BTreeMap::new();
    for (question, disk) in disks {
        let (paths, _) = by_device.entry(disk.device).or_insert((Vec::new(), *disk));
        paths.push(&question.object);
    }
    by_device.into_values().map(|(paths, disk)| self::disk(&paths, disk, below)).collect()
}

fn disk(paths: &[&str], disk: DiskUse, below: u8) -> Measured {
    let DiskUse { used, free, files, free_files, .. } = disk;
    let (bytes, inodes) =
        (percent(used, used + free), percent(files, files + free_files));
    let is_good = bytes < u64::from(below) && inodes < u64::from(below);
    let said = if inodes >= u64::from(below) && bytes < u64::from(below) {
        format!("{inodes} % of its files are used; less than {below} % is well")
    } else {
        let of = format!("{bytes} % of {} is used", size(used + free));
        if is_good { of } else { format!("{of}; less than {below} % is well") }
    };
    let first = paths.first().copied().unwrap_or_default();
    let next = format!(
        "what takes it: `du -xh --max-depth=2 {first} | sort -h | tail`, `docker system df`; \
         make room, or give it a larger disk"
    );
    let (object, next) = (paths.join(", "), (!is_good).then_some(next));
    Measured { object, is_good, said, next }
}

/// Returns how much of its limit a container uses.
pub(super) fn memory(question: &Question, used: u64, limit: u64, below: u8) -> Measured {
    let is_good = u128::from(used) * 100 < u128::from(limit) * u128::from(below);
    let share = u128::from(used) * 100 / u128::from(limit.max(1));
    let of = format!("{share} % of {} in use", size(limit));
    let service = service(question);
    Measured {
        object: question.object.clone(),
        is_good,
        said: if is_good { of } else { format!("{of}; less than {below} % is well") },
        next: (!is_good).then(|| {
            format!(
                "raise `deploy.resources.limits.memory` of {service} (a running container \
                 takes it without a restart), or give it less to hold"
            )
        }),
    }
}

/// Returns how old an image is.
pub(super) fn age(question: &Question, age: Duration, below: Duration) -> Measured {
    let is_good = age < below;
    let said = format!("its image is {} old", days(age));
    let service = service(question);
    Measured {
        object: question.object.clone(),
        is_good,
        said: if is_good {
            said
        } else {
            format!("{said}; less than {} is well", days(below))
        },
        next: (!is_good).then(|| {
            format!(
                "is there a newer one with fixes? Change `image` of {service}; \
                 `reconciler diff` shows what that does"
            )
        }),
    }
}

/// As `df` does: rounded up.
fn percent(part: u64, whole: u64) -> u64 {
    if whole == 0 {
        return 0;
    }
    let percent = (u128::from(part) * 100).div_ceil(u128::from(whole));
    u64::try_from(percent).unwrap_or(100)
}

/// Writes a size with one decimal: `98.3 GiB`.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 4] =
        [("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.into_iter().find(|(_, size)| bytes >= *size);
    let Some((unit, size)) = unit else { return format!("{bytes} B") };
    let tenths = u128::from(bytes) * 10 / u128::from(size);
    match tenths % 10 {
        0 => format!("{} {unit}", tenths / 10),
        tenth => format!("{}.{tenth} {unit}", tenths / 10),
    }
}

/// Writes an age in days, a shorter one in its largest unit.
fn days(age: Duration) -> String {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match age.as_secs() {
        seconds if seconds < 2 * MINUTE => format!("{seconds} s"),
        seconds if seconds < 2 * HOUR => format!("{} min", seconds / MINUTE),
        seconds if seconds < 2 * DAY => format!("{} h", seconds / HOUR),
        seconds => format!("{} days", seconds / DAY),
    }
}

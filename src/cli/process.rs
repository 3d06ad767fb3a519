//! What the system tells of this process.

use std::fs;

use crate::view::metrics::Process;

/// In how many parts of a second the system counts, on every architecture that is built for.
const TICKS: f64 = 100.0;

/// Reads it; nothing where the system tells no such thing.
pub(super) fn read() -> Option<Process> {
    let read = |name: &str| fs::read_to_string(format!("/proc/{name}")).ok();
    let stat = read("self/stat")?;
    // The second field is a name in parentheses, which may hold anything.
    let (_, fields) = stat.rsplit_once(") ")?;
    // Counted from the third field on, as proc(5) numbers them.
    let field = |number: usize| -> Option<f64> {
        fields.split(' ').nth(number - 3)?.parse().ok()
    };
    let system = read("stat")?;
    let boot: f64 =
        system.lines().find_map(|it| it.strip_prefix("btime "))?.trim().parse().ok()?;
    let status = read("self/status")?;
    let size = |name: &str| -> Option<u64> {
        let line = status.lines().find_map(|it| it.strip_prefix(name))?;
        Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
    };
    let limits = read("self/limits")?;
    let files = limits.lines().find_map(|it| it.strip_prefix("Max open files"));
    Some(Process {
        start: boot + field(22)? / TICKS,
        cpu: (field(14)? + field(15)?) / TICKS,
        resident: size("VmRSS:")?,
        virtual_size: size("VmSize:")?,
        // The folder that is read is open, too.
        open_files: (fs::read_dir("/proc/self/fd").ok()?.count() as u64)
            .saturating_sub(1),
        most_files: files.and_then(|it| it.split_whitespace().next()?.parse().ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_started_a_while_ago_and_has_memory_and_files() {
        let process = read().unwrap();
        let since_1970 = crate::clock::host_time().as_duration();
        let now = since_1970.as_secs_f64();
        assert!((now - 3600.0..=now + 2.0).contains(&process.start), "{process:?}");
        assert!(process.resident > 1 << 20 && process.virtual_size > process.resident);
        assert!((3..1000).contains(&process.open_files), "{process:?}");
        assert!(process.most_files.is_none_or(|most| most >= process.open_files));
    }
}

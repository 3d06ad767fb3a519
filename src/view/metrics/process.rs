//! This process, under the names that all programs use.

use super::Process;
use super::exposition::{Kind, Page};

pub(super) fn tell(page: &mut Page, process: &Process) {
    page.family(
        "process_start_time_seconds",
        Kind::Gauge,
        "When the process started, in seconds since 1970.",
    );
    page.sample(&[], process.start);
    page.family(
        "process_cpu_seconds_total",
        Kind::Counter,
        "How long the process had a processor.",
    );
    page.sample(&[], process.cpu);
    page.family("process_resident_memory_bytes", Kind::Gauge, "Memory of the process.");
    page.sample(&[], process.resident);
    page.family(
        "process_virtual_memory_bytes",
        Kind::Gauge,
        "Addresses of the process that are in use.",
    );
    page.sample(&[], process.virtual_size);
    page.family("process_open_fds", Kind::Gauge, "Files that the process has open.");
    page.sample(&[], process.open_files);
    page.family("process_max_fds", Kind::Gauge, "Files that it may have open.");
    if let Some(most) = process.most_files {
        page.sample(&[], most);
    }
}

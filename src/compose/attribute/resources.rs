//! Processors, memory and other limits.

use super::field::{Project, field};
use super::project;
use super::shape::{Missing, Shape, Short};
use super::{Attribute, Empty, Merge, row};

/// What a container may use.
pub const RESOURCES: &[Attribute] = &[
    row("cpus", Shape::Number, "How many processors may be used, fractions too.")
        .becomes(&[project::resources::CPUS], Project::With(project::resources::cpus)),
    row(
        "cpu_shares",
        Shape::Integer,
        "The weight when processors are scarce; 1024 is usual.",
    )
    .is_field(&[field("HostConfig.CpuShares").updates()]),
    row("cpu_quota", Shape::Integer, "The processor time per period, in microseconds.")
        .is_field(&[field("HostConfig.CpuQuota").updates()]),
    row("cpu_period", Shape::Integer, "The length of a period, in microseconds.")
        .is_field(&[field("HostConfig.CpuPeriod").updates()]),
    row("cpuset", Shape::Text, "Which processors may be used, such as `0-3` or `0,2`.")
        .is_field(&[field("HostConfig.CpusetCpus").updates()]),
    row(
        "cpu_rt_runtime",
        Shape::Integer,
        "The real-time processor time per period, in microseconds.",
    )
    .ignored("real-time scheduling is not set; few kernels and engines allow it"),
    row(
        "cpu_rt_period",
        Shape::Integer,
        "The length of a real-time period, in microseconds.",
    )
    .ignored("real-time scheduling is not set; few kernels and engines allow it"),
    row("cpu_count", Shape::Integer, "How many processors a Windows container may use.")
        .ignored("it is for Windows engines only; use `cpus`"),
    row(
        "cpu_percent",
        Shape::Number,
        "Which share of the processors a Windows container may use.",
    )
    .ignored("it is for Windows engines only; use `cpus`"),
    row("mem_limit", Shape::Bytes, "How much memory may be used.").becomes(
        &[project::resources::MEMORY],
        Project::With(project::resources::memory),
    ),
    row(
        "mem_reservation",
        Shape::Bytes,
        "How much memory is left to it when memory is scarce.",
    )
    .becomes(
        &[project::resources::MEMORY_RESERVATION],
        Project::With(project::resources::memory_reservation),
    ),
    row(
        "mem_swappiness",
        Shape::Percent,
        "How readily memory is swapped out, from 0 to 100.",
    )
    .is_field(&[project::resources::SWAPPINESS]),
    row(
        "memswap_limit",
        Shape::Bytes,
        "How much memory and swap may be used together; -1 for any.",
    )
    .becomes(
        &[project::resources::MEMORY_SWAP],
        Project::With(project::resources::memory_swap),
    ),
    row("shm_size", Shape::Bytes, "The size of `/dev/shm`.").becomes(
        &[project::resources::SHARED_MEMORY],
        Project::With(project::resources::shared_memory),
    ),
    row(
        "pids_limit",
        Shape::Integer,
        "How many processes and threads there may be; -1 for any.",
    )
    .is_field(&[project::resources::PIDS]),
    row(
        "oom_kill_disable",
        Shape::Boolean,
        "Whether the process waits in place of being killed when memory runs \
         out.",
    )
    .is_field(&[field("HostConfig.OomKillDisable")]),
    row(
        "oom_score_adj",
        Shape::Integer,
        "How early it is killed when the host's memory runs out, from -1000 \
         to 1000.",
    )
    .is_field(&[field("HostConfig.OomScoreAdj")]),
    row(
        "ulimits",
        Shape::Map(&Shape::IntegerOr(ULIMIT)),
        "Resource limits of the processes, by name.",
    )
    .merges(Merge::Entries)
    .becomes(&[project::resources::ULIMITS], Project::With(project::resources::ulimits)),
    row(
        "gpus",
        Shape::Short(Short::Gpus, DEVICE_REQUEST),
        "Which GPUs may be used: `all`, or a list of requests.",
    )
    .merges(Merge::Append)
    .becomes(
        &[project::resources::DEVICE_REQUESTS],
        Project::With(project::resources::device_requests),
    ),
    row("cgroup", Shape::Choice(&["host", "private"]), "Whose control groups are seen.")
        .is_field(&[project::process::CGROUP]),
    row("cgroup_parent", Shape::Text, "The control group that the container's is in.")
        .is_field(&[field("HostConfig.CgroupParent")]),
    row("blkio_config", Shape::Keys(BLKIO), "Limits on disk traffic.").becomes(
        &project::resources::BLOCK_IO,
        Project::With(project::resources::block_io),
    ),
];

/// A resource limit.
pub const ULIMIT: &[Attribute] = &[
    row("soft", Shape::Integer, "The limit at first; the process may raise it."),
    row("hard", Shape::Integer, "The limit of what it may be raised to."),
];

/// Devices that a driver must bring in, such as GPUs.
pub const DEVICE_REQUEST: &[Attribute] = &[
    row(
        "capabilities",
        Shape::List(&Shape::Text),
        "What they must be able to do, such as `gpu`.",
    )
    .merges(Merge::Append),
    row("driver", Shape::Text, "The driver, such as `nvidia`."),
    row("count", Shape::Count, "How many; -1 for all."),
    row("device_ids", Shape::List(&Shape::Text), "Which ones.").merges(Merge::Append),
    row("options", Shape::Pairs(Missing::Empty), "What the driver is told.")
        .merges(Merge::Entries),
];

const BLKIO: &[Attribute] = &[
    row("weight", Shape::Integer, "The weight when disks are busy, from 10 to 1000."),
    row(
        "weight_device",
        Shape::List(&Shape::Keys(BLKIO_WEIGHT)),
        "The weight by device.",
    )
    .merges(Merge::Append),
    row(
        "device_read_bps",
        Shape::List(&Shape::Keys(BLKIO_RATE)),
        "How many bytes a second may be read, by device.",
    )
    .merges(Merge::Append),
    row(
        "device_read_iops",
        Shape::List(&Shape::Keys(BLKIO_RATE)),
        "How many reads a second there may be, by device.",
    )
    .merges(Merge::Append),
    row(
        "device_write_bps",
        Shape::List(&Shape::Keys(BLKIO_RATE)),
        "How many bytes a second may be written, by device.",
    )
    .merges(Merge::Append),
    row(
        "device_write_iops",
        Shape::List(&Shape::Keys(BLKIO_RATE)),
        "How many writes a second there may be, by device.",
    )
    .merges(Merge::Append),
];

const BLKIO_WEIGHT: &[Attribute] = &[
    row("path", Shape::Text, "The device."),
    row("weight", Shape::Integer, "The weight.").when_empty(Empty::Written),
];

const BLKIO_RATE: &[Attribute] = &[
    row("path", Shape::Text, "The device."),
    row("rate", Shape::Bytes, "The rate per second.").when_empty(Empty::Written),
];

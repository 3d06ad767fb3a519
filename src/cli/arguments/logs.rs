//! The options of `logs`.

use std::time::Duration;

use clap::Args;
use clap::builder::BoolishValueParser;

use super::duration;
use crate::state::time::EngineTime;

/// Which part of which logs is shown.
#[derive(Args, Clone, Debug, PartialEq, Eq)]
pub struct Logs {
    /// Services whose logs are shown; all, unless one is named
    #[arg(value_name = "SERVICE")]
    pub services: Vec<String>,

    /// Go on with what is written until interrupted, also by containers that are yet to come
    #[arg(
        short = 'f',
        long,
        env = "RECONCILER_FOLLOW",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub follow: bool,

    /// How many lines of each container are shown: the last ones
    #[arg(
        short = 'n',
        long,
        value_name = "LINES",
        env = "RECONCILER_TAIL",
        hide_env = true,
        default_value = "all",
        value_parser = tail
    )]
    pub tail: Tail,

    /// From when on: 10m is ten minutes ago, 2026-11-28T10:00:00Z a time
    #[arg(
        long,
        value_name = "TIME",
        env = "RECONCILER_SINCE",
        hide_env = true,
        value_parser = since
    )]
    pub since: Option<Since>,

    /// Show when each line was written
    #[arg(
        short = 't',
        long,
        env = "RECONCILER_TIMESTAMPS",
        hide_env = true,
        value_parser = BoolishValueParser::new()
    )]
    pub timestamps: bool,
}

/// How many lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// All.
    All,
    /// So many.
    Lines(u64),
}

/// From when on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// So long ago.
    Ago(Duration),
    /// A time.
    At(EngineTime),
}

fn tail(text: &str) -> Result<Tail, String> {
    match text {
        "all" => Ok(Tail::All),
        number => number
            .parse()
            .map(Tail::Lines)
            .map_err(|_| "a number of lines, or `all`".to_owned()),
    }
}

fn since(text: &str) -> Result<Since, String> {
    if let Ok(time) = text.parse() {
        return Ok(Since::At(time));
    }
    duration(text).map(Since::Ago).map_err(|_| {
        "a time is written 2026-11-28T10:00:00Z, and how long ago it was 10m or 1h30m"
            .to_owned()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_points_or_distances() {
        assert_eq!(since("10m"), Ok(Since::Ago(Duration::from_secs(600))));
        let time = "2026-11-28T10:00:00Z";
        assert_eq!(since(time), Ok(Since::At(time.parse().unwrap())));
        assert_eq!(since("2026-11-28T18:00:00+08:00"), since(time));
        assert!(since("yesterday").unwrap_err().contains("1h30m"));
        assert_eq!((tail("all"), tail("5")), (Ok(Tail::All), Ok(Tail::Lines(5))));
        assert!(tail("-1").is_err());
    }
}

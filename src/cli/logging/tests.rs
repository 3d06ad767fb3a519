//! What the log shows, and what it never does.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use tracing_subscriber::Registry;

use super::*;

/// Collects what is written.
#[derive(Clone, Debug, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Returns what is logged under a filter.
fn logged(filter: &str, format: LogFormat, talk: impl FnOnce()) -> String {
    let page = Page::default();
    let style = Style { format, colors: false, times: false };
    let writer = page.clone();
    let layer = layer::<Registry, _>(filter, style, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(Registry::default().with(layer), talk);
    let bytes = page.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}

fn talk_of_libraries() {
    tracing::debug!(target: "bollard::docker", "canary");
    tracing::trace!(target: "hyper_util::client", "canary");
    tracing::debug!(target: "hyper", body = "canary");
    tracing::info!(target: "bollard::docker", "connected");
    tracing::debug!(target: "reconciler::controller", "shown");
}

#[test]
fn no_filter_makes_libraries_log_bodies() {
    for filter in ["trace", "bollard=trace,hyper=trace", "debug,bollard::docker=trace"] {
        let text = logged(filter, LogFormat::Text, talk_of_libraries);
        assert!(!text.contains("canary"), "{filter}: {text}");
        assert!(text.contains("connected"), "{filter}: {text}");
    }
}

#[test]
fn the_level_rises_with_the_flags() {
    let level = |is_operator, verbose| {
        let filter = default_filter(is_operator, verbose);
        let text = logged(filter, LogFormat::Text, || {
            tracing::warn!(target: "reconciler", "at-warn");
            tracing::info!(target: "reconciler", "at-info");
            tracing::debug!(target: "reconciler", "at-debug");
            tracing::trace!(target: "reconciler", "at-trace");
        });
        text.lines().count()
    };
    assert_eq!([level(false, 0), level(true, 0)], [1, 2]);
    assert_eq!([level(false, 1), level(true, 1)], [3, 3]);
    assert_eq!([level(false, 2), level(true, 9)], [4, 4]);
}

#[test]
fn json_lines_have_the_fields_at_the_top() {
    let text = logged("info", LogFormat::Json, || {
        tracing::info!(target: "reconciler", object = "service/etcd/1", "started");
    });
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(line["message"], "started");
    assert_eq!(line["object"], "service/etcd/1");
    assert_eq!(line["level"], "INFO");
}

#[test]
fn a_bad_filter_says_how_to_write_one() {
    let style = Style { format: LogFormat::Text, colors: false, times: false };
    let error = layer::<Registry, _>("reconciler=loud", style, io::sink).err().unwrap();
    assert!(error.to_string().contains("write it like `info`"), "{error}");
}

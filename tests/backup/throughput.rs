//! How fast an archive is made, beside `tar -czf` of the same data in one run.

use std::fs;
use std::process::Command;
use std::time::Instant;

use reconciler::backup::manifest::{About, Root};
use reconciler::backup::scan::scan;
use reconciler::backup::shelf::Shelf;

use crate::product::measured;

/// How much data, in megabytes: more shows better, and takes longer.
const MEGABYTES: usize = if cfg!(debug_assertions) { 16 } else { 400 };

#[test]
fn an_archive_is_not_larger_than_that_of_tar_and_takes_less_time() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    for number in 0..MEGABYTES / 4 {
        // Floats of one size, such as vectors are, and text, such as logs are.
        let mut bytes = Vec::with_capacity(4 << 20);
        while bytes.len() < 4 << 20 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let fraction = f32::from(u16::try_from(state >> 48).unwrap()) / 65_536.0;
            if number % 2 == 0 {
                bytes.extend_from_slice(&fraction.to_le_bytes());
            } else {
                let line = format!("2026-11-28 INFO segment {} flushed\n", state >> 40);
                bytes.extend_from_slice(line.as_bytes());
            }
        }
        fs::write(data.join(number.to_string()), bytes).unwrap();
    }
    let roots = vec![Root {
        name: "data".to_owned(),
        path: data.display().to_string(),
        volume: None,
        data: 0,
        services: Vec::new(),
    }];
    let about = About {
        stack: "bench".into(),
        generation: "0".into(),
        services: std::collections::BTreeMap::new(),
        version: "0".to_owned(),
        begun: "2026-11-28T02:00:00Z".parse().unwrap(),
    };
    let shelf = Shelf::new(folder.path().join("backups"));
    shelf.open(&"bench".into()).unwrap();
    let began = Instant::now();
    let scanned = scan(&roots).unwrap();
    let written = shelf.write((about, roots), &scanned, 2, &mut |_| true).unwrap();
    let ours = began.elapsed();
    let archive = shelf.publish(written, &mut |_| true).unwrap();
    let verified = began.elapsed().saturating_sub(ours);
    let theirs = folder.path().join("tar.gz");
    let began = Instant::now();
    let mut tar = Command::new("tar");
    tar.arg("-C").arg(folder.path()).arg("-czf").arg(&theirs);
    assert!(tar.arg("data").status().unwrap().success());
    let gzip = began.elapsed();
    let size = fs::metadata(&theirs).unwrap().len();
    measured(&format!(
        "{MEGABYTES} MB: archive {:.2} s ({} bytes), read back {:.2} s, tar -czf {:.2} s \
         ({size} bytes): {:.1} times as fast, {:.2} of the size",
        ours.as_secs_f64(),
        archive.size,
        verified.as_secs_f64(),
        gzip.as_secs_f64(),
        gzip.as_secs_f64() / ours.as_secs_f64(),
        archive.size as f64 / size as f64,
    ));
    assert!(archive.size <= size, "{} is larger than {size}", archive.size);
}

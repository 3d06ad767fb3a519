//! The table of `docs/engine-endpoints.md`.

use std::collections::{BTreeMap, BTreeSet};

const DOCUMENT: &str = include_str!("../../docs/engine-endpoints.md");

/// The endpoints of each group of commands, by the head of its column.
pub(crate) fn columns() -> BTreeMap<String, BTreeSet<String>> {
    let mut rows = DOCUMENT.lines().filter(|line| line.starts_with("| "));
    let cells = |row: &str| -> Vec<String> {
        let row = row.trim().trim_start_matches('|').trim_end_matches('|');
        row.split('|').map(|cell| cell.trim().replace('`', "")).collect()
    };
    let heads = cells(rows.next().expect("a table"));
    let mut columns: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows {
        let row = cells(row);
        assert_eq!(row.len(), heads.len(), "{row:?}");
        for (head, cell) in heads.iter().zip(&row).skip(1) {
            let column = columns.entry(head.clone()).or_default();
            match cell.as_str() {
                "×" => assert!(column.insert(row[0].clone()), "twice: {row:?}"),
                "" => {}
                other => panic!("{other:?} in {row:?}"),
            }
        }
    }
    columns
}

//! Tables without lines, as `kubectl` and `docker compose` draw them.

use anstyle::Style;
use comfy_table::{ContentArrangement, Table};

use super::style::{FAINT, paint};
use super::text::one_line;

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row<const N: usize> {
    /// How it looks.
    pub style: Style,
    /// Its text, foreign or own.
    pub cells: [String; N],
}

impl<const N: usize> From<[String; N]> for Row<N> {
    fn from(cells: [String; N]) -> Self {
        Self { style: Style::new(), cells }
    }
}

/// Returns a table whose header is faint.
///
/// A `width` makes cells wrap so that lines are no longer than that.
pub fn drawn<const N: usize, R: Into<Row<N>>>(
    header: [&str; N],
    rows: impl IntoIterator<Item = R>,
    width: Option<u16>,
) -> String {
    let mut table = Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(header);
    let mut styles = vec![FAINT];
    for row in rows {
        let Row { style, cells } = row.into();
        styles.push(style);
        table.add_row(cells.map(|cell| one_line(&cell).into_owned()));
    }
    if let Some(width) = width {
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    let mut text = String::new();
    let mut styles = styles.into_iter();
    let mut style = Style::new();
    for line in table.lines() {
        // The further lines of a row that wraps have nothing in the first column.
        if !line.starts_with("   ") {
            style = styles.next().unwrap_or(style);
        }
        text += &paint(style, line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use anstream::adapter::strip_str;

    #[test]
    fn columns_are_aligned_and_lines_end_where_the_text_ends() {
        let rows = [
            ["etcd", "1/1", ""].map(str::to_owned),
            ["standalone", "0/1", "waits\u{1b}[2J"].map(str::to_owned),
        ];
        let table = drawn(["SERVICE", "READY", "MESSAGE"], rows, None);
        insta::assert_snapshot!(strip_str(&table), @r"
        SERVICE     READY  MESSAGE
        etcd        1/1
        standalone  0/1    waits\u{1b}[2J
        ");
        assert!(!table.contains("\u{1b}[2J"));
    }

    #[test]
    fn long_cells_wrap_at_the_width_of_the_terminal() {
        let rows = [["etcd".to_owned(), "word ".repeat(20)]];
        let table = drawn(["SERVICE", "MESSAGE"], rows, Some(40));
        let plain = strip_str(&table).to_string();
        assert!(plain.lines().count() > 2, "{plain}");
        assert!(plain.lines().all(|line| line.chars().count() <= 40), "{plain}");
    }
}

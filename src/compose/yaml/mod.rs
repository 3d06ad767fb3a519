//! From bytes to trees: YAML with the place of every key and value.
//!
//! Whatever the bytes are, reading them ends, in bounded time and memory, with documents
//! or with located problems.

mod build;
mod scalar;
mod text;
mod words;

use granit_parser::{Parser, options};

use super::node::Node;
use super::problem::{Problems, Span};
use build::Builder;
pub use scalar::is_null;
pub use text::decode;

/// The largest file that is read, in bytes.
pub const MOST_BYTES: usize = 1024 * 1024;

/// How deep lists and mappings may stand in one another.
pub const MOST_DEPTH: usize = 64;

/// How many values a file may have once its aliases are expanded.
const MOST_NODES: usize = 100_000;

/// How many bytes of text a file may have once its aliases are expanded.
const MOST_TEXT: usize = 4 * MOST_BYTES;

/// How many documents a file may have.
const MOST_DOCUMENTS: usize = 64;

/// After so many bad keys the rest of the file is not read.
const MOST_FAULTS: usize = 100;

/// Reads the documents of a file; nothing when one of them cannot be read.
///
/// Anchors, aliases and `<<` are gone afterwards. A document with nothing in it is null.
/// Plain scalars are texts that are not typed yet.
pub fn parse(file: u16, text: &str, problems: &mut Problems) -> Option<Vec<Node>> {
    let options = options! {
        emit_comments: false,
        block_nesting_limit: MOST_DEPTH,
        flow_nesting_limit: MOST_DEPTH,
    };
    let mut builder = Builder::new(file, text, problems);
    for event in Parser::new_from_str_with_options(text, options) {
        match event {
            Ok((event, place)) => builder.take(event, &place)?,
            Err(error) => {
                let offset = error.marker().byte_offset().unwrap_or(text.len());
                let (message, help) = words::explain(error.kind());
                builder.syntax_error(offset, &message, help);
                return None;
            }
        }
    }
    builder.finish()
}

/// Makes a span from the byte offsets of a file.
fn span(file: u16, range: std::ops::Range<usize>) -> Span {
    let offset = |bytes: usize| u32::try_from(bytes).unwrap_or(u32::MAX);
    Span { file, start: offset(range.start), end: offset(range.end) }
}

#[cfg(test)]
mod tests;

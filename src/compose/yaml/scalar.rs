//! What a scalar is before its attribute types it.

use granit_parser::{ScalarStyle, Tag as YamlTag};

use crate::compose::node::{Kind, Tag, Text};

/// Tells whether a plain scalar says "nothing".
pub fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// Tells whether a plain scalar would be something else than text: nothing, a truth value
/// or a number.
pub(super) fn is_typed(text: &str) -> bool {
    // Within a number it is skipped, but none begins with it.
    if text.starts_with('_') {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    let number = lower.strip_prefix(['-', '+']).unwrap_or(&lower).replace('_', "");
    let has_digits = |prefix: &str, radix: u32| {
        number.strip_prefix(prefix).is_some_and(|digits| {
            !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix))
        })
    };
    is_null(text)
        || matches!(lower.as_str(), "true" | "false")
        || matches!(number.as_str(), ".inf" | ".nan")
        || has_digits("0x", 16)
        || has_digits("0o", 8)
        || has_digits("0b", 2)
        || number.starts_with(|first: char| first.is_ascii_digit() || first == '.')
            && number.parse::<f64>().is_ok()
}

/// Makes the kind of a scalar, or says why its tag does not fit.
pub(super) fn kind(
    text: &str,
    style: ScalarStyle,
    tag: Option<&YamlTag>,
) -> Result<(Kind, Tag), String> {
    let plain = style == ScalarStyle::Plain;
    let as_text =
        |plain| Kind::Text(Text { text: text.to_owned(), plain, sensitive: false });
    let as_written = if plain && is_null(text) { Kind::Null } else { as_text(plain) };
    let Some(tag) = tag else { return Ok((as_written, Tag::None)) };
    match tag.core_suffix() {
        Some("str") => Ok((as_text(false), Tag::None)),
        Some("null") if is_null(text) => Ok((Kind::Null, Tag::None)),
        Some("int" | "float" | "bool") if is_typed(text) && !is_null(text) => {
            Ok((as_text(true), Tag::None))
        }
        Some(_) => Err(MISFIT.to_owned()),
        None => ours(tag).map(|tag| (as_written, tag)),
    }
}

/// Returns the tag of a list or mapping, or says why it does not fit.
pub(super) fn collection_tag(tag: Option<&YamlTag>, name: &str) -> Result<Tag, String> {
    match tag {
        None => Ok(Tag::None),
        Some(tag) => match tag.core_suffix() {
            Some(core) if core == name => Ok(Tag::None),
            Some(_) => Err(MISFIT.to_owned()),
            None => ours(tag),
        },
    }
}

const MISFIT: &str = "the tag does not fit this value";

/// Returns which of our own tags it is.
fn ours(tag: &YamlTag) -> Result<Tag, String> {
    match tag.original().as_str() {
        "!reset" => Ok(Tag::Reset),
        "!override" => Ok(Tag::Override),
        "!" => Ok(Tag::None),
        // What it says is not repeated: a password without quotes may begin with `!`.
        _ => Err("this tag has no meaning in a Compose file".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_as_a_number_or_a_truth_value_is_typed() {
        for typed in [
            "", "~", "null", "true", "FALSE", "1", "-1", "0x1f", "0o17", "1_000", "1e3",
            ".5",
        ] {
            assert!(is_typed(typed), "{typed}");
        }
        for text in [
            "a", "yes", "no", "on", "22:22", "1.2.3", "e3", "-", "+", "infinity", "nan",
            "0x", "_0", "_1_0",
        ] {
            assert!(!is_typed(text), "{text}");
        }
    }
}

//! From bytes to text: what can be no YAML is found before any parser sees it.

/// Why bytes are not the text of a desired-state file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotText {
    /// The text as far as it can be shown.
    pub shown: String,
    /// The byte at which it goes wrong, in `shown`.
    pub offset: usize,
    /// What is wrong, and what is allowed.
    pub message: String,
}

/// Turns the bytes of a file into text, without a byte-order mark.
///
/// UTF-16, other encodings and control characters (NUL among them) are refused: with them
/// a file is damaged, or not the file that was meant.
pub fn decode(bytes: &[u8]) -> Result<String, NotText> {
    if bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) {
        let message = "the file is UTF-16; it must be saved as UTF-8".to_owned();
        return Err(NotText { shown: String::new(), offset: 0, message });
    }
    let bytes = bytes.strip_prefix("\u{FEFF}".as_bytes()).unwrap_or(bytes);
    let text = match str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(error) => {
            let offset = error.valid_up_to();
            let byte = bytes.get(offset).copied().unwrap_or_default();
            let message =
                format!("byte 0x{byte:02x} is not UTF-8; the file must be UTF-8 text");
            let shown = String::from_utf8_lossy(bytes).into_owned();
            return Err(NotText { shown, offset, message });
        }
    };
    match text.char_indices().find(|(_, character)| is_forbidden(*character)) {
        None => Ok(text),
        Some((offset, character)) => {
            let message = format!(
                "the control character U+{:04X} is not allowed in YAML; the file may be \
                 damaged",
                u32::from(character)
            );
            Err(NotText { shown: text, offset, message })
        }
    }
}

/// Tells whether YAML forbids a character even in quotes.
fn is_forbidden(character: char) -> bool {
    character.is_control() && !matches!(character, '\t' | '\n' | '\r' | '\u{85}')
        || matches!(character, '\u{FFFE}' | '\u{FFFF}')
}

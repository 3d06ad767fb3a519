//! The colours, by what they mean.
//!
//! Renderers always style; whoever writes the text strips it where colour has no place.

use std::fmt::Display;

use anstyle::{AnsiColor, Effects, Style};

/// Something new, or something well.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// Something that changes, or is not there yet.
pub const CHANGE: Style = AnsiColor::Yellow.on_default();
/// Something that goes away, or is broken.
pub const BAD: Style = AnsiColor::Red.on_default();
/// What is there to be skipped over.
pub const FAINT: Style = Style::new().effects(Effects::DIMMED);
/// What the eye should find first.
pub const STRONG: Style = Style::new().effects(Effects::BOLD);
/// A part of a unified diff.
pub const PLACE: Style = AnsiColor::Cyan.on_default();

/// Returns the text in a style.
pub fn paint(style: Style, text: impl Display) -> String {
    format!("{style}{text}{style:#}")
}

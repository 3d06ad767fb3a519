//! What plain text is: YAML's rules for scalars, as Compose reads them.

use super::text;
use super::timestamp::Timestamp;
use crate::compose::node::{Entry, Kind, Node};
use crate::state::value::Real;

/// The type of a scalar.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    /// Nothing.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A whole number that only fits without a sign.
    Unsigned(u64),
    /// A number with a fraction.
    Real(f64),
    /// A date, with or without a time.
    Time(Timestamp),
    /// Anything else.
    Text(String),
}

/// Returns the scalar that a node is; nothing for lists and mappings.
pub(super) fn resolve(node: &Node) -> Option<Scalar> {
    match &node.kind {
        Kind::Null => Some(Scalar::Null),
        Kind::Bool(value) => Some(Scalar::Bool(*value)),
        Kind::Int(number) => Some(Scalar::Int(*number)),
        Kind::Real(Real(number)) => Some(Scalar::Real(*number)),
        Kind::Text(text) if text.plain => Some(plain(&text.text)),
        Kind::Text(text) => Some(Scalar::Text(text.text.clone())),
        Kind::Sequence(_) | Kind::Mapping(_) => None,
    }
}

/// Types plain text.
pub(super) fn plain(text: &str) -> Scalar {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "true" | "True" | "TRUE" => Scalar::Bool(true),
        "false" | "False" | "FALSE" => Scalar::Bool(false),
        _ => Timestamp::parse(text)
            .map(Scalar::Time)
            .or_else(|| number(text))
            .unwrap_or_else(|| Scalar::Text(text.to_owned())),
    }
}

/// Reads a number; underscores between digits have no meaning.
fn number(text: &str) -> Option<Scalar> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || "+-.".contains(first)) {
        return None;
    }
    let digits = text.replace('_', "");
    if let Some(whole) = whole(&digits) {
        return Some(match (i64::try_from(whole), u64::try_from(whole)) {
            (Ok(number), _) => Scalar::Int(number),
            (_, Ok(number)) => Scalar::Unsigned(number),
            (Err(_), Err(_)) => Scalar::Real(digits.parse().ok()?),
        });
    }
    let is_real = is_decimal(&digits);
    let number: f64 = digits.parse().ok().filter(|_| is_real)?;
    number.is_finite().then_some(Scalar::Real(number))
}

/// Reads a whole number in any base: `0x1f`, `0o17`, `017`, `0b1`. Numbers in base ten
/// that are too long for 64 bits are read as fractions are.
fn whole(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let (base, digits) = if let Some(rest) = lower.strip_prefix("0x") {
        (16, rest)
    } else if let Some(rest) = lower.strip_prefix("0o") {
        (8, rest)
    } else if let Some(rest) = lower.strip_prefix("0b") {
        (2, rest)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, lower.get(1..)?)
    } else {
        (10, lower.as_str())
    };
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(base)) {
        return None;
    }
    let number = i128::from_str_radix(digits, base).ok()?;
    let number = if negative { -number } else { number };
    let fits = i64::try_from(number).is_ok() || u64::try_from(number).is_ok();
    (fits || base == 10).then_some(number)
}

/// Tells whether text is a number with an optional fraction and exponent.
fn is_decimal(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let all_digits =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mantissa = match mantissa.split_once('.') {
        Some(("", fraction)) => all_digits(fraction),
        Some((whole, fraction)) => {
            all_digits(whole) && (fraction.is_empty() || all_digits(fraction))
        }
        None => all_digits(mantissa),
    };
    mantissa
        && exponent.is_none_or(|exponent| {
            all_digits(exponent.strip_prefix(['-', '+']).unwrap_or(exponent))
        })
}

impl Scalar {
    /// Writes the scalar as Compose does where text is needed.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Null => String::new(),
            Self::Bool(value) => value.to_string(),
            Self::Int(number) => number.to_string(),
            Self::Unsigned(number) => number.to_string(),
            Self::Real(number) => show_real(number),
            Self::Time(time) => time.to_string(),
            Self::Text(text) => text,
        }
    }
}

/// Writes a number with the fewest digits that tell it from its neighbours, with an
/// exponent below 0.0001 and from a million on.
pub(super) fn show_real(number: f64) -> String {
    let scientific = format!("{number:e}");
    let Some((digits, exponent)) = scientific.split_once('e') else {
        return scientific;
    };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if !(-4..6).contains(&exponent) {
        let sign = if exponent < 0 { '-' } else { '+' };
        return format!("{digits}e{sign}{:02}", exponent.abs());
    }
    number.to_string()
}

/// Types a tree of which nothing is known.
pub(super) fn any(node: Node) -> Kind {
    let typed = resolve(&node);
    match node.kind {
        Kind::Text(old) => match typed {
            Some(Scalar::Null) => Kind::Null,
            Some(Scalar::Bool(value)) => Kind::Bool(value),
            Some(Scalar::Int(number)) => Kind::Int(number),
            #[expect(clippy::cast_precision_loss, reason = "beyond 63 bits it is a real")]
            Some(Scalar::Unsigned(number)) => Kind::Real(Real(number as f64)),
            Some(Scalar::Real(number)) => Kind::Real(Real(number)),
            Some(Scalar::Time(time)) => text(time.rfc3339(), old.sensitive),
            Some(Scalar::Text(_)) | None => text(old.text, old.sensitive),
        },
        Kind::Sequence(items) => {
            let typed = |item: Node| {
                let (span, tag) = (item.span, item.tag);
                Node { kind: any(item), span, tag }
            };
            Kind::Sequence(items.into_iter().map(typed).collect())
        }
        Kind::Mapping(mapping) => Kind::Mapping(
            mapping
                .into_iter()
                .map(|(key, entry)| {
                    let (span, tag) = (entry.node.span, entry.node.tag);
                    let node = Node { kind: any(entry.node), span, tag };
                    (key, Entry { key: entry.key, node })
                })
                .collect(),
        ),
        Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Real(_) => node.kind,
    }
}

/// Says what a node is, with its text unless that is sensitive.
pub(super) fn found(node: &Node) -> String {
    let Some(scalar) = resolve(node) else {
        return format!("{} was found", node.describe());
    };
    let what = match scalar {
        Scalar::Null => return "nothing was found".to_owned(),
        Scalar::Bool(_) => "a boolean",
        Scalar::Int(_) | Scalar::Unsigned(_) | Scalar::Real(_) => "a number",
        Scalar::Time(_) => "a date",
        Scalar::Text(_) => "text",
    };
    match node.as_text() {
        Some(_) if is_sensitive(node) => format!("{what} was found"),
        Some(written) => format!("`{written}` is {what}"),
        None => format!("{what} was found"),
    }
}

/// Tells whether a node is text that may not be shown.
pub(super) fn is_sensitive(node: &Node) -> bool {
    matches!(&node.kind, Kind::Text(text) if text.sensitive)
}

/// Shows text for a message.
pub(super) fn shown(node: &Node) -> String {
    match node.as_text() {
        Some(written) if !is_sensitive(node) => format!("`{written}`"),
        Some(_) | None => "the value".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_text_has_the_type_that_compose_gives_it() {
        for (written, expected) in [
            ("0755", "493"),
            ("1e3", "1000"),
            ("1.10", "1.1"),
            ("1.50", "1.5"),
            ("1e21", "1e+21"),
            ("1e20", "1e+20"),
            ("0x10", "16"),
            ("1_000", "1000"),
            ("0o17", "15"),
            (".5", "0.5"),
            ("1.", "1"),
            ("+5", "5"),
            ("-0", "0"),
            ("-0.0", "-0"),
            ("~", ""),
            ("12345678901234567890", "12345678901234567890"),
            ("123456789012345678901234", "1.2345678901234569e+23"),
            ("-9223372036854775809", "-9.223372036854776e+18"),
            ("0b11", "3"),
            ("-0b11", "-3"),
            ("0b2", "0b2"),
            ("100000000.0", "1e+08"),
            ("100000.0", "100000"),
            ("1234567.0", "1.234567e+06"),
            ("123456789.125", "1.23456789125e+08"),
            ("0.00001", "1e-05"),
            ("0.0001", "0.0001"),
            ("08", "8"),
            ("019.5", "19.5"),
            ("0x", "0x"),
            ("0o8", "0o8"),
            ("1e400", "1e400"),
            ("1e", "1e"),
            ("0x1p4", "0x1p4"),
            ("0xfffffffffffffffff", "0xfffffffffffffffff"),
            ("22:22", "22:22"),
            ("True", "true"),
            ("tRue", "tRue"),
            ("yes", "yes"),
            ("no", "no"),
            ("_1", "_1"),
            ("1e+3", "1000"),
            ("-1.5e-10", "-1.5e-10"),
            ("inf", "inf"),
            ("nan", "nan"),
            ("-infinity", "-infinity"),
        ] {
            assert_eq!(plain(written).into_text(), expected, "{written}");
        }
    }
}

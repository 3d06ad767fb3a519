//! Messages of Protocol Buffers, as far as probes need them: texts go out, fields come back.

/// Writes one field that holds a text; an empty one is left out.
pub(super) fn text_field(number: u8, text: &str) -> Vec<u8> {
    let mut field = Vec::new();
    if text.is_empty() {
        return field;
    }
    // The number of the field, and that its length comes next.
    field.push(number << 3 | 2);
    let mut length = text.len();
    while length >= 0x80 {
        field.push(u8::try_from(length & 0x7f).unwrap_or_default() | 0x80);
        length >>= 7;
    }
    field.push(u8::try_from(length).unwrap_or_default());
    field.extend_from_slice(text.as_bytes());
    field
}

/// The fields of a message; what is cut off or malformed ends them.
#[derive(Clone, Debug)]
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

/// The value of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    /// Of a kind that nobody here asks about.
    Other,
}

impl<'a> Fields<'a> {
    /// Returns the number in a field.
    pub(super) fn number(mut self, number: u64) -> Option<u64> {
        self.find_map(|(field, value)| match value {
            Field::Number(value) if field == number => Some(value),
            Field::Number(_) | Field::Bytes(_) | Field::Other => None,
        })
    }

    /// Returns the bytes in a field.
    pub(super) fn bytes(self, number: u64) -> Option<&'a [u8]> {
        self.all(number).next()
    }

    /// Iterates over the bytes in every field of a number.
    pub(super) fn all(self, number: u64) -> impl Iterator<Item = &'a [u8]> {
        self.filter_map(move |(field, value)| match value {
            Field::Bytes(value) if field == number => Some(value),
            Field::Number(_) | Field::Bytes(_) | Field::Other => None,
        })
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = *self.take(1)?.first()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (u64, Field<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let key = self.varint()?;
        let value = match key & 7 {
            0 => Field::Number(self.varint()?),
            1 => self.take(8).map(|_| Field::Other)?,
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Field::Bytes(self.take(length)?)
            }
            5 => self.take(4).map(|_| Field::Other)?,
            _ => return None,
        };
        Some((key >> 3, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_written_with_their_length_and_fields_are_read_back() {
        assert_eq!(text_field(1, ""), [0u8; 0]);
        assert_eq!(text_field(1, "ab"), [0x0a, 2, b'a', b'b']);
        let long = text_field(2, &"x".repeat(200));
        assert_eq!(&long[..3], [0x12, 0xc8, 1]);
        assert_eq!(Fields(&long).bytes(2).unwrap().len(), 200);
        let both = [&[0x08, 0x96, 0x01][..], &text_field(2, "a"), &text_field(2, "b")];
        let both = both.concat();
        assert_eq!(Fields(&both).number(1), Some(150));
        assert_eq!(Fields(&both).number(2), None);
        assert_eq!(Fields(&both).all(2).collect::<Vec<_>>(), [b"a", b"b"]);
    }

    #[test]
    fn what_is_no_message_has_no_fields() {
        for bytes in [&b"<html>"[..], &[0x0a, 0xff], &[0xff; 20], &[0x08], &[]] {
            assert_eq!(Fields(bytes).number(1), None, "{bytes:?}");
            assert_eq!(Fields(bytes).bytes(1), None, "{bytes:?}");
        }
    }
}

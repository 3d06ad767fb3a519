//! What a container is on the engine, field by field.

use std::collections::BTreeMap;

use super::value::Value;

/// The place of a field in the engine's create request, such as `HostConfig.Memory`.
pub type Pointer = &'static str;

/// An engine object as `pointer → value`: what we ask for, what `look` reads back and
/// what the simulator holds have this one form.
///
/// Values are normalised: lists that mean sets are sorted, `NAME=value` lists are maps.
/// A pointer that is not there is null.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Document(BTreeMap<Pointer, Value>);

impl Document {
    /// Returns the value at a pointer; null when it is not there.
    pub fn get(&self, pointer: Pointer) -> &Value {
        const NOTHING: &Value = &Value::Null;
        self.0.get(pointer).unwrap_or(NOTHING)
    }

    /// Sets the value at a pointer; null removes it.
    pub fn set(&mut self, pointer: Pointer, value: Value) {
        if value.is_null() {
            self.0.remove(pointer);
        } else {
            self.0.insert(pointer, value);
        }
    }

    /// Adds entries to the map at a pointer; an entry that is there already is replaced.
    pub fn extend(
        &mut self,
        pointer: Pointer,
        entries: impl IntoIterator<Item = (String, Value)>,
    ) {
        let slot = self.0.entry(pointer).or_default();
        if !matches!(slot, Value::Map(_)) {
            *slot = Value::Map(BTreeMap::new());
        }
        if let Value::Map(map) = slot {
            map.extend(entries);
        }
    }

    /// Adds a value to the sorted set at a pointer.
    pub fn insert(&mut self, pointer: Pointer, value: Value) {
        let slot = self.0.entry(pointer).or_default();
        if !matches!(slot, Value::List(_)) {
            *slot = Value::List(Vec::new());
        }
        if let Value::List(items) = slot
            && let Err(place) = items.binary_search(&value)
        {
            items.insert(place, value);
        }
    }

    /// Iterates over the fields in the order of their pointers.
    pub fn iter(&self) -> impl Iterator<Item = (Pointer, &Value)> {
        self.0.iter().map(|(pointer, value)| (*pointer, value))
    }
}

impl FromIterator<(Pointer, Value)> for Document {
    fn from_iter<I: IntoIterator<Item = (Pointer, Value)>>(fields: I) -> Self {
        let mut document = Self::default();
        for (pointer, value) in fields {
            document.set(pointer, value);
        }
        document
    }
}

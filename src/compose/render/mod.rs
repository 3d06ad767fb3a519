//! A merged document as `config` prints it.
//!
//! Which keys are printed when they say nothing is a matter of the attribute table; it
//! follows `docker compose config`, so that other tools find what they know.

mod block;

use serde_json::Value as Json;

use super::attribute::shape::Shape;
use super::attribute::{Attribute, Empty, stack};
use super::node::Node;
use crate::state::value::{Map, Value};

/// Returns a canonical, merged document without its places: what says nothing is left
/// out, and defaults that are always printed are there. Extensions are kept.
pub fn canonical(root: &Node) -> Value {
    printed(root.value(), &stack::ROOT)
}

/// Returns a canonical stack as JSON for other tools, secrets in clear: as `docker compose
/// config --format json` prints it, without the extensions inside of objects.
pub fn json(stack: &Value) -> Json {
    without_extensions(stack, &stack::ROOT, true).exposed()
}

/// Returns the text of [`json`]; dollar signs are doubled, since it is Compose again.
pub fn json_text(stack: &Value) -> String {
    double_dollars(&format!("{:#}", json(stack)))
}

/// Returns a canonical stack as YAML text, secrets in clear; dollar signs are doubled,
/// so that loading it yields the same stack.
pub fn yaml_text(stack: &Value) -> String {
    double_dollars(&block::text(stack))
}

fn double_dollars(text: &str) -> String {
    text.replace('$', "$$")
}

/// Leaves out what is not printed, and adds what always is.
fn printed(value: Value, shape: &'static Shape) -> Value {
    match (value, shape) {
        (Value::List(mut items), Shape::ExtraHosts) => {
            items.sort();
            Value::List(items)
        }
        (Value::List(items), _) => {
            let inner = shape.inner();
            Value::List(items.into_iter().map(|item| printed(item, inner)).collect())
        }
        (Value::Map(map), Shape::Map(inner) | Shape::Named(inner)) => {
            Value::map(map.into_iter().map(|(key, value)| (key, printed(value, inner))))
        }
        (Value::Map(map), _) if shape.rows().next().is_some() => {
            Value::Map(printed_keys(map, shape))
        }
        (value, _) => value,
    }
}

fn printed_keys(map: Map, shape: &'static Shape) -> Map {
    let mut keys = Map::new();
    for (key, value) in map {
        let Some(row) = shape.row(&key) else {
            keys.insert(key, value);
            continue;
        };
        let value = printed(value, &row.shape);
        if !is_left_out(&value, row) {
            keys.insert(key, value);
        }
    }
    for row in shape.rows() {
        let default = match row.empty {
            Empty::Null => Value::Null,
            Empty::Mapping => Value::Map(Map::new()),
            Empty::True => Value::Bool(true),
            Empty::Text(text) => Value::text(text),
            Empty::Omitted | Empty::Written | Empty::Never => continue,
        };
        keys.entry(row.key.to_owned()).or_insert(default);
    }
    keys
}

fn is_left_out(value: &Value, row: &Attribute) -> bool {
    match row.empty {
        Empty::Never => true,
        _ if value.is_null() => true,
        Empty::Written | Empty::Null | Empty::Mapping | Empty::True | Empty::Text(_) => {
            false
        }
        Empty::Omitted => match row.shape {
            Shape::Bytes => value.exposed_text() == Some("0"),
            Shape::Duration => value.exposed_text() == Some("0s"),
            Shape::Keys(_) | Shape::Families(_) | Shape::Short(..) => {
                value.is_zero() && value.as_map().is_none()
            }
            Shape::Any
            | Shape::Text
            | Shape::Word
            | Shape::Choice(_)
            | Shape::PullPolicy
            | Shape::Boolean
            | Shape::Integer
            | Shape::Percent
            | Shape::Number
            | Shape::Command
            | Shape::HealthTest
            | Shape::Count
            | Shape::List(_)
            | Shape::OneOrMore(_)
            | Shape::Map(_)
            | Shape::Named(_)
            | Shape::Pairs(_)
            | Shape::ExtraHosts
            | Shape::IntegerOr(_) => value.is_zero(),
        },
    }
}

/// Takes away the extensions of objects, but not those of the stack.
fn without_extensions(value: &Value, shape: &'static Shape, is_stack: bool) -> Value {
    match (value, shape) {
        (Value::Int(number), Shape::Percent) => Value::text(number.to_string()),
        (Value::List(items), _) => {
            let inner = shape.inner();
            Value::List(
                items.iter().map(|item| without_extensions(item, inner, false)).collect(),
            )
        }
        (Value::Map(map), Shape::Map(inner) | Shape::Named(inner)) => Value::map(
            map.iter().map(|(key, value)| (key, without_extensions(value, inner, false))),
        ),
        (Value::Map(map), _) if shape.rows().next().is_some() => {
            let kept = map.iter().filter_map(|(key, value)| match shape.row(key) {
                Some(row) => Some((key, without_extensions(value, &row.shape, false))),
                None => is_stack.then(|| (key, value.clone())),
            });
            Value::map(kept)
        }
        (value, _) => value.clone(),
    }
}

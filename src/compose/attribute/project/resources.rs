//! Limits and log rotation.

use super::super::field::{Context, Default, Field, Form, field};
use super::process::as_text;
use crate::compose::units;
use crate::state::document::Document;
use crate::state::observed::labels;
use crate::state::value::{Map, Value};

/// `deploy.resources.limits.cpus`, `cpus`.
pub const CPUS: Field = field("HostConfig.NanoCpus").form(Form::NanoCpus).updates();

/// `deploy.resources.limits.memory`, `mem_limit`.
pub const MEMORY: Field = field("HostConfig.Memory").updates();

/// `memswap_limit`: the engine's choice is twice the memory, or nothing where swap is not
/// counted.
pub const MEMORY_SWAP: Field =
    field("HostConfig.MemorySwap").updates().default(Default::Computed(|asked| {
        let memory = asked.document.get("HostConfig.Memory").as_int().unwrap_or(0);
        let there = asked.container.document.get("HostConfig.MemorySwap");
        let limited =
            asked.container.document.get("HostConfig.Memory").as_int().unwrap_or(0);
        let chosen = matches!(there.as_int(), None | Some(-1 | 0))
            || there.as_int() == limited.checked_mul(2);
        Some(if chosen { there.clone() } else { Value::Int(memory.saturating_mul(2)) })
    }));

/// `deploy.resources.reservations.memory`, `mem_reservation`.
pub const MEMORY_RESERVATION: Field = field("HostConfig.MemoryReservation").updates();

/// `deploy.resources.limits.pids`, `pids_limit`: 0 and -1 are no limit.
pub const PIDS: Field =
    field("HostConfig.PidsLimit").updates().alike(|desired, observed| {
        let unlimited = |value: &Value| value.as_int().is_none_or(|limit| limit <= 0);
        unlimited(desired) && unlimited(observed)
    });

/// `mem_swappiness`: -1 is the kernel's.
pub const SWAPPINESS: Field =
    field("HostConfig.MemorySwappiness").alike(|desired, observed| {
        let unset = |value: &Value| matches!(value.as_int(), None | Some(-1));
        unset(desired) && unset(observed)
    });

/// `shm_size`: 64 MiB, or nothing where the IPC namespace is shared.
pub const SHARED_MEMORY: Field =
    field("HostConfig.ShmSize").default(Default::Computed(|asked| {
        let there = asked.container.document.get("HostConfig.ShmSize");
        Some(if there.is_zero() { there.clone() } else { Value::Int(64 << 20) })
    }));

/// `ulimits`.
pub const ULIMITS: Field = field("HostConfig.Ulimits").form(Form::Keyed("Name"));

/// `logging.driver`: the engine's.
pub const LOG_DRIVER: Field = field("HostConfig.LogConfig.Type")
    .default(Default::Computed(|asked| Some(Value::text(&asked.facts.log_driver))));

/// `logging.options`: the engine adds its own, which it tells nobody.
pub const LOG_OPTIONS: Field = field("HostConfig.LogConfig.Config")
    .default(Default::EngineEntries(labels::LOG_OPTIONS));

/// `devices` of `deploy.resources.reservations`, and `gpus`.
pub const DEVICE_REQUESTS: Field =
    field("HostConfig.DeviceRequests").alike(|desired, observed| {
        let shape = |value: &Value| -> Vec<Map> {
            let items = value.items().iter().filter_map(Value::as_map);
            items
                .map(|item| {
                    let mut item = item.clone();
                    item.retain(|_, value| !value.is_zero());
                    item
                })
                .collect()
        };
        shape(desired) == shape(observed)
    });

fn bytes(value: &Value) -> Value {
    match value {
        Value::Int(_) => value.clone(),
        Value::Text(text) => text
            .parse::<i64>()
            .or_else(|_| units::parse_bytes(text))
            .map_or(Value::Null, Value::Int),
        Value::Null
        | Value::Bool(_)
        | Value::Real(_)
        | Value::Secret(_)
        | Value::List(_)
        | Value::Map(_) => Value::Null,
    }
}

/// Both spellings of the memory limit.
pub fn memory(value: &Value, _: &Context<'_>, to: &mut Document) {
    to.set("HostConfig.Memory", bytes(value));
}

/// `memswap_limit`.
pub fn memory_swap(value: &Value, _: &Context<'_>, to: &mut Document) {
    to.set("HostConfig.MemorySwap", bytes(value));
}

/// Both spellings of the memory reservation.
pub fn memory_reservation(value: &Value, _: &Context<'_>, to: &mut Document) {
    to.set("HostConfig.MemoryReservation", bytes(value));
}

/// `shm_size`.
pub fn shared_memory(value: &Value, _: &Context<'_>, to: &mut Document) {
    to.set("HostConfig.ShmSize", bytes(value));
}

/// Both spellings of the processor limit: text and number mean the same.
pub fn cpus(value: &Value, _: &Context<'_>, to: &mut Document) {
    if !value.is_zero() {
        let text = value.to_string();
        let normal = text.parse::<f64>().map_or(text, |number| number.to_string());
        to.set("HostConfig.NanoCpus", Value::Text(normal));
    }
}

/// `ulimits`: one number is both limits.
pub fn ulimits(value: &Value, _: &Context<'_>, to: &mut Document) {
    let limits = value.entries().map(|(name, limit)| {
        let both =
            |key: &str| if limit.as_map().is_some() { limit.get(key) } else { limit };
        let limits =
            Value::map([("Soft", both("soft").clone()), ("Hard", both("hard").clone())]);
        (name.to_owned(), limits)
    });
    to.extend("HostConfig.Ulimits", limits);
}

/// `logging.options`: values are texts.
pub fn log_options(value: &Value, _: &Context<'_>, to: &mut Document) {
    to.extend(
        "HostConfig.LogConfig.Config",
        value.entries().map(|(name, value)| (name.to_owned(), as_text(value))),
    );
}

/// `blkio_config`.
pub fn block_io(value: &Value, _: &Context<'_>, to: &mut Document) {
    to.set("HostConfig.BlkioWeight", value.get("weight").clone());
    for (key, pointer) in BLOCK_IO_DEVICES {
        let items = value.get(key).items().iter().map(|item| {
            let amount = match *key {
                "weight_device" => ("Weight", item.get("weight").clone()),
                _ => ("Rate", bytes(item.get("rate"))),
            };
            Value::map([("Path", item.get("path").clone()), amount])
        });
        let items: Vec<Value> = items.collect();
        if !items.is_empty() {
            to.set(pointer, Value::List(items));
        }
    }
}

const BLOCK_IO_DEVICES: &[(&str, &str)] = &[
    ("weight_device", "HostConfig.BlkioWeightDevice"),
    ("device_read_bps", "HostConfig.BlkioDeviceReadBps"),
    ("device_read_iops", "HostConfig.BlkioDeviceReadIOps"),
    ("device_write_bps", "HostConfig.BlkioDeviceWriteBps"),
    ("device_write_iops", "HostConfig.BlkioDeviceWriteIOps"),
];

/// The fields of `blkio_config`.
pub const BLOCK_IO: [Field; 6] = [
    field("HostConfig.BlkioWeight"),
    field("HostConfig.BlkioWeightDevice"),
    field("HostConfig.BlkioDeviceReadBps"),
    field("HostConfig.BlkioDeviceReadIOps"),
    field("HostConfig.BlkioDeviceWriteBps"),
    field("HostConfig.BlkioDeviceWriteIOps"),
];

/// `gpus` and `deploy.resources.reservations.devices`.
pub fn device_requests(value: &Value, _: &Context<'_>, to: &mut Document) {
    let requests = value.items().iter().map(|item| {
        let capabilities = item.get("capabilities");
        let capabilities = if capabilities.is_null() {
            Value::texts(["gpu"])
        } else {
            capabilities.clone()
        };
        let count = item.get("count");
        let is_all = count.as_text() == Some("all")
            || count.is_null() && item.get("device_ids").is_zero();
        let count = if is_all { Value::Int(-1) } else { count.clone() };
        Value::map([
            ("Driver", item.get("driver").clone()),
            ("Count", count),
            ("DeviceIDs", item.get("device_ids").clone()),
            ("Capabilities", Value::List(vec![capabilities])),
            ("Options", item.get("options").clone()),
        ])
    });
    let requests: Vec<Value> = requests.collect();
    if !requests.is_empty() {
        to.set("HostConfig.DeviceRequests", Value::List(requests));
    }
}

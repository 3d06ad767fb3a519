//! Fields of the engine: where they stand, how they are compared, what a change costs.

use crate::state::desired::{Service, Stack};
use crate::state::document::{Document, Pointer};
use crate::state::value::Value;

/// One field of a container on the engine.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Where it stands in the create request.
    pub pointer: Pointer,
    /// How the engine writes it in JSON.
    pub form: Form,
    /// When nothing is asked for, what the engine or the image puts there.
    pub default: Default,
    /// What a change of it costs.
    pub cost: Cost,
}

/// How the engine writes a field, and how it reads in a [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// A list whose order has no meaning: a sorted list.
    Set,
    /// A set of capabilities: a sorted list without the prefix `CAP_`.
    Capabilities,
    /// `["NAME=value"]`: a map.
    Pairs,
    /// `{"name": {}}`: a sorted list of names.
    Names,
    /// A list of objects: a map by this member of theirs.
    Keyed(&'static str),
    /// `{"80/tcp": [{"HostIp": …, "HostPort": …}]}`: a map from port to a sorted list of
    /// `ip:port`.
    PortBindings,
    /// `HostConfig.Binds` and `HostConfig.Mounts` together: a map by target.
    Mounts,
    /// `NetworkingConfig.EndpointsConfig`: a map by network name.
    Endpoints,
}

/// What is there when nothing is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Default {
    /// Null or zero.
    Zero,
    /// What the image says at the same pointer.
    Image,
    /// What the image says, overlaid by what is asked for, entry by entry.
    ImageEntries,
    /// This text.
    Text(&'static str),
    /// This number.
    Int(i64),
    /// Whatever is there: the engine decides, and nobody cares.
    Any,
    /// Computed from what is asked for, the container and the engine.
    Computed(fn(&Asked<'_>) -> Value),
}

/// What a computed default may look at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What is asked for.
    pub document: &'a Document,
    /// The container that is there.
    pub container: &'a crate::state::observed::Container,
    /// The engine.
    pub facts: &'a crate::state::observed::EngineFacts,
}

/// What a change of a field costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Another container.
    Recreate,
    /// Nothing, from value to value; taking the value away costs another container.
    Update,
    /// Nothing: the network is disconnected and connected.
    Reconnect,
}

/// How the canonical value of an attribute becomes fields.
#[derive(Clone, Copy, Debug)]
pub enum Project {
    /// It does not.
    Nothing,
    /// The one field has the value as it is.
    Same,
    /// By this function.
    With(fn(&Value, &Context<'_>, &mut Document)),
}

/// What a projection may look at besides the value.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// The stack.
    pub stack: &'a Stack,
    /// The service.
    pub service: &'a Service,
    /// The number of the replica, from 1.
    pub number: u32,
    /// What the engine is and can do.
    pub facts: &'a crate::state::observed::EngineFacts,
}

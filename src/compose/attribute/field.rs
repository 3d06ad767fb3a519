//! Fields of the engine: where they stand, how they are compared, what a change costs.

use std::collections::BTreeMap;

use crate::state::desired::{Service, Stack};
use crate::state::document::{Document, Pointer};
use crate::state::ids::{ContainerId, ServiceName};
use crate::state::observed::{Container, EngineFacts};
use crate::state::value::Value;

/// One field of a container on the engine.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Where it stands in the create request.
    pub pointer: Pointer,
    /// How the engine writes it in JSON.
    pub form: Form,
    /// What is there when nothing is asked for.
    pub default: Default,
    /// What a change of it costs.
    pub cost: Cost,
    /// Which values are as good as equal, besides equal ones and two zeros.
    pub alike: Option<fn(desired: &Value, observed: &Value) -> bool>,
}

/// How the engine writes a field, and how it reads in a [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Plain,
    /// A list whose order has no meaning: a sorted list.
    Set,
    /// Security options: a sorted list, in the form `name=value`.
    Options,
    /// A set of capabilities: a sorted list without the prefix `CAP_`.
    Capabilities,
    /// `["NAME=value"]`: a map, in which values of sensitive names are secrets.
    Pairs,
    /// `{"name": {}}`: a map from name to true.
    Names,
    /// A list of objects: a map by this member of theirs.
    Keyed(&'static str),
    /// Nanoseconds: a Compose duration such as `1m30s`.
    Nanoseconds,
    /// Seconds: a Compose duration.
    Seconds,
    /// Billionths of a processor: a decimal number as text, such as `0.5`.
    NanoCpus,
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
    /// What the engine adds by itself, overlaid by what is asked for, entry by entry. This
    /// label has the names of the entries that were asked for when the container was made;
    /// all others are the engine's.
    EngineEntries(&'static str),
    /// This text.
    Text(&'static str),
    /// Whatever is there: the engine decides, and nobody cares.
    Any,
    /// Computed from what is asked for, the container, its image and the engine; nothing
    /// when it cannot be known.
    Computed(fn(&Asked<'_>) -> Option<Value>),
}

/// What a computed default may look at.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What is asked for.
    pub document: &'a Document,
    /// The container that is there.
    pub container: &'a Container,
    /// What its image says; nothing when the image is gone.
    pub image: Option<&'a Document>,
    /// The engine.
    pub facts: &'a EngineFacts,
}

/// What a change of a field costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cost {
    /// Another container.
    Recreate,
    /// Nothing, from value to value; taking the value away costs another container.
    Update,
    /// Nothing, also when the value is taken away.
    UpdateAny,
    /// Nothing: the network is disconnected and connected.
    Reconnect,
}

/// How the canonical value of an attribute becomes fields.
#[derive(Clone, Copy, Debug)]
pub enum Project {
    /// It does not.
    Nothing,
    /// The first field has the value as it is.
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
    /// The name that the container will have.
    pub name: &'a str,
    /// The engine.
    pub facts: &'a EngineFacts,
    /// The containers of services whose namespaces or volumes may be shared.
    pub peers: &'a BTreeMap<ServiceName, ContainerId>,
}

/// Makes a field that is compared as it is, is zero unless asked for, and costs another
/// container.
pub const fn field(pointer: Pointer) -> Field {
    Field {
        pointer,
        form: Form::Plain,
        default: Default::Zero,
        cost: Cost::Recreate,
        alike: None,
    }
}

impl Field {
    /// Sets the form.
    #[must_use]
    pub const fn form(mut self, form: Form) -> Self {
        self.form = form;
        self
    }

    /// Sets the default.
    #[must_use]
    pub const fn default(mut self, default: Default) -> Self {
        self.default = default;
        self
    }

    /// Says that the engine can change it on a live container.
    #[must_use]
    pub const fn updates(mut self) -> Self {
        self.cost = Cost::Update;
        self
    }

    /// Says that the engine can change it on a live container, and take it away.
    #[must_use]
    pub const fn updates_any(mut self) -> Self {
        self.cost = Cost::UpdateAny;
        self
    }

    /// Says that the network is disconnected and connected for it.
    #[must_use]
    pub const fn reconnects(mut self) -> Self {
        self.cost = Cost::Reconnect;
        self
    }

    /// Sets which values are as good as equal.
    #[must_use]
    pub const fn alike(mut self, alike: fn(&Value, &Value) -> bool) -> Self {
        self.alike = Some(alike);
        self
    }
}

//! The `deploy` section: how many containers, with which resources.

use super::field::Project;
use super::project;
use super::resources::DEVICE_REQUEST;
use super::shape::{Missing, Shape};
use super::{Attribute, Empty, Merge, row};

/// Deployment.
pub const DEPLOY: &[Attribute] = &[row(
    "deploy",
    Shape::Keys(DEPLOYMENT),
    "How many containers there are, and what they may use.",
)];

const DEPLOYMENT: &[Attribute] = &[
    row("mode", Shape::Text, "Whether there are so many containers, or one per host.")
        .ignored(
            "there is one engine: a service has as many containers as \
         `deploy.replicas` says",
        ),
    row("replicas", Shape::Integer, "How many containers there are.")
        .when_empty(Empty::Written),
    row("labels", Shape::Pairs(Missing::Empty), "The labels of a Swarm service.")
        .merges(Merge::Entries)
        .ignored(
            "they are for Swarm services; labels of the containers stand under \
         `labels`",
        ),
    row("resources", Shape::Keys(RESOURCES), "Limits and reservations.")
        .when_empty(Empty::Mapping),
    row(
        "restart_policy",
        Shape::Keys(RESTART_POLICY),
        "What the engine does when the process ends; it wins over `restart`.",
    ),
    row("update_config", Shape::Keys(UPDATE), "How a change is rolled out."),
    row("rollback_config", Shape::Keys(ROLLBACK), "How a failed change is taken back."),
    row("placement", Shape::Keys(PLACEMENT), "Which hosts are chosen.")
        .when_empty(Empty::Mapping)
        .ignored("there is one engine to place containers on"),
    row("endpoint_mode", Shape::Text, "How Swarm spreads connections.").ignored(
        "it is for Swarm; the service's name resolves to the addresses of all \
         its containers",
    ),
];

const RESOURCES: &[Attribute] = &[
    row("limits", Shape::Keys(LIMITS), "What may be used at most."),
    row("reservations", Shape::Keys(RESERVATIONS), "What must be there at least."),
];

const LIMITS: &[Attribute] = &[
    row("cpus", Shape::Number, "How many processors may be used, fractions too.")
        .becomes(&[project::resources::CPUS], Project::With(project::resources::cpus)),
    row("memory", Shape::Bytes, "How much memory may be used.").becomes(
        &[project::resources::MEMORY],
        Project::With(project::resources::memory),
    ),
    row("pids", Shape::Integer, "How many processes and threads there may be.")
        .is_field(&[project::resources::PIDS]),
];

const RESERVATIONS: &[Attribute] = &[
    row("cpus", Shape::Number, "How many processors are kept free for it.").ignored(
        "an engine reserves no processors; `cpu_shares` gives weight when \
         they are scarce",
    ),
    row("memory", Shape::Bytes, "How much memory is left to it when memory is scarce.")
        .becomes(
            &[project::resources::MEMORY_RESERVATION],
            Project::With(project::resources::memory_reservation),
        ),
    row(
        "generic_resources",
        Shape::List(&Shape::Keys(GENERIC_RESOURCE)),
        "Resources that Swarm counts.",
    )
    .merges(Merge::Append)
    .ignored("they are for Swarm; an engine counts none"),
    row(
        "devices",
        Shape::List(&Shape::Keys(DEVICE_REQUEST)),
        "Devices that a driver must bring in, such as GPUs.",
    )
    .merges(Merge::Append)
    .becomes(
        &[project::resources::DEVICE_REQUESTS],
        Project::With(project::resources::device_requests),
    ),
];

const GENERIC_RESOURCE: &[Attribute] = &[row(
    "discrete_resource_spec",
    Shape::Keys(DISCRETE_RESOURCE),
    "A resource that is counted.",
)];

const DISCRETE_RESOURCE: &[Attribute] = &[
    row("kind", Shape::Text, "Its name.").when_empty(Empty::Written),
    row("value", Shape::Integer, "How many.").when_empty(Empty::Written),
];

const RESTART_POLICY: &[Attribute] = &[
    row(
        "condition",
        Shape::Text,
        "When it is started again: `none`, `on-failure` or `any`.",
    )
    .becomes(
        &[project::health::RESTART],
        Project::With(project::health::deploy_condition),
    ),
    row("delay", Shape::Duration, "How long to wait before.")
        .when_empty(Empty::Written)
        .ignored(
            "the engine waits by its own rule: 100 ms, doubled each time up to a \
         minute",
        ),
    row("max_attempts", Shape::Integer, "How often, at most.")
        .when_empty(Empty::Written)
        .is_field(&[project::health::RESTART_ATTEMPTS]),
    row("window", Shape::Duration, "How long it must run to count as started.")
        .when_empty(Empty::Written)
        .ignored("the engine has its own rule: ten seconds"),
];

const UPDATE: &[Attribute] = &[
    row("parallelism", Shape::Integer, "How many containers are replaced at a time.")
        .when_empty(Empty::Written),
    row("delay", Shape::Duration, "How long to wait in between."),
    row(
        "failure_action",
        Shape::Choice(&["rollback", "pause", "continue"]),
        "What happens when a new container does not get ready.",
    ),
    row("monitor", Shape::Duration, "How long a new container must stay ready.")
        .when_empty(Empty::Written),
    row("max_failure_ratio", Shape::Number, "Which share of failures is bearable.")
        .when_empty(Empty::Written),
    row(
        "order",
        Shape::Choice(&["start-first", "stop-first"]),
        "Whether the new container starts before the old one stops.",
    ),
];

const ROLLBACK: &[Attribute] = &[
    row("parallelism", Shape::Integer, "How many containers are taken back at a time.")
        .when_empty(Empty::Written),
    row("delay", Shape::Duration, "How long to wait in between."),
    row("failure_action", Shape::Text, "What happens after another failure.")
        .ignored("a way back that fails is not taken back: the old container stays"),
    row("monitor", Shape::Duration, "How long an old container must stay ready.")
        .when_empty(Empty::Written)
        .ignored("the failed container goes as soon as the old one is ready"),
    row("max_failure_ratio", Shape::Number, "Which share of failures is bearable.")
        .when_empty(Empty::Written)
        .ignored("a way back that fails is not taken back: the old container stays"),
    row(
        "order",
        Shape::Choice(&["start-first", "stop-first"]),
        "Whether the old container starts before the failed one stops.",
    )
    .ignored("the failed container stops first: what is not ready serves nobody"),
];

const PLACEMENT: &[Attribute] = &[
    row("constraints", Shape::List(&Shape::Text), "What must hold of a host.")
        .merges(Merge::Append),
    row(
        "preferences",
        Shape::List(&Shape::Keys(PREFERENCE)),
        "What is preferred of a host.",
    )
    .merges(Merge::Append),
    row(
        "max_replicas_per_node",
        Shape::Integer,
        "How many containers one host may have.",
    ),
];

const PREFERENCE: &[Attribute] = &[row(
    "spread",
    Shape::Text,
    "The host label over whose values containers are spread.",
)];

//! Health, restarts and order: when a service counts as running.

use super::field::Project;
use super::project;
use super::shape::Shape;
use super::{Attribute, Empty, Merge, row};

/// Health check, restart policy and dependencies.
pub const HEALTH: &[Attribute] = &[
    row(
        "healthcheck",
        Shape::Keys(HEALTHCHECK),
        "How the engine tests whether the service is healthy.",
    ),
    row(
        "restart",
        Shape::Text,
        "What the engine does when the process ends: `no`, `always`, \
         `unless-stopped` or `on-failure[:attempts]`.",
    )
    .becomes(
        &[project::health::RESTART, project::health::RESTART_ATTEMPTS],
        Project::With(project::health::restart),
    ),
    row(
        "depends_on",
        Shape::Named(&Shape::Keys(DEPENDENCY)),
        "The services that must be there first.",
    ),
];

const HEALTHCHECK: &[Attribute] = &[
    row("test", Shape::HealthTest, "The command that tells by its exit status.")
        .merges(Merge::Replace)
        .is_field(&[project::health::TEST]),
    row("interval", Shape::Duration, "From one check to the next.")
        .when_empty(Empty::Written)
        .is_field(&[project::health::INTERVAL]),
    row("timeout", Shape::Duration, "How long one check may take.")
        .when_empty(Empty::Written)
        .is_field(&[project::health::TIMEOUT]),
    row("retries", Shape::Integer, "How many failures in a row make it unhealthy.")
        .when_empty(Empty::Written)
        .is_field(&[project::health::RETRIES]),
    row(
        "start_period",
        Shape::Duration,
        "For how long after the start failures do not count.",
    )
    .when_empty(Empty::Written)
    .is_field(&[project::health::START_PERIOD]),
    row(
        "start_interval",
        Shape::Duration,
        "From one check to the next during the start period.",
    )
    .when_empty(Empty::Written)
    .from_api(1, 44)
    .is_field(&[project::health::START_INTERVAL]),
    row("disable", Shape::Boolean, "Whether there is no check, whatever the image has.")
        .becomes(&[project::health::TEST], Project::With(project::health::disable)),
];

const DEPENDENCY: &[Attribute] = &[
    row(
        "condition",
        Shape::Choice(&[
            "service_started",
            "service_healthy",
            "service_completed_successfully",
        ]),
        "What must hold of the other before this one starts.",
    )
    .when_empty(Empty::Text("service_started")),
    row(
        "restart",
        Shape::Boolean,
        "Whether this one is restarted when we restart the other.",
    ),
    row(
        "required",
        Shape::Boolean,
        "Whether it is an obstacle when the other is not part of the stack.",
    )
    .when_empty(Empty::True),
];

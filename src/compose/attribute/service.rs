//! Every key of a service: the table of tables.

use super::shape::Shape;
use super::{
    Attribute, deploy, environment, health, image, logging, networking, process,
    resources, security, storage,
};

/// The families of service keys.
pub const FAMILIES: &[&[Attribute]] = &[
    image::IMAGE,
    process::PROCESS,
    environment::ENVIRONMENT,
    health::HEALTH,
    networking::NETWORKING,
    storage::STORAGE,
    deploy::DEPLOY,
    resources::RESOURCES,
    security::SECURITY,
    logging::LOGGING,
];

/// A service.
pub const SERVICE: Shape = Shape::Families(FAMILIES);

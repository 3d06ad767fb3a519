//! What a person can ask of a running operator.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::planning::rest::Rest;
use crate::planning::world::Allowed;
use crate::state::ids::ServiceName;

/// What a person can ask of a running operator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// To bring the stack up, without waiting for any backoff.
    Apply {
        /// What is allowed until the stack is as wanted.
        allowed: Allowed,
        /// Services whose changes of what must not change under data are meant.
        accepted: BTreeSet<ServiceName>,
    },
    /// To take the stack down, until it is wanted otherwise or asked up again.
    Delete,
    /// To try again now what failed: of one service, or of all.
    Retry {
        /// The service.
        service: Option<ServiceName>,
    },
    /// To do nothing about one service, or all, for a while.
    Pause {
        /// The service.
        service: Option<ServiceName>,
        /// For how long; nothing for until a person resumes it.
        time: Option<Duration>,
    },
    /// To go on with what was paused.
    Resume {
        /// The service; nothing for everything.
        service: Option<ServiceName>,
    },
    /// To stop everything, or to look again whether it still is.
    Rest {
        /// Why.
        rest: Rest,
    },
    /// To let the stack run again after a rest.
    Wake,
    /// To give every replica of a service a new start, one at a time.
    Restart {
        /// The service.
        service: ServiceName,
    },
}

//! A simulated engine: the real one's defaults, refusals, events and sense of time, with
//! no container behind it.
//!
//! [`World`] is the engine itself: pure, synchronous, and deterministic; its time passes
//! when it is told so. [`Sim`] gives it a clock and makes an [`crate::engine::Engine`] of
//! it: `--host sim:`.
//!
//! Read in this order: `world` (what there is, and how time passes), `perform` with
//! `creation`, `defaults`, `limits` and `network` (what is asked of it), `lifecycle` and `health`
//! (what happens by itself), `software` (what containers do), `event` (what it tells),
//! `faults` (what goes wrong), `hand` (what people do to it), `simulation` with `watch` (the clock), `file` with
//! `stored` (`sim:FILE`).
//!
//! What its software does is chosen by labels of the service:
//!
//! | label | meaning | without it |
//! |---|---|---|
//! | `sim.exits: CODE` | it ends by itself with this exit code | it runs for ever |
//! | `sim.after: DURATION` | so long after its start it ends | at once |
//! | `sim.health: DURATION\|never` | its health command passes from this age on | at once |
//! | `sim.sickens: DURATION` | its health command fails again from this age on | never |
//! | `sim.stops: DURATION\|never` | how long it takes when asked to stop; never: it has to be killed | no time |
//! | `sim.starts: DURATION` | how long the call that starts it takes | no time |
//! | `sim.refuses: TEXT` | the test of changed content fails, and says so | it passes |
//! | `sim.signals: ends` | any signal ends it, as one that nobody handles does | it goes on |
//! | `sim.uses: BYTES` | how much memory it uses while it runs | none |
//! | `sim.volumes: PATH,…` | its image asks for a volume at each of these paths | none |
//!
//! Every image can be pulled, but for those whose name contains `missing`.

mod content;
mod creation;
mod defaults;
mod event;
mod faults;
mod file;
mod hand;
mod health;
mod lifecycle;
mod limits;
mod network;
mod perform;
mod refusal;
mod simulation;
mod software;
mod stored;
#[cfg(test)]
mod tests;
mod watch;
mod world;

pub use super::{Scope, Wakeup};
pub use defaults::image;
pub use event::{Event, Kind};
pub use faults::{CallFault, Faults, LookFault, Losses};
pub use file::FileError;
pub use lifecycle::runs;
pub use perform::Call;
pub use simulation::Sim;
pub use software::{End, Passing, Reaction, Software, Wellness};
pub use watch::Watch;
pub use world::{Supply, World};

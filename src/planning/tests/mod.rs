//! What plans do, from the first look to the last: no engine, no clock.

mod attribution;
mod chaos;
mod crashes;
mod down;
mod gates;
mod healing;
mod jobs;
mod killed;
mod plans;
mod recovery;
mod replacement;
mod rollback;
mod rollouts;
mod time;
mod together;

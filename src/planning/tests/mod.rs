//! What plans do, from the first look to the last: no engine, no clock.

mod chaos;
mod content;
mod crashes;
mod down;
mod gates;
mod killed;
mod outside;
mod plans;
mod recovery;
mod replacement;
mod rollback;
mod rollouts;
mod time;

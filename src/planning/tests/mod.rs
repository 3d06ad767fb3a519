//! What plans do, from the first look to the last: no engine, no clock.

mod gates;
mod plans;
mod replacement;
mod time;

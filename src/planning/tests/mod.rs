//! What plans do, from the first look to the last: no engine, no clock.

mod plans;
mod replacement;

//! What plans do, from the first look to the last: no engine, no clock.

mod adoption;
mod attribution;
mod chaos;
mod content;
mod crashes;
mod data_paths;
mod down;
mod dry_runs;
mod gates;
mod healing;
mod immutable;
mod jobs;
mod killed;
mod outside;
mod pauses;
mod plans;
mod preflight;
mod recovery;
mod removal;
mod replacement;
mod restarts;
mod rollback;
mod rollouts;
mod shrinks;
mod time;
mod together;

//! Where desired state comes from.
//!
//! Read in this order: [`mod@file`] (the files of this host, under the rules of safety),
//! [`fingerprint`] (what they held), [`watch`] (when they hold something else). A [`secret_file`]
//! is read whenever what it holds is needed.

mod content;
pub mod file;
pub mod fingerprint;
mod folders;
pub mod secret_file;
pub mod watch;

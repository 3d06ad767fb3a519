//! Where desired state comes from.
//!
//! Read in this order: [`mod@file`] (the files of this host, under the rules of safety),
//! [`decrypt`] (those that are encrypted), [`fingerprint`] (what they held), [`watch`] (when
//! they hold something else); [`git`] (files of a repository). [`mod@host`] is what this host is and
//! has. A [`secret_file`] is read
//! whenever what it holds is needed.

mod content;
pub mod decrypt;
pub mod file;
pub mod fingerprint;
mod folders;
pub mod git;
pub mod host;
pub mod secret_file;
pub mod watch;

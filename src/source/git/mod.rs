//! A repository of desired state: by the `git` program, in a cache that may be lost.
//!
//! Read in this order: [`url`], [`reference`](mod@reference) and [`access`] (what is
//! followed), [`program`] (git, with everything switched off that is not needed), [`cache`]
//! (asked, fetched, bounded), [`descent`] and [`signature`] (whether a commit is to be
//! trusted), [`stage`] (its files, looked at before they are believed), [`checkout`] (the
//! files in force).

pub mod access;
pub mod cache;
pub mod checkout;
mod complaint;
pub mod descent;
pub mod error;
pub mod limits;
mod links;
mod process;
pub mod program;
pub mod reference;
pub mod signature;
mod stage;
mod tidy;
pub mod tree;
pub mod url;

pub use access::{Access, AccessError};
pub use cache::{Cache, Remote};
pub use descent::Descent;
pub use error::{GitError, ProgramError};
pub use limits::Limits;
pub use program::Program;
pub use reference::{Reference, ReferenceError};
pub use signature::{SignatureError, Signer};
pub use tree::Refusal;
pub use url::{GitUrl, GitUrlError};

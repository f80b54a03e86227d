//! The unified MSAL token cache.
//!
//! The document is shared with the MSAL libraries of other languages: what they wrote is found, what we write they find,
//! and what we do not understand is kept as it is. [`TokenCache`] answers lookups from an immutable picture of the stored
//! document and writes by reloading, applying one change and replacing. [`Storage`] says where the document is kept:
//! [`MemoryStorage`], the file of feature `file`, or one's own.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod accounts;
mod assertion;
mod cache;
mod document;
mod entries;
mod event;
mod extension;
mod family;
mod limits;
mod live;
mod lookup;
mod members;
mod merge;
mod names;
mod removal;
mod storage;
#[cfg(test)]
mod testing;
mod token_kind;
mod update;

pub use assertion::{Assertion, InvalidSessionKey};
pub use cache::{NotACache, TokenCache};
pub use event::Event;
pub use extension::Extension;
pub use limits::{Evicted, Limits};
pub use lookup::{AppQuery, AssertionQuery, CachedToken, GrantLookup, Lookup, Margins, Query, Refresh, RefreshReason};
pub use removal::RemovalScope;
#[cfg(feature = "file")]
pub use storage::FileStorage;
pub use storage::{
    BoxFuture, BoxedLock, DynStorage, LockName, MemoryStorage, Replaced, Storage, StorageError, StorageLock, Stored,
    Version,
};
pub use token_kind::TokenKind;
pub use update::{AppTokenUpdate, AssertionTokenUpdate, TokenUpdate};

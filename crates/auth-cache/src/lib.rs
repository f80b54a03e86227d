//! The unified MSAL token cache.
//!
//! The document is shared with the MSAL libraries of other languages: what they wrote is found, what we write they find,
//! and what we do not understand is kept as it is. [`TokenCache`] answers lookups from an immutable picture of the stored
//! document and writes by reloading, applying one change and replacing. [`Storage`] says where the document is kept:
//! [`MemoryStorage`], the file of feature `file`, or one's own.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod accounts;
mod cache;
mod document;
mod entries;
mod index;
mod lookup;
mod storage;
#[cfg(test)]
mod testing;
mod update;

pub use cache::TokenCache;
pub use lookup::{CachedToken, Lookup, Query, Refresh, RefreshReason};
#[cfg(feature = "file")]
pub use storage::FileStorage;
pub use storage::{
    BoxFuture, BoxedLock, DynStorage, LockName, MemoryStorage, Replaced, Storage, StorageError, StorageLock, Stored,
    Version,
};
pub use update::TokenUpdate;

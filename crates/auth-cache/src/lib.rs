//! The unified MSAL token cache.
//!
//! The document is shared with the MSAL libraries of other languages: what they wrote is found, what we write they find,
//! and what we do not understand is kept as it is. [`TokenCache`] answers lookups from partitions that nobody changes, one
//! for each account, so that a lookup costs the same however many there are; it writes by reloading, applying one change
//! and replacing. [`Storage`] says where the document is kept: nowhere ([`TokenCache::in_memory`]), [`MemoryStorage`], the
//! file of feature `file`, or one's own. For many users and machines [`PartitionedStorage`] keeps each partition apart: Redis,
//! with feature `redis`.
//!
//! # What is shared
//!
//! - Tokens and accounts of users: with MSAL Python, Node, Go and .NET. Times are texts, the environment is the preferred
//!   name of the cloud, any other name of it is found; each library's spelling of the realm is found.
//! - Tokens bound to a key or to extra request data ([`TokenKind`], [`Extension`]): all spellings of the key id and both
//!   generations of the hash are found.
//! - Tokens of an application itself ([`AppQuery`]): those of the others are found; MSAL Python and Node look for theirs only.
//! - Tokens on behalf of a user ([`AssertionQuery`]): found by the hash of the assertion; the others do not find ours, whose
//!   keys end with that hash.
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod accounts;
mod assertion;
mod cache;
#[cfg(any(test, feature = "test-util"))]
pub mod contract;
mod document;
mod documents;
mod entries;
mod event;
mod expiry;
mod extension;
mod family;
mod join;
mod limits;
mod live;
mod lookup;
mod members;
mod merge;
mod names;
mod pending;
mod removal;

mod storage;
#[cfg(test)]
mod testing;
mod token_kind;
mod update;

pub use assertion::{Assertion, InvalidSessionKey};
pub use cache::{NotACache, TokenCache};
pub use document::Place as PartitionKey;
pub use event::{Event, Observer};
pub use extension::Extension;
pub use limits::{Evicted, Limits};
pub use lookup::{AppQuery, AssertionQuery, CachedToken, GrantLookup, Lookup, Margins, Query, Refresh, RefreshReason};
pub use removal::RemovalScope;
#[cfg(feature = "keyring")]
pub use storage::Keyring;
#[cfg(feature = "redis")]
pub use storage::RedisStorage;
#[cfg(all(feature = "secret-service", unix, not(target_os = "macos")))]
pub use storage::SecretItemStorage;
#[cfg(feature = "test-util")]
#[doc(hidden)]
pub use storage::untrusted;
pub use storage::{
    BoxFuture, BoxedLock, DynPartitionedStorage, DynStorage, LockBudget, LockName, MemoryStorage, PartitionedStorage,
    Replaced, Storage, StorageError, StorageErrorKind, StorageLock, Stored, Version,
};
#[cfg(feature = "encrypted")]
pub use storage::{DynKeySource, EncryptedFileStorage, EncryptionKey, KeyError, KeyErrorKind, KeySource};
#[cfg(feature = "file")]
pub use storage::{FileForm, FileState, FileStorage, LockHolder};
pub use token_kind::TokenKind;
pub use update::{AppTokenUpdate, AssertionTokenUpdate, TokenUpdate};

//! The unified MSAL token cache: the document that the MSAL libraries share, lookups in it, and its stores.
//!
//! This crate finds what other libraries wrote, they find what it writes, and it preserves what it does not understand.
//! [`TokenCache`] answers lookups from immutable partitions, one per account, so a lookup costs the same however many
//! accounts there are. Each write reloads the document, applies one change and replaces it.
//!
//! The document lives in memory ([`TokenCache::in_memory`]) or in a [`Storage`]: [`MemoryStorage`], a file, or a store
//! of your own. For many users and machines, [`PartitionedStorage`] keeps each partition as a separate value.
//!
//! # What is shared
//!
//! - Tokens and accounts of users: with MSAL Python, Node, Go and .NET. Times are written as text, the environment as
//!   the preferred name of the cloud. Entries under its other names are found, as is each library's spelling of the
//!   realm.
//! - Tokens bound to a key or to extra request data ([`TokenKind`], [`Extension`]): all spellings of the key ID and
//!   both generations of the hash are found.
//! - Tokens of an application itself ([`AppQuery`]): those of other libraries are found; MSAL Python and Node find only
//!   their own.
//! - Tokens on behalf of a user ([`AssertionQuery`]): found by the hash of the assertion. Our keys end with that hash,
//!   so other libraries do not find our tokens.
//!
//! # Features
//!
//! None is on by default; without any, the crate needs no runtime.
//!
//! | feature | adds |
//! | --- | --- |
//! | `file` | `FileStorage`: the document in a file |
//! | `encrypted` | `EncryptedFileStorage`: the file encrypted with a key that you supply; encrypted values in Redis |
//! | `keyring` | `Keyring`: keeps that key in the user's keyring; implies `encrypted` |
//! | `secret-service` | `SecretItemStorage`: the keyring items of the MSAL extension libraries on Linux; implies `keyring` |
//! | `redis` | `RedisStorage`: partitions in Redis |
//! | `test-util` | `contract`: the tests that every store must pass |
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::arithmetic_side_effects))]

mod accounts;
mod assertion;
mod basis;
mod cache;
#[cfg(any(test, feature = "test-util"))]
pub mod contract;
mod digest;
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
mod snapshot;
mod storage;
#[cfg(test)]
mod testing;
mod token_kind;
mod update;

pub use assertion::{Assertion, InvalidSessionKey};
pub use basis::RefreshBasis;
pub use cache::{NotACache, TokenCache};
pub use document::PartitionKey;
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

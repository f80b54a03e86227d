//! Numbers that stand for secrets.

use std::sync::LazyLock;

use ahash::RandomState;
use auth_core::Secret;

/// A number that stands for the secret while this process lives, and reveals nothing about it.
pub(crate) fn digest(secret: &Secret) -> u64 {
    static PROCESS: LazyLock<RandomState> = LazyLock::new(RandomState::new);
    PROCESS.hash_one(secret.expose())
}

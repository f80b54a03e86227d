//! Atomic operations, as scripts that the server runs.
//!
//! A partition is a hash: `v` is its version, 32 random bytes; `d` the document; `f` the fence of the last writer that
//! held a lock. A user's name enters the index together with the value.

use std::sync::LazyLock;

use redis::aio::MultiplexedConnection;
use redis::{FromRedisValue, RedisError, Script};
use zeroize::Zeroizing;

use super::names::{Names, name};
use crate::document::PartitionKey;

/// A script with its keys and arguments.
pub(super) struct Call {
    script: &'static Script,
    keys: Vec<String>,
    /// Wiped, as one of them may be a document. The client's copies are not.
    arguments: Vec<Zeroizing<Vec<u8>>>,
}

impl Call {
    fn new(script: &'static Script, keys: Vec<String>) -> Self {
        Self { script, keys, arguments: Vec::new() }
    }

    fn with(self, argument: impl Into<Vec<u8>>) -> Self {
        self.with_secret(Zeroizing::new(argument.into()))
    }

    fn with_secret(mut self, argument: Zeroizing<Vec<u8>>) -> Self {
        self.arguments.push(argument);
        self
    }

    pub(super) async fn invoke<T: FromRedisValue>(
        &self,
        connection: &mut MultiplexedConnection,
    ) -> Result<T, RedisError> {
        let mut invocation = self.script.prepare_invoke();
        for key in &self.keys {
            invocation.key(key);
        }
        for argument in &self.arguments {
            invocation.arg(argument.as_slice());
        }
        invocation.invoke_async(connection).await
    }
}

/// Returns version and document, or the length of a document that is too long, or nothing if nothing is stored.
pub(super) fn read(key: &str, longest: usize) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "local length = redis.call('HSTRLEN', KEYS[1], 'd')
            if length > tonumber(ARGV[1]) then return {'', length} end
            local found = redis.call('HMGET', KEYS[1], 'v', 'd')
            if not found[1] or not found[2] then return {} end
            return found",
        )
    });
    Call::new(&SCRIPT, vec![key.to_owned()]).with(longest.to_string())
}

/// A write.
pub(super) struct Write<'a> {
    pub(super) key: &'a str,
    pub(super) index: &'a str,
    /// The name of the user, for the index; empty for any other partition.
    pub(super) user: &'a str,
    /// The version to replace; empty if nothing is stored.
    pub(super) expected: &'a [u8],
    pub(super) version: &'a [u8],
    pub(super) life: Life,
    /// The number of the lock that is held, 0 if none.
    pub(super) fence: u64,
}

/// How long a value is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Life {
    /// For this many seconds from now.
    For(u64),
    /// Until this time in Unix seconds.
    Until(u64),
    /// Not at all: nothing in it is useful any more.
    Over,
}

/// Replaces a document of the expected version, unless a later holder of the lock has written; returns whether it did.
pub(super) fn replace(write: &Write<'_>, document: Zeroizing<Vec<u8>>) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "local found = redis.call('HMGET', KEYS[1], 'v', 'f')
            if (found[1] or '') ~= ARGV[1] then return 0 end
            local fence = tonumber(ARGV[5])
            if fence > 0 and tonumber(found[2] or 0) > fence then return 0 end
            if ARGV[3] == 'over' then
                redis.call('DEL', KEYS[1])
                if ARGV[6] ~= '' then redis.call('SREM', KEYS[2], ARGV[6]) end
                return 1
            end
            redis.call('HSET', KEYS[1], 'v', ARGV[2], 'd', ARGV[7])
            if fence > 0 then redis.call('HSET', KEYS[1], 'f', ARGV[5]) end
            redis.call(ARGV[3], KEYS[1], ARGV[4])
            if ARGV[6] ~= '' then redis.call('SADD', KEYS[2], ARGV[6]) end
            return 1",
        )
    });
    let (how, number) = match write.life {
        Life::For(seconds) => ("EXPIRE", seconds),
        Life::Until(second) => ("EXPIREAT", second),
        Life::Over => ("over", 0),
    };
    Call::new(&SCRIPT, vec![write.key.to_owned(), write.index.to_owned()])
        .with(write.expected)
        .with(write.version)
        .with(how)
        .with(number.to_string())
        .with(write.fence.to_string())
        .with(write.user)
        .with_secret(document)
}

/// Moves a value out of the way, and keeps it for this many seconds.
pub(super) fn set_aside(key: &str, index: &str, user: &str, seconds: u64) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "if ARGV[1] ~= '' then redis.call('SREM', KEYS[3], ARGV[1]) end
            if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
            redis.call('RENAME', KEYS[1], KEYS[2])
            return redis.call('EXPIRE', KEYS[2], ARGV[2])",
        )
    });
    Call::new(&SCRIPT, vec![key.to_owned(), format!("{key}:corrupt"), index.to_owned()])
        .with(user)
        .with(seconds.to_string())
}

/// Returns those of the users whose partitions are stored, and drops the others from the index.
pub(super) fn stored(names: &Names, users: &[String]) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "local stored = {}
            for _, user in ipairs(ARGV) do
                if redis.call('EXISTS', KEYS[2] .. user) == 1 then
                    stored[#stored + 1] = user
                else
                    redis.call('SREM', KEYS[1], user)
                end
            end
            return stored",
        )
    });
    let call = Call::new(&SCRIPT, vec![names.index(), names.users()]);
    users.iter().fold(call, |call, user| call.with(user.as_str()))
}

/// Adds an assertion to those of a user, with the time until which it is useful, and drops those that are no longer
/// useful. The set expires with the last of them.
pub(super) fn link(names: &Names, user: &PartitionKey, assertion: &PartitionKey, until: u64) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "redis.call('ZADD', KEYS[1], 'GT', ARGV[2], ARGV[1])
            redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', redis.call('TIME')[1])
            local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')[2]
            if last then redis.call('EXPIREAT', KEYS[1], last) end
            return 1",
        )
    });
    Call::new(&SCRIPT, vec![names.links(user)]).with(name(assertion)).with(until.to_string())
}

/// Returns the assertions of a user whose partitions are stored, and drops the others from the set.
pub(super) fn linked(names: &Names, user: &PartitionKey) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "local linked = {}
            for _, assertion in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
                if redis.call('EXISTS', KEYS[2] .. assertion) == 1 then
                    linked[#linked + 1] = assertion
                else
                    redis.call('ZREM', KEYS[1], assertion)
                end
            end
            return linked",
        )
    });
    Call::new(&SCRIPT, vec![names.links(user), names.assertions()])
}

/// Takes a lock for this many milliseconds if it is free; returns whether it was.
pub(super) fn lock(key: &str, token: &str, milliseconds: u128) -> Call {
    static SCRIPT: LazyLock<Script> =
        LazyLock::new(|| Script::new("return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0"));
    Call::new(&SCRIPT, vec![key.to_owned()]).with(token).with(milliseconds.to_string())
}

/// Like [`lock`], for a partition. Returns the fence: a number greater than that of any earlier holder, and of the last
/// write to the partition, in case the server has lost the counter.
pub(super) fn lock_fenced(keys: [&str; 3], token: &str, milliseconds: u128) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "local last = tonumber(redis.call('HGET', KEYS[3], 'f') or 0)
            if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
            local fence = redis.call('INCR', KEYS[2])
            if fence <= last then
                fence = last + 1
                redis.call('SET', KEYS[2], fence)
            end
            return fence",
        )
    });
    Call::new(&SCRIPT, keys.map(str::to_owned).into()).with(token).with(milliseconds.to_string())
}

/// Renews a lock for this many milliseconds if it still has this token; returns whether it does.
pub(super) fn renew(lock: &str, token: &str, milliseconds: u128) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new(
            "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
            return redis.call('PEXPIRE', KEYS[1], ARGV[2])",
        )
    });
    Call::new(&SCRIPT, vec![lock.to_owned()]).with(token).with(milliseconds.to_string())
}

/// Releases a lock if it still has this token.
pub(super) fn release(lock: &str, token: &str) -> Call {
    static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
        Script::new("if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end return redis.call('DEL', KEYS[1])")
    });
    Call::new(&SCRIPT, vec![lock.to_owned()]).with(token)
}

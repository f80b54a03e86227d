//! Issued refresh tokens.

use std::collections::BTreeMap;

use rand::Rng;

use super::sign_in::SignIn;
use crate::clock::UnixTime;
use crate::ids::{self, Fingerprint};

/// The refresh tokens, by their fingerprints.
#[derive(Default)]
pub(crate) struct RefreshTokens(BTreeMap<Fingerprint, RefreshRecord>);

struct RefreshRecord {
    sign_in: SignIn,
    expires: UnixTime,
    life: Life,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Live,
    Replaced,
    Revoked,
}

/// Why a refresh token is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dead {
    Unknown,
    Expired,
    /// It has already been redeemed; this is the number of its sign-in.
    Replaced {
        sign_in: u64,
    },
    Revoked,
}

impl RefreshTokens {
    pub(crate) fn issue<R: Rng + ?Sized>(
        &mut self,
        rng: &mut R,
        now: UnixTime,
        expires: UnixTime,
        sign_in: SignIn,
    ) -> String {
        self.0.retain(|_, known| known.expires > now);
        let token = ids::opaque(rng, "1.R.");
        self.0.insert(ids::fingerprint(&token), RefreshRecord { sign_in, expires, life: Life::Live });
        token
    }

    pub(crate) fn find(&self, token: &str, now: UnixTime) -> Result<&SignIn, Dead> {
        let record = self.0.get(&ids::fingerprint(token)).ok_or(Dead::Unknown)?;
        match record.life {
            Life::Revoked => Err(Dead::Revoked),
            Life::Replaced => Err(Dead::Replaced { sign_in: record.sign_in.id }),
            Life::Live if record.expires <= now => Err(Dead::Expired),
            Life::Live => Ok(&record.sign_in),
        }
    }

    /// Marks the token as redeemed and replaced by another.
    pub(crate) fn replace(&mut self, token: &str) {
        if let Some(record) = self.0.get_mut(&ids::fingerprint(token)) {
            record.life = Life::Replaced;
        }
    }

    /// Revokes the valid tokens of the sign-ins that `of` selects, and returns their number.
    pub(crate) fn revoke(&mut self, of: impl Fn(&SignIn) -> bool) -> usize {
        let living = self.0.values_mut().filter(|record| record.life == Life::Live);
        let mut count = 0;
        for record in living.filter(|record| of(&record.sign_in)) {
            record.life = Life::Revoked;
            count += 1;
        }
        count
    }
}

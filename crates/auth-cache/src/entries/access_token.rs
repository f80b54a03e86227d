//! Access tokens.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use auth_core::text::same;
use auth_core::{ScopeMask, Scopes, Secret, Timestamp, Tokens};
use subtle::ConstantTimeEq as _;

use super::assertion;
use crate::digest::digest;
use crate::extension::Extended;
use crate::members::{Entry, Members};
use crate::names::{shared, shared_realm, shared_scopes};
use crate::token_kind::TokenKind;

/// An access token.
#[derive(Debug)]
pub(crate) struct AccessToken {
    pub(crate) environment: Arc<str>,
    pub(crate) client_id: Arc<str>,
    pub(crate) realm: Arc<str>,
    pub(crate) scopes: Scopes,
    pub(crate) life: Life,
    pub(crate) secret: Secret,
    /// What distinguishes it from a plain Bearer token, if anything.
    bound: Option<Box<Bound>>,
    /// The hash of the assertion with which it was acquired on behalf of a user; empty otherwise.
    assertion: Box<str>,
    used_at: AtomicU64,
    seen: OnceLock<Seen>,
    /// The request that the token answered, if it grants less. Only this process knows: no library stores it.
    request: OnceLock<Box<PartlyGranted>>,
}

/// A request of which the provider granted only a part.
#[derive(Clone, Debug)]
struct PartlyGranted {
    scopes: Scopes,
    declined: Scopes,
}

/// The times in the life of a token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) cached_at: Timestamp,
    pub(crate) expires_on: Timestamp,
    pub(crate) refresh_on: Option<Timestamp>,
    /// A number that stays the same for this token while the process lives, and reveals nothing about it. Zero without
    /// `refresh_on`, as only that is spread by it.
    pub(crate) draw: u64,
}

impl Life {
    fn new(cached_at: Timestamp, expires_on: Timestamp, refresh_on: Option<Timestamp>, secret: &Secret) -> Self {
        let refresh_on = refresh_on.filter(|time| *time > Timestamp::EPOCH);
        Self { cached_at, expires_on, refresh_on, draw: refresh_on.map_or(0, |_| digest(secret)) }
    }
}

/// When a token was first looked at: by the wall clock, and by a clock that cannot be set.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    now: Timestamp,
    uptime: Duration,
}

#[derive(Debug)]
struct Bound {
    token_type: Box<str>,
    key_id: Box<str>,
    extended: Extended,
}

impl Entry for AccessToken {
    fn read(members: &Members<'_>) -> Option<Self> {
        const TYPES: [&str; 4] = ["", "AccessToken", "ATExt", "AccessToken_With_AuthScheme"];
        let credential_type = members.text("credential_type").or_empty()?;
        if !TYPES.iter().any(|known| same(known, &credential_type)) {
            return None;
        }
        let bound = Bound::read(members)?;
        let is_plain = credential_type.is_empty() || same(&credential_type, "AccessToken");
        if bound.is_none() && !is_plain {
            // Its type says that it is bound, but nothing says to what.
            return None;
        }
        let secret = members.secret("secret")?;
        let [cached_at, expires_on] = ["cached_at", "expires_on"].map(|name| members.time(name).unwrap_or_default());
        let life = Life::new(cached_at, expires_on, members.time("refresh_on"), &secret);
        Some(Self {
            environment: shared(&members.text("environment").or_empty()?),
            client_id: shared(&members.text("client_id").or_empty()?),
            realm: shared_realm(&members.text("realm").or_empty()?),
            scopes: shared_scopes(&members.text("target").or_empty()?).ok()?,
            life,
            secret,
            bound,
            assertion: assertion(members)?,
            used_at: AtomicU64::new(0),
            seen: OnceLock::new(),
            request: OnceLock::new(),
        })
    }
}

impl Bound {
    /// What distinguishes tokens of this kind, if anything.
    fn new(kind: &TokenKind<'_>) -> Option<Box<Self>> {
        let extended = match kind.extension {
            Some(extension) if !extension.is_empty() => Extended::By(extension.clone()),
            Some(_) | None => Extended::Not,
        };
        let (token_type, key_id) = (kind.token_type.into(), kind.key_id.unwrap_or_default().into());
        (!kind.is_plain()).then(|| Box::new(Self { token_type, key_id, extended }))
    }

    fn read(members: &Members<'_>) -> Option<Option<Box<Self>>> {
        let token_type = members.text("token_type").or_empty()?;
        let key_id = members.first(&["kid", "key_id", "keyid"]).or_empty()?;
        // MSAL Node once kept tokens apart by the claims they were requested with. We never ask for such a token.
        let extended = match &*members.text("requestedClaimsHash").or_empty()? {
            "" => Extended::read(members),
            _ => Extended::Unclear,
        };
        let bearer = token_type.is_empty() || same(&token_type, TokenKind::BEARER);
        let plain = bearer && key_id.is_empty() && matches!(extended, Extended::Not);
        let token_type = if bearer { TokenKind::BEARER.into() } else { token_type.into() };
        Some((!plain).then(|| Box::new(Self { token_type, key_id: key_id.into(), extended })))
    }
}

impl AccessToken {
    /// The access token of a response.
    pub(crate) fn new(
        [environment, client_id]: [&Arc<str>; 2],
        realm: &str,
        tokens: &Tokens,
        kind: &TokenKind<'_>,
        assertion: &str,
        expires_on: Timestamp,
    ) -> Self {
        let scopes = tokens.granted_scopes.sorted();
        Self {
            environment: Arc::clone(environment),
            client_id: Arc::clone(client_id),
            realm: shared_realm(realm),
            scopes: shared_scopes(scopes.as_str()).unwrap_or(scopes),
            life: Life::new(tokens.received_at, expires_on, tokens.refresh_on, &tokens.access_token),
            secret: tokens.access_token.clone(),
            bound: Bound::new(kind),
            assertion: assertion.trim_end_matches('=').into(),
            used_at: AtomicU64::new(0),
            seen: OnceLock::new(),
            request: PartlyGranted::of(tokens).map_or_else(OnceLock::new, OnceLock::from),
        }
    }

    /// What the provider declined of a request for exactly `wanted`, if the token is the answer to one. Asked again, the
    /// provider would only repeat it.
    pub(crate) fn declined(&self, wanted: &Scopes) -> Option<&Scopes> {
        let request = self.request.get()?;
        let is_same = request.scopes.grants(wanted) && wanted.grants(&request.scopes);
        is_same.then_some(&request.declined)
    }

    /// A mask of all scopes for which the token may be returned.
    pub(crate) fn mask(&self) -> ScopeMask {
        let granted = self.scopes.mask();
        self.request.get().map_or(granted, |request| granted.union(request.scopes.mask()))
    }

    /// The hash of the assertion that it was acquired with, or `""`.
    pub(crate) fn assertion(&self) -> &str {
        &self.assertion
    }

    /// The kind of token, as far as it is known.
    pub(crate) fn token_kind(&self) -> TokenKind<'_> {
        let Some(bound) = &self.bound else { return TokenKind::PLAIN };
        let kind = TokenKind::bound(&bound.token_type, &bound.key_id);
        match &bound.extended {
            Extended::By(extension) => kind.with_extension(extension),
            Extended::Not | Extended::ByHash(_) | Extended::Unclear => kind,
        }
    }

    /// Whether it is an ordinary Bearer token that was acquired without an assertion.
    pub(crate) fn is_plain(&self) -> bool {
        self.bound.is_none() && self.assertion.is_empty()
    }

    /// Whether the token is of this kind: the same type, key and extension, or the same lack of them.
    pub(crate) fn is_kind(&self, kind: &TokenKind<'_>) -> bool {
        match &self.bound {
            None => kind.is_plain(),
            Some(bound) => {
                same(&bound.token_type, kind.token_type)
                    && same(&bound.key_id, kind.key_id.unwrap_or_default())
                    && bound.extended.matches(kind.extension)
            }
        }
    }

    /// Whether the token was acquired with this assertion, or without any if it is empty.
    pub(crate) fn is_got_with(&self, assertion: &str) -> bool {
        self.assertion.as_bytes().ct_eq(assertion.as_bytes()).into()
    }

    /// What distinguishes the token from others that grant the same, in lower case; `None` if that is unclear.
    pub(crate) fn kind_and_assertion(&self) -> Option<[String; 4]> {
        let assertion = self.assertion.clone().into_string();
        let Some(bound) = &self.bound else {
            return Some([TokenKind::BEARER.to_ascii_lowercase(), String::new(), String::new(), assertion]);
        };
        let extension = bound.extended.hash()?;
        Some([bound.token_type.to_ascii_lowercase(), bound.key_id.to_ascii_lowercase(), extension, assertion])
    }

    /// Notes that the token was handed out, which counts when the cache is full.
    pub(crate) fn used(&self, now: Timestamp) {
        self.used_at.store(now.as_unix_seconds(), Ordering::Relaxed);
    }

    /// When the token was first looked at, which is now if it never was.
    pub(crate) fn seen(&self, now: Timestamp, uptime: Duration) -> Seen {
        *self.seen.get_or_init(|| Seen { now, uptime })
    }

    /// Whether this process knows more of the token than its entry says.
    pub(crate) fn has_use(&self) -> bool {
        self.seen.get().is_some() || self.request.get().is_some()
    }

    /// Adopts from an older reading of the same token when it was first looked at and last handed out, and which request it
    /// answered.
    pub(crate) fn keep_use(&self, older: &Self) {
        if self.secret.ct_eq(older.secret.expose()) {
            self.used_at.fetch_max(older.used_at.load(Ordering::Relaxed), Ordering::Relaxed);
            if let Some(seen) = older.seen.get() {
                self.seen.get_or_init(|| *seen);
            }
            if let Some(request) = older.request.get() {
                self.request.get_or_init(|| request.clone());
            }
        }
    }

    /// When the token was last handed out or, if that is later, cached; in Unix seconds.
    pub(crate) fn used_at(&self) -> u64 {
        self.used_at.load(Ordering::Relaxed).max(self.life.cached_at.as_unix_seconds())
    }
}

impl PartlyGranted {
    fn of(tokens: &Tokens) -> Option<Box<Self>> {
        let (granted, scopes) = (&tokens.granted_scopes, &tokens.requested_scopes);
        (!granted.grants(scopes)).then(|| Box::new(Self { scopes: scopes.clone(), declined: tokens.declined_scopes() }))
    }
}

impl Seen {
    /// The time by which the token ages: setting the wall clock back makes no token younger.
    pub(crate) fn time(&self, now: Timestamp, uptime: Duration) -> Timestamp {
        now.max(self.now.saturating_add(uptime.saturating_sub(self.uptime)))
    }
}

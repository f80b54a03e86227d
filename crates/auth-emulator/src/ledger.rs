//! A record of the requests, for tests and demonstrations.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::endpoint::Endpoint;
use crate::ids::{self, Fingerprint};

/// The requests so far. Clones share the record.
///
/// Credentials are not recorded: parameters that contain one are `[redacted]`, and its redemptions are counted by its
/// fingerprint.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use auth_emulator::{Emulator, Endpoint, GrantType};
///
/// let emulator = Emulator::start().await?;
/// let ledger = emulator.ledger();
/// assert_eq!(ledger.count(Endpoint::Token), 0);
/// assert_eq!(ledger.token_requests(GrantType::RefreshToken), 0);
/// # emulator.shutdown().await;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Default)]
pub struct Ledger(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    records: VecDeque<(u64, Record)>,
    written: u64,
    endpoints: BTreeMap<Endpoint, u64>,
    grants: BTreeMap<GrantType, u64>,
    credentials: BTreeMap<Fingerprint, Redemption>,
}

/// The kind of a token request.
///
/// ```no_run
/// # fn example(emulator: &auth_emulator::Emulator) {
/// use auth_emulator::GrantType;
///
/// assert_eq!(emulator.ledger().token_requests(GrantType::DeviceCode), 3);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum GrantType {
    /// `authorization_code`
    AuthorizationCode,
    /// `refresh_token`
    RefreshToken,
    /// `urn:ietf:params:oauth:grant-type:device_code`, or `device_code` as some libraries write it.
    DeviceCode,
    /// Anything else, or nothing.
    Other,
}

impl GrantType {
    /// The grant type with this name. Entra accepts two for device codes: MSAL for .NET, Node and Go send the short
    /// one.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "authorization_code" => Self::AuthorizationCode,
            "refresh_token" => Self::RefreshToken,
            "urn:ietf:params:oauth:grant-type:device_code" | "device_code" => Self::DeviceCode,
            _ => Self::Other,
        }
    }
}

/// A kind of credential that can be redeemed; see [`Ledger::redemptions`].
///
/// ```no_run
/// # fn example(emulator: &auth_emulator::Emulator) {
/// use auth_emulator::CredentialKind;
///
/// assert_eq!(emulator.ledger().redemptions(CredentialKind::Code).len(), 1);
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum CredentialKind {
    /// An authorization code.
    Code,
    /// A refresh token.
    RefreshToken,
    /// A device code; each poll is an attempt.
    DeviceCode,
}

/// How often a credential was sent to the token endpoint.
///
/// ```no_run
/// # fn example(emulator: &auth_emulator::Emulator) {
/// use auth_emulator::CredentialKind;
///
/// // Each refresh token was redeemed once, however many calls there were.
/// let redeemed = emulator.ledger().redemptions(CredentialKind::RefreshToken);
/// assert!(redeemed.iter().all(|redemption| redemption.attempts == 1));
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Redemption {
    /// The kind of the credential.
    pub kind: CredentialKind,
    /// How often redemption was attempted, not counting requests without effect due to a fault.
    pub attempts: u64,
    /// How often tokens were issued for it.
    pub successes: u64,
}

/// One request and how it was answered.
///
/// ```no_run
/// # fn example(emulator: &auth_emulator::Emulator) {
/// use auth_emulator::Endpoint;
///
/// for request in emulator.ledger().requests_to(Endpoint::Token) {
///     assert_eq!(request.method(), "POST");
///     assert_eq!(request.header("x-client-SKU"), Some("my.library"));
///     assert_ne!(request.error(), Some("invalid_grant"));
/// }
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct Record {
    pub(crate) endpoint: Endpoint,
    pub(crate) method: String,
    pub(crate) tenant: Option<String>,
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) status: Option<u16>,
    pub(crate) error: Option<String>,
    pub(crate) faulted: bool,
}

impl Ledger {
    /// Parameters and headers whose values are not recorded.
    const SECRET: [&str; 15] = [
        "assertion",
        "authorization",
        "client_assertion",
        "client_secret",
        "code",
        "code_verifier",
        "cookie",
        "device_code",
        "id_token_hint",
        "nonce",
        "password",
        "refresh_token",
        "state",
        "transaction",
        "user_code",
    ];
    /// Requests beyond this number displace the oldest; the counts stay correct.
    const LIMIT: usize = 4_096;

    /// Returns the latest 4096 requests to all endpoints, oldest first.
    #[must_use]
    pub fn requests(&self) -> Vec<Record> {
        self.with(|book| book.records.iter().map(|(_, record)| record.clone()).collect())
    }

    /// Returns the requests to one endpoint, oldest first, of the latest 4096.
    #[must_use]
    pub fn requests_to(&self, endpoint: Endpoint) -> Vec<Record> {
        let mut records = self.requests();
        records.retain(|record| record.endpoint == endpoint);
        records
    }

    /// Returns how many requests an endpoint received, including those with faults and errors.
    #[must_use]
    pub fn count(&self, endpoint: Endpoint) -> u64 {
        self.with(|book| book.endpoints.get(&endpoint).copied().unwrap_or_default())
    }

    /// Returns how many token requests of a kind were received, including those with faults and errors.
    #[must_use]
    pub fn token_requests(&self, grant: GrantType) -> u64 {
        self.with(|book| book.grants.get(&grant).copied().unwrap_or_default())
    }

    /// Returns how often each credential of a kind was redeemed, in no particular order.
    #[must_use]
    pub fn redemptions(&self, kind: CredentialKind) -> Vec<Redemption> {
        let of = |found: &&Redemption| found.kind == kind;
        self.with(|book| book.credentials.values().filter(of).copied().collect())
    }

    /// Returns how often this code, device code or refresh token was redeemed, or `None` if it was never sent.
    #[must_use]
    pub fn redemption_of(&self, credential: &str) -> Option<Redemption> {
        self.with(|book| book.credentials.get(&ids::fingerprint(credential)).copied())
    }

    /// Deletes all records and counts.
    pub fn clear(&self) {
        self.with(|book| *book = Book::default());
    }

    /// Records a request when it arrives, and returns the number with which to complete it.
    pub(crate) fn open(&self, mut record: Record) -> u64 {
        for (name, value) in record.parameters.iter_mut().chain(&mut record.headers) {
            if Self::SECRET.iter().any(|secret| name.eq_ignore_ascii_case(secret)) {
                *value = "[redacted]".into();
            }
        }
        self.with(|book| {
            count(&mut book.endpoints, record.endpoint);
            if let Some(grant) = record.grant_type() {
                count(&mut book.grants, grant);
            }
            if book.records.len() >= Self::LIMIT {
                book.records.pop_front();
            }
            book.written = book.written.saturating_add(1);
            book.records.push_back((book.written, record));
            book.written
        })
    }

    /// Completes a request with its response.
    pub(crate) fn complete(&self, number: u64, status: Option<u16>, error: Option<String>) {
        self.with(|book| {
            if let Some((_, record)) = book.records.iter_mut().rev().find(|(at, _)| *at == number) {
                record.status = status;
                record.error = error;
            }
        });
    }

    pub(crate) fn redeemed(&self, kind: CredentialKind, credential: &str, success: bool) {
        self.with(|book| {
            let entry = book.credentials.entry(ids::fingerprint(credential)).or_insert(Redemption {
                kind,
                attempts: 0,
                successes: 0,
            });
            entry.attempts = entry.attempts.saturating_add(1);
            entry.successes = entry.successes.saturating_add(success.into());
        });
    }

    fn with<T>(&self, look: impl FnOnce(&mut Book) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn count<K: Ord>(counts: &mut BTreeMap<K, u64>, key: K) {
    let entry = counts.entry(key).or_default();
    *entry = entry.saturating_add(1);
}

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.with(|book| f.debug_tuple("Ledger").field(&book.endpoints).finish())
    }
}

impl Record {
    /// Returns the endpoint that received the request.
    #[must_use]
    pub fn endpoint(&self) -> Endpoint {
        self.endpoint
    }

    /// Returns the HTTP method.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// Returns the tenant segment of the path.
    #[must_use]
    pub fn tenant(&self) -> Option<&str> {
        self.tenant.as_deref()
    }

    /// Returns the kind of a token request, or `None` for a request to another endpoint.
    #[must_use]
    pub fn grant_type(&self) -> Option<GrantType> {
        let named = || GrantType::named(self.parameter("grant_type").unwrap_or_default());
        (self.endpoint == Endpoint::Token).then(named)
    }

    /// Returns a parameter of the query or form; `[redacted]` for a credential.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Returns a header, ignoring the case of its name; `[redacted]` for a credential.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    /// Returns the HTTP status of the response, or `None` if there is none, or none yet.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// Returns the `error` code of an error response.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_deref()
    }

    /// Returns whether a fault was applied to the request.
    #[must_use]
    pub fn faulted(&self) -> bool {
        self.faulted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(endpoint: Endpoint, parameters: &[(&str, &str)]) -> Record {
        let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        Record {
            endpoint,
            method: "POST".into(),
            tenant: Some("common".into()),
            parameters: parameters.iter().map(pair).collect(),
            headers: vec![("Authorization".into(), "canary-a".into())],
            status: None,
            error: None,
            faulted: false,
        }
    }

    #[test]
    fn a_request_is_recorded_before_its_response() {
        let ledger = Ledger::default();
        let number = ledger.open(record(Endpoint::Token, &[]));
        assert_eq!(ledger.requests()[0].status(), None);
        ledger.complete(number, Some(400), Some("invalid_grant".into()));
        let requests = ledger.requests();
        assert_eq!((requests[0].status(), requests[0].error()), (Some(400), Some("invalid_grant")));
    }

    #[test]
    fn credentials_are_not_recorded() {
        let ledger = Ledger::default();
        let form = [("grant_type", "refresh_token"), ("refresh_token", "canary-b"), ("scope", "x")];
        ledger.open(record(Endpoint::Token, &form));
        ledger.redeemed(CredentialKind::RefreshToken, "canary-b", true);
        let written = format!("{ledger:?} {:?}", ledger.requests());
        assert!(!written.contains("canary"), "{written}");
        let requests = ledger.requests_to(Endpoint::Token);
        assert_eq!(requests[0].parameter("refresh_token"), Some("[redacted]"));
        assert_eq!(requests[0].parameter("scope"), Some("x"));
        assert_eq!(requests[0].header("authorization"), Some("[redacted]"));
    }

    #[test]
    fn counts_outlive_the_records() {
        let ledger = Ledger::default();
        for _ in 0..Ledger::LIMIT + 10 {
            ledger.open(record(Endpoint::Token, &[("grant_type", "authorization_code")]));
        }
        assert_eq!(ledger.requests().len(), Ledger::LIMIT);
        assert_eq!(ledger.count(Endpoint::Token), 4_106);
        assert_eq!(ledger.token_requests(GrantType::AuthorizationCode), 4_106);
        assert_eq!(ledger.token_requests(GrantType::RefreshToken), 0);
    }

    #[test]
    fn attempts_and_successes_are_counted_separately() {
        let ledger = Ledger::default();
        ledger.redeemed(CredentialKind::Code, "c", true);
        ledger.redeemed(CredentialKind::Code, "c", false);
        let seen = ledger.redemption_of("c").unwrap();
        assert_eq!((seen.attempts, seen.successes), (2, 1));
        assert_eq!(ledger.redemptions(CredentialKind::Code), [seen]);
        assert_eq!(ledger.redemption_of("d"), None);
    }
}

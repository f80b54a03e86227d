//! Numbered stores: the content of a cache document shows which of them were lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use auth::{Account, AccountId, Authority, CorrelationId, Scopes, Secret, Timestamp};
use auth_cache::{Query, TokenUpdate};
use auth_core::{Application, ClientId, Exchange as _, RefreshRedemption, RequestContext, Tokens};
use serde_json::{Value, json};

use crate::cache;

/// The number of users of a writer: store number `n` renews the tokens of user `n % USERS`.
pub const USERS: u64 = 8;
const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000009";
const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
/// Tokens are long, so that a document does not fit into one page.
const LENGTH: usize = 1_000;

/// A writer, with users of its own.
#[derive(Clone, Debug)]
pub struct Writer {
    name: String,
    authority: Arc<Authority>,
    client_id: ClientId,
    scopes: Scopes,
}

impl Writer {
    /// Creates a writer of this name, which must not contain `-`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            authority: Authority::tenant(TENANT).unwrap().into(),
            client_id: ClientId::new(CLIENT).unwrap(),
            scopes: Scopes::parse("User.Read").unwrap(),
        }
    }

    /// Returns the update of store number `number`.
    pub fn update(&self, number: u64) -> TokenUpdate {
        let (account, tokens) = (self.account(number), self.tokens(number).into());
        TokenUpdate::from_sign_in(Arc::clone(&self.authority), self.client_id.clone(), account, tokens)
    }

    /// Returns a query for the access token of an account.
    pub fn query<'a>(&'a self, account: &'a Account) -> Query<'a> {
        Query::new(&self.authority, &self.client_id, &account.home_account_id, &self.scopes)
    }

    /// Returns how many consecutive stores a document contains.
    ///
    /// # Errors
    /// Returns the tokens that are there, if any are missing or superfluous.
    pub fn stored(&self, document: &Value) -> Result<u64, String> {
        let access_tokens = self.numbers(document, "AccessToken")?;
        let count = access_tokens.last().map_or(0, |last| last + 1);
        let expected = (count.saturating_sub(USERS)..count).collect::<BTreeSet<_>>();
        let refresh_tokens = self.numbers(document, "RefreshToken")?;
        match (access_tokens == expected, refresh_tokens == expected) {
            (true, true) => Ok(count),
            _ => Err(format!("access tokens {access_tokens:?}, refresh tokens {refresh_tokens:?}")),
        }
    }

    /// Returns how many of the access tokens that `count` stores should have left are missing.
    ///
    /// # Errors
    /// Returns a secret that is damaged.
    pub fn missing(&self, document: &Value, count: u64) -> Result<usize, String> {
        let found = self.numbers(document, "AccessToken")?;
        Ok((count.saturating_sub(USERS)..count).filter(|number| !found.contains(number)).count())
    }

    /// Returns the numbers of this writer's tokens in a section.
    fn numbers(&self, document: &Value, section: &str) -> Result<BTreeSet<u64>, String> {
        let mut numbers = BTreeSet::new();
        for secret in cache::secrets(document, section) {
            let mut parts = secret.split('-');
            if parts.next() != Some(&self.name) {
                continue;
            }
            let number = parts.next().and_then(|number| number.parse().ok()).ok_or_else(|| secret.clone())?;
            if secret != self.secret(number) {
                return Err(format!("a damaged secret: {secret}"));
            }
            numbers.insert(number);
        }
        Ok(numbers)
    }

    /// Returns the secret that all tokens of a store have.
    pub fn secret(&self, number: u64) -> String {
        format!("{}-{number}-{:x<LENGTH$}", self.name, "")
    }

    /// Returns the account whose tokens store number `number` renews.
    pub fn account(&self, number: u64) -> Account {
        let user = format!("{}{}", self.name, number % USERS);
        let id = AccountId::new(format!("{user}.{TENANT}"));
        Account::new(id, self.authority.environment(), format!("{user}@contoso.example"))
    }

    fn tokens(&self, number: u64) -> Tokens {
        let secret = self.secret(number);
        let body = json!({
            "token_type": "Bearer", "expires_in": 3600, "access_token": secret, "refresh_token": secret,
        });
        let response = http::Response::builder().header("content-type", "application/json");
        let now = Timestamp::from_unix_seconds(cache::now());
        let id = CorrelationId::parse("a1b2c3d4-0000-4000-8000-000000000000").unwrap();
        let context = RequestContext::new(Application::new(self.client_id.clone()), id);
        let (metadata, old) = (self.authority.metadata().unwrap(), Secret::new("old".to_owned()));
        let redemption = RefreshRedemption::new(context, metadata, old, self.scopes.clone(), now);
        redemption.complete(response.body(body.to_string().into()).unwrap(), now).unwrap()
    }
}

/// Parses a document.
///
/// # Errors
/// Returns what the content is instead.
pub fn document(content: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(content) {
        Ok(document @ Value::Object(_)) => Ok(document),
        Ok(other) => Err(format!("not an object: {other}")),
        Err(error) => Err(format!("{error}: {} bytes", content.len())),
    }
}

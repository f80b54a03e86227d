//! Stores that can be counted, so that what a cache document holds tells what was lost.

use std::collections::BTreeSet;
use std::sync::Arc;

use auth::{Account, AccountId, Authority, CorrelationId, Scopes, Secret, Timestamp};
use auth_cache::{Query, TokenUpdate};
use auth_core::{Application, ClientId, Exchange as _, RefreshRedemption, RequestContext, Tokens};
use serde_json::{Value, json};

use crate::cache;

/// How many users a writer has: store number `n` renews the tokens of user `n % USERS`.
pub const USERS: u64 = 8;
const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000009";
const TENANT: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
/// Tokens are long: a document should not be written in one page.
const LENGTH: usize = 1_000;

/// A writer, whose users are its own.
#[derive(Clone, Debug)]
pub struct Writer {
    name: String,
    authority: Arc<Authority>,
    client_id: ClientId,
    scopes: Scopes,
}

impl Writer {
    /// The writer of this name, which has no `-` in it.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            authority: Authority::tenant(TENANT).unwrap().into(),
            client_id: ClientId::new(CLIENT).unwrap(),
            scopes: Scopes::parse("User.Read").unwrap(),
        }
    }

    /// Store number `number`.
    pub fn update(&self, number: u64) -> TokenUpdate {
        let (account, tokens) = (self.account(number), self.tokens(number).into());
        TokenUpdate::from_sign_in(Arc::clone(&self.authority), self.client_id.clone(), account, tokens)
    }

    /// A query for the access token of one of the accounts.
    pub fn query<'a>(&'a self, account: &'a Account) -> Query<'a> {
        Query::new(&self.authority, &self.client_id, &account.home_account_id, &self.scopes)
    }

    /// How many stores a document has seen, one after the other.
    ///
    /// # Errors
    /// What is missing, or is there and should not be.
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

    /// How many of the access tokens that `count` stores left are not there.
    ///
    /// # Errors
    /// As [`stored`](Self::stored).
    pub fn missing(&self, document: &Value, count: u64) -> Result<usize, String> {
        let found = self.numbers(document, "AccessToken")?;
        Ok((count.saturating_sub(USERS)..count).filter(|number| !found.contains(number)).count())
    }

    /// The numbers of this writer's tokens in a section.
    fn numbers(&self, document: &Value, section: &str) -> Result<BTreeSet<u64>, String> {
        let mut numbers = BTreeSet::new();
        for secret in cache::secrets(document, section) {
            let mut parts = secret.split('-');
            if parts.next() != Some(&self.name) {
                continue;
            }
            let number = parts.next().and_then(|number| number.parse().ok()).ok_or_else(|| secret.clone())?;
            if secret != self.secret(number) {
                return Err(format!("a secret is not whole: {secret}"));
            }
            numbers.insert(number);
        }
        Ok(numbers)
    }

    /// The secret of all tokens of a store.
    pub fn secret(&self, number: u64) -> String {
        format!("{}-{number}-{:x<LENGTH$}", self.name, "")
    }

    /// Whose tokens store number `number` brings.
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

/// The document in a file that may not be there; `null` then.
///
/// # Errors
/// What it is instead of a document.
pub fn document(content: &[u8]) -> Result<Value, String> {
    match serde_json::from_slice(content) {
        Ok(document @ Value::Object(_)) => Ok(document),
        Ok(other) => Err(format!("no object: {other}")),
        Err(error) => Err(format!("{error}: {} bytes", content.len())),
    }
}

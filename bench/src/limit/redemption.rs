//! The redemption of a refresh token: a form out, a response in, the index updated.

use std::hint::black_box;
use std::sync::{Arc, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use form_urlencoded::Serializer;
use serde::Deserialize;

use super::now;
use super::people::{Holder, People, Token, granted};

#[derive(Deserialize)]
struct Answer<'a> {
    access_token: &'a str,
    refresh_token: &'a str,
    id_token: &'a str,
    client_info: &'a str,
    scope: &'a str,
    expires_in: u64,
}

#[derive(Deserialize)]
struct ClientInfo<'a> {
    uid: &'a str,
    utid: &'a str,
}

/// What identifies an account in its tenant.
#[derive(Deserialize)]
struct Claims<'a> {
    oid: &'a str,
    preferred_username: &'a str,
    tid: &'a str,
}

fn form(client_id: &str, refresh_token: &str, scopes: &str) -> String {
    Serializer::new(String::with_capacity(2048))
        .append_pair("client_id", client_id)
        .append_pair("grant_type", "refresh_token")
        .append_pair("refresh_token", refresh_token)
        .append_pair("scope", scopes)
        .append_pair("client_info", "1")
        .finish()
}

impl People {
    /// Redeems the refresh token of this user by sending the form with `post`, and returns the new access token.
    pub fn redeem<A: AsRef<[u8]>>(
        &self,
        client_id: &str,
        home_account_id: &str,
        scopes: &str,
        post: impl FnOnce(String) -> A,
    ) -> Option<Arc<str>> {
        self.accept(post(self.form(client_id, home_account_id, scopes)?).as_ref())
    }

    /// Returns the form that redeems the refresh token of this user.
    #[must_use]
    pub fn form(&self, client_id: &str, home_account_id: &str, scopes: &str) -> Option<String> {
        let refresh_token = {
            let people = self.by_home_account.read().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(&people.get(home_account_id)?.refresh_token)
        };
        Some(form(client_id, &refresh_token, scopes))
    }

    /// Parses a response, updates the index, and returns the new access token.
    #[must_use]
    pub fn accept(&self, answer: &[u8]) -> Option<Arc<str>> {
        let answer: Answer<'_> = serde_json::from_slice(answer).ok()?;
        let client_info = URL_SAFE_NO_PAD.decode(answer.client_info).ok()?;
        let client_info: ClientInfo<'_> = serde_json::from_slice(&client_info).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(answer.id_token.split('.').nth(1)?).ok()?;
        let claims: Claims<'_> = serde_json::from_slice(&claims).ok()?;
        black_box((claims.oid, claims.tid));
        let home_account_id: Arc<str> = format!("{}.{}", client_info.uid, client_info.utid).into();
        let token = Token {
            secret: answer.access_token.into(),
            expires_on: now() + answer.expires_in,
            scopes: granted(answer.scope),
        };
        let secret = Arc::clone(&token.secret);

        let mut people = self.by_home_account.write().unwrap_or_else(PoisonError::into_inner);
        let person = people.get_mut(&home_account_id)?;
        person.tokens.retain(|other| other.scopes != token.scopes);
        person.tokens.push(token);
        person.refresh_token = answer.refresh_token.into();
        person.id_token = answer.id_token.into();
        person.holder = Arc::new(Holder { home_account_id, username: claims.preferred_username.into() });
        Some(secret)
    }
}

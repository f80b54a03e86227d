//! How results are printed.

use std::time::Duration;

use auth::{Account, AuthResult, Timestamp, TokenSource};
use serde::Serialize;

use crate::args::Output;
use crate::terminal;

/// The JSON of `auth token`; scripts depend on it.
#[derive(Serialize)]
struct TokenJson<'a> {
    access_token: &'a str,
    token_type: &'a str,
    expires_on: u64,
    scopes: Vec<&'a str>,
    tenant_id: Option<String>,
    account: Option<AccountJson<'a>>,
    id_token: Option<&'a str>,
    source: &'static str,
    persisted: bool,
    correlation_id: String,
}

/// An account in JSON.
#[derive(Serialize)]
pub(crate) struct AccountJson<'a> {
    home_account_id: Option<&'a str>,
    username: Option<&'a str>,
    environment: &'a str,
}

impl<'a> From<&'a Account> for AccountJson<'a> {
    fn from(account: &'a Account) -> Self {
        let id = account.home_account_id.as_str();
        Self {
            home_account_id: Some(id).filter(|id| !id.is_empty()),
            username: account.login_hint(),
            environment: &account.environment,
        }
    }
}

/// An account in the list of `auth accounts`, with what the cache knows about it.
#[derive(Serialize)]
pub(crate) struct ListedAccountJson<'a> {
    #[serde(flatten)]
    account: AccountJson<'a>,
    local_account_id: Option<&'a str>,
    can_refresh: bool,
    source: Option<&'a str>,
    last_sign_in: Option<u64>,
    tenants: Vec<TenantJson<'a>>,
}

/// The profile of an account in one of its tenants.
#[derive(Serialize)]
struct TenantJson<'a> {
    tenant_id: &'a str,
    local_account_id: &'a str,
    username: &'a str,
    is_home: bool,
}

impl<'a> From<&'a Account> for ListedAccountJson<'a> {
    fn from(account: &'a Account) -> Self {
        let tenants = account.tenant_profiles.iter().map(|profile| TenantJson {
            tenant_id: &profile.tenant_id,
            local_account_id: &profile.local_account_id,
            username: &profile.username,
            is_home: profile.is_home,
        });
        Self {
            account: account.into(),
            local_account_id: Some(account.local_account_id.as_str()).filter(|id| !id.is_empty()),
            can_refresh: account.can_refresh,
            source: account.source.as_deref(),
            last_sign_in: account.last_sign_in.map(Timestamp::as_unix_seconds),
            tenants: tenants.collect(),
        }
    }
}

/// Returns the name by which a person knows the account.
pub(crate) fn display_name(account: &Account) -> &str {
    let ids = [account.home_account_id.as_str(), account.local_account_id.as_str()];
    account.login_hint().or_else(|| ids.into_iter().find(|id| !id.is_empty())).unwrap_or("an unnamed account")
}

/// Prints a token in the requested format.
pub(crate) fn print_token(result: &AuthResult, output: Output, now: Timestamp) {
    let (token, id_token) = (result.access_token().expose(), result.id_token());
    if output != Output::Text && terminal::result_is_on_screen() {
        terminal::say("auth: warning: the token is displayed on the screen; anyone who sees it can use it");
    }
    match output {
        Output::Text => terminal::result(status_line(result, now)),
        Output::Token => terminal::result(token),
        Output::Header => terminal::result(format_args!("Authorization: {} {token}", result.token_type())),
        Output::Json => terminal::json(&TokenJson {
            access_token: token,
            token_type: result.token_type(),
            expires_on: result.expires_on().as_unix_seconds(),
            scopes: result.scopes().iter().collect(),
            tenant_id: result.tenant_id(),
            account: result.account().map(AccountJson::from),
            id_token: id_token.as_ref().map(|token| token.secret().expose()),
            source: source(result.source()),
            persisted: result.persisted(),
            correlation_id: result.correlation_id().to_string(),
        }),
    }
}

fn source(source: TokenSource) -> &'static str {
    match source {
        TokenSource::Cache => "cache",
        _ => "identity_provider",
    }
}

fn status_line(result: &AuthResult, now: Timestamp) -> String {
    let who = result.account().map_or("an unnamed account", display_name);
    let left = lifetime(now.duration_until(result.expires_on()));
    let from = if result.source() == TokenSource::Cache { "the cache" } else { "the identity provider" };
    let scopes = result.scopes().to_string();
    let what = if scopes.is_empty() { "no scope".to_owned() } else { scopes };
    format!("{who} has a token for {what}, valid for {left}, from {from}")
}

/// Returns a duration for people to read.
pub(crate) fn lifetime(left: Duration) -> String {
    match left.as_secs() {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds @ 120..=7199 => format!("{} min", seconds / 60),
        seconds => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short_to_read() {
        for (seconds, text) in [(0, "0 s"), (119, "119 s"), (120, "2 min"), (3599, "59 min"), (7200, "2 h")] {
            assert_eq!(lifetime(Duration::from_secs(seconds)), text);
        }
    }
}

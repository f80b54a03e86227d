//! Requests to the broker, if there is one.

use std::sync::Arc;

use auth_cache::RefreshReason;
use auth_core::{Account, Authority, CorrelationId, Scopes, Tokens};

use crate::broker::{BrokerRequest, BrokerTokens};
use crate::error::AuthError;
use crate::result::{AuthResult, Call, TokenSource};
use crate::shared::Shared;
use crate::timing::Timing;
use crate::wanted::Wanted;

/// The source of accounts that signed in on another device, which this device's broker does not know.
const BY_DEVICE_CODE: &str = "device_code_flow";

/// The broker's answer to a silent call; `None` if a refresh token should be redeemed instead.
pub(crate) async fn silently(shared: &Shared, wanted: &Wanted) -> Result<Option<AuthResult>, AuthError> {
    let Some(broker) = &shared.broker else { return Ok(None) };
    if wanted.account.source.as_deref() == Some(BY_DEVICE_CODE) {
        return Ok(None);
    }
    let (timing, authority) = (Timing::begin(), wanted.known.authority());
    let request = BrokerRequest {
        account: Some(&wanted.account),
        claims: wanted.claims.as_ref(),
        force_refresh: wanted.forced,
        extra_query: &wanted.extra_query,
        ..request(shared, &authority, &wanted.scopes, wanted.context.correlation_id())
    };
    let tokens = broker.acquire_token_silent(&request).await?;
    tokens.map(|tokens| result(shared, &request, tokens, &timing)).transpose()
}

/// The broker's answer to an interactive call; `None` if a browser should be opened instead.
pub(crate) async fn interactively(
    shared: &Shared,
    request: &BrokerRequest<'_>,
    timing: &Timing,
) -> Result<Option<AuthResult>, AuthError> {
    let Some(broker) = &shared.broker else { return Ok(None) };
    let Some(tokens) = broker.acquire_token_interactive(request).await? else { return Ok(None) };
    shared.throttle.forget_refusals(&tokens.account.home_account_id);
    result(shared, request, tokens, timing).map(Some)
}

/// A request for these scopes, without options.
pub(crate) fn request<'a>(
    shared: &'a Shared,
    authority: &'a Authority,
    scopes: &'a Scopes,
    correlation_id: CorrelationId,
) -> BrokerRequest<'a> {
    BrokerRequest {
        client_id: shared.client_id().as_str(),
        capabilities: shared.application.capabilities(),
        authority,
        scopes,
        account: None,
        login_hint: None,
        claims: None,
        prompt: None,
        force_refresh: false,
        extra_query: &[],
        correlation_id,
    }
}

/// Turns the broker's tokens into the result of the call. Rejects any other account than the requested one (S-86).
fn result(
    shared: &Shared,
    request: &BrokerRequest<'_>,
    given: BrokerTokens,
    timing: &Timing,
) -> Result<AuthResult, AuthError> {
    let BrokerTokens { access_token, expires_on, account, granted_scopes, id_token } = given;
    let is_pinned = |pinned: &Account| pinned.home_account_id == account.home_account_id;
    if !request.account.is_none_or(is_pinned) {
        return Err(AuthError::UserMismatch);
    }
    let mut tokens = Tokens::new(access_token, request.scopes, expires_on, shared.driver.now());
    tokens.id_token = id_token;
    if let Some(granted) = granted_scopes {
        tokens.granted_scopes = granted;
    }
    let call = Call {
        refresh_reason: RefreshReason::NotApplicable,
        token_endpoint: None,
        durations: timing.durations(),
        persistence_error: None,
    };
    let (tokens, account) = (Arc::new(tokens), Some(Arc::new(account)));
    let result = AuthResult::issued(tokens, account, request.authority, request.correlation_id, call, false);
    Ok(result.with_source(TokenSource::Broker))
}

//! Redeeming refresh tokens.

use std::pin::pin;
use std::sync::Arc;

use auth_cache::{LockBudget, Refresh, RefreshBasis, StorageError, TokenUpdate};
use auth_core::{Account, RedemptionRequest, SilentRedemption, Tokens};

use crate::error::AuthError;
use crate::result::{AuthResult, Call};
use crate::shared::Shared;
use crate::timing::Timing;
use crate::wanted::Wanted;

/// Redeems one of the refresh tokens, and caches the new tokens before returning them.
pub(crate) async fn redeem(
    shared: &Shared,
    wanted: &Wanted,
    refresh: Refresh,
    budget: &mut LockBudget,
    timing: &mut Timing,
) -> Result<AuthResult, AuthError> {
    let context = &wanted.context;
    let metadata = wanted.known.endpoints(&shared.driver, context, timing).await?;
    let authority = wanted.known.authority();
    // If the authority stands for many tenants, ask the account's home tenant.
    let home = || wanted.account.home_account_id.home_tenant()?.parse().ok();
    let metadata = match authority.tenant_name().filter(|tenant| tenant.is_multi_tenant()).and_then(|_| home()) {
        Some(tenant) => authority.with_tenant(tenant).metadata().unwrap_or(metadata),
        None => metadata,
    };
    let endpoint = Arc::clone(metadata.token_endpoint_text());
    let account = wanted.account.home_account_id.clone();
    let mut request = RedemptionRequest::new(context.clone(), metadata, account, wanted.scopes.clone());
    request.claims = wanted.claims.clone();
    request.id_tokens = refresh.id_tokens;
    let mut flow = SilentRedemption::new(request, refresh.candidates);
    let outcome = shared.driver.drive(&mut flow, timing).await?;
    if outcome.not_in_family
        && let Err(error) =
            shared.cache.leave_family(&authority, shared.client_id(), &wanted.account.home_account_id, budget).await
    {
        tracing::warn!(target: "auth", %error, "failed to save that this client is not in a family");
    }
    let tokens = Arc::new(outcome.result.map_err(|error| with_hint(error.into(), &wanted.account))?);
    let (persisted, account, persistence_error) = keep(shared, wanted, &tokens, refresh.basis, budget, timing).await;
    let call = Call {
        refresh_reason: refresh.reason,
        token_endpoint: Some(endpoint),
        durations: timing.durations(),
        persistence_error,
    };
    Ok(AuthResult::issued(tokens, Some(account), &authority, context.correlation_id(), call, persisted))
}

/// Caches the tokens. Returns whether they were stored, their account, and why the store failed.
async fn keep(
    shared: &Shared,
    wanted: &Wanted,
    tokens: &Arc<Tokens>,
    basis: RefreshBasis,
    budget: &mut LockBudget,
    timing: &mut Timing,
) -> (bool, Arc<Account>, Option<StorageError>) {
    wanted.known.note_tenant(tokens);
    let authority = wanted.known.authority();
    let account = Arc::new(Account::from_tokens(tokens, &authority).unwrap_or_else(|| wanted.account.clone()));
    let (client_id, tokens) = (shared.client_id().clone(), Arc::clone(tokens));
    let mut update = TokenUpdate::from_refresh(authority, client_id, Arc::clone(&account), tokens, basis);
    update.bypass = wanted.bypass();
    let (persisted, persistence_error) = timing.cache(pin!(shared.store(update, budget))).await;
    (persisted, account, persistence_error)
}

/// Adds the account's login hint to an error that requires the user.
fn with_hint(mut error: AuthError, account: &Account) -> AuthError {
    if let AuthError::UiRequired(ui) = &mut error {
        ui.login_hint = account.login_hint().map(str::to_owned);
    }
    error
}

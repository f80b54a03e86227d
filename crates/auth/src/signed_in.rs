//! From the tokens of a sign-in to the result of the call.

use std::pin::pin;
use std::sync::Arc;

use auth_cache::{LockBudget, RefreshReason, TokenUpdate};
use auth_core::{Account, CorrelationId, ProviderMetadata, Tokens};

use crate::authorities::KnownAuthority;
use crate::error::AuthError;
use crate::result::{AuthResult, Call};
use crate::shared::Shared;
use crate::timing::Timing;

/// A sign-in whose tokens have arrived.
pub(crate) struct SignedIn<'a> {
    pub(crate) known: &'a KnownAuthority,
    pub(crate) metadata: &'a ProviderMetadata,
    pub(crate) correlation_id: CorrelationId,
    /// The only account that is accepted, if there is one.
    pub(crate) pinned: Option<&'a Account>,
    /// Whether the tokens must satisfy claims.
    pub(crate) bypass: bool,
    /// Whether the user signed in on another device.
    pub(crate) by_device_code: bool,
}

impl SignedIn<'_> {
    /// Caches the tokens and returns the result. Nothing is cached if someone other than the pinned account signed in,
    /// or if the response does not say who did (S-86).
    pub(crate) async fn with(
        self,
        tokens: Tokens,
        shared: &Shared,
        timing: &mut Timing,
    ) -> Result<AuthResult, AuthError> {
        let (tokens, authority) = (Arc::new(tokens), self.known.authority());
        let account = Account::from_tokens(&tokens, &authority).map(Arc::new);
        let is_pinned = |pinned: &Account| {
            let id = account.as_ref().map(|account| &account.home_account_id);
            id.is_some_and(|id| authority.is_same_user(&pinned.home_account_id, id))
        };
        if !self.pinned.is_none_or(is_pinned) {
            return Err(AuthError::UserMismatch);
        }
        self.known.note_tenant(&tokens);
        let (persisted, persistence_error) = match &account {
            Some(account) => {
                let (client_id, tokens) = (shared.client_id().clone(), Arc::clone(&tokens));
                let authority = Arc::clone(&authority);
                let mut update = TokenUpdate::from_sign_in(authority, client_id, Arc::clone(account), tokens);
                update.bypass = self.bypass;
                update.by_device_code = self.by_device_code;
                let mut budget = LockBudget::default();
                let stored = timing.cache(pin!(shared.store(update, &mut budget))).await;
                shared.throttle.forget_refusals(&account.home_account_id);
                stored
            }
            None => (false, None),
        };
        let call = Call {
            refresh_reason: RefreshReason::NotApplicable,
            token_endpoint: Some(Arc::clone(self.metadata.token_endpoint_text())),
            durations: timing.durations(),
            persistence_error,
        };
        Ok(AuthResult::issued(tokens, account, &authority, self.correlation_id, call, persisted))
    }
}

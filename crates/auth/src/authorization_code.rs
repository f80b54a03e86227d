//! `acquire_token_by_authorization_code`: completes a sign-in that `authorization_url` began.

use core::fmt;
use std::sync::Arc;

use auth_core::{
    Account, Authority, AuthorizationResponse, PendingAuthorization, ProtocolError, RequestContext, Secret,
};

use crate::code::Returned;
use crate::error::{AuthError, Cancelled};
use crate::options::Options;
use crate::result::AuthResult;
use crate::shared::Shared;
use crate::timing::Timing;

/// A pending sign-in: the result of [`AuthorizationUrlRequest::send`](crate::AuthorizationUrlRequest::send), or what
/// [`PendingAuthorization::to_json`] made of it for a session.
#[derive(Debug)]
pub struct PendingSignIn(Form);

#[derive(Debug)]
enum Form {
    Begun(Box<PendingAuthorization>),
    Kept(Secret),
}

impl From<PendingAuthorization> for PendingSignIn {
    fn from(pending: PendingAuthorization) -> Self {
        Self(Form::Begun(Box::new(pending)))
    }
}

impl From<Secret> for PendingSignIn {
    fn from(kept: Secret) -> Self {
        Self(Form::Kept(kept))
    }
}

/// A request that completes a sign-in; see
/// [`PublicClient::acquire_token_by_authorization_code`](crate::PublicClient::acquire_token_by_authorization_code).
#[must_use = "nothing happens before `send`"]
pub struct AuthorizationCodeRequest {
    shared: Arc<Shared>,
    pending: PendingSignIn,
    response: AuthorizationResponse,
    account: Option<Account>,
    options: Options,
}

impl AuthorizationCodeRequest {
    pub(crate) fn new(shared: Arc<Shared>, pending: PendingSignIn, response: AuthorizationResponse) -> Self {
        Self { shared, pending, response, account: None, options: Options::default() }
    }

    /// Accepts only this account: if someone else signed in, nothing is cached and the call fails (S-86).
    pub fn account(mut self, account: &Account) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// Sets the tenant, if the sign-in was begun at another tenant than the client's. It is not taken from the session,
    /// which could name any.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.options.tenant_id = Some(tenant.into());
        self
    }

    /// Sets the B2C user flow, if the sign-in was begun at another one than the client's.
    pub fn user_flow(mut self, name: impl Into<String>) -> Self {
        self.options.user_flow = Some(name.into());
        self
    }

    /// Validates the response, redeems the code and caches the tokens. The token request is the only one sent, unless
    /// instance discovery must confirm the authority's host.
    ///
    /// # Errors
    /// [`AuthError::Protocol`] if the response belongs to another sign-in, or the sign-in belongs to another client or
    /// authority or has already been redeemed, [`AuthError::Cancelled`] if the user took longer than
    /// [`PendingAuthorization::LIFETIME`], [`AuthError::UserMismatch`] if someone other than the required
    /// [account](Self::account) signed in, [`AuthError::Server`] if the user or the provider refused; others as
    /// described at [`AuthError`].
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        let (mut timing, shared) = (Timing::begin(), &*self.shared);
        let known = self.options.known_authority(shared)?;
        known.confirm(&shared.driver, &self.context()?, &mut timing).await?;
        let authority = known.authority();
        let pending = match self.pending.0 {
            Form::Begun(pending) => *pending,
            Form::Kept(kept) => resumed(&kept, shared, &authority)?,
        };
        if pending.is_expired(shared.driver.now()) {
            return Err(AuthError::Cancelled(Cancelled::TimedOut(PendingAuthorization::LIFETIME)));
        }
        if !pending.is_of(shared.client_id(), &authority) {
            return Err(ProtocolError::Invalid { message: "pending authorization", name: "issuer" }.into());
        }
        if self.response.has_state(pending.state()) && !shared.redeemed.is_first(&pending, shared.driver.uptime()) {
            return Err(ProtocolError::AlreadyRedeemed.into());
        }
        let returned = Returned { pending, response: self.response, known, pinned: self.account.as_ref() };
        returned.redeem(shared, &mut timing).await
    }

    /// The context of requests that precede the token request; the correlation ID of a kept sign-in is not known yet.
    fn context(&self) -> Result<RequestContext, AuthError> {
        Ok(match &self.pending.0 {
            Form::Begun(pending) => RequestContext::new(self.shared.application.clone(), pending.correlation_id()),
            Form::Kept(_) => self.options.context(&self.shared)?,
        })
    }
}

/// Restores a sign-in that was kept in a session.
fn resumed(kept: &Secret, shared: &Shared, authority: &Authority) -> Result<PendingAuthorization, ProtocolError> {
    let pending = PendingAuthorization::from_json(kept, shared.application.clone(), authority)?;
    Ok(match shared.multi_cloud {
        true => pending.with_multi_cloud(authority.clone()),
        false => pending,
    })
}

impl fmt::Debug for AuthorizationCodeRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationCodeRequest").field("pending", &self.pending).finish_non_exhaustive()
    }
}

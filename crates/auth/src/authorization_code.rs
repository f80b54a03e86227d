//! `acquire_token_by_authorization_code`: the end of a sign-in that `authorization_url` began.

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

/// A sign-in under way: as [`AuthorizationUrlRequest::send`](crate::AuthorizationUrlRequest::send) began it, or as
/// [`PendingAuthorization::to_json`] kept it in a session.
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

/// The end of a sign-in; see
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

    /// Accepts this account only: when somebody else signed in, nothing is cached and the call fails (S-86).
    pub fn account(mut self, account: &Account) -> Self {
        self.account = Some(account.clone());
        self
    }

    /// The tenant, where the sign-in was begun at one other than that of the client; a session could name any.
    pub fn tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.options.tenant_id = Some(tenant.into());
        self
    }

    /// The user flow of B2C, where the sign-in was begun at one other than that of the client.
    pub fn user_flow(mut self, name: impl Into<String>) -> Self {
        self.options.user_flow = Some(name.into());
        self
    }

    /// Judges the response, redeems the code and caches the tokens. Nobody is asked anything but for the tokens, unless
    /// instance discovery has to confirm the authority's host.
    ///
    /// # Errors
    /// [`AuthError::Protocol`] for a response that belongs to another sign-in, and for a sign-in of another client, another
    /// authority or one that was redeemed before, [`AuthError::Cancelled`] when the user took longer than
    /// [`PendingAuthorization::LIFETIME`], [`AuthError::UserMismatch`] when somebody else than the
    /// [account](Self::account) signed in, [`AuthError::Server`] when the user or the provider refused; otherwise as
    /// [`AuthError`] says.
    pub async fn send(self) -> Result<AuthResult, AuthError> {
        let (mut timing, shared) = (Timing::begin(), &*self.shared);
        let place = self.options.place(shared)?;
        place.confirm(&shared.driver, &self.context()?, &mut timing).await?;
        let authority = place.authority();
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
        let returned = Returned { pending, response: self.response, place, pinned: self.account.as_ref() };
        returned.redeem(shared, &mut timing).await
    }

    /// For what must be asked before it is known which call this belongs to.
    fn context(&self) -> Result<RequestContext, AuthError> {
        Ok(match &self.pending.0 {
            Form::Begun(pending) => RequestContext::new(self.shared.application.clone(), pending.correlation_id()),
            Form::Kept(_) => self.options.context(&self.shared)?,
        })
    }
}

/// The sign-in that was kept in a session.
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

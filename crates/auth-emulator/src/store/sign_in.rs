//! Completed sign-ins.

use crate::directory::{TenantId, User};
use crate::scope::ScopeRequest;

/// The outcome of a sign-in, which is passed on from the authorization code to each refresh token.
#[derive(Debug, Clone)]
pub(crate) struct SignIn {
    pub(crate) id: u64,
    pub(crate) user: User,
    pub(crate) tenant: TenantId,
    pub(crate) client_id: String,
    pub(crate) scopes: ScopeRequest,
}

//! The token endpoint as a function: a form, a time and the state go in, a grant comes out. Sockets and signatures are
//! elsewhere.

mod body;
mod code;
mod device;
mod grant;
mod refresh;
#[cfg(test)]
mod tests;

pub(crate) use body::token_body;
pub(crate) use grant::Grant;

use crate::clock::UnixTime;
use crate::directory::Tenant;
use crate::error::{OAuthError, printable};
use crate::ledger::GrantType;
use crate::params::Params;
use crate::store::State;

/// Answers a form that was posted to the token endpoint of `tenant`.
///
/// # Errors
///
/// The error response for the client.
pub(crate) fn answer(state: &mut State, tenant: Tenant, form: &Params, now: UnixTime) -> Result<Grant, OAuthError> {
    let grant_type = form.require("grant_type")?;
    form.require("client_id")?;
    match GrantType::named(grant_type) {
        GrantType::AuthorizationCode => code::redeem(state, tenant, form, now),
        GrantType::DeviceCode => device::redeem(state, tenant, form, now),
        GrantType::RefreshToken => refresh::redeem(state, tenant, form, now),
        GrantType::Other => Err(OAuthError::new(
            "unsupported_grant_type",
            70_003,
            format!("The grant type '{}' is not supported.", printable(grant_type)),
        )),
    }
}

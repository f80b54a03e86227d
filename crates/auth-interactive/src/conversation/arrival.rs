//! What a connection delivers for the wait to judge.

use auth_core::AuthorizationResponse;

use super::reply::Refusal;

/// What a connection delivered, after every check that needs no state.
pub(crate) enum Arrival {
    /// An authorization response: a form body or a query string.
    Response(Box<AuthorizationResponse>),
    /// A visit to the bare path, to which the browser is redirected after a query response (S-27).
    Visit,
}

impl Arrival {
    pub(super) fn response(parameters: &[u8]) -> Result<Self, Refusal> {
        let response = AuthorizationResponse::parse(parameters).map_err(|_| Refusal::BadRequest)?;
        Ok(Self::Response(Box::new(response)))
    }
}

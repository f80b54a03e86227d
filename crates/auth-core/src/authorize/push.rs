//! Pushed authorization requests (RFC 9126).

use core::time::Duration;

use bytes::Bytes;
use http::{Request, Response, Uri};

use super::PendingAuthorization;
use crate::body::Body;
use crate::error::{Error, ProtocolError};
use crate::exchange::{Answer, Exchange, Replay, encode_query, judge_created, post};
use crate::json::Members;
use crate::time::Timestamp;
use crate::token_response::{is_token, seconds_in};

const MESSAGE: &str = "pushed authorization response";

/// Pushes an authorization request to the provider; created by
/// [`AuthorizationRequest::push`](crate::AuthorizationRequest::push). Its output is the pending sign-in, whose URL
/// refers to the request by its `request_uri`.
///
/// May be sent twice: nothing in it is single-use, and of two `request_uri`s from the provider, one is never used.
/// Every push returns a new one, so none appears in two URLs (S-12).
///
/// ```
/// use auth_core::{AuthorizationRequest, ConfigError, Exchange, Timestamp};
///
/// # fn example(request: AuthorizationRequest, now: Timestamp) -> Result<(), ConfigError> {
/// let pushed = request.push(&mut rand::rngs::SysRng, now)?;
/// assert_eq!(pushed.request().method(), "POST");
/// # Ok(()) }
/// ```
#[derive(Debug)]
pub struct PushedAuthorization {
    pending: PendingAuthorization,
    endpoint: Uri,
    form: Body,
}

impl PushedAuthorization {
    pub(super) fn new(pending: PendingAuthorization, endpoint: Uri, form: String) -> Self {
        Self { pending, endpoint, form: Body::encoded(form) }
    }

    fn request_uri<'a>(members: &'a Members<'_>) -> Result<&'a str, ProtocolError> {
        let missing = |name| ProtocolError::Missing { message: MESSAGE, name };
        let invalid = |name| ProtocolError::Invalid { message: MESSAGE, name };
        let life = seconds_in(members, "expires_in").map_err(|_| invalid("expires_in"))?;
        if life.ok_or_else(|| missing("expires_in"))? == Duration::ZERO {
            return Err(invalid("expires_in"));
        }
        let uri = members.text("request_uri").ok_or_else(|| missing("request_uri"))?;
        if is_token(uri) { Ok(uri) } else { Err(invalid("request_uri")) }
    }
}

impl Exchange for PushedAuthorization {
    type Output = PendingAuthorization;

    const REPLAY: Replay = Replay::Once;

    fn request(&self) -> Request<Body> {
        // The caller's extra parameters are in the form, not in the query.
        post(&self.pending.context, &self.endpoint, self.form.clone())
    }

    fn complete(self, response: Response<Bytes>, now: Timestamp) -> Result<PendingAuthorization, Error> {
        let members = match judge_created(&self.pending.context, &response, MESSAGE, now)? {
            Answer::Success(members) => members,
            Answer::Refusal(error) => return Err(error.into()),
        };
        let parameters =
            [("client_id", self.pending.context.client_id().as_str()), ("request_uri", Self::request_uri(&members)?)];
        let query = encode_query(parameters.into_iter());
        Ok(self.pending.at(&query)?)
    }
}

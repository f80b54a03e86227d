//! The authorization response, as delivered by the browser.

use core::fmt;

use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::error::{ProtocolError, ServerError};
use crate::pkce::State;
use crate::secret::Secret;
use crate::token_response::is_token;

const MESSAGE: &str = "authorization response";

/// The parameters of an authorization response (RFC 6749 §4.1.2). None may be used before
/// [`PendingAuthorization::accept`](crate::PendingAuthorization::accept) has checked them.
pub struct AuthorizationResponse {
    state: Option<Secret>,
    code: Option<Secret>,
    iss: Option<String>,
    client_info: Option<String>,
    cloud_host: Option<String>,
    error: Option<ServerError>,
}

impl AuthorizationResponse {
    /// Parses a form body or a query string.
    ///
    /// # Errors
    /// [`ProtocolError::Invalid`] if a parameter is repeated (S-09), or if a code or an error contains forbidden
    /// characters.
    ///
    /// ```
    /// use auth_core::AuthorizationResponse;
    ///
    /// assert!(AuthorizationResponse::parse(b"code=abc&state=xyz").is_ok());
    /// assert!(AuthorizationResponse::parse(b"code=abc&code=def&state=xyz").is_err());
    /// ```
    pub fn parse(parameters: &[u8]) -> Result<Self, ProtocolError> {
        let invalid = |name| ProtocolError::Invalid { message: MESSAGE, name };
        let (mut state, mut code, mut iss, mut client_info, mut cloud_host) = (None, None, None, None, None);
        let mut error = Map::new();
        for (name, value) in form_urlencoded::parse(parameters) {
            let value = Zeroizing::new(value.into_owned());
            let duplicate = match &*name {
                "state" => state.replace(Secret::new(value.to_string())).is_some().then_some("state"),
                "code" if !is_token(&value) => return Err(invalid("code")),
                "code" => code.replace(Secret::new(value.to_string())).is_some().then_some("code"),
                "iss" => iss.replace(value.to_string()).is_some().then_some("iss"),
                "client_info" => client_info.replace(value.to_string()).is_some().then_some("client_info"),
                "cloud_instance_host_name" => {
                    cloud_host.replace(value.to_string()).is_some().then_some("cloud_instance_host_name")
                }
                "error" => insert(&mut error, "error", &value).then_some("error"),
                "error_description" => insert(&mut error, "error_description", &value).then_some("error_description"),
                // Entra's name for it on this channel only.
                "error_subcode" | "suberror" => insert(&mut error, "suberror", &value).then_some("error_subcode"),
                _ => None,
            };
            if let Some(name) = duplicate {
                return Err(invalid(name));
            }
        }
        let error = crate::error::error_in(&error, None, MESSAGE)?;
        Ok(Self { state, code, iss, client_info, cloud_host, error })
    }

    /// Returns whether the response has this state. Only such a response may end a wait (S-03).
    #[must_use]
    pub fn has_state(&self, state: &State) -> bool {
        self.state.as_ref().is_some_and(|own| state.matches(own.expose()))
    }

    /// Returns the error code of a refusal, for the page shown to the user.
    #[must_use]
    pub fn error(&self) -> Option<&str> {
        self.error.as_ref().map(|error| error.error.as_str())
    }

    pub(crate) fn iss(&self) -> Option<&str> {
        self.iss.as_deref()
    }

    /// The account's home id, according to the browser.
    pub(crate) fn client_info(&self) -> Option<&str> {
        self.client_info.as_deref()
    }

    /// The user's home cloud, according to the browser.
    pub(crate) fn cloud_host(&self) -> Option<&str> {
        self.cloud_host.as_deref().filter(|host| !host.is_empty())
    }

    /// The code, or the refusal received instead.
    pub(crate) fn into_code(self) -> Result<Result<Secret, Box<ServerError>>, ProtocolError> {
        match (self.error, self.code) {
            (Some(error), _) => Ok(Err(Box::new(error))),
            (None, Some(code)) => Ok(Ok(code)),
            (None, None) => Err(ProtocolError::Missing { message: MESSAGE, name: "code" }),
        }
    }
}

fn insert(members: &mut Map<String, Value>, name: &str, value: &str) -> bool {
    members.insert(name.to_owned(), Value::String(value.to_owned())).is_some()
}

impl fmt::Debug for AuthorizationResponse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthorizationResponse").field("error", &self.error).finish_non_exhaustive()
    }
}

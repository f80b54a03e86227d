//! "Interaction required": the silent path cannot continue without the user.

use core::fmt;

use crate::claims::Claims;
use crate::correlation::CorrelationId;
use crate::error::ServerError;

/// The user must act. Pass this to the interactive request (`satisfying(&ui)`), which takes over the claims, the login
/// hint and the correlation id.
///
/// ```
/// use auth_core::{Claims, CorrelationId, UiReason, UiRequired};
///
/// let id = CorrelationId::generate(&mut rand::rngs::SysRng)?;
/// let ui = UiRequired::local(UiReason::NoTokensFound, id)
///     .with_login_hint("ada@contoso.example")
///     .with_claims(&Claims::parse(r#"{"id_token":{"acrs":null}}"#)?);
/// assert_eq!(ui.code(), "no_tokens_found");
/// # Ok::<(), auth_core::Error>(())
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct UiRequired {
    /// Why the user must act.
    pub reason: UiReason,
    /// The claims that the interactive request must satisfy: those of the server's answer (OpenID Connect Core §5.5)
    /// and of the refused request.
    pub claims: Option<String>,
    /// The name of the user who should sign in, if known.
    pub login_hint: Option<String>,
    /// The correlation id of the failed call.
    pub correlation_id: CorrelationId,
    /// The server's answer, if a request was sent.
    pub server: Option<Box<ServerError>>,
}

impl UiRequired {
    /// Creates the error for a call that was decided without sending a request.
    #[must_use]
    pub fn local(reason: UiReason, correlation_id: CorrelationId) -> Self {
        Self { reason, claims: None, login_hint: None, correlation_id, server: None }
    }

    pub(crate) fn from_server(error: ServerError, correlation_id: CorrelationId) -> Self {
        Self {
            reason: UiReason::Server,
            claims: error.claims.clone(),
            login_hint: None,
            correlation_id,
            server: Some(Box::new(error)),
        }
    }

    /// Adds the name of the user who should sign in.
    #[must_use]
    pub fn with_login_hint(mut self, login_hint: impl Into<String>) -> Self {
        self.login_hint = Some(login_hint.into());
        self
    }

    /// Adds claims that the interactive request must satisfy. Where they conflict with those of the server, they win.
    #[must_use]
    pub fn with_claims(mut self, claims: &Claims) -> Self {
        let server = self.claims.as_deref().and_then(|text| Claims::parse(text).ok());
        // Merged, they may be too long to send.
        let all = server.map(|server| claims.and(&server)).filter(|all| Claims::parse(all.as_str()).is_ok());
        self.claims = Some(all.as_ref().unwrap_or(claims).as_str().to_owned());
        self
    }

    /// Returns the stable code: the server's `error`, or the code of the [reason](UiReason::code) if no request was
    /// sent. A forgotten password always has the reason's code, because the server's is not specific.
    #[must_use]
    pub fn code(&self) -> &str {
        match (&self.server, self.reason) {
            (_, UiReason::PasswordForgotten) => self.reason.code(),
            (Some(server), _) => &server.error,
            (None, reason) => reason.code(),
        }
    }

    /// Returns the kind of action that the user can take (MSAL's `UiRequiredExceptionClassification`).
    #[must_use]
    pub fn classification(&self) -> Classification {
        match (&self.server, self.reason) {
            (_, UiReason::NoPromptFailed) => Classification::PromptNeverFailed,
            (None, _) => Classification::AcquireTokenSilentFailed,
            (Some(server), _) => server.suberror.as_deref().map_or(Classification::None, Classification::of_suberror),
        }
    }
}

impl fmt::Display for UiRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.server {
            Some(_) if self.reason == UiReason::PasswordForgotten => fmt::Display::fmt(&self.reason, f),
            Some(server) => write!(f, "the user must sign in again: {server}"),
            None => fmt::Display::fmt(&self.reason, f),
        }
    }
}

/// Omits the claims and the login hint, which may name people.
impl fmt::Debug for UiRequired {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UiRequired")
            .field("reason", &self.reason)
            .field("correlation_id", &self.correlation_id)
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl core::error::Error for UiRequired {}

/// Why the user is needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UiReason {
    /// The cache contains nothing that could answer. This is also the reason if no account was specified and the cache
    /// has none, which MSAL.NET calls `user_null`: there the application must specify an account, here it may omit it.
    #[error("the cache has no token for this request: the user must sign in")]
    NoTokensFound,
    /// No account in the cache matches the login hint.
    #[error("the cache has no such account: the user must sign in")]
    NoAccountForLoginHint,
    /// Several accounts match the login hint, and none is chosen silently.
    #[error("several accounts in the cache have this name: specify the account")]
    MultipleAccountsForLoginHint,
    /// No account was specified, and none of several in the cache is chosen silently. The code is our own: in MSAL the
    /// application must specify the account.
    #[error("the cache has several accounts: specify one")]
    MultipleAccounts,
    /// The server requires it; see [`UiRequired::server`].
    #[error("the identity provider requires the user to sign in")]
    Server,
    /// A sign-in without a prompt ([`Prompt::None`](crate::Prompt::None)) was requested, and the server needs one.
    #[error("the identity provider cannot sign the user in without a prompt")]
    NoPromptFailed,
    /// The user chose to reset the password on a B2C page: start the user flow for that
    /// ([`Authority::with_user_flow`](crate::Authority::with_user_flow)).
    #[error("the user forgot the password: start the user flow that resets it")]
    PasswordForgotten,
    /// The code of a sign-in on another device has expired or is invalid.
    #[error("the code was not entered in time: start a new sign-in")]
    CodeExpired,
}

impl UiReason {
    /// Returns the stable code of the reason: MSAL's if it has one.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::NoTokensFound => "no_tokens_found",
            Self::NoAccountForLoginHint => "no_account_for_login_hint",
            Self::MultipleAccountsForLoginHint => "multiple_accounts_for_login_hint",
            Self::MultipleAccounts => "multiple_accounts",
            Self::Server => "interaction_required",
            Self::NoPromptFailed => "no_prompt_failed",
            Self::PasswordForgotten => "password_forgotten",
            Self::CodeExpired => "code_expired",
        }
    }
}

/// The kind of action that the user can take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Classification {
    /// Unspecified: sign in.
    None,
    /// The sign-in page only shows an explanation.
    MessageOnly,
    /// The user can resolve it on the sign-in page.
    BasicAction,
    /// It must be resolved outside the sign-in.
    AdditionalAction,
    /// The user has not consented.
    ConsentRequired,
    /// The password has expired.
    UserPasswordExpired,
    /// A sign-in without a prompt was requested.
    PromptNeverFailed,
    /// The cache could not answer, and no request was sent.
    AcquireTokenSilentFailed,
}

impl Classification {
    /// Returns the name, for the error output of programs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::MessageOnly => "message_only",
            Self::BasicAction => "basic_action",
            Self::AdditionalAction => "additional_action",
            Self::ConsentRequired => "consent_required",
            Self::UserPasswordExpired => "user_password_expired",
            Self::PromptNeverFailed => "prompt_never_failed",
            Self::AcquireTokenSilentFailed => "acquire_token_silent_failed",
        }
    }

    fn of_suberror(suberror: &str) -> Self {
        [Self::MessageOnly, Self::BasicAction, Self::AdditionalAction, Self::ConsentRequired, Self::UserPasswordExpired]
            .into_iter()
            .find(|class| class.as_str().eq_ignore_ascii_case(suberror))
            .unwrap_or(Self::None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::CORRELATION;

    #[test]
    fn claims_of_the_request_are_merged_with_those_of_the_server() {
        let long = format!(r#"{{"b":"{}"}}"#, "x".repeat(16_000));
        let longer = format!(r#"{{"a":"{}"}}"#, "x".repeat(16_000));
        for (server, own, expected) in [
            (None, r#"{ "a":1}"#, r#"{ "a":1}"#),
            (Some(r#"{"a":2,"b":2}"#), r#"{"a":1}"#, r#"{"a":1,"b":2}"#),
            (Some("nonsense"), r#"{"a":1}"#, r#"{"a":1}"#),
            (Some(long.as_str()), longer.as_str(), longer.as_str()),
        ] {
            let mut ui = UiRequired::local(UiReason::Server, CorrelationId::parse(CORRELATION).unwrap());
            ui.claims = server.map(str::to_owned);
            assert_eq!(ui.with_claims(&Claims::parse(own).unwrap()).claims.as_deref(), Some(expected));
        }
    }
}

//! "Interaction required": the answer of the silent path that sends the caller to the user.

use core::fmt;

use crate::claims::Claims;
use crate::correlation::CorrelationId;
use crate::error::ServerError;

/// The user must act. Hand this to the interactive request (`satisfying(&ui)`), which carries the claims, the login
/// hint and the correlation id over.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub struct UiRequired {
    /// Why.
    pub reason: UiReason,
    /// What the interactive request must satisfy: the `claims` of the server's answer (OpenID Connect Core §5.5), and those
    /// of the request that was refused.
    pub claims: Option<String>,
    /// Who should sign in, where that is known.
    pub login_hint: Option<String>,
    /// The id of the call that found this out.
    pub correlation_id: CorrelationId,
    /// What the server said, where a server was asked.
    pub server: Option<Box<ServerError>>,
}

impl UiRequired {
    /// A finding of our own, without asking a server.
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

    /// The same, knowing who should sign in.
    #[must_use]
    pub fn with_login_hint(mut self, login_hint: Option<String>) -> Self {
        self.login_hint = login_hint;
        self
    }

    /// The same, for a request that must satisfy `claims` in any case; where the server asks for the same thing, these stay.
    #[must_use]
    pub fn with_claims(mut self, claims: &Claims) -> Self {
        let server = self.claims.as_deref().and_then(|text| Claims::parse(text).ok());
        // Together they may be more than can be sent.
        let all = server.map(|server| claims.and(&server)).filter(|all| Claims::parse(all.as_str()).is_ok());
        self.claims = Some(all.as_ref().unwrap_or(claims).as_str().to_owned());
        self
    }

    /// The stable code: the server's `error` where a server was asked, else that of the [reason](UiReason::code). A
    /// forgotten password always has the code of the reason, as the server's says nothing of it.
    #[must_use]
    pub fn code(&self) -> &str {
        match (&self.server, self.reason) {
            (_, UiReason::PasswordForgotten) => self.reason.code(),
            (Some(server), _) => &server.error,
            (None, reason) => reason.code(),
        }
    }

    /// What kind of action the user can take (MSAL's `UiRequiredExceptionClassification`).
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

/// Without the claims and the login hint, which may name people.
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
    /// The cache holds nothing that could answer. This is also the reason when no account was named and none is there,
    /// which MSAL.NET calls `user_null`: there the application forgot the account, here it may leave it out.
    #[error("no token for this request is in the cache: the user must sign in")]
    NoTokensFound,
    /// No account in the cache matches the login hint.
    #[error("no such account is in the cache: the user must sign in")]
    NoAccountForLoginHint,
    /// Several accounts match the login hint, and none is picked silently.
    #[error("several accounts in the cache have this name: pass the one that is meant")]
    MultipleAccountsForLoginHint,
    /// No account was named, several are in the cache, and none is picked silently. The code is one of ours: in MSAL the
    /// application must name the account.
    #[error("several accounts are in the cache: name the one that is meant")]
    MultipleAccounts,
    /// The server demands it; see [`UiRequired::server`].
    #[error("the identity provider demands that the user signs in")]
    Server,
    /// A sign-in without a prompt ([`Prompt::None`](crate::Prompt::None)) was asked for, and the server needs one.
    #[error("the identity provider cannot sign the user in without a prompt")]
    NoPromptFailed,
    /// The user forgot the password, and said so on a page of B2C: start the user flow that resets it
    /// ([`Authority::with_user_flow`](crate::Authority::with_user_flow)).
    #[error("the user forgot the password: start the user flow that resets it")]
    PasswordForgotten,
    /// The code of a sign-in on another device has expired, or it was never good.
    #[error("the code was not entered in time: begin the sign-in again")]
    CodeExpired,
}

impl UiReason {
    /// The stable code of the reason: MSAL's where it has one.
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

/// What the user can do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Classification {
    /// Nothing more is known: sign in.
    None,
    /// The sign-in page only explains.
    MessageOnly,
    /// The user can mend it on the sign-in page.
    BasicAction,
    /// It must be mended outside of the sign-in.
    AdditionalAction,
    /// The user has not consented.
    ConsentRequired,
    /// The password has expired.
    UserPasswordExpired,
    /// A sign-in without prompt was asked for.
    PromptNeverFailed,
    /// The cache could not answer; no server was asked.
    AcquireTokenSilentFailed,
}

impl Classification {
    /// The name as the error output of programs shows it.
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
    fn claims_of_the_request_stay_beside_those_of_the_server() {
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

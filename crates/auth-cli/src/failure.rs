//! How failures end the program: one line on stderr or one JSON object on stdout, and an exit code.

use std::process::ExitCode;

use auth::{
    AuthError, BrowserError, Cancelled, Classification, ConfigError, CorrelationId, LoopbackError, ProtocolError,
    SignInError, UiReason, UiRequired,
};
use serde::Serialize;

use crate::args::Output;
use crate::terminal;

/// A failure and its exit code.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: u8,
    json: Box<ErrorJson>,
}

/// The error object of `--output json`; a field without a value is `null`.
#[derive(Debug, Serialize)]
struct ErrorJson {
    error: String,
    error_description: String,
    suberror: Option<String>,
    classification: Option<&'static str>,
    claims: Option<String>,
    correlation_id: Option<String>,
}

const USAGE: u8 = 2;
const UI_REQUIRED: u8 = 3;
const REFUSED: u8 = 4;
const NETWORK: u8 = 5;
const CANCELLED: u8 = 6;
const CACHE: u8 = 7;
const OTHER: u8 = 1;

impl Failure {
    fn new(exit: u8, error: &str, description: impl ToString) -> Self {
        let json = Box::new(ErrorJson {
            error: error.to_owned(),
            error_description: description.to_string(),
            suberror: None,
            classification: None,
            claims: None,
            correlation_id: None,
        });
        Self { exit, json }
    }

    /// An invalid flag or value.
    pub(crate) fn usage(description: &str) -> Self {
        Self::new(USAGE, "invalid_arguments", description)
    }

    /// Ctrl-C.
    pub(crate) fn interrupted() -> Self {
        Self::new(CANCELLED, "cancelled", "interrupted")
    }

    /// A failure without a name of its own.
    pub(crate) fn internal(error: &dyn std::error::Error) -> Self {
        Self::new(OTHER, "internal_error", with_causes(error))
    }

    /// A failure of the cache in a command that is about it.
    pub(crate) fn cache(description: &str) -> Self {
        Self::new(CACHE, "cache_failed", description)
    }

    /// Several accounts match, with or without a name given, and none is chosen.
    pub(crate) fn several_accounts(by_name: bool) -> Self {
        let reason = if by_name { UiReason::MultipleAccountsForLoginHint } else { UiReason::MultipleAccounts };
        let mut failure = Self::new(UI_REQUIRED, reason.code(), "several accounts match; choose one with --account");
        failure.json.classification = Some(Classification::AcquireTokenSilentFailed.as_str());
        failure
    }

    /// Adds the correlation id of the call, unless the failure has one.
    pub(crate) fn with_correlation_id(mut self, id: CorrelationId) -> Self {
        self.json.correlation_id.get_or_insert_with(|| id.to_string());
        self
    }

    /// Reports the failure and returns the exit code.
    pub(crate) fn report(self, output: Output) -> ExitCode {
        if output == Output::Json {
            terminal::json(&self.json);
        } else {
            terminal::say(format_args!("auth: {}", self.json.error_description));
        }
        ExitCode::from(self.exit)
    }

    fn with_server(mut self, server: &auth::ServerError) -> Self {
        if let Some(description) = &server.description {
            self.json.error_description = format!("{}: {description}", self.json.error_description);
        }
        self.json.suberror = server.suberror.clone();
        self.json.claims = server.claims.clone();
        self.json.correlation_id = server.correlation_id.clone();
        self
    }

    fn of_ui_required(ui: &UiRequired) -> Self {
        let mut failure = Self::new(UI_REQUIRED, ui.code(), ui);
        if let Some(server) = &ui.server {
            failure = failure.with_server(server);
        }
        failure.json.classification = Some(ui.classification().as_str());
        failure.json.claims = ui.claims.clone();
        failure.json.correlation_id = Some(ui.correlation_id.to_string());
        failure
    }
}

impl From<AuthError> for Failure {
    fn from(error: AuthError) -> Self {
        match &error {
            AuthError::UiRequired(ui) => Self::of_ui_required(ui),
            AuthError::Server(server) => {
                let exit = if server.is_transient() { NETWORK } else { REFUSED };
                Self::new(exit, &server.error, server).with_server(server)
            }
            AuthError::Throttled(throttled) => {
                Self::new(NETWORK, &throttled.server.error, throttled).with_server(&throttled.server)
            }
            AuthError::Transport(_) => Self::new(NETWORK, "network_not_available", &error),
            AuthError::Cancelled(Cancelled::TimedOut(_)) => Self::new(CANCELLED, "timed_out", &error),
            AuthError::Cancelled(_) => Self::new(CANCELLED, "cancelled", &error),
            AuthError::Browser(sign_in) => {
                let (exit, code) = of_sign_in(sign_in);
                Self::new(exit, code, with_causes(sign_in))
            }
            AuthError::Config(_) => Self::new(USAGE, "invalid_configuration", &error),
            AuthError::Cache(_) => Self::new(CACHE, "cache_failed", &error),
            AuthError::UserMismatch => Self::new(REFUSED, "user_mismatch", &error),
            AuthError::Protocol(protocol) => match **protocol {
                ProtocolError::UnexpectedRedirect { .. } | ProtocolError::NotJson { .. } => {
                    Self::new(NETWORK, "invalid_response", &error)
                }
                _ => Self::new(OTHER, "invalid_response", &error),
            },
            _ => Self::internal(&error),
        }
    }
}

/// Returns the exit code and the name of the error when the page could not be shown or the response not received. What
/// the user can fix counts as configuration.
fn of_sign_in(error: &SignInError) -> (u8, &'static str) {
    match error {
        SignInError::Browser(
            BrowserError::Headless(_)
            | BrowserError::Sudo
            | BrowserError::Setting(_)
            | BrowserError::NotStarted { .. }
            | BrowserError::Url(_),
        ) => (USAGE, "browser_not_available"),
        SignInError::Loopback(
            LoopbackError::NotLoopback | LoopbackError::PortInUse(_) | LoopbackError::Bind { port: 1.., .. },
        ) => (USAGE, "loopback_not_available"),
        SignInError::Loopback(_) => (OTHER, "loopback_not_available"),
        _ => (OTHER, "browser_not_available"),
    }
}

/// Returns the text of an error, followed by its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |text, cause| format!("{text}: {cause}"))
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        AuthError::from(error).into()
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn an_unavailable_port_is_reported_with_its_cause() {
        for (error, exit, text) in [
            (LoopbackError::PortInUse(8400), USAGE, "port 8400"),
            (
                LoopbackError::Bind { port: 80, source: io::ErrorKind::PermissionDenied.into() },
                USAGE,
                "permission denied",
            ),
            (
                LoopbackError::Bind { port: 0, source: io::ErrorKind::PermissionDenied.into() },
                OTHER,
                "permission denied",
            ),
            (LoopbackError::Flooded, OTHER, "flooded"),
        ] {
            let failure = Failure::from(AuthError::from(SignInError::from(error)));
            assert_eq!((failure.exit, failure.json.error.as_str()), (exit, "loopback_not_available"));
            assert!(failure.json.error_description.contains(text), "{failure:?}");
        }
        let headless = SignInError::from(BrowserError::Headless(auth::Headless::NoDisplay));
        let failure = Failure::from(AuthError::from(headless));
        assert_eq!((failure.exit, failure.json.error.as_str()), (USAGE, "browser_not_available"));
    }
}

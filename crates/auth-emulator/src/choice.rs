//! The buttons that a user can press, and what they decide.

use crate::directory::User;
use crate::error::OAuthError;
use crate::store::{Stage, State};

/// The button that the user pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    /// The user with this object ID, on the sign-in page.
    User(&'a str),
    /// Accept, on the consent page.
    Accept,
    Cancel,
}

/// What the user has decided.
pub(crate) enum Intent {
    /// To sign in as this user.
    SignIn(User),
    /// To consent to the client's request.
    Consent(User),
    /// Not to do this.
    Cancel(&'static str),
}

impl Choice<'_> {
    /// # Errors
    ///
    /// An error page for the user, if the page has no such button or user.
    pub(crate) fn on(self, stage: Stage, state: &State) -> Result<Intent, OAuthError> {
        let user = |object_id: &str| {
            let found = state.user_with_id(object_id).cloned();
            found.ok_or_else(|| OAuthError::invalid_request(50_034, "The user does not exist."))
        };
        match (stage, self) {
            (Stage::SignIn, Choice::Cancel) => Ok(Intent::Cancel("sign in")),
            (Stage::Consent { .. }, Choice::Cancel) => Ok(Intent::Cancel("consent")),
            (Stage::SignIn, Choice::User(object_id)) => user(object_id).map(Intent::SignIn),
            (Stage::Consent { object_id }, Choice::Accept) => user(&object_id).map(Intent::Consent),
            (_, _) => Err(OAuthError::invalid_request(90_000, "The form does not match the page.")),
        }
    }
}

//! What a user presses on a page, and what that says.

use crate::directory::User;
use crate::error::OAuthError;
use crate::store::{Stage, State};

/// What the user pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Choice<'a> {
    /// The user with this object id, on the sign-in page.
    User(&'a str),
    /// Accept, on the consent page.
    Accept,
    Cancel,
}

/// What the user said with it.
pub(crate) enum Word {
    /// Who it is.
    Is(User),
    /// That the client may do what it asks to.
    Allows(User),
    /// That this will not be done.
    Refuses(&'static str),
}

impl Choice<'_> {
    /// # Errors
    ///
    /// A refusal for the user's eyes, when the page has no such button or user.
    pub(crate) fn on(self, stage: Stage, state: &State) -> Result<Word, OAuthError> {
        let user = |object_id: &str| {
            let found = state.user_with_id(object_id).cloned();
            found.ok_or_else(|| OAuthError::invalid_request(50_034, "There is no such user here."))
        };
        match (stage, self) {
            (Stage::SignIn, Choice::Cancel) => Ok(Word::Refuses("sign in")),
            (Stage::Consent { .. }, Choice::Cancel) => Ok(Word::Refuses("consent")),
            (Stage::SignIn, Choice::User(object_id)) => user(object_id).map(Word::Is),
            (Stage::Consent { object_id }, Choice::Accept) => user(&object_id).map(Word::Allows),
            (_, _) => Err(OAuthError::invalid_request(90_000, "The form does not fit the page.")),
        }
    }
}

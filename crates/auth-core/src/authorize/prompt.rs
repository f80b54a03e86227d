//! The parameter `prompt` (OpenID Connect Core §3.1.2.1, with Entra's additions).

use core::fmt;
use core::str::FromStr;

/// What the provider should ask the user (`prompt`).
///
/// ```
/// use auth_core::Prompt;
///
/// assert_eq!("select_account".parse(), Ok(Prompt::SelectAccount));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Prompt {
    /// Let the user choose an account.
    SelectAccount,
    /// Ask for credentials even if a session exists.
    Login,
    /// Ask for consent even if it was given before.
    Consent,
    /// Offer to create an account.
    Create,
    /// Show nothing: succeed or fail immediately.
    None,
}

impl Prompt {
    /// Returns the value of the parameter `prompt`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SelectAccount => "select_account",
            Self::Login => "login",
            Self::Consent => "consent",
            Self::Create => "create",
            Self::None => "none",
        }
    }
}

impl FromStr for Prompt {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::SelectAccount, Self::Login, Self::Consent, Self::Create, Self::None]
            .into_iter()
            .find(|prompt| prompt.as_str() == text)
            .ok_or("the prompt must be select_account, login, consent, create or none")
    }
}

impl fmt::Display for Prompt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

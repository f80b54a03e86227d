//! What is not as described yet, or cannot be. A test fails as soon as an entry here works; then it goes.

/// Caches of which more than described is left when an account is forgotten, and what.
pub(crate) const LEFT_BEHIND: [(&str, &str); 1] =
    [("msal-node/f_obo", "the access tokens that were got on behalf of the user")];

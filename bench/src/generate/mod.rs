//! Cache documents of any size, with the same bytes every time.
//!
//! A user has an account, an access token of 1,500 characters with five scopes, a refresh token and an ID token, about
//! 5.9 kB in all, like Entra's.

mod entries;
mod values;

use std::io::{self, Write};
use std::ops::Range;

use entries::{Entry, Expiry};
pub use values::{
    CLIENT, ENVIRONMENT, SCOPES, Signature, TENANT, access_token, app_scope, app_token, home_account_id,
    new_access_token, refresh_token, tenant_id, username,
};

/// What to generate.
#[derive(Clone, Debug)]
pub enum Contents {
    /// A cache document with users.
    Users(Users),
    /// A cache document with an application's own tokens.
    App {
        /// The number of tenants.
        tenants: u64,
        /// The number of scopes in each tenant.
        scopes: u64,
    },
    /// A token response for one user.
    Token {
        /// The number of the user.
        user: u64,
        /// How the ID token ends.
        signature: Signature,
    },
}

/// Which users, and what they have.
#[derive(Clone, Debug)]
pub struct Users {
    /// The numbers of the users.
    pub numbers: Range<u64>,
    /// The users whose access tokens have expired.
    pub expired: Range<u64>,
    /// Whether secrets are short.
    pub slim: bool,
    /// How the ID tokens end.
    pub signature: Signature,
}

impl Users {
    /// The first `count` users, with full-size tokens that are valid for years.
    #[must_use]
    pub const fn first(count: u64) -> Self {
        Self { numbers: 0..count, expired: 0..0, slim: false, signature: Signature::Bytes }
    }

    /// Cache documents of a thousand users each; a million users in one text would be too large.
    pub fn parts(&self) -> impl Iterator<Item = Vec<u8>> {
        let Range { start, end } = self.numbers;
        (start..end).step_by(1_000).map(move |first| {
            let numbers = first..end.min(first + 1_000);
            Contents::Users(Self { numbers, ..self.clone() }).to_bytes()
        })
    }
}

impl Contents {
    /// The first `count` users, with full-size tokens that are valid for years.
    #[must_use]
    pub const fn users(count: u64) -> Self {
        Self::Users(Users::first(count))
    }

    /// The token response for user `user`.
    #[must_use]
    pub const fn token(user: u64) -> Self {
        Self::Token { user, signature: Signature::Bytes }
    }

    /// Writes the document, entry by entry.
    ///
    /// # Errors
    /// [`io::Error`] if `to` cannot be written.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        match self {
            Self::Users(users) => {
                let access_tokens = users.numbers.clone().map(|number| {
                    let expiry = if users.expired.contains(&number) { Expiry::Past } else { Expiry::Future };
                    entries::user_access_token(number, expiry, users.slim)
                });
                document(to, users, access_tokens)
            }
            Self::App { tenants, scopes } => {
                let pairs = (0..*tenants).flat_map(|tenant| (0..*scopes).map(move |scope| (tenant, scope)));
                let access_tokens = pairs.map(|(tenant, scope)| entries::app_access_token(tenant, scope));
                document(to, &Users::first(0), access_tokens)
            }
            Self::Token { user, signature } => token_answer(to, *user, *signature),
        }
    }

    /// The document in memory.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.write(&mut bytes).expect("a write to memory");
        bytes
    }
}

fn document(to: &mut impl Write, users: &Users, access_tokens: impl Iterator<Item = Entry>) -> io::Result<()> {
    let Users { numbers, slim, signature, .. } = users;
    to.write_all(b"{")?;
    section(to, "Account", numbers.clone().map(entries::account))?;
    to.write_all(b",")?;
    section(to, "IdToken", numbers.clone().map(|number| entries::id_token_entry(number, *slim, *signature)))?;
    to.write_all(b",")?;
    section(to, "AccessToken", access_tokens)?;
    to.write_all(b",")?;
    section(to, "RefreshToken", numbers.clone().map(|number| entries::refresh_token_entry(number, *slim)))?;
    to.write_all(b",")?;
    section(to, "AppMetadata", [entries::app_metadata()].into_iter())?;
    to.write_all(b"}")
}

fn section(to: &mut impl Write, name: &str, entries: impl Iterator<Item = Entry>) -> io::Result<()> {
    write!(to, "\"{name}\":{{")?;
    for (at, entry) in entries.enumerate() {
        let comma = if at == 0 { "" } else { "," };
        write!(to, "{comma}\"{}\":{}", entry.key, entry.json())?;
    }
    to.write_all(b"}")
}

fn token_answer(to: &mut impl Write, user: u64, signature: Signature) -> io::Result<()> {
    write!(
        to,
        "{{\"token_type\": \"Bearer\", \"scope\": \"{SCOPES}\", \"expires_in\": 3599, \"ext_expires_in\": 3599, \
         \"access_token\": \"{}\", \"refresh_token\": \"{}\", \"id_token\": \"{}\", \"client_info\": \"{}\"}}",
        new_access_token(user),
        values::text("newrt", user, 1100),
        entries::id_token(user, false, signature),
        entries::client_info(user),
    )
}

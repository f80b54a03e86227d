//! Tokens of users: an index by home account ID, with reference-counted contents.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ahash::RandomState;

use super::document::Document;
use super::now;
use crate::generate::Users;

/// The result of a hit.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The access token.
    pub secret: Arc<str>,
    /// When it expires.
    pub expires_on: u64,
    /// Its scopes.
    pub scopes: Granted,
    /// Its user.
    pub holder: Arc<Holder>,
}

/// Scopes in lower case.
pub type Granted = Arc<[Box<str>]>;

/// The user of a token.
#[derive(Clone, Debug)]
pub struct Holder {
    /// The home account ID.
    pub home_account_id: Arc<str>,
    /// The username.
    pub username: Box<str>,
}

/// The entries of a user.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) holder: Arc<Holder>,
    pub(super) refresh_token: Arc<str>,
    pub(super) id_token: Arc<str>,
    pub(super) tokens: Vec<Token>,
}

#[derive(Debug)]
pub(super) struct Token {
    pub(super) secret: Arc<str>,
    pub(super) expires_on: u64,
    pub(super) scopes: Granted,
}

/// The index.
#[derive(Debug, Default)]
pub struct People {
    pub(super) by_home_account: RwLock<HashMap<Arc<str>, Person, RandomState>>,
}

impl People {
    /// Creates an index of these users.
    #[must_use]
    pub fn of(users: &Users) -> Self {
        let mut people = Self::default();
        users.parts().for_each(|part| people.merge(&part));
        people
    }

    /// Adds the contents of a cache document.
    pub fn merge(&mut self, text: &[u8]) {
        let document = Document::parse(text);
        let people = self.by_home_account.get_mut().unwrap_or_else(PoisonError::into_inner);
        for account in document.account.values() {
            let home_account_id: Arc<str> = (&*account.home_account_id).into();
            let holder =
                Holder { home_account_id: Arc::clone(&home_account_id), username: (&*account.username).into() };
            let (refresh_token, id_token) = (Arc::default(), Arc::default());
            let person = Person { holder: Arc::new(holder), refresh_token, id_token, tokens: Vec::with_capacity(1) };
            people.insert(home_account_id, person);
        }
        // Equal targets share one set of scopes.
        let mut scopes: HashMap<&str, Granted> = HashMap::new();
        for token in document.access_token.values() {
            let person = people.get_mut(&*token.home_account_id).expect("an account for every token");
            let scopes = Arc::clone(scopes.entry(&token.target).or_insert_with(|| granted(&token.target)));
            let expires_on = token.expires_on.parse().expect("seconds");
            person.tokens.push(Token { secret: (&*token.secret).into(), expires_on, scopes });
        }
        for token in document.refresh_token.values() {
            people.get_mut(&*token.home_account_id).expect("an account").refresh_token = (&*token.secret).into();
        }
        for token in document.id_token.values() {
            people.get_mut(&*token.home_account_id).expect("an account").id_token = (&*token.secret).into();
        }
    }

    /// Returns a token of this user that grants the scopes and is valid for five minutes.
    #[inline(never)]
    #[must_use]
    pub fn hit(&self, home_account_id: &str, scopes: &[&str]) -> Option<Hit> {
        let people = self.by_home_account.read().unwrap_or_else(PoisonError::into_inner);
        let person = people.get(home_account_id)?;
        let grants =
            |token: &&Token| scopes.iter().all(|scope| token.scopes.iter().any(|own| own.eq_ignore_ascii_case(scope)));
        let token = person.tokens.iter().find(grants)?;
        (token.expires_on > now() + 300).then(|| Hit {
            secret: Arc::clone(&token.secret),
            expires_on: token.expires_on,
            scopes: Arc::clone(&token.scopes),
            holder: Arc::clone(&person.holder),
        })
    }
}

/// The scopes of a list, in lower case and sorted.
pub(super) fn granted(target: &str) -> Granted {
    let mut scopes: Vec<Box<str>> = target.split(' ').map(|scope| scope.to_ascii_lowercase().into()).collect();
    scopes.sort();
    scopes.into()
}

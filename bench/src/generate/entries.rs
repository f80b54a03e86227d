//! The entries of the unified cache document: a key, and its members as JSON text.
//!
//! No value needs escaping, so an entry is plain formatting: a million of them take seconds.

use super::values::{
    CACHED_AT, CLIENT, ENVIRONMENT, EXPIRED_ON, EXPIRES_ON, SCOPES, Signature, TENANT, access_token, app_scope,
    app_token, base64url, home_account_id, object_id, refresh_token, tenant_id, text, username,
};

/// When an access token expires.
#[derive(Clone, Copy, Debug)]
pub(super) enum Expiry {
    Past,
    Future,
}

impl Expiry {
    const fn seconds(self) -> &'static str {
        match self {
            Self::Past => EXPIRED_ON,
            Self::Future => EXPIRES_ON,
        }
    }
}

/// An entry: its key, and its members.
pub(super) struct Entry {
    pub(super) key: String,
    members: Vec<(&'static str, String)>,
}

impl Entry {
    fn new(key: String, members: Vec<(&'static str, String)>) -> Self {
        Self { key: key.to_ascii_lowercase(), members }
    }

    /// The members as an object without spaces.
    pub(super) fn json(&self) -> String {
        let members: Vec<_> = self.members.iter().map(|(name, value)| format!("\"{name}\":\"{value}\"")).collect();
        format!("{{{}}}", members.join(","))
    }
}

pub(super) fn account(number: u64) -> Entry {
    let home = home_account_id(number);
    let key = format!("{home}-{ENVIRONMENT}-{TENANT}");
    let members = vec![
        ("home_account_id", home),
        ("environment", ENVIRONMENT.to_owned()),
        ("realm", TENANT.to_owned()),
        ("local_account_id", object_id(number)),
        ("username", username(number)),
        ("authority_type", "MSSTS".to_owned()),
        ("name", format!("User {number}")),
        ("client_info", client_info(number)),
    ];
    Entry::new(key, members)
}

pub(super) fn user_access_token(number: u64, expiry: Expiry, slim: bool) -> Entry {
    let secret = access_token(number, slim);
    any_access_token(home_account_id(number), secret, TENANT.to_owned(), SCOPES.to_owned(), expiry)
}

pub(super) fn app_access_token(tenant: u64, scope: u64) -> Entry {
    any_access_token(String::new(), app_token(tenant, scope), tenant_id(tenant), app_scope(scope), Expiry::Future)
}

fn any_access_token(home: String, secret: String, realm: String, target: String, expiry: Expiry) -> Entry {
    let key = format!("{home}-{ENVIRONMENT}-accesstoken-{CLIENT}-{realm}-{target}");
    let mut members = credential(home, "AccessToken", secret);
    members.extend([
        ("realm", realm),
        ("target", target),
        ("cached_at", CACHED_AT.to_owned()),
        ("expires_on", expiry.seconds().to_owned()),
        ("extended_expires_on", expiry.seconds().to_owned()),
        ("token_type", "Bearer".to_owned()),
    ]);
    Entry::new(key, members)
}

pub(super) fn refresh_token_entry(number: u64, slim: bool) -> Entry {
    let home = home_account_id(number);
    let key = format!("{home}-{ENVIRONMENT}-refreshtoken-{CLIENT}--");
    Entry::new(key, credential(home, "RefreshToken", refresh_token(number, slim)))
}

pub(super) fn id_token_entry(number: u64, slim: bool, signature: Signature) -> Entry {
    let home = home_account_id(number);
    let key = format!("{home}-{ENVIRONMENT}-idtoken-{CLIENT}-{TENANT}-");
    let mut members = credential(home, "IdToken", id_token(number, slim, signature));
    members.push(("realm", TENANT.to_owned()));
    Entry::new(key, members)
}

pub(super) fn app_metadata() -> Entry {
    let members =
        vec![("client_id", CLIENT.to_owned()), ("environment", ENVIRONMENT.to_owned()), ("family_id", String::new())];
    Entry::new(format!("appmetadata-{ENVIRONMENT}-{CLIENT}"), members)
}

/// The members that every credential begins with.
fn credential(home: String, kind: &str, secret: String) -> Vec<(&'static str, String)> {
    vec![
        ("home_account_id", home),
        ("environment", ENVIRONMENT.to_owned()),
        ("credential_type", kind.to_owned()),
        ("client_id", CLIENT.to_owned()),
        ("secret", secret),
    ]
}

/// An unsigned ID token like Entra's, about 1,000 characters long.
pub(super) fn id_token(number: u64, slim: bool, signature: Signature) -> String {
    let object = object_id(number);
    let claims = format!(
        "{{\"aud\": \"{CLIENT}\", \"iss\": \"https://{ENVIRONMENT}/{TENANT}/v2.0\", \"iat\": {CACHED_AT}, \
         \"nbf\": {CACHED_AT}, \"exp\": {EXPIRES_ON}, \"name\": \"User {number}\", \"oid\": \"{object}\", \
         \"preferred_username\": \"{}\", \"rh\": \"{}\", \"sub\": \"{}\", \"tid\": \"{TENANT}\", \"uti\": \"{}\", \
         \"ver\": \"2.0\"}}",
        username(number),
        text("rh", number, 40),
        text("sub", number, 43),
        text("uti", number, 22),
    );
    let header = format!("{{\"typ\": \"JWT\", \"alg\": \"RS256\", \"kid\": \"{}\"}}", text("kid", 0, 27));
    let mut end = text("sig", number, if slim { 20 } else { 342 });
    // Two characters after the groups of four encode one byte and four surplus bits.
    if signature == Signature::Bytes && end.len() % 4 == 2 {
        end.pop();
        end.push('A');
    }
    [base64url(&header), base64url(&claims), end].join(".")
}

pub(super) fn client_info(number: u64) -> String {
    base64url(&format!("{{\"uid\": \"{}\", \"utid\": \"{TENANT}\"}}", object_id(number)))
}

//! What users have consented to.

use std::collections::{BTreeMap, BTreeSet};

use crate::scope::{Scope, ScopeRequest};
use crate::settings::Settings;

/// Consents by client and user, in memory.
#[derive(Default)]
pub(crate) struct Consents(BTreeMap<(String, String), Consent>);

#[derive(Default)]
struct Consent {
    scopes: BTreeMap<String, Scope>,
    words: BTreeSet<String>,
}

impl Consents {
    /// The clients of the family share a user's consent to one of them.
    fn key(settings: &Settings, client_id: &str, object_id: &str) -> (String, String) {
        let client = if settings.is_family(client_id) { "family" } else { client_id };
        (client.into(), object_id.into())
    }

    pub(crate) fn grant(&mut self, settings: &Settings, client_id: &str, object_id: &str, request: &ScopeRequest) {
        let consent = self.0.entry(Self::key(settings, client_id, object_id)).or_default();
        for scope in &request.scopes {
            consent.scopes.insert(scope.key(), scope.clone());
        }
        consent.words.extend(words(request).map(str::to_owned));
    }

    /// Whether the user has consented to everything in the request, including the OpenID Connect scopes.
    pub(crate) fn covers(&self, settings: &Settings, client_id: &str, object_id: &str, request: &ScopeRequest) -> bool {
        let Some(consent) = self.0.get(&Self::key(settings, client_id, object_id)) else {
            return false;
        };
        words(request).all(|word| consent.words.contains(word))
            && request.scopes.iter().all(|scope| consent.covers(scope, false))
    }

    /// Whether a refresh may grant these scopes. With `widen`, consent to one scope of a resource covers the others.
    pub(crate) fn cover_refresh(
        &self,
        settings: &Settings,
        client_id: &str,
        object_id: &str,
        scopes: &[Scope],
        widen: bool,
    ) -> bool {
        let consent = self.0.get(&Self::key(settings, client_id, object_id));
        scopes.iter().all(|scope| consent.is_some_and(|consent| consent.covers(scope, widen)))
    }

    /// Adds the consented scopes that `.default` stands for, and keeps `.default` itself.
    pub(crate) fn expand_default(
        &self,
        settings: &Settings,
        client_id: &str,
        object_id: &str,
        mut request: ScopeRequest,
    ) -> ScopeRequest {
        let consent = self.0.get(&Self::key(settings, client_id, object_id));
        let default = request.scopes.iter().find(|scope| scope.is_default()).cloned();
        if let (Some(consent), Some(default)) = (consent, default) {
            for scope in consent.of_resource(&default) {
                if !request.scopes.iter().any(|known| known.key() == scope.key()) {
                    request.scopes.push(scope.clone());
                }
            }
        }
        request
    }
}

impl Consent {
    fn covers(&self, scope: &Scope, widen: bool) -> bool {
        self.scopes.contains_key(&scope.key())
            || ((widen || scope.is_default()) && self.scopes.values().any(|known| known.same_resource(scope)))
    }

    /// The consented scopes of a resource without `.default`, in a stable order.
    fn of_resource<'a>(&'a self, like: &'a Scope) -> impl Iterator<Item = &'a Scope> {
        self.scopes.values().filter(|scope| scope.same_resource(like) && !scope.is_default())
    }
}

fn words(request: &ScopeRequest) -> impl Iterator<Item = &str> {
    let offline = request.offline_access.then_some("offline_access");
    request.identity.iter().map(String::as_str).chain(offline)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consent_covers_only_what_the_user_has_allowed() {
        let settings = Settings::default();
        let mut consents = Consents::default();
        consents.grant(&settings, "app", "ada", &ScopeRequest::parse("openid offline_access User.Read api://a/x"));
        for (client, user, scope, expected) in [
            ("app", "ada", "User.Read", true),
            ("app", "ada", "user.read openid", true),
            ("app", "ada", "https://graph.microsoft.com/.default", true),
            ("app", "ada", "User.Read profile", false),
            ("app", "ada", "Mail.Read", false),
            ("app", "ada", "api://b/.default", false),
            ("app", "grace", "User.Read", false),
            ("other", "ada", "User.Read", false),
        ] {
            let request = ScopeRequest::parse(scope);
            assert_eq!(consents.covers(&settings, client, user, &request), expected, "{client} {user} {scope}");
        }
    }

    #[test]
    fn widening_stays_within_a_resource() {
        let settings = Settings::default();
        let mut consents = Consents::default();
        consents.grant(&settings, "app", "ada", &ScopeRequest::parse("api://a/x"));
        for (scope, widen, expected) in
            [("api://a/y", false, false), ("api://a/y", true, true), ("api://b/x", true, false)]
        {
            let scopes = ScopeRequest::parse(scope).scopes;
            assert_eq!(consents.cover_refresh(&settings, "app", "ada", &scopes, widen), expected, "{scope} {widen}");
        }
    }

    #[test]
    fn family_clients_share_consent() {
        let mut settings = Settings::default();
        settings.family_clients.extend(["one".into(), "two".into()]);
        let mut consents = Consents::default();
        let request = ScopeRequest::parse("User.Read");
        consents.grant(&settings, "one", "ada", &request);
        assert!(consents.covers(&settings, "two", "ada", &request));
        assert!(!consents.covers(&settings, "three", "ada", &request));
    }
}

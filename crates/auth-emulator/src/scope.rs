//! Scopes as an identity provider reads them: split into resource and permission.

use std::collections::BTreeSet;

/// The resource of a scope without one, as at Entra.
const DEFAULT_RESOURCE: &str = "https://graph.microsoft.com";

/// A scope of a resource, such as `https://files.example/Files.Read`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope {
    /// As the client wrote it, and as responses repeat it.
    text: String,
    resource: String,
    name: String,
}

impl Scope {
    pub(crate) fn parse(text: &str) -> Self {
        let (resource, name) = match text.rsplit_once('/') {
            // `https://files.example` is a resource without a permission.
            Some((before, _)) if before.ends_with(":/") => (text, ""),
            Some((resource, name)) => (resource, name),
            None => (DEFAULT_RESOURCE, text),
        };
        Self { text: text.into(), resource: resource.into(), name: name.into() }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn resource(&self) -> &str {
        &self.resource
    }

    /// The permission without its resource, as in the `scp` claim of an access token.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// `.default` stands for all scopes consented to before.
    pub(crate) fn is_default(&self) -> bool {
        self.name == ".default"
    }

    pub(crate) fn same_resource(&self, other: &Self) -> bool {
        self.resource.eq_ignore_ascii_case(&other.resource)
    }

    /// The same text for all spellings of this scope.
    pub(crate) fn key(&self) -> String {
        format!("{}/{}", self.resource, self.name).to_ascii_lowercase()
    }
}

/// The `scope` parameter of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ScopeRequest {
    pub(crate) scopes: Vec<Scope>,
    /// The OpenID Connect scopes in the requested order, without `offline_access`.
    pub(crate) identity: Vec<String>,
    pub(crate) offline_access: bool,
}

impl ScopeRequest {
    pub(crate) fn parse(text: &str) -> Self {
        let mut request = Self::default();
        let mut seen = BTreeSet::new();
        for word in text.split_ascii_whitespace() {
            match word.to_ascii_lowercase().as_str() {
                "offline_access" => request.offline_access = true,
                identity @ ("openid" | "profile" | "email") => {
                    if !request.identity.iter().any(|known| known == identity) {
                        request.identity.push(identity.into());
                    }
                }
                _ => {
                    let scope = Scope::parse(word);
                    if seen.insert(scope.key()) {
                        request.scopes.push(scope);
                    }
                }
            }
        }
        request
    }

    pub(crate) fn openid(&self) -> bool {
        self.identity.iter().any(|scope| scope == "openid")
    }

    /// The requested resource; `None` if there are several.
    pub(crate) fn resource(&self) -> Option<&str> {
        let Some(first) = self.scopes.first() else { return Some(DEFAULT_RESOURCE) };
        self.scopes.iter().all(|scope| scope.same_resource(first)).then_some(first.resource())
    }

    /// Keeps only the scopes of the first resource.
    pub(crate) fn first_resource_only(mut self) -> Self {
        if let Some(first) = self.scopes.first().cloned() {
            self.scopes.retain(|scope| scope.same_resource(&first));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_is_split_into_resource_and_name() {
        for (text, resource, name) in [
            ("User.Read", "https://graph.microsoft.com", "User.Read"),
            ("https://files.example/Files.Read", "https://files.example", "Files.Read"),
            ("https://files.example//.default", "https://files.example/", ".default"),
            ("https://files.example", "https://files.example", ""),
            ("api://0d4f/Orders.Write", "api://0d4f", "Orders.Write"),
            ("0d4f/.default", "0d4f", ".default"),
        ] {
            let scope = Scope::parse(text);
            assert_eq!((scope.resource(), scope.name()), (resource, name), "{text}");
        }
    }

    #[test]
    fn a_request_is_split_by_kind_and_duplicates_are_dropped() {
        let request =
            ScopeRequest::parse("User.Read openid https://graph.microsoft.com/user.read OpenId offline_access");
        assert_eq!(request.scopes, [Scope::parse("User.Read")]);
        assert_eq!(request.identity, ["openid"]);
        assert!(request.offline_access && request.openid());
    }

    #[test]
    fn scopes_of_several_resources_have_no_single_resource() {
        assert_eq!(ScopeRequest::parse("openid").resource(), Some("https://graph.microsoft.com"));
        assert_eq!(ScopeRequest::parse("api://a/x api://A/y").resource(), Some("api://a"));
        let two = ScopeRequest::parse("api://a/x api://b/y api://a/z");
        assert_eq!(two.resource(), None);
        assert_eq!(two.first_resource_only().scopes.len(), 2);
    }
}

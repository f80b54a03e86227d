//! The pages for the user's decisions: signing in and consent.

use maud::{Markup, html};

use super::layout::document;
use crate::directory::User;
use crate::scope::ScopeRequest;

/// What the sign-in page shows.
pub(crate) struct SignIn<'a> {
    /// The URL of the form.
    pub(crate) action: &'a str,
    pub(crate) transaction: &'a str,
    pub(crate) client_name: &'a str,
    pub(crate) users: &'a [User],
    pub(crate) login_hint: Option<&'a str>,
}

/// What the consent page shows.
pub(crate) struct Consent<'a> {
    /// The URL of the form.
    pub(crate) action: &'a str,
    pub(crate) transaction: &'a str,
    pub(crate) client_name: &'a str,
    pub(crate) user: &'a User,
    pub(crate) scopes: &'a ScopeRequest,
}

/// The page that lists the users, the one in the login hint first.
pub(crate) fn sign_in(page: &SignIn<'_>) -> Markup {
    let hinted = |user: &User| page.login_hint.is_some_and(|hint| hint.eq_ignore_ascii_case(user.username()));
    let mut users: Vec<(usize, &User)> = page.users.iter().enumerate().collect();
    users.sort_by_key(|(_, user)| !hinted(user));
    let content = html! {
        h1 { "Pick an account" }
        p.soft { "to continue to " b { (page.client_name) } }
        form method="post" action=(page.action) {
            input type="hidden" name="transaction" value=(page.transaction);
            div.people {
                @for (index, user) in users {
                    button.person.hinted[hinted(user)] type="submit" name="user" value=(user.object_id())
                        autofocus[hinted(user)] {
                        (face(index, user))
                        (who(user))
                    }
                }
            }
            div.actions {
                button.button type="submit" name="action" value="cancel" { "Cancel" }
            }
        }
    };
    document("Sign in", &content)
}

/// The page that lists the scopes that a client requests.
pub(crate) fn consent(page: &Consent<'_>) -> Markup {
    let content = html! {
        h1 { "Allow access?" }
        p.soft { b { (page.client_name) } " requests access for:" }
        div.person {
            (face(0, page.user))
            (who(page.user))
        }
        h2 { "It would like to" }
        ul.scopes {
            @for scope in &page.scopes.scopes {
                li { (explain(scope.name())) code { (scope.text()) } }
            }
            @for word in &page.scopes.identity {
                li { (explain(word)) code { (word) } }
            }
            @if page.scopes.offline_access {
                li { (explain("offline_access")) code { "offline_access" } }
            }
        }
        form method="post" action=(page.action) {
            input type="hidden" name="transaction" value=(page.transaction);
            div.actions {
                button.button type="submit" name="action" value="cancel" { "Cancel" }
                button.button.primary type="submit" name="action" value="accept" { "Accept" }
            }
        }
    };
    document("Allow access", &content)
}

fn who(user: &User) -> Markup {
    html! {
        span.who {
            span.name { (user.name()) }
            span.username { (user.username()) }
        }
    }
}

fn face(index: usize, user: &User) -> Markup {
    html! {
        span class={ "face face-" (index % 6) } aria-hidden="true" { (user.initials()) }
    }
}

/// A permission in plain words, as far as its name can be interpreted.
fn explain(name: &str) -> String {
    let known = match name {
        "openid" => "Know who you are",
        "profile" => "See your name and username",
        "email" => "See your e-mail address",
        "offline_access" => "Keep access when you are not using it",
        "User.Read" => "Read your profile",
        "" | ".default" | "user_impersonation" => "Use this service as you",
        _ => "",
    };
    if !known.is_empty() {
        return known.into();
    }
    let mut parts = name.split('.');
    let what = parts.next().unwrap_or_default();
    let verb = match parts.next() {
        Some("Read") => "Read",
        Some("ReadWrite") => "Read and change",
        Some("Write") => "Change",
        Some("Send") => "Send",
        _ => return format!("Use {name}"),
    };
    format!("{verb} {what}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::default_users;

    #[test]
    fn the_hinted_user_comes_first_and_text_is_escaped() {
        let users = default_users();
        let page = sign_in(&SignIn {
            action: "/common/oauth2/v2.0/signin",
            transaction: "t\"x",
            client_name: "<script>alert(1)</script>",
            users: &users,
            login_hint: Some("GRACE@contoso.example"),
        })
        .into_string();
        assert!(page.find("grace@contoso.example") < page.find("ada@contoso.example"));
        assert!(page.contains("t&quot;x"));
        assert!(!page.contains("<script"));
        assert_eq!(page.matches("name=\"user\"").count(), users.len());
    }

    #[test]
    fn the_consent_page_lists_every_scope() {
        let users = default_users();
        let page = consent(&Consent {
            action: "/common/oauth2/v2.0/consent",
            transaction: "t",
            client_name: "Reports",
            user: &users[0],
            scopes: &ScopeRequest::parse("openid offline_access User.Read api://a/Orders.ReadWrite"),
        })
        .into_string();
        for text in ["User.Read", "api://a/Orders.ReadWrite", "openid", "offline_access", "Reports"] {
            assert!(page.contains(text), "{text}");
        }
    }
}

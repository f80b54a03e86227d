//! The page at the root, for people who open the emulator's URL in a browser.

use maud::{Markup, html};

use super::layout::document;
use crate::directory::User;

pub(crate) fn index(authority: &str, users: &[User]) -> Markup {
    let content = html! {
        h1 { "Local identity provider" }
        p.soft { "It emulates Microsoft Entra ID on this machine. Configure an application with its authority." }
        dl {
            dt { "Authority" }
            dd { (authority) }
            dt { "Discovery" }
            dd { (authority) "/v2.0/.well-known/openid-configuration" }
            dt { "Client ID" }
            dd { "any" }
            dt { "Redirect URI" }
            dd { "any loopback address" }
        }
        h2 { "Users who can sign in" }
        ul.scopes {
            @for user in users {
                li { (user.name()) code { (user.username()) } }
            }
        }
    };
    document("Local identity provider", &content)
}

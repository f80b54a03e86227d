//! The page for an error that cannot be sent to the client.

use maud::{Markup, html};

use super::layout::document;
use crate::error::{OAuthError, Stamp};

pub(crate) fn problem(error: &OAuthError, stamp: &Stamp) -> Markup {
    let content = html! {
        h1 { "This sign-in cannot continue" }
        p { (error.text) }
        dl {
            dt { "Error" }
            dd.bad { "AADSTS" (error.number) " (" (error.code) ")" }
            dt { "Correlation ID" }
            dd { (stamp.correlation_id) }
            dt { "Trace ID" }
            dd { (stamp.trace_id) }
            dt { "Timestamp" }
            dd { (stamp.now.to_text()) }
        }
    };
    document("Sign-in problem", &content)
}

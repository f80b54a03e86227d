//! The pages that the browser shows after a sign-in (S-25). Their text is static: nothing of a request is in it.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

const TEMPLATE: &str = include_str!("template.html");
const STYLE: &str = include_str!("style.css");

/// The one value of `Content-Security-Policy`: nothing may be loaded or run, and only our own style applies.
pub(crate) fn content_security_policy() -> &'static str {
    static POLICY: LazyLock<String> = LazyLock::new(|| {
        let hash = STANDARD.encode(Sha256::digest(STYLE.as_bytes()));
        format!(
            "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
    });
    &POLICY
}

/// A page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Page {
    /// The response was received. The code is not redeemed yet, so the page claims no success.
    Return,
    /// The user or the provider refused.
    Failed,
    /// The request is not the one that was waited for.
    WrongRequest,
}

impl Page {
    /// The whole document.
    pub(crate) fn html(self) -> String {
        let (class, symbol, title, text, note) = match self {
            Self::Return => (
                "answer",
                // An arrow that leads back into a window: where to go, not how it went.
                r#"<path d="M13 4h5a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-5"/><path d="M4 12h11"/><path d="m11 8 4 4-4 4"/>"#,
                "Return to the application",
                "Your browser has handed over the answer from the sign-in page. The application goes on from here.",
                "You can close this tab.",
            ),
            Self::Failed => (
                "failed",
                r#"<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.5"/><path d="M12 16.5v.01"/>"#,
                "The sign-in was not completed",
                "Return to the application. It can tell you what happened, and you can start again from there.",
                "You can close this tab.",
            ),
            Self::WrongRequest => (
                "wrong",
                r#"<circle cx="12" cy="12" r="9"/><path d="M5.7 5.7l12.6 12.6"/>"#,
                "Not part of this sign-in",
                "An application on this computer is waiting for the end of a sign-in at this address, and this \
                 request was not it. If you were signing in, go back to the sign-in page or start again from the \
                 application.",
                "Nothing was changed by opening this page.",
            ),
        };
        TEMPLATE
            .replace("{style}", STYLE)
            .replace("{class}", class)
            .replace("{symbol}", symbol)
            .replace("{title}", title)
            .replace("{text}", text)
            .replace("{note}", note)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s25_the_policy_fits_the_style_of_every_page() {
        for page in [Page::Return, Page::Failed, Page::WrongRequest] {
            let html = page.html();
            let (_, rest) = html.split_once("<style>").unwrap();
            let (style, _) = rest.split_once("</style>").unwrap();
            let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
            assert!(content_security_policy().contains(&format!("style-src 'sha256-{hash}';")));
        }
    }

    #[test]
    fn pages_are_whole_and_load_nothing() {
        for page in [Page::Return, Page::Failed, Page::WrongRequest] {
            let html = page.html();
            assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{html}");
            for needed in ["<title>", "name=\"viewport\"", "<main", "<h1>", "</html>"] {
                assert!(html.contains(needed), "{needed} in {html}");
            }
            for forbidden in ["<script", "http:", "https:", "url(", "style=\"", "<link", "<img", "{title}", "{text}"] {
                assert!(!html.contains(forbidden), "{forbidden} in {html}");
            }
        }
    }

    #[test]
    fn no_page_claims_that_the_user_is_signed_in() {
        let html = Page::Return.html().to_lowercase();
        for claim in ["success", "signed in", "logged in", "complete"] {
            assert!(!html.contains(claim), "{claim}");
        }
    }
}

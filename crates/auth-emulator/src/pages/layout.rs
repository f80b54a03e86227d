//! The common parts of all pages: frame, style and content security policy.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::ids;

const STYLE: &str = include_str!("style.css");
/// Submits the only form of the page that carries a response.
pub(super) const SUBMIT: &str = "document.forms[0].submit()";

/// The part of the policy that all pages have: only this style and this script.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = |text: &str| STANDARD.encode(ids::fingerprint(text));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; \
         frame-ancestors 'none'; form-action",
        hash(STYLE),
        hash(SUBMIT)
    )
});

/// Where the form of a page is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) enum FormTarget<'a> {
    /// The page has no form.
    Nowhere,
    Emulator,
    /// To the emulator, and finally to this origin, in the syntax of a policy.
    Client(&'a str),
}

/// The content security policy of a page.
pub(crate) fn policy(form_target: FormTarget<'_>) -> String {
    match form_target {
        FormTarget::Nowhere => format!("{} 'none'", *POLICY),
        FormTarget::Emulator => format!("{} 'self'", *POLICY),
        FormTarget::Client(target) => format!("{} 'self' {target}", *POLICY),
    }
}

/// A document with this content in its card.
pub(super) fn document(title: &str, content: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="robots" content="noindex";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                main {
                    header {
                        svg viewBox="0 0 28 28" aria-hidden="true" {
                            rect width="28" height="28" rx="8" fill="#2f5bd8" {}
                            circle cx="11" cy="14" r="4.25" fill="none" stroke="#fff" stroke-width="2.5" {}
                            path d="M15.5 14H23m-2.5 0v3.5" fill="none" stroke="#fff" stroke-width="2.5"
                                stroke-linecap="round" stroke-linejoin="round" {}
                        }
                        strong { "Contoso" }
                        span { "Emulator" }
                    }
                    (content)
                }
                footer { "A local identity provider for tests. The users are made up and need no password." }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_allows_only_the_named_target() {
        let policy = policy(FormTarget::Client("http://localhost:5000"));
        assert!(policy.starts_with("default-src 'none'; style-src 'sha256-"));
        assert!(policy.ends_with("form-action 'self' http://localhost:5000"));
        assert!(!policy.contains("unsafe"));
        assert!(super::policy(FormTarget::Emulator).ends_with("form-action 'self'"));
        assert!(super::policy(FormTarget::Nowhere).ends_with("form-action 'none'"));
    }

    #[test]
    fn a_page_loads_no_other_resources() {
        let page = document("t", &html! { p { "x" } }).into_string();
        for word in ["src=", "href=", "url(", "@import", "style=", "onclick"] {
            assert!(!page.contains(word), "{word}");
        }
    }
}

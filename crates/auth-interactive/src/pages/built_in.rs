//! The built-in pages.

use std::sync::LazyLock;

use super::branding::Branding;
use super::document::Document;
use super::template::{Value, fill};

const TEMPLATE: &str = include_str!("template.html");
const HEADER: &str = include_str!("header.html");
const STYLE: &str = include_str!("style.css");
/// A crossed-out circle.
const NOTHING: &str = r#"<circle cx="12" cy="12" r="9"/><path d="M5.7 5.7l12.6 12.6"/>"#;
/// An exclamation mark in a circle.
const MARK: &str = r#"<circle cx="12" cy="12" r="9"/><path d="M12 7.5v5.5"/><path d="M12 16.5v.01"/>"#;
/// An arrow into a window: where to go, not how the sign-in went.
const BACK: &str =
    r#"<path d="M13 4h5a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-5"/><path d="M4 12h11"/><path d="m11 8 4 4-4 4"/>"#;

/// How the sign-in page ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The provider returned a code. It is not redeemed yet, so the page claims no success.
    Success,
    /// The user or the provider refused.
    Error,
}

/// What a page says.
pub(super) struct Words {
    name: String,
    title: String,
    text: String,
    note: &'static str,
}

impl Words {
    /// Returns the values of the placeholders in a template.
    pub(super) fn values(&self) -> [(&'static str, Value<'_>); 4] {
        [
            ("name", Value::Text(&self.name)),
            ("title", Value::Text(&self.title)),
            ("text", Value::Text(&self.text)),
            ("note", Value::Text(self.note)),
        ]
    }
}

impl Outcome {
    pub(super) fn words(self, branding: Option<&Branding>) -> Words {
        let (name, at_start) = match branding {
            Some(Branding { name, .. }) => (name.as_str(), name.as_str()),
            None => ("the application", "The application"),
        };
        let (title, text) = match self {
            Self::Success => (
                format!("Return to {name}"),
                format!("{at_start} has received the response from the sign-in page and will take it from here."),
            ),
            Self::Error => (
                "The sign-in was not completed".to_owned(),
                format!("Return to {name} to find out what happened and to try again."),
            ),
        };
        Words { name: name.to_owned(), title, text, note: "You can close this tab." }
    }

    /// Returns the HTML document.
    pub(super) fn page(self, branding: Option<&Branding>) -> String {
        let (class, symbol) = match self {
            Self::Success => ("answer", BACK),
            Self::Error => ("failed", MARK),
        };
        page(class, symbol, &self.words(branding), branding)
    }
}

/// The page for any request but the awaited one. It does not reveal which application waits here.
pub(crate) fn wrong_request() -> &'static Document {
    static DOCUMENT: LazyLock<Document> = LazyLock::new(|| {
        let words = Words {
            name: String::new(),
            title: "Not part of this sign-in".to_owned(),
            text:
                "An application on this computer is waiting for a sign-in to finish at this address, but this request \
                 was not part of it. If you were signing in, go back to the sign-in page, or start again from the \
                 application."
                    .to_owned(),
            note: "Opening this page changed nothing.",
        };
        Document::new(page("wrong", NOTHING, &words, None))
    });
    &DOCUMENT
}

fn page(class: &str, symbol: &str, words: &Words, branding: Option<&Branding>) -> String {
    let accent = branding.and_then(|branding| branding.accent).map(|accent| accent.style()).unwrap_or_default();
    let style = format!("{STYLE}{accent}");
    let logo = branding.and_then(|branding| branding.logo.as_deref());
    let logo = logo.map(|uri| format!("<img src=\"{uri}\" alt=\"\">")).unwrap_or_default();
    let header = match branding {
        Some(_) => fill(HEADER, &[("name", Value::Text(&words.name)), ("logo", Value::Markup(&logo))]),
        None => String::new(),
    };
    let mut values = vec![
        ("style", Value::Markup(&style)),
        ("class", Value::Markup(class)),
        ("symbol", Value::Markup(symbol)),
        ("header", Value::Markup(&header)),
    ];
    values.extend(words.values());
    fill(TEMPLATE, &values)
}

//! What the robot reads from a page. The parsed tree stays in this module because it cannot cross an await.

use scraper::{ElementRef, Html, Selector};

/// The parts of a page that a sign-in needs.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) title: Option<String>,
    pub(super) text: String,
    pub(super) form: Option<Form>,
}

/// The first form of a page.
#[derive(Default)]
pub(super) struct Form {
    pub(super) action: String,
    /// The inputs that are sent unchanged.
    pub(super) fields: Vec<(String, String)>,
    pub(super) buttons: Vec<Button>,
}

impl std::fmt::Debug for Form {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The fields may hold an authorization code.
        f.debug_struct("Form").field("action", &self.action).finish_non_exhaustive()
    }
}

/// A button that submits the form.
#[derive(Debug)]
pub(super) struct Button {
    pub(super) name: String,
    pub(super) value: String,
    words: Vec<String>,
}

impl Button {
    /// Whether this is one of the texts on the button, ignoring case.
    pub(super) fn shows(&self, text: &str) -> bool {
        self.words.iter().any(|word| word.eq_ignore_ascii_case(text))
    }
}

impl Page {
    pub(super) fn parse(html: &str) -> Self {
        let document = Html::parse_document(html);
        let title = select(&document, "title").first().map(|title| text_of(*title));
        let text = select(&document, "body").first().map(|body| text_of(*body)).unwrap_or_default();
        let form = select(&document, "form").first().map(|form| Form {
            action: attribute(*form, "action"),
            fields: select(&document, "form:first-of-type input[name]")
                .into_iter()
                .map(|input| (attribute(input, "name"), attribute(input, "value")))
                .collect(),
            buttons: select(&document, "form:first-of-type button[name]")
                .into_iter()
                .map(|button| Button {
                    name: attribute(button, "name"),
                    value: attribute(button, "value"),
                    words: button.text().map(|word| word.trim().to_owned()).collect(),
                })
                .collect(),
        });
        Self { title, text, form }
    }
}

/// All elements that match a selector; the selectors here are valid constants.
fn select<'a>(document: &'a Html, selector: &str) -> Vec<ElementRef<'a>> {
    Selector::parse(selector).map_or_else(|_| Vec::new(), |found| document.select(&found).collect())
}

fn attribute(element: ElementRef<'_>, name: &str) -> String {
    element.value().attr(name).unwrap_or_default().to_owned()
}

/// The words in an element, without scripts and styles.
fn text_of(element: ElementRef<'_>) -> String {
    let mut words = Vec::new();
    for node in element.descendants() {
        let hidden = node
            .ancestors()
            .filter_map(ElementRef::wrap)
            .any(|above| matches!(above.value().name(), "script" | "style"));
        if let (Some(text), false) = (node.value().as_text(), hidden) {
            words.extend(text.split_whitespace().map(str::to_owned));
        }
    }
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_needed_parts_of_a_page_are_found() {
        let page = Page::parse(
            "<title> A  title </title><body><style>p{}</style><p>Hello <b>there</b></p>\
             <form action='/go'><input type=hidden name=t value='a&amp;b'>\
             <button name=user value=1><span>Ada</span> <span>ada@x.example</span></button></form>\
             <script>x()</script>",
        );
        assert_eq!(page.title.as_deref(), Some("A title"));
        assert_eq!(page.text, "Hello there Ada ada@x.example");
        let form = page.form.unwrap();
        assert_eq!(form.action, "/go");
        assert_eq!(form.fields, [("t".to_owned(), "a&b".to_owned())]);
        assert!(form.buttons[0].shows("ADA@x.example"));
        assert!(!form.buttons[0].shows("ada@x"));
    }

    #[test]
    fn any_text_parses_as_a_page() {
        for text in ["", "{}", "<form>", "<<<>>>"] {
            let page = Page::parse(text);
            assert_eq!(page.title, None, "{text}");
        }
    }
}

//! The page that carries a response to the client as a form (OAuth 2.0 Form Post Response Mode).

use maud::{Markup, PreEscaped, html};

use super::layout::{SUBMIT, document};

/// A form with the response, submitted by a script, or by its button if scripts are disabled.
pub(crate) fn form_post(action: &str, fields: &[(&str, String)]) -> Markup {
    let content = html! {
        h1 { "One moment" }
        p.soft { "Returning you to the application." }
        form method="post" action=(action) {
            @for (name, value) in fields {
                input type="hidden" name=(name) value=(value);
            }
            div.actions {
                button.button.primary type="submit" { "Continue" }
            }
        }
        script { (PreEscaped(SUBMIT)) }
    };
    document("Back to the application", &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_cannot_leave_their_attributes() {
        let fields = [("state", "\"><script>x</script>".to_owned())];
        let page = form_post("http://localhost:5000/?a=1&b=2", &fields).into_string();
        assert!(page.contains("action=\"http://localhost:5000/?a=1&amp;b=2\""));
        assert_eq!(page.matches("<script>").count(), 1);
    }
}

//! The first and the last page of a sign-in on another device.

use maud::{Markup, html};

use super::layout::document;

/// The page that asks for the code. `action` is the URL of the form.
pub(crate) fn enter_code(action: &str) -> Markup {
    let content = html! {
        h1 { "Enter code" }
        p.soft { "Your other device shows it. Enter it only if you requested it yourself." }
        form method="post" action=(action) {
            input.code type="text" name="user_code" aria-label="Code" required maxlength="32" autocomplete="off"
                autocapitalize="characters" spellcheck="false" autofocus;
            div.actions {
                button.button.primary type="submit" name="action" value="next" { "Next" }
            }
        }
    };
    document("Enter code", &content)
}

/// The page at the end.
pub(crate) fn device_done(client_name: &str, allowed: bool) -> Markup {
    let (title, what) = match allowed {
        true => ("Signed in", " is signed in on your other device."),
        false => ("Not signed in", " was denied access and is not signed in."),
    };
    let content = html! {
        h1 { (title) }
        p { b { (client_name) } (what) }
        p.soft { "You can close this window." }
    };
    document(title, &content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_show_the_outcome_and_have_no_script() {
        for (page, text) in [
            (enter_code("/devicelogin"), "name=\"user_code\""),
            (device_done("a <b>", true), "a &lt;b&gt;</b> is signed in"),
            (device_done("Reports", false), "Not signed in"),
        ] {
            let page = page.into_string();
            assert!(page.contains(text) && !page.contains("<script"), "{page}");
        }
    }
}

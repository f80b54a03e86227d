//! Templates: text with placeholders in braces, which are replaced in one pass.

use askama_escape::{Html, escape};

use super::document::find;
use crate::error::PagesError;

/// The largest document of an application, in bytes.
const MAX: usize = 128 * 1024;

/// The value of a placeholder.
pub(super) enum Value<'a> {
    /// Text: `& < > " '` are escaped (S-26).
    Text(&'a str),
    /// Markup of our own.
    Markup(&'a str),
}

/// Checks that an application's document may be shown (S-26). Event handlers and the URLs of scripts need no check: the
/// policy blocks them.
pub(super) fn check(html: &str) -> Result<(), PagesError> {
    if html.len() > MAX {
        return Err(PagesError::Template("it is larger than 128 KiB"));
    }
    if find(html, "<script").is_some() {
        return Err(PagesError::Template("it contains <script"));
    }
    Ok(())
}

/// Replaces each `{name}` by its value; other braces stay. Values are not scanned for placeholders.
pub(super) fn fill(template: &str, values: &[(&str, Value<'_>)]) -> String {
    let mut filled = String::with_capacity(template.len().saturating_mul(2));
    let mut rest = template;
    while let Some((before, from)) = rest.split_once('{') {
        filled.push_str(before);
        let named = values.iter().find_map(|(name, value)| Some((value, from.strip_prefix(*name)?.strip_prefix('}')?)));
        rest = match named {
            Some((Value::Text(text), after)) => {
                filled.push_str(&escape(text, Html).to_string());
                after
            }
            Some((Value::Markup(markup), after)) => {
                filled.push_str(markup);
                after
            }
            None => {
                filled.push('{');
                from
            }
        };
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn placeholders_are_replaced_once_and_other_braces_stay() {
        let values = [("a", Value::Text("{b}<")), ("b", Value::Markup("<i>{a}</i>"))];
        for (template, filled) in [
            ("x{a}y{b}z", "x{b}&#60;y<i>{a}</i>z"),
            ("{{a}}", "{{b}&#60;}"),
            ("p { color: red } {c} {a", "p { color: red } {c} {a"),
            ("{", "{"),
            ("", ""),
        ] {
            assert_eq!(fill(template, &values), filled, "{template}");
        }
    }

    #[test]
    fn s26_a_template_that_has_a_script_or_is_too_large_is_refused() {
        for html in ["<script>", "<p>ok</p><SCRIPT src=x>", "<svg><ScRiPt/>", &"x".repeat(MAX + 1)] {
            assert!(matches!(check(html), Err(PagesError::Template(_))), "{html:.20}");
        }
        for html in ["", "<p onclick=\"x()\">the policy stops it</p>", &"x".repeat(MAX)] {
            assert!(check(html).is_ok(), "{html:.20}");
        }
    }

    proptest! {
        /// P-14.
        #[test]
        fn no_text_becomes_markup(text in any::<String>()) {
            let filled = fill("{text}", &[("text", Value::Text(&text))]);
            prop_assert!(!filled.contains(['<', '>', '"', '\'']), "{}", filled);
            let entities = filled.split('&').skip(1).all(|rest| {
                rest.strip_prefix('#').and_then(|rest| rest.split_once(';')).is_some_and(|(code, _)| {
                    !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit())
                })
            });
            prop_assert!(entities, "{}", filled);
        }

        /// No template panics.
        #[test]
        fn any_template_is_filled(template in any::<String>(), name in any::<String>()) {
            let filled = fill(&template, &[("name", Value::Text(&name))]);
            let asks = template.contains("{name}");
            prop_assert!(asks || filled == template);
        }
    }
}

//! Text from other machines: compared as identities are, and made safe for terminals and logs (S-66, S-69).
//!
//! Public for the other crates of this workspace only; no part of the API that applications can rely on.

use core::cmp::Ordering;

/// Whether two names are the same but for ASCII case (S-80). It is quick where they are equal or of different length, as
/// they nearly always are.
///
/// ```
/// use auth_core::text::same;
///
/// assert!(same("Login.Windows.Net", "login.windows.net"));
/// assert!(!same("K", "\u{212a}"), "the Kelvin sign is no K");
/// ```
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one == other || one.eq_ignore_ascii_case(other)
}

/// The order of two names in ASCII small letters; [same] ones are equal.
///
/// ```
/// use auth_core::text::cmp_folded;
///
/// assert!(cmp_folded("Mail.Read", "user.read").is_lt() && cmp_folded("B", "a").is_gt());
/// ```
#[must_use]
pub fn cmp_folded(one: &str, other: &str) -> Ordering {
    let small = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(small).cmp(other.bytes().map(small))
}

/// `text` without control, direction and invisible characters, at most `max` bytes.
#[must_use]
pub fn stripped(text: &str, max: usize) -> String {
    let mut safe = String::new();
    for c in text.chars().filter(|c| !is_unsafe(*c)) {
        if safe.len().saturating_add(c.len_utf8()) > max {
            break;
        }
        safe.push(c);
    }
    safe
}

/// C0, DEL, C1, line and paragraph separators, and what changes the direction or hides in the text.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_steers_a_terminal_survives() {
        let hostile = "a\u{1b}[31mb\r\nc\u{202e}d\u{9b}e\u{feff}f\u{2028}g";
        assert_eq!(stripped(hostile, 100), "a[31mbcdefg");
        assert_eq!(stripped("ééé", 5), "éé");
    }
}

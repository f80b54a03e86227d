//! Text from other machines: comparing it as an identity, and making it safe for terminals and logs (S-66, S-69).
//!
//! Public only for the other crates of this workspace, and not part of the API.

use core::cmp::Ordering;

/// Returns whether two names are equal ASCII-case-insensitively (S-80). Fast if they are equal or differ in length,
/// which is nearly always the case.
///
/// ```
/// use auth_core::text::same;
///
/// assert!(same("Login.Windows.Net", "login.windows.net"));
/// assert!(!same("K", "\u{212a}"), "the Kelvin sign is not a K");
/// ```
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    one == other || one.eq_ignore_ascii_case(other)
}

/// Compares two names in ASCII lower case; names that are the [`same`] are equal.
///
/// ```
/// use auth_core::text::cmp_folded;
///
/// assert!(cmp_folded("Mail.Read", "user.read").is_lt() && cmp_folded("B", "a").is_gt());
/// ```
#[must_use]
pub fn cmp_folded(one: &str, other: &str) -> Ordering {
    let folded = |byte: u8| byte.to_ascii_lowercase();
    one.bytes().map(folded).cmp(other.bytes().map(folded))
}

/// Returns at most `max` bytes of `text`, without control, direction and invisible characters.
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

/// C0, DEL, C1, line and paragraph separators, and characters that change the direction or are invisible.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_control_characters_are_removed() {
        let hostile = "a\u{1b}[31mb\r\nc\u{202e}d\u{9b}e\u{feff}f\u{2028}g";
        assert_eq!(stripped(hostile, 100), "a[31mbcdefg");
        assert_eq!(stripped("ééé", 5), "éé");
    }
}

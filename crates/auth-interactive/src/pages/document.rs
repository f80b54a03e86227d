//! A page and its content security policy.

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// An HTML document with its `Content-Security-Policy` (S-25): nothing may be loaded or run, and only the document's
/// own styles apply. `data:` images are allowed if it contains any.
pub(crate) struct Document {
    pub(crate) html: String,
    pub(crate) policy: String,
}

impl Document {
    pub(super) fn new(html: String) -> Self {
        let mut styles: Vec<_> =
            styles(&html).map(|style| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(style)))).collect();
        if styles.is_empty() {
            styles.push("'none'".to_owned());
        }
        let images = if html.contains("data:image/") { "img-src data:; " } else { "" };
        let policy = format!(
            "default-src 'none'; style-src {}; {images}base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            styles.join(" ")
        );
        Self { html, policy }
    }
}

/// The content of every `<style>` element. One that is missed does not apply, which is harmless.
fn styles(html: &str) -> impl Iterator<Item = &str> {
    let mut rest = html;
    core::iter::from_fn(move || {
        let element = rest.get(find(rest, "<style")?..)?;
        let content = element.get(element.find('>')?.saturating_add(1)..)?;
        let (style, after) = content.split_at_checked(find(content, "</style")?)?;
        rest = after;
        Some(style)
    })
}

/// The position of the first `name`, given in lower case, ignoring ASCII case.
pub(super) fn find(html: &str, name: &str) -> Option<usize> {
    // Only ASCII changes, so positions stay the same.
    html.to_ascii_lowercase().find(name)
}

impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Document").field("bytes", &self.html.len()).finish_non_exhaustive()
    }
}

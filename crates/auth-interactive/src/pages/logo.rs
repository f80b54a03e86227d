//! The application's logo.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::document::find;
use crate::error::PagesError;

/// The largest logo, in bytes: it is part of the page.
const MAX: usize = 32 * 1024;
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";

/// Returns a PNG image as a `data:` URI.
pub(super) fn png(bytes: &[u8]) -> Result<String, PagesError> {
    if !bytes.starts_with(PNG) {
        return Err(PagesError::Logo("it is not a PNG image"));
    }
    data("image/png", bytes)
}

/// Returns an SVG image as a `data:` URI. In an `<img>` it can neither run nor load anything.
pub(super) fn svg(text: &str) -> Result<String, PagesError> {
    if find(text, "<svg").is_none() {
        return Err(PagesError::Logo("it is not an SVG image"));
    }
    data("image/svg+xml", text.as_bytes())
}

fn data(media_type: &str, bytes: &[u8]) -> Result<String, PagesError> {
    if bytes.len() > MAX {
        return Err(PagesError::Logo("it is larger than 32 KiB"));
    }
    Ok(format!("data:{media_type};base64,{}", STANDARD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logo_is_a_small_png_or_svg() {
        assert_eq!(png(PNG).unwrap(), "data:image/png;base64,iVBORw0KGgo=");
        assert!(svg("<?xml version=\"1.0\"?><SVG/>").unwrap().starts_with("data:image/svg+xml;base64,PD94"));
        let large = [PNG, &vec![0; MAX]].concat();
        for wrong in
            [png(b"GIF89a"), png(b""), png(&large), svg(""), svg("<html>"), svg(&format!("<svg>{}", " ".repeat(MAX)))]
        {
            assert!(matches!(wrong, Err(PagesError::Logo(_))), "{wrong:?}");
        }
    }
}

//! How an application looks on our pages.

use auth_core::text::stripped;

use super::accent::Rgb;
use super::logo;
use crate::error::PagesError;

/// The application's name on the [pages](crate::Pages), and its colour and logo where it has them.
///
/// ```
/// use auth_interactive::Branding;
///
/// let logo = r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 8 8"><circle cx="4" cy="4" r="4"/></svg>"#;
/// let branding = Branding::new("Contoso Notes")?.accent("#0f6cbd")?.logo_svg(logo)?;
/// # Ok::<(), auth_interactive::PagesError>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Branding {
    pub(super) name: String,
    pub(super) accent: Option<Rgb>,
    /// As a `data:` URI.
    pub(super) logo: Option<String>,
}

impl Branding {
    /// The longest name, in bytes.
    const MAX_NAME: usize = 64;

    /// An application of this name.
    ///
    /// # Errors
    /// [`PagesError::Name`] when it is empty, longer than 64 bytes, or holds control, direction or invisible characters.
    pub fn new(name: &str) -> Result<Self, PagesError> {
        if name.trim().is_empty() || stripped(name, Self::MAX_NAME) != name {
            return Err(PagesError::Name);
        }
        Ok(Self { name: name.to_owned(), accent: None, logo: None })
    }

    /// The colour, as `#rrggbb`. Where it would not be legible on light or on dark ground, it is made darker or lighter
    /// until it is (WCAG 2.2, level AA).
    ///
    /// # Errors
    /// [`PagesError::Accent`] for anything but a `#` and six hexadecimal digits.
    pub fn accent(mut self, colour: &str) -> Result<Self, PagesError> {
        self.accent = Some(Rgb::parse(colour)?);
        Ok(self)
    }

    /// The logo as a PNG file, shown 40 pixels high; twice that looks well on every screen.
    ///
    /// # Errors
    /// [`PagesError::Logo`] when it is no PNG, or larger than 32 KiB.
    pub fn logo_png(mut self, bytes: &[u8]) -> Result<Self, PagesError> {
        self.logo = Some(logo::png(bytes)?);
        Ok(self)
    }

    /// The logo as an SVG document, in which nothing runs and which loads nothing.
    ///
    /// # Errors
    /// [`PagesError::Logo`] when it is no SVG, or larger than 32 KiB.
    pub fn logo_svg(mut self, text: &str) -> Result<Self, PagesError> {
        self.logo = Some(logo::svg(text)?);
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_short_and_visible() {
        for name in ["Contoso Notes", "Ünïcode 記録", "<b>&'\"", &"x".repeat(64)] {
            assert!(Branding::new(name).is_ok(), "{name}");
        }
        for name in ["", "  ", "a\nb", "a\u{202e}b", "a\u{200b}", "\u{1b}[31m", &"x".repeat(65), &"é".repeat(33)] {
            assert!(matches!(Branding::new(name), Err(PagesError::Name)), "{name}");
        }
    }
}

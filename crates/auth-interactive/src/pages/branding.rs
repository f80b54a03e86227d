//! How an application looks on the built-in pages.

use auth_core::text::stripped;

use super::accent::Rgb;
use super::logo;
use crate::error::PagesError;

/// The application's name on the [pages](crate::Pages), and optionally its colour and logo.
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

    /// Returns branding with the name of the application.
    ///
    /// # Errors
    /// [`PagesError::Name`] if `name` is empty or longer than 64 bytes, or contains control, bidirectional or invisible
    /// characters.
    pub fn new(name: &str) -> Result<Self, PagesError> {
        if name.trim().is_empty() || stripped(name, Self::MAX_NAME) != name {
            return Err(PagesError::Name);
        }
        Ok(Self { name: name.to_owned(), accent: None, logo: None })
    }

    /// Sets the colour, as `#rrggbb`. If it would not be legible on a light or dark background, it is made darker or
    /// lighter until it is (WCAG 2.2, level AA).
    ///
    /// # Errors
    /// [`PagesError::Accent`] unless `colour` is a `#` and six hexadecimal digits.
    pub fn accent(mut self, colour: &str) -> Result<Self, PagesError> {
        self.accent = Some(Rgb::parse(colour)?);
        Ok(self)
    }

    /// Sets the logo to a PNG image. It is shown 40 pixels high; an image 80 pixels high looks sharp on every screen.
    ///
    /// # Errors
    /// [`PagesError::Logo`] if it is not a PNG image, or is larger than 32 KiB.
    pub fn logo_png(mut self, bytes: &[u8]) -> Result<Self, PagesError> {
        self.logo = Some(logo::png(bytes)?);
        Ok(self)
    }

    /// Sets the logo to an SVG image. It can neither run nor load anything.
    ///
    /// # Errors
    /// [`PagesError::Logo`] if it is not an SVG image, or is larger than 32 KiB.
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

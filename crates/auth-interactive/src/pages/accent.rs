//! The application's colour, made legible on light and dark backgrounds.

use core::fmt;

use crate::error::PagesError;

const BLACK: Rgb = Rgb([0; 3]);
const WHITE: Rgb = Rgb([255; 3]);
/// `--card` of the dark style.
const DARK_CARD: Rgb = Rgb([0x19, 0x1f, 0x29]);
/// The contrast that text needs (WCAG 2.2, 1.4.3, level AA).
const LEGIBLE: f64 = 4.5;
/// The share of the accent in the background of the symbol.
const TINT: f64 = 0.12;

/// An sRGB colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rgb([u8; 3]);

/// A colour, and the background of the symbol that is drawn in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Accent {
    accent: Rgb,
    tint: Rgb,
}

impl Rgb {
    /// Reads `#rrggbb`.
    pub(super) fn parse(text: &str) -> Result<Self, PagesError> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        // `from_str_radix` would take a sign.
        let digits = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let number = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or(PagesError::Accent)?;
        let [_, red, green, blue] = number.to_be_bytes();
        Ok(Self([red, green, blue]))
    }

    /// Returns the rules with which this colour overrides those of `style.css`.
    pub(super) fn style(self) -> String {
        let (light, dark) = (self.on(WHITE, BLACK), self.on(DARK_CARD, WHITE));
        format!(":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n")
    }

    /// Returns the colour nearest to this one, on the way to `end`, that is legible on `card`.
    fn on(self, card: Self, end: Self) -> Accent {
        let steps = (0..=20_u8).map(|step| {
            let accent = self.mixed(end, f64::from(step) / 20.0);
            Accent { accent, tint: card.mixed(accent, TINT) }
        });
        let mut legible =
            steps.filter(|pair| pair.accent.contrast(card) >= LEGIBLE && pair.accent.contrast(pair.tint) >= LEGIBLE);
        legible.next().unwrap_or(Accent { accent: end, tint: card })
    }

    fn mixed(self, other: Self, part: f64) -> Self {
        let mut mixed = self.0;
        for (own, other) in mixed.iter_mut().zip(other.0) {
            *own = (f64::from(*own) * (1.0 - part) + f64::from(other) * part).round() as u8;
        }
        Self(mixed)
    }

    /// The contrast ratio of WCAG 2.2, from 1 to 21.
    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if one > two { one / two } else { two / one }
    }

    /// The relative luminance of WCAG 2.2.
    fn luminance(self) -> f64 {
        let parts = self.0.into_iter().zip([0.2126, 0.7152, 0.0722]);
        parts
            .map(|(byte, weight)| {
                let part = f64::from(byte) / 255.0;
                let linear = if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) };
                linear * weight
            })
            .sum()
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [red, green, blue] = self.0;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "--accent: {}; --tint: {};", self.accent, self.tint)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_colour_has_six_hexadecimal_digits() {
        assert_eq!(Rgb::parse("#0F6cbd").unwrap(), Rgb([0x0f, 0x6c, 0xbd]));
        for text in ["", "#", "0f6cbd", "#0f6cb", "#0f6cbd0", "#+f6cbd", "#0f6cbg", "red", "#0f6cbd;}", "#ééé"] {
            assert!(matches!(Rgb::parse(text), Err(PagesError::Accent)), "{text}");
        }
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((BLACK.contrast(WHITE) - 21.0).abs() < 1e-9);
        assert!((WHITE.contrast(WHITE) - 1.0).abs() < 1e-9);
        assert!((Rgb([0x76; 3]).contrast(WHITE) - 4.54).abs() < 0.01);
    }

    #[test]
    fn a_legible_colour_is_not_changed() {
        let blue = Rgb::parse("#0f4c9d").unwrap();
        assert_eq!(blue.on(WHITE, BLACK).accent, blue);
        assert_ne!(blue.on(DARK_CARD, WHITE).accent, blue);
        assert!(include_str!("style.css").contains(&format!("--card: {DARK_CARD};")), "the same card as in the style");
    }

    proptest! {
        #[test]
        fn any_colour_becomes_legible(parts in any::<[u8; 3]>()) {
            for (card, end) in [(WHITE, BLACK), (DARK_CARD, WHITE)] {
                let Accent { accent, tint } = Rgb(parts).on(card, end);
                prop_assert!(accent.contrast(card) >= LEGIBLE && accent.contrast(tint) >= LEGIBLE);
            }
        }
    }
}

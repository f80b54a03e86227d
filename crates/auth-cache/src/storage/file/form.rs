//! The form of a cache file, judged by its first bytes.

/// The beginning of an encrypted cache in every version of the format. It is text, for anyone who opens the file.
const ENCRYPTED: &[u8] = b"auth encrypted cache ";
/// How many bytes are enough to judge by.
pub(super) const HEAD: usize = 64;

/// What a cache file appears to contain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileForm {
    /// Nothing: there is no file, or it is blank.
    Empty,
    /// JSON, as the MSAL libraries write it.
    Plain,
    /// An encrypted cache.
    Encrypted,
    /// Something else.
    Unknown,
}

impl FileForm {
    /// Returns the form of content that begins with these bytes.
    pub(in crate::storage) fn of(content: &[u8]) -> Self {
        let text = content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content).trim_ascii_start();
        match text.first() {
            None => Self::Empty,
            Some(b'{') => Self::Plain,
            Some(_) if content.starts_with(ENCRYPTED) => Self::Encrypted,
            Some(_) => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_determine_the_form() {
        for (content, form) in [
            ("", FileForm::Empty),
            (" \n", FileForm::Empty),
            ("\u{feff}", FileForm::Empty),
            ("{}", FileForm::Plain),
            ("\u{feff}\r\n {", FileForm::Plain),
            ("auth encrypted cache 1\n", FileForm::Encrypted),
            ("auth encrypted cache 2", FileForm::Encrypted),
            (" auth encrypted cache 1\n", FileForm::Unknown),
            ("auth encrypted", FileForm::Unknown),
            ("[]", FileForm::Unknown),
            ("\0", FileForm::Unknown),
        ] {
            assert_eq!(FileForm::of(content.as_bytes()), form, "{content:?}");
        }
        assert!(ENCRYPTED.len() < HEAD);
    }
}

//! The form of a cache file.

use auth::FileForm;

/// Returns the form of a file in a word.
pub(super) fn form(form: FileForm) -> &'static str {
    match form {
        FileForm::Empty => "empty",
        FileForm::Plain => "plain",
        FileForm::Encrypted => "encrypted",
        _ => "unknown",
    }
}

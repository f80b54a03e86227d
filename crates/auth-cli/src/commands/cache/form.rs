//! What a cache file is.

use auth::FileForm;

/// What a file is, in a word.
pub(super) fn form(form: FileForm) -> &'static str {
    match form {
        FileForm::Empty => "empty",
        FileForm::Plain => "plain",
        FileForm::Encrypted => "encrypted",
        _ => "unknown",
    }
}

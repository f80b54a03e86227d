//! The pages that the browser shows after a sign-in (S-25, S-26). They contain nothing of a request.

mod accent;
mod branding;
mod built_in;
mod document;
mod logo;
mod template;

use std::sync::Arc;

use http::Uri;

use crate::browser::check_url;
use crate::error::{BrowserError, PagesError};

pub use branding::Branding;
pub(crate) use built_in::wrong_request;
pub(crate) use document::Document;

use built_in::Outcome;

/// What the browser shows when the sign-in page has sent it back: the built-in pages, plain or with the application's
/// branding; pages of the application's own; or, after a redirect, a page elsewhere.
///
/// The browser is answered before the code is redeemed, so no page may claim that the user is signed in: *success*
/// means that the provider returned a code, *error* that the provider or the user refused. Nothing of the request is
/// repeated. A request other than the awaited one always gets the same built-in page.
///
/// ```
/// use auth_interactive::{Branding, Pages};
///
/// let branding = Branding::new("Contoso Notes")?.accent("#0f6cbd")?;
/// let pages = Pages::branded(&branding).success_redirect(&"https://notes.contoso.example/welcome".parse()?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Pages {
    success: Ending,
    error: Ending,
}

/// An answer to the browser.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Page(Arc<Document>),
    /// A redirect to this URL (S-26).
    Redirect(Arc<str>),
}

impl Pages {
    /// Returns the built-in pages with the application's name, and its colour and logo if they are set.
    pub fn branded(branding: &Branding) -> Self {
        Self::of(|outcome| outcome.page(Some(branding)))
    }

    /// Returns pages of the application's own: self-contained HTML documents. No script runs in them, nothing is
    /// loaded, only their own `<style>` elements apply, and images must be `data:` URIs.
    ///
    /// In each document, `{name}` is replaced by `name`, and `{title}`, `{text}` and `{note}` by the texts of the
    /// built-in page, so that one document can serve as both. All are escaped.
    ///
    /// # Errors
    /// [`PagesError::Template`] if a document is larger than 128 KiB or contains `<script` (S-26), [`PagesError::Name`]
    /// as for [`Branding::new`].
    ///
    /// ```
    /// use auth_interactive::Pages;
    ///
    /// let page = r#"<!doctype html><html lang="en"><title>{title}</title><h1>{title}</h1><p>{text}</p>"#;
    /// assert!(Pages::from_templates("Contoso Notes", page, page).is_ok());
    /// assert!(Pages::from_templates("Contoso Notes", page, "<script>alert(1)</script>").is_err());
    /// ```
    pub fn from_templates(name: &str, success: &str, error: &str) -> Result<Self, PagesError> {
        let branding = Branding::new(name)?;
        for html in [success, error] {
            template::check(html)?;
        }
        Ok(Self::of(|outcome| {
            let html = match outcome {
                Outcome::Success => success,
                Outcome::Error => error,
            };
            template::fill(html, &outcome.words(Some(&branding)).values())
        }))
    }

    /// Redirects the browser to `to` when the provider returned a code. `to` is an `https` URL, or one of this machine;
    /// nothing is added to it.
    ///
    /// # Errors
    /// [`PagesError::Redirect`] if [`check_url`](crate::check_url) refuses `to`.
    pub fn success_redirect(mut self, to: &Uri) -> Result<Self, PagesError> {
        self.success = redirect(to)?;
        Ok(self)
    }

    /// Redirects the browser to `to` when the provider or the user refused.
    ///
    /// # Errors
    /// Like [`success_redirect`](Self::success_redirect).
    pub fn error_redirect(mut self, to: &Uri) -> Result<Self, PagesError> {
        self.error = redirect(to)?;
        Ok(self)
    }

    /// Returns the answer to the browser once the response has arrived.
    pub(crate) fn ending(&self, refused: bool) -> &Ending {
        if refused { &self.error } else { &self.success }
    }

    fn of(mut html: impl FnMut(Outcome) -> String) -> Self {
        let mut page = |outcome| Ending::Page(Arc::new(Document::new(html(outcome))));
        Self { success: page(Outcome::Success), error: page(Outcome::Error) }
    }
}

/// The built-in pages, without a name.
impl Default for Pages {
    fn default() -> Self {
        Self::of(|outcome| outcome.page(None))
    }
}

fn redirect(to: &Uri) -> Result<Ending, PagesError> {
    match check_url(to) {
        Ok(()) => Ok(Ending::Redirect(to.to_string().into())),
        Err(BrowserError::Url(why)) => Err(PagesError::Redirect(why)),
        Err(_) => Err(PagesError::Redirect("it cannot be opened")),
    }
}

#[cfg(test)]
mod tests;

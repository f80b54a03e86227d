//! What the browser is shown after a sign-in (S-25, S-26). Nothing of a request is ever in it.

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

/// How the browser is answered when the sign-in page has sent it back: with our pages, with our pages under the
/// application's name, with pages of the application's own, or by sending it on.
///
/// The answer comes before the code is redeemed, so that no page may claim that the user is signed in: *success* means
/// that the provider gave a code, *error* that it or the user refused. Nothing of the request is in any answer, and a
/// request that is not the one that was waited for gets a fixed page, whatever is chosen here.
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

/// One answer to the browser.
#[derive(Clone, Debug)]
pub(crate) enum Ending {
    Page(Arc<Document>),
    /// On to this address (S-26).
    Redirect(Arc<str>),
}

impl Pages {
    /// Our pages with the application's name, and with its colour and logo where it has them.
    pub fn branded(branding: &Branding) -> Self {
        Self::of(|outcome| outcome.page(Some(branding)))
    }

    /// Pages of the application's own: HTML documents that stand by themselves. No script runs in them, only their own
    /// `<style>` elements apply, images are `data:` URIs, and nothing is loaded.
    ///
    /// `{name}` in a document stands for `name`, and `{title}`, `{text}` and `{note}` for our own words, so that one
    /// document can serve as both; each is escaped.
    ///
    /// # Errors
    /// [`PagesError::Template`] when a document is larger than 128 KiB or holds `<script` (S-26), [`PagesError::Name`] as
    /// for [`Branding::new`].
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

    /// Sends the browser on to `to` when the provider gave a code: an `https` address, or one of this machine. Nothing is
    /// added to the address.
    ///
    /// # Errors
    /// [`PagesError::Redirect`] for an address that is neither, or that [`check_url`](crate::check_url) refuses.
    pub fn success_redirect(mut self, to: &Uri) -> Result<Self, PagesError> {
        self.success = redirect(to)?;
        Ok(self)
    }

    /// The same when the user or the provider refused.
    ///
    /// # Errors
    /// As [`success_redirect`](Self::success_redirect).
    pub fn error_redirect(mut self, to: &Uri) -> Result<Self, PagesError> {
        self.error = redirect(to)?;
        Ok(self)
    }

    /// What the browser gets, now that the response is there.
    pub(crate) fn ending(&self, refused: bool) -> &Ending {
        if refused { &self.error } else { &self.success }
    }

    fn of(mut html: impl FnMut(Outcome) -> String) -> Self {
        let mut page = |outcome| Ending::Page(Arc::new(Document::new(html(outcome))));
        Self { success: page(Outcome::Success), error: page(Outcome::Error) }
    }
}

/// Our own pages, without a name.
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

//! A response on its way to the application.

use std::fmt;

use url::Url;

/// How the response reaches the application.
pub(super) enum Delivery {
    /// In the query of the URL.
    Query(Url),
    /// As a form post.
    Form(Url, Vec<(String, String)>),
}

/// The response of a sign-in, not yet delivered to the application; see [`Robot::authorize`](super::Robot::authorize).
///
/// ```no_run
/// # async fn example(authorization_url: &str) -> Result<(), auth_emulator::RobotError> {
/// let redirect = auth_emulator::Robot::new().authorize(authorization_url).await?;
/// for (name, _) in redirect.form().unwrap_or_default() {
///     println!("{} receives {name}", redirect.url());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Redirect {
    url: String,
    form: Option<Vec<(String, String)>>,
}

impl Redirect {
    /// Returns the URL that the browser is sent to, with the response in the query unless there is a form.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the fields of the form that the browser posts there, if any.
    #[must_use]
    pub fn form(&self) -> Option<&[(String, String)]> {
        self.form.as_deref()
    }
}

impl From<Delivery> for Redirect {
    fn from(delivery: Delivery) -> Self {
        match delivery {
            Delivery::Query(url) => Self { url: url.into(), form: None },
            Delivery::Form(url, fields) => Self { url: url.into(), form: Some(fields) },
        }
    }
}

/// Omits the code.
impl fmt::Debug for Redirect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("Redirect").field("address", &address).finish_non_exhaustive()
    }
}

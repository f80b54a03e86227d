//! A robot that plays the user and the browser over real HTTP.

mod address;
mod browser;
mod error;
mod page;
mod redirect;

use browser::{Answer, Browser};
use page::{Button, Form};
use redirect::Delivery;

pub use error::RobotError;
pub use redirect::Redirect;

/// Plays the user: fetches the sign-in page, fills in its forms, and delivers the response to the application's
/// loopback receiver with the headers that a browser sends; or enters the code of another device.
///
/// It connects only to this machine, over plain HTTP; any other URL is an error before a connection is opened.
///
/// ```no_run
/// # async fn example(authorization_url: &str) -> Result<(), auth_emulator::RobotError> {
/// use auth_emulator::Robot;
///
/// let visit = Robot::new().user("grace@contoso.example").visit(authorization_url).await?;
/// assert_eq!(visit.status(), 200);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Robot {
    user: Option<String>,
    refusal: Option<Refusal>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    SignIn,
    Consent,
}

/// Where the provider's pages ended.
enum End {
    /// At a response for the application.
    Left { browser: Browser, titles: Vec<String>, delivery: Delivery },
    /// At the provider.
    Stayed(Visit),
}

/// What the robot has seen; returned by [`Robot::visit`] and [`Robot::enter_code`].
///
/// ```no_run
/// # async fn example(authorization_url: &str) -> Result<(), auth_emulator::RobotError> {
/// let visit = auth_emulator::Robot::new().cancel().visit(authorization_url).await?;
/// assert!(visit.text().contains("not completed"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Visit {
    status: u16,
    text: String,
    titles: Vec<String>,
}

impl Visit {
    /// Returns the HTTP status of the last page: the application's, or the provider's if a device code was entered.
    #[must_use]
    pub fn status(&self) -> u16 {
        self.status
    }

    /// Returns the words on the last page, separated by single spaces.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the titles of all pages in order, including the last one.
    #[must_use]
    pub fn titles(&self) -> &[String] {
        &self.titles
    }
}

impl Robot {
    /// The most pages that a sign-in can take.
    const PAGES: usize = 10;

    /// Creates a robot that chooses the first user and accepts.
    pub fn new() -> Self {
        Self::default()
    }

    /// Chooses the user with this username, ignoring case.
    pub fn user(mut self, username: impl Into<String>) -> Self {
        self.user = Some(username.into());
        self
    }

    /// Presses Cancel on the sign-in page.
    pub fn cancel(mut self) -> Self {
        self.refusal = Some(Refusal::SignIn);
        self
    }

    /// Signs in, then presses Cancel on the consent page.
    pub fn decline_consent(mut self) -> Self {
        self.refusal = Some(Refusal::Consent);
        self
    }

    /// Opens an authorization URL and follows it until the application has its response.
    ///
    /// # Errors
    /// [`RobotError`] if a URL is not on this machine, a request fails, or the robot cannot handle a page.
    pub async fn visit(&self, authorization_url: &str) -> Result<Visit, RobotError> {
        let (browser, mut titles, delivery) = match self.walk(authorization_url, None).await? {
            End::Left { browser, titles, delivery } => (browser, titles, delivery),
            End::Stayed(visit) => return Ok(visit),
        };
        let mut answer = match delivery {
            Delivery::Query(url) => browser.get(&url).await?,
            Delivery::Form(url, fields) => browser.post(&url, &fields).await?,
        };
        // The application may redirect the browser to a URL without the response.
        if let Some(next) = answer.location()? {
            answer = browser.get(&next).await?;
        }
        titles.extend(answer.page.title.take());
        Ok(Visit { status: answer.status, text: answer.page.text, titles })
    }

    /// Like [`visit`](Self::visit), but stops before the application, so that the caller can deliver the response with
    /// what the robot lacks, such as a web application's session cookie.
    ///
    /// ```no_run
    /// # async fn example(authorization_url: &str) -> Result<(), auth_emulator::RobotError> {
    /// use auth_emulator::Robot;
    ///
    /// let redirect = Robot::new().authorize(authorization_url).await?;
    /// assert!(redirect.form().is_none(), "the request had response_mode=query");
    /// # let _ = redirect.url();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RobotError`] if a URL is not on this machine, a request fails, or the robot cannot handle a page.
    pub async fn authorize(&self, authorization_url: &str) -> Result<Redirect, RobotError> {
        match self.walk(authorization_url, None).await? {
            End::Left { delivery, .. } => Ok(delivery.into()),
            End::Stayed(visit) => {
                let title = visit.titles.into_iter().last().unwrap_or_default();
                Err(RobotError::Stuck { status: visit.status, title })
            }
        }
    }

    /// Opens the URL that a device shows, enters its code, and continues to the provider's last page (RFC 8628).
    ///
    /// ```no_run
    /// # async fn example(verification_uri: &str, user_code: &str) -> Result<(), auth_emulator::RobotError> {
    /// use auth_emulator::Robot;
    ///
    /// let visit = Robot::new().decline_consent().enter_code(verification_uri, user_code).await?;
    /// assert_eq!(visit.titles().last().map(String::as_str), Some("Not signed in"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`RobotError`] if a URL is not on this machine, a request fails, or the robot cannot handle a page.
    pub async fn enter_code(&self, verification_uri: &str, user_code: &str) -> Result<Visit, RobotError> {
        match self.walk(verification_uri, Some(user_code)).await? {
            End::Stayed(visit) => Ok(visit),
            End::Left { titles, .. } => {
                Err(RobotError::Stuck { status: 200, title: titles.into_iter().last().unwrap_or_default() })
            }
        }
    }

    /// Follows the provider's pages to their end.
    async fn walk(&self, start: &str, user_code: Option<&str>) -> Result<End, RobotError> {
        let start = address::parse(start)?;
        let browser = Browser::new(start.origin())?;
        let mut titles = Vec::new();
        let mut answer = browser.get(&start).await?;
        for _ in 0..Self::PAGES {
            titles.extend(answer.page.title.take());
            answer = if let Some(next) = answer.location()? {
                if next.origin() != start.origin() {
                    return Ok(End::Left { browser, titles, delivery: Delivery::Query(next) });
                }
                browser.get(&next).await?
            } else {
                let Some(form) = answer.page.form.take() else {
                    // The device polls for its tokens on its own.
                    return if user_code.is_some() && answer.status == 200 {
                        Ok(End::Stayed(Visit { status: answer.status, text: answer.page.text, titles }))
                    } else {
                        Err(stuck(&answer, titles))
                    };
                };
                let target = answer.resolve(&form.action)?;
                if target.origin() != start.origin() {
                    return Ok(End::Left { browser, titles, delivery: Delivery::Form(target, form.fields) });
                }
                let fields = self.fill_in(form, user_code)?;
                browser.post(&target, &fields).await?
            };
        }
        Err(stuck(&answer, titles))
    }

    /// The fields of a form, and the button that the user presses.
    fn fill_in(&self, form: Form, user_code: Option<&str>) -> Result<Vec<(String, String)>, RobotError> {
        let Form { mut fields, buttons, .. } = form;
        let users: Vec<&Button> = buttons.iter().filter(|button| button.name == "user").collect();
        let asked = fields.iter_mut().find(|(name, _)| name == "user_code").map(|(_, value)| value);
        let pressed = if let (Some(field), Some(user_code)) = (asked, user_code) {
            user_code.clone_into(field);
            buttons.iter().find(|button| button.value == "next")
        } else if users.is_empty() {
            let value = if self.refusal.is_some() { "cancel" } else { "accept" };
            buttons.iter().find(|button| button.value == value)
        } else if self.refusal == Some(Refusal::SignIn) {
            buttons.iter().find(|button| button.value == "cancel")
        } else {
            match &self.user {
                None => users.first().copied(),
                Some(name) => {
                    let found = users.into_iter().find(|button| button.shows(name));
                    Some(found.ok_or_else(|| RobotError::UnknownUser(name.clone()))?)
                }
            }
        };
        let pressed = pressed.ok_or(RobotError::NoButton)?;
        fields.push((pressed.name.clone(), pressed.value.clone()));
        Ok(fields)
    }
}

fn stuck(answer: &Answer, titles: Vec<String>) -> RobotError {
    RobotError::Stuck { status: answer.status, title: titles.into_iter().last().unwrap_or_default() }
}

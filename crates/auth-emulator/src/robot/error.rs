//! Why the robot gave up.

/// Why the robot gave up. No variant contains a query, a form or a body.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// use auth_emulator::{Robot, RobotError};
///
/// let refused = Robot::new().visit("https://login.microsoftonline.com/common").await;
/// assert!(matches!(refused, Err(RobotError::NotLoopback(_))));
/// # }
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RobotError {
    /// The URL is not an `http` URL of this machine.
    #[error("the robot visits only http URLs of this machine: {0}")]
    NotLoopback(String),
    /// The text is not a URL.
    #[error("not a URL")]
    Address,
    /// A request got no response.
    #[error("no response from {address}")]
    Http {
        /// The URL of the request, without its query.
        address: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The page is too large for the robot.
    #[error("the page is too large")]
    TooLarge,
    /// The sign-in page does not show this user.
    #[error("the page does not show the user '{0}'")]
    UnknownUser(String),
    /// A form has no button that the robot knows.
    #[error("the form has no button that the robot knows")]
    NoButton,
    /// The robot cannot continue: an error page, or a sign-in with too many pages.
    #[error("the robot is stuck at the page '{title}' (status {status})")]
    Stuck {
        /// The HTTP status of the page.
        status: u16,
        /// The title of the page.
        title: String,
    },
}

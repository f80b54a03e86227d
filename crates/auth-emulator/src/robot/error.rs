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
    /// The address is not `http` on this machine.
    #[error("the robot visits only loopback addresses: {0}")]
    NotLoopback(String),
    /// The text is not an address.
    #[error("not an address")]
    Address,
    /// A request got no response.
    #[error("no answer from {address}")]
    Http {
        /// Where the request went, without query.
        address: String,
        /// What went wrong.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The page is too large for the robot.
    #[error("the page is too large")]
    TooLarge,
    /// The sign-in page shows no such user.
    #[error("the page shows no user '{0}'")]
    UnknownUser(String),
    /// A form has none of the buttons that the robot knows.
    #[error("the form has no button that the robot knows")]
    NoButton,
    /// The page leads nowhere: an error page, or a sign-in that does not end.
    #[error("the robot is stuck at the page '{title}' (status {status})")]
    Stuck {
        /// The HTTP status of the page.
        status: u16,
        /// The title of the page.
        title: String,
    },
}

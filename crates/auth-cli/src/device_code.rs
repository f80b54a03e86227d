//! A sign-in on another device, as the user at the terminal sees it.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use auth::{AuthError, AuthResult, Clock as _, DeviceCode, DeviceCodeRequest, SystemClock, Timestamp};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use tokio::time::{MissedTickBehavior, interval};

use crate::terminal;

const SECOND: Duration = Duration::from_secs(1);
const BLOCKED: &str = "Device codes may be blocked here; with --no-browser you can use a browser of your choice.";

/// Why a sign-in on another device failed.
pub(crate) struct Failed {
    pub(crate) error: AuthError,
    /// Whether a code was shown.
    pub(crate) was_shown: bool,
}

/// The application that a code is for, and the user, if known. Both are shown with it: a code that someone else sent
/// would sign that person in.
pub(crate) struct Intended<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) user: Option<&'a str>,
}

/// Prints the lines in `why` and the code, and waits for the user, showing the time left.
pub(crate) async fn sign_in(
    request: DeviceCodeRequest,
    intended: &Intended<'_>,
    why: &[String],
) -> Result<AuthResult, Failed> {
    let shown = Cell::new(None);
    let show = |code: &DeviceCode| {
        why.iter().for_each(terminal::say);
        instruct(code, intended);
        shown.set(Some(code.expires_on));
    };
    let (mut waiting, mut ticks) = (pin!(request.send(show)), interval(SECOND));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            result = &mut waiting => {
                if shown.get().is_some() {
                    terminal::say_in_place("");
                }
                return result.map_err(|error| {
                    if is_blocked(&error) {
                        terminal::say(BLOCKED);
                    }
                    Failed { error, was_shown: shown.get().is_some() }
                });
            }
            _ = ticks.tick() => if let Some(expires_on) = shown.get() {
                terminal::say_in_place(left(expires_on, SystemClock.now()));
            },
        }
    }
}

/// Tells the user what to do. The code is set apart so that it is not misread: spaced on a screen, plain for copying
/// otherwise.
fn instruct(code: &DeviceCode, intended: &Intended<'_>) {
    let Intended { client_id, user } = intended;
    let user = user.map(|user| format!(" as {user}")).unwrap_or_default();
    terminal::say(format_args!(
        "To sign in{user} to the application {client_id}, open this address in a browser on any device:\n  {}\n\
         and enter this code, but only if you started this sign-in yourself:\n",
        code.verification_uri
    ));
    if terminal::messages_are_on_screen() {
        let spaced: Vec<_> = code.user_code.chars().map(String::from).collect();
        terminal::say_bold(format_args!("    {}", spaced.join(" ")));
        terminal::say("");
        let uri = code.verification_uri_complete.as_ref().unwrap_or(&code.verification_uri);
        qr_code(&uri.to_string()).into_iter().for_each(terminal::say);
    } else {
        terminal::say(format_args!("    {}\n", code.user_code));
    }
}

/// Whether the tenant may forbid sign-in on another device, as Conditional Access can.
fn is_blocked(error: &AuthError) -> bool {
    /// `CmsiInterrupt`, `BlockedByConditionalAccess`, and the block of device codes.
    const AADSTS: [u64; 3] = [50_199, 53_003, 530_036];
    let AuthError::Server(server) = error else { return false };
    server.error == "access_denied" || server.error_codes.iter().any(|code| AADSTS.contains(code))
}

/// Returns the URL as a QR code, if it fits into one.
fn qr_code(address: &str) -> Option<String> {
    Some(QrCode::new(address).ok()?.render::<Dense1x2>().build())
}

/// Returns the line with the time left, in minutes and seconds.
fn left(expires_on: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_until(expires_on).as_secs();
    format!("Waiting for you to sign in; the code expires in {}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left_in_minutes_and_seconds() {
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        for (seconds, text) in [(900, "15:00"), (61, "1:01"), (0, "0:00")] {
            assert!(left(now.saturating_add(Duration::from_secs(seconds)), now).contains(text), "{text}");
        }
        assert!(left(now, now.saturating_add(SECOND)).contains("0:00"));
    }

    #[test]
    fn a_url_becomes_a_qr_code() {
        let code = qr_code("https://microsoft.com/devicelogin").unwrap_or_default();
        assert!(code.lines().count() > 10 && code.contains('█'), "{code}");
        assert_eq!(qr_code(&"x".repeat(10_000)), None);
    }
}

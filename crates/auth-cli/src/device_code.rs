//! A sign-in on another device, as the person at the terminal sees it.

use std::cell::Cell;
use std::pin::pin;
use std::time::Duration;

use auth::{AuthError, AuthResult, Clock as _, DeviceCode, DeviceCodeRequest, SystemClock, Timestamp};
use qrcode::QrCode;
use qrcode::render::unicode::Dense1x2;
use tokio::time::{MissedTickBehavior, interval};

use crate::terminal;

const SECOND: Duration = Duration::from_secs(1);

/// Why nobody signed in.
pub(crate) struct Failed {
    pub(crate) error: AuthError,
    /// Whether there was a code to show.
    pub(crate) was_shown: bool,
}

/// For which application a code is, and for whom, where that is known. Both stand beside it: a code that somebody else sent
/// would sign that person in.
pub(crate) struct Intended<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) user: Option<&'a str>,
}

/// Shows the code, after the lines that say why, and waits for the user, telling how much time is left.
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
                        terminal::say("Device codes may not be allowed here; --no-browser takes a browser of your choice.");
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

/// Says what to do, with the code set apart so that nobody misreads it: on a screen large, and plain for whoever copies it.
fn instruct(code: &DeviceCode, intended: &Intended<'_>) {
    let Intended { client_id, user } = intended;
    let user = user.map(|user| format!(" as {user}")).unwrap_or_default();
    terminal::say(format_args!(
        "To sign in{user} for the application {client_id}, open this address on any device with a browser:\n  {}\n\
         and enter this code, if it was you who asked for it:\n",
        code.verification_uri
    ));
    if terminal::messages_are_on_screen() {
        let spaced: Vec<_> = code.user_code.chars().map(String::from).collect();
        terminal::say_bold(format_args!("    {}", spaced.join(" ")));
        terminal::say("");
        let uri = code.verification_uri_complete.as_ref().unwrap_or(&code.verification_uri);
        picture_of(&uri.to_string()).into_iter().for_each(terminal::say);
    } else {
        terminal::say(format_args!("    {}\n", code.user_code));
    }
}

/// Whether it may be that the tenant lets nobody sign in on another device, as Conditional Access can have it.
fn is_blocked(error: &AuthError) -> bool {
    /// `CmsiInterrupt`, `BlockedByConditionalAccess`, and the block of this kind of sign-in.
    const AADSTS: [u64; 3] = [50_199, 53_003, 530_036];
    let AuthError::Server(server) = error else { return false };
    server.error == "access_denied" || server.error_codes.iter().any(|code| AADSTS.contains(code))
}

/// The address as a QR code, if it fits into one.
fn picture_of(address: &str) -> Option<String> {
    Some(QrCode::new(address).ok()?.render::<Dense1x2>().build())
}

/// How long the code is good, in minutes and seconds.
fn left(expires_on: Timestamp, now: Timestamp) -> String {
    let seconds = now.duration_until(expires_on).as_secs();
    format!("Waiting for you; the code is good for {}:{:02} more", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_left() {
        let now = Timestamp::from_unix_seconds(1_700_000_000);
        for (seconds, text) in [(900, "15:00"), (61, "1:01"), (0, "0:00")] {
            assert!(left(now.saturating_add(Duration::from_secs(seconds)), now).contains(text), "{text}");
        }
        assert!(left(now, now.saturating_add(SECOND)).contains("0:00"));
    }

    #[test]
    fn an_address_becomes_a_picture() {
        let picture = picture_of("https://microsoft.com/devicelogin").unwrap_or_default();
        assert!(picture.lines().count() > 10 && picture.contains('█'), "{picture}");
        assert_eq!(picture_of(&"x".repeat(10_000)), None);
    }
}

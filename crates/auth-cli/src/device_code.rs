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

/// Shows the code, after the lines that say why, and waits for the user, telling how much time is left.
pub(crate) async fn sign_in(request: DeviceCodeRequest, client_id: &str, why: &[String]) -> Result<AuthResult, Failed> {
    let on_screen = terminal::messages_are_on_screen();
    let shown = Cell::new(None);
    let show = |code: &DeviceCode| {
        why.iter().for_each(terminal::say);
        terminal::say(instructions(code, client_id, on_screen));
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
                return result.map_err(|error| Failed { error, was_shown: shown.get().is_some() });
            }
            _ = ticks.tick() => if let Some(expires_on) = shown.get() {
                terminal::say_in_place(left(expires_on, SystemClock.now()));
            },
        }
    }
}

/// What to do, with the code set apart so that nobody misreads it. For whom it is stands beside it: a code that somebody
/// else sent would sign that person in.
fn instructions(code: &DeviceCode, client_id: &str, picture: bool) -> String {
    let uri = code.verification_uri_complete.as_ref().unwrap_or(&code.verification_uri);
    let picture = if picture { picture_of(&uri.to_string()) } else { None };
    let spaced: Vec<_> = code.user_code.chars().map(String::from).collect();
    let mut lines = vec![
        format!("To sign in for the application {client_id}, open this address on any device with a browser:"),
        format!("  {}", code.verification_uri),
        "and enter this code, if it was you who asked for it:".to_owned(),
        String::new(),
        format!("    {}", spaced.join(" ")),
        String::new(),
    ];
    lines.extend(picture);
    lines.join("\n")
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

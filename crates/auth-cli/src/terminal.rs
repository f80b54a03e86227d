//! Messages for the person at the terminal: on stderr, coloured only where that is a terminal.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use auth_core::text::stripped;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// What the log shows unless `AUTH_LOG` says otherwise.
const DEFAULT_LOG: &str = "error,auth=warn,auth_cache=warn,auth_core=warn,auth_http=warn,auth_interactive=warn";

/// Sends the library's events to stderr.
pub(crate) fn init_log() {
    let filter = EnvFilter::try_from_env("AUTH_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colours of the log would take another crate, and asking for them without it is an error at a terminal.
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .init();
}

/// Says something on stderr.
pub(crate) fn say(message: impl Display) {
    // Nobody is left to tell when stderr is closed.
    drop(writeln!(anstream::stderr(), "{}", plain(&message)));
}

/// Says one line on stderr, in bold where that is a terminal.
pub(crate) fn say_bold(message: impl Display) {
    drop(writeln!(anstream::stderr(), "\x1b[1m{}\x1b[0m", plain(&message)));
}

/// Says one line in place of the last that was said so, where stderr is a terminal; an empty one takes it away.
pub(crate) fn say_in_place(message: impl Display) {
    if messages_are_on_screen() {
        // To the start of the line, and clear to its end.
        let mut stderr = anstream::stderr();
        drop(write!(stderr, "\r\x1b[K{}", plain(&message)).and_then(|()| stderr.flush()));
    }
}

/// Whether messages go to a person's screen.
pub(crate) fn messages_are_on_screen() -> bool {
    std::io::stderr().is_terminal()
}

/// Writes one line of the result to stdout.
pub(crate) fn result(line: impl Display) {
    styled(plain(&line));
}

/// Writes one line of JSON to stdout.
pub(crate) fn json(value: &impl Serialize) {
    // Structs of texts and numbers cannot fail to serialize.
    let json = serde_json::to_string(value).unwrap_or_default();
    // Outside of texts there is nothing but ASCII, so whatever is escaped stays what it was.
    let escaped = json.chars().fold(String::with_capacity(json.len()), |mut escaped, c| {
        if is_plain(c) {
            escaped.push(c);
        } else {
            let mut units = [0; 2];
            escaped.extend(c.encode_utf16(&mut units).iter().map(|unit| format!("\\u{unit:04x}")));
        }
        escaped
    });
    styled(escaped);
}

/// Writes one line to stdout that holds nothing but our own words, and styles where that is a terminal.
pub(crate) fn styled(line: impl Display) {
    // A reader that has seen enough closes the pipe; that is no failure.
    drop(writeln!(anstream::stdout(), "{line}"));
}

/// Without what steers a terminal: names and messages are chosen by others (S-116).
fn plain(message: &impl Display) -> String {
    message.to_string().chars().filter(|c| *c == '\n' || is_plain(*c)).collect()
}

fn is_plain(c: char) -> bool {
    !stripped(c.encode_utf8(&mut [0; 4]), 4).is_empty()
}

/// Whether the result goes to a person's screen.
pub(crate) fn result_is_on_screen() -> bool {
    std::io::stdout().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s116_nothing_steers_the_terminal() {
        assert_eq!(plain(&"a\u{1b}[31m\r\u{9b}b\nc\u{202e}d █"), "a[31mb\ncd █");
    }
}

//! Messages on stderr and results on stdout, styled only on a terminal.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

use auth_core::text::stripped;
use serde::Serialize;
use tracing_subscriber::EnvFilter;

/// What is logged, unless `AUTH_LOG` says otherwise.
const DEFAULT_LOG: &str = "error,auth=warn,auth_cache=warn,auth_core=warn,auth_http=warn,auth_interactive=warn";

/// Sends the library's events to stderr.
pub(crate) fn init_log() {
    let filter = EnvFilter::try_from_env("AUTH_LOG").unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Colours of the log would need another crate; without it, asking for them is an error at a terminal.
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .init();
}

/// Prints a message to stderr.
pub(crate) fn say(message: impl Display) {
    // If stderr is closed, no one is left to tell.
    drop(writeln!(anstream::stderr(), "{}", plain(&message)));
}

/// Prints the text of an error to stderr as a sentence.
pub(crate) fn say_sentence(error: impl Display) {
    say(sentence(error));
}

/// Returns the text of an error as a sentence.
pub(crate) fn sentence(error: impl Display) -> String {
    let text = error.to_string();
    let mut rest = text.chars();
    let first = rest.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(rest).chain(['.']).collect()
}

/// Prints a line to stderr, in bold on a terminal.
pub(crate) fn say_bold(message: impl Display) {
    drop(writeln!(anstream::stderr(), "\x1b[1m{}\x1b[0m", plain(&message)));
}

/// Prints a line to stderr that replaces the last one printed this way, if stderr is a terminal; an empty line erases
/// it.
pub(crate) fn say_in_place(message: impl Display) {
    if messages_are_on_screen() {
        // To the start of the line, and clear to its end.
        let mut stderr = anstream::stderr();
        drop(write!(stderr, "\r\x1b[K{}", plain(&message)).and_then(|()| stderr.flush()));
    }
}

/// Whether stderr is a terminal.
pub(crate) fn messages_are_on_screen() -> bool {
    std::io::stderr().is_terminal()
}

/// Prints a line of the result to stdout.
pub(crate) fn result(line: impl Display) {
    styled(plain(&line));
}

/// Prints a line of JSON to stdout.
pub(crate) fn json(value: &impl Serialize) {
    // Structs of strings and numbers always serialize.
    let json = serde_json::to_string(value).unwrap_or_default();
    // Outside its strings JSON is ASCII, so these escapes do not change its meaning.
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

/// Prints a line to stdout, styled on a terminal. Foreign text in it must have been filtered.
pub(crate) fn styled(line: impl Display) {
    // A reader that has seen enough closes the pipe, which is not a failure.
    drop(writeln!(anstream::stdout(), "{line}"));
}

/// Removes what could control a terminal: names and messages are chosen by others (S-116).
fn plain(message: &impl Display) -> String {
    message.to_string().chars().filter(|c| *c == '\n' || is_plain(*c)).collect()
}

fn is_plain(c: char) -> bool {
    !stripped(c.encode_utf8(&mut [0; 4]), 4).is_empty()
}

/// Whether stdout is a terminal.
pub(crate) fn result_is_on_screen() -> bool {
    std::io::stdout().is_terminal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_becomes_a_sentence() {
        assert_eq!(sentence("no token was found; sign in"), "No token was found; sign in.");
        assert_eq!(sentence("BROWSER names no command"), "BROWSER names no command.");
    }

    #[test]
    fn s116_nothing_controls_the_terminal() {
        assert_eq!(plain(&"a\u{1b}[31m\r\u{9b}b\nc\u{202e}d █"), "a[31mb\ncd █");
    }
}

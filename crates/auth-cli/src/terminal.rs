//! Messages for the person at the terminal: on stderr, coloured only where that is a terminal.

use std::fmt::Display;
use std::io::{IsTerminal as _, Write as _};

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

/// Says one line on stderr.
pub(crate) fn say(message: impl Display) {
    // Nobody is left to tell when stderr is closed.
    drop(writeln!(anstream::stderr(), "{message}"));
}

/// Says one line in place of the last that was said so, where stderr is a terminal; an empty one takes it away.
pub(crate) fn say_in_place(message: impl Display) {
    if messages_are_on_screen() {
        // To the start of the line, and clear to its end.
        let mut stderr = anstream::stderr();
        drop(write!(stderr, "\r\x1b[K{message}").and_then(|()| stderr.flush()));
    }
}

/// Whether messages go to a person's screen.
pub(crate) fn messages_are_on_screen() -> bool {
    std::io::stderr().is_terminal()
}

/// Writes one line of the result to stdout.
pub(crate) fn result(line: impl Display) {
    // A reader that has seen enough closes the pipe; that is no failure.
    drop(writeln!(anstream::stdout(), "{line}"));
}

/// Whether the result goes to a person's screen.
pub(crate) fn result_is_on_screen() -> bool {
    std::io::stdout().is_terminal()
}

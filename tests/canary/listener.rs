//! Collects everything that this process logs, at the most detailed level.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock};

use tracing_subscriber::fmt::format::FmtSpan;

/// The log. Clones share it.
#[derive(Clone, Default)]
pub(crate) struct Listener(Arc<Mutex<Vec<u8>>>);

impl Listener {
    /// Returns the listener of this process, which starts with the first call.
    pub(crate) fn to_this_process() -> &'static Self {
        static LISTENER: OnceLock<Listener> = OnceLock::new();
        LISTENER.get_or_init(|| {
            let listener = Self::default();
            let writer = listener.clone();
            let subscriber = tracing_subscriber::fmt()
                .with_max_level(tracing::Level::TRACE)
                .with_span_events(FmtSpan::FULL)
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .finish();
            tracing::subscriber::set_global_default(subscriber).unwrap();
            log::set_boxed_logger(Box::new(listener.clone())).unwrap();
            log::set_max_level(log::LevelFilter::Trace);
            listener
        })
    }

    /// Returns the log so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Listener {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl log::Log for Listener {
    fn enabled(&self, _: &log::Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &log::Record<'_>) {
        // The robot parses its pages with these; a user's browser is another process.
        if ["html5ever", "selectors"].iter().any(|reader| record.target().starts_with(reader)) {
            return;
        }
        let line = format!("{} {}: {}\n", record.level(), record.target(), record.args());
        self.0.lock().unwrap().extend_from_slice(line.as_bytes());
    }

    fn flush(&self) {}
}

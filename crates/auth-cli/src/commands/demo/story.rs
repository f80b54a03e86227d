//! Prints the demo to stdout, styled on a terminal.

use std::cell::Cell;
use std::fmt::Display;

use crate::terminal;

const BOLD: &str = "\x1b[1m";
const GREEN: &str = "\x1b[32m";
const DIM: &str = "\x1b[2m";
const PLAIN: &str = "\x1b[0m";

/// Counts the steps and prints them.
pub(super) struct Story {
    steps: Cell<u32>,
}

impl Story {
    pub(super) fn new() -> Self {
        Self { steps: Cell::new(0) }
    }

    pub(super) fn title(&self, title: &str, text: impl Display) {
        terminal::styled(format_args!("\n{BOLD}{title}{PLAIN}  {text}"));
    }

    pub(super) fn step(&self, text: &str) {
        let number = self.steps.get().saturating_add(1);
        self.steps.set(number);
        terminal::styled(format_args!("\n{BOLD}{number}. {text}{PLAIN}"));
    }

    pub(super) fn note(&self, text: impl Display) {
        terminal::styled(format_args!("   {DIM}{text}{PLAIN}"));
    }

    pub(super) fn done(&self, text: impl Display) {
        terminal::styled(format_args!("   {GREEN}✓{PLAIN} {text}"));
    }
}

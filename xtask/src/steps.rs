//! A task in steps, each announced and timed; the first failure ends the task.

use std::time::{Duration, Instant};

use crate::failure::{Failure, Result};

pub(crate) struct Steps {
    chore: &'static str,
    total: usize,
    done: usize,
    started: Instant,
}

impl Steps {
    pub(crate) fn new(chore: &'static str, total: usize) -> Self {
        Self { chore, total, done: 0, started: Instant::now() }
    }

    /// Runs one step. A failure names the step, so that the last line of output says where to look.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        eprintln!("\n==> [{}/{}] {name}", self.done, self.total);
        let started = Instant::now();
        let result = work();
        let took = seconds(started.elapsed());
        match &result {
            Ok(_) => eprintln!("    {name}: done in {took}"),
            Err(_) => eprintln!("    {name}: failed after {took}"),
        }
        result.map_err(|failure| Failure::new(format!("{}: step \"{name}\" failed: {failure}", self.chore)))
    }

    pub(crate) fn finish(self) {
        eprintln!(
            "\ncargo xtask {}: all {} steps passed in {}",
            self.chore,
            self.done,
            seconds(self.started.elapsed())
        );
    }
}

fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_the_chore_and_the_step() {
        let failed = Steps::new("test", 2).step::<()>("format", || Err(Failure::new("not formatted")));
        assert_eq!(failed.unwrap_err().to_string(), "test: step \"format\" failed: not formatted");
    }
}

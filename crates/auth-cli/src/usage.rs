//! Parses the command line, and reports what is wrong with it.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser as _;
use clap::error::ErrorKind;

use crate::args::{Args, Output};
use crate::failure::Failure;

impl Args {
    /// Parses the command line of this process.
    pub(crate) fn read() -> Result<Self, Early> {
        let words: Vec<OsString> = std::env::args_os().collect();
        Self::try_parse_from(&words).map_err(|error| Early::of(error, &words))
    }
}

/// Why the program ends before it runs a command: a request for help, or wrong usage.
#[derive(Debug)]
pub(crate) enum Early {
    Help(clap::Error),
    Wrong(Failure, Output),
}

impl Early {
    fn of(error: clap::Error, words: &[OsString]) -> Self {
        match error.kind() {
            ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Self::Help(error),
            _ => {
                let pairs = words.iter().zip(words.iter().skip(1));
                let split = pairs.into_iter().any(|(name, value)| name == "--output" && value == "json");
                let json = split || words.iter().any(|word| word == "--output=json");
                Self::Wrong(Failure::usage(&one_line(&error)), if json { Output::Json } else { Output::Text })
            }
        }
    }

    pub(crate) fn finish(self) -> ExitCode {
        match self {
            Self::Help(help) => match help.print() {
                Ok(()) => ExitCode::SUCCESS,
                Err(_) => ExitCode::FAILURE,
            },
            Self::Wrong(failure, output) => failure.report(output),
        }
    }
}

/// Shortens the explanation of clap to one line: its first paragraph names the problem.
fn one_line(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let paragraph = text.split("\n\n").next().unwrap_or_default();
    let line = paragraph.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = line.strip_prefix("error: ").unwrap_or(&line);
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return "no command was given; see auth --help".to_owned();
    }
    format!("{line}; see auth --help")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_errors_are_one_line_that_names_the_problem() {
        for (line, named) in [
            ("auth", "no command"),
            ("auth frobnicate", "frobnicate"),
            ("auth token --scope s", "--client-id"),
            ("auth token --client-id c", "--scope"),
            ("auth token --client-id c --scope s --frob", "--frob"),
            ("auth token --client-id c --scope s --timeout 0", "--timeout"),
            ("auth token --client-id c --scope s --prompt x", "--prompt"),
            ("auth token --client-id c --scope s --output yaml", "yaml"),
            ("auth token --client-id c --scope s --silent --interactive", "--interactive"),
            ("auth token --client-id c --scope s --no-browser --device-code", "--device-code"),
            ("auth token --client-id c --scope s --tenant t --authority u", "--tenant"),
            ("auth token --client-id c --scope s --no-cache --cache-file f", "--cache-file"),
            ("auth logout --client-id c", "--account"),
            ("auth logout --client-id c --all --account a", "--all"),
            ("auth cache", "no command"),
            ("auth cache path", "--client-id"),
            ("auth cache inspect --cache-file f --output token", "token"),
            ("auth cache migrate --client-id c", "--to"),
            ("auth cache migrate --to plain", "--client-id"),
            ("auth accounts --client-id c --cache-file f --allow-plaintext-fallback", "--allow-plaintext-fallback"),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let text = one_line(&Args::try_parse_from(words).unwrap_err());
            assert!(text.contains(named) && !text.contains('\n'), "{line}: {text}");
        }
    }
}

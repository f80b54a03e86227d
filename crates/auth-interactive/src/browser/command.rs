//! Parses `BROWSER`. It is split into words before the URL is inserted, so that the URL is always one argument (S-33).

use crate::error::BrowserError;

/// Separates alternatives, as in `PATH`.
const SEPARATOR: char = if cfg!(windows) { ';' } else { ':' };

/// One browser command.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BrowserCommand {
    pub(super) program: String,
    /// The arguments, before the URL is inserted.
    arguments: Vec<String>,
}

impl BrowserCommand {
    /// Parses the commands, in the order in which they are tried. Words are separated by white space; single and double
    /// quotes hold a word together. Nothing else is special, because no shell is involved.
    pub(super) fn parse_list(setting: &str) -> Result<Vec<Self>, BrowserError> {
        let mut commands = Vec::new();
        let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
        for c in setting.chars() {
            match (quote, c) {
                (Some(open), _) if c == open => quote = None,
                (None, '"' | '\'') => {
                    quote = Some(c);
                    word.get_or_insert_default();
                }
                (None, _) if c == SEPARATOR => {
                    words.extend(word.take());
                    commands.extend(Self::from_words(words.drain(..)));
                }
                (None, _) if c.is_whitespace() => words.extend(word.take()),
                _ => word.get_or_insert_default().push(c),
            }
        }
        if quote.is_some() {
            return Err(BrowserError::Setting("it has an unclosed quote"));
        }
        words.extend(word);
        commands.extend(Self::from_words(words.into_iter()));
        if commands.is_empty() { Err(BrowserError::Setting("it names no command")) } else { Ok(commands) }
    }

    pub(super) fn from_words(mut words: impl Iterator<Item = String>) -> Option<Self> {
        let program = words.next().filter(|program| !program.is_empty())?;
        Some(Self { program, arguments: words.collect() })
    }

    /// Returns the arguments with `%s` replaced by `url`, `%c` by a colon and `%%` by a percent sign. Without a `%s`,
    /// the URL is appended.
    pub(super) fn arguments(&self, url: &str) -> Vec<String> {
        let mut placed = false;
        let mut arguments: Vec<String> = Vec::with_capacity(self.arguments.len().saturating_add(1));
        for template in &self.arguments {
            let mut argument = String::new();
            let mut rest = template.chars();
            while let Some(c) = rest.next() {
                let code = if c == '%' { rest.clone().next() } else { None };
                match code {
                    Some('s') => {
                        argument.push_str(url);
                        placed = true;
                    }
                    Some('c') => argument.push(':'),
                    Some('%') => argument.push('%'),
                    Some(_) | None => {
                        argument.push(c);
                        continue;
                    }
                }
                rest.next();
            }
            arguments.push(argument);
        }
        if !placed {
            arguments.push(url.to_owned());
        }
        arguments
    }
}

#[cfg(test)]
#[cfg(not(windows))]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const URL: &str = "https://a.example/?x=1&y=%20%s#z;";

    fn spread(setting: &str) -> Vec<Vec<String>> {
        let commands = BrowserCommand::parse_list(setting).unwrap();
        let spread = |command: &BrowserCommand| {
            std::iter::once(command.program.clone()).chain(command.arguments(URL)).collect::<Vec<_>>()
        };
        commands.iter().map(spread).collect()
    }

    #[test]
    fn s33_the_setting_is_split_before_the_url_is_inserted() {
        assert_eq!(spread("firefox"), [vec!["firefox", URL]]);
        assert_eq!(spread("  a  -x %s\t-y "), [vec!["a", "-x", URL, "-y"]]);
        assert_eq!(spread("a --app=%s"), [vec!["a", &format!("--app={URL}")]]);
        assert_eq!(spread("a:b %s:"), [vec!["a", URL], vec!["b", URL]]);
        assert_eq!(spread("'/opt/my browser/run' \"%s\""), [vec!["/opt/my browser/run", URL]]);
        assert_eq!(spread("a '' 'b:c' %c %% 100%"), [vec!["a", "", "b:c", ":", "%", "100%", URL]]);
        assert_eq!(spread("a $(id) `id` | x > y"), [vec!["a", "$(id)", "`id`", "|", "x", ">", "y", URL]]);
    }

    proptest! {
        /// P-15: whatever `BROWSER` says, the URL is within one argument, and never the program.
        #[test]
        fn p15_the_url_is_never_split(setting in any::<String>()) {
            for command in BrowserCommand::parse_list(&setting).unwrap_or_default() {
                let arguments = command.arguments(URL);
                prop_assert!(arguments.iter().any(|argument| argument.contains(URL)));
                prop_assert!(!command.program.contains(URL) && arguments.len() <= command.arguments.len() + 1);
            }
        }
    }

    #[test]
    fn a_setting_without_a_valid_command_is_an_error() {
        for setting in ["", " ", ":", "'a", "a \"b", "''"] {
            assert!(matches!(BrowserCommand::parse_list(setting), Err(BrowserError::Setting(_))), "{setting:?}");
        }
    }
}

//! Chooses the command that shows a page: a pure function of the [`Environment`] (S-32…S-34).

use super::command::BrowserCommand;
use super::environment::{Desktop, Environment};
use crate::error::BrowserError;

/// The commands of Linux desktops, in search order.
const XDG: [&[&str]; 8] = [
    &["xdg-open"],
    &["gio", "open"],
    &["kde-open"],
    &["x-www-browser"],
    &["firefox"],
    &["chromium"],
    &["google-chrome"],
    &["microsoft-edge"],
];
/// The commands that open a page on the Windows host. The second is not a shell: it takes the URL as it is.
const WSL: [&[&str]; 2] = [&["wslview"], &["/mnt/c/Windows/System32/rundll32.exe", "url.dll,FileProtocolHandler"]];
const MACOS: [&[&str]; 1] = [&["/usr/bin/open"]];

/// How a page is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Opener {
    /// With the first command of `BROWSER` that works.
    Setting(Vec<BrowserCommand>),
    /// With the first of these commands that is installed.
    Desktop(Vec<BrowserCommand>),
    /// With `ShellExecuteW` of Windows.
    ShellExecute,
}

impl Environment {
    pub(super) fn opener(&self) -> Result<Opener, BrowserError> {
        if let Some(setting) = &self.browser {
            return Ok(Opener::Setting(BrowserCommand::parse_list(setting)?));
        }
        if self.sudo {
            return Err(BrowserError::Sudo);
        }
        if let Some(reason) = self.headless() {
            return Err(BrowserError::Headless(reason));
        }
        let windows_first = WSL.iter().chain(&XDG);
        Ok(match self.desktop {
            Desktop::Windows => Opener::ShellExecute,
            Desktop::MacOs => Opener::Desktop(commands(&MACOS)),
            Desktop::Wsl => Opener::Desktop(commands(windows_first)),
            Desktop::Xdg => Opener::Desktop(commands(&XDG)),
        })
    }
}

fn commands<'a>(list: impl IntoIterator<Item = &'a &'static [&'static str]>) -> Vec<BrowserCommand> {
    list.into_iter().filter_map(|words| BrowserCommand::from_words(words.iter().copied().map(str::to_owned))).collect()
}

#[cfg(test)]
#[cfg(not(windows))]
mod tests {
    use super::*;
    use crate::error::Headless;

    /// An environment described in words: variables that are set, `container`, and a desktop other than that of Linux.
    fn environment(words: &str) -> Environment {
        let mut environment = Environment::default();
        for word in words.split_whitespace() {
            match word.split_once('=').unwrap_or((word, "1")) {
                ("BROWSER", setting) => environment.browser = Some(setting.to_owned()),
                ("SUDO_USER", _) => environment.sudo = true,
                ("WAYLAND_DISPLAY", _) => environment.wayland = true,
                ("DISPLAY", display) => environment.display = Some(display.to_owned()),
                ("SSH", _) => environment.ssh = true,
                ("container", _) => environment.container = true,
                ("wsl", _) => environment.desktop = Desktop::Wsl,
                ("macos", _) => environment.desktop = Desktop::MacOs,
                ("windows", _) => environment.desktop = Desktop::Windows,
                (other, _) => unreachable!("{other}"),
            }
        }
        environment
    }

    /// The decision in a word: the program that is looked for first, or why there is none.
    fn decision(words: &str) -> String {
        match environment(words).opener() {
            Ok(Opener::Setting(commands)) => format!("BROWSER {}", commands[0].program),
            Ok(Opener::Desktop(commands)) => commands[0].program.clone(),
            Ok(Opener::ShellExecute) => "ShellExecute".to_owned(),
            Err(BrowserError::Sudo) => "sudo".to_owned(),
            Err(BrowserError::Headless(Headless::NoDisplay)) => "no display".to_owned(),
            Err(BrowserError::Headless(Headless::Ssh)) => "ssh".to_owned(),
            Err(BrowserError::Headless(Headless::Container)) => "container".to_owned(),
            Err(other) => unreachable!("{other}"),
        }
    }

    #[test]
    fn s32_to_s34_the_environment_decides_the_opener() {
        for (words, expected) in [
            ("", "no display"),
            ("DISPLAY=:0", "xdg-open"),
            ("WAYLAND_DISPLAY", "xdg-open"),
            ("BROWSER=w3m", "BROWSER w3m"),
            // BROWSER wins over everything.
            ("BROWSER=w3m SUDO_USER SSH container", "BROWSER w3m"),
            ("BROWSER=w3m windows", "BROWSER w3m"),
            ("SUDO_USER DISPLAY=:0", "sudo"),
            ("SUDO_USER", "sudo"),
            ("SUDO_USER macos", "sudo"),
            // Over SSH, the user does not see the display of this machine.
            ("SSH", "ssh"),
            ("SSH DISPLAY=:0", "ssh"),
            ("SSH DISPLAY=localhost:10.0", "xdg-open"),
            ("SSH WAYLAND_DISPLAY", "xdg-open"),
            ("SSH macos", "ssh"),
            ("SSH windows", "ssh"),
            ("SSH wsl", "ssh"),
            ("container", "container"),
            ("container DISPLAY=:0", "container"),
            ("container wsl", "container"),
            ("wsl", "wslview"),
            ("wsl DISPLAY=:0", "wslview"),
            ("macos", "/usr/bin/open"),
            ("windows", "ShellExecute"),
        ] {
            assert_eq!(decision(words), expected, "{words}");
            assert_eq!(environment(words).check().is_ok(), environment(words).opener().is_ok());
        }
    }

    #[test]
    fn under_wsl_windows_gets_the_url_as_one_argument() {
        let Ok(Opener::Desktop(commands)) = environment("wsl").opener() else { unreachable!() };
        let programs: Vec<_> = commands.iter().map(|command| command.program.as_str()).collect();
        assert_eq!(programs[1..3], ["/mnt/c/Windows/System32/rundll32.exe", "xdg-open"]);
        let url = "https://idp.example/?a=1&b=2";
        assert_eq!(commands[1].arguments(url), ["url.dll,FileProtocolHandler", url]);
    }

    #[test]
    fn a_malformed_browser_variable_is_an_error() {
        let mut environment = environment("DISPLAY=:0");
        environment.browser = Some("'unclosed".to_owned());
        assert!(matches!(environment.check(), Err(BrowserError::Setting(_))));
    }
}

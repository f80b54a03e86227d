//! What the surroundings say about browsers.

use std::env;

/// What [`SystemBrowser`](crate::SystemBrowser) asks of its surroundings, as data.
///
/// ```
/// use auth_interactive::Environment;
///
/// let mut environment = Environment::default();
/// environment.browser = Some("firefox --new-tab %s".to_owned());
/// assert!(!environment.graphical);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// `BROWSER`: commands separated by `:` (`;` on Windows). It wins over everything else.
    pub browser: Option<String>,
    /// Whether `SUDO_USER` is set: the program runs for another user than the one at the screen.
    pub sudo: bool,
    /// Whether a window can appear: always on Windows and macOS, elsewhere with `DISPLAY`, `WAYLAND_DISPLAY`, or under
    /// WSL, where the browser is that of Windows.
    pub graphical: bool,
}

impl Environment {
    /// Reads the variables of this process. An empty one counts as not set.
    #[must_use]
    pub fn from_process() -> Self {
        let is_set = |name| env::var_os(name).is_some_and(|value| !value.is_empty());
        let desktop = cfg!(any(windows, target_os = "macos"));
        let wsl = ["WSL_DISTRO_NAME", "WSL_INTEROP"];
        Self {
            // Text that is not Unicode becomes a command that cannot be started, which is told and not passed over.
            browser: env::var_os("BROWSER")
                .map(|value| value.to_string_lossy().into_owned())
                .filter(|value| !value.trim().is_empty()),
            sudo: is_set("SUDO_USER"),
            graphical: desktop || ["DISPLAY", "WAYLAND_DISPLAY"].into_iter().chain(wsl).any(is_set),
        }
    }
}

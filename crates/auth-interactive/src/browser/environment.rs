//! What the environment of the process says about browsers.

use std::ffi::OsString;
use std::path::Path;
use std::{env, fs};

use crate::error::{BrowserError, Headless};

/// What [`SystemBrowser`](crate::SystemBrowser) needs to know about its environment, as data.
///
/// ```
/// use auth_interactive::{BrowserError, Environment};
///
/// let mut environment = Environment::default();
/// assert!(matches!(environment.check(), Err(BrowserError::Headless(_))));
/// environment.browser = Some("firefox --new-tab %s".to_owned());
/// assert!(environment.check().is_ok());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Environment {
    /// `BROWSER`: commands separated by `:` (`;` on Windows). It takes precedence over everything else.
    pub browser: Option<String>,
    /// Whether `SUDO_USER` is set: the program runs as someone other than the user at the screen.
    pub sudo: bool,
    /// How the system shows a page.
    pub desktop: Desktop,
    /// Whether `WAYLAND_DISPLAY` is set, so that a window can appear.
    pub wayland: bool,
    /// `DISPLAY`, where X11 windows appear. Over SSH it counts as the user's own screen if it names a host, as with X
    /// forwarding (`localhost:10.0`).
    pub display: Option<String>,
    /// Whether this is an SSH session: `SSH_CONNECTION` or `SSH_TTY` is set.
    pub ssh: bool,
    /// Whether the program runs in a container, whose loopback interface no browser outside can reach.
    pub container: bool,
    /// `PATH`, which is searched for the commands of the desktop.
    pub path: OsString,
}

/// How a system shows a page.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Desktop {
    /// `xdg-open` and similar commands, if there is a display.
    #[default]
    Xdg,
    /// The browser of the Windows host, under WSL.
    Wsl,
    /// `open` of macOS.
    MacOs,
    /// `ShellExecuteW` of Windows.
    Windows,
}

impl Environment {
    /// Reads the environment of this process. An empty variable counts as unset.
    #[must_use]
    pub fn from_process() -> Self {
        let text = |name: &str| {
            // Text that is not Unicode becomes a command that cannot be started, which is reported, not ignored.
            let text = env::var_os(name).map(|value| value.to_string_lossy().into_owned());
            text.filter(|value| !value.trim().is_empty())
        };
        let any = |names: [&str; 2]| names.into_iter().any(|name| text(name).is_some());
        let read = |path| fs::read_to_string(path).unwrap_or_default();
        let container = cfg!(target_os = "linux")
            && (Path::new("/.dockerenv").exists() || names_a_container(&read("/proc/self/cgroup")));
        let wsl =
            cfg!(target_os = "linux") && (any(["WSL_DISTRO_NAME", "WSL_INTEROP"]) || names_wsl(&read("/proc/version")));
        Self {
            browser: text("BROWSER"),
            sudo: text("SUDO_USER").is_some(),
            desktop: match () {
                () if cfg!(windows) => Desktop::Windows,
                () if cfg!(target_os = "macos") => Desktop::MacOs,
                () if wsl => Desktop::Wsl,
                () => Desktop::Xdg,
            },
            wayland: text("WAYLAND_DISPLAY").is_some(),
            display: text("DISPLAY"),
            ssh: any(["SSH_CONNECTION", "SSH_TTY"]),
            container,
            path: env::var_os("PATH").unwrap_or_default(),
        }
    }

    /// Checks whether a page can be shown to the user.
    ///
    /// # Errors
    /// [`BrowserError::Setting`] if `BROWSER` is malformed. If it is not set, [`BrowserError::Sudo`] under `sudo`, and
    /// [`BrowserError::Headless`] if no window can appear in front of the user.
    pub fn check(&self) -> Result<(), BrowserError> {
        self.opener().map(drop)
    }

    /// Returns why no window can appear in front of the user, if none can.
    pub(super) fn headless(&self) -> Option<Headless> {
        let display = self.display.as_deref();
        let forwarded = self.wayland || display.is_some_and(|display| !display.starts_with([':', '/']));
        if self.ssh && !forwarded {
            return Some(Headless::Ssh);
        }
        if self.container {
            return Some(Headless::Container);
        }
        match self.desktop {
            Desktop::Xdg if !self.wayland && display.is_none() => Some(Headless::NoDisplay),
            Desktop::Xdg | Desktop::Wsl | Desktop::MacOs | Desktop::Windows => None,
        }
    }
}

/// Whether the control groups of a process are those of a container. Containers made to share the user's desktop
/// (podman's toolboxes, LXC) do not count.
fn names_a_container(cgroup: &str) -> bool {
    ["docker", "containerd", "kubepods"].into_iter().any(|name| cgroup.contains(name))
}

/// Whether this is the kernel version of the Windows Subsystem for Linux.
fn names_wsl(version: &str) -> bool {
    let version = version.to_ascii_lowercase();
    version.contains("microsoft") || version.contains("wsl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wsl_and_containers_are_recognised() {
        assert!(names_wsl("Linux version 5.15.90.1-microsoft-standard-WSL2 (gcc 9.3.0) #1 SMP"));
        assert!(names_wsl("Linux version 4.4.0-19041-Microsoft (Microsoft@Microsoft.com)"));
        assert!(!names_wsl("Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)") && !names_wsl(""));
        assert!(names_a_container("12:pids:/docker/0123456789abcdef\n0::/\n"));
        assert!(names_a_container("0::/kubepods.slice/kubepods-burstable.slice/cri-containerd-01.scope"));
        assert!(!names_a_container("0::/user.slice/user-1000.slice/libpod-0123456789abcdef.scope"));
        assert!(!names_a_container("0::/user.slice/user-1000.slice/session-2.scope") && !names_a_container(""));
    }
}

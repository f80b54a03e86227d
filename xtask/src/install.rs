//! Third-party software. For the end-to-end tests: Chromium from the system, npm packages and a Python environment
//! under `target/peers`. Also from the system: valgrind to count instructions, strace to make system calls fail,
//! redis-server for the cache in Redis. Anything installed and up to date is left alone.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::failure::{Failure, Result};
use crate::workspace::{self, Workspace};

/// Where the peers are installed; passed to tests in environment variables.
pub(crate) struct Peers {
    chromium: PathBuf,
    node_modules: PathBuf,
    python: PathBuf,
}

impl Peers {
    /// Sets the variables for `command`.
    pub(crate) fn announce<'a>(&self, command: &'a mut Command) -> &'a mut Command {
        command
            .env("AUTH_TEST_CHROMIUM", &self.chromium)
            .env("AUTH_TEST_NODE_MODULES", &self.node_modules)
            .env("AUTH_TEST_PYTHON", &self.python)
    }
}

pub(crate) fn run(workspace: &Workspace) -> Result<Peers> {
    let pins = workspace.root.join("tests").join("peers");
    let folder = workspace.target.join("peers");
    keyring()?;
    Ok(Peers {
        chromium: chromium()?,
        node_modules: node_modules(&pins, &folder.join("node"))?,
        python: python(&pins, &folder.join("venv"))?,
    })
}

fn chromium() -> Result<PathBuf> {
    if let Some(chosen) = env::var_os("AUTH_TEST_CHROMIUM").map(PathBuf::from) {
        let absent = || Failure::new(format!("AUTH_TEST_CHROMIUM names {}, which is not a file", chosen.display()));
        return if chosen.is_file() { Ok(chosen) } else { Err(absent()) };
    }
    let by_hand = "install Chromium (Debian: `apt-get install chromium`) or set AUTH_TEST_CHROMIUM, and run this again";
    from_system("chromium", "Chromium", by_hand)
}

/// The program that counts instructions.
pub(crate) fn valgrind() -> Result<()> {
    let by_hand = "install valgrind (Debian: `apt-get install valgrind`), and run this again";
    from_system("valgrind", "valgrind", by_hand).map(drop)
}

/// The server that the Redis tests start.
pub(crate) fn redis() -> Result<()> {
    let by_hand = "install Redis 6.2 or newer (Debian: `apt-get install redis-server`), and run this again";
    from_system("redis-server", "redis-server", by_hand).map(drop)
}

/// What the torture tests need. With `AUTH_TEST_WITHOUT_ROOT=1` it may be missing; the tests then skip those parts, and
/// say so.
pub(crate) fn torture() -> Result<()> {
    if env::var("AUTH_TEST_WITHOUT_ROOT").is_ok_and(|set| set == "1") {
        return Ok(());
    }
    for program in ["unshare", "nsenter", "setpriv", "prlimit"] {
        needs(program, "util-linux")?;
    }
    needs("ip", "iproute2")?;
    let by_hand =
        "install strace (Debian: `apt-get install strace`), or set AUTH_TEST_WITHOUT_ROOT=1, and run this again";
    from_system("strace", "strace", by_hand).map(drop)
}

/// A keyring in a separate session; libsecret for MSAL Extensions for Python, on the system's Python; and the build
/// tools for the key store of MSAL Node Extensions.
fn keyring() -> Result<()> {
    const PACKAGES: [&str; 9] = [
        "dbus-bin",
        "dbus-daemon",
        "g++",
        "gir1.2-secret-1",
        "gnome-keyring",
        "libsecret-1-dev",
        "make",
        "pkg-config",
        "python3-gi",
    ];
    let succeeds = |program: &str, words: &[&str]| {
        Command::new(program).args(words).output().is_ok_and(|output| output.status.success())
    };
    let libsecret = "import gi; gi.require_version('Secret', '1')";
    let is_there = || {
        ["dbus-daemon", "dbus-monitor", "dbus-send", "g++", "gnome-keyring-daemon", "make"]
            .iter()
            .all(|program| on_path(program).is_some())
            && succeeds("pkg-config", &["--exists", "libsecret-1"])
            && succeeds("/usr/bin/python3", &["-c", libsecret])
    };
    if is_there() {
        return Ok(());
    }
    let by_hand = format!("install it (Debian: `apt-get install {}`), and run this again", PACKAGES.join(" "));
    apt("a keyring to test with", &PACKAGES, &by_hand)?;
    if is_there() {
        Ok(())
    } else {
        Err(Failure::new(format!("a keyring is missing after its installation: {by_hand}")))
    }
}

/// Finds `program`, or installs the package of the same name if possible.
fn from_system(program: &str, name: &str, by_hand: &str) -> Result<PathBuf> {
    if let Some(found) = on_path(program) {
        return Ok(found);
    }
    apt(name, &[program], by_hand)?;
    on_path(program).ok_or_else(|| Failure::new(format!("{name} is missing after its installation: {by_hand}")))
}

/// Installs system packages if possible.
fn apt(name: &str, packages: &[&str], by_hand: &str) -> Result<()> {
    if on_path("apt-get").is_none() || !is_root() {
        return Err(Failure::new(format!("{name} is missing: {by_hand}")));
    }
    let apt = |words: &[&str]| {
        workspace::run(Command::new("apt-get").env("DEBIAN_FRONTEND", "noninteractive").arg("-q").args(words))
            .map_err(|failure| Failure::new(format!("{name} is missing, and {failure}: {by_hand}")))
    };
    apt(&["update"])?;
    apt(&[&["install", "-y", "--no-install-recommends"], packages].concat())
}

fn node_modules(pins: &Path, folder: &Path) -> Result<PathBuf> {
    let installed = folder.join("node_modules");
    let files = ["package.json", "package-lock.json"];
    let stamp = Stamp::of(folder, pins, &files)?;
    if stamp.is_fresh() {
        keytar(&installed)?;
        return Ok(installed);
    }
    for program in ["node", "npm"] {
        needs(program, "Node.js 20 or newer with npm (Debian: `apt-get install nodejs npm`)")?;
    }
    fs::create_dir_all(folder).map_err(Failure::file("make", folder))?;
    for file in files {
        let copy = folder.join(file);
        fs::copy(pins.join(file), &copy).map_err(Failure::file("write", &copy))?;
    }
    // Package scripts are disabled, because the only one needed would download a binary; it is built below instead.
    let mut install = Command::new("npm");
    install.current_dir(folder).args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]);
    workspace::run(&mut install).map_err(|failure| {
        Failure::new(format!(
            "{failure}: the npm packages of tests/peers are needed; try to install them in {}",
            folder.display()
        ))
    })?;
    stamp.write()?;
    keytar(&installed)?;
    Ok(installed)
}

/// Builds the key store of MSAL Node Extensions from its source.
fn keytar(installed: &Path) -> Result<()> {
    let folder = installed.join("keytar");
    if folder.join("build/Release/keytar.node").is_file() {
        return Ok(());
    }
    let mut build = Command::new("npm");
    build.current_dir(&folder).args(["run", "build"]);
    // Use the headers that came with Node.js, if any; otherwise node-gyp would download them.
    let prefix = on_path("node").and_then(|node| Some(fs::canonicalize(node).ok()?.parent()?.parent()?.to_owned()));
    if let Some(prefix) = prefix.filter(|prefix| prefix.join("include/node/node_api.h").is_file()) {
        build.env("npm_config_nodedir", prefix);
    }
    workspace::run(&mut build).map_err(|failure| {
        Failure::new(format!("{failure}: keytar could not be built; try to build it in {}", folder.display()))
    })
}

fn python(pins: &Path, folder: &Path) -> Result<PathBuf> {
    let python = folder.join("bin").join("python");
    let stamp = Stamp::of(folder, pins, &["requirements.txt"])?;
    if stamp.is_fresh() {
        return Ok(python);
    }
    needs("python3", "Python 3.9 or newer (Debian: `apt-get install python3 python3-venv`)")?;
    workspace::run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder)).map_err(|failure| {
        Failure::new(format!("{failure}: Python's module venv is needed (Debian: `apt-get install python3-venv`)"))
    })?;
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
    install.arg(pins.join("requirements.txt"));
    workspace::run(&mut install).map_err(|failure| {
        Failure::new(format!("{failure}: the Python packages of tests/peers are needed; try to install them with pip"))
    })?;
    stamp.write()?;
    Ok(python)
}

/// A file in an installed folder that records the pins it was installed from.
struct Stamp {
    file: PathBuf,
    pins: String,
}

impl Stamp {
    fn of(folder: &Path, pins: &Path, files: &[&str]) -> Result<Self> {
        let texts = files.iter().map(|file| {
            let path = pins.join(file);
            fs::read_to_string(&path).map_err(Failure::file("read", &path))
        });
        Ok(Self { file: folder.join(".installed-from"), pins: texts.collect::<Result<_>>()? })
    }

    fn is_fresh(&self) -> bool {
        fs::read_to_string(&self.file).is_ok_and(|installed| installed == self.pins)
    }

    fn write(&self) -> Result<()> {
        fs::write(&self.file, &self.pins).map_err(Failure::file("write", &self.file))
    }
}

fn needs(program: &str, what: &str) -> Result<()> {
    match on_path(program) {
        Some(_) => Ok(()),
        None => Err(Failure::new(format!("`{program}` is missing: install {what} and run this again"))),
    }
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH")?;
    env::split_paths(&folders).map(|folder| folder.join(program)).find(|path| path.is_file())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_fresh_until_a_pin_changes() {
        let folder = env::temp_dir().join(format!("xtask-stamp-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let pin = |text| {
            fs::write(folder.join("pins.txt"), text).unwrap();
            Stamp::of(&folder, &folder, &["pins.txt"]).unwrap()
        };
        assert!(!pin("a==1").is_fresh());
        pin("a==1").write().unwrap();
        assert!(pin("a==1").is_fresh());
        assert!(!pin("a==2").is_fresh());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_missing_program_is_named_with_what_to_install() {
        let failure = needs("no-such-program", "this or that").unwrap_err();
        assert_eq!(failure.to_string(), "`no-such-program` is missing: install this or that and run this again");
    }
}

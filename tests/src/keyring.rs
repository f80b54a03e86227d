//! A separate session with gnome-keyring, which a test may lock, kill or replace.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Stdio;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use crate::peer::script;
use crate::program::{Home, PATIENCE, Run};

const PASSWORD: &str = "the password of the keyring";
const SERVICE: &str = "org.freedesktop.secrets";

/// A session with its own message bus, on which nothing is started on demand.
#[derive(Debug)]
pub struct Session {
    /// The user's home.
    pub home: Home,
    _bus: Child,
    _monitor: Child,
    /// Announces services that appear on the bus or leave it.
    changes: Lines<BufReader<ChildStdout>>,
    keyring: Option<Child>,
}

impl Session {
    /// Starts a session without a keyring.
    pub async fn without_keyring() -> Self {
        let home = Home::default();
        for folder in ["run", "cache"] {
            fs::create_dir(home.file(folder)).unwrap();
            fs::set_permissions(home.file(folder), Permissions::from_mode(0o700)).unwrap();
        }
        let config = home.file("run/bus.conf");
        let address = address(&home);
        fs::write(
            &config,
            format!(
                "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" \
                 \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n\
                 <busconfig><type>session</type><listen>{address}</listen><auth>EXTERNAL</auth>\
                 <policy context=\"default\"><allow send_destination=\"*\" eavesdrop=\"true\"/>\
                 <allow eavesdrop=\"true\"/><allow own=\"*\"/></policy></busconfig>"
            ),
        )
        .unwrap();
        let mut bus = Command::new("dbus-daemon");
        bus.args(["--nofork", "--nosyslog", "--print-address=1", "--config-file"]).arg(config);
        let (bus, mut lines) = start(bus.stderr(Stdio::null()));
        assert!(lines.next_line().await.unwrap().is_some(), "dbus-daemon announces its address");
        let mut monitor = Command::new("dbus-monitor");
        monitor.args(["--profile", "--session", "type='signal',member='NameOwnerChanged'"]);
        let (monitor, changes) = start(monitor.env("DBUS_SESSION_BUS_ADDRESS", address));
        Self { home, _bus: bus, _monitor: monitor, changes, keyring: None }
    }

    /// Starts a session whose keyring is unlocked.
    pub async fn start() -> Self {
        let mut session = Self::without_keyring().await;
        session.start_keyring(true).await;
        session
    }

    /// Starts the keyring, with what it stored before.
    pub async fn start_keyring(&mut self, unlocked: bool) {
        let mut daemon = self.command("gnome-keyring-daemon");
        daemon.args(["--foreground", "--components=secrets"]).args(unlocked.then_some("--unlock"));
        let mut daemon = daemon.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        daemon.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).await.unwrap();
        self.keyring = Some(daemon);
        // Ask again after each change on the bus until the service is there.
        loop {
            let owner =
                self.bus_call(&["org.freedesktop.DBus", "/org/freedesktop/DBus", "org.freedesktop.DBus.GetNameOwner"]);
            if owner.args([format!("string:{SERVICE}")]).end().await.code == Some(0) {
                return;
            }
            let line = tokio::time::timeout(PATIENCE, self.changes.next_line()).await;
            line.expect("the keyring appears").unwrap().expect("dbus-monitor is running");
        }
    }

    /// Kills the keyring.
    pub async fn kill_keyring(&mut self) {
        let mut daemon = self.keyring.take().expect("the keyring is running");
        daemon.kill().await.unwrap();
    }

    /// Locks the keyring. No one is there to unlock it.
    pub async fn lock_keyring(&self) {
        let call = self.bus_call(&[SERVICE, "/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock"]);
        call.args(["array:objpath:/org/freedesktop/secrets/collection/login"]).end().await.expect(0);
    }

    /// Returns the schema and length of each secret in the keyring, according to libsecret.
    pub async fn items(&self) -> Vec<(String, usize)> {
        let items =
            self.inside(self.home.run("/usr/bin/python3").args([script("keyring_items.py")])).end().await.expect(0);
        let item = |line: &str| {
            let (schema, length) = line.split_once(' ').unwrap();
            (schema.to_owned(), length.parse().unwrap())
        };
        items.stdout.lines().map(item).collect()
    }

    /// Makes a program run in this session.
    pub fn inside(&self, run: Run) -> Run {
        run.env("DBUS_SESSION_BUS_ADDRESS", address(&self.home)).env("XDG_RUNTIME_DIR", self.home.file("run"))
    }

    /// Returns a folder for caches.
    pub fn folder(&self) -> PathBuf {
        self.home.file("cache")
    }

    fn bus_call(&self, words: &[&str]) -> Run {
        let [destination, path, method] = words else { panic!("{words:?}") };
        let run = self.home.run("dbus-send").args(["--session", "--print-reply", &format!("--dest={destination}")]);
        self.inside(run.args([path, method]))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.home.path())
            .env("XDG_RUNTIME_DIR", self.home.file("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", address(&self.home))
            .kill_on_drop(true);
        command
    }
}

fn address(home: &Home) -> String {
    format!("unix:path={}", home.file("run/bus").display())
}

fn start(command: &mut Command) -> (Child, Lines<BufReader<ChildStdout>>) {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

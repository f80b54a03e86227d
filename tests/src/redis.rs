//! A Redis of one's own.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use auth::RedisStorage;
use redis::{Client, Connection, FromRedisValue};
use tempfile::TempDir;

use crate::certificates::Certificates;

/// A server on the loopback interface that keeps nothing on disk; it ends with the value.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    door: Door,
    port: u16,
    words: Vec<String>,
    folder: TempDir,
}

impl RedisServer {
    /// A server with these words beside the usual ones, once it is ready.
    pub fn start(words: &[&str]) -> Self {
        Self::behind(Door::Plain, words)
    }

    /// A server that speaks TLS only.
    pub fn over_tls(certificates: &Certificates, words: &[&str]) -> Self {
        let files = [
            ("--tls-cert-file", &certificates.server),
            ("--tls-key-file", &certificates.server_key),
            ("--tls-ca-cert-file", &certificates.authority),
        ];
        let files = files.iter().flat_map(|(option, file)| [option, file.to_str().unwrap()]);
        let words: Vec<_> = files.chain(["--tls-auth-clients", "no"]).chain(words.iter().copied()).collect();
        Self::behind(Door::Tls, &words)
    }

    fn behind(door: Door, words: &[&str]) -> Self {
        // Somebody else may take the port between the two: then the server ends, and the next port is tried.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let folder = tempfile::tempdir().unwrap();
            if let Some(child) = started(door, port, &words, &folder) {
                return Self { child, door, port, words, folder };
            }
        }
        panic!("redis-server does not start");
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again where it was, with nothing in it.
    pub fn restart(&mut self) {
        self.child = started(self.door, self.port, &self.words, &self.folder).expect("the port is still free");
    }

    /// Its address.
    pub fn url(&self) -> String {
        match self.door {
            Door::Plain => format!("redis://127.0.0.1:{}", self.port),
            Door::Tls => format!("rediss://127.0.0.1:{}", self.port),
        }
    }

    /// Its address for whoever knows this password.
    pub fn url_with(&self, password: &str) -> String {
        self.url().replace("//", &format!("//:{password}@"))
    }

    /// Its socket.
    pub fn socket(&self) -> String {
        self.folder.path().join("redis.sock").display().to_string()
    }

    /// The store in it.
    pub fn storage(&self) -> RedisStorage {
        RedisStorage::at(&self.url()).unwrap()
    }

    /// A connection for whoever administers it.
    pub fn admin(&self) -> Connection {
        Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// Carries out a command.
    pub fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let (name, arguments) = words.split_first().unwrap();
        redis::cmd(name).arg(arguments).query(&mut self.admin()).unwrap()
    }

    /// How often anybody called any script, since the server began.
    pub fn scripts(&self) -> u64 {
        let told: String = self.ask(&["INFO", "commandstats"]);
        let calls = |line: &str| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next()?.parse().ok();
        told.lines().find_map(calls).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // It may have been stopped.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a server speaks.
#[derive(Clone, Copy, Debug)]
enum Door {
    Plain,
    Tls,
}

fn started(door: Door, port: u16, words: &[String], folder: &TempDir) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--enable-debug-command", "local"]);
    let (open, closed) = match door {
        Door::Plain => ("--port", "--tls-port"),
        Door::Tls => ("--tls-port", "--port"),
    };
    command.args([open, &port.to_string(), closed, "0"]).arg("--dir").arg(folder.path());
    command.arg("--unixsocket").arg(folder.path().join("redis.sock")).args(words);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
        panic!("redis-server is needed (Debian: `apt-get install redis-server`): {error}");
    });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    if lines.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections")) {
        // It goes on talking, to somebody who listens.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(child);
    }
    child.wait().unwrap();
    None
}

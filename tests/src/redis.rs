//! A Redis server for one test.

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use auth::RedisStorage;
use redis::{Client, Connection, FromRedisValue};
use tempfile::TempDir;

use crate::certificates::Certificates;

/// A server on the loopback interface that stores nothing on disk. It ends when the value is dropped.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    protocol: Protocol,
    port: u16,
    words: Vec<String>,
    folder: TempDir,
}

impl RedisServer {
    /// Starts a server with these additional arguments.
    pub fn start(words: &[&str]) -> Self {
        Self::speaking(Protocol::Plain, words)
    }

    /// Starts a server that accepts only TLS.
    pub fn over_tls(certificates: &Certificates, words: &[&str]) -> Self {
        let files = [
            ("--tls-cert-file", &certificates.server),
            ("--tls-key-file", &certificates.server_key),
            ("--tls-ca-cert-file", &certificates.authority),
        ];
        let files = files.iter().flat_map(|(option, file)| [option, file.to_str().unwrap()]);
        let words: Vec<_> = files.chain(["--tls-auth-clients", "no"]).chain(words.iter().copied()).collect();
        Self::speaking(Protocol::Tls, &words)
    }

    fn speaking(protocol: Protocol, words: &[&str]) -> Self {
        // Another program may take the port in between; the server then ends, and the next port is tried.
        for _ in 0..10 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let folder = tempfile::tempdir().unwrap();
            if let Some(child) = started(protocol, port, &words, &folder) {
                return Self { child, protocol, port, words, folder };
            }
        }
        panic!("redis-server does not start");
    }

    /// Kills the server.
    pub fn stop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts the server again on the same port, empty.
    pub fn restart(&mut self) {
        self.child = started(self.protocol, self.port, &self.words, &self.folder).expect("the port is still free");
    }

    /// Returns the address.
    pub fn url(&self) -> String {
        match self.protocol {
            Protocol::Plain => format!("redis://127.0.0.1:{}", self.port),
            Protocol::Tls => format!("rediss://127.0.0.1:{}", self.port),
        }
    }

    /// Returns the address with a password.
    pub fn url_with(&self, password: &str) -> String {
        self.url().replace("//", &format!("//:{password}@"))
    }

    /// Returns the path of the Unix socket.
    pub fn socket(&self) -> String {
        self.folder.path().join("redis.sock").display().to_string()
    }

    /// Creates a store on this server.
    pub fn storage(&self) -> RedisStorage {
        RedisStorage::at(&self.url()).unwrap()
    }

    /// Opens an administrative connection.
    pub fn admin(&self) -> Connection {
        Client::open(self.url()).unwrap().get_connection().unwrap()
    }

    /// Runs a command.
    pub fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let (name, arguments) = words.split_first().unwrap();
        redis::cmd(name).arg(arguments).query(&mut self.admin()).unwrap()
    }

    /// Returns how many scripts have been called since the server started.
    pub fn scripts(&self) -> u64 {
        let stats: String = self.ask(&["INFO", "commandstats"]);
        let calls = |line: &str| line.strip_prefix("cmdstat_evalsha:calls=")?.split(',').next()?.parse().ok();
        stats.lines().find_map(calls).unwrap_or_default()
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        // Fails if the server was stopped.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// What a server speaks.
#[derive(Clone, Copy, Debug)]
enum Protocol {
    Plain,
    Tls,
}

fn started(protocol: Protocol, port: u16, words: &[String], folder: &TempDir) -> Option<Child> {
    let mut command = Command::new("redis-server");
    command.args(["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--enable-debug-command", "local"]);
    let (open, closed) = match protocol {
        Protocol::Plain => ("--port", "--tls-port"),
        Protocol::Tls => ("--tls-port", "--port"),
    };
    command.args([open, &port.to_string(), closed, "0"]).arg("--dir").arg(folder.path());
    command.arg("--unixsocket").arg(folder.path().join("redis.sock")).args(words);
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap_or_else(|error| {
        panic!("redis-server is needed (Debian: `apt-get install redis-server`): {error}");
    });
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    if lines.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections")) {
        // Keep reading, so that the server is not blocked by a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        return Some(child);
    }
    child.wait().unwrap();
    None
}

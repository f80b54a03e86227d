//! The cache in Redis: sign-ins over TLS with a password, and servers whose errors repeat what they were sent.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::sync::{Arc, Mutex};

use auth::{Authority, PublicClient, RedisStorage, ReqwestTransport, Scopes};
use auth_emulator::Emulator;
use auth_tests::browsers::RobotBrowser;
use auth_tests::canary::assert_absent;
use auth_tests::certificates::{Certificates, stranger};
use auth_tests::redis::RedisServer;
use auth_tests::transports::Recording;
use redis::{Client, Parser, Value};

use crate::listener::Listener;

const PASSWORD: &str = "canary-of-redis-8e1f4b7a2c9d";
/// Takes the place of tokens in stored values.
const PLANTED: &str = "canary-in-redis-3b9c0d5e7f1a";

struct Watched {
    emulator: Emulator,
    transport: Recording<ReqwestTransport>,
    /// The `Debug` and `Display` output of everything, and the clients' events.
    shown: Arc<Mutex<String>>,
}

impl Watched {
    fn show(&self, text: &str) {
        self.shown.lock().unwrap().push_str(text);
    }

    /// The client of a process that has only this store.
    fn client(&self, storage: &RedisStorage) -> PublicClient {
        let shown = Arc::clone(&self.shown);
        let builder = PublicClient::builder("c0ffee00-0000-4000-8000-000000000001")
            .authority(Authority::parse(&self.emulator.authority()).unwrap())
            .transport(self.transport.clone())
            .partitioned_storage(storage.clone())
            .browser(RobotBrowser::user("ada@contoso.example"))
            .on_event(move |event| write!(shown.lock().unwrap(), "{event:?}\n{event:#?}\n").unwrap());
        self.show(&format!("{builder:?} {builder:#?} {storage:?} {storage:#?}\n"));
        builder.build().unwrap()
    }

    /// Gets tokens in all ways, and returns how many were stored.
    async fn sign_in(&self, storage: RedisStorage) -> usize {
        let (client, scopes) = (self.client(&storage), Scopes::parse("User.Read").unwrap());
        let silent = client.acquire_token_silent(&scopes, None).send().await;
        let interactive = client.acquire_token_interactive(&scopes).send().await;
        let refreshed = client.acquire_token_silent(&scopes, None).force_refresh(true).send().await;
        let mut persisted = 0;
        for outcome in [silent, interactive, refreshed] {
            self.show(&format!("{outcome:?}\n{outcome:#?}\n"));
            match outcome {
                Ok(result) => {
                    persisted += usize::from(result.persisted());
                    if let Some(error) = result.persistence_error() {
                        self.show(&format!("{error}\n{error:?}\n"));
                    }
                }
                Err(error) => {
                    let mut cause: Option<&dyn std::error::Error> = Some(&error);
                    while let Some(error) = cause {
                        self.show(&format!("{error}\n{error:?}\n"));
                        cause = error.source();
                    }
                }
            }
        }
        client.close().await;
        self.show(&format!("{client:?}\n"));
        persisted
    }

    async fn sign_out(&self, storage: RedisStorage) {
        let client = self.client(&storage);
        let accounts = client.accounts().await.unwrap();
        assert_eq!(accounts.len(), 1);
        self.show(&format!("{accounts:?} {:?}\n", client.remove_account(&accounts[0]).await.unwrap()));
    }
}

fn storage(server: &RedisServer, password: &str, authority: &Path) -> RedisStorage {
    let authority = std::fs::read(authority).unwrap();
    RedisStorage::at(&server.url_with(password)).unwrap().trusting(&authority).unwrap()
}

/// Replaces each value.
fn spoil(server: &RedisServer, words: &[&str]) {
    let socket = format!("unix://{}?pass={PASSWORD}", server.socket());
    let mut admin = Client::open(socket).unwrap().get_connection().unwrap();
    let keys: Vec<String> = redis::cmd("KEYS").arg("auth:1:user:*").query(&mut admin).unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        redis::cmd("DEL").arg(&key).exec(&mut admin).unwrap();
        redis::cmd(words[0]).arg(&key).arg(&words[1..]).query::<Value>(&mut admin).unwrap();
    }
}

/// A server for one connection that has no values, grants every lock, and repeats the document to be stored in an
/// error.
fn parrot() -> RedisStorage {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut parser = Parser::new();
        while let Ok(Value::Array(words)) = parser.parse_value(&mut stream) {
            let words: Vec<Vec<u8>> = words.iter().map(|word| redis::from_redis_value_ref(word).unwrap()).collect();
            let words: Vec<_> = words.iter().map(|word| String::from_utf8_lossy(word)).collect();
            let answer = match (words[0].as_ref(), words[2].as_ref()) {
                _ if words.iter().any(|word| word.contains("RefreshToken")) => {
                    format!("-ERR {}", words.concat().replace(['\r', '\n'], " "))
                }
                ("SSCAN", _) => "*2\r\n$1\r\n0\r\n*0".to_owned(),
                // A lock script has three keys.
                ("EVALSHA", "3") => ":1".to_owned(),
                ("EVALSHA", _) => "*0".to_owned(),
                _ => "+OK".to_owned(),
            };
            if stream.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
                return;
            }
        }
    });
    RedisStorage::at(&format!("redis://{address}")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn s111_no_secret_of_a_cache_in_redis_leaks() {
    let listener = Listener::to_this_process();
    let folder = tempfile::tempdir().unwrap();
    let made = Certificates::make(folder.path(), &["127.0.0.1"]);
    let watched = Watched {
        emulator: Emulator::start().await.unwrap(),
        transport: Recording::over(ReqwestTransport::new()),
        shown: Arc::default(),
    };
    let start = |words: &[&str]| RedisServer::over_tls(&made, &[&["--requirepass", PASSWORD], words].concat());
    let right = |server: &RedisServer| storage(server, PASSWORD, &made.authority);

    let mut server = start(&[]);
    assert_eq!(watched.sign_in(right(&server)).await, 2, "both tokens are stored");
    let json = format!("{{\"AccessToken\":{{\"{PLANTED}\":\"{PLANTED}\"}}}}");
    let version = "0123456789abcdef0123456789abcdef";
    for words in [
        ["SET", PLANTED].as_slice(),
        &["HSET", "d", PLANTED, "v", version],
        &["HSET", "d", &json, "v", version],
        &["HSET", "d", &json, "v", PLANTED],
        &["HSET", "d", &json, "v", version, "f", PLANTED],
    ] {
        spoil(&server, words);
        watched.sign_in(right(&server)).await;
    }
    spoil(&server, &["HSET", "d", "{}", "v", version]);
    assert_eq!(watched.sign_in(right(&server)).await, 2, "both tokens are stored again");
    watched.sign_out(right(&server)).await;
    let others = [
        storage(&server, "canary-of-redis-that-is-wrong", &made.authority),
        storage(&server, PASSWORD, &stranger(folder.path())),
        RedisStorage::at(&server.url().replace("rediss:", "redis:")).unwrap(),
    ];
    for storage in others {
        assert_eq!(watched.sign_in(storage).await, 0);
    }
    server.stop();
    assert_eq!(watched.sign_in(right(&server)).await, 0);
    // The server does not know the command, and repeats its argument in the error: the password.
    let server = start(&["--rename-command", "AUTH", ""]);
    assert_eq!(watched.sign_in(right(&server)).await, 0);
    assert_eq!(watched.sign_in(parrot()).await, 0);

    let log = listener.text();
    let shown = watched.shown.lock().unwrap().clone();
    for told in [
        "rejected the password",
        "is not trusted",
        "written: the server answered ERR",
        "WRONGTYPE",
        "an unknown format",
    ] {
        assert!(shown.contains(told), "{told}: {shown}");
    }
    let mut secrets = watched.transport.secrets();
    for name in ["access_token", "refresh_token", "id_token"] {
        assert!(secrets.iter().any(|(known, _)| known == name), "no {name} went over the wire");
    }
    for (name, secret) in [("password", PASSWORD), ("password", "canary-of-redis-that-is-wrong"), ("value", PLANTED)] {
        secrets.push((name.to_owned(), secret.to_owned()));
    }
    assert!(log.len() > 100, "something was logged");
    assert_absent("the log", &log, &secrets);
    assert_absent("an error, an event, Debug or Display", &shown, &secrets);
    watched.emulator.shutdown().await;
}

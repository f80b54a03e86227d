//! S-107: a server over TLS, whose certificate is checked before anything is sent.

use std::path::Path;
use std::time::Duration;

use auth::{Authority, Observer, PartitionedStorage as _, PublicClient, RedisStorage, Scopes, StorageErrorKind};
use auth::{TokenCache, TokenSource};
use auth_cache::{LockBudget, LockName, PartitionKey};
use auth_emulator::{Emulator, GrantType};
use auth_tests::browsers::RobotBrowser;
use auth_tests::certificates::{Certificates, stranger};
use auth_tests::numbered::Writer;
use auth_tests::redis::RedisServer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use crate::{finds, update};

const PASSWORD: &str = "canary-password";
/// A handshake takes long while other tests keep the processor busy.
const DEADLINE: Duration = Duration::from_secs(20);

fn storage(url: &str, authority: &Path) -> RedisStorage {
    let authority = std::fs::read(authority).unwrap();
    RedisStorage::at(url).unwrap().trusting(&authority).unwrap().deadline(DEADLINE)
}

#[tokio::test(flavor = "multi_thread")]
async fn machines_share_a_sign_in_and_its_locks_over_tls() {
    let folder = tempfile::tempdir().unwrap();
    let made = Certificates::make(folder.path(), &["127.0.0.1"]);
    let server = RedisServer::over_tls(&made, &["--requirepass", PASSWORD]);
    let emulator = Emulator::start().await.unwrap();
    let machine = || {
        PublicClient::builder("c0ffee00-0000-4000-8000-000000000001")
            .authority(Authority::parse(&emulator.authority()).unwrap())
            .partitioned_storage(storage(&server.url_with(PASSWORD), &made.authority))
            .browser(RobotBrowser::user("ada@contoso.example"))
            .build()
            .unwrap()
    };
    let scopes = Scopes::parse("User.Read").unwrap();
    assert!(machine().acquire_token_interactive(&scopes).send().await.unwrap().persisted());
    let other = machine();
    for (force, source) in [(false, TokenSource::Cache), (true, TokenSource::IdentityProvider)] {
        let result = other.acquire_token_silent(&scopes, None).force_refresh(force).send().await.unwrap();
        assert_eq!(result.source(), source);
        assert!(result.persisted());
    }
    assert_eq!(emulator.ledger().token_requests(GrantType::RefreshToken), 1);

    let partition =
        || storage(&server.url_with(PASSWORD), &made.authority).partition(&PartitionKey::User("u.t".into()));
    let observer = Observer::default();
    let held = partition().lock(LockName::Document, &mut LockBudget::new(DEADLINE), &observer).await.unwrap();
    let waited = partition().lock(LockName::Document, &mut LockBudget::new(Duration::ZERO), &observer).await;
    assert_eq!(waited.err().map(|error| error.kind), Some(StorageErrorKind::LockTimedOut));
    drop(held);
    partition().lock(LockName::Document, &mut LockBudget::new(DEADLINE), &observer).await.unwrap();
}

#[tokio::test]
async fn an_untrusted_server_is_an_error_that_names_neither_server_nor_password() {
    let folder = tempfile::tempdir().unwrap();
    let made = Certificates::make(folder.path(), &["127.0.0.1"]);
    let stranger = stranger(folder.path());
    let elsewhere = tempfile::tempdir().unwrap();
    let named_otherwise = Certificates::make(elsewhere.path(), &["redis.example"]);
    let words = ["--requirepass", PASSWORD];
    let (server, other) = (RedisServer::over_tls(&made, &words), RedisServer::over_tls(&named_otherwise, &words));
    let plain = RedisServer::start(&[]);
    let (right, untrusted) = (server.url_with(PASSWORD), "the server's certificate is not trusted");
    let speaking_tls = plain.url_with(PASSWORD).replace("redis:", "rediss:");
    let short = Duration::from_secs(1);
    let ports = [&server, &other, &plain].map(|server| server.url().rsplit_once(':').unwrap().1.to_owned());
    for (what, storage, reason) in [
        ("another authority", storage(&right, &stranger), untrusted),
        ("the authorities of the system", RedisStorage::at(&right).unwrap().deadline(DEADLINE), untrusted),
        ("another name", storage(&other.url_with(PASSWORD), &named_otherwise.authority), untrusted),
        ("another password", storage(&server.url_with("canary-wrong"), &made.authority), "rejected the password"),
        // The server waits for the end of a line that never comes.
        ("no TLS", storage(&speaking_tls, &made.authority).deadline(short), "the server did not"),
    ] {
        let (writer, cache) = (Writer::new("w"), TokenCache::partitioned(storage.clone()));
        let error = cache.store(update(&writer, 0)).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Unreachable, "{what}: {error}");
        assert!(error.reason.contains(reason), "{what}: {error}");
        assert!(finds(&cache, &writer, 0).await, "{what}: works in memory");
        let shown = format!("{error} {error:?} {storage:?} {cache:?}");
        for absent in
            ["canary", "127.0.0.1", "redis.example", "xxxx"].into_iter().chain(ports.iter().map(String::as_str))
        {
            assert!(!shown.contains(absent), "{what}: {shown}");
        }
    }
    assert_eq!(plain.ask::<u64>(&["DBSIZE"]), 0);
}

#[tokio::test]
async fn nothing_is_sent_to_a_server_with_the_wrong_certificate() {
    let folder = tempfile::tempdir().unwrap();
    for (names, trusts_it) in [("127.0.0.1", false), ("redis.example", true), ("127.0.0.1", true)] {
        let made = Certificates::make(folder.path(), &[names]);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("rediss://:{PASSWORD}@{}", listener.local_addr().unwrap());
        let authority = if trusts_it { made.authority.clone() } else { stranger(folder.path()) };
        let cache = TokenCache::partitioned(storage(&url, &authority));
        let heard = tokio::spawn(async move {
            let mut stream = made.acceptor().accept(listener.accept().await.unwrap().0).await?;
            let mut bytes = vec![0; 1024];
            let length = stream.read(&mut bytes).await?;
            std::io::Result::Ok(String::from_utf8_lossy(&bytes[..length]).into_owned())
        });
        let error = cache.store(update(&Writer::new("w"), 0)).await.unwrap_err();
        assert_eq!(error.kind, StorageErrorKind::Unreachable, "{error}");
        let heard = heard.await.unwrap();
        if trusts_it && names == "127.0.0.1" {
            assert!(heard.unwrap().contains(PASSWORD), "what is sent is heard");
        } else {
            assert!(heard.is_err(), "{heard:?}");
        }
    }
}

#[tokio::test]
async fn a_server_that_answers_in_plain_receives_no_password() {
    let folder = tempfile::tempdir().unwrap();
    let made = Certificates::make(folder.path(), &["127.0.0.1"]);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("rediss://:{PASSWORD}@{}", listener.local_addr().unwrap());
    let heard = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"-ERR unknown command\r\n").await.unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.map(|_| heard)
    });
    let cache = TokenCache::partitioned(storage(&url, &made.authority));
    let error = cache.store(update(&Writer::new("w"), 0)).await.unwrap_err();
    assert_eq!(error.reason, "the TLS handshake with the server failed");
    // If the connection was reset, nothing more was received either.
    let heard = heard.await.unwrap().unwrap_or_default();
    assert!(!String::from_utf8_lossy(&heard).contains(PASSWORD));
}

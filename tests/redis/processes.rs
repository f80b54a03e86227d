//! several processes, one Redis, one redemption.

use std::time::Duration;

use auth::{Authority, PublicClient, Scopes, TokenCache};
use auth_emulator::{CredentialKind, Emulator, GrantType, Rotation};
use auth_tests::actor::{Actor, words};
use auth_tests::browsers::RobotBrowser;
use auth_tests::cache;
use auth_tests::numbered::{USERS, Writer};
use auth_tests::plan::{count, report, seeded_rng};
use auth_tests::redis::RedisServer;
use rand::RngExt as _;
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use crate::finds;

const CLIENT: &str = "c0ffee00-0000-4000-8000-000000000001";
const PROCESSES: usize = 8;

/// Makes the access tokens of all users expire, as seen by later readers.
pub(crate) fn expire(server: &RedisServer, prefix: &str) {
    for key in server.ask::<Vec<String>>(&["KEYS", &format!("{prefix}:1:user:*")]) {
        let mut document = serde_json::from_str(&server.ask::<String>(&["HGET", &key, "d"])).unwrap();
        cache::set_time(&mut document, "expires_on", cache::now() - 1);
        server.ask::<u64>(&["HSET", &key, "d", &document.to_string()]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_share_sign_ins_and_redeem_a_refresh_token_once() {
    let emulator = Emulator::builder().rotation(Rotation::RevokeFamilyOnReuse).start().await.unwrap();
    let server = RedisServer::start(&[]);
    let client = PublicClient::builder(CLIENT)
        .authority(Authority::parse(&emulator.authority()).unwrap())
        .partitioned_storage(server.storage())
        .browser(RobotBrowser::user("ada@contoso.example"));
    let client = client.build().unwrap();
    let signed_in = client.acquire_token_interactive(&Scopes::parse("User.Read").unwrap()).send().await.unwrap();
    assert!(signed_in.persisted());

    let mut programs = Vec::new();
    for _ in 0..PROCESSES {
        let (url, authority) = (server.url(), emulator.authority());
        let words = words(url.as_ref(), "w").into_iter().map(ToOwned::to_owned);
        programs.push(Actor::ready(words.chain([authority.into()])).await);
    }
    for program in &mut programs {
        let answer: Value = serde_json::from_str(&program.ask("silent").await).unwrap();
        assert_eq!(answer["source"], "Cache", "signed in everywhere: {answer}");
        // It would use the copy in its memory for a while. Later rounds use new processes, which have none.
        program.close();
    }
    let rounds = count(5, 200);
    for round in 1..=rounds {
        expire(&server, "auth");
        let mut programs = Vec::new();
        for _ in 0..PROCESSES {
            let (url, authority) = (server.url(), emulator.authority());
            let words = words(url.as_ref(), "w").into_iter().map(ToOwned::to_owned);
            programs.push(Actor::ready(words.chain([authority.into()])).await);
        }
        for program in &mut programs {
            program.tell("silent").await;
        }
        let mut answers = Vec::new();
        for program in &mut programs {
            answers.push(serde_json::from_str::<Value>(&program.hear().await.unwrap()).unwrap());
        }
        let context = format!("R-21, round {round}: {answers:?}");
        assert_eq!(emulator.ledger().token_requests(GrantType::RefreshToken), round, "{context}");
        assert!(answers.iter().all(|answer| answer["token"] == answers[0]["token"]), "{context}");
        assert!(answers.iter().all(|answer| answer["persisted"] == true), "{context}");
        assert_eq!(answers.iter().filter(|answer| answer["source"] == "IdentityProvider").count(), 1, "{context}");
    }
    let redeemed = emulator.ledger().redemptions(CredentialKind::RefreshToken);
    assert!(redeemed.iter().all(|seen| (seen.attempts, seen.successes) == (1, 1)), "R-22: {redeemed:?}");
    report("R-21, R-22", &format!("Redis, {rounds} rounds of {PROCESSES} processes: 1 redemption each, never revoked"));
}

//
#[tokio::test]
async fn nothing_that_a_killed_writer_acknowledged_is_lost() {
    let server = RedisServer::start(&[]);
    let (writer, (seed, mut rng)) = (Writer::new("w"), seeded_rng());
    let (kills, mut next) = (count(30, 1_000), 0);
    for kill in 0..kills {
        let mut actor = Actor::at(server.url().as_ref()).await;
        actor.tell(&format!("stores {next} 1000000")).await;
        let end = Instant::now() + Duration::from_micros(rng.random_range(0..100_000));
        let mut answers = Vec::new();
        while let Ok(line) = timeout_at(end, actor.hear()).await {
            answers.extend(line);
        }
        answers.extend(actor.kill().await);
        let acknowledged = next + answers.len() as u64;
        assert!(answers.iter().zip(next..).all(|(line, number)| *line == format!("ack {number}")), "{answers:?}");
        let cache = TokenCache::partitioned(server.storage());
        for number in acknowledged.saturating_sub(USERS)..acknowledged {
            // The last store may be done but not acknowledged yet; it renews the first of these.
            let is_there = finds(&cache, &writer, number).await || finds(&cache, &writer, number + USERS).await;
            assert!(is_there, "R-01, seed {seed}, kill {kill}: {number} of {acknowledged}");
        }
        next = acknowledged;
    }
    report("R-01", &format!("Redis: {kills} writers killed, {next} stores, 0 acknowledged entries lost"));
}

// the provider answers, the store does not.
#[tokio::test(flavor = "multi_thread")]
async fn sign_in_works_while_the_server_is_down() {
    let emulator = Emulator::builder().start().await.unwrap();
    let mut server = RedisServer::start(&[]);
    let client = PublicClient::builder(CLIENT)
        .authority(Authority::parse(&emulator.authority()).unwrap())
        .partitioned_storage(server.storage())
        .browser(RobotBrowser::user("ada@contoso.example"));
    let client = client.build().unwrap();
    server.stop();
    let scopes = Scopes::parse("User.Read").unwrap();
    let signed_in = client.acquire_token_interactive(&scopes).send().await.unwrap();
    assert!(!signed_in.persisted() && signed_in.account().is_some());
    let account = client.account("ada@contoso.example").await.unwrap();
    let again = client.acquire_token_silent(&scopes, account.as_ref()).send().await.unwrap();
    assert_eq!(again.access_token().expose(), signed_in.access_token().expose());
}

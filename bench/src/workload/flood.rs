//! R-51: an application's tokens for more and more tenants, in a cache with default limits.

use std::fs;
use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use auth::{AccountId, Authority, Secret, TokenCache};
use auth_cache::{AppQuery, AppTokenUpdate, GrantLookup, Limits};
use auth_core::{
    Application, ClientId, CorrelationId, Exchange as _, RefreshRedemption, RequestContext, Scopes, Timestamp, Tokens,
};
use http::Response;

use crate::generate::{CLIENT, app_scope, app_token, tenant_id};
use crate::order::Order;
use crate::ours::runtime;
use crate::row::{Bound, Row, Unit};
use crate::table::grouped;

/// The number of individually timed lookups.
const LOOKUPS: usize = 100_000;
const BEGIN: Timestamp = Timestamp::from_unix_seconds(1_767_225_600);

/// Measures it with this many tokens of 1,500 characters, each for a different tenant. One arrives per second and is
/// valid for a year.
#[must_use]
pub fn run(tenants: u64) -> Vec<Row> {
    let (runtime, cache) = (runtime(), TokenCache::in_memory());
    let client_id = ClientId::new(CLIENT).expect("a client id");
    let scopes = Scopes::parse(&app_scope(0)).expect("a scope");
    let (mut took, before) = (Duration::ZERO, memory());
    for number in 0..tenants {
        let now = BEGIN.saturating_add(Duration::from_secs(number));
        let authority = Arc::new(authority(number));
        let tokens = Arc::new(tokens(&authority, &client_id, &scopes, number, now));
        let update = AppTokenUpdate::new(authority, client_id.clone(), tokens);
        let begun = Instant::now();
        runtime.block_on(cache.store_app(update)).expect("nothing that could fail");
        took += begun.elapsed();
    }
    let grown = memory().zip(before).map(|(after, before)| after.saturating_sub(before));

    // Fewer than the limit, and all cached recently.
    let kept = usize::try_from(tenants).expect("small").min(Limits::DEFAULT.access_tokens / 4);
    let now = BEGIN.saturating_add(Duration::from_secs(tenants));
    let mut order = Order::below(kept);
    let mut times: Vec<_> = (0..LOOKUPS)
        .map(|_| {
            let number = tenants - 1 - order.draw() as u64;
            let authority = authority(number);
            let begun = Instant::now();
            let found =
                black_box(runtime.block_on(cache.lookup_app(&AppQuery::new(&authority, &client_id, &scopes), now)));
            let time = begun.elapsed().as_nanos() as f64;
            match found {
                Ok(GrantLookup::Usable(token)) => assert_eq!(token.access_token().expose(), app_token(number, 0)),
                other => panic!("no token for tenant {number}: {other:?}"),
            }
            time
        })
        .collect();
    times.sort_by(f64::total_cmp);

    let size = |what: &str| format!("{}, {what}", grouped(tenants));
    let each = took.as_nanos() as f64 / tenants as f64;
    let slowest = times[LOOKUPS - LOOKUPS / 100];
    let mut rows = vec![
        Row::new("flood", size("to cache one"), Unit::Nanoseconds, each),
        Row::new("flood", size("99 of 100 lookups"), Unit::Nanoseconds, slowest).figure(Bound::AtMost(5_000.0)),
    ];
    if let Some(grown) = grown {
        let ceiling = Limits::DEFAULT.bytes as f64;
        rows.push(Row::new("flood", size("memory at most"), Unit::Bytes, grown as f64).figure(Bound::AtMost(ceiling)));
    }
    rows
}

fn authority(number: u64) -> Authority {
    Authority::tenant(&tenant_id(number)).expect("a tenant id")
}

/// The token response for an application, parsed as that for an anonymous user.
fn tokens(authority: &Authority, client_id: &ClientId, scopes: &Scopes, number: u64, now: Timestamp) -> Tokens {
    let id = CorrelationId::generate(&mut rand::rng()).expect("random bytes");
    let context = RequestContext::new(Application::new(client_id.clone()), id);
    let metadata = authority.metadata().expect("compiled-in endpoints");
    let redemption = RefreshRedemption::new(context, metadata, Secret::new(String::new()), scopes.clone(), now)
        .expecting(AccountId::new(""), Vec::new());
    let (token, year) = (app_token(number, 0), 365 * 24 * 60 * 60);
    let body = format!(r#"{{"token_type":"Bearer","expires_in":{year},"access_token":"{token}"}}"#);
    let response = Response::builder().header("content-type", "application/json").body(body.into());
    redemption.complete(response.expect("a response"), now).expect("tokens")
}

/// The peak memory of this process in bytes, if the system reports it.
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}

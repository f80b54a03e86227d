//! an application that keeps requesting tokens for new tenants.

use std::sync::Mutex;

use super::*;
use crate::limits::{Evicted, memory};
use crate::testing::counted;
use crate::update::AppTokenUpdate;

const TENANTS: usize = 30_000;
const LIMIT: usize = 3_000;

fn tenant(number: usize) -> Authority {
    entra(&format!("aaaabbbb-0000-cccc-1111-{number:012x}"))
}

async fn put(cache: &TokenCache, number: usize, lifetime: u64, now: Timestamp) {
    let authority = tenant(number);
    let answer = [("access_token", json!(format!("at{number}"))), ("expires_in", json!(lifetime))];
    let tokens = tokens(&authority, "User.Read", &answer, now);
    cache.store_app(AppTokenUpdate::new(Arc::new(authority), client(), Arc::new(tokens))).await.unwrap();
}

async fn is_there(cache: &TokenCache, number: usize, now: Timestamp) -> bool {
    let (authority, client, wanted) = (tenant(number), client(), scopes("User.Read"));
    match cache.lookup_app(&AppQuery::new(&authority, &client, &wanted), now).await.unwrap() {
        GrantLookup::Usable(token) => {
            assert_eq!(token.access_token().expose(), format!("at{number}"), "another tenant's token");
            true
        }
        GrantLookup::UsableButRefresh(_) | GrantLookup::MustRequest(..) => false,
    }
}

// One token arrives each second, every tenth lives for five minutes, and the one of tenant 0 is used all the time.
#[tokio::test]
async fn a_flood_of_tenants_stays_below_the_limits() {
    for bytes in [usize::MAX, 1_800 * LIMIT] {
        let evicted = Arc::new(Mutex::new(Evicted::default()));
        let heard = Arc::clone(&evicted);
        let limits = Limits { access_tokens: LIMIT, bytes, ..Limits::DEFAULT };
        let cache = TokenCache::in_memory().with_limits(limits).on_event(move |event| {
            if let Event::Evicted(more) = event {
                let mut sum = heard.lock().unwrap();
                sum.expired += more.expired;
                sum.least_recently_used += more.least_recently_used;
            }
        });
        for number in 0..TENANTS {
            let now = at(i64::try_from(number).unwrap());
            put(&cache, number, if number % 10 == 9 { 300 } else { 100_000 }, now).await;
            assert!(is_there(&cache, 0, now).await, "it is in use, after {number}");
            let size = cache.whole().known().document.size();
            assert!(size.access_tokens <= LIMIT && memory(size) <= bytes, "{size:?} after {number}");
        }
        let snapshot = cache.whole().known();
        let size = snapshot.document.size();
        assert_eq!(size, counted(&snapshot.document));
        assert_eq!(snapshot.document.all().len(), size.access_tokens, "no tenant without a token is kept");
        let (evicted, now) = (*evicted.lock().unwrap(), at(i64::try_from(TENANTS).unwrap()));
        let ends: Vec<_> = snapshot
            .document
            .all()
            .iter()
            .map(|(_, own)| own.access_tokens[0].entry().unwrap().life.expires_on)
            .collect();
        assert!(ends.iter().all(|end| end.duration_until(now).as_secs() <= 200), "expired tokens are dropped");
        let short = ends.iter().filter(|end| now.duration_until(**end).as_secs() <= 300).count();
        assert_eq!(evicted.least_recently_used + ends.len() - short, TENANTS / 10 * 9, "nothing else is: {evicted:?}");
        assert!(size.access_tokens >= LIMIT / 2, "no more than necessary is dropped: {size:?}");
        for number in (TENANTS - LIMIT / 3..TENANTS).filter(|number| number % 10 != 9) {
            assert!(is_there(&cache, number, now).await, "{number} is recent");
        }
        assert!(!is_there(&cache, 1, now).await, "it was not used");
    }
}

//! W2: an application's own token, for many tenants and scopes.

use std::hint::black_box;

use auth::{Authority, Clock as _, Scopes, SystemClock};
use auth_cache::{AppQuery, CachedToken, GrantLookup, Limits, TokenCache};
use auth_core::ClientId;

use crate::generate::{CLIENT, Contents, app_scope, app_token, tenant_id};
use crate::limit::app::Apps;
use crate::measure::{Effort, compare};
use crate::order::Order;
use crate::ours::runtime;
use crate::row::{Bound, Row, Unit};

/// Measures it with this many tenants and scopes.
#[must_use]
pub fn run(tenants: u64, scopes: u64, effort: Effort) -> Row {
    let (figure, ratio) = if tenants * scopes <= 1_000 { (200.0, 3.3) } else { (1_100.0, 2.1) };
    let document = Contents::App { tenants, scopes }.to_bytes();
    let mut limits = Limits::DEFAULT;
    limits.bytes = usize::MAX;
    let cache = TokenCache::in_memory().with_limits(limits);
    cache.merge_json(&document).expect("a cache document");
    let mut apps = Apps::default();
    apps.merge(&document);
    drop(document);

    let client_id = ClientId::new(CLIENT).expect("a client id");
    let realms: Vec<_> = (0..tenants).map(tenant_id).collect();
    let authorities: Vec<_> = realms.iter().map(|realm| Authority::tenant(realm).expect("a tenant id")).collect();
    let names: Vec<_> = (0..scopes).map(app_scope).collect();
    let wanted: Vec<_> = names.iter().map(|name| Scopes::parse(name).expect("a scope")).collect();
    let pair = |number: usize| (number / names.len(), number % names.len());

    let ours = async |number: usize| -> CachedToken {
        let (tenant, scope) = pair(number);
        let query = AppQuery::new(&authorities[tenant], &client_id, &wanted[scope]);
        match cache.lookup_app(&query, SystemClock.now()).await {
            Ok(GrantLookup::Usable(token)) => token,
            other => panic!("no token for tenant {tenant} and scope {scope}: {other:?}"),
        }
    };
    let bare = |number: usize| {
        let (tenant, scope) = pair(number);
        apps.hit(CLIENT, &realms[tenant], &names[scope]).expect("a token")
    };
    let runtime = runtime();
    let count = realms.len() * names.len();
    for number in [0, count / 2, count - 1] {
        let (tenant, scope) = pair(number);
        let expected = app_token(tenant as u64, scope as u64);
        assert_eq!(
            runtime.block_on(ours(number)).access_token().expose(),
            expected,
            "not the token of this tenant and scope"
        );
        assert_eq!(*bare(number).0, expected);
    }
    // Entries are parsed at the first lookup for their tenant, which is not measured here.
    for number in (0..count).step_by(names.len()) {
        black_box(runtime.block_on(ours(number)));
    }
    let (mut our_order, mut bare_order) = (Order::below(count), Order::below(count));
    let figures = compare(
        effort,
        &mut |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    black_box(ours(our_order.draw()).await);
                }
            });
        },
        &mut |count| {
            for _ in 0..count {
                black_box(bare(bare_order.draw()));
            }
        },
    );
    let row = Row::compared("W2", format!("{tenants}×{scopes}"), Unit::Nanoseconds, figures);
    row.figure(Bound::AtMost(figure)).ratio(Bound::AtMost(ratio))
}

//! A silent hit hardly allocates. The test has a counting allocator, and therefore its own program.

use std::hint::black_box;

use auth_bench::generate::Users;
use auth_bench::ours::provider::Silence;
use auth_bench::ours::{account, check, client, memory, runtime, silent, wanted};

/// How often a hit may allocate.
const ALLOWED: u64 = 2;

#[test]
fn a_silent_hit_allocates_at_most_twice() {
    let (runtime, scopes, account) = (runtime(), wanted(), account(1));
    let app = client(memory(&Users::first(3)), Silence);
    runtime.block_on(check(&app, &scopes, 1, false));
    let hit = || drop(black_box(runtime.block_on(silent(&app, &scopes, &account))));
    let (first, second) = (allocation_counter::measure(hit), allocation_counter::measure(hit));
    assert_eq!(first.count_total, second.count_total, "hits differ in their allocations");
    assert!(first.count_total <= ALLOWED, "a hit allocates {} times: {first:?}", first.count_total);
    assert_eq!(first.count_current, 0, "a hit leaves something behind: {first:?}");
}

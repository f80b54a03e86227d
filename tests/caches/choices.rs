//! The queries in which the libraries differ, and what we answer. `tests/fixtures/README.md` says why.

use auth_tests::fixtures::{self, Fixture, Query};

/// What we answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// What the description says.
    AsDescribed,
    /// The token in the cache; it is refreshed beside.
    CacheAndRefresh,
    /// A new token, for which the refresh token is redeemed.
    Refresh,
    /// Nothing, without asking anybody.
    Nothing,
}

/// By case, with its library where that matters, and query.
const CHOICES: [(&str, &str, Choice); 14] = [
    ("a_msa", "hit", Choice::AsDescribed),
    ("a_organizations", "hit_same_authority", Choice::AsDescribed),
    ("a_organizations", "hit_home_tenant_authority", Choice::Refresh),
    ("a_single_user", "superset_token_serves_email_scope_too", Choice::AsDescribed),
    ("a_single_user", "scope_in_lower_case", Choice::AsDescribed),
    ("msal-go/a_tenant_domain", "hit_guid", Choice::Refresh),
    ("msal-node/a_tenant_domain", "hit_guid", Choice::AsDescribed),
    ("c_two_users_two_clouds", "gov_user_not_found_in_public_cloud", Choice::AsDescribed),
    ("d_foci", "sibling_uses_family_refresh_token", Choice::Nothing),
    ("d_foci_expired", "sibling_refresh", Choice::Nothing),
    ("msal-node/f_obo", "silent_by_account", Choice::Refresh),
    ("msal-python/f_obo", "silent_by_account", Choice::AsDescribed),
    ("k_refresh_in_due", "proactive_refresh", Choice::CacheAndRefresh),
    ("k_ssh_cert", "bearer_request_must_not_get_it", Choice::AsDescribed),
];

/// The choice for a query. A required query leaves none.
pub(crate) fn of(fixture: &Fixture, query: &Query) -> Choice {
    if !query.informational {
        return Choice::AsDescribed;
    }
    let mut chosen = CHOICES.iter().filter(|row| concerns(row, fixture, query));
    let choice = chosen.next().unwrap_or_else(|| panic!("{} {}: nothing is chosen", fixture.name, query.name)).2;
    assert_eq!(chosen.next(), None, "{} {}: chosen once", fixture.name, query.name);
    choice
}

fn concerns(row: &(&str, &str, Choice), fixture: &Fixture, query: &Query) -> bool {
    let (case, name, _) = *row;
    (case == fixture.name || case == fixture.meta.case) && name == query.name
}

#[test]
fn every_choice_is_about_a_query() {
    let fixtures = fixtures::all();
    for row in &CHOICES {
        let concerned = |fixture: &Fixture| {
            fixture.meta.queries.iter().any(|query| query.informational && concerns(row, fixture, query))
        };
        assert!(fixtures.iter().any(concerned), "{row:?}");
    }
}

//! The queries in which the libraries differ, and what we answer. `tests/fixtures/README.md` says why.

use auth_tests::fixtures::{self, Fixture, Query};

/// Our answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Choice {
    /// What the description says.
    AsDescribed,
    /// The cached token, which is refreshed in the background.
    CacheAndRefresh,
    /// A new token, by redeeming the refresh token.
    Refresh,
    /// Nothing, without a token request.
    Nothing,
}

/// By case, prefixed with the library if that matters, and query.
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

/// Our choice for a query; a required query leaves none.
pub(crate) fn of(fixture: &Fixture, query: &Query) -> Choice {
    if !query.informational {
        return Choice::AsDescribed;
    }
    let mut chosen = CHOICES.iter().filter(|row| concerns(row, fixture, query));
    let choice = chosen.next().unwrap_or_else(|| panic!("{} {}: no choice", fixture.name, query.name)).2;
    assert_eq!(chosen.next(), None, "{} {}: more than one choice", fixture.name, query.name);
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

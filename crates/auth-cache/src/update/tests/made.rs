//! An entry made from a response equals the one that is read from its text.

use core::fmt::Debug;

use auth_core::TenantProfile;

use super::*;
use crate::assertion::Assertion;
use crate::document::{Item, Partition};
use crate::extension::Extension;
use crate::members::Entry;
use crate::testing::scopes;

/// Compares every entry of a section with the one read from its text.
fn compare<E: Entry, T: PartialEq + Debug>(items: &[Arc<Item<E>>], say: impl Fn(&E) -> T) -> usize {
    for item in items {
        let read = E::read(&item.members().unwrap()).unwrap();
        assert_eq!(say(item.entry().unwrap()), say(&read), "{}", item.json());
        let (estimate, size) = (item.size(), item.key().len() + item.json().len());
        assert!(estimate >= size / 2 && estimate <= size * 2, "{estimate} of {size}: {}", item.json());
    }
    items.len()
}

fn check(partition: &Partition) -> [usize; 4] {
    [
        compare(&partition.access_tokens, |entry| {
            let names = [&entry.environment, &entry.client_id, &entry.realm].map(|name| name.to_string());
            let life = (entry.life.cached_at, entry.life.expires_on, entry.life.refresh_on, entry.life.draw);
            let kind = entry.kind_and_assertion();
            (names, life, kind, entry.scopes.clone(), entry.secret.expose().to_owned())
        }),
        compare(&partition.refresh_tokens, |entry| {
            let names = [&*entry.environment, &entry.client_id, &entry.family_id].map(str::to_owned);
            (names, entry.secret.expose().to_owned(), entry.last_modification_time, entry.is_bound)
        }),
        compare(&partition.id_tokens, |entry| {
            let names = [&entry.environment, &entry.client_id, &entry.realm].map(|name| name.to_string());
            (names, entry.secret.expose().to_owned(), entry.issuer().map(str::to_owned), entry.issued_at())
        }),
        compare(&partition.accounts, |entry| {
            let more = (entry.source.clone(), entry.last_modification_time, entry.profiles.len());
            (Account::clone(&entry.account), more)
        }),
    ]
}

#[test]
fn entries_of_a_user_read_back_the_same() {
    let mut guest = Account::new(crate::testing::home_account(), "elsewhere", "");
    guest.tenant_profiles = vec![TenantProfile::new(GUEST, "oid")];
    guest.name = Some(String::new());
    (guest.source, guest.can_refresh, guest.last_sign_in) = (Some("broker".to_owned()), true, Some(NOW));
    for (authority, more, account) in [
        (entra(T), vec![], None),
        (entra("common"), vec![("foci", json!("1")), ("scope", json!("User.Read Mail.Read openid a\u{2f}B"))], None),
        (entra(T), vec![("refresh_in", json!(600)), ("ext_expires_in", json!(9999))], Some(guest)),
        (crate::testing::oidc("https://login.example/staff"), vec![("scope", json!("b A"))], None),
        (Authority::parse("https://adfs.contoso.example/adfs").unwrap(), vec![], None),
    ] {
        let answer: Vec<_> = sign_in(&authority, T, "u").into_iter().chain(more).collect();
        let tokens = tokens(&authority, "User.Read", &answer, NOW);
        let account = account.unwrap_or_else(|| account_of(&tokens, &authority));
        let (document, id) = (document(&[]), account.home_account_id.clone());
        let update = TokenUpdate::from_sign_in(Arc::new(authority), client(), account, Arc::new(tokens));
        assert!(update.apply(&document, Moment::First));
        assert_eq!(document.user(&id, check), Some([1; 4]));
    }
}

#[test]
fn entries_of_an_application_read_back_the_same() {
    let authority = Arc::new(entra(T));
    for (extension, scope) in
        [(Extension::default(), "api://x/.default"), (Extension::new([("fmi_path", "a/b"), ("c", "\"")]), "b A")]
    {
        let answer = [("access_token", json!("at")), ("scope", json!(scope))];
        let tokens = Arc::new(tokens(&authority, "User.Read", &answer, NOW));
        let app = AppTokenUpdate { extension, ..AppTokenUpdate::new(Arc::clone(&authority), client(), tokens) };
        let document = document(&[]);
        app.apply(&document, Moment::First);
        AssertionTokenUpdate::new(Assertion::from_token("token"), None, app).apply(&document, Moment::First);
        for (_, partition) in document.all() {
            assert_eq!(check(&partition), [1, 0, 0, 0]);
            assert!(entries(&partition.access_tokens).all(|entry| entry.scopes.contains_all(&scopes(scope))));
        }
        assert_eq!(document.all().len(), 2);
    }
}

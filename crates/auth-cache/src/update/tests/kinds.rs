//! Authorities other than Entra: what is written, and that it replaces what other libraries wrote under another realm.

use auth_core::AccountId;

use super::*;
use crate::lookup::{Lookup, Query, lookup};
use crate::testing::{base64url, jwt, scopes, with};

/// A response with these claims and, if the kind of authority sends it, the home account ID `uid.T`.
fn answer(iss: &str, tid: Option<&str>, uid: Option<&str>) -> Vec<(&'static str, Value)> {
    let now = NOW.as_unix_seconds();
    let mut claims = json!({"iss": iss, "sub": "s", "aud": CLIENT, "exp": now + 3600, "iat": now});
    if let Some(tid) = tid {
        claims["tid"] = json!(tid);
    }
    let mut answer = vec![("refresh_token", json!("new-rt")), ("id_token", json!(jwt(&claims)))];
    answer.extend(uid.map(|uid| ("client_info", json!(base64url(&json!({"uid": uid, "utid": T}).to_string())))));
    answer
}

#[test]
fn each_kind_is_written_as_other_libraries_read_it() {
    const B2C: &str = "https://contoso.b2clogin.com/contoso.example/B2C_1_SignIn";
    let b2c_issuer = format!("https://contoso.b2clogin.com/{T}/v2.0/");
    let ciam_issuer = format!("https://{T}.ciamlogin.com/{T}/v2.0");
    let dsts = format!("https://dsts.example/dstsv2/{T}");
    let b2c_account = format!("u-b2c_1_signin.{T}");
    for (authority, answer, theirs, id, realm, authority_type) in [
        (
            B2C,
            answer(&b2c_issuer, None, Some("u-b2c_1_signin")),
            "B2C_1_SignIn",
            &*b2c_account,
            "contoso.example",
            "MSSTS",
        ),
        ("https://contoso.ciamlogin.com", answer(&ciam_issuer, Some(T), Some("u")), T, &home_id(), T, "MSSTS"),
        ("https://adfs.example/adfs", answer("https://adfs.example/adfs", None, None), "", "s", "adfs", "ADFS"),
        (&dsts, answer(&dsts, None, Some("u")), T, &home_id(), T, "MSSTS"),
    ] {
        let text = authority;
        let authority = Authority::parse(authority).unwrap();
        let own =
            [("home_account_id", json!(id)), ("environment", json!(authority.environment())), ("realm", json!(theirs))];
        let old_id_token = answer.iter().find(|(name, _)| *name == "id_token").unwrap().1.clone();
        let document = document(&[
            ("AccessToken", access_token("old-at", &own)),
            ("RefreshToken", refresh_token("old-rt", &own)),
            ("IdToken", with(id_token("", &own), &[("secret", old_id_token)])),
            ("Account", account("ada", &own)),
        ]);
        assert!(apply(&document, &authority, &answer, true), "{text}");
        let written = value(&document);
        for section in ["AccessToken", "IdToken", "Account"] {
            let entries: Vec<_> = written[section].as_object().unwrap().values().collect();
            assert_eq!(entries.len(), 1, "{text}: {section}");
            assert_eq!((&entries[0]["realm"], &entries[0]["home_account_id"]), (&json!(realm), &json!(id)), "{text}");
            assert_eq!(entries[0]["environment"], authority.environment(), "{text}");
        }
        let account = written["Account"].as_object().unwrap().values().next().unwrap();
        assert_eq!(account["authority_type"], authority_type, "{text}");
        assert_eq!(secrets(&document, "AccessToken"), ["new-at"], "{text}");
        assert_eq!(secrets(&document, "RefreshToken"), ["new-rt"], "{text}");

        let (client, account, wanted) = (client(), AccountId::new(id), scopes("User.Read"));
        let query = Query::new(&authority, &client, &account, &wanted);
        let Lookup::Usable(token) = lookup(&document, &query, NOW) else { panic!("{text}") };
        assert!(token.id_token().is_some() && token.account().is_some(), "{text}");
    }
}

#[test]
fn adfs_does_not_find_tokens_of_another_issuer_on_its_host() {
    let adfs = Authority::parse("https://idp.example/adfs").unwrap();
    let neighbour = Authority::oidc("https://idp.example/realms/a").unwrap();
    let document = document(&[]);
    assert!(apply(&document, &neighbour, &answer("https://idp.example/realms/a", None, None), false));
    let (client, account, wanted) = (client(), AccountId::new("s"), scopes("User.Read"));
    let query = Query::new(&adfs, &client, &account, &wanted);
    assert!(matches!(lookup(&document, &query, NOW), Lookup::Nothing));
}

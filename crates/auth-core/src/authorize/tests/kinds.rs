//! The whole authorization request for every kind of authority, and the mailbox header of its redemption.

use super::*;
use crate::authority::metadata::ProviderMetadata;
use crate::testing::client_info;

/// The URL, with placeholders for the random values.
fn url(provider: ProviderMetadata) -> String {
    let redirect = RedirectUri::parse("http://localhost:8400").unwrap();
    let mut request = AuthorizationRequest::new(context(), provider, redirect, scopes("User.Read"));
    request.login_hint = Some("ada@contoso.example".to_owned());
    let pending = begun(request);
    let drawn = [
        (pending.state.expose().to_owned(), "STATE"),
        (pending.nonce.expose().to_owned(), "NONCE"),
        (pending.verifier.challenge(), "CHALLENGE"),
        (CORRELATION.to_owned(), "ID"),
    ];
    drawn.iter().fold(pending.url().to_string(), |url, (value, name)| url.replace(value.as_str(), name))
}

fn discovered(issuer: Authority, document: &Value) -> ProviderMetadata {
    OpenIdConfiguration::new(context(), &issuer).unwrap().complete(json_response(200, document), NOW).unwrap().metadata
}

fn adfs(modes: Value) -> ProviderMetadata {
    let base = "https://adfs.contoso.example/adfs";
    let document = json!({
        "issuer": base,
        "authorization_endpoint": format!("{base}/oauth2/authorize/"),
        "token_endpoint": format!("{base}/oauth2/token/"),
        "response_modes_supported": modes,
    });
    discovered(Authority::parse(base).unwrap(), &document)
}

#[test]
fn the_url_has_the_parameters_of_its_kind() {
    let compiled_in = |text: &str| Authority::parse(text).unwrap().metadata().unwrap();
    let b2c = Authority::parse("https://contoso.b2clogin.com/contoso.example/B2C_1_SignIn").unwrap();
    for (provider, endpoint, mode, client_info) in [
        (
            compiled_in("https://login.microsoftonline.com"),
            "https://login.microsoftonline.com/common/oauth2/v2.0/authorize",
            "form_post",
            true,
        ),
        (
            compiled_in("https://login.microsoftonline.us/contoso.example"),
            "https://login.microsoftonline.us/contoso.example/oauth2/v2.0/authorize",
            "form_post",
            true,
        ),
        (
            b2c.metadata().unwrap(),
            "https://contoso.b2clogin.com/contoso.example/b2c_1_signin/oauth2/v2.0/authorize",
            "form_post",
            true,
        ),
        (
            b2c.with_user_flow("B2C_1_Edit").unwrap().metadata().unwrap(),
            "https://contoso.b2clogin.com/contoso.example/b2c_1_edit/oauth2/v2.0/authorize",
            "form_post",
            true,
        ),
        (
            compiled_in("https://login.contoso.example/tfp/contoso.example/B2C_1_SignIn"),
            "https://login.contoso.example/tfp/contoso.example/b2c_1_signin/oauth2/v2.0/authorize",
            "form_post",
            true,
        ),
        (
            compiled_in("https://contoso.ciamlogin.com"),
            "https://contoso.ciamlogin.com/contoso.onmicrosoft.com/oauth2/v2.0/authorize",
            "form_post",
            true,
        ),
        // ADFS 2016 does not list form posts, later versions do; nothing is assumed without discovery.
        (
            compiled_in("https://adfs.contoso.example/adfs"),
            "https://adfs.contoso.example/adfs/oauth2/authorize",
            "query",
            false,
        ),
        (adfs(Value::Null), "https://adfs.contoso.example/adfs/oauth2/authorize/", "query", false),
        (adfs(json!(["query", "fragment"])), "https://adfs.contoso.example/adfs/oauth2/authorize/", "query", false),
        (adfs(json!(["form_post"])), "https://adfs.contoso.example/adfs/oauth2/authorize/", "form_post", false),
        (
            compiled_in("https://dsts.example/dstsv2/contoso.example"),
            "https://dsts.example/dstsv2/contoso.example/oauth2/v2.0/authorize",
            "form_post",
            true,
        ),
        (metadata(&[]), "https://idp.example/authorize", "query", true),
        (
            metadata(&[("response_modes_supported", json!(["query", "form_post"]))]),
            "https://idp.example/authorize",
            "form_post",
            true,
        ),
    ] {
        let client_info = if client_info { "&client_info=1" } else { "" };
        let expected = format!(
            "{endpoint}?client_id=my-client-id&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A8400\
             &response_mode={mode}&scope=User.Read%20openid%20profile%20offline_access&state=STATE&nonce=NONCE\
             &code_challenge=CHALLENGE&code_challenge_method=S256&client-request-id=ID\
             &login_hint=ada%40contoso.example{client_info}"
        );
        assert_eq!(url(provider), expected);
    }
}

const UID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const UTID: &str = "bbbbbbbb-0000-cccc-1111-dddd2222eeee";

// Only Entra routes by account; other providers must not receive the header.
#[test]
fn the_redemption_at_entra_names_the_mailbox() {
    let compiled_in = |text: &str| Authority::parse(text).unwrap().metadata().unwrap();
    for (provider, sent) in [
        (compiled_in("https://login.microsoftonline.com/common"), true),
        (compiled_in("https://contoso.ciamlogin.com"), true),
        (compiled_in("https://contoso.b2clogin.com/contoso.example/b2c_1"), false),
        (compiled_in("https://adfs.contoso.example/adfs"), false),
        (compiled_in("https://dsts.example/dstsv2/contoso.example"), false),
        (metadata(&[]), false),
    ] {
        let info = format!("&client_info={}", client_info(UID, UTID));
        for (response, expected) in [
            (info.as_str(), format!("oid:{UID}@{UTID}")),
            ("", "upn:ada@contoso.example".to_owned()),
            ("&client_info=nonsense", "upn:ada@contoso.example".to_owned()),
        ] {
            let redirect = RedirectUri::parse("http://localhost:8400").unwrap();
            let mut request = AuthorizationRequest::new(context(), provider.clone(), redirect, scopes("User.Read"));
            request.login_hint = Some("ada@contoso.example".to_owned());
            let redemption = accept(begun(request), &format!("code=c&state=STATE{response}")).unwrap();
            let request = redemption.request();
            let mailbox = request.headers().get("x-anchormailbox").map(|value| value.to_str().unwrap());
            assert_eq!(mailbox, sent.then_some(expected.as_str()), "{} {response}", request.uri());
            assert!(!format!("{redemption:?} {:?}", request.headers()).contains("ada@"));
        }
    }
}

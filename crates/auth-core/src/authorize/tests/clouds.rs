//! S-06: where a code goes when the response names another cloud.

use super::*;

fn entra(authority: &Authority, multi_cloud: bool) -> PendingAuthorization {
    let redirect = RedirectUri::parse("http://localhost:8400").unwrap();
    let provider = authority.metadata().unwrap();
    let mut request = AuthorizationRequest::new(context(), provider, redirect, scopes("User.Read"));
    request.multi_cloud = multi_cloud.then(|| authority.clone());
    begun(request)
}

const UNKNOWN: &str = "protocol: the authorization response has an unusable cloud_instance_host_name";
const OWN: &str = "https://login.microsoftonline.com/organizations/oauth2/v2.0/token";
const GOVERNMENT: &str = "https://login.microsoftonline.us/organizations/oauth2/v2.0/token";
const CHINA: &str = "https://login.partner.microsoftonline.cn/organizations/oauth2/v2.0/token";

#[test]
fn only_a_compiled_in_cloud_and_only_where_it_was_wished() {
    let authority = Authority::tenant("organizations").unwrap();
    for (host, expected, environment) in [
        (None, OWN, None),
        (Some(""), OWN, None),
        (Some("login.microsoftonline.com"), OWN, None),
        (Some("login.windows.net"), OWN, None),
        (Some("login.microsoftonline.us"), GOVERNMENT, Some("login.microsoftonline.us")),
        (Some("login.usgovcloudapi.net"), GOVERNMENT, Some("login.microsoftonline.us")),
        (Some("LOGIN.MicrosoftOnline.US"), GOVERNMENT, Some("login.microsoftonline.us")),
        (Some("login.chinacloudapi.cn"), CHINA, Some("login.partner.microsoftonline.cn")),
        (Some("evil.example"), UNKNOWN, None),
        (Some("login.microsoftonline.us.evil.example"), UNKNOWN, None),
        (Some("login.microsoftonline.us."), UNKNOWN, None),
        (Some("login.microsoftonline.us:443"), UNKNOWN, None),
        (Some("https://login.microsoftonline.us"), UNKNOWN, None),
        (Some("login.microsoftonline.us/evil"), UNKNOWN, None),
        (Some("evil@login.microsoftonline.us"), UNKNOWN, None),
        (Some("contoso.b2clogin.com"), UNKNOWN, None),
        (Some("127.0.0.1"), UNKNOWN, None),
    ] {
        let named = host.map(|host| format!("&cloud_instance_host_name={host}")).unwrap_or_default();
        let response = format!("code=c&state=STATE{named}");
        match accept(entra(&authority, true), &response) {
            Ok(redemption) => {
                assert_eq!(redemption.request().uri(), expected, "{host:?}");
                let other = redemption.other_cloud().map(Authority::environment);
                assert_eq!(other, environment, "{host:?}");
                assert_eq!(redemption.metadata().token_endpoint(), expected);
            }
            Err(error) => assert_eq!(kind(&error), expected, "{host:?}"),
        }
        // Who did not wish it does not even look.
        let redemption = accept(entra(&authority, false), &response).unwrap();
        assert_eq!(
            (redemption.request().uri().to_string().as_str(), redemption.other_cloud()),
            (OWN, None),
            "{host:?}"
        );
    }
    for twice in ["cloud_instance_host_name=a&cloud_instance_host_name=a", "client_info=a&client_info=a"] {
        assert!(AuthorizationResponse::parse(format!("code=c&state=s&{twice}").as_bytes()).is_err());
    }
}

#[test]
fn the_provider_is_told_that_it_may_name_one() {
    let authority = Authority::tenant("organizations").unwrap();
    assert_eq!(query(&entra(&authority, true))["instance_aware"], "true");
    assert!(!query(&entra(&authority, false)).contains_key("instance_aware"));
}

// Whichever cloud the user is at home in posts the response (S-18).
#[test]
fn every_cloud_may_post_the_response_where_it_was_wished() {
    let authority = Authority::tenant("organizations").unwrap();
    for (multi_cloud, origin, expected) in [
        (true, "https://login.microsoftonline.com", true),
        (true, "https://login.microsoftonline.us", true),
        (true, "https://login.usgovcloudapi.net", true),
        (true, "https://login.partner.microsoftonline.cn", true),
        (true, "https://evil.example", false),
        (false, "https://login.microsoftonline.com", true),
        (false, "https://login.microsoftonline.us", false),
    ] {
        let origins = entra(&authority, multi_cloud).response_origins();
        let named = origins.iter().filter(|own| *own == origin).count();
        assert_eq!(named, usize::from(expected), "{origin} {multi_cloud}");
    }
}

// The state and the issuer come first, and a refusal is one wherever it came from.
#[test]
fn the_cloud_comes_last() {
    let authority = Authority::tenant("organizations").unwrap();
    for (response, expected) in [
        ("code=c&state=x&cloud_instance_host_name=evil.example", FOREIGN),
        ("code=c&state=STATE&iss=https%3A%2F%2Fevil.example&cloud_instance_host_name=evil.example", OTHER_ISSUER),
        ("error=access_denied&state=STATE&cloud_instance_host_name=evil.example", "server access_denied"),
        ("code=c&state=STATE&cloud_instance_host_name=evil.example", UNKNOWN),
    ] {
        assert_eq!(kind(&accept(entra(&authority, true), response).unwrap_err()), expected, "{response}");
    }
}

// What is redeemed in a cloud must be issued there.
#[test]
fn the_tokens_must_be_of_that_cloud() {
    let authority = Authority::tenant("organizations").unwrap();
    let tid = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    for (host, accepted) in [
        ("login.microsoftonline.us", true),
        ("login.usgovcloudapi.net", true),
        ("login.microsoftonline.com", false),
        ("evil.example", false),
    ] {
        let pending = entra(&authority, true);
        let iss = format!("https://{host}/{tid}/v2.0");
        let claims =
            with(id_claims(), &[("nonce", json!(pending.nonce.expose())), ("iss", json!(iss)), ("tid", json!(tid))]);
        let body = with(tokens(), &[("id_token", json!(jwt(&claims)))]);
        let redemption = accept(pending, "code=c&state=STATE&cloud_instance_host_name=login.microsoftonline.us");
        assert_eq!(redemption.unwrap().complete(json_response(200, &body), NOW).is_ok(), accepted, "{host}");
    }
}

#[test]
fn every_cloud_once_and_the_own_first() {
    let hosts = |text: &str| -> Vec<String> {
        let every = Authority::parse(text).unwrap().in_every_cloud();
        every.iter().map(|authority| authority.host().to_owned()).collect()
    };
    let all = hosts("https://login.windows.net/contoso.example");
    assert_eq!((all.len(), all[0].as_str()), (9, "login.windows.net"));
    assert!(!all.contains(&"login.microsoftonline.com".to_owned()), "it is the same cloud: {all:?}");
    assert_eq!(hosts("https://contoso.b2clogin.com/contoso.example/b2c_1"), ["contoso.b2clogin.com"]);
}

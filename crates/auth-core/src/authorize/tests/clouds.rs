//! S-06: where a code is redeemed if the response names another cloud.

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
fn a_code_goes_to_another_known_cloud_only_on_request() {
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
        // Without the option, the parameter is ignored.
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
fn the_request_says_that_the_response_may_name_a_cloud() {
    let authority = Authority::tenant("organizations").unwrap();
    assert_eq!(query(&entra(&authority, true))["instance_aware"], "true");
    assert!(!query(&entra(&authority, false)).contains_key("instance_aware"));
}

// The user's home cloud posts the response (S-18).
#[test]
fn every_cloud_may_post_the_response_only_on_request() {
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

// The state, the issuer and the error are checked first.
#[test]
fn the_cloud_is_checked_last() {
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

// Tokens must be issued by the cloud that redeemed the code.
#[test]
fn tokens_of_another_cloud_are_refused() {
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
fn every_cloud_is_listed_once_with_the_own_cloud_first() {
    let hosts = |text: &str| -> Vec<String> {
        let every = Authority::parse(text).unwrap().in_every_cloud();
        every.iter().map(|authority| authority.host().to_owned()).collect()
    };
    let all = hosts("https://login.windows.net/contoso.example");
    assert_eq!((all.len(), all[0].as_str()), (9, "login.windows.net"));
    assert!(!all.contains(&"login.microsoftonline.com".to_owned()), "it is the same cloud: {all:?}");
    assert_eq!(hosts("https://contoso.b2clogin.com/contoso.example/b2c_1"), ["contoso.b2clogin.com"]);
}

use proptest::prelude::*;

use super::*;

#[test]
fn entra_authorities_are_parsed_canonically() {
    for (text, environment, token_endpoint) in [
        (
            "https://login.microsoftonline.com/contoso.example",
            "login.windows.net",
            Some("https://login.microsoftonline.com/contoso.example/oauth2/v2.0/token"),
        ),
        ("https://login.windows.net", "login.windows.net", Some("https://login.windows.net/common/oauth2/v2.0/token")),
        (
            "https://login.chinacloudapi.cn/common/",
            "login.partner.microsoftonline.cn",
            Some("https://login.chinacloudapi.cn/common/oauth2/v2.0/token"),
        ),
        ("http://127.0.0.1:8400/common", "127.0.0.1", Some("http://127.0.0.1:8400/common/oauth2/v2.0/token")),
        ("https://sts.contoso.example/common", "sts.contoso.example", None),
    ] {
        let authority = Authority::parse(text).unwrap();
        assert_eq!(authority.environment(), environment, "{text}");
        let endpoint = authority.metadata().map(|metadata| metadata.token_endpoint().to_string());
        assert_eq!(endpoint.as_deref(), token_endpoint, "{text}");
        assert_eq!(authority.needs_instance_discovery(), token_endpoint.is_none(), "{text}");
    }
    assert!(Authority::parse("https://login.microsoftonline.com/a.example/b").is_err());
    assert!(Authority::tenant("not a tenant").is_err());
}

#[test]
fn environments_are_matched_by_alias() {
    for (authority, environment, matches) in [
        (Authority::tenant("common").unwrap(), "login.microsoftonline.com", true),
        (Authority::tenant("common").unwrap(), "STS.windows.net", true),
        (Authority::tenant("common").unwrap(), "login.microsoftonline.us", false),
        (Authority::oidc("https://idp.example/a").unwrap(), "idp.example", true),
        (Authority::oidc("https://localhost:8400/a").unwrap(), "localhost", true),
        (Authority::oidc("https://localhost:8400/a").unwrap(), "localhost:8400", true),
        (Authority::oidc("https://localhost:8400/a").unwrap(), "localhost:8401", false),
        (Authority::parse("http://[::1]:8400/common").unwrap(), "[::1]:8400", true),
    ] {
        assert_eq!(authority.is_environment(environment), matches, "{authority} {environment}");
    }
}

#[test]
fn instance_discovery_only_adds_names() {
    let unknown = Authority::parse("https://sts.contoso.example/common").unwrap();
    let instance = InstanceMetadata {
        aliases: vec!["sts.contoso.example".to_owned(), "other.example".to_owned()],
        preferred_cache: "other.example".to_owned(),
    };
    let known = unknown.with_instance(instance.clone());
    assert_eq!(known.environment(), "other.example");
    assert_eq!(
        known.metadata().unwrap().token_endpoint().to_string(),
        "https://sts.contoso.example/common/oauth2/v2.0/token"
    );
    let public = Authority::tenant("common").unwrap();
    assert_eq!(public.with_instance(instance), public);
    assert_eq!(
        unknown.instance_discovery_url().unwrap().host(),
        Some("login.microsoftonline.com"),
        "only a compiled-in host is asked"
    );
}

/// S-36, S-37: hosts that the application opted into; the issuer decides which cache entries count.
#[test]
fn options_allow_ports_and_local_hosts() {
    let options = Authority::options().allow_ports().danger_allow_local_hosts();
    for (text, environments, known_host) in [
        ("https://login.private.example:8443/common", ["login.private.example", "login.private.example:8443"], true),
        ("https://10.0.0.5/contoso.example", ["10.0.0.5", "10.0.0.5"], true),
        ("https://adfs/adfs", ["adfs", "ADFS"], false),
        ("https://[2001:db8::5]:8443/adfs", ["[2001:db8::5]", "[2001:db8::5]:8443"], false),
        ("https://dsts.example:8443/dstsv2/a.example", ["dsts.example", "dsts.example:8443"], false),
    ] {
        assert!(Authority::parse(text).is_err(), "{text}");
        let authority = options.parse(text).unwrap();
        assert_eq!((authority.to_string().as_str(), authority.environment()), (text, authority.host()));
        assert!(environments.iter().all(|name| authority.is_environment(name)) && authority.issuer_decides(), "{text}");
        assert!(!authority.is_environment(&format!("{}:8444", authority.host())), "{text}");
        assert_eq!(authority.needs_instance_discovery(), known_host, "{text}");
        let known = authority.known_among([authority.host()]).unwrap();
        let endpoint = known.metadata().unwrap().token_endpoint().clone();
        assert!(endpoint.to_string().starts_with(text.trim_end_matches("adfs")), "{endpoint}");
        assert!(known.issuer().owns(&endpoint) && endpoint.scheme_str() == Some("https"), "{endpoint}");
    }
    for text in [
        "https://login.microsoftonline.com:8443/common",
        "https://sts.windows.net:8443/common",
        "https://contoso.ciamlogin.com:8443",
        "https://contoso.b2clogin.com:8443/contoso.example/b2c_1",
    ] {
        assert!(options.parse(text).is_err(), "{text}: Microsoft's hosts use port 443 only");
    }
    let issuer = "https://10.0.0.5:8443/realms/staff";
    assert!(Authority::oidc(issuer).is_err());
    assert!(options.oidc(issuer).unwrap().is_issuer(issuer));
}

/// S-39: only the caller can declare a host known, and only if it is not known at compile time.
#[test]
fn known_hosts_need_no_instance_discovery() {
    const HOST: &str = "login.private.example";
    for (authority, hosts, needs_discovery) in [
        ("https://login.private.example/contoso.example", &[][..], true),
        ("https://login.private.example/contoso.example", &[HOST][..], false),
        ("https://login.private.example/contoso.example", &["other.example", "LOGIN.private.example"][..], false),
        ("https://login.private.example/contoso.example", &["private.example"][..], true),
        ("https://sub.login.private.example/contoso.example", &[HOST][..], true),
        ("https://login.private.example.evil.example/contoso.example", &[HOST][..], true),
    ] {
        let parsed = Authority::parse(authority).unwrap();
        let known = parsed.known_among(hosts).unwrap();
        assert_eq!(known.needs_instance_discovery(), needs_discovery, "{authority} {hosts:?}");
        assert_eq!(known.metadata().is_some(), !needs_discovery, "{authority} {hosts:?}");
        assert_eq!(known == parsed.as_known(), !needs_discovery, "{authority} {hosts:?}");
        assert_eq!(known.to_string(), authority);
        assert_eq!(known.environment(), parsed.host());
        assert!(known.is_environment(parsed.host()) && !known.is_environment("login.windows.net"));
        assert!(known.issuer_decides(), "only the caller says what the host is");
    }
    let known = Authority::parse("https://login.private.example/common").unwrap().as_known();
    assert!(!known.with_tenant("contoso.example".parse().unwrap()).needs_instance_discovery());
    let id = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    assert!(known.is_issuer(&format!("https://{HOST}/{id}/v2.0")));
    assert!(!known.is_issuer(&format!("https://login.microsoftonline.com/{id}/v2.0")));
    // Authorities that need no discovery do not change; the names of a cloud are found without it.
    for text in [
        "https://login.microsoftonline.us/common",
        "https://contoso.ciamlogin.com",
        "https://adfs.contoso.example/adfs",
        "http://localhost:8400/common",
    ] {
        let parsed = Authority::parse(text).unwrap();
        assert_eq!(parsed.as_known(), parsed, "{text}");
    }
    assert!(Authority::tenant("common").unwrap().as_known().is_environment("sts.windows.net"));
    for host in ["", "https://a.example", "a.example:443", "a.example/", "a b", "10.0.0.1", "*.example", "localhost"] {
        assert!(Authority::tenant("common").unwrap().known_among([host]).is_err(), "{host}");
    }
}

#[test]
fn an_issuer_keeps_its_spelling() {
    let authority = Authority::oidc("https://idp.example/realms/Staff/").unwrap();
    assert_eq!(authority.to_string(), "https://idp.example/realms/Staff/");
    assert_eq!(
        authority.configuration_url().unwrap().to_string(),
        "https://idp.example/realms/Staff/.well-known/openid-configuration"
    );
    assert!(authority.is_issuer("https://idp.example/realms/Staff/"));
    assert!(!authority.is_issuer("https://idp.example/realms/Staff"));
    assert_eq!(authority.realm(None), "realms");
}

/// For every kind: the text, its canonical form, its environment and its token endpoint.
#[test]
fn every_kind_has_its_canonical_form_and_endpoints() {
    const GUID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    let by_id = format!("https://contoso.ciamlogin.com/{GUID}");
    let dsts = format!("https://dsts.example/dstsv2/{GUID}");
    for (text, canonical, environment, token_endpoint) in [
        (
            "https://Contoso.b2clogin.com/Contoso.onmicrosoft.com/B2C_1_SignIn/",
            "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_signin",
            "contoso.b2clogin.com",
            "/contoso.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/token",
        ),
        (
            "https://contoso.b2clogin.com/TFP/contoso.onmicrosoft.com/b2c_1_signin",
            "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/b2c_1_signin",
            "contoso.b2clogin.com",
            "/tfp/contoso.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/token",
        ),
        (
            "https://login.contoso.example/tfp/contoso.onmicrosoft.com/b2c_1_signin",
            "https://login.contoso.example/tfp/contoso.onmicrosoft.com/b2c_1_signin",
            "login.contoso.example",
            "/tfp/contoso.onmicrosoft.com/b2c_1_signin/oauth2/v2.0/token",
        ),
        (
            "https://contoso.b2clogin.cn/contoso.onmicrosoft.cn/B2C_1_SignIn",
            "https://contoso.b2clogin.cn/contoso.onmicrosoft.cn/b2c_1_signin",
            "contoso.b2clogin.cn",
            "/contoso.onmicrosoft.cn/b2c_1_signin/oauth2/v2.0/token",
        ),
        (
            "https://contoso.b2clogin.us/contoso.onmicrosoft.us/b2c_1",
            "https://contoso.b2clogin.us/contoso.onmicrosoft.us/b2c_1",
            "contoso.b2clogin.us",
            "/contoso.onmicrosoft.us/b2c_1/oauth2/v2.0/token",
        ),
        (
            "https://contoso.b2clogin.de/contoso.onmicrosoft.de/b2c_1",
            "https://contoso.b2clogin.de/contoso.onmicrosoft.de/b2c_1",
            "contoso.b2clogin.de",
            "/contoso.onmicrosoft.de/b2c_1/oauth2/v2.0/token",
        ),
        (
            "https://contoso.ciamlogin.com",
            "https://contoso.ciamlogin.com/contoso.onmicrosoft.com",
            "contoso.ciamlogin.com",
            "/contoso.onmicrosoft.com/oauth2/v2.0/token",
        ),
        (
            "https://contoso.ciamlogin.com/Customers.example/",
            "https://contoso.ciamlogin.com/customers.example",
            "contoso.ciamlogin.com",
            "/customers.example/oauth2/v2.0/token",
        ),
        (&by_id, &by_id, "contoso.ciamlogin.com", &format!("/{GUID}/oauth2/v2.0/token")),
        (
            "https://ADFS.contoso.example/ADFS/",
            "https://adfs.contoso.example/adfs",
            "adfs.contoso.example",
            "/adfs/oauth2/token",
        ),
        ("http://localhost:8400/adfs", "http://localhost:8400/adfs", "localhost", "/adfs/oauth2/token"),
        (&dsts, &dsts, "dsts.example", &format!("/dstsv2/{GUID}/oauth2/v2.0/token")),
        (
            "https://dsts.example/DstsV2/common",
            "https://dsts.example/dstsv2/common",
            "dsts.example",
            "/dstsv2/common/oauth2/v2.0/token",
        ),
    ] {
        let authority = Authority::parse(text).unwrap();
        assert_eq!(authority.to_string(), canonical, "{text}");
        assert_eq!(Authority::parse(canonical).unwrap(), authority, "{text}");
        assert_eq!(authority.environment(), environment, "{text}");
        assert!(authority.is_environment(&environment.to_ascii_uppercase()), "{text}");
        assert!(!authority.needs_instance_discovery(), "{text}");
        let metadata = authority.metadata().unwrap();
        assert_eq!(metadata.token_endpoint().path(), token_endpoint, "{text}");
        assert_eq!(metadata.authorization_endpoint().path(), token_endpoint.replace("/token", "/authorize"), "{text}");
        let adfs = authority.authority_type() == "ADFS";
        let (tokens, keys) = if adfs { ("oauth2/token", "keys") } else { ("oauth2/v2.0/token", "v2.0/keys") };
        let keys = token_endpoint.replace(tokens, &format!("discovery/{keys}"));
        assert_eq!(metadata.jwks_uri().unwrap().path(), keys, "{text}");
        assert_eq!(metadata.form_post, !adfs, "{text}");
        let version = if adfs { "" } else { "/v2.0" };
        assert_eq!(
            authority.configuration_url().unwrap().to_string(),
            format!("{canonical}{version}/.well-known/openid-configuration"),
            "{text}"
        );
    }
}

#[test]
fn paths_that_do_not_fit_the_kind_are_refused() {
    for text in [
        "https://contoso.b2clogin.com",
        "https://contoso.b2clogin.com/contoso.onmicrosoft.com",
        "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com",
        "https://contoso.b2clogin.com/tfp/a.example/b2c_1/more",
        "https://contoso.b2clogin.com/common/b2c_1",
        "https://contoso.b2clogin.com/contoso/b2c_1",
        "https://login.contoso.example/tfp/contoso.onmicrosoft.com",
        "https://login.contoso.example/tfp",
        "https://contoso.ciamlogin.com/common",
        "https://contoso.ciamlogin.com/adfs",
        "https://contoso.ciamlogin.com/contoso.onmicrosoft.com/more",
        "https://a.b.ciamlogin.com",
        "https://adfs.contoso.example/adfs/more",
        "https://login.microsoftonline.com/adfs",
        "https://login.microsoftonline.com/dstsv2/contoso.example",
        "https://dsts.example/dstsv2",
        "https://dsts.example/dstsv2/a.example/more",
    ] {
        assert!(Authority::parse(text).is_err(), "{text}");
    }
}

/// A host that resembles one of Microsoft's is unknown, and nothing is sent to it unless Entra knows it.
#[test]
fn look_alikes_are_unknown_hosts() {
    for host in [
        "evilb2clogin.com",
        "evilb2clogin.cn",
        "x.b2clogin.fr",
        "b2clogin.com",
        "x.b2clogin.com.evil.example",
        "evilciamlogin.com",
        "ciamlogin.com",
        "x.ciamlogin.com.evil.example",
    ] {
        let authority = Authority::parse(&format!("https://{host}/contoso.example")).unwrap();
        assert!(authority.needs_instance_discovery() && authority.metadata().is_none(), "{host}");
        assert!(Authority::parse(&format!("https://{host}/contoso.example/b2c_1")).is_err(), "{host}");
    }
    assert_eq!(Authority::parse("https://evilciamlogin.com").unwrap().to_string(), "https://evilciamlogin.com/common");
}

#[test]
fn realms_of_other_libraries_are_found() {
    const ID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
    let b2c = "https://contoso.b2clogin.com/contoso.example/b2c_1_signin";
    let other_host = "https://other.ciamlogin.com/contoso.onmicrosoft.com";
    let account = AccountId::new(format!("uid.{ID}"));
    for (authority, realm, tenant_id, found) in [
        (b2c, "Contoso.example", None, true),
        (b2c, "B2C_1_SignIn", None, true),
        (b2c, ID, Some(ID), true),
        (b2c, ID, None, false),
        (b2c, "b2c_1_edit", None, false),
        (b2c, "", None, false),
        ("https://adfs.example/adfs", "", None, true),
        ("https://adfs.example/adfs", "ADFS", None, true),
        ("https://adfs.example/adfs", "other", None, false),
        ("https://contoso.ciamlogin.com", "contoso.onmicrosoft.com", None, true),
        ("https://contoso.ciamlogin.com", ID, None, true),
        ("https://contoso.ciamlogin.com", "other", None, false),
        (other_host, ID, None, false),
        (other_host, ID, Some(ID), true),
        ("https://dsts.example/dstsv2/common", ID, None, true),
        ("https://dsts.example/dstsv2/a.example", ID, None, false),
        ("https://login.windows.net/common", ID, None, true),
        ("https://login.windows.net/a.example", ID, None, false),
    ] {
        let parsed = Authority::parse(authority).unwrap();
        assert_eq!(parsed.is_realm(realm, &account, tenant_id), found, "{authority} {realm} {tenant_id:?}");
    }
    for (authority, tid, written) in [
        (b2c, Some(ID), "contoso.example"),
        ("https://adfs.example/adfs", None, "adfs"),
        ("https://contoso.ciamlogin.com", Some(ID), ID),
        ("https://contoso.ciamlogin.com", None, "contoso.onmicrosoft.com"),
        ("https://dsts.example/dstsv2/a.example", None, "a.example"),
        ("https://login.windows.net/common", Some(ID), ID),
    ] {
        assert_eq!(Authority::parse(authority).unwrap().realm(tid), written, "{authority}");
    }
}

/// The environment alone identifies an entry only if no other issuer can share the host.
#[test]
fn the_issuer_decides_on_shared_hosts() {
    for (authority, decides) in [
        ("https://contoso.b2clogin.com/a.example/b2c_1", false),
        ("https://contoso.b2clogin.cn/a.example/b2c_1", false),
        ("https://contoso.ciamlogin.com", false),
        ("https://login.windows.net/common", false),
        ("https://login.contoso.example/tfp/a.example/b2c_1", true),
        ("https://adfs.example/adfs", true),
        ("https://dsts.example/dstsv2/a.example", true),
        ("http://localhost:8400/common", true),
    ] {
        assert_eq!(Authority::parse(authority).unwrap().issuer_decides(), decides, "{authority}");
    }
}

proptest! {
    // P-01 for every kind: `Display` of an accepted text is canonical, and the endpoints are on its host.
    #[test]
    fn accepted_texts_have_a_canonical_form(
        host in "([a-zA-Z]{1,3}\\.)?(b2clogin\\.com|ciamlogin\\.com|login\\.windows\\.net|idp\\.example)",
        path in "(/(tfp|TFP|adfs|dstsv2|common|a\\.example|B2C_1))?(/(adfs|a\\.example|B2C_1)){0,2}/?",
    ) {
        if let Ok(authority) = Authority::parse(&format!("https://{host}{path}")) {
            let canonical = authority.to_string();
            prop_assert_eq!(&Authority::parse(&canonical).unwrap(), &authority);
            prop_assert_eq!(authority.host(), host.to_ascii_lowercase());
            prop_assert_eq!(url::Url::parse(&canonical).unwrap().to_string(), canonical);
            if let Some(metadata) = authority.metadata() {
                prop_assert_eq!(metadata.token_endpoint().host(), Some(authority.host()));
                prop_assert!(metadata.issuer.owns(metadata.token_endpoint()));
            }
        }
    }
}

use super::*;

#[test]
fn entra_authorities() {
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
fn instance_discovery_confirms_a_host_and_changes_nothing_else() {
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

#[test]
fn an_issuer_keeps_the_letters_it_was_given() {
    let authority = Authority::oidc("https://idp.example/realms/Staff/").unwrap();
    assert_eq!(authority.to_string(), "https://idp.example/realms/Staff/");
    assert_eq!(
        authority.configuration_url().unwrap().to_string(),
        "https://idp.example/realms/Staff/.well-known/openid-configuration"
    );
    assert!(authority.is_issuer("https://idp.example/realms/Staff/"));
    assert!(!authority.is_issuer("https://idp.example/realms/Staff"));
    assert_eq!(authority.default_realm(), "realms");
}

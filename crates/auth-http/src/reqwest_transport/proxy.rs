//! The proxy variables in the environment.

use http::Uri;

/// Refuses malformed proxies, which reqwest would silently ignore and send the request directly.
pub(super) fn check_environment() -> Result<(), String> {
    check(|name| std::env::var(name).ok())
}

fn check(variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
    for name in ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"] {
        if let Some(value) = variable(name).filter(|value| !value.is_empty())
            && !is_proxy(&value)
        {
            return Err(format!("{name} is not the URL of a proxy; correct or unset it"));
        }
    }
    Ok(())
}

/// Whether this is a URL with a host, or just `host:port`.
fn is_proxy(value: &str) -> bool {
    let text = if value.contains("://") { value.to_owned() } else { format!("http://{value}") };
    let scheme = |uri: &Uri| matches!(uri.scheme_str(), Some("http" | "https" | "socks4" | "socks5" | "socks5h"));
    text.parse::<Uri>().is_ok_and(|uri| scheme(&uri) && uri.host().is_some_and(|host| !host.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_proxies_are_refused() {
        for (value, accepted) in [
            ("", true),
            ("http://proxy.example:3128", true),
            ("http://user:password@proxy.example:3128", true),
            ("proxy.example:3128", true),
            ("http://", false),
            ("ht tp://proxy", false),
            ("ftp://proxy.example", false),
        ] {
            let verdict = check(|name| (name == "HTTPS_PROXY").then(|| value.to_owned()));
            assert_eq!(verdict.is_ok(), accepted, "{value}");
        }
    }
}

//! Checks the text of an authority as written, before anything parses it (S-36…S-38).

use core::net::{Ipv4Addr, Ipv6Addr};

use crate::authority::options::AuthorityOptions;
use crate::error::ConfigError;

const MAX: usize = 512;
/// Every spelling of this machine.
pub(crate) const LOOPBACK: [&str; 3] = ["127.0.0.1", "[::1]", "localhost"];

/// The parts of an authority text; joined, they give the text without trailing slashes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawAuthority {
    pub(crate) site: Site,
    pub(crate) segments: Vec<String>,
}

/// The scheme, host and port of an authority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Site {
    pub(crate) scheme: &'static str,
    /// Without the port.
    pub(crate) host: String,
    /// Always present for an address of this machine; for other hosts, only if the application opted in.
    pub(crate) port: Option<u16>,
}

impl RawAuthority {
    /// Splits `text`, or reports what is wrong with it.
    pub(crate) fn parse(text: &str, options: AuthorityOptions) -> Result<Self, ConfigError> {
        let wrong = |why| Err(ConfigError::Authority(why));
        if text.len() > MAX {
            return wrong("it is longer than 512 bytes");
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("it contains characters other than visible ASCII");
        }
        if text.bytes().any(|byte| b"@\\#?%".contains(&byte)) {
            return wrong("it contains one of the characters @ \\ # ? %");
        }
        let (scheme, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => ("https", rest),
            (None, Some(rest)) => ("http", rest),
            (None, None) => return wrong("it does not start with https://"),
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (host, port) = split_port(authority);
        let host = host.to_ascii_lowercase();
        let port = match port.map(port_number) {
            None => None,
            Some(None) => return wrong("its port is not a number from 1 to 65535"),
            Some(port) => port,
        };
        if LOOPBACK.contains(&host.as_str()) {
            if port.is_none() {
                return wrong("an address of this machine needs a port");
            }
        } else if scheme == "http" {
            return wrong("http is accepted only for addresses of this machine; use https");
        } else if port.is_some() && !options.ports {
            return wrong("a port is accepted only for addresses of this machine, unless the options allow ports");
        } else if port == Some(443) {
            return wrong("443 is the default port; leave it out");
        } else if !(is_dns_name(&host) || (options.local_hosts && is_local_host(&host))) {
            return wrong("its host is not a DNS name");
        }
        let segments: Vec<_> = path.trim_end_matches('/').split('/').map(str::to_owned).collect();
        let segments = if segments == [""] { Vec::new() } else { segments };
        if segments.iter().any(|segment| !is_segment(segment)) {
            return wrong("its path has a segment that is empty, too long or contains forbidden characters");
        }
        Ok(Self { site: Site { scheme, host, port }, segments })
    }
}

impl Site {
    /// Whether the host is an address of this machine, which local development may use.
    pub(crate) fn is_loopback(&self) -> bool {
        LOOPBACK.contains(&self.host.as_str())
    }

    /// Whether the host depends on the local network and the application opted in.
    pub(crate) fn is_local(&self) -> bool {
        !self.is_loopback() && !is_dns_name(&self.host)
    }

    /// Scheme, host and port, without a trailing slash.
    pub(crate) fn origin(&self) -> String {
        match self.port {
            Some(port) => format!("{}://{}:{port}", self.scheme, self.host),
            None => format!("{}://{}", self.scheme, self.host),
        }
    }
}

fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        // The colons of an IPv6 literal are inside brackets.
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (authority, None),
    }
}

fn port_number(text: &str) -> Option<u16> {
    let port: u16 = text.parse().ok()?;
    // Only the canonical spelling: no sign, no leading zero.
    (port > 0 && port.to_string() == text).then_some(port)
}

/// Whether this is a host name of several labels.
pub(crate) fn is_dns_name(host: &str) -> bool {
    host.contains('.') && is_host_name(host)
}

/// Whether this is a host name without a dot, or an IP address in the spelling that URLs use.
fn is_local_host(host: &str) -> bool {
    let v6 = |text: &str| {
        let address: Option<Ipv6Addr> = text.parse().ok();
        // An embedded IPv4 address has more than one spelling.
        address.is_some_and(|address| address.to_ipv4().is_none() && address.to_string() == text)
    };
    is_host_name(host)
        || host.parse::<Ipv4Addr>().is_ok()
        || host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).is_some_and(v6)
}

fn is_host_name(host: &str) -> bool {
    let labels: Vec<_> = host.split('.').collect();
    let is_label = |label: &&str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'))
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // Other parsers read a last label that starts with a digit (such as 0x7f) as an address.
    let named = labels.last().is_some_and(|last| last.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase()));
    named && host.len() <= 253 && labels.iter().all(is_label)
}

/// Whether this may be a tenant or another path segment (S-38).
pub(crate) fn is_segment(segment: &str) -> bool {
    (1..=128).contains(&segment.len())
        && segment.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
        && segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parse(text: &str) -> Result<RawAuthority, ConfigError> {
        RawAuthority::parse(text, AuthorityOptions::default())
    }

    #[test]
    fn hostile_and_malformed_texts_are_refused() {
        for text in [
            "https://login.microsoftonline.com@evil.example/t",
            "https://login.microsoftonline.com%2eevil.example/t",
            "https://login.microsoftonline.com\t.evil.example/t",
            "https://login\u{3002}microsoftonline.com/t",
            "https:login.microsoftonline.com/t",
            "https:///login.microsoftonline.com/t",
            "https://login.microsoftonline.com./t",
            "https://login.microsoftonline.com/t/%2e%2e/u",
            "https://login.microsoftonline.com/t;x=1/../../u",
            "https://login.microsoftonline.com/../u",
            "https://0x7f.1/t",
            "https://127.0.0.1/t",
            "https://10.0.0.1/t",
            "https://[::1]/t",
            "https://login.micr\u{43e}softonline.com/t",
            "https://login/t",
            "https://login.microsoftonline.com:443/t",
            "https://login.microsoftonline.com//t",
            "https://login.microsoftonline.com/t?x=1",
            "https://login.microsoftonline.com/t#x",
            "https://login.microsoftonline.com\\@evil.example/t",
            "http://login.microsoftonline.com/t",
            "http://localhost.evil.example:80/t",
            "http://127.0.0.1/t",
            "http://127.0.0.1:080/t",
            "http://127.0.0.1:0/t",
            "http://127.0.0.1:99999/t",
            "http://127.0.0.2:80/t",
            "HTTPS://login.microsoftonline.com/t",
            "ftp://login.microsoftonline.com/t",
            " https://login.microsoftonline.com/t",
            "",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert!(parse(&format!("https://a.example/{}", "x".repeat(600))).is_err());
    }

    // S-38
    #[test]
    fn segments_are_short_and_plain() {
        let (longest, too_long) = ("x".repeat(128), "x".repeat(129));
        for (segment, accepted) in [
            ("contoso.example", true),
            ("B2C_1_sign-in", true),
            ("0", true),
            (&longest, true),
            (&too_long, false),
            ("", false),
            (".", false),
            ("..", false),
            (".a", false),
            ("-a", false),
            ("_a", false),
            ("a b", false),
            ("a;b", false),
            ("ä", false),
        ] {
            assert_eq!(is_segment(segment), accepted, "{segment}");
        }
    }

    #[test]
    fn valid_texts_are_split_into_parts() {
        let parsed = parse("https://Login.MicrosoftOnline.com/Contoso.example/").unwrap();
        assert_eq!(parsed.site.origin(), "https://login.microsoftonline.com");
        assert_eq!(parsed.segments, ["Contoso.example"]);
        let parsed = parse("http://[::1]:8400").unwrap();
        assert_eq!((parsed.site.origin().as_str(), parsed.site.is_loopback()), ("http://[::1]:8400", true));
        assert!(parse("https://xn--idp-lqa.example/realms/a").is_ok());
    }

    /// Ports and hosts that are not DNS names are accepted only on request; anything more dangerous stays refused.
    #[test]
    fn options_allow_ports_and_local_hosts() {
        let none = AuthorityOptions::default();
        let (ports, local) = (none.allow_ports(), none.danger_allow_local_hosts());
        for (text, with_ports, with_local) in [
            ("https://idp.example:8443/t", true, false),
            ("https://idp.example:443/t", false, false),
            ("https://idp.example:08443/t", false, false),
            ("https://idp.example:/t", false, false),
            ("https://idp.example:0/t", false, false),
            ("https://10.0.0.5/t", false, true),
            ("https://[2001:db8::5]/t", false, true),
            ("https://[2001:DB8::5]/t", false, true),
            ("https://adfs/adfs", false, true),
            ("https://[2001:db8:0::5]/t", false, false),
            ("https://[::ffff:10.0.0.5]/t", false, false),
            ("https://[::10.0.0.5]/t", false, false),
            ("https://[2001:db8::5%25eth0]/t", false, false),
            ("https://[2001:db8::5/t", false, false),
            ("https://2001:db8::5/t", false, false),
            ("https://010.0.0.5/t", false, false),
            ("https://10.5/t", false, false),
            ("https://0x7f.1/t", false, false),
            ("https://167772165/t", false, false),
            ("https://10.0.0.5./t", false, false),
            ("https://adfs./t", false, false),
            ("https://-adfs/t", false, false),
            ("https://10.0.0.5@evil.example/t", false, false),
            ("http://idp.example:8443/t", false, false),
            ("http://10.0.0.5/t", false, false),
            ("http://adfs/t", false, false),
            ("https://localhost/t", false, false),
            ("https:///t", false, false),
        ] {
            assert!(parse(text).is_err(), "{text}");
            for (options, accepted) in [(ports, with_ports), (local, with_local)] {
                assert_eq!(RawAuthority::parse(text, options).is_ok(), accepted, "{text} {options:?}");
            }
        }
        let both = RawAuthority::parse("https://10.0.0.5:8443/t", ports.danger_allow_local_hosts()).unwrap();
        assert_eq!((both.site.origin().as_str(), both.site.is_local()), ("https://10.0.0.5:8443", true));
        assert!(!both.site.is_loopback() && !parse("http://[::1]:8400").unwrap().site.is_local());
    }

    proptest! {
        // P-01, P-02: an accepted text means the same to a parser that follows the rules of browsers.
        #[test]
        fn accepted_texts_are_canonical(opted in any::<bool>(), text in "(https://|http://)?[a-z0-9.:\\[\\]@%-]{0,30}(/[a-zA-Z0-9._%;-]{0,10}){0,3}") {
            let none = AuthorityOptions::default();
            let options = if opted { none.allow_ports().danger_allow_local_hosts() } else { none };
            if let Ok(parsed) = RawAuthority::parse(&text, options) {
                let mut canonical = parsed.site.origin();
                for segment in &parsed.segments {
                    canonical = canonical + "/" + segment;
                }
                prop_assert_eq!(&RawAuthority::parse(&canonical, options).unwrap(), &parsed);
                let url = url::Url::parse(&canonical).unwrap();
                prop_assert_eq!(url.host_str(), Some(parsed.site.host.as_str()));
                prop_assert_eq!(url.as_str().trim_end_matches('/'), canonical);
            }
        }
    }
}

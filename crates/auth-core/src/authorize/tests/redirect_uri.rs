//! S-11, RFC 8252.

use crate::authorize::RedirectUri;

#[test]
fn only_redirect_uris_of_the_policy_are_accepted() {
    for (text, accepted) in [
        ("http://localhost", true),
        ("http://localhost/", true),
        ("http://localhost:8400", true),
        ("http://localhost?x=1", true),
        ("http://127.0.0.1:8400/done", true),
        ("http://[::1]:8400/done", true),
        ("https://app.example/done?x=1", true),
        ("https://app.example:8443/", true),
        ("com.example.app:/done", true),
        ("com.example.app://done", true),
        ("https://[2001:db8::1]/done", true),
        ("com.example.app:/done?x=1", true),
        ("http://app.example/", false),
        ("http://127.1/", false),
        ("http://127.0.0.1.evil.example/", false),
        ("http://[::ffff:127.0.0.1]/", false),
        ("http://[::1%25lo]/", false),
        ("http://LOCALHOST/", false),
        ("http:localhost/", false),
        ("http:///localhost", false),
        ("ftp://localhost/", false),
        ("https://app.example/*", false),
        ("https://:password@app.example/", false),
        ("com.example.app:/done#x", false),
        ("com.example.*:/done", false),
        (" https://app.example/", false),
        ("https://app.example/\r\nx: y", false),
        ("data:text/html,x", false),
        ("http://localhost.evil.example/", false),
        ("http://127.0.0.2/", false),
        ("http://0.0.0.0:80/", false),
        ("http://[::]:80/", false),
        ("HTTP://localhost/", false),
        ("http://localhost:", false),
        ("http://localhost:0", false),
        ("http://localhost:080/", false),
        ("http://localhost:99999/", false),
        ("http://localhost:abc/", false),
        ("https://app.example:99999/", false),
        ("https:///done", false),
        ("https://", false),
        ("https://*.app.example/", false),
        ("https://app.example/#done", false),
        ("https://user@app.example/", false),
        ("http://localhost@evil.example/", false),
        ("https://app.example/a b", false),
        ("https://app.example/\u{e9}", false),
        ("https://app.example\\evil", false),
        ("app:/done", false),
        ("1com.example:/done", false),
        ("com.example.app:", false),
        ("javascript:alert(1)", false),
        ("file:///etc/passwd", false),
        ("urn:ietf:wg:oauth:2.0:oob", false),
        ("//app.example/", false),
        ("localhost:8400", false),
        ("", false),
    ] {
        let parsed = RedirectUri::parse(text);
        assert_eq!(parsed.is_ok(), accepted, "{text}");
        if let Ok(uri) = parsed {
            assert_eq!((uri.as_str(), uri.to_string().as_str()), (text, text));
        }
    }
    let long = RedirectUri::parse(&format!("https://app.example/{}", "x".repeat(2048))).unwrap_err();
    assert_eq!(long.to_string(), "the redirect URI is not usable: it is longer than 2048 bytes");
}

#[test]
fn a_redirect_uri_is_split_into_host_port_and_path() {
    for (text, host, port, path) in [
        ("http://localhost", Some("localhost"), None, "/"),
        ("http://localhost:8400/done?x=1", Some("localhost"), Some(8400), "/done"),
        ("http://127.0.0.1:1/a/b", Some("127.0.0.1"), Some(1), "/a/b"),
        ("http://[::1]:65535", Some("[::1]"), Some(65535), "/"),
        ("https://localhost:8400/done", None, Some(8400), "/done"),
        ("https://app.example/done", None, None, "/done"),
        ("com.example.app:/done", None, None, "/"),
    ] {
        let uri = RedirectUri::parse(text).unwrap();
        assert_eq!((uri.loopback_host(), uri.port(), uri.path()), (host, port, path), "{text}");
    }
}

// RFC 8252 §7.3: only the port of a loopback address may differ from the registered URI.
#[test]
fn only_the_port_of_a_loopback_address_is_replaced() {
    for (text, expected) in [
        ("http://localhost", "http://localhost:1234"),
        ("http://localhost/", "http://localhost:1234/"),
        ("http://localhost:8400", "http://localhost:1234"),
        ("http://localhost:8400/done?x=/1", "http://localhost:1234/done?x=/1"),
        ("http://localhost?x=1", "http://localhost:1234?x=1"),
        ("http://localhost:8400?x=a/b", "http://localhost:1234?x=a/b"),
        ("http://127.0.0.1/a:b", "http://127.0.0.1:1234/a:b"),
        ("http://[::1]:8400/", "http://[::1]:1234/"),
        ("https://localhost:8400/", "https://localhost:8400/"),
        ("https://app.example/", "https://app.example/"),
        ("com.example.app:/done", "com.example.app:/done"),
    ] {
        let moved = RedirectUri::parse(text).unwrap().with_port(1234);
        assert_eq!(moved.as_str(), expected);
        assert_eq!(Ok(moved), RedirectUri::parse(expected), "{text}");
    }
}

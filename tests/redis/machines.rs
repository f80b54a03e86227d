//! The example of a web application on several machines, which share sign-ins.

#[path = "../../crates/auth/examples/machines/site.rs"]
mod site;

use auth_emulator::{Emulator, GrantType, Robot};
use auth_tests::redis::RedisServer;
use site::Site;
use tokio::net::TcpListener;

use crate::processes::expire;

async fn machine(emulator: &Emulator, server: &RedisServer) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let site = Site::new(&emulator.authority(), &server.url(), &address).unwrap();
    tokio::spawn(async move { axum::serve(listener, site.router()).await });
    address
}

/// Requests a page with a cookie. Returns its text, the redirect location, and the new cookie.
async fn visit(method: &'static str, url: String, cookie: &str) -> (String, String, String) {
    let cookie = cookie.to_owned();
    let visited = tokio::task::spawn_blocking(move || {
        let config = ureq::Agent::config_builder().max_redirects(0).http_status_as_error(false);
        let agent: ureq::Agent = config.max_redirects_will_error(false).build().into();
        let request = http::Request::builder().method(method).uri(url).header("cookie", cookie);
        let mut response = agent.run(request.body(()).unwrap()).unwrap();
        let header = |name| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        let (location, set) = (header("location").unwrap_or_default(), header("set-cookie").unwrap_or_default());
        let cookie = set.split(';').next().unwrap_or_default().to_owned();
        (response.body_mut().read_to_string().unwrap(), location, cookie)
    });
    visited.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_who_signs_in_or_out_on_one_machine_does_so_on_all() {
    let (emulator, server) = (Emulator::start().await.unwrap(), RedisServer::start(&[]));
    let (one, other) = (machine(&emulator, &server).await, machine(&emulator, &server).await);

    let (_, provider, cookie) = visit("GET", format!("{one}/sign-in"), "").await;
    let back = Robot::new().user("ada@contoso.example").authorize(&provider).await.unwrap();
    let (text, _, cookie) = visit("GET", back.url().to_owned(), &cookie).await;
    assert!(!cookie.is_empty(), "{text}");
    for machine in [&one, &other] {
        let (text, ..) = visit("GET", format!("{machine}/"), &cookie).await;
        assert!(text.contains("ada@contoso.example") && text.contains("the cache"), "{machine}: {text}");
    }
    // Both need a token at the same time, but only one requests it.
    let third = machine(&emulator, &server).await;
    let fourth = machine(&emulator, &server).await;
    expire(&server, "machines-tokens");
    let pages = tokio::join!(visit("GET", format!("{third}/"), &cookie), visit("GET", format!("{fourth}/"), &cookie));
    assert!(pages.0.0.contains("ada@contoso.example") && pages.1.0.contains("ada@contoso.example"), "{pages:?}");
    assert_eq!(emulator.ledger().token_requests(GrantType::RefreshToken), 1);

    // A sign-out on one machine counts everywhere.
    visit("POST", format!("{other}/sign-out"), &cookie).await;
    for machine in [&one, &other, &third] {
        let (text, ..) = visit("GET", format!("{machine}/"), &cookie).await;
        assert!(text.contains("Nobody is signed in."), "{machine}: {text}");
    }
}

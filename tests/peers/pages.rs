//! The pages in Chromium, as the receiver serves them: light and dark, on a phone and on a desktop.
//!
//! `AUTH_TEST_PAGES` names a folder for screenshots: `cargo xtask pages`.

use std::ffi::OsString;

use auth_core::{
    Application, Authority, AuthorizationRequest, ClientId, CorrelationId, RedirectUri, RequestContext, ResponseMode,
    Scopes, Timestamp,
};
use auth_interactive::{Branding, Expectation, LoopbackReceiver, Pages};
use auth_tests::peer::script;
use auth_tests::program::Home;
use rand::rngs::SysRng;
use serde_json::Value;
use tokio::task::JoinHandle;

use crate::provider::with_peers;

const LOGO: &str = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 40 40"><rect width="40" height="40" rx="10" fill="#0f766e"/><path d="M12 13h16M12 20h16M12 27h9" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>"##;
const TEMPLATE: &str = r#"<!doctype html>
<html lang="de"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>
<style>:root { color-scheme: light dark; } body { background: Canvas; color: rgb(1, 2, 3); }
@media (prefers-color-scheme: dark) { body { color: rgb(251, 252, 253); background: rgb(0, 0, 0); } }</style></head>
<body onload="document.title = 'run'"><header>{name}</header><main><h1>Zurück zu {name}</h1><p>{text}</p></main>
<footer>{note}</footer></body></html>"#;

/// A sign-in that waits for its response.
struct Waiting {
    address: String,
    wait: JoinHandle<bool>,
}

/// Serves one sign-in whose response comes in the query, so that Chromium only needs a URL.
fn serve(pages: &Pages, answer: &str) -> Waiting {
    let receiver = LoopbackReceiver::bind(&RedirectUri::parse("http://localhost").unwrap()).unwrap();
    let redirect_uri = receiver.redirect_uri().clone();
    let address = format!("{redirect_uri}/?{answer}");
    let application = Application::new(ClientId::new("pages").unwrap());
    let context = RequestContext::new(application, CorrelationId::generate(&mut SysRng).unwrap());
    let metadata = Authority::tenant("common").unwrap().metadata().unwrap();
    let mut request = AuthorizationRequest::new(context, metadata, redirect_uri, Scopes::parse("User.Read").unwrap());
    request.response_mode = Some(ResponseMode::Query);
    let pending = request.begin(&mut SysRng, Timestamp::from_unix_seconds(1_700_000_000)).unwrap();
    let query = pending.url().query().unwrap();
    let state = query.split('&').find(|pair| pair.starts_with("state=")).unwrap();
    let expectation = Expectation::new(&pending).unwrap().with_pages(pages.clone());
    let wait = tokio::spawn(async move { receiver.receive(expectation).await.is_ok() });
    Waiting { address: format!("{address}&{state}"), wait }
}

/// Returns what Chromium sees at these URLs; it may leave screenshots.
async fn look(addresses: impl IntoIterator<Item = (&str, &str)>, pictures: Option<OsString>) -> Vec<Value> {
    let words = addresses.into_iter().map(|(name, address)| format!("{name}={address}"));
    let home = Home::default();
    let run = with_peers(home.run("node")).args([script("pages.mjs").as_os_str()]).args(words);
    let run = pictures.into_iter().fold(run, |run, folder| run.env("AUTH_TEST_PAGES", folder));
    serde_json::from_str(run.end().await.expect(0).line()).unwrap()
}

#[tokio::test]
async fn every_page_is_legible_fits_a_phone_and_causes_no_complaints() {
    let branding = Branding::new("Contoso Notes").unwrap().accent("#0f766e").unwrap().logo_svg(LOGO).unwrap();
    let (plain, branded) = (Pages::default(), Pages::branded(&branding));
    let sign_ins = [
        ("success", serve(&plain, "code=abc")),
        ("error", serve(&plain, "error=access_denied")),
        ("branded-success", serve(&branded, "code=abc")),
        ("branded-error", serve(&branded, "error=access_denied")),
    ];
    let other = serve(&plain, "code=abc");
    let wrong = other.address.replace("state=", "state=wrong");
    let addresses = sign_ins.iter().map(|(name, waiting)| (*name, waiting.address.as_str()));
    let seen = look(addresses.chain([("wrong-request", wrong.as_str())]), std::env::var_os("AUTH_TEST_PAGES")).await;
    assert_eq!(seen.len(), 5 * 2 * 2);
    for page in &seen {
        let name = page["name"].as_str().unwrap();
        let heading = match name {
            "success" => "Return to the application",
            "branded-success" => "Return to Contoso Notes",
            "wrong-request" => "Not part of this sign-in",
            _ => "The sign-in was not completed",
        };
        assert_eq!((page["title"].as_str(), page["heading"].as_str()), (Some(heading), Some(heading)), "{page}");
        assert!(page["text"].as_f64().unwrap() >= 4.5 && page["graphics"].as_f64().unwrap() >= 4.5, "{page}");
        assert!(page["overflow"].as_i64().unwrap() <= 0, "{page}");
        let landmarks = if name.starts_with("branded") { 3 } else { 2 };
        assert_eq!(page["landmarks"].as_array().map(Vec::len), Some(landmarks), "{page}");
        assert_eq!((page["lang"].as_str(), page["scripts"].as_u64()), (Some("en"), Some(0)), "{page}");
        assert_eq!(page["images"].as_u64(), Some(u64::from(name.starts_with("branded"))), "{page}");
        assert_eq!(page["complaints"].as_array().map(Vec::len), Some(0), "{page}");
    }
    // A colour scheme that is applied only in part would still be legible.
    let ratios: Vec<_> = seen.iter().filter(|page| page["name"] == "success").map(|page| &page["text"]).collect();
    assert_ne!(ratios[0], ratios[2], "dark differs from light");
    for (name, waiting) in sign_ins {
        assert!(waiting.wait.await.unwrap(), "{name}");
    }
    other.wait.abort();
}

#[tokio::test]
async fn the_policy_applies_the_style_of_a_template_and_stops_its_handlers() {
    let pages = Pages::from_templates("Contoso & Söhne", TEMPLATE, TEMPLATE).unwrap();
    let waiting = serve(&pages, "code=abc");
    let seen = look([("template", waiting.address.as_str())], None).await;
    for page in &seen {
        assert_eq!(page["heading"], "Zurück zu Contoso & Söhne");
        assert_eq!(page["title"], "Return to Contoso & Söhne", "the handler did not run");
        let complaints = page["complaints"].to_string();
        assert!(complaints.contains("Content Security Policy") && complaints.contains("event handler"), "{complaints}");
        // The colours are those of the template: without its style they would be black on white, or white on black in
        // dark mode.
        assert!(page["text"].as_f64().is_some_and(|ratio| (20.0..20.99).contains(&ratio)), "{page}");
    }
    assert!(waiting.wait.await.unwrap());
}

#[tokio::test]
async fn s26_the_browser_is_redirected_to_the_application() {
    let (there, branding) = (serve(&Pages::default(), "code=abc"), Branding::new("There").unwrap());
    // Another receiver plays the page of the application: it answers at any URL.
    let target = there.address.split('?').next().unwrap().parse().unwrap();
    let pages = Pages::branded(&branding).success_redirect(&target).unwrap();
    let waiting = serve(&pages, "code=abc");
    let seen = look([("redirect", waiting.address.as_str())], None).await;
    assert_eq!(seen[0]["heading"], "Not part of this sign-in", "the reply of the other receiver");
    assert!(waiting.wait.await.unwrap());
    there.wait.abort();
}

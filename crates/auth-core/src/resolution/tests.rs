use serde_json::{Value, json};

use super::*;
use crate::error::{TransportError, TransportFault};
use crate::testing::{BrokenRng, ISSUER, NOW, context, document, kind, response, with};

const ID: &str = "aaaabbbb-0000-cccc-1111-dddd2222eeee";
const HOST: &str = "login.private.example";
const PRIVATE: &str = "https://login.private.example/contoso.example";
const DAY: u64 = 24 * 60 * 60;
const ENTRA: &str = "login.microsoftonline.com";

/// The answer of the other side.
#[derive(Clone, Debug)]
enum Answer {
    Json(u16, Value),
    /// JSON with an `ETag`.
    Tagged(&'static str, Value),
    Unchanged,
    Lost,
}

use Answer::{Json, Lost, Tagged, Unchanged};

fn input(answer: &Answer) -> Input {
    let json = ("content-type", "application/json");
    Input::Response(match answer {
        Json(status, body) => response(*status, &[json], &body.to_string()),
        Tagged(tag, body) => response(200, &[json, ("etag", tag)], &body.to_string()),
        Unchanged => response(304, &[], ""),
        Lost => return Input::Failed(TransportError::before_send(TransportFault::Connect, "idp.example", "down")),
    })
}

/// The document of an Entra tenant at a host.
fn entra(host: &str, id: &str) -> Value {
    let at = |path: &str| format!("https://{host}/{id}/{path}");
    json!({"issuer": at("v2.0"), "authorization_endpoint": at("authorize"), "token_endpoint": at("token")})
}

fn cloud(host: &str) -> Value {
    json!({"metadata": [{"aliases": [host], "preferred_cache": host}]})
}

/// The target of a request, and whether it is conditional.
fn target(request: &http::Request<crate::body::Body>) -> String {
    assert!(request.body().as_bytes().is_empty() && request.method() == "GET");
    let tag = request.headers().get("if-none-match").map(|tag| format!(" unless {}", tag.to_str().unwrap()));
    let uri = request.uri();
    let what = if uri.path().ends_with("/discovery/instance") { "instance" } else { "document" };
    format!("{what} {}{}", uri.host().unwrap(), tag.unwrap_or_default())
}

/// Resolves at the time `now`; returns the requests, what is known afterwards, and the token endpoint or the error.
fn resolve(
    known: ResolvedAuthority,
    tenant_id: bool,
    answers: &[Answer],
    now: Timestamp,
) -> (Vec<String>, ResolvedAuthority, String) {
    let mut flow = AuthorityResolution::new(context(), known, &mut rand::rngs::SysRng).unwrap();
    if tenant_id {
        flow = flow.with_tenant_id();
    }
    let (mut asked, mut answers) = (Vec::new(), answers.iter());
    loop {
        match flow.step(now).unwrap() {
            Step::Send { request, replay } => {
                assert_eq!(replay, Replay::Once);
                asked.push(target(&request));
                flow.handle(now, input(answers.next().expect("an unexpected request"))).unwrap();
            }
            Step::Done(outcome) => {
                assert!(answers.next().is_none(), "fewer requests than expected: {asked:?}");
                let verdict = match outcome.endpoints {
                    Ok(endpoints) => endpoints.token_endpoint().host().unwrap().to_owned(),
                    Err(error) => kind(&error),
                };
                return (asked, outcome.known, verdict);
            }
            Step::Wait { .. } => panic!("resolution never waits"),
        }
    }
}

#[test]
fn only_necessary_requests_are_sent() {
    let entra_host = format!("https://{ENTRA}/contoso.example");
    let (common, by_id) = (format!("https://{HOST}/common"), format!("https://{HOST}/{ID}"));
    let parse = |text: &str| Authority::parse(text).unwrap();
    let oidc = || Authority::oidc(ISSUER).unwrap();
    let (instance, document_of) = (format!("instance {ENTRA}"), |host: &str| format!("document {host}"));
    let (confirmed, own) = (Json(200, cloud(HOST)), Json(200, entra(HOST, ID)));
    let unknown = format!("config: the identity provider does not know the authority host {HOST}");
    for (authority, tenant_id, answers, asked, verdict, found_id) in [
        // Known at compile time.
        (parse(&entra_host), false, vec![], vec![], ENTRA, None),
        (parse(&entra_host), true, vec![Json(200, entra(ENTRA, ID))], vec![document_of(ENTRA)], ENTRA, Some(ID)),
        (parse(&entra_host), true, vec![Lost], vec![document_of(ENTRA)], "transport", None),
        (parse("http://127.0.0.1:8400/common"), true, vec![], vec![], "127.0.0.1", None),
        (
            parse("https://contoso.b2clogin.com/contoso.example/b2c_1"),
            true,
            vec![],
            vec![],
            "contoso.b2clogin.com",
            None,
        ),
        (parse("https://adfs.contoso.example/adfs"), true, vec![], vec![], "adfs.contoso.example", None),
        // Unknown hosts.
        (parse(PRIVATE), false, vec![confirmed.clone()], vec![instance.clone()], HOST, None),
        (
            parse(PRIVATE),
            true,
            vec![confirmed.clone(), own.clone()],
            vec![instance.clone(), document_of(HOST)],
            HOST,
            Some(ID),
        ),
        (parse(&common), true, vec![confirmed.clone()], vec![instance.clone()], HOST, None),
        (parse(&by_id), true, vec![confirmed], vec![instance.clone()], HOST, None),
        (parse(PRIVATE), true, vec![Lost], vec![instance.clone()], "transport", None),
        (parse(PRIVATE), true, vec![Json(200, cloud("other.example"))], vec![instance.clone()], &unknown, None),
        (
            parse(PRIVATE),
            true,
            vec![Json(400, json!({"error": "invalid_instance"}))],
            vec![instance.clone()],
            &unknown,
            None,
        ),
        (parse(PRIVATE), false, vec![Json(503, json!({}))], vec![instance], "server service_not_available", None),
        // Declared known by the caller, or discovery switched off, which is the same.
        (parse(PRIVATE).known_among([HOST]).unwrap(), false, vec![], vec![], HOST, None),
        (parse(PRIVATE).as_known(), true, vec![own], vec![document_of(HOST)], HOST, Some(ID)),
        // Only the document contains the endpoints.
        (oidc(), false, vec![Json(200, document())], vec![document_of("idp.example")], "idp.example", None),
        (oidc(), true, vec![Json(200, document())], vec![document_of("idp.example")], "idp.example", None),
        (oidc(), false, vec![Lost], vec![document_of("idp.example")], "transport", None),
        (
            oidc(),
            false,
            vec![Unchanged],
            vec![document_of("idp.example")],
            "protocol: unexpected redirect (304) to ?",
            None,
        ),
    ] {
        let what = format!("{authority} {tenant_id} {answers:?}");
        let (sent, known, found) = resolve(ResolvedAuthority::new(authority.clone()), tenant_id, &answers, NOW);
        assert_eq!((sent, known.tenant_id()), (asked, found_id), "{what}");
        assert!(found.starts_with(verdict), "{what}: {found}");
        assert_eq!(known.authority().to_string(), authority.to_string(), "no answer changes the authority");
        let resolved = known.endpoints(NOW).is_some() && !(tenant_id && known.lacks_tenant_id());
        assert_eq!(
            resolved,
            found.contains('.') && !found.contains(' '),
            "{what}: a host, or the reason why there is none"
        );
        if resolved {
            let (sent, _, again) = resolve(known, tenant_id, &[], NOW);
            assert_eq!((sent, again), (vec![], found), "{what}: nothing is requested twice");
        }
    }
}

// S-41, S-44: each row is a point in time, and continues from the state after the row before.
#[test]
fn a_document_ages() {
    let good = || Json(200, document());
    let moved = || Json(200, with(document(), &[("token_endpoint", json!("https://tokens.example/token"))]));
    let tagged = || Tagged("\"v1\"", document());
    let wrong = || Json(200, json!({"issuer": "https://evil.example"}));
    let (plain, conditional) = ("document idp.example", "document idp.example unless \"v1\"");
    let mismatch = "protocol: the metadata names the issuer";
    let too_long: &'static str = Box::leak(format!("\"{}\"", "x".repeat(300)).into_boxed_str());
    for (rows, what) in [
        (
            &[
                (0, Some(good()), plain, "idp.example"),
                (DAY / 2 - 1, None, "", "idp.example"),
                (DAY / 2 + 2, Some(moved()), plain, "tokens.example"),
            ][..],
            "a document is fresh for at least half a day and at most a day",
        ),
        (
            &[
                (0, Some(tagged()), plain, "idp.example"),
                (DAY + 1, Some(Unchanged), conditional, "idp.example"),
                (DAY / 2 - 1, None, "", "idp.example"),
                (DAY / 2 + 2, Some(moved()), conditional, "tokens.example"),
                (DAY + 1, Some(good()), plain, "idp.example"),
            ],
            "an unchanged document is fresh again",
        ),
        (
            &[
                (0, Some(Tagged(too_long, document())), plain, "idp.example"),
                (DAY + 1, Some(good()), plain, "idp.example"),
            ],
            "long tag",
        ),
        (
            &[
                (0, Some(tagged()), plain, "idp.example"),
                (DAY + 1, Some(Lost), conditional, "idp.example"),
                (30, None, "", "idp.example"),
                (1, Some(Json(503, json!({}))), conditional, "idp.example"),
                (6 * DAY - 32, Some(Lost), conditional, "idp.example"),
                (1, Some(Lost), conditional, "transport"),
                (DAY, Some(Unchanged), conditional, "idp.example"),
            ],
            "an outage is bridged for a week, and the provider is left alone for half a minute at a time",
        ),
        (
            &[
                (0, Some(tagged()), plain, "idp.example"),
                (DAY + 1, Some(wrong()), conditional, mismatch),
                (0, Some(Lost), plain, "transport"),
                (0, Some(good()), plain, "idp.example"),
            ],
            "a wrong answer ends the trust in an older one",
        ),
        (
            &[
                (0, Some(good()), plain, "idp.example"),
                (DAY + 1, Some(Json(404, json!({"error": "gone"}))), plain, "server gone"),
                (0, Some(Lost), plain, "transport"),
            ],
            "no document is a wrong answer",
        ),
    ] {
        let (mut known, mut now) = (ResolvedAuthority::new(Authority::oidc(ISSUER).unwrap()), NOW);
        for (index, (after, answer, asked, verdict)) in rows.iter().enumerate() {
            now = now.saturating_add(Duration::from_secs(*after));
            let (sent, next, found) = resolve(known, false, answer.as_slice(), now);
            let expected: &[&str] = if asked.is_empty() { &[] } else { &[*asked] };
            assert_eq!(sent, expected, "{what}, row {index}");
            assert!(found.starts_with(verdict), "{what}, row {index}: {found}");
            known = next;
        }
    }
}

#[test]
fn setting_the_clock_back_makes_no_document_fresh() {
    let (_, known, _) =
        resolve(ResolvedAuthority::new(Authority::oidc(ISSUER).unwrap()), false, &[Json(200, document())], NOW);
    let before = NOW.saturating_sub(Duration::from_secs(1));
    assert!(known.endpoints(NOW).is_some() && known.endpoints(before).is_none());
    let (asked, known, found) = resolve(known, false, &[Lost], before);
    assert_eq!((asked.len(), found.as_str()), (1, "idp.example"), "an outage is bridged all the same");
    assert!(known.endpoints(before).is_none());
}

// RFC 9110: "not modified" counts only for a conditional request, and only for the same issuer.
#[test]
fn not_modified_counts_for_the_same_issuer_only() {
    let exchange = |issuer: &str| OpenIdConfiguration::new(context(), &Authority::oidc(issuer).unwrap()).unwrap();
    let tagged = response(200, &[("content-type", "application/json"), ("etag", "W/\"1\"")], &document().to_string());
    let known = exchange(ISSUER).complete(tagged, NOW).unwrap();
    for (issuer, headers, verdict) in [
        (ISSUER, &[][..], "ok"),
        (ISSUER, &[("client-request-id", crate::testing::CORRELATION)], "ok"),
        (ISSUER, &[("client-request-id", ID)], "protocol"),
        ("https://other.example", &[], "protocol"),
    ] {
        let exchange = exchange(issuer).revalidating(Some(known.clone()));
        assert_eq!(exchange.request().headers().contains_key("if-none-match"), issuer == ISSUER);
        let answer = exchange.complete(response(304, headers, ""), NOW);
        let found = answer.map_or_else(|error| kind(&error), |_| "ok".to_owned());
        assert!(found.starts_with(verdict), "{issuer} {headers:?}: {found}");
    }
}

#[test]
fn resolution_follows_the_contract_of_a_flow() {
    let authority = || ResolvedAuthority::new(Authority::oidc(ISSUER).unwrap());
    let mut flow = AuthorityResolution::new(context(), authority(), &mut rand::rngs::SysRng).unwrap();
    let out_of_order = |result: Result<(), Error>| assert_eq!(result, Err(ProtocolError::OutOfOrder.into()));
    out_of_order(flow.handle(NOW, input(&Lost)));
    let asked = |flow: &mut AuthorityResolution| match flow.step(NOW).unwrap() {
        Step::Send { request, .. } => target(&request),
        other @ (Step::Wait { .. } | Step::Done(_)) => panic!("over: {other:?}"),
    };
    assert_eq!(asked(&mut flow), asked(&mut flow), "it says the same until it is answered");
    flow.handle(NOW, input(&Json(200, document()))).unwrap();
    out_of_order(flow.handle(NOW, input(&Lost)));
    assert!(matches!(flow.step(NOW), Ok(Step::Done(_))));
    out_of_order(flow.step(NOW).map(drop));
    let broken = AuthorityResolution::new(context(), authority(), &mut BrokenRng);
    assert_eq!(broken.err(), Some(ConfigError::Randomness));
}

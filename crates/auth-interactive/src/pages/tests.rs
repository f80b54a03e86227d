use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

use super::*;

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";
const PLAIN: &str = "<!doctype html><html lang=\"en\"><title>{title}</title><h1>{name}</h1><p>{text}</p>{note}";

fn branded() -> Pages {
    let branding = Branding::new("A <b> & \"C\" {text}").unwrap().accent("#ff0000").unwrap();
    Pages::branded(&branding.logo_svg(LOGO).unwrap())
}

fn document(pages: &Pages, refused: bool) -> Arc<Document> {
    match pages.ending(refused) {
        Ending::Page(document) => Arc::clone(document),
        Ending::Redirect(to) => unreachable!("{to}"),
    }
}

/// The pages of every kind that we wrote ourselves.
fn own() -> Vec<Arc<Document>> {
    let mut own: Vec<_> = [Pages::default(), branded()]
        .iter()
        .flat_map(|pages| [false, true].map(|refused| document(pages, refused)))
        .collect();
    own.push(Arc::new(Document::new(wrong_request().html.clone())));
    own
}

#[test]
fn s25_the_policy_lets_the_style_of_the_page_apply_and_nothing_else() {
    for document in own() {
        let (_, rest) = document.html.split_once("<style>").unwrap();
        let (style, _) = rest.split_once("</style>").unwrap();
        let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
        let images = if document.html.contains("<img") { "img-src data:; " } else { "" };
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{hash}'; {images}base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        );
        assert_eq!(document.policy, policy);
    }
    assert!(!document(&Pages::default(), false).policy.contains("img-src"));
}

#[test]
fn pages_are_whole_and_load_nothing() {
    for document in own() {
        let html = &document.html;
        assert!(html.starts_with("<!doctype html>\n<html lang=\"en\">"), "{html}");
        for needed in ["<title>", "name=\"viewport\"", "<main", "<h1>", "<footer>", "</html>"] {
            assert!(html.contains(needed), "{needed} in {html}");
        }
        let placeholders = ["{style}", "{class}", "{symbol}", "{header}", "{title}", "{note}", "{name}", "{logo}"];
        for forbidden in ["<script", "http:", "https:", "url(", "style=\"", "<link"].into_iter().chain(placeholders) {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
    }
}

#[test]
fn no_page_claims_that_the_user_is_signed_in() {
    for pages in [Pages::default(), branded()] {
        let html = document(&pages, false).html.to_lowercase();
        for claim in ["success", "signed in", "logged in", "complete"] {
            assert!(!html.contains(claim), "{claim}");
        }
    }
}

#[test]
fn s26_the_name_is_text_wherever_it_stands() {
    let template = Pages::from_templates("A <b> & \"C\" {text}", PLAIN, PLAIN).unwrap();
    for pages in [branded(), template] {
        for refused in [false, true] {
            let html = &document(&pages, refused).html;
            assert!(html.contains("A &#60;b&#62; &#38; &#34;C&#34; {text}") && !html.contains("<b>"), "{html}");
        }
    }
}

#[test]
fn a_template_serves_with_its_own_styles_and_our_words() {
    let html = "<STYLE media=all>a{}</STYLE><p>{text}</p><style>b{}</style>";
    let pages = Pages::from_templates("Contoso", html, PLAIN).unwrap();
    let success = document(&pages, false);
    let hash = |style: &str| STANDARD.encode(Sha256::digest(style));
    let styles = format!("style-src 'sha256-{}' 'sha256-{}'; base-uri", hash("a{}"), hash("b{}"));
    assert!(success.policy.contains(&styles), "{}", success.policy);
    assert!(success.html.contains("Contoso goes on from here"), "{}", success.html);
    let error = document(&pages, true);
    assert!(error.policy.contains("style-src 'none'") && error.html.contains("not completed"), "{error:?}");
    assert!(matches!(Pages::from_templates("Contoso", PLAIN, "<script>"), Err(PagesError::Template(_))));
    assert!(matches!(Pages::from_templates("", PLAIN, PLAIN), Err(PagesError::Name)));
}

#[test]
fn s26_the_browser_is_sent_on_over_https_or_to_this_machine_only() {
    for (to, allowed) in [
        ("https://app.example/done?a=b", true),
        ("http://localhost:8400/done", true),
        ("http://[::1]:8400/", true),
        ("http://app.example/", false),
        ("https://user@app.example/", false),
        ("ftp://app.example/", false),
        ("/done", false),
    ] {
        let uri = to.parse().unwrap();
        for pages in [Pages::default().success_redirect(&uri), Pages::default().error_redirect(&uri)] {
            assert_eq!(pages.is_ok(), allowed, "{to}");
        }
    }
    let to = "https://app.example/done".parse().unwrap();
    let pages = Pages::default().success_redirect(&to).unwrap();
    assert!(matches!(pages.ending(false), Ending::Redirect(to) if &**to == "https://app.example/done"));
    assert!(matches!(pages.ending(true), Ending::Page(_)));
}

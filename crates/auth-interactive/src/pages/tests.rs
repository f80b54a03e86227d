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

/// Every built-in page.
fn built_in_pages() -> Vec<Arc<Document>> {
    let mut pages: Vec<_> = [Pages::default(), branded()]
        .iter()
        .flat_map(|pages| [false, true].map(|refused| document(pages, refused)))
        .collect();
    pages.push(Arc::new(Document::new(wrong_request().html.clone())));
    pages
}

#[test]
fn s25_the_policy_allows_the_style_of_the_page_and_nothing_else() {
    for document in built_in_pages() {
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
fn pages_are_complete_and_load_nothing() {
    for document in built_in_pages() {
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
fn s26_the_name_is_escaped_everywhere() {
    let template = Pages::from_templates("A <b> & \"C\" {text}", PLAIN, PLAIN).unwrap();
    for pages in [branded(), template] {
        for refused in [false, true] {
            let html = &document(&pages, refused).html;
            assert!(html.contains("A &#60;b&#62; &#38; &#34;C&#34; {text}") && !html.contains("<b>"), "{html}");
        }
    }
}

#[test]
fn a_template_keeps_its_styles_and_gets_the_built_in_texts() {
    let html = "<STYLE media=all>a{}</STYLE><p>{text}</p><style>b{}</style>";
    let pages = Pages::from_templates("Contoso", html, PLAIN).unwrap();
    let success = document(&pages, false);
    let hash = |style: &str| STANDARD.encode(Sha256::digest(style));
    let styles = format!("style-src 'sha256-{}' 'sha256-{}'; base-uri", hash("a{}"), hash("b{}"));
    assert!(success.policy.contains(&styles), "{}", success.policy);
    assert!(success.html.contains("Contoso has received the response"), "{}", success.html);
    let error = document(&pages, true);
    assert!(error.policy.contains("style-src 'none'") && error.html.contains("not completed"), "{error:?}");
    assert!(matches!(Pages::from_templates("Contoso", PLAIN, "<script>"), Err(PagesError::Template(_))));
    assert!(matches!(Pages::from_templates("", PLAIN, PLAIN), Err(PagesError::Name)));
}

#[test]
fn s26_redirects_go_over_https_or_to_this_machine_only() {
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

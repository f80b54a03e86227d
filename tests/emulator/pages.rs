//! The pages in the browser, as the application chose them on the builder.

use auth::{Authority, Branding, Browser, BrowserError, Pages, PublicClient, ResponseMode};
use auth_emulator::{Emulator, Robot};
use http::Uri;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::fixture::{CLIENT, GRACE, scopes};

/// A robot that reads the last page even if the sign-in is over before the page has loaded.
#[derive(Clone)]
struct Visitor {
    robot: Robot,
    page: UnboundedSender<String>,
}

impl Browser for Visitor {
    async fn open(&self, url: &Uri) -> Result<(), BrowserError> {
        let (visitor, url) = (self.clone(), url.to_string());
        tokio::spawn(async move {
            let visit = visitor.robot.visit(&url).await.unwrap();
            visitor.page.send(visit.text().to_owned()).unwrap();
        });
        Ok(())
    }
}

/// Returns the page at the end of a sign-in, and whether it succeeded.
async fn sign_in(pages: Pages, mode: ResponseMode, robot: Robot) -> (String, bool) {
    let emulator = Emulator::start().await.unwrap();
    let (page, mut seen) = unbounded_channel();
    let client = PublicClient::builder(CLIENT)
        .authority(Authority::parse(&emulator.authority()).unwrap())
        .browser(Visitor { robot, page })
        .pages(pages)
        .build()
        .unwrap();
    let signed_in = client.acquire_token_interactive(&scopes()).response_mode(mode).send().await.is_ok();
    (seen.recv().await.unwrap(), signed_in)
}

#[tokio::test]
async fn the_applications_name_or_its_own_page_is_shown_in_either_mode() {
    let branding = Branding::new("Contoso Notes & more").unwrap();
    let page = "<!doctype html><title>{name}</title><p>Fertig: {title}</p>";
    for mode in [ResponseMode::FormPost, ResponseMode::Query] {
        for (robot, signed_in, branded, own) in [
            (Robot::new().user(GRACE), true, "Return to Contoso Notes & more", "Fertig: Return to Contoso"),
            (Robot::new().cancel(), false, "Return to Contoso Notes & more to find out", "Fertig: The sign-in was not"),
        ] {
            let shown = sign_in(Pages::branded(&branding), mode, robot.clone()).await;
            assert!(shown.0.contains(branded) && shown.1 == signed_in, "{shown:?}");
            let shown = sign_in(Pages::from_templates("Contoso", page, page).unwrap(), mode, robot).await;
            assert!(shown.0.contains(own) && shown.1 == signed_in, "{shown:?}");
        }
    }
}

#[tokio::test]
async fn s26_the_browser_is_redirected_to_the_application() {
    // The start page of another emulator plays a page of the application.
    let there = Emulator::start().await.unwrap();
    let to = format!("{}/", there.base_url()).parse().unwrap();
    let (plain, _) = sign_in(Pages::default(), ResponseMode::FormPost, Robot::new()).await;
    for mode in [ResponseMode::FormPost, ResponseMode::Query] {
        let pages = Pages::default().success_redirect(&to).unwrap();
        let (page, signed_in) = sign_in(pages.clone(), mode, Robot::new()).await;
        assert!(signed_in && page != plain && page.contains(GRACE), "{page}");
        let (page, signed_in) = sign_in(pages, mode, Robot::new().cancel()).await;
        assert!(!signed_in && page.contains("The sign-in was not completed"), "{page}");
    }
}

//! The part of a browser that a sign-in needs.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, LOCATION, ORIGIN, REFERER, USER_AGENT};
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder};
use url::{Origin, Url};

use super::address::{checked, without_query};
use super::error::RobotError;
use super::page::Page;

/// An HTTP client that behaves like a browser.
pub(super) struct Browser {
    client: Client,
    /// The origin of the provider's pages.
    origin: String,
}

impl Browser {
    /// The largest page accepted, in bytes.
    const PAGE_LIMIT: usize = 1 << 20;

    pub(super) fn new(origin: Origin) -> Result<Self, RobotError> {
        let local = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        let origin = origin.ascii_serialization();
        let client = Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .timeout(Duration::from_secs(30))
            // This name stands for this machine, whatever DNS says.
            .resolve_to_addrs("localhost", &local.map(|address| SocketAddr::new(address, 0)))
            // Without TLS, the platform's root certificates need not be loaded or even exist.
            .tls_certs_only([])
            .build()
            .map_err(|source| RobotError::Http { address: origin.clone(), source: source.without_url().into() })?;
        Ok(Self { client, origin })
    }

    pub(super) async fn get(&self, url: &Url) -> Result<Answer, RobotError> {
        let url = checked(url.clone())?;
        self.send(self.client.get(url.clone()), url).await
    }

    pub(super) async fn post(&self, url: &Url, fields: &[(String, String)]) -> Result<Answer, RobotError> {
        let url = checked(url.clone())?;
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self
            .client
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ORIGIN, &self.origin)
            .header(REFERER, format!("{}/", self.origin))
            .body(body);
        self.send(request, url).await
    }

    async fn send(&self, request: RequestBuilder, url: Url) -> Result<Answer, RobotError> {
        let same_site = url.origin().ascii_serialization() == self.origin;
        let failed = |source: reqwest::Error| RobotError::Http {
            address: without_query(&url),
            source: source.without_url().into(),
        };
        let mut response = request
            .header(USER_AGENT, "Mozilla/5.0 (auth-emulator robot)")
            .header(ACCEPT, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
            .header("Sec-Fetch-Mode", "navigate")
            .header("Sec-Fetch-Dest", "document")
            .header("Sec-Fetch-Site", if same_site { "same-origin" } else { "cross-site" })
            .send()
            .await
            .map_err(failed)?;
        let status = response.status().as_u16();
        let headers = std::mem::take(response.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len().saturating_add(chunk.len()) > Self::PAGE_LIMIT {
                return Err(RobotError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status, headers, page: Page::parse(&String::from_utf8_lossy(&body)), url })
    }
}

/// A complete response.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) page: Page,
    headers: HeaderMap,
    url: Url,
}

impl Answer {
    /// The target of a redirect; `None` if this is not one.
    pub(super) fn location(&self) -> Result<Option<Url>, RobotError> {
        if !matches!(self.status, 301..=303) {
            return Ok(None);
        }
        let location = self.headers.get(LOCATION).and_then(|value| value.to_str().ok());
        location.map(|text| self.resolve(text)).transpose()
    }

    /// Resolves a URL on the page, which may be relative.
    pub(super) fn resolve(&self, text: &str) -> Result<Url, RobotError> {
        checked(self.url.join(text).map_err(|_| RobotError::Address)?)
    }
}

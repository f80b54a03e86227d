//! The callers, and their requests.

use auth_core::{PendingAuthorization, RedirectUri, ResponseMode};

use crate::expectation::Expectation;
use crate::testing::{pending, pending_at_entra, state_of};

pub(crate) const TYPE: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
/// What no reply may contain (S-21).
pub(crate) const CANARY: &str = "canary";

/// The kind of sign-in that a row is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scene {
    /// By form post, from a provider at one origin.
    Form,
    Query,
    /// By form post, from a provider at many origins.
    Entra,
    /// By form post, to an IP address instead of a name.
    V4,
    V6,
}

impl Scene {
    pub(crate) const ALL: [Self; 5] = [Self::Form, Self::Query, Self::Entra, Self::V4, Self::V6];

    pub(crate) fn host(self) -> &'static str {
        match self {
            Self::Form | Self::Query | Self::Entra => "localhost",
            Self::V4 => "127.0.0.1",
            Self::V6 => "[::1]",
        }
    }

    pub(crate) fn redirect_uri(self) -> RedirectUri {
        RedirectUri::parse(&format!("http://{}/done", self.host())).unwrap()
    }
}

/// What a caller knows of a sign-in.
pub(crate) struct Caller {
    pub(crate) scene: Scene,
    pub(crate) pending: PendingAuthorization,
    pub(crate) state: String,
    /// The header line with the right host.
    pub(super) host: String,
}

impl Caller {
    pub(crate) fn new(scene: Scene, port: u16) -> Self {
        let redirect_uri = scene.redirect_uri().with_port(port);
        let pending = match scene {
            Scene::Entra => pending_at_entra(&redirect_uri),
            Scene::Query => pending(&redirect_uri, ResponseMode::Query),
            Scene::Form | Scene::V4 | Scene::V6 => pending(&redirect_uri, ResponseMode::FormPost),
        };
        let host = format!("Host: {}:{port}\r\n", scene.host());
        Self { scene, state: state_of(&pending), pending, host }
    }

    pub(crate) fn expectation(&self) -> Expectation {
        Expectation::new(&self.pending).unwrap().with_origin("https://pages.example")
    }

    /// The parameters of a valid response.
    pub(crate) fn answer(&self) -> String {
        format!("code=abc&state={}", self.state)
    }

    /// A complete valid response.
    pub(crate) fn response(&self) -> String {
        match self.scene {
            Scene::Query => self.get(&format!("/done?{}", self.answer()), ""),
            Scene::Form | Scene::Entra | Scene::V4 | Scene::V6 => self.post("", &self.answer()),
        }
    }

    /// A form post with this body, and these fields besides the usual ones.
    pub(crate) fn post(&self, fields: &str, body: &str) -> String {
        self.head(&format!("{TYPE}Content-Length: {}\r\n{fields}", body.len())) + body
    }

    /// The head of a post with these fields.
    pub(super) fn head(&self, fields: &str) -> String {
        format!("POST /done HTTP/1.1\r\n{}{fields}\r\n", self.host)
    }

    pub(crate) fn get(&self, target: &str, fields: &str) -> String {
        format!("GET {target} HTTP/1.1\r\n{}{fields}\r\n", self.host)
    }
}

/// A trial: the requests of successive connections, and the outcome of each.
#[derive(Clone)]
pub(crate) struct Row {
    /// Begins with the requirement.
    pub(crate) name: &'static str,
    pub(crate) said: Vec<(Vec<u8>, &'static str)>,
}

/// A row of one request. The outcome is the status, followed by `+` if it ends the wait, or `...` while more is
/// awaited.
pub(super) fn row(name: &'static str, request: impl Into<Vec<u8>>, outcome: &'static str) -> Row {
    Row { name, said: vec![(request.into(), outcome)] }
}

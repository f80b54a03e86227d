//! The OpenID provider, and the program `auth`, which signs in there with Chromium.

use std::path::PathBuf;

use auth_tests::certificates::Certificates;
use auth_tests::peer::{Peer, installed, script};
use auth_tests::program::{Home, Run};
use serde_json::Value;
use tokio::process::Command;

/// A running provider, its log, and a home folder for its users.
pub(crate) struct Provider {
    pub(crate) home: Home,
    pub(crate) certificates: Option<Certificates>,
    peer: Peer,
}

impl Provider {
    pub(crate) async fn over_http() -> Self {
        Self::start(Home::default(), None, None).await
    }

    /// A provider that offers pushed authorization requests, or requires them.
    pub(crate) async fn with_pushed_requests(required: bool) -> Self {
        let pushed = if required { "required" } else { "offered" };
        Self::start(Home::default(), None, Some(pushed)).await
    }

    pub(crate) async fn over_https() -> Self {
        let home = Home::default();
        let certificates = Certificates::make(home.path(), &["localhost"]);
        Self::start(home, Some(certificates), None).await
    }

    async fn start(home: Home, certificates: Option<Certificates>, pushed: Option<&str>) -> Self {
        let mut command = Command::new("node");
        command
            .arg(script("op.mjs"))
            .env_clear()
            .env("PATH", installed("PATH"))
            .env("HOME", home.path())
            .env("AUTH_TEST_NODE_MODULES", installed("AUTH_TEST_NODE_MODULES"))
            .env("OP_PREFIX", "/contoso")
            .env("OP_LOG", home.file("requests.log"));
        if let Some(made) = &certificates {
            command.env("OP_CERT", &made.server).env("OP_KEY", &made.server_key);
        }
        if let Some(pushed) = pushed {
            command.env("OP_PAR", pushed);
        }
        let peer = Peer::start(command).await;
        Self { home, certificates, peer }
    }

    pub(crate) fn issuer(&self) -> &str {
        self.peer.ready["issuer"].as_str().unwrap()
    }

    pub(crate) fn client_id(&self) -> &str {
        self.peer.ready["client_id"].as_str().unwrap()
    }

    pub(crate) fn scope(&self) -> &str {
        self.peer.ready["scopes"][0].as_str().unwrap()
    }

    pub(crate) fn cache_file(&self) -> PathBuf {
        self.home.file("tokens.json")
    }

    /// The last page in Chromium.
    pub(crate) fn page(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.home.file("page.json")).unwrap()).unwrap()
    }

    /// `auth` with the words of a line, for this provider, with Chromium as its browser.
    pub(crate) fn auth(&self, line: &str) -> Run {
        let run = self
            .home
            .auth(line.split_whitespace())
            .args(["--client-id", self.client_id(), "--oidc-issuer", self.issuer()])
            .args(["--cache-file".into(), self.cache_file()])
            .env("BROWSER", format!("node '{}' %s", script("browser.mjs").display()))
            .env("AUTH_TEST_BROWSER_OUTPUT", self.home.file("page.json"));
        self.trusting(with_peers(run))
    }

    /// `auth token` for the first scope of the provider, as JSON.
    pub(crate) fn token(&self, line: &str) -> Run {
        self.auth(&format!("token --output json {line}")).args(["--scope", self.scope()])
    }

    /// Chromium, at a URL that asks for the code of another device.
    pub(crate) fn enter_code(&self, address: &str, user_code: &str) -> Run {
        let run = self.home.run("node").args([script("browser.mjs").as_os_str(), address.as_ref()]);
        self.trusting(with_peers(run.env("AUTH_TEST_USER_CODE", user_code)))
    }

    /// Chromium, at a web application that leads to the provider; `then` is pressed afterwards.
    pub(crate) fn browse(&self, address: &str, then: &str) -> Run {
        let run = self.home.run("node").args([script("browser.mjs").as_os_str(), address.as_ref()]);
        let (origin, _) = self.issuer().rsplit_once('/').unwrap();
        self.trusting(with_peers(run.env("AUTH_TEST_PROVIDER", origin).env("AUTH_TEST_THEN", then)))
    }

    /// Makes a program trust the certificates of the provider.
    pub(crate) fn trusting(&self, run: Run) -> Run {
        match &self.certificates {
            Some(made) => run.env("SSL_CERT_FILE", &made.authority).env("AUTH_TEST_CERT", &made.server),
            None => run,
        }
    }

    /// The requests to the provider so far.
    pub(crate) fn requests(&self) -> Vec<Value> {
        let log = std::fs::read_to_string(self.home.file("requests.log")).unwrap_or_default();
        log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The number of requests of a grant type, all of which must have been answered with tokens.
    pub(crate) fn grants(&self, grant_type: &str) -> usize {
        let requests = self.requests();
        let of = requests.iter().filter(|request| request["grant_type"] == grant_type);
        of.inspect(|request| assert_eq!(request["status"], 200, "{request}")).count()
    }

    pub(crate) async fn stop(self) -> Home {
        self.peer.stop().await;
        self.home
    }
}

/// Sets the variables that tell a program where the peers are.
pub(crate) fn with_peers(run: Run) -> Run {
    ["AUTH_TEST_NODE_MODULES", "AUTH_TEST_CHROMIUM"].into_iter().fold(run, |run, name| run.env(name, installed(name)))
}

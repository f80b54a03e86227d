//! One cache file shared by the program `auth` and the MSALs of other languages, in both directions, at the real host
//! names: a provider of ours, behind a loopback proxy, answers for them. There is no sign-in: each story begins with a
//! cache that one of the libraries wrote.

use auth_tests::authority::proxy::Proxy;
use auth_tests::authority::{FakeAuthority, TokenRequest, new_access_token, new_refresh_token};
use auth_tests::cache;
use auth_tests::canary::sha256;
use auth_tests::fixture_home::FixtureHome;
use auth_tests::fixtures::{self, Fixture, Kind, Network, Step};
use serde_json::Value;

use crate::msal::{Arguments, Msal, Said};

/// A home with a cache, and a provider.
struct Story<'a> {
    home: FixtureHome,
    step: &'a Step,
    account: &'a str,
    provider: FakeAuthority,
    proxy: Proxy,
}

impl<'a> Story<'a> {
    async fn begin(fixture: &'a Fixture) -> Self {
        let (home, step) = (FixtureHome::with(fixture), &fixture.meta.steps[0]);
        let provider = FakeAuthority::new(fixture, Network::Answer);
        let mut hosts = fixture.meta.accounts[0].environment_any_of.clone();
        hosts.push(step.app.authority().host().to_owned());
        let proxy = Proxy::start(provider.clone(), &hosts, home.folder.path()).await;
        Self { home, step, account: &fixture.meta.accounts[0].home_account_id, provider, proxy }
    }

    async fn auth(&self) -> Value {
        let run = self.home.auth("token --silent", &self.step.app);
        let run = run.args(["--account", self.account, "--scope", &self.step.scopes[0]]);
        self.proxy.before(run).end().await.expect(0).json()
    }

    async fn msal(&self, msal: Msal) -> Said {
        let app = &self.step.app;
        let kind = if app.authority_kind == Kind::Oidc { "--oidc-authority" } else { "--authority" };
        let arguments = Arguments {
            home: &self.home.folder,
            cache: &self.home.file(),
            authority: (kind, &app.authority),
            client_id: &app.client_id,
            scope: &self.step.scopes[0],
            root: self.proxy.root(),
        };
        msal.run("silent", &arguments, &["--proxy", self.proxy.url()]).await
    }

    /// Moves the cache an hour into the past: access tokens expire, refresh tokens age.
    fn expire(&self) {
        cache::expire_file(&self.home.file());
        cache::change_file(&self.home.file(), |document| {
            for entry in document["RefreshToken"].as_object_mut().unwrap().values_mut() {
                if let Some(time) = entry["last_modification_time"].as_str() {
                    entry["last_modification_time"] = (time.parse::<u64>().unwrap() - 3600).to_string().into();
                }
            }
        });
    }

    /// Asserts that there were `count` token requests, the last of them a refresh with this token.
    #[track_caller]
    fn redeemed(&self, count: usize, refresh_token: &str) {
        self.provider.assert_no_strays();
        let requests = self.provider.token_requests();
        assert_eq!(requests.len(), count, "{requests:?}");
        let value = |name: &str| requests.last().map(|request: &TokenRequest| request.value(name).to_owned()).unwrap();
        assert_eq!(value("grant_type"), "refresh_token");
        assert_eq!(value("client_id"), self.step.app.client_id);
        assert_eq!(value("refresh_token"), refresh_token);
        assert!(value("scope").split(' ').any(|scope| scope == self.step.scopes[0]), "{}", value("scope"));
    }

    /// Starts from what the MSAL wrote: `auth` uses a valid token, then refreshes an expired one.
    async fn auth_reads(&self) -> Value {
        assert_eq!(self.auth().await["access_token"], *self.step.access_token);
        assert_eq!(self.provider.token_requests().len(), 0);
        self.expire();
        let token = self.auth().await;
        assert_eq!(token["access_token"], *new_access_token(1));
        self.redeemed(1, self.step.refresh_token.as_deref().unwrap());
        token
    }

    /// Continues from what `auth` wrote: the MSAL uses a valid token, then refreshes an expired one, which `auth` uses.
    async fn other_reads(&self, msal: Msal, token: &Value) {
        let found = self.msal(msal).await;
        found.found(&new_access_token(1));
        found.names(&token["account"]);
        self.expire();
        assert_eq!(self.msal(msal).await.refreshed(), sha256(&new_access_token(2)));
        self.redeemed(2, &new_refresh_token(1));
        let token = self.auth().await;
        assert_eq!((&token["source"], &token["access_token"]), (&"cache".into(), &new_access_token(2).into()));
        assert_eq!(self.provider.token_requests().len(), 2);
    }
}

fn fixture(name: &str) -> Fixture {
    fixtures::all().into_iter().find(|fixture| fixture.name == name).unwrap().moved_to(cache::now())
}

/// The story, until `auth` uses what the MSAL refreshed.
async fn tell<'a>(fixture: &'a Fixture, msal: Msal) -> Story<'a> {
    let story = Story::begin(fixture).await;
    let token = story.auth_reads().await;
    story.other_reads(msal, &token).await;
    story
}

/// The whole story: `auth` refreshes what the MSAL refreshed, and the MSAL uses that.
async fn tell_to_the_end(name: &str, msal: Msal) {
    let fixture = fixture(name);
    let story = tell(&fixture, msal).await;
    story.expire();
    assert_eq!(story.auth().await["access_token"], *new_access_token(3));
    story.redeemed(3, &new_refresh_token(2));
    story.msal(msal).await.found(&new_access_token(3));
    assert_eq!(story.provider.token_requests().len(), 3);
}

#[tokio::test]
async fn msal_python_at_entra() {
    tell_to_the_end("msal-python/a_single_user", Msal::Python).await;
}

#[tokio::test]
async fn msal_python_at_b2c() {
    tell_to_the_end("msal-python/g_b2c", Msal::Python).await;
}

#[tokio::test]
async fn msal_python_at_adfs() {
    tell_to_the_end("msal-python/h_adfs", Msal::Python).await;
}

#[tokio::test]
async fn msal_python_at_external_id() {
    tell_to_the_end("msal-python/j_ciam_guid", Msal::Python).await;
}

#[tokio::test]
async fn msal_node_at_entra() {
    tell_to_the_end("msal-node/a_single_user", Msal::Node).await;
}

#[tokio::test]
async fn msal_node_at_external_id() {
    tell_to_the_end("msal-node/j_ciam_guid", Msal::Node).await;
}

#[tokio::test]
async fn msal_node_at_an_openid_provider() {
    tell_to_the_end("msal-node/i_oidc", Msal::Node).await;
}

//! Other MSALs, unmodified, each driven by a script.

use std::path::Path;

use auth_tests::canary::sha256;
use auth_tests::peer::{installed, script};
use auth_tests::program::Home;
use serde_json::Value;

use crate::provider::with_peers;

/// An MSAL of another language.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Msal {
    Python,
    Node,
}

/// The arguments of an MSAL.
pub(crate) struct Arguments<'a> {
    pub(crate) home: &'a Home,
    pub(crate) cache: &'a Path,
    /// The option that names the kind of authority, and its URL.
    pub(crate) authority: (&'a str, &'a str),
    pub(crate) client_id: &'a str,
    pub(crate) scope: &'a str,
    /// The root certificate to trust.
    pub(crate) root: &'a Path,
}

/// The output of an MSAL.
#[derive(Debug)]
pub(crate) struct Said(pub(crate) Value);

impl Msal {
    /// Runs a command of its script, with more arguments.
    pub(crate) async fn run(self, command: &str, arguments: &Arguments<'_>, more: &[&str]) -> Said {
        let run = match self {
            Self::Python => arguments.home.run(installed("AUTH_TEST_PYTHON")).args([script("msal_python.py")]),
            Self::Node => arguments.home.run("node").args([script("msal_node.mjs")]),
        };
        let (kind, authority) = arguments.authority;
        let run = with_peers(run)
            .args([command, kind, authority, "--client-id", arguments.client_id, "--scope", arguments.scope])
            .args(["--cache".as_ref(), arguments.cache])
            .args(["--ca".as_ref(), arguments.root])
            .args(more);
        Said(run.end().await.expect(0).json())
    }
}

impl Said {
    /// Asserts that it found this token in the cache, without a token request.
    #[track_caller]
    pub(crate) fn found(&self, access_token: &str) {
        self.got("cache", 0);
        assert_eq!(self.0["result"]["access_token_sha256"], sha256(access_token), "{self:?}");
    }

    /// Asserts that it got a new token with one token request, and returns the SHA-256 of the token.
    #[track_caller]
    pub(crate) fn refreshed(&self) -> &str {
        self.got("identity_provider", 1);
        self.0["result"]["access_token_sha256"].as_str().unwrap()
    }

    #[track_caller]
    fn got(&self, source: &str, token_requests: usize) {
        assert_eq!(self.0["result"]["token_source"], source, "{self:?}");
        assert_eq!(self.0["token_requests"], token_requests, "{self:?}");
    }

    /// Asserts that it lists one account, the one that `auth` lists.
    #[track_caller]
    pub(crate) fn names(&self, account: &Value) {
        assert_eq!(self.0["accounts"].as_array().unwrap().len(), 1, "{self:?}");
        for name in ["username", "home_account_id"] {
            assert_eq!(self.0["accounts"][0][name], account[name], "{self:?}");
        }
    }
}

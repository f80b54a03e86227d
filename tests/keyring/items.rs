//! The keyring items of the MSAL extension libraries, tested with the unmodified libraries.

use auth_tests::keyring::Session;
use auth_tests::peer::{installed, script};
use auth_tests::program::Run;

use crate::scene::vault;

/// Runs MSAL Extensions for Python: the system's Python, which has libsecret, with the packages of the pinned
/// environment.
async fn python(session: &Session, words: &[&str]) -> String {
    let purelib = "import sysconfig; print(sysconfig.get_path('purelib'))";
    let packages = session.home.run(installed("AUTH_TEST_PYTHON")).args(["-c", purelib]).end().await.expect(0);
    let run = session.home.run("/usr/bin/python3").env("PYTHONPATH", packages.line());
    output(session, run.args([script("secret_items.py")]), words).await
}

/// Runs MSAL Node Extensions.
async fn node(session: &Session, words: &[&str]) -> String {
    let run = session.home.run("node").env("AUTH_TEST_NODE_MODULES", installed("AUTH_TEST_NODE_MODULES"));
    output(session, run.args([script("secret_items.mjs")]), words).await
}

async fn output(session: &Session, run: Run, words: &[&str]) -> String {
    let run = run.args([session.folder()]).args(words);
    session.inside(run).end().await.expect(0).stdout.trim_end().to_owned()
}

const DOCUMENT: &str = r#"{"AccessToken": {"k": {"secret": "written by us"}}}"#;

#[tokio::test]
async fn msal_python_and_we_read_each_others_items() {
    let session = Session::start().await;
    assert_eq!(vault(&session, "get-python", "").await, "");
    assert_eq!(python(&session, &["save", r#"{"hello": "from MSAL Python"}"#]).await, "saved");
    assert_eq!(vault(&session, "get-python", "").await, r#"{"hello": "from MSAL Python"}"#);
    assert_eq!(vault(&session, "put-python", DOCUMENT).await, "stored");
    assert_eq!(python(&session, &["load"]).await, DOCUMENT);
    assert_eq!(python(&session, &["count"]).await, "1", "one item, not one for each library");
}

// MSAL Python notices our write by the time of the file.
#[tokio::test]
async fn msal_python_sees_and_keeps_what_we_add() {
    let session = Session::start().await;
    assert_eq!(python(&session, &["add", "first"]).await, "first");
    assert_eq!(vault(&session, "add-python", "").await, "added");
    assert_eq!(python(&session, &["add", "second"]).await, "first second");
    let document = vault(&session, "get-python", "").await;
    for kept in ["first", "second", r#""Ours""#] {
        assert!(document.contains(kept), "{kept}: {document}");
    }
    // Also if we replace the document.
    assert_eq!(vault(&session, "put-python", "{}").await, "stored");
    assert_eq!(python(&session, &["add", "third"]).await, "third");
}

#[tokio::test]
async fn msal_node_and_we_read_each_others_items() {
    let session = Session::start().await;
    assert_eq!(vault(&session, "get-node", "").await, "");
    assert_eq!(node(&session, &["save", r#"{"hello": "from MSAL Node"}"#]).await, "saved");
    assert_eq!(vault(&session, "get-node", "").await, r#"{"hello": "from MSAL Node"}"#);
    assert_eq!(vault(&session, "put-node", DOCUMENT).await, "stored");
    assert_eq!(node(&session, &["load"]).await, DOCUMENT);
}

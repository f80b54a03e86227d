//! Shared parts of the tests.

use std::path::Path;
use std::process::Stdio;

use auth_tests::keyring::Session;
use tokio::io::AsyncWriteExt as _;

const VAULT: &str = env!("CARGO_BIN_EXE_vault");

/// Runs `vault` with this on its standard input, and returns its output.
pub(crate) async fn vault(session: &Session, word: &str, input: &str) -> String {
    let folder = session.folder();
    let run = session.inside(session.home.run(VAULT).args([word.as_ref(), folder.as_os_str()]));
    let mut child = run.stdin(Stdio::piped()).start();
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.unwrap();
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{word}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Returns every file in a folder and those below it.
pub(crate) fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        match entry.file_type().unwrap() {
            kind if kind.is_dir() => found.extend(files(&path)),
            kind if kind.is_file() => found.push((path.display().to_string(), std::fs::read(&path).unwrap())),
            _ => {}
        }
    }
    found
}

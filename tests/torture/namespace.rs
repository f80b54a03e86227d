//! Private mounts.

use auth_tests::actor::{Actor, words};
use std::path::{Path, PathBuf};

/// A mount namespace, kept alive by a shell, with a folder for mounts.
pub(crate) struct Namespace {
    shell: Actor,
    folder: tempfile::TempDir,
}

impl Namespace {
    /// Creates a namespace with a tmpfs of this size, such as `64k`.
    pub(crate) async fn with_tmpfs(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut namespace = Self { shell: Actor::start(["unshare", "-rm", "sh"]), folder };
        namespace.run(&format!("mount -t tmpfs -o size={size},mode=700 tmpfs $M")).await;
        namespace
    }

    /// Runs a shell command that must succeed; `$M` is the folder.
    pub(crate) async fn run(&mut self, line: &str) {
        let line = format!("M='{}'; {line} >&2 && echo done || echo failed", self.folder.path().display());
        assert_eq!(self.shell.ask(&line).await, "done", "{line}");
    }

    /// Returns the path of a file or folder as seen inside the namespace.
    pub(crate) fn inside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Returns the path of a file or folder as seen by this process.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.shell.process());
        Path::new(&root).join(self.inside(name).strip_prefix("/").unwrap())
    }

    /// Starts a writer inside, on a file there, with additional arguments.
    pub(crate) async fn actor(&self, name: &str, writer: &str, more: &[&str]) -> Actor {
        self.actor_at("", name, writer, more).await
    }

    /// Like [`actor`](Self::actor), on a file of a kind, such as `encrypted:`.
    pub(crate) async fn actor_at(&self, kind: &str, name: &str, writer: &str, more: &[&str]) -> Actor {
        let shell = self.shell.process().to_string();
        let enter = ["nsenter", "-U", "-m", "-t", &shell, "--preserve-credentials"].map(AsRef::as_ref);
        let file = PathBuf::from(format!("{kind}{}", self.inside(name).display()));
        let all = enter.into_iter().chain(words(&file, writer)).chain(more.iter().map(AsRef::as_ref));
        Actor::ready(all).await
    }
}

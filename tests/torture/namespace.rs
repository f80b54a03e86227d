//! Mounts that nobody else sees.

use auth_tests::actor::{Actor, words};
use std::path::{Path, PathBuf};

/// A mount namespace, kept by a shell, with a folder at which things are mounted.
pub(crate) struct Namespace {
    shell: Actor,
    folder: tempfile::TempDir,
}

impl Namespace {
    /// One with a tmpfs of this size, such as `64k`.
    pub(crate) async fn with_tmpfs(size: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut namespace = Self { shell: Actor::start(["unshare", "-rm", "sh"]), folder };
        namespace.run(&format!("mount -t tmpfs -o size={size},mode=700 tmpfs $M")).await;
        namespace
    }

    /// Runs a line of the shell that has to succeed; `$M` is the folder.
    pub(crate) async fn run(&mut self, line: &str) {
        let line = format!("M='{}'; {line} >&2 && echo done || echo failed", self.folder.path().display());
        assert_eq!(self.shell.ask(&line).await, "done", "{line}");
    }

    /// Files and folders of the namespace, as those inside name them.
    pub(crate) fn inside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The same, for this process.
    pub(crate) fn outside(&self, name: &str) -> PathBuf {
        let root = format!("/proc/{}/root", self.shell.process());
        Path::new(&root).join(self.inside(name).strip_prefix("/").unwrap())
    }

    /// A writer inside, at a file there; `more` is what else it is told when it starts.
    pub(crate) async fn actor(&self, name: &str, writer: &str, more: &[&str]) -> Actor {
        self.actor_at("", name, writer, more).await
    }

    /// The same at a file of a kind, such as `encrypted:`.
    pub(crate) async fn actor_at(&self, kind: &str, name: &str, writer: &str, more: &[&str]) -> Actor {
        let shell = self.shell.process().to_string();
        let enter = ["nsenter", "-U", "-m", "-t", &shell, "--preserve-credentials"].map(AsRef::as_ref);
        let file = PathBuf::from(format!("{kind}{}", self.inside(name).display()));
        let all = enter.into_iter().chain(words(&file, writer)).chain(more.iter().map(AsRef::as_ref));
        Actor::ready(all).await
    }
}

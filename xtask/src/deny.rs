//! `cargo xtask deny`: checks licences, bans and sources of the dependencies with cargo-deny.
//!
//! It is not part of `cargo xtask test` because building cargo-deny takes minutes.

use std::process::Command;

use crate::failure::Result;
use crate::workspace::{self, Workspace};

const VERSION: &str = "0.20.2";

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tools = workspace.target.join("tools");
    let program = tools.join("bin").join("cargo-deny");
    if !program.exists() {
        eprintln!("cargo-deny is missing: installing version {VERSION} in {}", tools.display());
        let mut install = workspace.cargo("install");
        install.args(["cargo-deny", "--version", VERSION, "--root"]).arg(&tools);
        workspace::run(&mut install)?;
    }
    let mut check = Command::new(program);
    check.current_dir(&workspace.root).args(["--locked", "--all-features", "check", "bans", "licenses", "sources"]);
    workspace::run(&mut check)
}

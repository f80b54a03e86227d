//! `cargo xtask tidy`: the invariants of `ARCHITECTURE.md` that no compiler checks.
//!
//! Each rule is a function from the sources, or from cargo's output, to findings, so it can be tested with a few lines
//! of text. A finding is one line: where, what, and what to do.

mod code;
mod finding;
mod habits;
mod imports;
mod layers;
mod length;
mod modules;
mod paths;
mod purity;
mod requirements;
mod signatures;
mod sources;
mod trees;

use std::fs;

use crate::failure::{Failure, Result};
use crate::workspace::Workspace;
use finding::Finding;
use sources::Source;

/// Checks everything and prints the findings. With `bless`, the dependency lists are written instead of compared.
pub(crate) fn run(workspace: &Workspace, bless: bool) -> Result<()> {
    let sources = sources::read(&workspace.root)?;
    let mut findings = in_sources(&sources, workspace);
    let page = workspace.root.join(requirements::PATH);
    let page = fs::read_to_string(&page).map_err(Failure::file("read", &page))?;
    findings.extend(requirements::check(&sources, &page));
    findings.extend(layers::check(&workspace.members));
    findings.extend(trees::check(workspace, bless)?);
    findings.sort();
    for finding in &findings {
        println!("{finding}");
    }
    match findings.len() {
        0 => Ok(()),
        1 => Err(Failure::new("tidy found 1 thing to fix")),
        many => Err(Failure::new(format!("tidy found {many} things to fix"))),
    }
}

fn in_sources(sources: &[Source], workspace: &Workspace) -> Vec<Finding> {
    let mut findings = length::check(sources);
    findings.extend(purity::check(sources));
    findings.extend(signatures::check(sources));
    findings.extend(habits::check(sources));
    for member in &workspace.members {
        findings.extend(imports::check(&format!("{}/src/", member.folder), sources));
    }
    findings
}

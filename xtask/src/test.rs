//! `cargo xtask test`: everything that must hold before a change is accepted, the fastest checks first.

use crate::bench;
use crate::failure::Result;
use crate::install;
use crate::steps::Steps;
use crate::tidy;
use crate::torture;
use crate::workspace::{self, Member, Workspace};

/// The crates that can be used individually; each is checked with each of its features alone.
const LIBRARIES: [&str; 5] = ["auth", "auth-cache", "auth-core", "auth-http", "auth-interactive"];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::new("test", 8);
    let peers = steps.step("install the peers", || {
        install::torture()?;
        install::redis()?;
        install::run(workspace)
    })?;
    steps.step("format", || workspace::run(workspace.cargo("fmt").args(["--all", "--check"])))?;
    steps.step("tidy", || tidy::run(workspace, false))?;
    steps.step("lints", || {
        let mut clippy = workspace.cargo("clippy");
        workspace::run(clippy.args(["--workspace", "--all-targets", "--all-features", "--", "--deny", "warnings"]))
    })?;
    steps.step("tests", || {
        let mut test = workspace.cargo("test");
        torture::reported(workspace, peers.announce(&mut test).args(["--workspace", "--all-features"]))
    })?;
    steps.step("each feature alone", || each_feature_alone(workspace))?;
    steps.step("documentation", || {
        let mut doc = workspace.cargo("doc");
        doc.env("RUSTDOCFLAGS", "--deny warnings");
        workspace::run(doc.args(["--workspace", "--no-deps", "--all-features"]))
    })?;
    steps.step("instructions of a silent hit", || bench::instructions(workspace))?;
    steps.finish();
    Ok(())
}

/// Tests each library without features, and lints it with each feature alone. Other steps have checked all features
/// together; this finds code that is unused, or does not compile, without the others.
fn each_feature_alone(workspace: &Workspace) -> Result<()> {
    for member in workspace.members.iter().filter(|member| LIBRARIES.contains(&member.name.as_str())) {
        let of_member = |command: &str, selection: &[&str]| {
            eprintln!("--- {command} {} {}", member.name, selection.join(" "));
            let mut cargo = workspace.cargo(command);
            cargo.args(["--package", &member.name]).args(selection);
            cargo
        };
        workspace::run(&mut of_member("test", &NO_FEATURES))?;
        for selection in selections(member) {
            let mut clippy = of_member("clippy", &selection);
            workspace::run(clippy.args(["--all-targets", "--", "--deny", "warnings"]))?;
        }
    }
    Ok(())
}

const NO_FEATURES: [&str; 1] = ["--no-default-features"];

/// No features, then each one alone.
fn selections(member: &Member) -> Vec<Vec<&str>> {
    let each = member.features.iter().map(|feature| [&NO_FEATURES[..], &["--features", feature.as_str()]].concat());
    std::iter::once(NO_FEATURES.to_vec()).chain(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_selected_alone() {
        let member = Member {
            name: "auth".to_owned(),
            folder: "crates/auth".to_owned(),
            features: vec!["file".to_owned()],
            dependencies: Vec::new(),
        };
        assert_eq!(
            selections(&member),
            [vec!["--no-default-features"], vec!["--no-default-features", "--features", "file"]]
        );
    }
}

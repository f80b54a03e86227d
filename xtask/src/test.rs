//! `cargo xtask test`: everything that has to hold before a change is taken, in the order of how soon it tells.

use crate::bench;
use crate::failure::Result;
use crate::install;
use crate::steps::Steps;
use crate::tidy;
use crate::torture;
use crate::workspace::{self, Member, Workspace};

/// The crates that people take one by one, so that each is built and tested with each of its features alone.
const LIBRARIES: [&str; 5] = ["auth", "auth-cache", "auth-core", "auth-http", "auth-interactive"];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut steps = Steps::new("test", 9);
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
    steps.step("lints of each feature alone", || {
        each_feature_alone(workspace, "clippy", &["--", "--deny", "warnings"])
    })?;
    steps.step("tests of each feature alone", || each_feature_alone(workspace, "test", &[]))?;
    steps.step("documentation", || {
        let mut doc = workspace.cargo("doc");
        doc.env("RUSTDOCFLAGS", "--deny warnings");
        workspace::run(doc.args(["--workspace", "--no-deps", "--all-features"]))
    })?;
    steps.step("instructions of a silent hit", || bench::instructions(workspace))?;
    steps.finish();
    Ok(())
}

fn each_feature_alone(workspace: &Workspace, subcommand: &str, last: &[&str]) -> Result<()> {
    for member in workspace.members.iter().filter(|member| LIBRARIES.contains(&member.name.as_str())) {
        for selection in selections(member) {
            eprintln!("--- {} {}", member.name, selection.join(" "));
            let mut command = workspace.cargo(subcommand);
            command.args(["--package", &member.name]).args(selection).args(last);
            workspace::run(&mut command)?;
        }
    }
    Ok(())
}

/// No feature, then each one.
fn selections(member: &Member) -> Vec<Vec<&str>> {
    let none = vec!["--no-default-features"];
    let each = member.features.iter().map(|feature| vec!["--no-default-features", "--features", feature.as_str()]);
    std::iter::once(none).chain(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_are_taken_alone() {
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

//! `cargo xtask test`: everything that must hold before a change is accepted, the fastest checks first.

use serde_json::Value;

use crate::bench;
use crate::failure::{Failure, Result};
use crate::install;
use crate::steps::Steps;
use crate::tidy;
use crate::torture;
use crate::workspace::{self, Member, Workspace};

/// The crates that can be used individually; each is built and tested with each of its features alone.
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

/// Builds each library with each of its features alone, without warnings, and tests it. Clippy has checked all features
/// together; this finds code that is unused, or does not compile, without the others.
fn each_feature_alone(workspace: &Workspace) -> Result<()> {
    for member in workspace.members.iter().filter(|member| LIBRARIES.contains(&member.name.as_str())) {
        for selection in selections(member) {
            eprintln!("--- {} {}", member.name, selection.join(" "));
            let test = |more: &[&str]| {
                let mut test = workspace.cargo("test");
                test.args(["--package", &member.name]).args(&selection).args(more);
                test
            };
            workspace::run(&mut test(&[]))?;
            // Already built; cargo replays the compiler's messages.
            let warnings = warnings(&workspace::capture(&mut test(&["--no-run", "--message-format", "json"]))?);
            if !warnings.is_empty() {
                return Err(Failure::new(format!("there are warnings:\n\n{}", warnings.join("\n"))));
            }
        }
    }
    Ok(())
}

/// The compiler's warnings about workspace packages; cargo suppresses those about others.
fn warnings(messages: &str) -> Vec<String> {
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let rendered = messages.filter_map(|message| Some(message.get("message")?.get("rendered")?.as_str()?.to_owned()));
    rendered.collect()
}

/// No features, then each one alone.
fn selections(member: &Member) -> Vec<Vec<&str>> {
    let none = vec!["--no-default-features"];
    let each = member.features.iter().map(|feature| vec!["--no-default-features", "--features", feature.as_str()]);
    std::iter::once(none).chain(each).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn warnings_are_extracted_from_cargos_messages() {
        let messages = r#"{"reason":"compiler-artifact","fresh":true}
{"reason":"compiler-message","message":{"level":"warning","rendered":"warning: function `dead` is never used"}}
{"reason":"build-finished","success":true}"#;
        assert_eq!(warnings(messages), ["warning: function `dead` is never used"]);
    }

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

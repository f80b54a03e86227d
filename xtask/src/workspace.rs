//! What cargo knows about the workspace: its members, their features and their dependencies on each other.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Failure, Result};

pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    /// The folder for build output and installed software.
    pub(crate) target: PathBuf,
    pub(crate) members: Vec<Member>,
}

pub(crate) struct Member {
    pub(crate) name: String,
    /// The folder of its manifest, relative to the root.
    pub(crate) folder: String,
    /// Its features, without `default`.
    pub(crate) features: Vec<String>,
    /// The names of its normal dependencies.
    pub(crate) dependencies: Vec<String>,
}

impl Workspace {
    pub(crate) fn load() -> Result<Self> {
        let mut command = Command::new(cargo_path());
        command.args(["metadata", "--locked", "--no-deps", "--format-version", "1"]);
        let text = capture(&mut command)?;
        let metadata = serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("`cargo metadata` did not print JSON: {error}")))?;
        Self::parse(&metadata).ok_or_else(|| Failure::new("`cargo metadata` lacks a field that xtask needs"))
    }

    fn parse(metadata: &Value) -> Option<Self> {
        let root = PathBuf::from(metadata.get("workspace_root")?.as_str()?);
        let members = metadata.get("packages")?.as_array()?.iter().map(|package| Member::parse(package, &root));
        Some(Self {
            target: PathBuf::from(metadata.get("target_directory")?.as_str()?),
            members: members.collect::<Option<_>>()?,
            root,
        })
    }

    /// A cargo command at the root, with `--locked`.
    pub(crate) fn cargo(&self, subcommand: &str) -> Command {
        let mut command = Command::new(cargo_path());
        command.current_dir(&self.root).arg(subcommand);
        if subcommand != "fmt" {
            command.arg("--locked");
        }
        command
    }
}

impl Member {
    fn parse(package: &Value, root: &Path) -> Option<Self> {
        let folder = Path::new(package.get("manifest_path")?.as_str()?).parent()?;
        let features = package.get("features")?.as_object()?.keys().filter(|name| *name != "default");
        let dependencies = package.get("dependencies")?.as_array()?.iter();
        Some(Self {
            name: package.get("name")?.as_str()?.to_owned(),
            folder: folder.strip_prefix(root).ok()?.to_str()?.replace('\\', "/"),
            features: features.cloned().collect(),
            dependencies: dependencies
                .filter(|dependency| dependency.get("kind").is_some_and(Value::is_null))
                .map(|dependency| Some(dependency.get("name")?.as_str()?.to_owned()))
                .collect::<Option<_>>()?,
        })
    }
}

/// The path of cargo, which it passes to the programs that it runs.
pub(crate) fn cargo_path() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

/// Runs `command` and returns its stdout; its stderr is inherited.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command
        .stderr(std::process::Stdio::inherit())
        .output()
        .map_err(|error| Failure::new(format!("cannot start `{shown}`: {error}")))?;
    if !output.status.success() {
        return Err(Failure::new(format!("`{shown}` failed ({})", output.status)));
    }
    String::from_utf8(output.stdout).map_err(|_| Failure::new(format!("`{shown}` printed invalid UTF-8")))
}

/// Runs `command` with inherited output, and fails if it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::new(format!("`{shown}` failed ({status})"))),
        Err(error) => Err(Failure::new(format!("cannot start `{shown}`: {error}"))),
    }
}

/// The command line as typed in a shell.
fn show(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_else(|| command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_members_features_and_normal_dependencies() {
        let metadata = serde_json::json!({
            "workspace_root": "/w",
            "target_directory": "/w/target",
            "packages": [{
                "name": "auth-http",
                "manifest_path": "/w/crates/auth-http/Cargo.toml",
                "features": { "default": ["reqwest"], "reqwest": [] },
                "dependencies": [{ "name": "auth-core", "kind": null }, { "name": "tempfile", "kind": "dev" }],
            }],
        });
        let workspace = Workspace::parse(&metadata).unwrap();
        let member = &workspace.members[0];
        assert_eq!((member.name.as_str(), member.folder.as_str()), ("auth-http", "crates/auth-http"));
        assert_eq!(member.features, ["reqwest"]);
        assert_eq!(member.dependencies, ["auth-core"]);
    }

    #[test]
    fn a_command_is_shown_as_it_is_typed() {
        assert_eq!(show(Command::new("/usr/bin/npm").args(["ci", "--no-fund"])), "npm ci --no-fund");
    }
}

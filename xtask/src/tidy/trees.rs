//! The dependency trees: the dependencies of `auth-core` are listed, some crates must never be in some trees, and no
//! tree grows unnoticed.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::finding::Finding;
use crate::failure::{Failure, Result};
use crate::workspace::{self, Workspace};

const CORE_LIST: &str = "xtask/allowed/auth-core.txt";
const SIZE_LIST: &str = "xtask/allowed/tree-sizes.txt";
const BLESS: &str = "if this is intended, run `cargo xtask tidy --bless` and give the reason in the commit";

/// Crates that must never be in a tree: package, features, crates.
const DENIED: [(&str, &str, &[&str]); 3] = [
    ("auth-core", "--all-features", &["getrandom", "hyper", "mio", "reqwest", "rustls", "socket2", "tokio"]),
    ("auth-cache", "--no-default-features", &["hyper", "reqwest", "tokio"]),
    ("auth", "--no-default-features", &["hyper", "reqwest", "rustls", "webbrowser"]),
];

/// Compares the trees with the lists, or writes the lists. Forbidden crates are findings in both cases.
pub(super) fn check(workspace: &Workspace, bless: bool) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for (package, features, names) in DENIED {
        findings.extend(denied(package, features, names, &tree(workspace, package, &[features])?));
    }
    let core = names(&tree(workspace, "auth-core", &["--all-features"])?, "auth-core");
    let sizes = sizes(workspace)?;
    for (path, lines) in [(CORE_LIST, core), (SIZE_LIST, sizes)] {
        let file = workspace.root.join(path);
        if bless {
            write(&file, &lines)?;
        } else {
            findings.extend(compare(path, &listed(&read(&file)?), &lines));
        }
    }
    Ok(findings)
}

/// The packages in the tree of `package`, including itself, as `name version`.
fn tree(workspace: &Workspace, package: &str, options: &[&str]) -> Result<BTreeSet<String>> {
    let mut command = workspace.cargo("tree");
    command.args(["--package", package, "--edges", "normal", "--prefix", "none"]).args(options);
    workspace::capture(&mut command).map(|text| packages(&text))
}

fn packages(text: &str) -> BTreeSet<String> {
    let lines = text.lines().map(|line| line.split_whitespace().take(2).collect::<Vec<_>>().join(" "));
    lines.filter(|package| !package.is_empty()).collect()
}

fn name(package: &str) -> &str {
    package.split(' ').next().unwrap_or(package)
}

fn names(tree: &BTreeSet<String>, without: &str) -> BTreeSet<String> {
    tree.iter().map(|package| name(package).to_owned()).filter(|name| name != without).collect()
}

/// One line per library crate, with the number of its dependencies with default features.
fn sizes(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let crates = workspace.members.iter().filter(|member| member.folder.starts_with("crates/"));
    crates.map(|member| Ok(format!("{} {}", member.name, tree(workspace, &member.name, &[])?.len() - 1))).collect()
}

fn denied(package: &str, features: &str, denied: &[&str], tree: &BTreeSet<String>) -> Vec<Finding> {
    let found = tree.iter().map(|package| name(package)).filter(|name| denied.contains(name));
    found
        .map(|name| {
            let command = format!("cargo tree -p {package} -e normal {features} -i {name}");
            let message =
                format!("{name} must not be in the tree of {package} with {features}; `{command}` shows why it is");
            Finding::new(&format!("crates/{package}/Cargo.toml"), 0, message)
        })
        .collect()
}

fn compare(path: &str, listed: &BTreeSet<String>, found: &BTreeSet<String>) -> Vec<Finding> {
    let added = found.difference(listed).map(|line| format!("`{line}` is not on the list; {BLESS}"));
    let removed = listed.difference(found).map(|line| format!("`{line}` is on the list but no longer found; {BLESS}"));
    added.chain(removed).map(|message| Finding::new(path, 0, message)).collect()
}

fn listed(text: &str) -> BTreeSet<String> {
    text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).map(str::to_owned).collect()
}

/// A missing list is empty.
fn read(file: &Path) -> Result<String> {
    if file.exists() { fs::read_to_string(file).map_err(Failure::file("read", file)) } else { Ok(String::new()) }
}

/// Writes the list, keeping the comment at its top.
fn write(file: &Path, lines: &BTreeSet<String>) -> Result<()> {
    let before = read(file)?;
    let comment = before.lines().take_while(|line| line.starts_with('#'));
    let text: String = comment.chain(lines.iter().map(String::as_str)).flat_map(|line| [line, "\n"]).collect();
    fs::write(file, text).map_err(Failure::file("write", file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(lines: &[&str]) -> BTreeSet<String> {
        lines.iter().map(|&line| line.to_owned()).collect()
    }

    #[test]
    fn trees_are_parsed() {
        let tree =
            packages("auth-core v0.1.0 (/w)\nserde v1.0.1\nserde_derive v1.0.1 (proc-macro)\nserde v1.0.1 (*)\n\n");
        assert_eq!(tree, set(&["auth-core v0.1.0", "serde v1.0.1", "serde_derive v1.0.1"]));
        assert_eq!(names(&tree, "auth-core"), set(&["serde", "serde_derive"]));
    }

    #[test]
    fn a_denied_crate_is_found() {
        let found = denied("auth-core", "--all-features", &["tokio"], &set(&["auth-core v0.1.0", "tokio v1.0.0"]));
        assert_eq!(found.len(), 1);
        assert!(
            found[0].to_string().starts_with("crates/auth-core/Cargo.toml: tokio must not be in the tree of auth-core")
        );
        assert!(denied("auth-core", "--all-features", &["tokio"], &set(&["tokio-util v1.0.0"])).is_empty());
    }

    #[test]
    fn added_and_removed_dependencies_are_found() {
        let listed = listed("# why\nserde\nsha2\n");
        assert!(compare("list", &listed, &set(&["serde", "sha2"])).is_empty());
        let found = compare("list", &listed, &set(&["serde", "mio"]));
        assert!(found[0].to_string().starts_with("list: `mio` is not on the list; "));
        assert!(found[1].to_string().starts_with("list: `sha2` is on the list but no longer found; "));
    }

    #[test]
    fn a_larger_tree_is_found() {
        assert_eq!(compare("list", &listed("auth 100\n"), &set(&["auth 101"])).len(), 2);
    }
}

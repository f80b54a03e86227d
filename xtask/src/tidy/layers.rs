//! The layers: a crate depends only on crates below it.

use super::finding::Finding;
use crate::workspace::Member;

/// Each crate with what it may depend on within the workspace. Crates not listed here may use everything.
const LAYERS: [(&str, &[&str]); 6] = [
    ("auth-core", &[]),
    ("auth-cache", &["auth-core"]),
    ("auth-http", &["auth-core"]),
    ("auth-interactive", &["auth-core"]),
    ("auth-emulator", &["auth-core"]),
    ("auth", &["auth-core", "auth-cache", "auth-http", "auth-interactive"]),
];

pub(super) fn check(members: &[Member]) -> Vec<Finding> {
    let is_member = |name: &str| members.iter().any(|member| member.name == name);
    let mut findings = Vec::new();
    for member in members {
        let Some((_, below)) = LAYERS.iter().find(|(name, _)| *name == member.name) else {
            continue;
        };
        let internal = member.dependencies.iter().filter(|name| is_member(name));
        findings.extend(internal.filter(|name| !below.contains(&name.as_str())).map(|name| {
            let message =
                format!("{} depends on {name}, which is not below it; see the layers in ARCHITECTURE.md", member.name);
            Finding::new(&format!("{}/Cargo.toml", member.folder), 0, message)
        }));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn member(name: &str, dependencies: &[&str]) -> Member {
        Member {
            name: name.to_owned(),
            folder: format!("crates/{name}"),
            features: Vec::new(),
            dependencies: dependencies.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn a_dependency_that_points_up_or_sideways_is_found() {
        let found = check(&[
            member("auth-core", &[]),
            member("auth-cache", &["auth-core", "auth-http"]),
            member("auth-http", &[]),
        ]);
        assert_eq!(found.len(), 1);
        assert_eq!(
            found[0].to_string(),
            "crates/auth-cache/Cargo.toml: auth-cache depends on auth-http, which is not below it; see the layers in ARCHITECTURE.md"
        );
    }

    #[test]
    fn dependencies_that_point_down_are_accepted() {
        assert!(
            check(&[member("auth-core", &["http"]), member("auth", &["auth-core"]), member("auth-cli", &["auth"])])
                .is_empty()
        );
    }
}

//! No import cycle between the modules of a crate.
//!
//! At each level of the module tree, a module represents everything below it, and the parent's own file counts as a
//! sibling of its children. A path from one to another is an arrow, and a cycle of arrows is a finding. A parent that
//! only declares and re-exports its children (`mod`, `pub use`) has no arrow to them, and its re-exports are resolved
//! to their origin, so the usual `mod.rs` is not a cycle.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::finding::Finding;
use super::modules::{Crate, Place};
use super::paths::Role;
use super::sources::Source;

/// A module at one level, or the level's own file (`None`).
type Node = Option<String>;

/// Which modules refer to which at one level, and where first (file and line).
type Arrows = BTreeMap<Node, BTreeMap<Node, (String, usize)>>;

/// Checks the crate whose sources are under `folder`.
pub(super) fn check(folder: &str, sources: &[Source]) -> Vec<Finding> {
    let members = Crate::new(folder, sources);
    let mut findings = Vec::new();
    for (level, arrows) in levels(&members) {
        let mut reported = BTreeSet::new();
        for start in arrows.keys() {
            if reported.contains(start) {
                continue;
            }
            if let Some(cycle) = cycle(&arrows, start) {
                findings.extend(describe(&level, &arrows, &cycle));
                reported.extend(cycle);
            }
        }
    }
    findings
}

fn levels(members: &Crate<'_>) -> BTreeMap<Place, Arrows> {
    let mut levels: BTreeMap<Place, Arrows> = BTreeMap::new();
    for (from, module) in members.modules() {
        for path in &module.named {
            let Some(to) = members.resolve(from, &path.segments) else { continue };
            let passes_on = matches!(path.role, Role::Export { .. }) && to.starts_with(from);
            if &to == from || passes_on {
                continue;
            }
            let level: Place = from.iter().zip(&to).take_while(|(a, b)| a == b).map(|(a, _)| a.clone()).collect();
            let (tail, head) = (from.get(level.len()).cloned(), to.get(level.len()).cloned());
            let place = (module.source.path.clone(), path.line);
            levels.entry(level).or_default().entry(tail).or_default().entry(head).or_insert(place);
        }
    }
    levels
}

/// The shortest path from `start` back to itself.
fn cycle(arrows: &Arrows, start: &Node) -> Option<Vec<Node>> {
    let mut seen = BTreeSet::new();
    let mut ways = VecDeque::from([vec![start.clone()]]);
    while let Some(way) = ways.pop_front() {
        for next in way.last().and_then(|last| arrows.get(last)).into_iter().flat_map(BTreeMap::keys) {
            if next == start {
                return Some(way);
            }
            if seen.insert(next.clone()) {
                ways.push_back(way.iter().chain([next]).cloned().collect());
            }
        }
    }
    None
}

fn describe(level: &Place, arrows: &Arrows, cycle: &[Node]) -> Option<Finding> {
    let next = cycle.iter().cycle().skip(1);
    let mut places = cycle.iter().zip(next).filter_map(|(from, to)| arrows.get(from)?.get(to));
    let (path, line) = places.next()?;
    let others: Vec<_> = places.map(|(path, line)| format!("{path}:{line}")).collect();
    let names: Vec<_> = cycle.iter().chain(cycle.first()).map(|node| name(level, node)).collect();
    Some(Finding::new(
        path,
        *line,
        format!(
            "import cycle {} (also {}); move the shared part into its own module",
            names.join(" -> "),
            others.join(", ")
        ),
    ))
}

fn name(level: &Place, node: &Node) -> String {
    let words: Vec<_> = ["crate"].into_iter().chain(level.iter().chain(node).map(String::as_str)).collect();
    words.join("::")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cycles(files: &[(&str, &str)]) -> Vec<String> {
        let sources: Vec<_> = files.iter().map(|(path, text)| Source::new(format!("c/src/{path}"), *text)).collect();
        check("c/src/", &sources).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn two_modules_that_refer_to_each_other_are_a_cycle() {
        let found = cycles(&[
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "\nuse crate::b::B;"),
            ("b.rs", "fn f() { super::a::g() }"),
        ]);
        assert_eq!(
            found,
            [
                "c/src/a.rs:2: import cycle crate::a -> crate::b -> crate::a (also c/src/b.rs:1); move the shared part into its own module"
            ]
        );
    }

    #[test]
    fn a_cycle_through_children_is_a_cycle_of_their_parents() {
        let found = cycles(&[
            ("a/x.rs", "use crate::b::y::Y;"),
            ("b/y.rs", ""),
            ("b/z.rs", "use crate::a::w::W;"),
            ("a/w.rs", "struct W;"),
            ("a/mod.rs", "mod x; mod w;"),
            ("b/mod.rs", "mod y; mod z;"),
        ]);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("crate::a -> crate::b -> crate::a"), "{found:?}");
    }

    #[test]
    fn a_parent_and_a_child_that_import_each_other_are_a_cycle() {
        let found = cycles(&[("a/mod.rs", "mod x; use x::X; struct Own(X);"), ("a/x.rs", "use super::Own;")]);
        assert!(found.iter().any(|line| line.contains("crate::a -> crate::a::x -> crate::a")), "{found:?}");
    }

    #[test]
    fn a_parent_that_only_declares_and_re_exports_is_not_a_cycle() {
        assert!(
            cycles(&[
                ("lib.rs", "mod a; pub use a::{X, Y}; pub struct Own;"),
                ("a/mod.rs", "mod x; mod y; pub use x::X; pub use self::y::Y; pub struct Id;"),
                ("a/x.rs", "use crate::Y; use super::Id; use crate::Own; pub struct X;"),
                ("a/y.rs", "use super::Id; pub struct Y;"),
            ])
            .is_empty()
        );
    }

    #[test]
    fn tests_are_not_checked() {
        assert!(
            cycles(&[
                ("a.rs", "use crate::b::B; pub struct A;"),
                ("b.rs", "pub struct B; #[cfg(test)] mod tests { use crate::a::A; }"),
            ])
            .is_empty()
        );
    }
}

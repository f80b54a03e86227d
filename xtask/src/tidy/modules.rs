//! The modules of a crate, found by their files, and how paths in them resolve.

use std::collections::BTreeMap;

use super::paths::{NamedPath, Role, paths};
use super::sources::Source;

/// The path of a module in its crate; empty for the root.
pub(super) type Place = Vec<String>;

pub(super) struct Module<'a> {
    pub(super) source: &'a Source,
    pub(super) named: Vec<NamedPath>,
}

pub(super) struct Crate<'a> {
    modules: BTreeMap<Place, Module<'a>>,
}

/// How many re-exports are followed; a longer chain is a cycle.
const HOPS: usize = 8;

impl<'a> Crate<'a> {
    /// The modules below `folder` (`crates/auth-core/src/`), without tests.
    pub(super) fn new(folder: &str, sources: &'a [Source]) -> Self {
        let files = sources.iter().filter_map(|source| Some((source.path.strip_prefix(folder)?, source)));
        let modules = files
            .filter(|(_, source)| !source.shipped.is_empty())
            .map(|(file, source)| (place(file), Module { source, named: paths(&source.shipped) }));
        Self { modules: modules.collect() }
    }

    pub(super) fn modules(&self) -> impl Iterator<Item = (&Place, &Module<'a>)> {
        self.modules.iter()
    }

    /// The module that `segments`, written in the module at `from`, resolves to; `None` if it is not in this crate.
    pub(super) fn resolve(&self, from: &Place, segments: &[String]) -> Option<Place> {
        let mut target = self.absolute(from, segments)?;
        for _ in 0..HOPS {
            let module = self.nearest(&target);
            let Some(item) = target.get(module.len()) else { return Some(module) };
            // A re-exported item resolves to its origin.
            match self.passed_on(&module, item) {
                Some(source) if source != target => target = source,
                _ => return Some(module),
            }
        }
        None
    }

    /// `segments` as a path from the root of the crate.
    fn absolute(&self, from: &Place, segments: &[String]) -> Option<Place> {
        let (first, mut rest) = segments.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Place::new(),
            "self" => from.clone(),
            "super" => parent(from),
            child => {
                let child = joined(from, &[child.to_owned()]);
                self.modules.contains_key(&child).then_some(child)?
            }
        };
        while let Some((_, after)) = rest.split_first().filter(|(next, _)| *next == "super") {
            base = parent(&base);
            rest = after;
        }
        Some(joined(&base, rest))
    }

    /// The innermost module on the way to `target`.
    fn nearest(&self, target: &Place) -> Place {
        let lengths = (0..=target.len()).rev();
        let places = lengths.filter_map(|length| target.get(..length).map(<[String]>::to_vec));
        places.into_iter().find(|place| self.modules.contains_key(place)).unwrap_or_default()
    }

    /// The origin of `item` if the module at `place` imports it with `use`.
    fn passed_on(&self, place: &Place, item: &str) -> Option<Place> {
        let named = &self.modules.get(place)?.named;
        let path = named.iter().find(|path| match &path.role {
            Role::Import { name } | Role::Export { name } => name == item && name != "*",
            Role::Inline => false,
        })?;
        self.absolute(place, &path.segments)
    }
}

/// `authority/cloud.rs` is `authority::cloud`; `lib.rs`, `main.rs` and `mod.rs` are their folder.
fn place(file: &str) -> Place {
    let mut place: Place = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    let is_folder = place.last().is_some_and(|last| last == "mod");
    let is_root = place.len() == 1 && place.iter().any(|name| name == "lib" || name == "main");
    if is_folder || is_root {
        place.pop();
    }
    place
}

fn parent(place: &Place) -> Place {
    place.split_last().map(|(_, parent)| parent.to_vec()).unwrap_or_default()
}

fn joined(base: &Place, rest: &[String]) -> Place {
    base.iter().chain(rest).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(path: &str) -> Place {
        path.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn files_map_to_module_paths() {
        for (file, expected) in [
            ("lib.rs", ""),
            ("main.rs", ""),
            ("a.rs", "a"),
            ("a/mod.rs", "a"),
            ("a/b.rs", "a::b"),
            ("a/main.rs", "a::main"),
        ] {
            assert_eq!(place(file), split(expected), "{file}");
        }
    }

    #[test]
    fn paths_resolve_to_the_module_that_owns_the_item() {
        let sources = [
            Source::new("c/src/lib.rs", "mod a; mod b; pub use a::inner::Item; pub struct Own;"),
            Source::new("c/src/a/mod.rs", "mod inner;"),
            Source::new("c/src/a/inner.rs", "pub struct Item;"),
            Source::new("c/src/b.rs", "struct B;"),
        ];
        let members = Crate::new("c/src/", &sources);
        for (from, path, expected) in [
            ("b", "crate::a::inner::Item", Some("a::inner")),
            ("b", "crate::Item", Some("a::inner")),
            ("b", "super::Own", Some("")),
            ("a::inner", "super::super::b::B", Some("b")),
            ("a", "inner::Item", Some("a::inner")),
            ("b", "self::x", Some("b")),
            ("b", "std::fs", None),
        ] {
            assert_eq!(members.resolve(&split(from), &split(path)), expected.map(split), "{path} in {from}");
        }
    }
}

//! Habits: no `todo!`, no ignored test, no test that sleeps, no lint disabled without a reason.

use super::code::Token;
use super::finding::Finding;
use super::paths::paths;
use super::sources::{Source, closing};

pub(super) fn check(sources: &[Source]) -> Vec<Finding> {
    sources.iter().flat_map(check_one).collect()
}

fn check_one(source: &Source) -> Vec<Finding> {
    let finding = |line, message: &str| Finding::new(&source.path, line, message);
    let mut findings = Vec::new();
    for tokens in [&source.shipped, &source.tests] {
        for (at, token) in tokens.iter().enumerate() {
            let next_is = |text| tokens.get(at + 1).is_some_and(|next| next.is(text));
            if token.is("todo") && next_is("!") {
                findings.push(finding(token.line, "`todo!`; finish the item, or remove it"));
            }
            if token.is("[") && next_is("ignore") {
                findings.push(finding(token.line, "an ignored test; repair it, or remove it"));
            }
            if token.is("allow") && !has_reason(tokens.get(at + 1..).unwrap_or_default()) {
                findings.push(finding(token.line, "`allow` without `reason = \"…\"`; add one, or follow the lint"));
            }
        }
    }
    findings.extend(
        sleeps(&source.tests)
            .map(|line| finding(line, "a test that sleeps; pass the time as an argument, or pause tokio's clock")),
    );
    findings
}

/// Whether the list of lints after an `allow` contains a reason. Any other `allow` is an ordinary name.
fn has_reason(after: &[Token]) -> bool {
    if !after.first().is_some_and(|open| open.is("(")) {
        return true;
    }
    let list = closing(after, "(", ")").and_then(|length| after.get(..length)).unwrap_or(after);
    let is_attribute = after.get(list.len()).is_some_and(|next| next.is("]"));
    !is_attribute || list.windows(2).any(|pair| matches!(pair, [word, sign] if word.is("reason") && sign.is("=")))
}

fn sleeps(tests: &[Token]) -> impl Iterator<Item = usize> {
    paths(tests).into_iter().filter_map(|path| {
        let (module, function) = match path.segments.as_slice() {
            [.., module, function] => (module.as_str(), function.as_str()),
            _ => return None,
        };
        let sleeps = matches!(module, "thread" | "time") && matches!(function, "sleep" | "sleep_until");
        sleeps.then_some(path.line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        check(&[Source::new("a/src/b.rs", text)]).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn bad_habits_are_found() {
        for text in [
            "fn f() { todo!() }",
            "#[cfg(test)] mod tests { #[test] #[ignore] fn a() {} }",
            "#[cfg(test)] mod tests { #[ignore = \"slow\"] fn a() {} }",
            "#[allow(dead_code)] fn f() {}",
            "#![allow(a::b, c)]",
            "#[cfg(test)] mod tests { fn a() { std::thread::sleep(d) } }",
            "#[cfg(test)] mod tests { use tokio::time::{self, sleep}; }",
            "#[cfg(test)] mod tests { fn a() { time::sleep(d).await } }",
        ] {
            let found = found(text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with("a/src/b.rs:1: "), "{found:?}");
        }
    }

    #[test]
    fn good_habits_are_accepted() {
        for text in [
            "#[allow(dead_code, reason = \"for later\")] fn f() {}",
            "fn f() { policy.allow(x); allow(y); } // todo!() #[ignore]",
            "async fn retry() { tokio::time::sleep(d).await }",
            "#[cfg(test)] mod tests { use tokio::time::advance; }",
        ] {
            assert!(found(text).is_empty(), "{text}: {:?}", found(text));
        }
    }
}

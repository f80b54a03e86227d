//! Every requirement cited in a comment has a row in `docs/requirements.md`.

use std::collections::BTreeSet;

use super::finding::Finding;
use super::sources::Source;

/// The page that explains the requirements, in tables with one row per number.
pub(super) const PATH: &str = "docs/requirements.md";

/// Compares the numbers cited in `sources` with the rows of `page`. A missing number is reported once, at its first
/// citation.
pub(super) fn check(sources: &[Source], page: &str) -> Vec<Finding> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" |"));
    let mut known: BTreeSet<_> = rows.map(|(number, _)| number).collect();
    let mut findings = Vec::new();
    for source in sources {
        for (line, text) in (1..).zip(source.text.lines()) {
            for number in cited(text).filter(|number| known.insert(number)) {
                let message = format!("{number} has no row in {PATH}; add one");
                findings.push(Finding::new(&source.path, line, message));
            }
        }
    }
    findings
}

/// The numbers in a line, such as `S-20` or `S-101`: two digits, or three from 100 to 199.
fn cited(text: &str) -> impl Iterator<Item = &str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    words.filter(|word| {
        let number = ["S-", "R-", "P-"].iter().find_map(|kind| word.strip_prefix(kind));
        number.is_some_and(|number| {
            let all_digits = number.bytes().all(|byte| byte.is_ascii_digit());
            all_digits && (number.len() == 2 || (number.len() == 3 && number.starts_with('1')))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_distinguished_from_similar_text() {
        let text = "// S-13…S-15, (R-01) \"P-16\": S-101; not S-1, P-256, PS-12, S-12a, X-13 or S-13-b";
        assert_eq!(cited(text).collect::<Vec<_>>(), ["S-13", "S-15", "R-01", "P-16", "S-101"]);
    }

    #[test]
    fn a_number_without_a_row_is_reported_once() {
        let page = "| number | requirement |\n| --- | --- |\n| S-13 | The port. |\n\nS-14 in prose is no row.\n";
        let sources = [Source::new("a.rs", "// S-13\n// S-14, S-13\n"), Source::new("b.rs", "// S-14\n")];
        let found = check(&sources, page);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].to_string(), "a.rs:2: S-14 has no row in docs/requirements.md; add one");
    }
}

//! How deeply the values of a text are nested (S-90).

/// Whether a JSON value has more than `levels` levels of objects and lists.
pub(crate) fn is_deeper(json: &str, levels: usize) -> bool {
    json.starts_with(['{', '[']) && depth(json) > levels
}

/// The nesting depth of a JSON value. Brackets in strings do not count.
fn depth(json: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    let mut bytes = json.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => {
                depth = depth.saturating_add(1);
                deepest = depth.max(deepest);
            }
            b'}' | b']' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next().filter(|byte| *byte != b'"') {
                    if byte == b'\\' {
                        bytes.next();
                    }
                }
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_objects_and_lists_count_as_levels() {
        for (json, levels) in [
            ("7", 0),
            (r#""[[[""#, 0),
            (r#""\"[[[""#, 0),
            ("{}", 1),
            ("[[],[],[]]", 2),
            (r#"{"a":[{"b":"]]]"}],"c":[]}"#, 3),
            (r#"{"\\":[["\\\"[",{}]]}"#, 4),
        ] {
            for limit in 0..6 {
                assert_eq!(is_deeper(json, limit), levels > limit, "{json} within {limit}");
            }
        }
    }
}

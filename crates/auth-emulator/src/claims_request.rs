//! The supported part of the `claims` parameter (OpenID Connect Core §5.5).

use serde_json::Value;

use crate::error::OAuthError;

/// The client capabilities (`xms_cc`) in a `claims` parameter.
///
/// # Errors
///
/// `invalid_request` if the parameter is not a JSON object.
pub(crate) fn capabilities(claims: Option<&str>) -> Result<Vec<String>, OAuthError> {
    let Some(claims) = claims else { return Ok(Vec::new()) };
    let parsed: Value = serde_json::from_str(claims).unwrap_or_default();
    if !parsed.is_object() {
        return Err(OAuthError::invalid_request(9_000_411, "The parameter 'claims' is not a JSON object."));
    }
    let values = parsed.pointer("/access_token/xms_cc/values").and_then(Value::as_array);
    let words = values.into_iter().flatten().filter_map(Value::as_str);
    Ok(words.map(str::to_owned).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_found_and_everything_else_is_ignored() {
        for (claims, expected) in [
            (None, &[][..]),
            (Some("{}"), &[]),
            (Some(r#"{"access_token":{"xms_cc":{"values":["cp1","x"]}}}"#), &["cp1", "x"]),
            (Some(r#"{"access_token":{"xms_cc":{"values":[7,"cp1"]},"nbf":null}}"#), &["cp1"]),
            (Some(r#"{"id_token":{"xms_cc":{"values":["cp1"]}}}"#), &[]),
        ] {
            assert_eq!(capabilities(claims).unwrap(), expected, "{claims:?}");
        }
        for claims in ["", "[]", "no json", "7"] {
            assert_eq!(capabilities(Some(claims)).unwrap_err().number, 9_000_411, "{claims}");
        }
    }
}

//! The parameters of a request: a query or a form, in order, each name once.

use crate::error::OAuthError;

/// Parsed `application/x-www-form-urlencoded` parameters.
#[derive(Clone, Default)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// # Errors
    ///
    /// The name of a repeated parameter, which RFC 6749 §3.1 forbids.
    pub(crate) fn parse(encoded: &[u8]) -> Result<Self, String> {
        let mut params = Self::default();
        for (name, value) in form_urlencoded::parse(encoded) {
            if params.0.iter().any(|(known, _)| *known == name) {
                return Err(name.into_owned());
            }
            params.0.push((name.into_owned(), value.into_owned()));
        }
        Ok(params)
    }

    /// The value of a parameter; an empty value counts as absent (RFC 6749 §3.1).
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let value = self.0.iter().find(|(known, _)| known == name)?.1.as_str();
        (!value.is_empty()).then_some(value)
    }

    /// The value of a required parameter.
    ///
    /// # Errors
    ///
    /// `invalid_request` if it is absent.
    pub(crate) fn require(&self, name: &str) -> Result<&str, OAuthError> {
        self.get(name).ok_or_else(|| OAuthError::missing(name))
    }

    #[cfg(test)]
    pub(crate) fn of(pairs: &[(&str, &str)]) -> Self {
        Self(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_decoded_and_empty_ones_count_as_absent() {
        let params = Params::parse(b"scope=a+b%20c&state=&x=1").unwrap();
        assert_eq!(params.get("scope"), Some("a b c"));
        assert_eq!(params.get("state"), None);
        assert_eq!(params.get("y"), None);
        assert_eq!(params.require("x").unwrap(), "1");
        assert_eq!(params.require("state").unwrap_err().number, 900_144);
    }

    #[test]
    fn a_repeated_parameter_is_rejected() {
        assert_eq!(Params::parse(b"code=a&x=1&code=b").err().as_deref(), Some("code"));
    }
}

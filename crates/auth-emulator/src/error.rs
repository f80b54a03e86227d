//! Error responses in Entra's format.

use std::borrow::Cow;

use serde::Serialize;

use crate::clock::UnixTime;

/// Why a request is refused. All of it may be sent to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OAuthError {
    pub(crate) status: u16,
    pub(crate) code: Cow<'static, str>,
    /// The number after `AADSTS`.
    pub(crate) number: u32,
    pub(crate) text: Cow<'static, str>,
    pub(crate) suberror: Option<Cow<'static, str>>,
    pub(crate) claims: Option<String>,
}

impl OAuthError {
    pub(crate) fn new(code: impl Into<Cow<'static, str>>, number: u32, text: impl Into<Cow<'static, str>>) -> Self {
        Self { status: 400, code: code.into(), number, text: text.into(), suberror: None, claims: None }
    }

    pub(crate) fn invalid_grant(number: u32, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_grant", number, text)
    }

    pub(crate) fn invalid_request(number: u32, text: impl Into<Cow<'static, str>>) -> Self {
        Self::new("invalid_request", number, text)
    }

    pub(crate) fn missing(parameter: &str) -> Self {
        Self::invalid_request(900_144, format!("The request has no parameter '{parameter}'."))
    }

    pub(crate) fn repeated(parameter: &str) -> Self {
        Self::invalid_request(9_000_145, format!("The request has the parameter '{parameter}' more than once."))
    }

    pub(crate) fn unknown_tenant(tenant: &str) -> Self {
        Self::new("invalid_tenant", 90_002, format!("The tenant '{}' does not exist.", printable(tenant)))
    }

    /// The form of a page was sent twice or too late.
    pub(crate) fn over() -> Self {
        let text = "This sign-in has ended or expired. Start again in the application.";
        Self::invalid_request(50_196, text)
    }

    pub(crate) fn server_error() -> Self {
        Self { status: 500, ..Self::new("server_error", 90_033, "The response could not be created.") }
    }

    pub(crate) fn with_suberror(mut self, suberror: impl Into<Cow<'static, str>>) -> Self {
        self.suberror = Some(suberror.into());
        self
    }

    /// The one-paragraph description, with the identifiers that support staff ask for.
    pub(crate) fn description(&self, stamp: &Stamp) -> String {
        format!(
            "AADSTS{}: {} Trace ID: {} Correlation ID: {} Timestamp: {}",
            self.number,
            self.text,
            stamp.trace_id,
            stamp.correlation_id,
            stamp.now.to_text()
        )
    }

    /// The JSON body of the error response.
    pub(crate) fn to_json(&self, stamp: &Stamp) -> String {
        let body = ErrorBody {
            error: &self.code,
            error_description: self.description(stamp),
            error_codes: [self.number],
            timestamp: stamp.now.to_text(),
            trace_id: &stamp.trace_id,
            correlation_id: &stamp.correlation_id,
            suberror: self.suberror.as_deref(),
            claims: self.claims.as_deref(),
        };
        // Only strings and numbers: this cannot fail.
        serde_json::to_string(&body).unwrap_or_default()
    }
}

/// A value from the client for use in a message: short, printable and without quotes.
pub(crate) fn printable(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_graphic() && *c != '\'').take(80).collect()
}

/// The identifiers and time in each error response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) trace_id: String,
    pub(crate) correlation_id: String,
    pub(crate) now: UnixTime,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: String,
    error_codes: [u32; 1],
    timestamp: String,
    trace_id: &'a str,
    correlation_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    suberror: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claims: Option<&'a str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_from_the_client_are_sanitized() {
        assert_eq!(printable("a'b\r\nc <d>é"), "abc<d>");
        assert_eq!(printable(&"x".repeat(100)).len(), 80);
    }

    #[test]
    fn an_error_response_has_the_members_of_entras() {
        let stamp = Stamp { trace_id: "t-1".into(), correlation_id: "c-1".into(), now: UnixTime::from_secs(0) };
        let error = OAuthError::invalid_grant(65_001, "No consent.").with_suberror("consent_required");
        let json: serde_json::Value = serde_json::from_str(&error.to_json(&stamp)).unwrap();
        assert_eq!(
            json,
            serde_json::json!({
                "error": "invalid_grant",
                "error_description": "AADSTS65001: No consent. Trace ID: t-1 Correlation ID: c-1 \
                                      Timestamp: 1970-01-01 00:00:00Z",
                "error_codes": [65001],
                "timestamp": "1970-01-01 00:00:00Z",
                "trace_id": "t-1",
                "correlation_id": "c-1",
                "suberror": "consent_required",
            })
        );
    }
}

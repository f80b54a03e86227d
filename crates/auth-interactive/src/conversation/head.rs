//! The head of a request, reduced to what the rules need.

use httparse::{Header, Status};

use super::reply::Refusal;
use super::scan::MAX_FIELDS;

/// An array for the fields of one head.
pub(super) fn fields<'b>() -> [Header<'b>; MAX_FIELDS] {
    [httparse::EMPTY_HEADER; MAX_FIELDS]
}

/// A well-formed head of HTTP/1.0 or 1.1.
pub(super) struct Head<'h> {
    pub(super) method: &'h str,
    /// The request target, visible ASCII without a fragment.
    target: &'h str,
    /// The digit after `HTTP/1.`.
    pub(super) version: u8,
    fields: &'h [Header<'h>],
}

impl<'h> Head<'h> {
    /// Reads a head that [`HeadScan`](super::scan::HeadScan) found.
    pub(super) fn parse(bytes: &'h [u8], fields: &'h mut [Header<'h>]) -> Result<Self, Refusal> {
        let mut request = httparse::Request::new(fields);
        match request.parse(bytes) {
            Ok(Status::Complete(length)) if length == bytes.len() => {}
            Ok(Status::Complete(_) | Status::Partial) | Err(_) => return Err(Refusal::BadRequest),
        }
        let (Some(method), Some(target), Some(version)) = (request.method, request.path, request.version) else {
            return Err(Refusal::BadRequest);
        };
        if !target.bytes().all(|byte| byte.is_ascii_graphic()) || target.contains('#') {
            return Err(Refusal::BadRequest);
        }
        Ok(Self { method, target, version, fields: request.headers })
    }

    /// Returns the value of a field that may occur at most once.
    pub(super) fn once(&self, name: &str) -> Result<Option<&'h [u8]>, Refusal> {
        let mut values = self.fields.iter().filter(|field| field.name.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (Some(_), Some(_)) => Err(Refusal::BadRequest),
            (first, _) => Ok(first.map(|field| field.value)),
        }
    }

    /// Returns the path and the query of the target.
    pub(super) fn path_and_query(&self) -> (&'h str, Option<&'h str>) {
        match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (self.target, None),
        }
    }
}

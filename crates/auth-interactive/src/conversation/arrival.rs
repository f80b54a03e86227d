//! What comes out of a connection for the wait to judge.

use zeroize::Zeroizing;

/// What a connection delivered, after every check that needs no state.
pub(crate) enum Arrival {
    /// The parameters of an authorization response: a form body or a query string.
    Parameters(Zeroizing<Vec<u8>>),
    /// A visit of the bare path, to which a query response is sent on (S-27).
    Visit,
}

//! Requests to the loopback port and their replies: a row for each thing that S-16…S-27 say about bytes. The tests of
//! the conversation run the rows without sockets, cut at every byte; those of the receiver run them over real sockets.

mod caller;
mod form_post;
mod framing;
mod limits;
mod query;

pub(crate) use caller::{CANARY, Caller, Row, Scene};

/// The rows of a scene.
pub(crate) fn rows(caller: &Caller) -> Vec<Row> {
    match caller.scene {
        Scene::Form => [form_post::rows(caller), framing::rows(caller), limits::rows(caller)].concat(),
        Scene::Query => [query::rows(caller), limits::rows(caller)].concat(),
        Scene::Entra => form_post::origins(caller),
        Scene::V4 | Scene::V6 => form_post::hosts(caller),
    }
}

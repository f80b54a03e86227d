//! What may be said to the loopback port, and what is answered: a row for each thing that S-16…S-27 say about bytes. The
//! tests of the conversation try the rows without sockets and cut at every byte, those of the receiver over real sockets.

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

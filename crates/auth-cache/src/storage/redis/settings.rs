//! The settings of a store.

use std::sync::Arc;
use std::time::Duration;

use super::sealing::Sealing;

#[derive(Clone, Debug)]
pub(super) struct Settings {
    pub(super) prefix: Arc<str>,
    pub(super) staleness: Duration,
    pub(super) lifetime: Duration,
    pub(super) deadline: Duration,
    pub(super) sealing: Sealing,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            prefix: "auth".into(),
            staleness: Duration::from_secs(30),
            lifetime: Duration::from_secs(90 * 24 * 60 * 60),
            deadline: Duration::from_secs(1),
            sealing: Sealing::default(),
        }
    }
}

//! Settings of the emulator's responses.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What happens to a refresh token when it is redeemed.
///
/// ```
/// use auth_emulator::{Emulator, Rotation};
///
/// assert_eq!(Rotation::default(), Rotation::Rotate);
/// let builder = Emulator::builder().rotation(Rotation::Overlap); // as at Entra
/// # let _ = builder;
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rotation {
    /// The token stays valid, and the response contains no new one.
    None,
    /// The response contains a new token, and the old one stays valid.
    Overlap,
    /// The response contains a new token, and the old one becomes invalid.
    #[default]
    Rotate,
    /// Like [`Rotate`](Self::Rotate), and if the old token is used again, every refresh token of its sign-in is revoked
    /// (RFC 9700 §4.14.2).
    RevokeFamilyOnReuse,
}

#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) access_token_lifetime: Duration,
    pub(crate) refresh_in: Option<Duration>,
    pub(crate) id_token_lifetime: Duration,
    pub(crate) code_lifetime: Duration,
    pub(crate) device_code_lifetime: Duration,
    pub(crate) device_interval: Duration,
    pub(crate) refresh_token_lifetime: Duration,
    pub(crate) rotation: Rotation,
    pub(crate) widen_on_refresh: bool,
    pub(crate) response_issuer: bool,
    pub(crate) family_clients: BTreeSet<String>,
    pub(crate) client_names: BTreeMap<String, String>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_token_lifetime: Duration::from_secs(3_600),
            refresh_in: None,
            id_token_lifetime: Duration::from_secs(3_600),
            code_lifetime: Duration::from_secs(60),
            device_code_lifetime: Duration::from_secs(900),
            device_interval: Duration::from_secs(5),
            refresh_token_lifetime: Duration::from_secs(90 * 86_400),
            rotation: Rotation::default(),
            widen_on_refresh: false,
            response_issuer: false,
            family_clients: BTreeSet::new(),
            client_names: BTreeMap::new(),
        }
    }
}

impl Settings {
    /// The name that the pages show for a client.
    pub(crate) fn client_name<'a>(&'a self, client_id: &'a str) -> &'a str {
        self.client_names.get(client_id).map_or(client_id, String::as_str)
    }

    pub(crate) fn is_family(&self, client_id: &str) -> bool {
        self.family_clients.contains(client_id)
    }
}

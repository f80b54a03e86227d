//! Where an authority may stand when the application says so.

/// Reads authorities on hosts that are refused unless the application asks for them; see [`Authority::options`](crate::Authority::options).
#[derive(Clone, Copy, Debug, Default)]
pub struct AuthorityOptions {
    pub(crate) ports: bool,
    pub(crate) local_hosts: bool,
}

impl AuthorityOptions {
    /// Also takes a port other than 443 (S-36). Microsoft's own services have none. The shared cache knows hosts without
    /// their ports, so that tokens of such an authority are found beside an id_token of its own only.
    #[must_use]
    pub const fn allow_ports(self) -> Self {
        Self { ports: true, ..self }
    }

    /// Also takes an IP address, and a name without a dot (S-37). Which machine they mean is decided by the network that
    /// the device happens to be in, so that secrets may go to another one than the author of the application meant: only
    /// the certificate tells. They are spelt canonically, and https is still required.
    #[must_use]
    pub const fn danger_allow_local_hosts(self) -> Self {
        Self { local_hosts: true, ..self }
    }
}

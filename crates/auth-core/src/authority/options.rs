//! Opt-ins for hosts that are refused by default.

/// Opt-ins for authorities that are refused by default; see [`Authority::options`](crate::Authority::options).
#[derive(Clone, Copy, Debug, Default)]
pub struct AuthorityOptions {
    pub(crate) ports: bool,
    pub(crate) local_hosts: bool,
}

impl AuthorityOptions {
    /// Also accepts a port other than 443 (S-36). Microsoft's own services have none. The shared cache knows hosts
    /// without ports, so tokens of such an authority are only found together with one of its ID tokens.
    #[must_use]
    pub const fn allow_ports(self) -> Self {
        Self { ports: true, ..self }
    }

    /// Also accepts IP addresses in canonical form and names without a dot (S-37); `https` is still required. Which
    /// machine they refer to depends on the network that the device is in, so secrets may reach another machine than
    /// the application's author meant: only its certificate identifies it.
    #[must_use]
    pub const fn danger_allow_local_hosts(self) -> Self {
        Self { local_hosts: true, ..self }
    }
}

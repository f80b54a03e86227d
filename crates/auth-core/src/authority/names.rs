//! The names of an authority: its host, and for Entra the other names of its cloud.

use std::sync::Arc;

use crate::authority::cloud::{self, Cloud};
use crate::authority::raw::{LOOPBACK, Site};
use crate::text::same;

/// The names of one cloud, as returned by [instance discovery](crate::InstanceDiscovery).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct InstanceMetadata {
    /// Every host name of the cloud.
    pub aliases: Vec<String>,
    /// The name under which tokens are written to the shared cache.
    pub preferred_cache: String,
}

impl Site {
    /// Whether a cache entry with this `environment` names this host. Some libraries write the port.
    pub(crate) fn is_environment(&self, environment: &str) -> bool {
        let is = |name: &str| same(name, &self.host);
        let with_port = |port| {
            environment.rsplit_once(':').is_some_and(|(name, tail)| is(name) && tail.parse() == Ok::<u16, _>(port))
        };
        is(environment) || self.port.is_some_and(with_port)
    }
}

/// The other names of an Entra host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Names {
    /// Known at compile time.
    Cloud(&'static Cloud),
    /// From instance discovery.
    Discovered(Arc<InstanceMetadata>),
    /// This machine, whose names are its loopback addresses.
    Loopback,
    /// The caller vouches for the host; it has no other name.
    Known,
    /// Not known yet.
    Unknown,
}

impl Names {
    pub(crate) fn of(site: &Site) -> Self {
        if site.is_loopback() {
            return Self::Loopback;
        }
        cloud::of_host(&site.host).map_or(Self::Unknown, Self::Cloud)
    }

    /// The name under which entries are written.
    pub(crate) fn environment<'a>(&'a self, site: &'a Site) -> &'a str {
        match self {
            Self::Cloud(cloud) => cloud.preferred_cache,
            Self::Discovered(instance) => &instance.preferred_cache,
            Self::Loopback | Self::Known | Self::Unknown => &site.host,
        }
    }

    pub(crate) fn is_environment(&self, site: &Site, environment: &str) -> bool {
        match self {
            Self::Cloud(cloud) => cloud.aliases.iter().any(|alias| same(alias, environment)),
            Self::Discovered(instance) => instance.aliases.iter().any(|alias| same(alias, environment)),
            Self::Loopback | Self::Known | Self::Unknown => site.is_environment(environment),
        }
    }

    /// Every origin of the cloud, including that of `site`.
    pub(crate) fn origins(&self, site: &Site) -> Vec<String> {
        let https = |alias: &str| format!("https://{alias}");
        let mut origins: Vec<_> = match self {
            Self::Cloud(cloud) => cloud.aliases.iter().map(|alias| https(alias)).collect(),
            Self::Discovered(instance) => instance.aliases.iter().map(|alias| https(alias)).collect(),
            Self::Loopback => {
                LOOPBACK.iter().map(|host| Site { host: (*host).to_owned(), ..site.clone() }.origin()).collect()
            }
            Self::Known | Self::Unknown => Vec::new(),
        };
        let own = site.origin();
        if !origins.contains(&own) {
            origins.insert(0, own);
        }
        origins
    }
}

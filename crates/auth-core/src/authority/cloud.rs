//! The clouds of Microsoft Entra and their host names.

/// One cloud: several names for the same service and the same accounts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cloud {
    /// Every host name of the cloud. The first receives requests (MSAL's `preferred_network`).
    pub(crate) aliases: &'static [&'static str],
    /// The name under which tokens are written to the shared cache.
    pub(crate) preferred_cache: &'static str,
}

impl Cloud {
    /// The host that requests are sent to.
    pub(crate) fn network(&self) -> &'static str {
        self.aliases.first().copied().unwrap_or(self.preferred_cache)
    }
}

/// Every known cloud (MSAL's known metadata), the public cloud first.
pub(crate) static CLOUDS: [Cloud; 9] = [
    Cloud {
        aliases: &["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
        preferred_cache: "login.windows.net",
    },
    Cloud {
        aliases: &["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
        preferred_cache: "login.partner.microsoftonline.cn",
    },
    Cloud { aliases: &["login.microsoftonline.de"], preferred_cache: "login.microsoftonline.de" },
    Cloud {
        aliases: &["login.microsoftonline.us", "login.usgovcloudapi.net"],
        preferred_cache: "login.microsoftonline.us",
    },
    Cloud { aliases: &["login-us.microsoftonline.com"], preferred_cache: "login-us.microsoftonline.com" },
    Cloud {
        aliases: &["login.windows-ppe.net", "sts.windows-ppe.net", "login.microsoft-ppe.com"],
        preferred_cache: "login.windows-ppe.net",
    },
    Cloud { aliases: &["login.sovcloud-identity.fr"], preferred_cache: "login.sovcloud-identity.fr" },
    Cloud { aliases: &["login.sovcloud-identity.de"], preferred_cache: "login.sovcloud-identity.de" },
    Cloud { aliases: &["login.sovcloud-identity.sg"], preferred_cache: "login.sovcloud-identity.sg" },
];

/// The cloud that has `host` among its names, by exact match (S-39).
pub(crate) fn of_host(host: &str) -> Option<&'static Cloud> {
    CLOUDS.iter().find(|cloud| cloud.aliases.contains(&host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_host_belongs_to_exactly_one_cloud() {
        let hosts: Vec<_> = CLOUDS.iter().flat_map(|cloud| cloud.aliases).collect();
        for host in &hosts {
            assert_eq!(hosts.iter().filter(|other| other == &host).count(), 1, "{host}");
            assert!(of_host(host).unwrap().aliases.contains(&of_host(host).unwrap().preferred_cache));
        }
        assert!(of_host("login.microsoftonline.com.").is_none());
        assert!(of_host("microsoftonline.com").is_none());
    }
}

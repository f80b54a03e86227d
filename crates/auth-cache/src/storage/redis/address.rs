//! Where a server is, and whether tokens may be sent there (S-107).

use std::net::IpAddr;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::storage::{StorageError, StorageErrorKind};

/// An address that was judged. It may hold a password: it is shown to nobody.
#[derive(Clone)]
pub(super) struct Address(ConnectionInfo);

impl Address {
    /// One that is safe to use: with TLS and a password, or on this machine.
    pub(super) fn parse(url: &str) -> Result<Self, StorageError> {
        let address = Self::parse_any(url)?;
        let insecure = |reason| Err(error(reason).with_kind(StorageErrorKind::Insecure));
        match address.0.addr() {
            ConnectionAddr::Unix(_) => Ok(address),
            ConnectionAddr::Tcp(host, _) if !is_loopback(host) => {
                insecure("tokens would go over the network in plain; use rediss://, or danger_at")
            }
            ConnectionAddr::TcpTls { host, .. }
                if address.0.redis_settings().password().is_none() && !is_loopback(host) =>
            {
                insecure("everybody could read the tokens; name a password, rediss://:PASSWORD@HOST, or use danger_at")
            }
            _ => Ok(address),
        }
    }

    /// One that somebody else answers for. A certificate is always checked.
    pub(super) fn parse_any(url: &str) -> Result<Self, StorageError> {
        // What the parser says may repeat a part of the address, and so of the password.
        let info = url.into_connection_info().map_err(|_| error("it is no address of Redis"))?;
        match info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => Err(error("its certificate would not be checked")),
            ConnectionAddr::Unix(_) if !info.addr().is_supported() => Err(error("there are no such sockets here")),
            _ => Ok(Self(info)),
        }
    }

    /// The same, where these authorities are trusted and no others.
    pub(super) fn trusting(self, pem: &[u8]) -> Result<Self, StorageError> {
        if !matches!(self.0.addr(), ConnectionAddr::TcpTls { .. }) {
            return Err(error("no certificate is looked at without TLS; use rediss://"));
        }
        if CertificateDer::pem_slice_iter(pem).next().is_none() {
            return Err(error("there is no certificate in the PEM"));
        }
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.to_vec()) };
        let client = Client::build_with_tls(self.0, certificates)
            .map_err(|_| error("the PEM of the certificates cannot be understood"))?;
        Ok(Self(client.get_connection_info().clone()))
    }

    pub(super) fn client(&self) -> Result<Client, redis::RedisError> {
        if matches!(self.0.addr(), ConnectionAddr::TcpTls { .. }) {
            // The client takes no configuration of rustls, and would panic where a program has two libraries for cryptography and
            // has chosen neither.
            if rustls::crypto::CryptoProvider::get_default().is_none() {
                // Another thread may be faster, which is as good.
                drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
            }
        }
        Client::open(self.0.clone())
    }
}

/// Whether it can be nothing but this machine. `localhost` is what the resolver says, which answers so by RFC 6761 §6.3.
fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost") || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn error(reason: &str) -> StorageError {
    StorageError::new("opened", "in Redis", reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_safe_is_taken() {
        for (url, insecure) in [
            ("rediss://:canary@redis.example", false),
            ("rediss://ada:canary@redis.example:6380/3", false),
            ("rediss://redis.example", true),
            ("rediss://ada@redis.example", true),
            ("redis://:canary@redis.example", true),
            ("redis://redis.example", true),
            ("redis://:canary@127.0.0.1.example", true),
            ("redis://:canary@10.0.0.1", true),
            ("redis://[::2]", true),
            ("redis://127.0.0.1:7000", false),
            ("redis://127.9.9.9", false),
            ("redis://[::1]:7000", false),
            ("redis://localhost", false),
            ("rediss://localhost", false),
            ("unix:///run/redis.sock", false),
        ] {
            let kind = Address::parse(url).err().map(|error| error.kind);
            assert_eq!(kind, insecure.then_some(StorageErrorKind::Insecure), "{url}");
            assert!(Address::parse_any(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn no_refusal_repeats_the_address() {
        for url in [
            "rediss://:canary@redis.example#insecure",
            "rediss://:canary@redis.example#other",
            "redis://:canary@redis.example/canary",
            "http://:canary@redis.example",
            "canary",
            "rediss://:canary@",
            "rediss://:canary@0.0.0.0",
            "redis://:canary@redis.example",
        ] {
            let error = Address::parse(url).err().unwrap_or_else(|| panic!("{url}"));
            assert!(!format!("{error} {error:?}").contains("canary"), "{error:?}");
        }
    }

    #[test]
    fn only_authorities_are_trusted_and_only_with_tls() {
        let pem = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        for (url, pem, reason) in [
            ("redis://127.0.0.1", pem("Y2FuYXJ5"), "without TLS"),
            ("rediss://:canary@redis.example", String::new(), "no certificate"),
            ("rediss://:canary@redis.example", "canary".to_owned(), "no certificate"),
            ("rediss://:canary@redis.example", pem("Y2FuYXJ5"), "cannot be understood"),
            ("rediss://:canary@redis.example", pem("%canary%"), "cannot be understood"),
        ] {
            let error = Address::parse(url).unwrap().trusting(pem.as_bytes()).err().unwrap();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(reason) && !shown.contains("canary"), "{shown}");
        }
    }
}

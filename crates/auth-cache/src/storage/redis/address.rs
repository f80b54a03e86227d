//! The address of a server, and whether tokens may be sent there (S-107).

use std::net::IpAddr;

use redis::{Client, ConnectionAddr, ConnectionInfo, IntoConnectionInfo as _, TlsCertificates};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

use crate::storage::{StorageError, StorageErrorKind};

/// An address that was checked. It may contain a password, so it is never shown.
#[derive(Clone)]
pub(super) struct Address(ConnectionInfo);

impl Address {
    /// Parses an address and accepts it if it is safe: with TLS and a password, or on this machine.
    pub(super) fn parse(url: &str) -> Result<Self, StorageError> {
        let address = Self::parse_any(url)?;
        let insecure = |reason| Err(error(reason).with_kind(StorageErrorKind::Insecure));
        match address.0.addr() {
            ConnectionAddr::Unix(_) => Ok(address),
            ConnectionAddr::Tcp(host, _) if !is_loopback(host) => {
                insecure("tokens would cross the network unencrypted; use rediss:// or danger_at")
            }
            ConnectionAddr::TcpTls { host, .. }
                if address.0.redis_settings().password().is_none() && !is_loopback(host) =>
            {
                insecure("anyone could read the tokens; add a password (rediss://:PASSWORD@HOST) or use danger_at")
            }
            _ => Ok(address),
        }
    }

    /// Parses an address whose safety the caller vouches for. With TLS, it must not switch off the certificate check.
    pub(super) fn parse_any(url: &str) -> Result<Self, StorageError> {
        // The parser's message may repeat part of the address, and so of the password.
        let info = url.into_connection_info().map_err(|_| error("the URL is not a Redis address"))?;
        match info.addr() {
            ConnectionAddr::TcpTls { insecure: true, .. } => {
                Err(error("its certificate would not be checked; remove #insecure"))
            }
            ConnectionAddr::Unix(_) if !info.addr().is_supported() => Err(error("this system has no Unix sockets")),
            _ => Ok(Self(info)),
        }
    }

    /// Trusts these authorities and no others.
    pub(super) fn trusting(self, pem: &[u8]) -> Result<Self, StorageError> {
        if !matches!(self.0.addr(), ConnectionAddr::TcpTls { .. }) {
            return Err(error("there is no certificate to check without TLS; use rediss://"));
        }
        if CertificateDer::pem_slice_iter(pem).next().is_none() {
            return Err(error("the PEM contains no certificate"));
        }
        let certificates = TlsCertificates { client_tls: None, root_cert: Some(pem.to_vec()) };
        let client = Client::build_with_tls(self.0, certificates)
            .map_err(|_| error("the PEM contains an invalid certificate"))?;
        Ok(Self(client.get_connection_info().clone()))
    }

    pub(super) fn client(&self) -> Result<Client, redis::RedisError> {
        if matches!(self.0.addr(), ConnectionAddr::TcpTls { .. }) {
            // The client cannot be given a rustls configuration, and would panic in a program that links two
            // cryptography providers and has chosen neither.
            if rustls::crypto::CryptoProvider::get_default().is_none() {
                // If another thread is faster, its provider is used.
                drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
            }
        }
        Client::open(self.0.clone())
    }
}

/// Whether the host must be this machine. Resolvers answer `localhost` with a loopback address (RFC 6761 §6.3).
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
    fn only_safe_addresses_are_accepted() {
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
    fn no_error_repeats_the_address() {
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
    fn only_valid_certificates_are_trusted_and_only_with_tls() {
        let pem = |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
        for (url, pem, reason) in [
            ("redis://127.0.0.1", pem("Y2FuYXJ5"), "without TLS"),
            ("rediss://:canary@redis.example", String::new(), "no certificate"),
            ("rediss://:canary@redis.example", "canary".to_owned(), "no certificate"),
            ("rediss://:canary@redis.example", pem("Y2FuYXJ5"), "an invalid certificate"),
            ("rediss://:canary@redis.example", pem("%canary%"), "an invalid certificate"),
        ] {
            let error = Address::parse(url).unwrap().trusting(pem.as_bytes()).err().unwrap();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(reason) && !shown.contains("canary"), "{shown}");
        }
    }
}

//! Certificates of a test authority, a new one for each server.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Certificate files in PEM.
#[derive(Debug)]
pub struct Certificates {
    /// The certificate to trust.
    pub authority: PathBuf,
    /// The certificate of the server.
    pub server: PathBuf,
    /// The key of the server.
    pub server_key: PathBuf,
}

impl Certificates {
    /// Creates the files in a folder, for a server with these names.
    pub fn make(folder: &Path, names: &[impl AsRef<str>]) -> Self {
        let (authority, issuer) = authority();
        let names: Vec<_> = names.iter().map(|name| name.as_ref().to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate().unwrap();
        let server = params.signed_by(&key, &issuer).unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).unwrap();
            path
        };
        Self {
            authority: write("authority.pem", &authority),
            server: write("server.pem", &server.pem()),
            server_key: write("server.key", &key.serialize_pem()),
        }
    }

    /// Returns a TLS acceptor for a server in this process.
    pub fn acceptor(&self) -> TlsAcceptor {
        let certificate = CertificateDer::from_pem_file(&self.server).unwrap();
        let key = PrivateKeyDer::from_pem_file(&self.server_key).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .unwrap();
        Arc::new(config).into()
    }
}

/// Creates another authority, which has signed nothing.
pub fn stranger(folder: &Path) -> PathBuf {
    let path = folder.join("stranger.pem");
    std::fs::write(&path, authority().0).unwrap();
    path
}

fn authority() -> (String, Issuer<'static, KeyPair>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
    params.distinguished_name.push(DnType::CommonName, "An authority for one test");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    (certificate.pem(), Issuer::new(params, key))
}

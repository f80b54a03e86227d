//! Certificates of an authority of our own, made anew for each provider.

use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};

/// Files in PEM.
pub(crate) struct Certificates {
    /// The certificate to trust.
    pub(crate) authority: PathBuf,
    pub(crate) server: PathBuf,
    pub(crate) server_key: PathBuf,
}

impl Certificates {
    pub(crate) fn make(folder: &Path) -> Self {
        let (authority, issuer) = authority();
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
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
}

/// Another authority, which signed nothing.
pub(crate) fn stranger(folder: &Path) -> PathBuf {
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

//! Whom to trust: the certificates that this system trusts, or the one that has a fingerprint.

use super::NoAnswer;
use std::sync::{Arc, OnceLock};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
};

/// The SHA-256 of a certificate.
pub type Fingerprint = [u8; 32];

/// Reads a fingerprint as `serve --tls-self-signed` and browsers show it: 64 digits, perhaps with colons.
pub fn fingerprint(text: &str) -> Option<Fingerprint> {
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b':').collect();
    let mut bytes = [0; 32];
    if digits.len() != 2 * bytes.len() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// How to speak TLS. What the system trusts is read once.
pub(super) fn tls_config(fingerprint: Option<Fingerprint>) -> Result<Arc<ClientConfig>, NoAnswer> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(NoAnswer::of)?;
    let Some(fingerprint) = fingerprint else {
        let roots = roots().map_err(|cause| NoAnswer { cause, help: Some("apt install ca-certificates") })?;
        return Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()));
    };
    let pinned = Arc::new(Pinned { fingerprint, provider });
    Ok(Arc::new(builder.dangerous().with_custom_certificate_verifier(pinned).with_no_client_auth()))
}

fn roots() -> Result<Arc<RootCertStore>, String> {
    static ROOTS: OnceLock<Result<Arc<RootCertStore>, String>> = OnceLock::new();
    let read = || {
        let mut roots = RootCertStore::empty();
        let (usable, _) = roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        match usable {
            0 => Err("this system trusts no certificates".to_owned()),
            _ => Ok(Arc::new(roots)),
        }
    };
    ROOTS.get_or_init(read).clone()
}

/// Trusts one certificate, whatever its name and dates are; that its owner is there is proved as ever.
#[derive(Debug)]
struct Pinned {
    fingerprint: Fingerprint,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let digest = ::ring::digest::digest(&::ring::digest::SHA256, end_entity);
        match digest.as_ref() == self.fingerprint {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure)),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints() {
        let text = "0aFF".repeat(16);
        let bytes = fingerprint(&text).unwrap();
        assert_eq!((bytes[0], bytes[31]), (10, 255));
        assert_eq!(fingerprint(&["0A"; 32].join(":")), Some([10; 32]));
        for text in ["", "0a", &"0g".repeat(32), &"é".repeat(32)] {
            assert_eq!(fingerprint(text), None, "{text}");
        }
    }
}

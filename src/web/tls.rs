//! TLS (1.2 and 1.3, by rustls): a certificate from files that is read again when they change, or one made for this run.
//!
//! What cannot be read later leaves the certificate in force as it is. HTTP/2 is offered by ALPN (RFC 7301).

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};

/// How long a certificate that is made is good for: what browsers accept of any.
const DAYS: i64 = 397;

/// The certificate in force.
#[derive(Debug)]
pub struct Tls {
    config: RwLock<Arc<ServerConfig>>,
    files: Option<Files>,
    /// SHA-256 of a certificate that was made for this run, as browsers show it.
    pub fingerprint: Option<String>,
}

/// Where a certificate is read from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// The chain, PEM, the server's own certificate first.
    pub certificate: PathBuf,
    /// The private key, PEM.
    pub key: PathBuf,
}

/// What tells whether a file is another one than before.
type Stamp = [(u64, i64, i64, u64); 2];

impl Tls {
    /// Reads a certificate and its key.
    ///
    /// # Errors
    /// One line that names the file and what is wrong with it.
    pub fn read(files: Files) -> Result<Tls, String> {
        let config = files.load()?;
        Ok(Tls { config: RwLock::new(config), files: Some(files), fingerprint: None })
    }

    /// Makes a certificate for some names and addresses, and for `localhost`.
    ///
    /// # Errors
    /// One line, if the system has no randomness.
    pub fn make(names: &[String], addresses: &[IpAddr]) -> Result<Tls, String> {
        let wrong = |error: rcgen::Error| format!("cannot make a certificate: {error}");
        let mut subjects = vec!["localhost".to_owned()];
        let named = names.iter().map(|name| name.trim_start_matches('[').trim_end_matches(']').to_owned());
        subjects.extend(named.filter(|name| !name.contains('/') && name.parse::<IpAddr>().is_err()));
        let unspecified = |address: &&IpAddr| !address.is_unspecified();
        subjects.extend(addresses.iter().filter(unspecified).map(ToString::to_string));
        subjects.sort_unstable();
        subjects.dedup();
        let mut params = rcgen::CertificateParams::new(subjects).map_err(wrong)?;
        let now = jiff::Timestamp::now();
        let day = |days: i64| {
            let then = now.saturating_add(jiff::SignedDuration::from_hours(24 * days)).unwrap_or(now);
            let date = jiff::tz::TimeZone::UTC.to_datetime(then).date();
            rcgen::date_time_ymd(
                i32::from(date.year()),
                date.month().unsigned_abs(),
                date.day().unsigned_abs(),
            )
        };
        (params.not_before, params.not_after) = (day(-1), day(DAYS));
        params.distinguished_name.push(rcgen::DnType::CommonName, "logcast");
        let key = rcgen::KeyPair::generate().map_err(wrong)?;
        let made = params.self_signed(&key).map_err(wrong)?;
        let digest = ::ring::digest::digest(&::ring::digest::SHA256, made.der());
        let fingerprint: Vec<String> = digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect();
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = config(vec![made.der().clone()], key)?;
        Ok(Tls { config: RwLock::new(config), files: None, fingerprint: Some(fingerprint.join(":")) })
    }

    /// What accepts a connection now.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.config.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// What the files look like now; `None` for a certificate that was made.
    pub fn stamp(&self) -> Option<Stamp> {
        let stamp = |path: &Path| {
            let meta = std::fs::metadata(path).ok()?;
            Some((meta.ino(), meta.mtime(), meta.mtime_nsec(), meta.len()))
        };
        let files = self.files.as_ref()?;
        Some([stamp(&files.certificate)?, stamp(&files.key)?])
    }

    /// Reads the files again.
    ///
    /// # Errors
    /// As [`Tls::read`]; what was in force stays.
    pub fn reload(&self) -> Result<(), String> {
        if let Some(files) = &self.files {
            let config = files.load()?;
            *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
        }
        Ok(())
    }
}

impl Files {
    fn load(&self) -> Result<Arc<ServerConfig>, String> {
        let unread =
            |path: &Path, why: &dyn std::fmt::Display| format!("cannot read '{}': {why}", path.display());
        let path = &self.certificate;
        let read = |path: &Path| std::fs::read(path).map_err(|error: io::Error| unread(path, &error));
        let chain = CertificateDer::pem_slice_iter(&read(path)?)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| unread(path, &error))?;
        if chain.is_empty() {
            return Err(unread(path, &"it holds no certificate"));
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?)
            .map_err(|_| unread(&self.key, &"it holds no private key"))?;
        config(chain, key).map_err(|why| format!("cannot use '{}': {why}", path.display()))
    }
}

fn config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> Result<Arc<ServerConfig>, String> {
    let provider = Arc::new(ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

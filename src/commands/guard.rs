//! Who may ask a server, and over what: from options and addresses to a policy and a certificate.

use super::bind::Bound;
use super::serve::Options;
use super::{Failure, talk};
use crate::web::auth::{Policy, Tries, random_token};
use crate::web::tls::{Files, Tls};
use std::net::{IpAddr, SocketAddr};

/// Where the certificate comes from.
#[derive(Debug)]
pub enum Certificate {
    /// From files.
    Files(Files),
    /// It is made for this run.
    Made,
}

/// What stands between the network and the routes.
pub(super) struct Guard {
    pub(super) policy: Policy,
    pub(super) tls: Option<Tls>,
    /// The token in force.
    pub(super) token: Option<String>,
}

/// Sets it up, and says what a person should know about it.
///
/// # Errors
/// A certificate that cannot be used; a system without randomness.
pub(super) fn guard(options: &Options, bound: &Bound) -> Result<Guard, Failure> {
    let exposed = bound.addresses.iter().any(|address| !address.ip().is_loopback());
    let token = match (&options.token, exposed && !options.no_auth) {
        (Some(token), _) => Some(token.clone()),
        (None, true) => Some(random()?),
        (None, false) => None,
    };
    if exposed && options.no_auth {
        talk(options.quiet, "warning: anyone who reaches this address can read these logs");
    }
    let tls = match &options.tls {
        None => None,
        Some(Certificate::Files(files)) => Some(Tls::read(files.clone()).map_err(Failure::refused)?),
        Some(Certificate::Made) => {
            let addresses: Vec<IpAddr> = bound.addresses.iter().map(SocketAddr::ip).collect();
            let names = [options.allow_host.clone(), options.bind.clone()].concat();
            Some(Tls::make(&names, &addresses).map_err(Failure::refused)?)
        }
    };
    if exposed && tls.is_none() {
        let what = "without TLS lines and token travel in clear; see --tls-cert and --tls-self-signed";
        talk(options.quiet, &format!("warning: {what}"));
    }
    if let Some(fingerprint) = tls.as_ref().and_then(|tls| tls.fingerprint.as_deref()) {
        talk(options.quiet, &format!("certificate: SHA-256 {fingerprint}"));
    }
    let port = bound.addresses.first().map_or(0, SocketAddr::port);
    let policy = Policy {
        hosts: [options.allow_host.clone(), options.bind.clone()].concat(),
        any_address: bound.addresses.iter().any(|address| address.ip().is_unspecified()),
        origins: options.allow_origin.clone(),
        token: token.clone(),
        session: random()?,
        cookie: format!("logcast-{port}"),
        secure: tls.is_some(),
        tries: Tries::default(),
    };
    Ok(Guard { policy, tls, token })
}

fn random() -> Result<String, Failure> {
    random_token().map_err(|error| Failure::refused(format!("cannot make a token: {error}")))
}

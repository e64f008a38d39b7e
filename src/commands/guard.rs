//! Who may ask a server, and over what: from options and addresses to a policy and a certificate.

use super::bind::Bound;
use super::serve::Options;
use super::serve::fed::is_private;
use super::{Failure, talk};
use crate::log::private::{Privacy, strictest};
use crate::log::source::Spec;
use crate::web::auth::{Policy, random_token};
use crate::web::owner;
use crate::web::people::People;
use crate::web::tls::{Files, Tls};
use crate::web::tries::Tries;
use std::net::{IpAddr, SocketAddr};
use std::sync::Mutex;

/// Where the certificate comes from.
#[derive(Debug)]
pub enum Certificate {
    /// From files.
    Files(Files),
    /// It is made for this run.
    Made,
}

/// Who may ask at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Admission {
    /// Whoever reaches it: what is served anyone on this machine may read anyway, or the user wants it so.
    Anyone,
    /// On loopback the server's own user, without a token.
    Own,
    /// Who has a token, or a name and a password.
    Proved,
}

impl Admission {
    /// Decides, from where it is bound and whether the logs are secret to other users of this machine.
    pub(super) fn of(options: &Options, bound: &Bound, specs: &[Spec]) -> Admission {
        if options.token.is_some() || !options.people.is_empty() {
            return Admission::Proved;
        }
        if options.no_auth {
            return Admission::Anyone;
        }
        if exposed(options, bound) {
            return Admission::Proved;
        }
        if bound.addresses.is_empty() {
            // A unix socket is its owner's, by its mode.
            return Admission::Anyone;
        }
        if is_private(specs) {
            return Admission::Proved;
        }
        match strictest(specs, options.history) {
            Privacy::Open => Admission::Anyone,
            Privacy::Enclosed if owner::can_tell() => Admission::Own,
            Privacy::Enclosed | Privacy::Private => Admission::Proved,
        }
    }
}

/// Whether others than this machine's users reach it: by an address, or through a proxy.
fn exposed(options: &Options, bound: &Bound) -> bool {
    bound.addresses.iter().any(|address| !address.ip().is_loopback()) || !options.trusted_proxies.is_empty()
}

/// What stands between the network and the routes.
pub(super) struct Guard {
    pub(super) policy: Policy,
    pub(super) tls: Option<Tls>,
    /// The token in force.
    pub(super) token: Option<String>,
    /// One for the browser that is started, good once.
    pub(super) once: Option<String>,
}

/// Sets it up, and says what a person should know about it.
///
/// # Errors
/// A certificate that cannot be used; a system without randomness.
pub(super) fn guard(options: &Options, bound: &Bound, admission: Admission) -> Result<Guard, Failure> {
    let token = match (&options.token, admission) {
        (Some(token), _) => Some(token.clone()),
        (None, Admission::Proved) if options.people.is_empty() => Some(random()?),
        (None, _) => None,
    };
    if exposed(options, bound) && admission == Admission::Anyone {
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
    if bound.addresses.iter().any(|address| !address.ip().is_loopback()) && tls.is_none() {
        let what = "without TLS lines and token travel in clear; see --tls-cert and --tls-self-signed";
        talk(options.quiet, &format!("warning: {what}"));
    }
    if let Some(fingerprint) = tls.as_ref().and_then(|tls| tls.fingerprint.as_deref()) {
        talk(options.quiet, &format!("certificate: SHA-256 {fingerprint}"));
    }
    let port = bound.addresses.first().map_or(0, SocketAddr::port);
    let once = if options.open && token.is_some() { Some(random()?) } else { None };
    let policy = Policy {
        hosts: [options.allow_host.clone(), options.bind.clone()].concat(),
        any_address: bound.addresses.iter().any(|address| address.ip().is_unspecified()),
        origins: options.allow_origin.clone(),
        token: token.clone(),
        once: Mutex::new(once.clone()),
        session: random()?,
        cookie: format!("logcast-{port}"),
        people: match options.people.is_empty() {
            true => None,
            false => Some(People::new(options.people.clone(), random()?.as_bytes())),
        },
        own_only: admission == Admission::Own,
        base: options.base_path.clone(),
        proxies: options.trusted_proxies.clone(),
        tries: Tries::default(),
    };
    Ok(Guard { policy, tls, token, once })
}

fn random() -> Result<String, Failure> {
    random_token().map_err(|error| Failure::refused(format!("cannot make a token: {error}")))
}

//! The sources of `serve` that are streams of an engine.

use crate::commands::Failure;
use crate::live::fed::Fed;
use crate::log::source::Spec;
use tokio_util::sync::CancellationToken;

/// The readers of the engines' URLs among the sources.
///
/// # Errors
/// What is wrong with a URL (2).
#[cfg(feature = "nats")]
pub(super) fn fed(
    specs: &[Spec],
    follow: bool,
    quiet: bool,
    stop: &CancellationToken,
) -> Result<Vec<Fed>, Failure> {
    use crate::commands::talk;
    use crate::nats::{read, url::Url};
    use std::sync::Arc;
    let mut fed = Vec::new();
    for spec in specs {
        let Spec::Engine { name, url } = spec else { continue };
        // The name holds no secret; the URL may.
        let wrong = |cause: String| {
            Failure::usage(format!("cannot follow '{}': {cause}", name.escape_debug()))
                .help("logcast serve 'nats://HOST:4222/logs.>'")
        };
        let url = Url::parse(url, |name| std::env::var(name).ok()).map_err(wrong)?;
        let talk = Arc::new(move |text: &str| talk(quiet, text));
        let (name, stop, history) = (name.clone(), stop.clone(), read::History::SERVED);
        let options = read::Options { name, url, follow, history, patient: true, talk, stop };
        fed.push(read::fed(options).map_err(wrong)?);
    }
    Ok(fed)
}

/// Whether one of the sources is read with credentials of ours: others on this machine may not read it then.
#[cfg(feature = "nats")]
pub(in crate::commands) fn is_private(specs: &[Spec]) -> bool {
    use crate::nats::url::{Auth, Url};
    specs.iter().any(|spec| match spec {
        Spec::Engine { url, .. } => {
            let url = Url::parse(url, |name| std::env::var(name).ok());
            let with = |url: Url| url.auth != Auth::None || url.creds.or(url.nkey).or(url.cert).is_some();
            url.is_ok_and(with)
        }
        _ => false,
    })
}

/// Without the feature there are none.
#[cfg(not(feature = "nats"))]
pub(in crate::commands) fn is_private(_: &[Spec]) -> bool {
    false
}

/// Without the feature there are none.
///
/// # Errors
/// A URL of an engine is refused (2).
#[cfg(not(feature = "nats"))]
pub(super) fn fed(specs: &[Spec], _: bool, _: bool, _: &CancellationToken) -> Result<Vec<Fed>, Failure> {
    match specs.iter().find_map(|spec| if let Spec::Engine { name, .. } = spec { Some(name) } else { None }) {
        Some(name) => {
            Err(Failure::usage(format!("cannot follow '{}': built without NATS", name.escape_debug()))
                .help("build it with the feature `nats`"))
        }
        None => Ok(Vec::new()),
    }
}

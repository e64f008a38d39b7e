//! `logcast healthcheck`: is a server well? For containers, which have no curl.

use super::Failure;
use super::http::{self, Address};
use std::time::Duration;

/// How long an answer may take.
const TIME: Duration = Duration::from_secs(5);

/// Asks.
///
/// # Errors
/// Exit code 1 if it is not well or not there, 2 for what is no URL.
pub fn run(url: &str) -> Result<(), Failure> {
    let address = Address::parse(url)
        .map_err(|(cause, help)| {
            Failure::usage(format!("cannot ask '{}': {cause}", http::without_secrets(url))).help(help)
        })?
        .route("healthz");
    let failure = |cause: &str| Failure::refused(format!("'{}' is not well: {cause}", address.shown()));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    let answer = runtime.block_on(async { tokio::time::timeout(TIME, http::get(&address, &[])).await });
    runtime.shutdown_timeout(Duration::from_millis(100));
    match answer {
        Err(_) => Err(failure("it does not answer")),
        Ok(Err(error)) => Err(match error.help {
            Some(help) => failure(&error.cause).help(help),
            None => {
                failure(&error.cause).help("is it running there? logcast serve prints its URL when it starts")
            }
        }),
        Ok(Ok(response)) if response.status().is_success() => Ok(()),
        Ok(Ok(response)) => Err(failure(&format!("it says '{}'", response.status()))),
    }
}

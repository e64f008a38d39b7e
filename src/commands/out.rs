//! Standard output, as whoever started the process left it.
//!
//! Rust's runtime opens `/dev/null` in place of one that is closed, so that no other file gets its number; what is
//! written there is gone without an error. So `main.rs` looks before the runtime does, and who writes what somebody
//! waits for asks here.

use super::Failure;
use std::io::{self, Stdout};
use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Says that standard output was closed when the process began.
pub fn was_closed() {
    CLOSED.store(true, Ordering::Relaxed);
}

/// Standard output, to write to.
///
/// # Errors
/// If it is closed.
pub(crate) fn stdout() -> Result<Stdout, Failure> {
    match CLOSED.load(Ordering::Relaxed) {
        false => Ok(io::stdout()),
        true => Err(Failure::refused("cannot write to stdout: it is closed")
            .help("what nobody wants to read goes to >/dev/null")),
    }
}

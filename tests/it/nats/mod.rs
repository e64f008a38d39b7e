//! Beyond one machine: `ship` against real servers, killed, rolled back and misconfigured; what is stored is compared with
//! the files byte for byte.
//!
//! Most need Debian's `nats-server`, those of a cluster the newer one that `tests/nats/install target/nats` fetches.
//! Without it each test says so and passes, unless `LOGCAST_TEST_NATS=1` (as in `.ci/run`): then it fails.

mod entering;
mod exact;
mod fake;
mod forms;
mod heavy;
mod jwt;
mod origins;
mod redacted;
mod refused;
mod rotation;
mod servers;
mod serving;
mod shipper;
mod stored;
mod tailing;

use std::path::{Path, PathBuf};

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// The machine's own: Debian's.
    Old,
    /// The one that is fetched.
    New,
}

/// The server's program, if it is there.
#[track_caller]
fn server(version: Version) -> Option<PathBuf> {
    let found = match version {
        Version::Old => {
            let path = std::env::var_os("PATH").unwrap_or_default();
            let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
            folders.map(|folder| folder.join("nats-server")).find(|program| program.is_file())
        }
        Version::New => {
            let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
            Some(target.join("nats/nats-server")).filter(|program| program.is_file())
        }
    };
    if found.is_none() {
        let how = match version {
            Version::Old => "apt install nats-server",
            Version::New => "tests/nats/install target/nats",
        };
        let must = std::env::var_os("LOGCAST_TEST_NATS").is_some_and(|value| value == "1");
        assert!(!must, "there is no nats-server: {how}");
        eprintln!("skipped: there is no nats-server ({how})");
    }
    found
}

//! The signals that end a server, or go on to the command that it runs.

use crate::commands::Failure;
use rustix::process::Signal;
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// The signals that end the program.
pub(in crate::commands) struct Signals {
    interrupt: Listener,
    terminate: Listener,
    /// None where a hangup means nothing, or something else.
    pub(super) hangup: Option<Listener>,
}

impl Signals {
    pub(in crate::commands) fn listen() -> Result<Signals, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::refused(format!("cannot wait for signals: {error}")))
        };
        // Under nohup the hangup is ignored, and stays so.
        let hangup = if hangup_is_ignored() { None } else { Some(listen(SignalKind::hangup())?) };
        Ok(Signals {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup,
        })
    }

    /// The next signal.
    pub(in crate::commands) async fn next(&mut self) -> Signal {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => _ = hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => Signal::INT,
            _ = self.terminate.recv() => Signal::TERM,
            () = hangup => Signal::HUP,
        }
    }
}

/// Whether the process was started with SIGHUP ignored, as the kernel tells (proc(5), `SigIgn`).
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

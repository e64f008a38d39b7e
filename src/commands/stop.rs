//! The end by a signal, for commands that are blocking code.
//!
//! The first SIGINT or SIGTERM asks: the command ends at a good place. A second one, or `GRACE` without an end (a
//! pipe that nobody reads holds up a write for ever), ends the process where it stands.

use super::Failure;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How long a command that was asked to end may take.
const GRACE: Duration = Duration::from_millis(1500);

/// Whether a signal came.
#[derive(Debug, Clone)]
pub struct Stop(Arc<(Mutex<bool>, Condvar)>);

impl Stop {
    /// Listens from now on; `code` is the exit code of a process that does not end by itself when asked.
    ///
    /// # Errors
    /// What the system says to waiting for signals.
    pub fn listen(code: i32) -> Result<Stop, Failure> {
        let refused = |error| Failure::refused(format!("cannot wait for signals: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(refused)?;
        let entered = runtime.enter();
        let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
        drop(entered);
        let stop = Stop(Arc::default());
        let shared = stop.clone();
        std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
                shared.set();
                tokio::select! {
                    _ = interrupt.recv() => {}
                    _ = terminate.recv() => {}
                    () = tokio::time::sleep(GRACE) => {}
                }
            });
            std::process::exit(code);
        });
        Ok(stop)
    }

    fn set(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    /// Whether it is time to end.
    pub fn is_set(&self) -> bool {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits so long, or until a signal comes.
    pub fn wait(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut set = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*set {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            set = self.0.1.wait_timeout(set, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

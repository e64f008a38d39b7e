//! A word to the service manager, where there is one (sd_notify(3)): it serves, it is alive, it stops.

use sd_notify::NotifyState;
use tokio::task::JoinHandle;

/// What keeps telling that it is alive.
pub(super) struct Manager(Option<JoinHandle<()>>);

/// Says that it serves. Where the manager wants a sign of life, one comes from the reactor at half of its time: a reactor
/// that hangs gives none.
pub(super) fn tell(status: &str) -> Manager {
    let status = format!("serving on {status}");
    // A manager that does not listen is no reason not to serve.
    let _ = sd_notify::notify(&[NotifyState::Ready, NotifyState::Status(&status)]);
    let alive = sd_notify::watchdog_enabled().map(|time| {
        tokio::spawn(async move {
            let mut every = tokio::time::interval(time / 2);
            loop {
                every.tick().await;
                let _ = sd_notify::notify(&[NotifyState::Watchdog]);
            }
        })
    });
    Manager(alive)
}

impl Manager {
    /// Says that it stops.
    pub(super) fn stopping(&self) {
        let _ = sd_notify::notify(&[NotifyState::Stopping]);
        if let Some(alive) = &self.0 {
            alive.abort();
        }
    }
}

//! How many records may have been written by now.

use crate::generate::rate::Rate;
use std::time::{Duration, Instant};

/// The shortest sleep; a faster rate is met by several lines at once.
const SLICE: Duration = Duration::from_millis(2);
/// A writer that is further behind its rate (it was stopped, the disk was slow) does not catch up.
const BEHIND: Duration = Duration::from_secs(1);

/// The rate and what was done of it.
pub(super) struct Pace {
    rate: Rate,
    started: Instant,
    /// From when on the rate counts: later than the start if time was lost.
    began: Instant,
    /// How many records were written.
    pub(super) records: u64,
}

impl Pace {
    /// Begins now.
    pub(super) fn new(rate: Rate) -> Pace {
        let now = Instant::now();
        Pace { rate, started: now, began: now, records: 0 }
    }

    /// The time since the start.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// How many records may have been written.
    pub(super) fn due(&self) -> u64 {
        match self.rate.is_full() {
            true => u64::MAX,
            false => self.rate.records(self.began.elapsed().as_secs_f64()) as u64 + 1,
        }
    }

    /// The time until the next record is due.
    pub(super) fn wait(&mut self) -> Duration {
        let at = Duration::try_from_secs_f64(self.rate.seconds(self.records as f64)).unwrap_or(Duration::MAX);
        let gone = self.began.elapsed();
        if let Some(behind) = gone.checked_sub(at)
            && behind > BEHIND
        {
            self.began += behind;
        }
        at.saturating_sub(gone).max(SLICE)
    }
}

//! What is counted while it serves, for whoever watches over it: plain counters that only grow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A counter.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Counts one more.
    pub fn one(&self) {
        self.add(1);
    }

    /// Counts some more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// The count.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What is counted of one source.
#[derive(Debug, Default)]
pub struct OfSource {
    /// Bytes of complete lines that were read.
    pub bytes: Counter,
    /// Other files that took its path.
    pub rotations: Counter,
    /// Cuts and rewritings.
    pub truncations: Counter,
    /// Places where something is missing for all who were there.
    pub gaps: Counter,
}

/// What is counted of all clients.
#[derive(Debug, Default)]
pub struct OfClients {
    /// Streams that were begun.
    pub streams: Counter,
    /// Gaps that single clients were told of.
    pub gaps: Counter,
    /// Bytes of streams, as encoded.
    pub bytes: Counter,
    /// How long lines waited from the follower to the client that shares them.
    pub waits: Spread,
}

/// What is counted of searches.
#[derive(Debug, Default)]
pub struct OfSearches {
    /// Searches that ran.
    pub searches: Counter,
    /// Bytes that were searched.
    pub bytes: Counter,
    /// Microseconds that it took.
    pub micros: Counter,
}

/// The upper edges of the buckets of a [`Spread`], in microseconds; the last bucket has none.
pub const EDGES: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000];

/// Durations, counted in buckets.
#[derive(Debug, Default)]
pub struct Spread {
    counts: [Counter; EDGES.len() + 1],
    micros: Counter,
}

impl Spread {
    /// Counts a duration.
    pub fn add(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        self.counts[EDGES.partition_point(|&edge| edge < micros)].one();
        self.micros.add(micros);
    }

    /// The count of each bucket, and the sum of all in seconds.
    pub fn get(&self) -> ([u64; EDGES.len() + 1], f64) {
        (std::array::from_fn(|at| self.counts[at].get()), self.micros.get() as f64 / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_is_counted_under_the_edge_that_it_does_not_pass() {
        let spread = Spread::default();
        for micros in [0, 100, 101, 1_000_000, 1_000_001, u64::MAX] {
            spread.add(Duration::from_micros(micros));
        }
        let (counts, _) = spread.get();
        assert_eq!((counts[0], counts[1], counts[11], counts[12]), (2, 1, 1, 2));
        assert_eq!(counts.iter().sum::<u64>(), 6);
    }
}

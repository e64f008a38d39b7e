//! Latencies in buckets whose width grows with the value: a relative error of 1.6 %, a fixed size.

/// Buckets for each doubling.
const SUB: u64 = 64;
/// Up to 2^40 ns, 18 minutes.
const DOUBLINGS: u64 = 40;

/// Counts of nanoseconds.
#[derive(Debug, Clone)]
pub(crate) struct Histogram {
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    pub(crate) fn new() -> Histogram {
        Histogram { counts: vec![0; (SUB * DOUBLINGS) as usize], total: 0 }
    }

    pub(crate) fn add(&mut self, ns: u64) {
        let last = self.counts.len() - 1;
        self.counts[(bucket(ns) as usize).min(last)] += 1;
        self.total += 1;
    }

    pub(crate) fn count(&self) -> u64 {
        self.total
    }

    /// The value below which this share lies, in milliseconds; 0 for no values.
    pub(crate) fn quantile_ms(&self, share: f64) -> f64 {
        let wanted = (self.total as f64 * share).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (at, count) in self.counts.iter().enumerate() {
            seen += count;
            if seen >= wanted {
                return middle(at as u64) / 1e6;
            }
        }
        0.0
    }
}

fn bucket(ns: u64) -> u64 {
    if ns < SUB {
        return ns;
    }
    let exponent = u64::from(63 - ns.leading_zeros()) - 6;
    SUB * exponent + (ns >> exponent)
}

fn middle(bucket: u64) -> f64 {
    if bucket < 2 * SUB {
        return bucket as f64;
    }
    let exponent = bucket / SUB - 1;
    let low = (bucket - SUB * exponent) << exponent;
    low as f64 + (1u64 << exponent) as f64 / 2.0
}

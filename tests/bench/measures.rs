//! All figures of a run: by scenario, server and what was measured, one value a round; medians of them.

use std::collections::BTreeMap;

/// Names of what is measured. One word each, units in the name.
pub(crate) mod metric {
    pub(crate) const LINES_PER_S: &str = "lines/s";
    pub(crate) const MB_PER_S: &str = "MB/s";
    pub(crate) const CPU_NS: &str = "CPU ns/line";
    pub(crate) const CPU_WRITTEN_NS: &str = "CPU ns/written line";
    pub(crate) const LOST: &str = "lost";
    pub(crate) const WRONG: &str = "out of order";
    pub(crate) const P50: &str = "p50 ms";
    pub(crate) const P99: &str = "p99 ms";
    pub(crate) const P999: &str = "p99.9 ms";
    pub(crate) const RESIDENT_MB: &str = "resident MB";
    pub(crate) const RESIDENT_KB: &str = "resident KB/client";
    pub(crate) const KERNEL_KB: &str = "kernel KB/client";
    pub(crate) const KERNEL_BOTH_KB: &str = "kernel KB/client, both ends";
    pub(crate) const SECONDS: &str = "s";
    pub(crate) const CPU_PERCENT: &str = "CPU %";
    pub(crate) const WAKEUPS: &str = "wake-ups/s";
    pub(crate) const URL_MS: &str = "URL ms";
    pub(crate) const FIRST_LINE_MS: &str = "first line ms";
}

type Key = (String, String, String);

/// The figures.
#[derive(Debug, Default)]
pub(crate) struct Measures {
    values: BTreeMap<Key, Vec<f64>>,
    /// Scenarios and servers in the order of their first figure.
    order: Vec<(String, String)>,
    /// What was left out, and why.
    pub(crate) skipped: Vec<String>,
}

impl Measures {
    /// Adds a figure of a round.
    pub(crate) fn add(&mut self, scenario: &str, server: &str, metric: &str, value: f64) {
        let row = (scenario.to_owned(), server.to_owned());
        if !self.order.contains(&row) {
            self.order.push(row);
        }
        let key = (scenario.to_owned(), server.to_owned(), metric.to_owned());
        self.values.entry(key).or_default().push(value);
    }

    /// The median over the rounds.
    pub(crate) fn median(&self, scenario: &str, server: &str, metric: &str) -> Option<f64> {
        let key = (scenario.to_owned(), server.to_owned(), metric.to_owned());
        let mut values = self.values.get(&key)?.clone();
        values.sort_by(f64::total_cmp);
        let (low, high) = (values[(values.len() - 1) / 2], values[values.len() / 2]);
        Some((low + high) / 2.0)
    }

    /// All rows, in order, each with its metrics and their values.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, &str, Vec<(&str, &[f64])>)> {
        self.order.iter().map(|(scenario, server)| {
            let metrics = self.values.iter().filter(|(key, _)| key.0 == *scenario && key.1 == *server);
            let metrics = metrics.map(|(key, values)| (key.2.as_str(), values.as_slice())).collect();
            (scenario.as_str(), server.as_str(), metrics)
        })
    }

    /// Notes what cannot be measured here, on stderr too.
    pub(crate) fn skip(&mut self, what: String) {
        eprintln!("skipped: {what}");
        self.skipped.push(what);
    }
}

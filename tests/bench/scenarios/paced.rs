//! Lines at a rate: how long from the write to the read, by the clock in each line.

use super::{Bench, live, note};
use crate::decode::Look;
use crate::measures::metric::*;
use crate::process::sockets_kb;
use crate::started::Kind;
use anyhow::Result;

/// How long lines are written.
const SECONDS_OF_LINES: u64 = 5;

/// So many clients, so many lines a second.
pub(crate) fn run(bench: &mut Bench<'_>, scenario: &str, clients: usize, rate: u64) -> Result<()> {
    let lines = bench.options.scaled(SECONDS_OF_LINES * rate).max(rate / 2);
    for _ in 0..bench.options.rounds {
        for kind in Kind::usual(bench.options) {
            let kernel_before = sockets_kb()?;
            let run = live(bench, &kind, clients, lines, rate, Look::Clocks)?;
            note(bench, scenario, kind.name(), &run.outcome, run.cpu_seconds);
            let resident = run.started.process.resident_kb()?;
            bench.add(scenario, kind.name(), RESIDENT_MB, resident / 1e3);
            let kernel = (sockets_kb()? - kernel_before).max(0.0) / clients as f64;
            bench.add(scenario, kind.name(), KERNEL_BOTH_KB, kernel);
            drop(run.load);
        }
    }
    Ok(())
}

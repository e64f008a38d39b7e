//! From the start of the program to its URL, and from a request to the first line, on a large file.

use super::Bench;
use crate::decode::{Look, Shape};
use crate::load::{Load, Request, Until};
use crate::measures::metric::*;
use crate::started::{Kind, Started};
use anyhow::Result;
use std::time::{Duration, Instant};

/// Megabytes with --huge.
const HUGE: u64 = 10_000;

pub(crate) fn run(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    let megabytes = if bench.options.huge { HUGE } else { bench.options.scaled(bench.options.size) };
    let log = bench.generated(megabytes)?;
    for _ in 0..bench.options.rounds.max(3) {
        for kind in Kind::ours(bench.options) {
            let began = Instant::now();
            let started = Started::start(&kind, &log)?;
            bench.add(scenario, kind.name(), URL_MS, began.elapsed().as_secs_f64() * 1e3);
            let request =
                Request::events(started.address, "/stream-logs?lines=10", Shape::EVENT, Look::Count);
            let asked = Instant::now();
            let mut load = Load::ask(1, &request)?;
            // The notice `hello` has five newlines; a line more has come with three others.
            load.run(Until::Lines(3), Duration::from_secs(5), Duration::from_secs(10), |_| Ok(()))?;
            bench.add(scenario, kind.name(), FIRST_LINE_MS, asked.elapsed().as_secs_f64() * 1e3);
        }
    }
    if bench.options.huge {
        std::fs::remove_file(log)?;
    }
    Ok(())
}

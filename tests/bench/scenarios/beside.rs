//! What one client costs another: a fast one beside stalled ones, a live one beside some that catch up.

use super::{Bench, DEADLINE, QUIET, SETTLE, note, written};
use crate::decode::{Look, Shape};
use crate::load::{Load, Request, Until};
use crate::started::{Kind, Started};
use anyhow::{Result, anyhow};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Clients that never read.
const STALLED: usize = 50;
/// What others ask for again and again beside a live client, and how many: ten read a large file from its start, two (as
/// many as may at once) search all of it for what is hard to find.
const BESIDE: [(&str, usize, &str); 3] = [
    ("beside-none", 0, ""),
    ("beside-catch-up", 10, "/stream-logs?lines=all&follow=false"),
    ("beside-search", 2, "/api/search?mode=find&case=no&grep=no%20such%20%5Cd"),
];

/// A log that was there before, with so many megabytes.
fn grown(bench: &Bench<'_>, megabytes: u64) -> Result<super::Log> {
    let log = bench.log()?;
    std::fs::copy(bench.generated(bench.options.scaled(megabytes))?, log.path())?;
    Ok(log)
}

/// A writer at full speed and one client, alone and beside fifty that asked for all and read nothing.
pub(crate) fn stalled(bench: &mut Bench<'_>, _: &str) -> Result<()> {
    let lines = bench.options.scaled(5_000_000);
    for _ in 0..bench.options.rounds {
        for kind in Kind::ours(bench.options) {
            for (scenario, count) in [("beside-nobody", 0), ("beside-stalled", STALLED)] {
                let log = grown(bench, 200)?;
                let started = Started::start(&kind, log.path())?;
                let all =
                    Request::events(started.address, "/stream-logs?lines=all", Shape::EVENT, Look::Count);
                let streams: Vec<_> = (0..count).map(|_| all.send()).collect::<Result<_>>()?;
                let mut load = Load::open(1, &started.live(Look::Numbers))?;
                load.settle(Duration::from_secs(1))?;
                let (outcome, cpu) = written(&mut load, &started, &log, lines, 0)?;
                note(bench, scenario, kind.name(), &outcome, cpu);
                drop(streams);
            }
        }
    }
    Ok(())
}

/// A live client at 1,000 lines a second, alone and beside others.
pub(crate) fn catch_up(bench: &mut Bench<'_>, _: &str) -> Result<()> {
    let lines = bench.options.scaled(5_000).max(1_000);
    for _ in 0..bench.options.rounds {
        for kind in Kind::ours(bench.options) {
            for (scenario, readers, target) in BESIDE {
                let log = grown(bench, bench.options.size)?;
                let started = Started::start(&kind, log.path())?;
                let mut load = Load::open(1, &started.live(Look::Clocks))?;
                load.settle(SETTLE)?;
                let stop = Arc::new(AtomicBool::new(false));
                let all = Request { target: target.into(), look: Look::Count, ..started.live(Look::Count) };
                let stopped = stop.clone();
                let drains = std::thread::spawn(move || drain(readers, &all, &stopped));
                let result = written(&mut load, &started, &log, lines, 1_000);
                stop.store(true, Ordering::Release);
                drains.join().map_err(|_| anyhow!("the readers panicked"))??;
                let (outcome, cpu) = result?;
                note(bench, scenario, kind.name(), &outcome, cpu);
            }
        }
    }
    Ok(())
}

/// Keeps so many clients reading until told, on a thread that gives way: what is measured is the server, not the
/// race of two clients for a processor.
fn drain(readers: usize, request: &Request, stop: &AtomicBool) -> Result<()> {
    let _ = rustix::process::nice(10);
    while readers > 0 && !stop.load(Ordering::Acquire) {
        let mut load = Load::ask(readers, request)?;
        while !stop.load(Ordering::Acquire) {
            let step = Until::Passed(Duration::from_millis(100));
            let outcome = load.run(step, QUIET, DEADLINE, |_| Ok(()))?;
            if outcome.bytes == 0 {
                break;
            }
        }
    }
    Ok(())
}

//! A writer at full speed and clients that were there before it: how fast until the last of them has all.

use super::{Bench, live, note};
use crate::decode::{Look, Shape};
use crate::load::{Load, Request, Until};
use crate::others;
use crate::process::Process;
use crate::started::{Kind, address_of};
use anyhow::Result;

/// Lines for the naive design, which is much slower.
const NAIVE_LINES: u64 = 20_000;

/// The bare sender, logcast, at 100 clients the naive design; and the floor from memory.
pub(crate) fn run(bench: &mut Bench<'_>, scenario: &str, clients: usize, lines: u64) -> Result<()> {
    let lines = bench.options.scaled(lines);
    let mut kinds = Kind::usual(bench.options);
    if clients == 100 {
        kinds.extend([Kind::Naive, Kind::NaiveLoses]);
    }
    for _ in 0..bench.options.rounds {
        for kind in &kinds {
            let lines = match kind {
                Kind::Naive | Kind::NaiveLoses => bench.options.scaled(NAIVE_LINES),
                _ => lines,
            };
            let run = live(bench, kind, clients, lines, 0, Look::Numbers)?;
            note(bench, scenario, kind.name(), &run.outcome, run.cpu_seconds);
        }
        memory(bench, scenario, clients, lines)?;
    }
    Ok(())
}

fn memory(bench: &mut Bench<'_>, scenario: &str, clients: usize, lines: u64) -> Result<()> {
    let server = Process::role(&["memory", &lines.to_string()])?;
    let request = Request::events(address_of(&server.line()?)?, "/", Shape::EVENT, Look::Count);
    let mut load = Load::open(clients, &request)?;
    let before = server.cpu_seconds()?;
    let outcome = load.run(Until::Lines(lines), super::QUIET, super::DEADLINE, Load::go)?;
    note(bench, scenario, "memory", &outcome, server.cpu_seconds()? - before);
    Ok(())
}

/// What people use today, with as many lines as each can be expected to carry.
pub(crate) fn others(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    for other in others::all() {
        for _ in 0..bench.options.rounds {
            let log = bench.log()?;
            let server = match other.start(log.path()) {
                Ok(server) => server,
                Err(why) => {
                    bench.measures.skip(format!("{}: {why:#}", other.name));
                    break;
                }
            };
            let lines = bench.options.scaled(other.lines);
            let mut load = server.open()?;
            load.settle(std::time::Duration::from_millis(500))?;
            let mut writer = log.writer(lines, other.rate)?;
            let before = server.process.group_cpu_seconds()?;
            let outcome = load.run(Until::Lines(lines), super::QUIET, super::DEADLINE, |_| writer.go())?;
            note(bench, scenario, other.name, &outcome, server.process.group_cpu_seconds()? - before);
        }
    }
    Ok(())
}

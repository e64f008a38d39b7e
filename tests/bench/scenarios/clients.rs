//! What a client costs that does nothing: one that never reads what it asked for, and one that waits for news.

use super::Bench;
use crate::decode::{Look, Shape};
use crate::load::{Load, Request};
use crate::measures::metric::*;
use crate::process::{server_sockets_kb, sockets_kb};
use crate::started::{Kind, Started};
use anyhow::Result;
use std::time::Duration;

/// Clients that never read.
const STALLED: usize = 100;
/// Until their buffers are full.
const FILL: Duration = Duration::from_secs(2);
/// How long an idle server is looked at: one heartbeat of each client is in it.
const IDLE: Duration = Duration::from_secs(15);

/// Memory for each client that asked for all of a large file and reads nothing.
pub(crate) fn stalled(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    let log = bench.generated(bench.options.scaled(bench.options.size))?;
    for _ in 0..bench.options.rounds {
        for kind in Kind::ours(bench.options) {
            let started = Started::start(&kind, &log)?;
            let (resident, kernel) = (started.process.resident_kb()?, sockets_kb()?);
            let request =
                Request::events(started.address, "/stream-logs?lines=all", Shape::EVENT, Look::Count);
            let mut streams = Vec::with_capacity(STALLED);
            for _ in 0..STALLED {
                streams.push(request.send()?);
            }
            std::thread::sleep(FILL);
            let each = |value: f64| value / STALLED as f64;
            let resident = each(started.process.resident_kb()? - resident);
            bench.add(scenario, kind.name(), RESIDENT_KB, resident);
            bench.add(scenario, kind.name(), KERNEL_BOTH_KB, each(sockets_kb()? - kernel));
            if let Some(own) = server_sockets_kb(started.address.port())? {
                bench.add(scenario, kind.name(), KERNEL_KB, each(own));
            }
        }
    }
    Ok(())
}

/// Memory for each of a thousand clients that wait.
pub(crate) fn idle_memory(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    let clients = 1_000;
    for _ in 0..bench.options.rounds {
        for kind in Kind::usual(bench.options) {
            let log = bench.log()?;
            std::fs::write(log.path(), "one line\n")?;
            let started = Started::start(&kind, log.path())?;
            let (resident, kernel) = (started.process.resident_kb()?, sockets_kb()?);
            let mut load = Load::open(clients, &started.live(Look::Count))?;
            load.settle(Duration::from_millis(500))?;
            let each = |value: f64| value / clients as f64;
            bench.add(scenario, kind.name(), RESIDENT_KB, each(started.process.resident_kb()? - resident));
            bench.add(scenario, kind.name(), KERNEL_BOTH_KB, each((sockets_kb()? - kernel).max(0.0)));
        }
    }
    Ok(())
}

/// What a server does while a hundred clients wait.
pub(crate) fn idle_processor(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    for _ in 0..bench.options.rounds.min(2) {
        for kind in Kind::usual(bench.options) {
            let log = bench.log()?;
            std::fs::write(log.path(), "one line\n")?;
            let started = Started::start(&kind, log.path())?;
            let mut load = Load::open(100, &started.live(Look::Count))?;
            // Threads that served the seats come to rest.
            load.settle(Duration::from_secs(1))?;
            let before = started.process.threads()?;
            load.settle(IDLE)?;
            let (cpu, sleeps) = started.process.threads()?.since(&before);
            let seconds = IDLE.as_secs_f64();
            bench.add(scenario, kind.name(), CPU_PERCENT, cpu / seconds * 100.0);
            bench.add(scenario, kind.name(), WAKEUPS, sleeps as f64 / seconds);
        }
    }
    Ok(())
}

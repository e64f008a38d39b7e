//! Beyond one machine: what `ship`, the engine and `serve nats://` take, and a plan for many hosts and viewers at 1:100.
//!
//! All of it runs on this one machine, the three servers of a cluster too: rates are lower bounds, the processor time of
//! each part is the figure to plan with.

use super::{Bench, DEADLINE, QUIET, SETTLE, note};
use crate::decode::{Look, Shape};
use crate::engine::{self, Engine};
use crate::load::{Load, Request, Until};
use crate::measures::metric::*;
use crate::process::{Process, waited_seconds};
use crate::started::{LOGCAST, address_of, logcast, serve};
use crate::writer::LINE;
use anyhow::{Context, Result, ensure};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

/// What writes into the stream, what keeps it, what shows it.
const SHIP: &str = "ship";
const ENGINE: &str = "nats-server";
const SERVE: &str = "serve";

/// Eight files that are there already, into one server or three: how fast, and what a line costs.
pub(crate) fn ship(bench: &mut Bench<'_>, scenario: &str, nodes: usize) -> Result<()> {
    const FILES: usize = 8;
    let Some(program) = installed(bench, scenario) else { return Ok(()) };
    let lines = bench.options.scaled(500_000);
    for _ in 0..bench.options.rounds {
        let folder = tempfile::tempdir_in(bench.folder)?;
        let mut writer = write_many(folder.path(), FILES, lines, 0)?;
        writer.go()?;
        writer.line()?;
        let engine = Engine::start(&program, folder.path(), nodes)?;
        let (began, before, of_engine) = (Instant::now(), waited_seconds()?, engine.cpu_seconds()?);
        let mut once = shipper(&engine, folder.path(), "h", 0..FILES);
        let ended = once.args(["--once", "--retain-bytes", "4GiB"]).status().context("cannot start ship")?;
        ensure!(ended.success(), "ship ended with {ended}");
        let (seconds, all) = (began.elapsed().as_secs_f64(), (FILES as u64 * lines) as f64);
        bench.add(scenario, SHIP, LINES_PER_S, all / seconds);
        bench.add(scenario, SHIP, MB_PER_S, all * LINE as f64 / 1e6 / seconds);
        bench.add(scenario, SHIP, CPU_NS, (waited_seconds()? - before) * 1e9 / all);
        bench.add(scenario, ENGINE, CPU_NS, (engine.cpu_seconds()? - of_engine) * 1e9 / all);
    }
    Ok(())
}

/// One file at 10,000 lines/s through one server to so many viewers: how late a line is, and what each part costs.
pub(crate) fn live(bench: &mut Bench<'_>, scenario: &str, viewers: usize) -> Result<()> {
    let plan =
        Plan { nodes: 1, shippers: 1, files: 1, rate: 10_000, seconds: 8, serves: 1, viewers, more: &[] };
    plan.run(bench, scenario)
}

/// 300 hosts with 300 lines/s each and 20,000 viewers of everything, at 1:100.
pub(crate) fn hosts(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    let plan =
        Plan { nodes: 3, shippers: 3, files: 1, rate: 300, seconds: 20, serves: 2, viewers: 200, more: &[] };
    plan.run(bench, scenario)
}

/// 10,000 hosts with 1,000 lines/s each and 100,000 viewers, each of one host, at 1:100; compressed, four messages a second.
pub(crate) fn internet(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    let more = &["--compress", "zstd", "--interval", "250ms"];
    let plan =
        Plan { nodes: 3, shippers: 10, files: 10, rate: 1_000, seconds: 20, serves: 2, viewers: 1_000, more };
    plan.run(bench, scenario)
}

/// Hosts that write, shippers, an engine, servers, viewers.
struct Plan {
    nodes: usize,
    shippers: usize,
    /// Of each shipper.
    files: usize,
    /// Lines a second of each file.
    rate: u64,
    seconds: u64,
    serves: usize,
    /// Of all servers together. Where there are many files each sees a hundredth of one; else everything.
    viewers: usize,
    /// Options of the shippers.
    more: &'static [&'static str],
}

impl Plan {
    fn run(&self, bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
        let Some(program) = installed(bench, scenario) else { return Ok(()) };
        let all_files = self.shippers * self.files;
        let lines = bench.options.scaled(self.seconds * self.rate).max(self.rate);
        for _ in 0..bench.options.rounds {
            let folder = tempfile::tempdir_in(bench.folder)?;
            let mut writer = write_many(folder.path(), all_files, lines, self.rate)?;
            let engine = Engine::start(&program, folder.path(), self.nodes)?;
            let ships: Vec<Process> = (0..self.shippers)
                .map(|at| {
                    let files = at * self.files..(at + 1) * self.files;
                    let mut ship = shipper(&engine, folder.path(), &format!("h{at}"), files);
                    Process::start(ship.args(self.more))
                })
                .collect::<Result<_>>()?;
            let source = format!("logs={}/logs.>", engine.url);
            let serves = (0..self.serves)
                .map(|_| {
                    let process = serve(Path::new(LOGCAST), &source)?;
                    let address = address_of(&process.line()?)?;
                    Ok((process, address))
                })
                .collect::<Result<Vec<(Process, SocketAddr)>>>()?;
            let requests: Vec<Request> =
                (0..self.viewers).map(|at| self.request(at, serves[at % self.serves].1)).collect();
            let mut load = Load::each(&requests, !self.is_filtered())?;
            load.settle(SETTLE * 10)?;
            let seconds = |processes: &mut dyn Iterator<Item = &Process>| {
                processes.map(Process::cpu_seconds).sum::<Result<f64>>()
            };
            let cpu = || -> Result<[f64; 3]> {
                Ok([
                    seconds(&mut ships.iter())?,
                    engine.cpu_seconds()?,
                    seconds(&mut serves.iter().map(|(process, _)| process))?,
                ])
            };
            let before = cpu()?;
            let due = if self.is_filtered() { lines / 100 } else { lines * all_files as u64 };
            let outcome = load.run(Until::Lines(due), QUIET * 2, DEADLINE, |_| writer.go())?;
            let after = cpu()?;
            ensure!(outcome.lines > 0, "no line came");
            let written = (all_files as u64 * lines) as f64;
            // What viewers get, and how late; the processor time below is for each line that was written.
            note(bench, scenario, SERVE, &outcome, after[2] - before[2]);
            for (at, name) in [SHIP, ENGINE, SERVE].into_iter().enumerate() {
                let spent = after[at] - before[at];
                bench.add(scenario, name, CPU_WRITTEN_NS, spent * 1e9 / written);
                bench.add(scenario, name, CPU_PERCENT, spent * 100.0 / outcome.elapsed.as_secs_f64());
            }
            let most = |processes: &[&Process]| -> Result<f64> {
                processes
                    .iter()
                    .map(|process| process.resident_kb())
                    .try_fold(0.0, |most: f64, kb| Ok(most.max(kb?)))
            };
            bench.add(scenario, SHIP, RESIDENT_MB, most(&ships.iter().collect::<Vec<_>>())? / 1e3);
            bench.add(
                scenario,
                SERVE,
                RESIDENT_MB,
                most(&serves.iter().map(|(own, _)| own).collect::<Vec<_>>())? / 1e3,
            );
        }
        Ok(())
    }

    fn is_filtered(&self) -> bool {
        self.shippers * self.files > 10
    }

    fn request(&self, at: usize, address: SocketAddr) -> Request {
        if !self.is_filtered() {
            let look = if self.files * self.shippers == 1 { Look::Clocks } else { Look::Times };
            return Request::events(address, "/stream-logs?lines=0", Shape::EVENT, look);
        }
        let file = at % (self.shippers * self.files);
        let host = file / self.files;
        // A line in a hundred: its number ends so. Text has no notices, whose lines would count.
        let target =
            format!("/stream-logs?lines=0&origin=h{host}:{}&syntax=regex&grep=%5E%5Cd%7B8%7D00", name(file));
        Request { accept: "text/plain", ..Request::events(address, &target, Shape::PLAIN, Look::Count) }
    }
}

fn installed(bench: &mut Bench<'_>, scenario: &str) -> Option<PathBuf> {
    let program = engine::program();
    if program.is_none() {
        bench.measures.skip(format!("{scenario}: there is no nats-server (tests/nats/install target/nats)"));
    }
    program
}

fn name(file: usize) -> String {
    format!("f{file:03}.log")
}

/// The writer of many files, ready to go.
fn write_many(folder: &Path, files: usize, lines: u64, rate: u64) -> Result<Process> {
    let folder = folder.to_str().context("a path in UTF-8")?;
    let writer =
        Process::role(&["write-many", folder, &files.to_string(), &lines.to_string(), &rate.to_string()])?;
    // It says that all files are there.
    writer.line()?;
    Ok(writer)
}

fn shipper(engine: &Engine, folder: &Path, host: &str, files: std::ops::Range<usize>) -> Command {
    let mut command = logcast(Path::new(LOGCAST));
    command.args(["ship", "--to", &engine.url, "--host-name", host, "--quiet"]);
    command.arg("--state").arg(folder.join(format!("state-{host}")));
    if engine.count() > 1 {
        command.args(["--replicas", "3"]);
    }
    command.args(files.map(|file| format!("{0}={1}", name(file), folder.join(name(file)).display())));
    command
}

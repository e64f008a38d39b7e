//! The scenarios. Each is measured in rounds, in each round every server in turn, each on a fresh log.

mod beside;
mod catch_up;
mod clients;
mod engine;
mod live;
mod paced;
mod start_up;

use crate::decode::Look;
use crate::load::{Load, Outcome, Until};
use crate::measures::{Measures, metric::*};
use crate::options::Options;
use crate::process::Process;
use crate::started::{Kind, Started};
use anyhow::{Context, Result};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// The longest of a single measurement.
const DEADLINE: Duration = Duration::from_secs(60);
/// Nothing for so long means that nothing more comes.
const QUIET: Duration = Duration::from_secs(2);
/// Between the seats and the first line.
const SETTLE: Duration = Duration::from_millis(150);

/// What every scenario gets.
pub(crate) struct Bench<'a> {
    pub(crate) options: &'a Options,
    pub(crate) folder: &'a Path,
    pub(crate) measures: Measures,
}

type Scenario = (&'static str, fn(&mut Bench<'_>, &str) -> Result<()>);

const SCENARIOS: &[Scenario] = &[
    ("live-1", |bench, name| live::run(bench, name, 1, 5_000_000)),
    ("live-10", |bench, name| live::run(bench, name, 10, 2_500_000)),
    ("live-100", |bench, name| live::run(bench, name, 100, 400_000)),
    ("live-1000", |bench, name| live::run(bench, name, 1000, 40_000)),
    ("catch-up-events", catch_up::events),
    ("catch-up-text", catch_up::text),
    ("latency", |bench, name| paced::run(bench, name, 1, 1_000)),
    ("many-1000", |bench, name| paced::run(bench, name, 1_000, 100)),
    ("many-5000", |bench, name| paced::run(bench, name, 5_000, 100)),
    ("stalled", clients::stalled),
    ("idle-1000", clients::idle_memory),
    ("idle-100", clients::idle_processor),
    ("beside-stalled", beside::stalled),
    ("beside-catch-up", beside::catch_up),
    ("start-up", start_up::run),
    ("others", live::others),
    ("engine-ship-1", |bench, name| engine::ship(bench, name, 1)),
    ("engine-ship-3", |bench, name| engine::ship(bench, name, 3)),
    ("engine-live-1", |bench, name| engine::live(bench, name, 1)),
    ("engine-live-100", |bench, name| engine::live(bench, name, 100)),
    ("engine-plan-hosts", engine::hosts),
    ("engine-plan-internet", engine::internet),
];

/// The names of all scenarios.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    SCENARIOS.iter().map(|(name, _)| *name)
}

/// Runs what was asked for.
pub(crate) fn run(options: &Options) -> Result<Measures> {
    let parent = options.folder.clone().unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::Builder::new().prefix("logcast-bench-").tempdir_in(parent)?;
    let mut bench = Bench { options, folder: folder.path(), measures: Measures::default() };
    let all: Vec<&str> = names().collect();
    for (name, scenario) in SCENARIOS {
        let wanted = options.wants(name, &all)
            && (*name != "others" || options.others)
            && (!name.starts_with("engine-") || options.engine);
        if wanted {
            let began = Instant::now();
            scenario(&mut bench, name).with_context(|| format!("in {name}"))?;
            eprintln!("{name}: {:.0} s", began.elapsed().as_secs_f64());
        }
    }
    Ok(bench.measures)
}

impl Bench<'_> {
    pub(crate) fn add(&mut self, scenario: &str, server: &str, metric: &str, value: f64) {
        self.measures.add(scenario, server, metric, value);
    }

    /// An empty log.
    pub(crate) fn log(&self) -> Result<Log> {
        let path = self.folder.join("app.log");
        std::fs::File::create(&path)?;
        Ok(Log(path))
    }

    /// A log with realistic lines, made once for all rounds.
    pub(crate) fn generated(&self, megabytes: u64) -> Result<PathBuf> {
        let path = self.folder.join(format!("generated-{megabytes}.log"));
        if !path.exists() {
            let status = std::process::Command::new(crate::started::LOGCAST)
                .args(["generate", "--quiet", "--style", "json", "--rate", "0", "--seed", "1"])
                .args(["--start", "2026-01-01T00:00:00Z", "--size", &format!("{megabytes}M")])
                .arg(&path)
                .status()?;
            anyhow::ensure!(status.success(), "cannot generate {megabytes} MB");
        }
        Ok(path)
    }
}

/// A log that is removed with this handle, before the system writes much of it to the disk.
pub(crate) struct Log(PathBuf);

impl Log {
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// A writer of it, ready to go.
    pub(crate) fn writer(&self, lines: u64, rate: u64) -> Result<Process> {
        let path = self.0.to_str().context("a path in UTF-8")?;
        let writer = Process::role(&["write", path, &lines.to_string(), &rate.to_string()])?;
        // It has opened the log when it reads; that takes a millisecond.
        std::thread::sleep(Duration::from_millis(20));
        Ok(writer)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// One run of a writer and live clients against a fresh server.
pub(crate) struct Live {
    pub(crate) outcome: Outcome,
    pub(crate) cpu_seconds: f64,
    pub(crate) started: Started,
    pub(crate) load: Load,
    _log: Log,
}

/// Starts a server, seats the clients, lets the writer go, and reads until all have all.
pub(crate) fn live(
    bench: &Bench<'_>,
    kind: &Kind,
    clients: usize,
    lines: u64,
    rate: u64,
    look: Look,
) -> Result<Live> {
    let log = bench.log()?;
    let started = Started::start(kind, log.path())?;
    let mut load = Load::open(clients, &started.live(look))?;
    load.settle(SETTLE)?;
    let (outcome, cpu_seconds) = written(&mut load, &started, &log, lines, rate)?;
    Ok(Live { outcome, cpu_seconds, started, load, _log: log })
}

/// Lets a writer go and reads until all clients have all.
pub(crate) fn written(
    load: &mut Load,
    started: &Started,
    log: &Log,
    lines: u64,
    rate: u64,
) -> Result<(Outcome, f64)> {
    let mut writer = log.writer(lines, rate)?;
    let before = started.process.cpu_seconds()?;
    let outcome = load.run(Until::Lines(lines), QUIET, DEADLINE, |_| writer.go())?;
    Ok((outcome, started.process.cpu_seconds()? - before))
}

/// What every live run tells.
pub(crate) fn note(bench: &mut Bench<'_>, scenario: &str, server: &str, outcome: &Outcome, cpu_seconds: f64) {
    let seconds = outcome.elapsed.as_secs_f64().max(1e-9);
    let lines = outcome.lines as f64;
    bench.add(scenario, server, SECONDS, seconds);
    bench.add(scenario, server, LINES_PER_S, lines / seconds);
    bench.add(scenario, server, MB_PER_S, outcome.bytes as f64 / 1e6 / seconds);
    bench.add(scenario, server, CPU_NS, cpu_seconds * 1e9 / lines.max(1.0));
    bench.add(scenario, server, LOST, outcome.lost as f64);
    bench.add(scenario, server, WRONG, (outcome.wrong + outcome.closed) as f64);
    if outcome.latencies.count() > 0 {
        for (metric, share) in [(P50, 0.5), (P99, 0.99), (P999, 0.999)] {
            bench.add(scenario, server, metric, outcome.latencies.quantile_ms(share));
        }
    }
}

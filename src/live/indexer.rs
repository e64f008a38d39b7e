//! The indexer: one thread for all sources that reads what was written before anybody asked for numbers of lines, or
//! for how many there were when.
//!
//! It reads nothing unasked: forty gigabytes of a production server are read because a page is open, and once.
//! Lines come first, times when all lines have numbers; sources take turns. It is nice, yields between blocks, holds
//! no lock while it reads, and ends within a block.

use super::feed::Hub;
use super::indexed::Work;
use super::source::Source;
use crate::log::segment::Segment;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The time between two looks while something is wished.
const TICK: Duration = Duration::from_secs(1);
/// How long the end waits for the last block.
const STOP_WAIT: Duration = Duration::from_millis(200);
/// The most sources that are counted by time at once: 10 MiB.
const MOST_TALLIES: usize = 64;

/// How much work is worth telling.
const SHOWN_BYTES: u64 = 64 << 20;

/// A running indexer; it ends when this is dropped.
#[derive(Debug)]
pub struct Handle {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        let until = Instant::now() + STOP_WAIT;
        if let Some(thread) = self.thread.take() {
            thread.thread().unpark();
            // A read that hangs on a dead network file system must not hold up the end.
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

/// Starts it; it sleeps until somebody wishes something.
///
/// # Errors
/// What the system says to a thread.
pub fn start(hub: Arc<Hub>, nice: i32) -> io::Result<Handle> {
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let worker = hub.indexer().clone();
    let thread = std::thread::Builder::new().name("index".to_owned()).spawn(move || {
        let thread = rustix::thread::gettid();
        let _ = rustix::process::setpriority_process(Some(thread), nice);
        run(&hub, &|| stopped.load(Ordering::Acquire));
    })?;
    // What was wished before the thread was known is found by the first look.
    let _ = worker.set(thread.thread().clone());
    thread.thread().unpark();
    Ok(Handle { stop, thread: Some(thread) })
}

fn run(hub: &Hub, stopped: &dyn Fn() -> bool) {
    let mut buf = Vec::new();
    while !stopped() {
        let sources = hub.sources();
        let (mut more, mut wished) = (false, false);
        for source in sources.iter().filter(|source| source.wants_lines()) {
            more |= source.number_lines(&mut buf, stopped) == Work::More;
            wished = true;
        }
        if !more {
            let reader = hub.reader();
            for source in counted(&sources) {
                more |= source.tally_lines(&reader, &mut buf, stopped) == Work::More;
                wished = true;
            }
            sources.iter().for_each(|source| source.expire_tally());
        }
        if more {
            continue;
        }
        buf = Vec::new();
        match wished {
            false => std::thread::park(),
            true => std::thread::park_timeout(TICK),
        }
    }
}

fn counted(sources: &[Arc<Source>]) -> impl Iterator<Item = &Arc<Source>> {
    sources.iter().filter(|source| source.wants_times()).take(MOST_TALLIES)
}

/// What it is at, and how much of that is done, in bytes; `None` if it has nothing to do.
pub fn progress(hub: &Hub) -> Option<(&'static str, u64, u64)> {
    let sources = hub.sources();
    let sum = |sources: &mut dyn Iterator<Item = &Arc<Source>>, passed: &dyn Fn(&Source, &Segment) -> u64| {
        let of = |source: &Arc<Source>| {
            let (segment, tip) = source.status().current?;
            let begin = segment.begin();
            let whole = tip.offset.saturating_sub(begin);
            Some((passed(source, &segment).saturating_sub(begin).min(whole), whole))
        };
        sources.filter_map(of).fold((0, 0), |sum, own| (sum.0 + own.0, sum.1 + own.1))
    };
    let mut wished = sources.iter().filter(|source| source.wants_lines());
    let lines = sum(&mut wished, &|source, segment| source.indexed(segment).0);
    let times = sum(&mut counted(&sources), &Source::tallied);
    // What comes at the tip is not worth a bar.
    [("numbering lines", lines), ("counting lines by time", times)]
        .into_iter()
        .find(|(_, (done, whole))| whole - done > SHOWN_BYTES)
        .map(|(what, (done, whole))| (what, done, whole))
}

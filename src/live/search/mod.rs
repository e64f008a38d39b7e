//! A search over the lives of sources: places or lines, as a stream of JSON records with progress on the way.
//!
//! It runs on a thread that may block, from the newest life back or from the oldest on. What it found goes out at once at
//! first and then every 20 ms; who reads slowly slows the search, and when nobody reads any more it ends
//! within a block. Bounds: hits by the request, time by ten minutes, memory by one block, one batch of records and
//! 512 counts; how many run at once is the caller's.

mod density;
mod records;

use super::feed::Hub;
use super::history::{History, LATE, Life, Named};
use super::source::Source;
use crate::log::cursor::Entry;
use crate::log::encode::json_string;
use crate::log::filter::Filter;
use crate::log::record::Reader;
use crate::log::said::Sayer;
use crate::log::search::{Found, Search};
use crate::log::seek::{SLACK_BYTES, first_at};
use crate::log::segment::Segment;
use density::Density;
use jiff::Timestamp;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long a search may take: a terabyte from the page cache.
const MAX_TIME: Duration = Duration::from_secs(600);
/// How often what was found is sent, and how often progress is told.
const FLUSH_EVERY: Duration = Duration::from_millis(20);
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// Of so many sources the siblings stay open for the next search.
const FEW_SOURCES: usize = 8;
/// How much is held before it is sent.
const BATCH_BYTES: usize = 64 << 10;

/// From where a search goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// From the newest line back.
    Newest,
    /// From the oldest line on.
    Oldest,
}

/// What is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Where lines are that match, and how many, up to the end.
    Find,
    /// The lines, up to the limit.
    Filter,
}

/// Where a search begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Begin {
    /// At an offset of a generation, the newest if none is named.
    Offset(u64, Option<Named>),
    /// At a cursor.
    Cursor(Entry),
}

/// What to look for.
#[derive(Debug)]
pub struct Query {
    /// Where, one after the other.
    pub sources: Vec<Arc<Source>>,
    /// For what.
    pub filter: Filter,
    /// In which direction.
    pub order: Order,
    /// What to tell.
    pub mode: Mode,
    /// How many lines or places are told; `None` for all.
    pub limit: Option<u64>,
    /// From where on, in a search of one source.
    pub from: Option<Begin>,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stopped {
    /// Nobody reads it any more.
    Gone,
    Limit,
    Time,
}

/// Runs a search. Records, each one line of JSON with its newline, go to `out`, which is false once nobody reads
/// them; an empty one only asks.
pub fn run(hub: &Hub, query: &Query, out: &mut dyn FnMut(Vec<u8>) -> bool) {
    let now = Instant::now();
    let mut running = Running {
        query,
        reader: hub.reader(),
        out,
        batch: Vec::new(),
        places: Vec::new(),
        told: 0,
        hits: 0,
        bytes: 0,
        of: 0,
        began: now,
        flushed: None,
        progressed: now,
        density: Density::default(),
    };
    // What is to come is known of a few sources; of many it is added as they come: to look at all of them at once would
    // open too many files.
    let few = query.sources.len() <= FEW_SOURCES;
    let size = |history: &History| (0..history.len()).map(|back| history.size(back)).sum::<u64>();
    if few {
        running.of = query.sources.iter().map(|source| size(&History::of(hub, source))).sum();
    }
    let mut stopped = None;
    for source in &query.sources {
        let history = History::of(hub, source);
        if !few {
            running.of += size(&history);
        }
        let flow = running.source(source, &history);
        if !few {
            history.close();
        }
        if let ControlFlow::Break(why) = flow {
            stopped = Some(why);
            break;
        }
    }
    let searches = &hub.searches;
    searches.searches.one();
    searches.bytes.add(running.bytes);
    searches.micros.add(running.began.elapsed().as_micros() as u64);
    running.end(stopped);
}

struct Running<'a> {
    query: &'a Query,
    reader: Reader,
    out: &'a mut dyn FnMut(Vec<u8>) -> bool,
    batch: Vec<u8>,
    /// Offsets that are not in the batch yet.
    places: Vec<u64>,
    /// How many lines or places were told.
    told: u64,
    hits: u64,
    bytes: u64,
    of: u64,
    began: Instant,
    flushed: Option<Instant>,
    progressed: Instant,
    density: Density,
}

/// Where one life is searched, and the words that name it.
struct Searched<'a> {
    file: &'a str,
    generation: &'a str,
    segment: &'a Segment,
}

impl Running<'_> {
    fn source(&mut self, source: &Arc<Source>, history: &History) -> ControlFlow<Stopped> {
        let file = json_string(&source.name);
        let begins = match self.query.from {
            None => None,
            Some(Begin::Cursor(entry)) => history.find(&entry).map(|(life, place)| (life.back, place.offset)),
            Some(Begin::Offset(offset, None)) => Some((0, offset)),
            Some(Begin::Offset(offset, Some(generation))) => {
                history.named(generation).map(|life| (life.back, offset))
            }
        };
        if self.query.from.is_some() && begins.is_none() {
            return self.gap(&file, "the place to begin at is gone");
        }
        let first = begins.map(|(back, _)| back);
        let newest_first = self.query.order == Order::Newest;
        let backs: Vec<usize> = match newest_first {
            true => (first.unwrap_or(0)..history.len()).collect(),
            false => (0..first.map_or(history.len(), |first| first + 1)).rev().collect(),
        };
        if history.unread() > 0 {
            self.gap(&file, &format!("{} rotated files cannot be read", history.unread()))?;
        }
        let spec = self.query.filter.spec();
        let (late, early) = (
            |time: Timestamp| time.saturating_add(LATE).unwrap_or(time),
            |time: Timestamp| time.saturating_sub(LATE).unwrap_or(time),
        );
        for back in backs {
            // What is known to lie wholly outside of the times is not opened; a newer life may begin a little before an
            // older one has ended.
            let first = history.first_time(back, &self.reader);
            let next = back.checked_sub(1).and_then(|newer| history.first_time(newer, &self.reader));
            let is_later = spec.until.is_some_and(|until| first.is_some_and(|first| first > late(until)));
            let is_older = spec.since.is_some_and(|since| next.is_some_and(|next| next <= early(since)));
            if is_later || is_older {
                self.of = self.of.saturating_sub(history.size(back));
                continue;
            }
            let estimate = history.size(back);
            let life = match history.life(back) {
                Ok(life) => life,
                Err(error) => {
                    self.of = self.of.saturating_sub(estimate);
                    self.gap(&file, &format!("cannot read an older generation: {error}"))?;
                    continue;
                }
            };
            let at = begins.filter(|&(own, _)| own == back).map(|(_, offset)| offset);
            match self.range(&life, at) {
                Ok((from, to)) => {
                    self.of = (self.of + to.saturating_sub(from)).saturating_sub(estimate);
                    self.life(&file, &life, from, to)?;
                    if life.is_broken {
                        self.gap(&file, "an archive is damaged: what can be read of it was searched")?;
                    }
                    history.release(back);
                }
                Err(error) => self.gap(&file, &format!("cannot read: {error}"))?,
            }
        }
        ControlFlow::Continue(())
    }

    /// The part of a life that can hold what is looked for.
    fn range(&self, life: &Life, at: Option<u64>) -> io::Result<(u64, u64)> {
        let (file, begin, end) = (life.segment.file(), life.segment.begin(), life.end.offset);
        let (mut from, mut to) = (begin, end);
        let spec = self.query.filter.spec();
        if let Some(since) = spec.since {
            let found = first_at(&file, begin, end, since, &self.reader)?;
            from = file.last_line_end(begin, found.saturating_sub(SLACK_BYTES).max(begin))?;
        }
        if let Some(until) = spec.until {
            let found = first_at(&file, begin, end, until, &self.reader)?;
            to = file.next_line_end((found + SLACK_BYTES).min(end), end)?.unwrap_or(end);
        }
        if let Some(at) = at {
            let at = if at >= end { end } else { file.last_line_end(begin, at.max(begin))? };
            match self.query.order {
                Order::Newest => to = to.min(at),
                Order::Oldest => from = from.max(at),
            }
        }
        Ok((from, to.max(from)))
    }

    fn life(&mut self, file: &str, life: &Life, from: u64, to: u64) -> ControlFlow<Stopped> {
        let (query, segment) = (self.query, &life.segment);
        let (log, begin) = (segment.file(), segment.begin());
        let place = Searched { file, generation: &life.name, segment };
        self.density = Density::of(begin, life.end.offset.max(begin));
        let reader = self.reader.clone();
        let mut sayer = Sayer::new(reader.clone());
        let naming = segment.naming();
        let naming = naming.as_deref();
        let search = Search { file: &log, begin, filter: &query.filter, reader: &reader, naming };
        let mut flow = ControlFlow::Continue(());
        let each = |found: Found<'_>| {
            flow = self.block(&place, found, &mut sayer);
            if flow.is_break() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let searched = match query.order {
            Order::Newest => search.backwards(from, to, each),
            Order::Oldest => search.forwards(from, to, each),
        };
        flow?;
        self.push_places(&place);
        self.push_density(&place);
        if let Err(error) = searched {
            return self.gap(file, &format!("the file was changed while it was searched: {error}"));
        }
        ControlFlow::Continue(())
    }

    fn block(&mut self, place: &Searched<'_>, found: Found<'_>, sayer: &mut Sayer) -> ControlFlow<Stopped> {
        self.bytes += found.to - found.from;
        let newest_first = self.query.order == Order::Newest;
        let count = found.kept.len();
        for n in 0..count {
            let kept = &found.kept[if newest_first { count - 1 - n } else { n }];
            self.hits += 1;
            let offset = found.offset_of(kept.start);
            if self.query.mode == Mode::Find {
                self.density.add(offset);
            }
            if self.query.limit.is_some_and(|limit| self.told >= limit) {
                continue;
            }
            self.told += 1;
            match self.query.mode {
                Mode::Find => self.places.push(offset),
                Mode::Filter => {
                    let (next, bytes) = (found.end_of(kept), &found.bytes[kept.clone()]);
                    self.line(place, (offset, next), (bytes, found.omitted), sayer);
                    if self.batch.len() >= BATCH_BYTES {
                        self.flush()?;
                    }
                    if self.query.limit == Some(self.told) {
                        return ControlFlow::Break(Stopped::Limit);
                    }
                }
            }
        }
        self.look_up(place)
    }

    /// Between two blocks: sends what is due, and ends what has gone on for too long.
    fn look_up(&mut self, place: &Searched<'_>) -> ControlFlow<Stopped> {
        if !(self.out)(Vec::new()) {
            return ControlFlow::Break(Stopped::Gone);
        }
        let now = Instant::now();
        let found = !self.batch.is_empty() || !self.places.is_empty();
        let due = self.flushed.is_none_or(|at| now - at >= FLUSH_EVERY);
        let progress = now - self.progressed >= PROGRESS_EVERY;
        if found && due || progress || self.places.len() * 8 >= BATCH_BYTES {
            self.push_places(place);
            if progress {
                self.push_density(place);
                self.push_progress();
                self.progressed = now;
            }
            self.flush()?;
        }
        if now - self.began > MAX_TIME {
            ControlFlow::Break(Stopped::Time)
        } else {
            ControlFlow::Continue(())
        }
    }

    fn flush(&mut self) -> ControlFlow<Stopped> {
        self.flushed = Some(Instant::now());
        match (self.out)(std::mem::take(&mut self.batch)) {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(Stopped::Gone),
        }
    }

    fn end(mut self, stopped: Option<Stopped>) {
        let stopped = match stopped {
            None => "",
            Some(Stopped::Gone) => return,
            Some(Stopped::Limit) => r#","stopped":"limit""#,
            Some(Stopped::Time) => r#","stopped":"time""#,
        };
        let (hits, bytes, seconds) = (self.hits, self.bytes, self.began.elapsed().as_secs_f64());
        let _ = writeln!(
            self.batch,
            r#"{{"done":true,"hits":{hits},"bytes":{bytes},"seconds":{seconds:.3}{stopped}}}"#
        );
        let _ = self.flush();
    }
}

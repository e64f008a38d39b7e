//! How many lines of a source there were when: exact where that is cheap or made already, else a sample.
//!
//! A part of few bytes is counted at once. For more the [indexer](super::indexer) makes a table, which answers once it
//! has passed, brought up to the tip; until then, and where its buckets are wider than those asked for, a sample
//! answers. The places of times in a file are found by bisection, with some room for lines out of order. Without a
//! beginning it is the newest life that is counted, else older ones too, back to it. Everything here blocks.

use super::feed::Hub;
use super::history::{History, LATE, Life};
use super::source::Source;
use crate::log::record::Reader;
use crate::log::sample::{by_place as places, is_counted, pass, sample};
use crate::log::seek::{SLACK_BYTES, first_at};
use crate::log::tally::{COLUMNS, Histogram, Stretch, Tally, range};
use jiff::Timestamp;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How much is counted at once: a fifth of a second.
const DIRECT_BYTES: u64 = 64 << 20;
/// From how much on it is worth making a table.
const TABLE_BYTES: u64 = 4 << 20;
/// How far back in the rotated set, and for how long, unless nothing was counted yet.
const MOST_LIVES: usize = 16;
const MOST_TIME: Duration = Duration::from_secs(2);

/// What is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Where it begins; if nobody says, with the newest life.
    pub since: Option<Timestamp>,
    /// Where it ends, exclusive; if nobody says, with the last line.
    pub until: Option<Timestamp>,
    /// The most buckets.
    pub buckets: usize,
}

/// What is counted so far.
#[derive(Debug)]
struct Counting<'a> {
    source: &'a Source,
    reader: Reader,
    asked: Asked,
    stretches: Vec<Stretch>,
    /// How wide the widest bucket of a tally is.
    unit: i64,
    exact: bool,
    /// How much may still be counted at once.
    budget: u64,
}

/// The histogram, and whether it is exact; `None` if no line has a time.
///
/// # Errors
/// What the system says.
pub fn histogram(hub: &Hub, source: &Arc<Source>, asked: Asked) -> io::Result<(Option<Histogram>, bool)> {
    let began = Instant::now();
    let history = History::of(hub, source);
    let mut counting = Counting {
        source,
        reader: hub.reader(),
        asked,
        stretches: Vec::new(),
        unit: 1,
        exact: true,
        budget: DIRECT_BYTES,
    };
    let mut back = 0;
    loop {
        match history.life(back).and_then(|life| counting.life(&life)) {
            // An older one may go while it is read, or not be readable.
            Err(_) if back > 0 => counting.exact = false,
            other => other?,
        }
        let Some(since) = asked.since else { break };
        // An older life may have lines that were written a little later than the first ones of a newer one.
        let early = since.saturating_sub(LATE).unwrap_or(since);
        let reaches = |first: Timestamp| first <= early;
        back += 1;
        if history.first_time(back - 1, &counting.reader).is_some_and(reaches) || back == history.len() {
            break;
        }
        if back == MOST_LIVES || began.elapsed() > MOST_TIME {
            counting.exact = false;
            break;
        }
    }
    Ok(counting.result())
}

/// Lines by level along the bytes of the newest life: where it begins, how many bytes a bucket has, and the counts.
///
/// # Errors
/// What the system says.
pub fn by_place(hub: &Hub, source: &Arc<Source>, buckets: usize) -> io::Result<Places> {
    let life = History::of(hub, source).life(0)?;
    let (from, to) = (life.segment.begin(), life.end.offset);
    let bucket = (to - from).div_ceil(buckets as u64).max(1);
    let counts = places(&life.segment.file(), from, to, &hub.reader(), bucket)?;
    Ok(Places { from, bucket, counts, exact: is_counted(from, to) })
}

/// Lines by level along a file.
#[derive(Debug)]
pub struct Places {
    /// The offset at which they begin.
    pub from: u64,
    /// How many bytes a bucket has.
    pub bucket: u64,
    /// Lines by column of each bucket.
    pub counts: Vec<[u64; COLUMNS]>,
    /// Whether they were counted, and not taken from a sample.
    pub exact: bool,
}

impl Counting<'_> {
    fn bounds(&self) -> (i64, i64) {
        let since = self.asked.since.map_or(i64::MIN, |time| time.as_millisecond());
        (since, self.asked.until.map_or(i64::MAX, |time| time.as_millisecond()))
    }

    fn life(&mut self, life: &Life) -> io::Result<()> {
        let (from, to) = self.part(life)?;
        if to <= from {
            return Ok(());
        }
        let current = life.back == 0;
        if current && to - from > TABLE_BYTES {
            self.source.want_times();
        }
        let file = life.segment.file();
        let end = life.end.offset;
        if current
            && let Some((mut tally, passed)) = self.source.tally(&life.segment)
            && self.fits(&tally)
            && end.saturating_sub(passed) <= self.budget.min(to - from)
        {
            self.count(life, (passed, end), &mut tally)?;
        } else if to - from <= self.budget {
            let (since, until) = self.bounds();
            self.count(life, (from, to), &mut Tally::within(since, until))?;
        } else {
            self.stretches.extend(sample(&file, from, to, &self.reader)?);
            self.exact = false;
        }
        Ok(())
    }

    fn count(&mut self, life: &Life, (from, to): (u64, u64), tally: &mut Tally) -> io::Result<()> {
        if from < to {
            let mut buf = Vec::new();
            pass(&life.segment.file(), (from, to), u64::MAX, &self.reader, tally, &mut buf)?;
            self.budget -= to - from;
        }
        self.unit = self.unit.max(tally.width());
        self.stretches.extend(tally.stretches());
        Ok(())
    }

    /// Whether a table's buckets are no wider than those asked for.
    fn fits(&self, tally: &Tally) -> bool {
        let Some((from, to)) = self.shown(&tally.stretches()) else { return false };
        let narrow = self.asked.since.is_some() || self.asked.until.is_some();
        !narrow || tally.width().saturating_mul(self.asked.buckets as i64) <= to - from
    }

    /// The part of a life that may hold lines of the time asked for.
    fn part(&self, life: &Life) -> io::Result<(u64, u64)> {
        let (file, begin, end) = (life.segment.file(), life.segment.begin(), life.end.offset);
        let mut part = (begin, end);
        if let Some(since) = self.asked.since {
            let found = first_at(&file, begin, end, since, &self.reader)?;
            let early = found.saturating_sub(SLACK_BYTES).max(begin);
            part.0 = if early == begin { begin } else { file.next_line_end(early, found)?.unwrap_or(found) };
        }
        if let Some(until) = self.asked.until {
            let found = first_at(&file, part.0, end, until, &self.reader)?;
            let late = found.saturating_add(SLACK_BYTES).min(end);
            part.1 = if late == end { end } else { file.next_line_end(late, end)?.unwrap_or(end) };
        }
        Ok(part)
    }

    /// The time that is shown.
    fn shown(&self, stretches: &[Stretch]) -> Option<(i64, i64)> {
        let (since, until) = self.bounds();
        let found = range(stretches, Timestamp::now().as_millisecond());
        match (found, self.asked.since, self.asked.until) {
            (_, Some(_), Some(_)) => Some((since, until)),
            (None, ..) => None,
            (Some((from, to)), None, None) => Some((from, to)),
            (Some((_, to)), Some(_), None) => Some((since, to.max(since))),
            (Some((from, _)), None, Some(_)) => Some((from.min(until), until)),
        }
    }

    fn result(self) -> (Option<Histogram>, bool) {
        let shown = self.shown(&self.stretches);
        let made = shown.map(|shown| Histogram::of(&self.stretches, shown, self.asked.buckets, self.unit));
        (made, self.exact)
    }
}

//! What a client without a cursor gets first: the last lines of each file, or those from a line or a time on.
//!
//! With a filter the lines that it keeps are counted; a backward look for them stops after 256 MiB, any look after ten
//! seconds, and says so. The last lines and those since a time reach back into rotated siblings, which the client then reads like a file that
//! was rotated away under it. Everything here blocks.

use super::archive::Archive;
use super::feed::Hub;
use super::history::LATE;
use super::resume::Gap;
use super::source::Source;
use super::vector::{Stand, Vector};
use super::view::ViewKey;
use crate::log::filter::Filter;
use crate::log::record::Reader;
use crate::log::search::Search;
use crate::log::seek::{SLACK_BYTES, first_at, first_time};
use crate::log::segment::{Place, Segment};
use jiff::Timestamp;
use std::io;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How far back a filter looks for the last lines, in bytes of all lives of a file.
const MAX_SCAN: u64 = 256 << 20;
/// How long any look for a line takes: some patterns are a hundred times slower than others, and some files are long.
const MAX_TIME: Duration = Duration::from_secs(10);

/// What a client without a cursor gets first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Backlog {
    /// The last lines of each file.
    Last(u64),
    /// From this line of the current generation on, the first being 1.
    From(u64),
    /// The current generation; with a time from which on lines are wanted, all since then.
    All,
}

/// The vector from which a backlog begins, and what must be said about it; `tip` is where the view stands.
pub(super) fn begin(hub: &Hub, key: &ViewKey, tip: &Vector, backlog: Backlog) -> (Vector, Vec<Gap>) {
    let (mut vector, mut gaps) = (Vector::default(), Vec::new());
    let sources = hub.sources();
    let reader = hub.reader();
    let until = Instant::now() + MAX_TIME;
    let filter = key.filter.as_ref();
    for id in tip.sources() {
        let open: Vec<_> = tip.of(id).cloned().collect();
        let (Some(source), false) = (sources.get(id), open.is_empty()) else {
            for stand in tip.stands().iter().filter(|stand| stand.source == id) {
                vector.push(stand.clone());
            }
            continue;
        };
        let look = Look { hub, source, open: &open, filter, reader: &reader, until };
        let since = filter.and_then(|filter| filter.spec().since);
        let stands = match (backlog, since) {
            (Backlog::Last(count), _) => look.last(count, since, &mut gaps),
            (Backlog::All, Some(since)) => look.since(since),
            (Backlog::All | Backlog::From(_), _) => look.current(backlog, &mut gaps),
        };
        for (segment, place) in stands {
            vector.push(Stand::at(segment, place));
        }
    }
    (vector, gaps)
}

/// Where a view ends that wants nothing from a time on: there is no need to read to the tip.
pub(super) fn end(hub: &Hub, tip: &Vector, until: Timestamp) -> Vector {
    let (mut vector, reader) = (Vector::default(), hub.reader());
    for stand in tip.stands() {
        let mut stand = stand.clone();
        if let Some((segment, place)) = &mut stand.at
            && let Ok(found) = place_of(segment, *place, until, SLACK_BYTES as i64, &reader)
        {
            *place = found;
        }
        vector.push(stand);
    }
    vector
}

type Stands = Vec<(Arc<Segment>, Place)>;

/// One source's lives, and what is looked for in them.
struct Look<'a> {
    hub: &'a Hub,
    source: &'a Source,
    /// Older first, with the view's places.
    open: &'a [(Arc<Segment>, Place)],
    filter: Option<&'a Filter>,
    reader: &'a Reader,
    /// When it gives up.
    until: Instant,
}

impl Look<'_> {
    fn is_late(&self) -> bool {
        Instant::now() >= self.until
    }

    fn gave_up(&self, reason: &str) -> Gap {
        Gap { source: Some(self.source.id), reason: reason.to_owned() }
    }

    /// From a line of the current generation, or all of it; nothing of what is about to end.
    fn current(&self, backlog: Backlog, gaps: &mut Vec<Gap>) -> Stands {
        let mut stands = self.open.to_vec();
        if let Some((segment, place)) = stands.last_mut() {
            *place = match backlog {
                Backlog::From(line) => self.line(segment, *place, line, gaps).unwrap_or(*place),
                _ => segment.oldest(),
            };
        }
        stands
    }

    /// The last lines, as far back as there are any.
    fn last(&self, count: u64, since: Option<Timestamp>, gaps: &mut Vec<Gap>) -> Stands {
        let (mut missing, mut budget) = (count, MAX_SCAN);
        let mut stands = Stands::new();
        for (segment, end) in self.open.iter().rev() {
            let from = self.last_in(segment, *end, &mut missing, &mut budget, since);
            stands.insert(0, (segment.clone(), from.unwrap_or(*end)));
        }
        if missing > 0 && budget > 0 && self.hub.shows_history() {
            let mut archive = Archive::of(self.source, self.open);
            for at in archive.siblings() {
                let (segment, end) = match archive.older(at) {
                    Ok(older) => older,
                    Err(error) => {
                        let reason = format!("an older generation cannot be read: {error}");
                        gaps.push(Gap { source: Some(self.source.id), reason });
                        continue;
                    }
                };
                let Ok(from) = self.last_in(&segment, end, &mut missing, &mut budget, since) else { break };
                // It leads on to what is open.
                if from != end {
                    stands = vec![(segment, from)];
                }
                if missing == 0 || budget == 0 {
                    break;
                }
            }
        }
        if missing > 0 && budget == 0 {
            gaps.push(self.gave_up(match self.is_late() {
                true => "the search for older lines took too long",
                false => "the lines before the last 256 MiB were not searched",
            }));
        }
        stands
    }

    /// Where the last lines of one life begin, and how many are still missing.
    fn last_in(
        &self,
        segment: &Segment,
        end: Place,
        missing: &mut u64,
        budget: &mut u64,
        since: Option<Timestamp>,
    ) -> io::Result<Place> {
        if *missing == 0 {
            return Ok(end);
        }
        let (file, begin) = (segment.file(), segment.begin());
        let Some(filter) = self.filter else {
            let (offset, found) = file.last_lines(begin, end.offset, *missing)?;
            *missing -= found.min(*missing);
            return place(segment, end, offset);
        };
        let floor = match since {
            Some(since) => place_of(segment, end, since, -(SLACK_BYTES as i64), self.reader)?.offset,
            None => begin,
        };
        let naming = segment.naming();
        let search = Search { file: &file, begin, filter, reader: self.reader, naming: naming.as_deref() };
        let mut from = end.offset;
        search.backwards(floor, end.offset, |found| {
            for kept in found.kept.iter().rev() {
                from = found.offset_of(kept.start);
                *missing -= 1;
                if *missing == 0 {
                    return ControlFlow::Break(());
                }
            }
            *budget = budget.saturating_sub(found.to - found.from);
            if self.is_late() {
                *budget = 0;
            }
            if *budget == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if floor > begin {
            // What is older than the time is in older lives as well.
            *missing = 0;
        }
        place(segment, end, from)
    }

    /// All since a time, as far back as there is any.
    fn since(&self, since: Timestamp) -> Stands {
        let at = |segment: &Segment, end| place_of(segment, end, since, -(SLACK_BYTES as i64), self.reader);
        let older = |segment: &Segment, end: Place| {
            let first = first_time(&segment.file(), segment.begin(), end.offset, self.reader);
            // Its first lines may be older than the last ones of the life before.
            let early = since.saturating_sub(LATE).unwrap_or(since);
            first.is_ok_and(|first| first.is_some_and(|first| first < early))
        };
        let mut stands = Stands::new();
        for (segment, end) in self.open.iter().rev() {
            stands.insert(0, (segment.clone(), at(segment, *end).unwrap_or(*end)));
        }
        let reaches = self.open.first().is_some_and(|(segment, end)| older(segment, *end));
        if !reaches && self.hub.shows_history() {
            let mut archive = Archive::of(self.source, self.open);
            for sibling in archive.siblings() {
                let Ok((segment, end)) = archive.older(sibling) else { continue };
                let Ok(from) = at(&segment, end) else { break };
                let reaches = older(&segment, end);
                if from != end {
                    stands = vec![(segment, from)];
                }
                if reaches {
                    break;
                }
            }
        }
        stands
    }

    /// Where a line of a generation begins, the first being 1; with a filter the lines that it keeps count.
    ///
    /// What is not found in time is not there.
    fn line(&self, segment: &Segment, end: Place, line: u64, gaps: &mut Vec<Gap>) -> io::Result<Place> {
        let mut missing = line.saturating_sub(1);
        if missing == 0 {
            return Ok(segment.oldest());
        }
        let (file, begin) = (segment.file(), segment.begin());
        let mut offset = end.offset;
        let late = "the line was not reached in time";
        if let Some(filter) = self.filter {
            let naming = segment.naming();
            let search =
                Search { file: &file, begin, filter, reader: self.reader, naming: naming.as_deref() };
            search.forwards(begin, end.offset, |found| match found.kept.get(missing as usize) {
                Some(kept) => {
                    offset = found.offset_of(kept.start);
                    ControlFlow::Break(())
                }
                None if self.is_late() => {
                    gaps.push(self.gave_up(late));
                    ControlFlow::Break(())
                }
                None => {
                    missing -= found.kept.len() as u64;
                    ControlFlow::Continue(())
                }
            })?;
            return place(segment, end, offset);
        }
        let mut at = begin;
        let mut buf = vec![0; 256 << 10];
        while at < end.offset {
            let want = (end.offset - at).min(buf.len() as u64) as usize;
            let n = file.read_at(&mut buf[..want], at)?;
            if n == 0 {
                break;
            }
            if self.is_late() {
                gaps.push(self.gave_up(late));
                break;
            }
            let count = memchr::memchr_iter(b'\n', &buf[..n]).count() as u64;
            if count >= missing {
                let newline = memchr::memchr_iter(b'\n', &buf[..n]).nth(missing as usize - 1);
                offset = at + newline.unwrap_or(n - 1) as u64 + 1;
                break;
            }
            missing -= count;
            at += n as u64;
        }
        place(segment, end, offset)
    }
}

/// The place at an offset that is a line's end.
fn place(segment: &Segment, end: Place, offset: u64) -> io::Result<Place> {
    if offset >= end.offset {
        return Ok(end);
    }
    if offset <= segment.begin() {
        return Ok(segment.oldest());
    }
    Ok(Place { offset, check: segment.file().check_before(segment.begin(), offset)? })
}

/// The place of a time, and some bytes more or less: lines may be a little out of order.
fn place_of(
    segment: &Segment,
    end: Place,
    time: Timestamp,
    slack: i64,
    reader: &Reader,
) -> io::Result<Place> {
    let (file, begin) = (segment.file(), segment.begin());
    let found = first_at(&file, begin, end.offset, time, reader)?;
    let offset = match slack < 0 {
        true => file.last_line_end(begin, found.saturating_add_signed(slack).max(begin))?,
        false => file
            .next_line_end(found.saturating_add_signed(slack).min(end.offset), end.offset)?
            .unwrap_or(end.offset),
    };
    place(segment, end, offset)
}

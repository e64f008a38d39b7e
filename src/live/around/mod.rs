//! Whole lines around a place of a source, whichever life of it holds them. Everything here blocks.
//!
//! Bounds: [`MAX_LINES`] lines and [`MAX_BYTES`] of them in one answer; with a filter at most 256 MiB are searched
//! in each direction, and the answer says how far that came.

mod kept;

use super::feed::Hub;
use super::history::{History, Life, Named};
use super::indexed::Where;
use super::source::Source;
use crate::log::cursor::{Cursor, Entry};
use crate::log::filter::Filter;
use crate::log::lines::{self, LINE_LIMIT};
use crate::log::logfile::LogFile;
use crate::log::map::Map;
use crate::log::record::Inherited;
use crate::log::segment::Place;
use crate::log::shown::Shown;
use jiff::Timestamp;
use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// The most lines of one answer.
pub const MAX_LINES: u64 = 2_000;
/// The most bytes of one answer.
pub const MAX_BYTES: u64 = 1 << 20;
/// How far a filter looks in each direction.
const MAX_SCAN: u64 = 256 << 20;
/// How long it looks: some patterns are a hundred times slower than others.
const MAX_TIME: Duration = Duration::from_secs(5);
/// How much of an unfinished last line is shown.
const PARTIAL_BYTES: u64 = 8 << 10;

/// A place as a request names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum At {
    /// Bytes from the generation's start.
    Offset(u64),
    /// Behind a cursor.
    Cursor(Entry),
    /// The end of the life that is older than the one a cursor lies in.
    Older(Entry),
    /// The beginning of the life that is newer than the one a cursor lies in.
    Newer(Entry),
    /// A part of the generation, 0 to 1.
    Share(f64),
    /// A line by its number, the first being 1.
    Line(u64),
    /// The first line that was written then or later.
    Time(Timestamp),
    /// The end of the last line.
    End,
}

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Where.
    pub at: At,
    /// How many lines before it.
    pub before: u64,
    /// How many lines from it on.
    pub after: u64,
    /// In which generation, if not in the newest or the one that the place names.
    pub generation: Option<Named>,
    /// Which lines count.
    pub filter: Option<Filter>,
    /// Whether the level and the time of each line's record are wanted.
    pub said: bool,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum Refused {
    /// The generation or the cursor's place is gone, or there is no older or newer life.
    Gone,
    /// The index has not passed the line yet.
    NotIndexed,
    /// What the system says.
    Io(io::Error),
}

impl From<io::Error> for Refused {
    fn from(error: io::Error) -> Refused {
        match error.kind() {
            io::ErrorKind::NotFound => Refused::Gone,
            _ => Refused::Io(error),
        }
    }
}

/// One line of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its offset.
    pub offset: u64,
    /// Just past it.
    pub next: u64,
    /// Where its bytes are in the answer's: from, and how many, newline included.
    pub bytes: Range<usize>,
    /// How many of its bytes are left out.
    pub omitted: u64,
    /// What holds for its record, as far as it was asked for.
    pub said: Inherited,
}

/// Whole lines around a place.
#[derive(Debug)]
pub struct Around {
    /// The life that they are in.
    pub life: Life,
    /// The bytes of the lines.
    pub bytes: Vec<u8>,
    /// Where each line is; without a filter they are all those from `from` to `to`.
    pub lines: Vec<Placed>,
    /// Whether this is one line that is longer than an answer, and only its beginning.
    pub is_cut: bool,
    /// Where the first line begins; with a filter, where the search began.
    pub from: u64,
    /// Just past the last line; with a filter, how far the search came.
    pub to: u64,
    /// The place that was asked for.
    pub at: u64,
    /// With a filter: whether the search stopped for its bounds.
    pub more: bool,
    /// The number of the first line, where the index knows it.
    pub line: Option<u64>,
    /// The cursor of `to`.
    pub cursor: String,
    /// Whether an older life goes before `from`, and a newer one follows `to`.
    pub older: bool,
    /// See `older`.
    pub newer: bool,
    /// What there is of an unfinished last line.
    pub partial: Option<String>,
}

/// Reads the lines around a place.
///
/// # Errors
/// See [`Refused`].
pub fn around(hub: &Hub, source: &Arc<Source>, wanted: &Wanted) -> Result<Around, Refused> {
    let history = History::of(hub, source);
    let (life, at) = find(hub, source, &history, wanted)?;
    let segment = life.segment.clone();
    let (file, begin, end) = (segment.file(), segment.begin(), life.end.offset);
    // A line is addressed by any of its bytes; the end of the last line is no byte of it.
    let at = match at.clamp(begin, end.max(begin)) {
        at if at >= end => end,
        at => file.last_line_end(begin, at)?,
    };
    let mut found = match &wanted.filter {
        None => plain(&file, begin, end, at, wanted)?,
        Some(filter) => kept::filtered(hub, (&segment, &file), end, at, wanted, filter)?,
    };
    if wanted.filter.is_none() {
        show(&file, begin, &mut found)?;
        found.lines = placed(&found);
    }
    if wanted.said {
        kept::say(&file, begin, &hub.reader(), &mut found)?;
    }
    let check = file.check_before(begin, found.to)?;
    let entry = segment.entry(Place { offset: found.to, check });
    let unfinished = found.to == end && segment.end().is_none();
    found.partial = unfinished.then(|| partial(&file, begin, end)).flatten();
    Ok(Around {
        bytes: found.bytes,
        line: found.lines.first().and_then(|line| source.line_of(&segment, line.offset)),
        lines: found.lines,
        is_cut: found.omitted.is_some(),
        from: found.from,
        to: found.to,
        at,
        more: found.more,
        cursor: Cursor { entries: vec![entry], partial: false }.to_text(),
        older: found.from <= begin && life.back + 1 < history.len(),
        newer: found.to >= end && life.back > 0,
        partial: found.partial,
        life,
    })
}

/// The life and the offset that a request means.
fn find(hub: &Hub, source: &Source, history: &History, wanted: &Wanted) -> Result<(Life, u64), Refused> {
    let proved = |entry: &Entry| history.find(entry).ok_or(Refused::Gone);
    let life = || match wanted.generation {
        Some(named) => history.named(named).ok_or(Refused::Gone),
        None => Ok(history.life(0)?),
    };
    Ok(match wanted.at {
        At::Cursor(entry) => {
            let (life, place) = proved(&entry)?;
            (life, place.offset)
        }
        At::Older(entry) => {
            let mut back = proved(&entry)?.0.back + 1;
            let older = loop {
                match history.life(back) {
                    // One that cannot be read does not hide those that are older.
                    Err(_) if back + 1 < history.len() => back += 1,
                    life => break life?,
                }
            };
            let end = older.end.offset;
            (older, end)
        }
        At::Newer(entry) => {
            let mut back = proved(&entry)?.0.back.checked_sub(1).ok_or(Refused::Gone)?;
            let newer = loop {
                match history.life(back) {
                    Err(_) if back > 0 => back -= 1,
                    life => break life?,
                }
            };
            let begin = newer.segment.begin();
            (newer, begin)
        }
        At::Time(time) => history.at_time(time, &hub.reader())?,
        At::Offset(offset) => (life()?, offset),
        At::End => (life()?, u64::MAX),
        At::Share(share) => {
            let life = life()?;
            let (begin, end) = (life.segment.begin(), life.end.offset);
            let at = begin + ((end - begin) as f64 * share) as u64;
            (life, at)
        }
        At::Line(number) => {
            let life = life()?;
            let offset = line(source, &life, number)?;
            (life, offset)
        }
    })
}

/// Where a line begins: known of the newest life only, as far as the index has passed.
fn line(source: &Source, life: &Life, number: u64) -> Result<u64, Refused> {
    source.want_lines();
    match source.offset_of(&life.segment, number) {
        Where::At(offset) => Ok(offset),
        Where::Unknown => Err(Refused::NotIndexed),
        Where::Beyond => Ok(u64::MAX),
    }
}

/// The lines that were read.
#[derive(Debug, Default)]
struct Read {
    bytes: Vec<u8>,
    lines: Vec<Placed>,
    omitted: Option<u64>,
    from: u64,
    to: u64,
    more: bool,
    partial: Option<String>,
    /// Where the lines are in the file, if they are not as long there.
    map: Map,
}

/// Makes of lines that were read what is shown of them.
fn show(file: &LogFile, begin: u64, read: &mut Read) -> io::Result<()> {
    let from = read.from;
    if let Some(omitted) = read.omitted {
        let end = from + read.bytes.len() as u64 + omitted;
        read.bytes = file.shown_long(begin, (from, end), &read.bytes)?.into_owned();
    } else {
        let shown = file.shown(begin, from, &read.bytes)?;
        if let Shown { bytes: Cow::Owned(bytes), map } = shown {
            (read.bytes, read.map) = (bytes, map);
        }
    }
    Ok(())
}

fn plain(file: &LogFile, begin: u64, end: u64, at: u64, wanted: &Wanted) -> io::Result<Read> {
    let (before, after) = (wanted.before, wanted.after);
    let mut from = match before {
        0 => at,
        _ => file.last_lines(begin, at, before)?.0.max(first_line_after(file, begin, at)?),
    };
    let mut to = at;
    let mut missing = after;
    if from == at && before > 0 && at > begin {
        // The line before is longer than an answer: it is one of its own.
        from = file.last_line_end(begin, at - 1)?;
        missing = 0;
    }
    let limit = end.min(from + MAX_BYTES);
    let mut buf = vec![0; 64 << 10];
    'blocks: while missing > 0 && to < limit {
        let mut seen = to;
        let want = (limit - seen).min(buf.len() as u64) as usize;
        let n = file.read_at(&mut buf[..want], seen)?;
        for newline in memchr::memchr_iter(b'\n', &buf[..n]) {
            to = seen + newline as u64 + 1;
            missing -= 1;
            if missing == 0 {
                break 'blocks;
            }
        }
        seen += n as u64;
        if n == 0 {
            break;
        }
        // A line longer than the buffer: look on for its end. The last one of an ended life may have none.
        if memchr::memchr(b'\n', &buf[..n]).is_none() {
            to = file.next_line_end(seen, end)?.unwrap_or(end);
            missing -= 1;
        }
    }
    let mut omitted = None;
    let mut want = to - from;
    if want > MAX_BYTES {
        let first = file.next_line_end(from, to)?.unwrap_or(to);
        if first - from > MAX_BYTES {
            (to, want) = (first, LINE_LIMIT as u64);
            omitted = Some(first - 1 - from - want);
        } else {
            to = file.last_line_end(from, from + MAX_BYTES)?;
            want = to - from;
        }
    }
    let mut bytes = vec![0; want as usize];
    let n = file.read_at(&mut bytes, from)?;
    bytes.truncate(n);
    if omitted.is_none() {
        to = from + n as u64;
    }
    Ok(Read { bytes, omitted, from, to, ..Read::default() })
}

/// All lines of what was read without a filter.
fn placed(read: &Read) -> Vec<Placed> {
    let line = |line: lines::Line<'_>| Placed {
        offset: read.from + read.map.raw(line.from as u64),
        next: if read.omitted.is_some() { read.to } else { read.from + read.map.raw(line.to as u64) },
        bytes: line.from..line.to,
        omitted: read.omitted.unwrap_or(0),
        said: Inherited::default(),
    };
    lines::lines(&read.bytes).map(line).collect()
}

/// The first whole line within the answer's bytes before `at`.
fn first_line_after(file: &LogFile, begin: u64, at: u64) -> io::Result<u64> {
    let floor = at.saturating_sub(MAX_BYTES);
    if floor <= begin {
        return Ok(begin);
    }
    Ok(file.next_line_end(floor, at)?.unwrap_or(at))
}

/// What stands behind the last complete line.
fn partial(file: &LogFile, begin: u64, end: u64) -> Option<String> {
    let size = file.size().ok().filter(|&size| size > end)?;
    let mut rest = vec![0; (size - end).min(PARTIAL_BYTES) as usize];
    let n = file.read_at(&mut rest, end).ok()?;
    let text = file.shown_unfinished(begin, end, &rest[..n])?;
    // Behind a newline's first byte stands its second.
    let is_half = text.is_empty() && file.wide_at(end).is_some();
    (!is_half).then(|| lines::text(&text).into_owned())
}

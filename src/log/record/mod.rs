//! What a line says about itself: its time, its level, and what kind of line it is.
//!
//! Promise: never an allocation, never more than [`HEAD_BYTES`] of a plain line or the first few KiB of a JSON line
//! looked at, and no reading that the line does not show: where formats contradict each other, nothing is said.
//! A line without level and without time belongs to the one above; who reads lines in order carries that on with
//! [`Inherited`]. No clock is asked: what time it is and which zone is meant come with [`Options`].

mod fields;
mod level;
mod locate;
mod logfmt;
mod scan;
mod stamp;
mod trace;
mod words;
mod zone;

use super::lines::strip_cr;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use memchr::{memchr, memrchr};

pub use level::Level;

/// How much of a line is looked at, unless it is JSON or an access log's.
pub const HEAD_BYTES: usize = 256;

/// What shape a line has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// One JSON object.
    Json,
    /// Pairs `key=value`, perhaps after a time.
    Logfmt,
    /// Text.
    Plain,
    /// More of the record above: a stack trace, an indented line.
    Continuation,
}

/// What one line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record {
    /// When it was written.
    pub time: Option<Timestamp>,
    /// How bad it is.
    pub level: Option<Level>,
    /// Its shape.
    pub kind: Kind,
}

/// What a line does not say.
#[derive(Debug, Clone)]
pub struct Options {
    /// What time it is: a date without a year is the latest that is not in the future (a day of grace is given,
    /// since clocks and zones differ).
    pub now: Timestamp,
    /// The zone of times that do not name one.
    pub zone: TimeZone,
}

/// Reads lines.
#[derive(Debug, Clone)]
pub struct Reader {
    zone: zone::Zone,
}

/// Which parts of a line are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Want {
    /// When it was written.
    pub time: bool,
    /// How bad it is.
    pub level: bool,
}

impl Reader {
    /// A reader of lines as they are written now and in this zone.
    pub fn new(options: &Options) -> Reader {
        Reader { zone: zone::Zone::new(&options.zone, options.now) }
    }

    /// Says what time it is now; who reads for days says so at times.
    pub fn set_now(&mut self, now: Timestamp) {
        self.zone.set_now(now);
    }

    /// All that a line says.
    pub fn read(&self, line: &[u8]) -> Record {
        let mut buffer = [0; HEAD_BYTES];
        let head = Head::of(line, &mut buffer);
        if fields::is_json(line) {
            let found = fields::json(line, Want { time: true, level: true });
            let time = found.time.and_then(|stamp| self.zone.instant(stamp));
            let kind = if line.trim_ascii_end().ends_with(b"}") { Kind::Json } else { Kind::Plain };
            return Record { time, level: found.level, kind };
        }
        let (stamp, end) = match time_of(head) {
            Some((stamp, end)) => (self.zone.instant(stamp), end),
            None => (None, 0),
        };
        let level = plain_level(line, head);
        let kind = if trace::continues(head.text, stamp.is_some(), end) && level.is_none() {
            Kind::Continuation
        } else if logfmt::is_logfmt(&head.text[end..]) || end > 0 && logfmt::is_logfmt(head.text) {
            Kind::Logfmt
        } else {
            Kind::Plain
        };
        Record { time: stamp, level, kind }
    }

    /// When a line was written.
    #[inline]
    pub fn time(&self, line: &[u8]) -> Option<Timestamp> {
        let mut buffer = [0; HEAD_BYTES];
        let stamp = if fields::is_json(line) {
            fields::json(line, Want { time: true, level: false }).time
        } else {
            time_of(Head::of(line, &mut buffer)).map(|(stamp, _)| stamp)
        };
        stamp.and_then(|stamp| self.zone.instant(stamp))
    }
}

/// How bad a line is, if it says so itself.
#[inline]
pub fn level(line: &[u8]) -> Option<Level> {
    if fields::is_json(line) {
        return fields::json(line, Want { time: false, level: true }).level;
    }
    let mut buffer = [0; HEAD_BYTES];
    plain_level(line, Head::of(line, &mut buffer))
}

/// What a line takes over from those above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Inherited {
    /// The time of the last line that had one.
    pub time: Option<Timestamp>,
    /// The level of the record that a further line would belong to.
    pub level: Option<Level>,
}

impl Inherited {
    /// Goes on by a line, after which it holds what is true for that line. A line with a time but no level is a
    /// record of its own without a level, unless it continues the one above (PostgreSQL's `DETAIL:`); a line with
    /// a level but no time was written when the one above was. What is not wanted is neither read nor kept.
    pub fn step(&mut self, line: &[u8], reader: &Reader, want: Want) {
        let level = if want.level { level(line) } else { None };
        // Whether a line is a record of its own only matters if there is a level to forget.
        let time = if want.time || (want.level && level.is_none() && self.level.is_some()) {
            reader.time(line)
        } else {
            None
        };
        if level.is_some() || (time.is_some() && self.level.is_some() && !trace::adds(line)) {
            self.level = level;
        }
        if want.time {
            self.time = time.or(self.time);
        }
    }

    /// Goes on by a run of whole lines, read from its end and no further than needed.
    pub fn pass(&mut self, run: &[u8], reader: &Reader, want: Want) {
        let (mut seek_time, mut seek_level) = (want.time, want.level);
        let mut end = run.len();
        while end > 0 && (seek_time || seek_level) {
            let last = if run[end - 1] == b'\n' { end - 1 } else { end };
            let start = memrchr(b'\n', &run[..last]).map_or(0, |at| at + 1);
            let line = strip_cr(&run[start..last]);
            let level = if seek_level { level(line) } else { None };
            let time = if seek_time || level.is_none() { reader.time(line) } else { None };
            if seek_level && (level.is_some() || (time.is_some() && !trace::adds(line))) {
                self.level = level;
                seek_level = false;
            }
            if seek_time && time.is_some() {
                self.time = time;
                seek_time = false;
            }
            end = start;
        }
    }
}

/// The beginning of a line without escape sequences.
#[derive(Clone, Copy)]
struct Head<'a> {
    text: &'a [u8],
}

impl<'a> Head<'a> {
    #[inline]
    fn of(line: &'a [u8], buffer: &'a mut [u8; HEAD_BYTES]) -> Head<'a> {
        let text = &line[..line.len().min(HEAD_BYTES)];
        match memchr(0x1b, text) {
            None => Head { text },
            Some(_) => Head { text: without_escapes(line, buffer) },
        }
    }
}

/// Copies what is shown of a line: colours (`ESC [ … m`) are taken out.
#[cold]
fn without_escapes<'a>(line: &[u8], buffer: &'a mut [u8; HEAD_BYTES]) -> &'a [u8] {
    let (mut used, mut at) = (0, 0);
    // Twice the head: escapes take room themselves.
    let line = &line[..line.len().min(2 * HEAD_BYTES)];
    while at < line.len() && used < HEAD_BYTES {
        if line[at] != 0x1b {
            buffer[used] = line[at];
            used += 1;
            at += 1;
            continue;
        }
        at += 1;
        if line.get(at) == Some(&b'[') {
            at += 1;
            while line.get(at).is_some_and(|byte| !(0x40..=0x7e).contains(byte)) {
                at += 1;
            }
        }
        at += 1;
    }
    &buffer[..used]
}

#[inline]
fn time_of(head: Head<'_>) -> Option<(stamp::Stamp, usize)> {
    if logfmt::is_pair(head.text)
        && let Some(stamp) = logfmt::read(head.text, Want { time: true, level: false }).time
    {
        return Some((stamp, 0));
    }
    locate::locate(head.text)
}

fn plain_level(line: &[u8], head: Head<'_>) -> Option<Level> {
    if logfmt::is_pair(head.text)
        && let Some(level) = logfmt::read(head.text, Want { time: false, level: true }).level
    {
        return Some(level);
    }
    level::plain(line, head.text)
}

#[cfg(test)]
mod tests {
    use super::super::lines::lines;
    use super::*;
    use proptest::prelude::*;

    fn reader() -> Reader {
        Reader::new(&Options { now: "2026-11-25T12:00:00Z".parse().expect("a time"), zone: TimeZone::UTC })
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z :=\\[\\]{}\"\\\\0-9TZ<>.,+-]{0,40}",
            "2026-11-25 10:0[0-9]:00 (INFO |ERROR |)[a-z]{0,4}",
            "\\{\"(level|ts|log)\":\"?(info|3|[{]|x\\\\\"?)\"?,?\"?level\"?:?\"?error\"?}?",
            "(ERROR: |\t|at |)[a-z(:]{0,6}",
        ]
    }

    #[test]
    fn a_date_without_a_year_is_the_latest_that_is_not_in_the_future() {
        let mut reader = reader();
        let line = b"Dec  1 10:00:00 host app: text";
        assert_eq!(reader.time(line).map(|time| time.to_string()).as_deref(), Some("2025-12-01T10:00:00Z"));
        reader.set_now("2026-12-02T00:00:00Z".parse().expect("a time"));
        assert_eq!(reader.time(line).map(|time| time.to_string()).as_deref(), Some("2026-12-01T10:00:00Z"));
    }

    #[test]
    fn a_line_of_its_own_ends_what_is_inherited() {
        let (reader, want) = (reader(), Want { time: true, level: true });
        let mut inherited = Inherited::default();
        let mut after = |line: &str| {
            inherited.step(line.as_bytes(), &reader, want);
            inherited.level
        };
        assert_eq!(after("2026-11-25 10:00:00 UTC ERROR:  broken"), Some(Level::Error));
        assert_eq!(after("2026-11-25 10:00:00 UTC DETAIL:  how"), Some(Level::Error));
        assert_eq!(after("\tand more"), Some(Level::Error));
        assert_eq!(after("2026-11-25 10:00:01 another thing"), None);
        assert_eq!(after("and more"), None);
    }

    proptest! {
        #[test]
        fn any_line_is_read_the_same_whole_and_in_parts(line in line()) {
            let (reader, line) = (reader(), line.as_bytes());
            let record = reader.read(line);
            prop_assert_eq!(reader.time(line), record.time);
            prop_assert_eq!(level(line), record.level);
        }

        #[test]
        fn any_bytes_are_read_without_panic(line in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = reader().read(&line);
            let _ = reader().read(&[b"{\"log\":\"", &line[..]].concat());
        }

        #[test]
        fn to_pass_over_a_run_is_to_step_through_it(all in prop::collection::vec(line(), 0..12), time: bool, level: bool) {
            let (reader, want) = (reader(), Want { time, level });
            let run = all.iter().map(|line| format!("{line}\n")).collect::<String>();
            let (mut stepped, mut passed) = (Inherited::default(), Inherited::default());
            for line in lines(run.as_bytes()) {
                stepped.step(line.text, &reader, want);
            }
            passed.pass(run.as_bytes(), &reader, want);
            prop_assert_eq!(stepped, passed);
        }
    }
}

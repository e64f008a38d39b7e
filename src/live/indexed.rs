//! What is known of a source's current generation beyond its lines: where they are by number, how many when.
//!
//! The [indexer](super::indexer) reads what was written before anybody asked; what is added then the follower counts
//! as it says it, so that the number of lines is true at every tick. It belongs to one generation and goes with it.
//! Memory: 4 bytes for each 64 KiB of a file, at most 1 MiB, and for a histogram at most 160 KiB. Nothing is read
//! under the lock.

use super::feed::lock;
use super::source::Source;
use crate::log::index::{Counted, Index};
use crate::log::record::Reader;
use crate::log::sample::pass;
use crate::log::segment::Segment;
use crate::log::tally::Tally;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, OnceLock};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// How long a wish lasts: a page says each second that it wants numbers, and asks for times when somebody looks.
const LINES_WISHED: Duration = Duration::from_secs(60);
const TIMES_WISHED: Duration = Duration::from_secs(600);
/// How much of a source is read before another one has its turn.
const TURN_BYTES: u64 = 16 << 20;
/// How much is read at once.
pub(super) const READ_BYTES: usize = 256 << 10;

/// When the process began to count time.
static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

/// The thread that indexes, once there is one.
pub(super) type Worker = Arc<OnceLock<Thread>>;

/// What is wished and what is known.
#[derive(Debug, Default)]
pub(super) struct Indexed {
    worker: Worker,
    lines: Wish,
    times: Wish,
    known: Mutex<Option<Known>>,
}

/// Until when something is wished, in milliseconds.
#[derive(Debug, Default)]
struct Wish(AtomicU64);

impl Wish {
    /// Wishes it for a while from now on; true if nobody did.
    fn renew(&self, lasts: Duration) -> bool {
        let now = now();
        self.0.swap(now + lasts.as_millis() as u64, Ordering::AcqRel) <= now
    }

    fn lasts(&self) -> bool {
        self.0.load(Ordering::Acquire) > now()
    }
}

fn now() -> u64 {
    BEGAN.elapsed().as_millis() as u64 + 1
}

/// What is known of the segment with this number.
#[derive(Debug)]
struct Known {
    serial: u64,
    index: Index,
    /// The tally and how far it has passed.
    tally: Option<(Tally, u64)>,
}

/// Where a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// It begins at this offset.
    At(u64),
    /// The index has not come so far.
    Unknown,
    /// There are fewer lines.
    Beyond,
}

/// Whether there is more to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Another turn would find some.
    More,
    /// All that is there is known.
    Done,
}

impl Indexed {
    /// Nothing is known; wishes wake this worker.
    pub(super) fn new(worker: Worker) -> Indexed {
        Indexed { worker, ..Indexed::default() }
    }

    fn wake(&self) {
        if let Some(worker) = self.worker.get() {
            worker.unpark();
        }
    }

    /// Another generation begins.
    pub(super) fn forget(&self) {
        *lock(&self.known) = None;
    }

    /// The follower says a block of lines.
    pub(super) fn grow(&self, segment: &Segment, from: u64, bytes: &[u8]) {
        let wanted = |known: &Known| known.serial == segment.serial && known.index.passed() == from;
        if lock(&self.known).as_ref().is_some_and(wanted) {
            let counted = Counted::of(from, bytes);
            let _ = self.add(segment, &counted);
        }
    }

    /// False if this was not what comes next.
    fn add(&self, segment: &Segment, counted: &Counted) -> bool {
        let mut known = lock(&self.known);
        let known = known.as_mut().filter(|known| known.serial == segment.serial);
        known.is_some_and(|known| known.index.add(counted))
    }

    /// How far the index of a segment has passed; it is begun anew if it is another one's, or if what it would read
    /// next was given up.
    fn passed(&self, segment: &Segment) -> u64 {
        let mut known = lock(&self.known);
        let begin = segment.begin();
        match known.as_ref().filter(|known| known.serial == segment.serial && known.index.passed() >= begin) {
            Some(known) => known.index.passed(),
            None => {
                *known = Some(Known { serial: segment.serial, index: Index::new(begin), tally: None });
                begin
            }
        }
    }
}

impl Source {
    /// Wishes that the lines of this source have numbers, soon and for the next minute.
    pub fn want_lines(&self) {
        if self.indexed.lines.renew(LINES_WISHED) {
            self.indexed.wake();
        }
    }

    /// Wishes that its lines are counted by time, which is more work.
    pub fn want_times(&self) {
        self.want_lines();
        if self.indexed.times.renew(TIMES_WISHED) {
            self.indexed.wake();
        }
    }

    pub(super) fn wants_lines(&self) -> bool {
        self.indexed.lines.lasts()
    }

    pub(super) fn wants_times(&self) -> bool {
        self.indexed.times.lasts()
    }

    /// Up to which offset the lines of a segment are numbered, and how many there are, if that is all of it.
    pub fn indexed(&self, segment: &Segment) -> (u64, Option<u64>) {
        let tip = self.tip_of(segment);
        let known = lock(&self.indexed.known);
        match known.as_ref().filter(|known| known.serial == segment.serial) {
            None => (segment.begin(), None),
            Some(known) => {
                let passed = known.index.passed();
                (passed, Some(known.index.lines()).filter(|_| tip.is_some_and(|tip| passed >= tip)))
            }
        }
    }

    /// The number of the line at `offset` of a segment, the first being 1; `None` where the index has not passed.
    /// Reads a block of the file.
    pub fn line_of(&self, segment: &Segment, offset: u64) -> Option<u64> {
        let span = {
            let known = lock(&self.indexed.known);
            known.as_ref().filter(|known| known.serial == segment.serial)?.index.span_of_offset(offset)?
        };
        // A block of which the first part was given up cannot be counted.
        if segment.is_trimmed() && span.from < segment.begin() {
            return None;
        }
        span.line_at(&segment.file(), offset).ok()
    }

    /// Where line `number` of a segment begins; a line that a pipe's spool gave up counts as the first that is there.
    /// Reads a block of the file.
    pub fn offset_of(&self, segment: &Segment, number: u64) -> Where {
        let tip = self.tip_of(segment);
        let (span, passed) = {
            let known = lock(&self.indexed.known);
            let Some(known) = known.as_ref().filter(|known| known.serial == segment.serial) else {
                return Where::Unknown;
            };
            (known.index.span_of_line(number), known.index.passed())
        };
        let beyond = if tip.is_some_and(|tip| passed >= tip) { Where::Beyond } else { Where::Unknown };
        let Some(span) = span else { return beyond };
        let begin = segment.begin();
        if segment.is_trimmed() && span.from < begin {
            // A block of which the first part was given up cannot be counted.
            return if span.to <= begin { Where::At(begin) } else { Where::Unknown };
        }
        match span.offset_of(&segment.file(), number) {
            // Behind the last newline there may be a line that is not complete, or nothing.
            Ok(offset) if offset >= passed => beyond,
            Ok(offset) => Where::At(offset),
            // A file that was cut is the follower's to find.
            Err(_) => Where::Unknown,
        }
    }

    /// The counts of a segment by time and how far they go, if they were asked for and have been made.
    pub fn tally(&self, segment: &Segment) -> Option<(Tally, u64)> {
        let known = lock(&self.indexed.known);
        known.as_ref().filter(|known| known.serial == segment.serial)?.tally.clone()
    }

    /// Forgets the counts by time if nobody has asked for them lately.
    pub(super) fn expire_tally(&self) {
        if !self.wants_times() {
            lock(&self.indexed.known).iter_mut().for_each(|known| known.tally = None);
        }
    }

    /// How many bytes of the current generation were counted by time.
    pub(super) fn tallied(&self, segment: &Segment) -> u64 {
        let known = lock(&self.indexed.known);
        let own = known.as_ref().filter(|known| known.serial == segment.serial);
        own.and_then(|known| known.tally.as_ref()).map_or(segment.begin(), |(_, passed)| *passed)
    }

    /// How far the follower has read a segment, if it is the current one.
    fn tip_of(&self, segment: &Segment) -> Option<u64> {
        let status = lock(&self.status);
        let (current, place) = status.current.as_ref()?;
        (current.serial == segment.serial).then_some(place.offset)
    }

    /// Numbers lines that were there before anybody asked.
    pub(super) fn number_lines(&self, buf: &mut Vec<u8>, stopped: impl Fn() -> bool) -> Work {
        let Some((segment, tip)) = self.status().current else { return Work::Done };
        buf.resize(READ_BYTES, 0);
        let first = self.indexed.passed(&segment);
        let mut at = first;
        while at < tip.offset && at - first < TURN_BYTES && !stopped() {
            let want = (tip.offset - at).min(READ_BYTES as u64) as usize;
            // A file that was cut is the follower's to find.
            if !segment.file().read_at(&mut buf[..want], at).is_ok_and(|n| n == want) {
                return Work::Done;
            }
            // Given up by a spool while it was read, or another generation: the next turn knows.
            if segment.begin() > at || !self.indexed.add(&segment, &Counted::of(at, &buf[..want])) {
                return Work::More;
            }
            at += want as u64;
            std::thread::yield_now();
        }
        if at < tip.offset && !stopped() { Work::More } else { Work::Done }
    }

    /// Counts lines by time that were there before anybody asked, or that came since.
    pub(super) fn tally_lines(&self, reader: &Reader, buf: &mut Vec<u8>, stopped: impl Fn() -> bool) -> Work {
        let Some((segment, tip)) = self.status().current else { return Work::Done };
        // What a spool gives up would have to be taken back.
        if segment.is_trimmed() {
            return Work::Done;
        }
        let (mut tally, mut at) = self.tally(&segment).unwrap_or_else(|| (Tally::default(), segment.begin()));
        let first = at;
        while at < tip.offset && at - first < TURN_BYTES && !stopped() {
            let max = READ_BYTES as u64;
            match pass(&segment.file(), (at, tip.offset), max, reader, &mut tally, buf) {
                Ok(passed) => at = passed,
                Err(_) => return Work::Done,
            }
            std::thread::yield_now();
        }
        let mut known = lock(&self.indexed.known);
        if let Some(known) = known.as_mut().filter(|known| known.serial == segment.serial) {
            known.tally = Some((tally, at));
        }
        if at < tip.offset && !stopped() { Work::More } else { Work::Done }
    }
}

#[cfg(test)]
mod tests {
    use super::super::feed::Hub;
    use super::super::vector::Delta;
    use super::super::view::Content;
    use super::*;
    use crate::log::encode::Block;
    use crate::log::lines::lines;
    use crate::log::logfile::LogFile;
    use crate::log::map::Map;
    use crate::log::segment::{Born, Place};
    use std::fs::File;
    use std::io::Write;

    /// A source that the follower has read so far.
    struct Followed {
        hub: Hub,
        source: Arc<Source>,
        segment: Arc<Segment>,
        file: File,
        tip: u64,
    }

    impl Followed {
        fn new() -> Followed {
            let hub = Hub::default();
            let source = hub.join("f".to_owned(), None);
            let (segment, file) = begin(&hub, &source);
            Followed { hub, source, segment, file, tip: 0 }
        }

        fn write(&mut self, text: &[u8]) {
            self.file.write_all(text).unwrap();
            let to = self.tip + text.len() as u64;
            let block =
                Block { bytes: text, from: self.tip, omitted: 0, wide: None, check: 1, to, map: Map::SAME };
            let delta = Delta::Advance(self.segment.clone(), Place { offset: to, check: 1 });
            self.hub.publish(&self.source, delta, Content::Lines(&self.source, block, text));
            self.tip = to;
        }

        fn index(&self) {
            let mut buf = Vec::new();
            while self.source.number_lines(&mut buf, || false) == Work::More {}
        }
    }

    fn begin(hub: &Hub, source: &Source) -> (Arc<Segment>, File) {
        let file = tempfile::tempfile().unwrap();
        let log = LogFile::from_file(file.try_clone().unwrap(), &None).unwrap();
        let segment = Arc::new(Segment::new(source.id, source.key, Arc::new(log), 0, Born::First));
        hub.publish(source, Delta::Begin(segment.clone()), Content::Nothing);
        (segment, file)
    }

    #[test]
    fn every_line_has_its_number_and_every_number_its_line() {
        let mut followed = Followed::new();
        let text: Vec<u8> =
            (0..400_000).flat_map(|n| format!("{n} {}\n", "x".repeat(n * 31 % 90)).into_bytes()).collect();
        assert!(text.len() as u64 > TURN_BYTES, "more than one turn");
        followed.write(&text[..5]);
        assert_eq!(followed.source.offset_of(&followed.segment, 1), Where::Unknown);
        followed.index();
        // The one half was there before, the other comes while it is known.
        let half = crate::log::lines::complete(&text[..text.len() / 2]);
        followed.write(&text[5..half]);
        let (source, segment) = (followed.source.clone(), followed.segment.clone());
        let count = lines(&text[..half]).count() as u64;
        assert_eq!(source.indexed(&segment), (half as u64, Some(count)), "the follower counts");
        followed.source.indexed.forget();
        assert_eq!(source.indexed(&segment), (0, None));
        followed.index();
        assert_eq!(source.indexed(&segment), (half as u64, Some(count)));
        for part in text[half..].split_inclusive(|&byte| byte == b'\n').collect::<Vec<_>>().chunks(700) {
            followed.write(&part.concat());
        }
        for (number, line) in (1..).zip(lines(&text)).step_by(487) {
            assert_eq!(source.line_of(&segment, line.from as u64), Some(number));
            assert_eq!(source.offset_of(&segment, number), Where::At(line.from as u64));
        }
        let number = lines(&text).count() as u64;
        assert_eq!(source.line_of(&segment, followed.tip), Some(number + 1));
        assert_eq!(source.offset_of(&segment, number + 1), Where::Beyond);
        assert_eq!(source.offset_of(&segment, u64::MAX), Where::Beyond);
        assert_eq!(source.line_of(&segment, followed.tip + 1), None);
        // The last line of a file that has ended may lack its newline.
        followed.write(b"unfinished");
        let at = text.len() as u64;
        assert_eq!(source.offset_of(&segment, number + 1), Where::At(at));
        assert_eq!(source.indexed(&segment), (at + 10, Some(number)));
    }

    #[test]
    fn it_goes_with_its_generation() {
        let mut followed = Followed::new();
        followed.write(b"one\ntwo\n");
        followed.index();
        let old = followed.segment.clone();
        let (segment, file) = begin(&followed.hub, &followed.source);
        (followed.segment, followed.file, followed.tip) = (segment, file, 0);
        let source = followed.source.clone();
        assert_eq!((source.line_of(&old, 4), source.offset_of(&old, 1)), (None, Where::Unknown));
        followed.write(b"three\n");
        followed.index();
        assert_eq!(source.line_of(&old, 4), None);
        assert_eq!(source.indexed(&followed.segment), (6, Some(1)));
    }

    #[test]
    fn what_a_spool_gives_up_keeps_its_numbers() {
        let mut followed = Followed::new();
        let text = b"0123456\n".repeat(40_000);
        followed.write(&text);
        followed.index();
        // 100,000 bytes are given up: the block from 65,536 on is there in part.
        followed.segment.trim(100_000);
        let (source, segment) = (followed.source.clone(), followed.segment.clone());
        assert_eq!(source.offset_of(&segment, 1), Where::At(100_000));
        assert_eq!(source.offset_of(&segment, 12_000), Where::Unknown);
        assert_eq!(source.line_of(&segment, 100_000), None);
        assert_eq!(source.offset_of(&segment, 20_001), Where::At(160_000));
        assert_eq!(source.line_of(&segment, 160_000), Some(20_001));
        // What was given up before it was counted has no numbers.
        source.indexed.forget();
        followed.index();
        assert_eq!(source.offset_of(&segment, 1), Where::At(100_000));
        assert_eq!(source.line_of(&segment, 160_000), Some(7_501));
    }

    #[test]
    fn a_table_is_made_and_goes_on() {
        let mut followed = Followed::new();
        let line =
            |n: i64| format!("{} INFO {n}\n", jiff::Timestamp::from_second(1_795_132_800 + n).unwrap());
        followed.write((0..1_000).map(line).collect::<String>().as_bytes());
        followed.index();
        let (source, segment) = (followed.source.clone(), followed.segment.clone());
        assert!(source.tally(&segment).is_none(), "nobody has asked");
        source.want_times();
        let (reader, mut buf) = (followed.hub.reader(), Vec::new());
        let lines = |tally: &Tally| tally.stretches().iter().flat_map(|own| own.counts).sum::<f64>();
        for more in [0, 10] {
            followed.write((1_000..1_000 + more).map(line).collect::<String>().as_bytes());
            assert_eq!(source.tally_lines(&reader, &mut buf, || false), Work::Done);
            let (tally, passed) = source.tally(&segment).unwrap();
            assert_eq!((lines(&tally), passed), (1_000.0 + more as f64, followed.tip));
        }
        source.expire_tally();
        assert_eq!(source.tallied(&segment), followed.tip, "it is still wished");
    }
}

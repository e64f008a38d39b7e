//! What the page's view gathers between two batches.
//!
//! A batch goes out at once after a quiet time and else every [`BATCH_EVERY`]; it holds at most the newest
//! [`BATCH_LINES`] lines and [`BATCH_BYTES`] bytes, and says how many bytes before them it covers without
//! sending them: the page reads those by range when somebody scrolls there. Nothing is lost, the file has it.

use crate::log::encode::{Block, Encoder, Format, Stamp};
use crate::log::map::Map;
use crate::log::segment::{Place, Segment};
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The time between two batches: twenty a second look live and cost the page next to nothing.
pub const BATCH_EVERY: Duration = Duration::from_millis(50);
/// The most lines of a batch: ten screens.
pub const BATCH_LINES: usize = 500;
/// The most bytes of a batch.
pub const BATCH_BYTES: usize = 256 << 10;

/// What is gathered.
#[derive(Debug, Default)]
pub struct Pending {
    batch: Option<Batch>,
    last: Option<Instant>,
}

/// Lines of one generation, the newest of them.
#[derive(Debug)]
pub struct Batch {
    /// The generation.
    pub segment: Arc<Segment>,
    /// Just past the last line.
    pub to: Place,
    file: String,
    from: u64,
    skip: u64,
    bytes: VecDeque<u8>,
    /// How many bytes before those were gathered and given up, and where lines are in the file, from the first of all.
    shed: u64,
    map: Map,
    omitted: u64,
    /// When its first line was seen, ms since the epoch: the page tells how long lines take to the screen.
    seen: Option<i64>,
}

impl Pending {
    /// Adds lines; what cannot be gathered with them goes to `out`.
    pub fn add(
        &mut self,
        segment: &Arc<Segment>,
        file: &str,
        block: Block<'_>,
        to: Place,
        out: &mut Vec<Batch>,
    ) {
        let fits = |batch: &Batch| {
            Arc::ptr_eq(&batch.segment, segment)
                && batch.omitted == 0
                && block.omitted == 0
                && batch.to.offset == block.from
        };
        if self.batch.as_ref().is_some_and(|batch| !fits(batch)) {
            self.take(out);
        }
        let batch = self.batch.get_or_insert_with(|| Batch {
            segment: segment.clone(),
            to,
            file: file.to_owned(),
            from: block.from,
            skip: 0,
            bytes: VecDeque::new(),
            shed: 0,
            map: Map::default(),
            omitted: 0,
            seen: Some(jiff::Timestamp::now().as_millisecond()),
        });
        batch.map.append((batch.shed + batch.bytes.len() as u64, block.from - batch.from), block.map);
        batch.bytes.extend(block.bytes);
        batch.to = to;
        batch.omitted = block.omitted;
        if batch.omitted == 0 {
            batch.shed(BATCH_BYTES);
        }
    }

    /// When the gathered lines are to go.
    pub fn due(&self, now: Instant) -> Option<Instant> {
        self.batch.as_ref().map(|_| self.last.map_or(now, |last| last + BATCH_EVERY))
    }

    /// Takes what is gathered.
    pub fn take(&mut self, out: &mut Vec<Batch>) {
        if let Some(batch) = self.batch.take() {
            self.last = Some(Instant::now());
            out.push(batch);
        }
    }
}

impl Batch {
    /// The newest lines between two places, for a client that reads on its own; `lines` holds whole lines that
    /// end at `to`.
    pub fn newest(segment: Arc<Segment>, file: &str, from: u64, lines: Block<'_>, to: Place) -> Batch {
        let bytes = lines.bytes.iter().copied().collect();
        let skip = lines.from - from;
        let mut map = Map::default();
        map.append((0, skip), lines.map);
        let (file, omitted) = (file.to_owned(), lines.omitted);
        Batch { segment, to, file, from, skip, bytes, shed: 0, map, omitted, seen: None }
    }

    /// Gives up the oldest lines beyond `limit` bytes.
    fn shed(&mut self, limit: usize) {
        if self.bytes.len() <= limit {
            return;
        }
        let over = self.bytes.len() - limit;
        let cut = self.bytes.iter().skip(over).position(|&byte| byte == b'\n').map_or(0, |at| over + at + 1);
        // A single long line is not cut.
        if cut < self.bytes.len() {
            self.bytes.drain(..cut);
            self.give_up(cut);
        }
    }

    /// Counts what was given up.
    fn give_up(&mut self, cut: usize) {
        self.shed += cut as u64;
        self.skip = self.map.raw(self.shed);
        self.map.forget(self.shed);
    }

    /// The batch as an event.
    pub fn encode(mut self, stamp: &Stamp) -> Vec<u8> {
        if self.omitted == 0 {
            self.shed(BATCH_BYTES);
        }
        let bytes = self.bytes.make_contiguous();
        let body = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let cut = memchr::memrchr_iter(b'\n', body).nth(BATCH_LINES - 1).map_or(0, |at| at + 1);
        self.give_up(cut);
        let from = self.from + self.skip;
        let map = self.map.from(self.shed);
        let bytes = &self.bytes.as_slices().0[cut..];
        let block = Block {
            bytes,
            from,
            omitted: self.omitted,
            wide: self.segment.file().shown_wide(from),
            check: self.to.check,
            to: self.to.offset,
            map: &map,
        };
        let mut out = Vec::with_capacity(block.bytes.len() * 5 / 4 + 512);
        Encoder::new(Format::Live, &self.file).live(
            stamp,
            self.segment.generation(),
            block,
            (self.skip, self.seen),
            &mut out,
        );
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::live::vector::tests::segment;

    fn block(bytes: &[u8], from: u64) -> (Block<'_>, Place) {
        let to = from + bytes.len() as u64;
        (
            Block { bytes, from, omitted: 0, wide: None, check: 1, to, map: Map::SAME },
            Place { offset: to, check: 1 },
        )
    }

    #[test]
    fn a_flood_sends_the_newest_and_says_what_it_skipped() {
        let segment = segment(0, b"x\n");
        let text: String = (0..2_000).map(|i| format!("line {i:06}\n")).collect();
        let (mut pending, mut out) = (Pending::default(), Vec::new());
        let mut from = 0;
        for part in text.as_bytes().chunks(1200) {
            let (block, to) = block(part, from);
            pending.add(&segment, "f", block, to, &mut out);
            from += part.len() as u64;
        }
        assert!(out.is_empty());
        pending.take(&mut out);
        let event = String::from_utf8(out.remove(0).encode(&Stamp::default())).unwrap();
        let data = event.lines().find_map(|line| line.strip_prefix("data: ")).unwrap();
        let data: serde_json::Value = serde_json::from_str(data).unwrap();
        assert_eq!(data["lines"].as_array().unwrap().len(), BATCH_LINES);
        assert_eq!(data["lines"][0], "line 001500");
        assert_eq!((data["from"].as_u64(), data["skip"].as_u64()), (Some(0), Some(1500 * 12)));
        assert_eq!(data["offsets"][0], 1500 * 12);
        assert_eq!(data["to"], 24_000);
        assert!(data["at"].as_i64().is_some_and(|at| at > 0), "when the first line was seen");
    }
}

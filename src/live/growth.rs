//! One open generation as the follower reads it: complete lines as they come, an unfinished last one held.
//!
//! Each read begins a little before the tip and compares what it sees there with what it saw: a file that was
//! cut and has grown again beyond the tip is found by content, not by size. Memory is bounded for a line of
//! any length: an unfinished line beyond the buffer is only scanned for its end, and read once it is complete.

use super::feed::Hub;
use super::source::Source;
use super::vector::Delta;
use super::view::Content;
use crate::log::cursor::{HEAD_BYTES, NO_GENERATION, OVERLAP_BYTES, check_at_end};
use crate::log::encode::Block;
use crate::log::lines;
use crate::log::logfile::{Head, LogFile};
use crate::log::redact;
use crate::log::segment::{Place, ReadError, Segment};
use std::io;
use std::sync::Arc;
use std::time::Instant;

/// How much is read at once.
const READ_BYTES: usize = 256 << 10;
/// How much is said at once: a chunk that clients share, and the most that a stalled one holds of it.
const CHUNK_BYTES: usize = 128 << 10;
/// How much of an unfinished line is held in memory.
const HELD_BYTES: usize = 64 << 10;
/// How many places are remembered: a copy ends among the last of them, and more cost memory for each file.
const MAX_EDGES: usize = 64;

/// What a look at a generation found.
#[derive(Debug, PartialEq, Eq)]
pub enum Growth {
    /// Lines, or nothing.
    Same,
    /// The file was cut, or shows another content.
    Cut,
}

/// A generation that is read as it grows.
#[derive(Debug)]
pub struct Growing {
    /// The generation.
    pub segment: Arc<Segment>,
    /// The file that it grows in. A client may read what it told from a copy already.
    pub file: Arc<LogFile>,
    /// The end of the last complete line.
    pub tip: Place,
    /// When it was opened.
    pub began: Instant,
    /// When it last grew.
    pub grew: Instant,
    /// The largest size that was seen.
    pub seen: u64,
    /// Nanoseconds of the last change that was looked at.
    pub modified: i128,
    /// The bytes before the tip.
    tail: Vec<u8>,
    /// The bytes behind the tip, an unfinished line, if they are few.
    held: Vec<u8>,
    /// The first bytes of content, at most [`HEAD_BYTES`], and some of the places that it was read to: with them a
    /// copy that ends before the tip is known when the file itself is cut already.
    first: Vec<u8>,
    edges: Vec<Place>,
    /// What a redactor has to know of the lines before the tip.
    above: redact::State,
}

impl Growing {
    /// Begins at a place of a segment.
    ///
    /// # Errors
    /// What the system says to reading what stands before the place.
    pub fn at(segment: Arc<Segment>, tip: Place) -> io::Result<Growing> {
        // A spool may give up its oldest lines meanwhile.
        let overlap = tip.offset.saturating_sub(segment.begin()).min(OVERLAP_BYTES as u64);
        let file = segment.file();
        let mut tail = vec![0; overlap as usize];
        let n = file.read_at(&mut tail, tip.offset - overlap)?;
        tail.truncate(n);
        let before = tip.offset.saturating_sub(segment.begin()).min(HEAD_BYTES as u64);
        let mut first = vec![0; before as usize];
        let n = file.read_at(&mut first, segment.begin())?;
        first.truncate(n);
        let above = file.state_at(segment.begin(), tip.offset)?;
        let began = Instant::now();
        Ok(Growing {
            segment,
            file,
            tip,
            began,
            grew: began,
            seen: tip.offset,
            modified: 0,
            tail,
            held: Vec::new(),
            first,
            edges: vec![tip],
            above,
        })
    }

    /// Reads what came and says its complete lines. `buf` is scratch.
    ///
    /// # Errors
    /// What the system says.
    pub fn read(&mut self, hub: &Hub, source: &Source, buf: &mut Vec<u8>) -> io::Result<Growth> {
        let file = self.file.clone();
        buf.resize(OVERLAP_BYTES + READ_BYTES, 0);
        loop {
            // Behind a long unfinished line only its end is looked for.
            if self.seen - self.tip.offset > HELD_BYTES as u64 {
                let size = file.size()?;
                if size < self.seen || !self.tail_stands()? {
                    return Ok(Growth::Cut);
                }
                let Some(end) = file.next_line_end(self.seen, size)? else {
                    self.saw(size);
                    return Ok(Growth::Same);
                };
                self.say_from_file(hub, source, end)?;
                continue;
            }
            let overlap = self.tail.len();
            let n = file.read_at(&mut buf[..overlap + READ_BYTES], self.tip.offset - overlap as u64)?;
            if n < overlap
                || buf[..overlap] != self.tail
                || self.tip.offset + ((n - overlap) as u64) < self.seen
            {
                return Ok(Growth::Cut);
            }
            // A file that is cut and written while it is read gives a mixture: what stood before the tip then
            // does not stand there any more, or its head is another.
            if !self.tail_stands()? || self.segment.begin() > self.tip.offset {
                return Ok(Growth::Cut);
            }
            let data = &buf[overlap..n];
            // A head that was given up is not there to be compared.
            if overlap == 0 && !self.segment.is_trimmed() {
                if self.tip.offset == 0 {
                    file.learn_mark(data);
                }
                if data.starts_with(b"\0") && self.skip_hole(&file)? {
                    continue;
                }
                // Cut and written anew before a line of it was read.
                let known = self.segment.generation();
                if let Head::Known(found) = file.head_of(data)
                    && known != NO_GENERATION
                    && known != found
                {
                    return Ok(Growth::Cut);
                }
                self.segment.learn_head(data, false);
            }
            let whole = lines::complete(data);
            let full = data.len() == READ_BYTES;
            self.saw(self.tip.offset + data.len() as u64);
            self.held.clear();
            if data.len() - whole <= HELD_BYTES {
                self.held.extend_from_slice(&data[whole..]);
            }
            if whole > 0 {
                // The end of the data is also the end of the buffer's use.
                let data = std::mem::take(buf);
                self.say(hub, source, &data[overlap..overlap + whole]);
                *buf = data;
            }
            if whole > CHUNK_BYTES {
                hub.pace();
            }
            if !full {
                return Ok(Growth::Same);
            }
        }
    }

    /// What was seen of a first line that is not complete yet.
    pub fn unnamed(&self) -> Option<&[u8]> {
        (self.segment.generation() == NO_GENERATION && !self.held.is_empty()).then_some(&self.held)
    }

    /// Says what is left, an unfinished line too, and ends the generation.
    pub fn finish(&mut self, hub: &Hub, source: &Source) {
        let held = std::mem::take(&mut self.held);
        self.segment.learn_head(&held, true);
        if !held.is_empty() {
            self.say(hub, source, &held);
        } else if self.seen > self.tip.offset {
            // A long one; if the file no longer has it, its readers are told of a gap.
            self.segment.seal(self.seen);
            let _ = self.say_from_file(hub, source, self.seen);
        }
        self.segment.seal(self.tip.offset);
    }

    /// Whether what stands before the tip is still what was read, and the first line too.
    ///
    /// # Errors
    /// What the system says.
    pub fn still_shows(&self) -> io::Result<bool> {
        if self.segment.generation() != NO_GENERATION
            && self.file.head(self.segment.begin())?.settled() != self.segment.generation()
        {
            return Ok(false);
        }
        self.tail_stands()
    }

    fn tail_stands(&self) -> io::Result<bool> {
        let mut now = [0; OVERLAP_BYTES];
        let n = self.file.read_at(&mut now[..self.tail.len()], self.tip.offset - self.tail.len() as u64)?;
        Ok(now[..n] == self.tail)
    }

    fn saw(&mut self, size: u64) {
        if size > self.seen {
            self.seen = size;
            self.grew = Instant::now();
        }
    }

    /// Moves the start behind a leading run of NULs. True if there was one and something behind it.
    fn skip_hole(&mut self, file: &LogFile) -> io::Result<bool> {
        let begin = file.content_start()?;
        if begin <= self.segment.begin() {
            return Ok(false);
        }
        self.segment.set_begin(begin);
        self.tip = self.segment.first();
        self.above = redact::State::default();
        self.saw(begin);
        Ok(true)
    }

    fn say(&mut self, hub: &Hub, source: &Source, data: &[u8]) {
        let mut rest = data;
        while !rest.is_empty() {
            let cut = match rest.len() > CHUNK_BYTES {
                true => lines::complete(&rest[..CHUNK_BYTES]),
                false => rest.len(),
            };
            // A line longer than a chunk is a chunk of its own.
            let cut = match cut {
                0 => memchr::memchr(b'\n', rest).map_or(rest.len(), |at| at + 1),
                cut => cut,
            };
            let (chunk, later) = rest.split_at(cut);
            let from = self.tip.offset;
            let shown = self.file.shown_from(&mut self.above, from, chunk);
            // Half a newline is no line: the one before it tells.
            let check = if shown.bytes.is_empty() { self.tip.check } else { check_at_end(&shown.bytes) };
            let to = Place { offset: from + cut as u64, check };
            let block = Block {
                bytes: &shown.bytes,
                from,
                omitted: 0,
                wide: self.file.shown_wide(from),
                check,
                to: to.offset,
                map: &shown.map,
            };
            self.remember(chunk, to);
            let delta = Delta::Advance(self.segment.clone(), to);
            hub.publish(source, delta, Content::Lines(source, block, chunk));
            rest = later;
        }
    }

    /// Says the lines up to `end` from the file: the way for lines longer than the buffer.
    fn say_from_file(&mut self, hub: &Hub, source: &Source, end: u64) -> io::Result<()> {
        self.seen = self.seen.max(end);
        while self.tip.offset < end {
            let lines = match self.segment.read_lines(self.tip, end, READ_BYTES, Vec::new()) {
                Ok(lines) => lines,
                Err(ReadError::Io(error)) => return Err(error),
                Err(ReadError::Gone) => return Err(io::ErrorKind::UnexpectedEof.into()),
            };
            let begin = self.segment.begin();
            let overlap = lines.to.offset.saturating_sub(begin).min(OVERLAP_BYTES as u64);
            let mut tail = vec![0; overlap as usize];
            self.file.read_at(&mut tail, lines.to.offset - overlap)?;
            self.tail = tail;
            let block = lines.block();
            if self.file.redact().is_none() {
                self.moved(block.bytes, lines.to);
            } else {
                // What is remembered are the file's bytes.
                let more = (lines.to.offset - self.tip.offset).min(HEAD_BYTES as u64);
                let mut first = vec![0; more as usize];
                let n = self.file.read_at(&mut first, self.tip.offset)?;
                self.moved(&first[..n], lines.to);
                self.above = self.file.state_at(begin, lines.to.offset)?;
            }
            // Their number is told by the file alone.
            let raw = if self.file.redact().is_none() && block.omitted == 0 { block.bytes } else { &[] };
            let delta = Delta::Advance(self.segment.clone(), lines.to);
            hub.publish(source, delta, Content::Lines(source, block, raw));
        }
        Ok(())
    }

    fn remember(&mut self, chunk: &[u8], to: Place) {
        if chunk.len() >= OVERLAP_BYTES {
            self.tail.clear();
            self.tail.extend_from_slice(&chunk[chunk.len() - OVERLAP_BYTES..]);
        } else {
            self.tail.extend_from_slice(chunk);
            let over = self.tail.len().saturating_sub(OVERLAP_BYTES);
            self.tail.drain(..over);
        }
        self.moved(chunk, to);
    }

    fn moved(&mut self, bytes: &[u8], to: Place) {
        let told = self.tip.offset.checked_sub(self.segment.begin());
        if self.first.len() < HEAD_BYTES && told == Some(self.first.len() as u64) {
            let more = bytes.len().min(HEAD_BYTES - self.first.len());
            self.first.extend_from_slice(&bytes[..more]);
        }
        if self.edges.len() == MAX_EDGES {
            // The old half gets wider gaps, the new half stays dense.
            let mut at = 0;
            self.edges.retain(|_| {
                at += 1;
                at > MAX_EDGES / 2 || at % 2 == 1
            });
        }
        self.edges.push(to);
        self.tip = to;
    }

    /// Whether a file of this generation that ends before the tip is a copy of it, as far as
    /// what is remembered tells.
    pub fn is_told_by(&self, copy: &LogFile) -> io::Result<bool> {
        let (begin, end) = (copy.content_start()?, copy.size()?);
        if begin != self.segment.begin() || end > self.tip.offset {
            return Ok(false);
        }
        let mut first = vec![0; self.first.len().min((end - begin) as usize)];
        let n = copy.read_at(&mut first, begin)?;
        if n < first.len() || first != self.first[..n] {
            return Ok(false);
        }
        let edge = self.edges.iter().rev().find(|edge| edge.offset <= end && edge.offset > begin);
        Ok(match edge {
            Some(edge) => copy.check_before(begin, edge.offset)? == edge.check,
            None => true,
        })
    }

    /// Reads on in another file that holds the same content.
    pub fn move_to(&mut self, file: Arc<LogFile>) {
        self.segment.move_to(file.clone());
        self.file = file;
    }
}

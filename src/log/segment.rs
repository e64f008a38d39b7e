//! A segment: an open file of one generation, with its end if it has ended, linked to the one that follows.
//!
//! Readers hold segments, not paths. As long as somebody holds a segment, it and all that followed it stay
//! readable; when the last reader of the oldest one goes, its file is closed. Two segments may share a file
//! (after a truncation), so every read proves with the bytes before its place that the file still shows this
//! generation; where it does not, the read says [`ReadError::Gone`] and delivers nothing.

mod messages;

pub use self::messages::Where;

use super::cursor::{self, OVERLAP_BYTES};
use super::encode::Block;
use super::ledger::Ledger;
use super::lines::{self, LINE_LIMIT};
use super::logfile::{Head, LogFile};
use super::map::Map;
use super::wide::Wide;
use std::borrow::Cow;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// A place in a segment: an offset at a line's end, and the check of the line before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Bytes from the generation's start.
    pub offset: u64,
    /// [`cursor::check`] of the line before, [`cursor::NO_LINE`] at the start of content.
    pub check: u64,
}

/// How a generation came to be behind its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Born {
    /// It was there, or it is the first one ever.
    First,
    /// Another file took the path.
    Rotated,
    /// The same file was cut and begins anew.
    Truncated,
    /// The path had no file for a while.
    Resumed,
}

/// The number of the next segment of this process.
static SERIAL: AtomicU64 = AtomicU64::new(1);

/// A segment. See the module.
#[derive(Debug)]
pub struct Segment {
    /// Counts the segments of this process: of two that the follower opened for a source, the later is greater.
    pub serial: u64,
    /// Which source of the hub.
    pub source: usize,
    /// The source's key in cursors.
    pub key: u32,
    /// How it came to be.
    pub born: Born,
    /// Its tie bits in cursors.
    pub tie: u16,
    file: RwLock<Arc<LogFile>>,
    /// Where its readers begin, if that is not where content begins.
    start: Option<Place>,
    begin: AtomicU64,
    end: AtomicU64,
    /// Whether the start of content was given up, and its first line with it.
    trimmed: AtomicBool,
    head: OnceLock<u64>,
    next: OnceLock<Arc<Segment>>,
    /// Which messages its bytes came in, if they did.
    ledger: Option<Arc<Ledger>>,
    /// Where readers go on in what follows, if that is the same life and not where it begins.
    leads: OnceLock<Place>,
}

/// Why a read delivered nothing.
#[derive(Debug)]
pub enum ReadError {
    /// The file no longer shows this generation at this place.
    Gone,
    /// The system's error.
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> ReadError {
        ReadError::Io(error)
    }
}

/// Whole lines that were read, see [`Block`].
#[derive(Debug)]
pub struct Lines {
    buf: Vec<u8>,
    start: usize,
    from: u64,
    omitted: u64,
    wide: Option<Wide>,
    map: Map,
    /// The place behind them.
    pub to: Place,
}

impl Lines {
    /// The buffer, to be used again.
    pub fn into_buffer(self) -> Vec<u8> {
        self.buf
    }

    /// The lines for the encoder.
    pub fn block(&self) -> Block<'_> {
        Block {
            bytes: &self.buf[self.start..],
            from: self.from,
            omitted: self.omitted,
            wide: self.wide,
            check: self.to.check,
            to: self.to.offset,
            map: &self.map,
        }
    }
}

impl Segment {
    /// A segment over a file whose content begins at `begin`.
    pub fn new(source: usize, key: u32, file: Arc<LogFile>, begin: u64, born: Born) -> Segment {
        Segment {
            serial: SERIAL.fetch_add(1, Ordering::Relaxed),
            source,
            key,
            born,
            tie: file.ident().tie(),
            file: RwLock::new(file),
            start: None,
            begin: AtomicU64::new(begin),
            end: AtomicU64::new(u64::MAX),
            trimmed: AtomicBool::new(false),
            head: OnceLock::new(),
            next: OnceLock::new(),
            ledger: None,
            leads: OnceLock::new(),
        }
    }

    /// The file that holds it now.
    pub fn file(&self) -> Arc<LogFile> {
        self.file.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Reads it from another file from now on, one that holds the same content.
    pub fn move_to(&self, file: Arc<LogFile>) {
        *self.file.write().unwrap_or_else(PoisonError::into_inner) = file;
    }

    /// Where its content begins.
    pub fn begin(&self) -> u64 {
        self.begin.load(Ordering::Acquire)
    }

    /// Says where content begins.
    pub fn set_begin(&self, begin: u64) {
        self.begin.store(begin, Ordering::Release);
    }

    /// Gives up what stands before `begin`, a line's start.
    pub fn trim(&self, begin: u64) {
        self.trimmed.store(true, Ordering::Release);
        self.set_begin(begin);
    }

    /// Whether the start of content was given up.
    pub fn is_trimmed(&self) -> bool {
        self.trimmed.load(Ordering::Acquire)
    }

    /// Whether the file shows what a cursor of this generation remembers. Of lines that were given up nothing
    /// can be shown; that they were is told to who reads there.
    pub fn proves(&self, generation: u64, place: Place) -> bool {
        let (file, begin) = (self.file(), self.begin());
        if !self.is_trimmed() {
            return file.proves(begin, generation, place.offset, place.check);
        }
        generation == self.generation()
            && (place.offset <= begin
                || file.check_before(begin, place.offset).is_ok_and(|found| found == place.check))
    }

    /// The same, for a file that came back and whose lines up to `start` were told before.
    pub fn starting_at(mut self, start: Place) -> Segment {
        self.start = Some(start);
        self
    }

    /// The place where its readers begin.
    pub fn first(&self) -> Place {
        self.start.filter(|start| start.offset >= self.begin()).unwrap_or(self.oldest_place())
    }

    /// Its end, once it has ended.
    pub fn end(&self) -> Option<u64> {
        Some(self.end.load(Ordering::Acquire)).filter(|&end| end != u64::MAX)
    }

    /// Ends it at `end`.
    pub fn seal(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }

    /// The generation's name; [`cursor::NO_GENERATION`] until its first line is known.
    pub fn generation(&self) -> u64 {
        self.head.get().copied().unwrap_or(cursor::NO_GENERATION)
    }

    /// Learns the name from the first bytes of content, if they say it (or if there will be no more).
    pub fn learn_head(&self, first: &[u8], settled: bool) {
        match self.file().head_of(first) {
            Head::Known(generation) => _ = self.head.set(generation),
            Head::Unfinished(generation) if settled => _ = self.head.set(generation),
            Head::Unfinished(_) => {}
        }
    }

    /// Sets the name, where it is known from elsewhere.
    pub fn set_generation(&self, generation: u64) {
        let _ = self.head.set(generation);
    }

    /// What follows it.
    pub fn next(&self) -> Option<&Arc<Segment>> {
        self.next.get()
    }

    /// Says what follows it; the first word counts.
    pub fn set_next(&self, next: Arc<Segment>) {
        let _ = self.next.set(next);
    }

    /// The entry of a cursor at a place of it.
    pub fn entry(&self, place: Place) -> cursor::Entry {
        let (key, tie) = (self.key, self.tie);
        match &self.ledger {
            Some(ledger) => self.message_entry(ledger, place),
            None => {
                let generation = self.generation();
                cursor::Entry { key, generation, tie, check: place.check, offset: place.offset }
            }
        }
    }

    /// Reads whole lines from `from` into `buf`, at least one and about `max` bytes, never beyond `to`, which is the end
    /// of a line. A line of more than [`LINE_LIMIT`] bytes comes alone, with only its first bytes.
    ///
    /// # Errors
    /// [`ReadError::Gone`] if the file shows something else now, or ends before `to`.
    pub fn read_lines(&self, from: Place, to: u64, max: usize, buf: Vec<u8>) -> Result<Lines, ReadError> {
        let file = self.file();
        let (mut buf, overlap, whole) = self.read_block(&file, from, to, max, buf)?;
        let data = &buf[overlap..];
        let length = if whole { data.len() } else { lines::complete(data) };
        if length == 0 || (whole && length > LINE_LIMIT && memchr::memchr(b'\n', data).is_none()) {
            return self.read_long(&file, from, to);
        }
        buf.truncate(overlap + length);
        self.shown(&file, from.offset, buf, overlap)
    }

    /// Reads from `from`, which may be within a line, at most `max` bytes and never beyond `to`, the end of a line: whole
    /// lines, or if not one ends among them a piece of one. Nothing is left out.
    ///
    /// # Errors
    /// As [`Segment::read_lines`].
    pub fn read_piece(&self, from: Place, to: u64, max: usize) -> Result<(Vec<u8>, Place), ReadError> {
        let file = self.file();
        let (mut buf, overlap, whole) = self.read_block(&file, from, to, max, Vec::new())?;
        let data = &buf[overlap..];
        let length = match lines::complete(data) {
            end if end > 0 && !whole => end,
            _ => data.len(),
        };
        buf.truncate(overlap + length);
        // With what stands before it: a piece may begin within its line.
        let place = Place { offset: from.offset + length as u64, check: cursor::check_at_end(&buf) };
        buf.drain(..overlap);
        Ok((buf, place))
    }

    /// Reads a block that is proved to be this generation's: the bytes, how many of them stand before `from`, and whether
    /// they reach `to`.
    fn read_block(
        &self,
        file: &LogFile,
        from: Place,
        to: u64,
        max: usize,
        mut buf: Vec<u8>,
    ) -> Result<(Vec<u8>, usize, bool), ReadError> {
        let begin = self.begin();
        if from.offset < begin || to <= from.offset {
            return Err(ReadError::Gone);
        }
        let overlap = (from.offset - begin).min(OVERLAP_BYTES as u64) as usize;
        let want = (to - from.offset).min(max as u64) as usize;
        buf.resize(overlap + want, 0);
        let n = file.read_at(&mut buf, from.offset - overlap as u64)?;
        buf.truncate(n);
        if n <= overlap || !self.shows(file, from, &buf, overlap)? {
            return Err(ReadError::Gone);
        }
        // Read again after the data: what stands before them now stood there all the while.
        let mut again = [0; OVERLAP_BYTES];
        let k = file.read_at(&mut again[..overlap], from.offset - overlap as u64)?;
        // A spool says where content begins before it gives up what stood before.
        if again[..k] != buf[..overlap] || self.begin() > from.offset {
            return Err(ReadError::Gone);
        }
        if overlap == 0 && !self.shows(file, from, &buf, 0)? {
            return Err(ReadError::Gone);
        }
        let data = &buf[overlap..];
        let whole = from.offset + data.len() as u64 == to;
        // Where lines end is known: another content is not cut in lines at the same place.
        if whole && self.end() != Some(to) && !data.ends_with(b"\n") {
            return Err(ReadError::Gone);
        }
        Ok((buf, overlap, whole))
    }

    /// Lines that were read, as they are shown; they begin at `start` of the buffer.
    fn shown(&self, file: &LogFile, from: u64, buf: Vec<u8>, start: usize) -> Result<Lines, ReadError> {
        let offset = from + (buf.len() - start) as u64;
        let shown = file.shown(self.begin(), from, &buf[start..])?;
        let (own, map) = (shown.bytes, shown.map);
        let (buf, start) = match own {
            Cow::Owned(own) => (own, 0),
            Cow::Borrowed(_) => (buf, start),
        };
        // Half a newline is no line: the one before it tells.
        let check = match buf.len() == start {
            true => file.check_before(self.begin(), offset)?,
            false => cursor::check_at_end(&buf[start..]),
        };
        let to = Place { offset, check };
        Ok(Lines { buf, start, from, omitted: 0, wide: file.shown_wide(from), map, to })
    }

    /// Reads the one line at `from`, which is longer than a block.
    fn read_long(&self, file: &LogFile, from: Place, to: u64) -> Result<Lines, ReadError> {
        let want = (to - from.offset).min(LINE_LIMIT as u64 + 1) as usize;
        let mut buf = vec![0; want];
        let n = file.read_at(&mut buf, from.offset)?;
        buf.truncate(n);
        if self.begin() > from.offset {
            return Err(ReadError::Gone);
        }
        if let Some(newline) = memchr::memchr(b'\n', &buf) {
            buf.truncate(newline + 1);
            return self.shown(file, from.offset, buf, 0);
        }
        let seen = from.offset + buf.len() as u64;
        let end = match file.next_line_end(seen, to)? {
            Some(end) => end,
            None if self.end() == Some(to) && file.size()? >= to => to,
            None => return Err(ReadError::Gone),
        };
        let check = file.check_before(self.begin(), end)?;
        let newline = file.next_line_end(end - 1, end)?.map_or(0, |_| 1);
        buf.truncate(LINE_LIMIT);
        let omitted = end - newline - (from.offset + buf.len() as u64);
        let buf = file.shown_long(self.begin(), (from.offset, end - newline), &buf)?.into_owned();
        let (wide, map) = (file.shown_wide(from.offset), Map::default());
        Ok(Lines { buf, start: 0, from: from.offset, omitted, wide, map, to: Place { offset: end, check } })
    }

    /// Whether bytes that begin `overlap` before a place show what the place remembers; at the start of content it
    /// is the first line that tells, as the file has it now.
    fn shows(&self, file: &LogFile, place: Place, bytes: &[u8], overlap: usize) -> io::Result<bool> {
        if overlap > 0 {
            // What is shown of a line follows from more than its last bytes.
            let check = match file.redact() {
                Some(_) => file.check_before(self.begin(), place.offset)?,
                None => cursor::check_at_end(&bytes[..overlap]),
            };
            return Ok(check == place.check);
        }
        let Some(&generation) = self.head.get().filter(|_| !self.is_trimmed()) else { return Ok(true) };
        Ok(match file.head_of(bytes) {
            Head::Known(found) => generation == found,
            // The block may be shorter than the first line.
            Head::Unfinished(_) => file.head(place.offset)?.settled() == generation,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn segment(content: &[u8]) -> Segment {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        Segment::new(0, 1, Arc::new(LogFile::from_file(file, &None).unwrap()), 0, Born::First)
    }

    #[test]
    fn a_reader_gets_every_line_whatever_the_block() {
        let text: String = (0..500).map(|i| format!("{}\n", "x".repeat(i % 90))).collect();
        let segment = segment(text.as_bytes());
        for max in [1, 10, 100, 1 << 20] {
            let (mut at, mut all) = (segment.first(), Vec::new());
            while at.offset < text.len() as u64 {
                let lines = segment.read_lines(at, text.len() as u64, max, Vec::new()).unwrap();
                assert_eq!(lines.block().from, at.offset);
                all.extend_from_slice(lines.block().bytes);
                at = lines.to;
            }
            assert_eq!(all, text.as_bytes(), "{max}");
        }
    }

    #[test]
    fn a_long_line_comes_with_its_first_bytes_only() {
        let long = LINE_LIMIT + 5_000;
        let text = [b"a\n".to_vec(), b"b".repeat(long), b"\nc\n".to_vec()].concat();
        let segment = segment(&text);
        let lines = segment.read_lines(segment.first(), text.len() as u64, 10_000, Vec::new()).unwrap();
        assert_eq!(lines.block().bytes, b"a\n");
        let lines = segment.read_lines(lines.to, text.len() as u64, 10_000, Vec::new()).unwrap();
        assert_eq!((lines.block().bytes.len(), lines.block().omitted), (LINE_LIMIT, 5_000));
        assert_eq!(lines.to.check, cursor::check(&b"b".repeat(300)));
        let lines = segment.read_lines(lines.to, text.len() as u64, 10_000, Vec::new()).unwrap();
        assert_eq!(lines.block().bytes, b"c\n");
    }

    #[test]
    fn a_long_line_can_be_read_in_pieces_that_prove_themselves() {
        let text = [b"a\nbb\n".to_vec(), b"c".repeat(1_000), b"\nd\n".to_vec()].concat();
        let segment = segment(&text);
        for max in [1, 7, 300, 5_000] {
            let (mut at, mut all) = (segment.first(), Vec::new());
            while at.offset < text.len() as u64 {
                let (piece, to) = segment.read_piece(at, text.len() as u64, max).unwrap();
                assert!(!piece.is_empty() && piece.len() <= max.max(3));
                assert!(piece.ends_with(b"\n") || !piece.contains(&b'\n'), "{max}");
                assert_eq!(to.check, segment.file().check_before(0, to.offset).unwrap());
                all.extend(piece);
                at = to;
            }
            assert_eq!(all, text, "{max}");
        }
        let forged = Place { offset: 100, check: 7 };
        assert!(matches!(segment.read_piece(forged, text.len() as u64, 10), Err(ReadError::Gone)));
    }

    #[test]
    fn another_content_is_never_delivered() {
        let segment = segment(b"one\ntwo\n");
        let forged = Place { offset: 4, check: cursor::check(b"eno") };
        assert!(matches!(segment.read_lines(forged, 8, 100, Vec::new()), Err(ReadError::Gone)));
        segment.learn_head(b"other\n", false);
        assert!(matches!(segment.read_lines(segment.first(), 8, 100, Vec::new()), Err(ReadError::Gone)));
    }
}

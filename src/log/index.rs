//! Where lines are in a file, by number: how many newlines each block of it holds.
//!
//! Promise: at most [`MOST_BLOCKS`] counts of four bytes, whatever the size; where there would be more, neighbours
//! merge and a block is twice as long from then on. So 16 GiB cost 1 MiB, and so does a file of any other size beyond.
//! To answer costs a sum over the counts and a read of at most one block. Lines count from 1, the first being the one
//! that begins where the count began. Counting, adding and reading are apart, so that nobody reads under a lock.

use super::logfile::LogFile;
use memchr::memchr_iter;
use std::io;

/// The length of a block at first, in bytes: to look into one costs microseconds.
pub const BLOCK_BYTES: u64 = 64 << 10;
/// The most blocks: 1 MiB of counts.
pub const MOST_BLOCKS: usize = 1 << 18;
/// How much of a block is read at once.
const READ_BYTES: usize = 64 << 10;

/// The newlines of a run of bytes, counted by blocks of [`BLOCK_BYTES`] of the file.
#[derive(Debug)]
pub struct Counted {
    from: u64,
    to: u64,
    counts: Vec<u32>,
}

impl Counted {
    /// Counts; the run stands at `from` in the file.
    pub fn of(from: u64, run: &[u8]) -> Counted {
        let first = (BLOCK_BYTES - from % BLOCK_BYTES).min(run.len() as u64) as usize;
        let (first, others) = run.split_at(first);
        let blocks = std::iter::once(first).chain(others.chunks(BLOCK_BYTES as usize));
        let counts = blocks.map(|block| memchr_iter(b'\n', block).count() as u32).collect();
        Counted { from, to: from + run.len() as u64, counts }
    }
}

/// The counts of a file, as far as it was passed over.
#[derive(Debug)]
pub struct Index {
    /// Where the first line begins.
    begin: u64,
    /// Where the first block begins.
    origin: u64,
    block: u64,
    passed: u64,
    lines: u64,
    counts: Vec<u32>,
    most: usize,
}

/// A block in which an answer lies: it is read without the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Where it begins.
    pub from: u64,
    /// How far it is known.
    pub to: u64,
    /// How many newlines come before it.
    pub before: u64,
}

impl Index {
    /// An index that begins where line 1 does.
    pub fn new(begin: u64) -> Index {
        Index::bounded(begin, MOST_BLOCKS)
    }

    fn bounded(begin: u64, most: usize) -> Index {
        let origin = begin - begin % BLOCK_BYTES;
        Index { begin, origin, block: BLOCK_BYTES, passed: begin, lines: 0, counts: Vec::new(), most }
    }

    /// Where line 1 begins.
    pub fn begin(&self) -> u64 {
        self.begin
    }

    /// How far it has passed.
    pub fn passed(&self) -> u64 {
        self.passed
    }

    /// How many newlines it has passed.
    pub fn lines(&self) -> u64 {
        self.lines
    }

    /// Goes on by what was counted, if that begins where it has passed.
    pub fn add(&mut self, counted: &Counted) -> bool {
        if counted.from != self.passed {
            return false;
        }
        let mut at = counted.from;
        for &count in &counted.counts {
            let mut block = ((at - self.origin) / self.block) as usize;
            while block >= self.most {
                self.merge();
                block = ((at - self.origin) / self.block) as usize;
            }
            if block >= self.counts.len() {
                self.counts.resize(block + 1, 0);
            }
            self.counts[block] = self.counts[block].saturating_add(count);
            self.lines += u64::from(count);
            at += BLOCK_BYTES - at % BLOCK_BYTES;
        }
        self.passed = counted.to;
        true
    }

    fn merge(&mut self) {
        let half = self.counts.len().div_ceil(2);
        for at in 0..half {
            let second = self.counts.get(2 * at + 1).copied().unwrap_or(0);
            self.counts[at] = self.counts[2 * at].saturating_add(second);
        }
        self.counts.truncate(half);
        self.block *= 2;
    }

    /// The block that tells the number of the line at `offset`; `None` if it has not passed that.
    pub fn span_of_offset(&self, offset: u64) -> Option<Span> {
        if offset < self.begin || offset > self.passed {
            return None;
        }
        let block = ((offset - self.origin) / self.block) as usize;
        let before = self.counts.iter().take(block).map(|&count| u64::from(count)).sum();
        Some(self.span(block, before))
    }

    /// The block that holds the newline before line `number`; `None` if it has passed fewer.
    pub fn span_of_line(&self, number: u64) -> Option<Span> {
        let newline = number.saturating_sub(1);
        if newline > self.lines {
            return None;
        }
        let mut before = 0;
        for (block, &count) in self.counts.iter().enumerate() {
            if before + u64::from(count) >= newline {
                return Some(self.span(block, before));
            }
            before += u64::from(count);
        }
        (newline == 0).then(|| self.span(0, 0))
    }

    fn span(&self, block: usize, before: u64) -> Span {
        let from = self.origin + block as u64 * self.block;
        Span { from: from.max(self.begin), to: (from + self.block).min(self.passed), before }
    }
}

impl Span {
    /// The number of the line that holds the byte at `offset`, which lies in the span or at its end.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` if the file has become shorter.
    pub fn line_at(&self, file: &LogFile, offset: u64) -> io::Result<u64> {
        let mut lines = self.before;
        self.blocks(file, offset, |_, block| {
            lines += memchr_iter(b'\n', block).count() as u64;
            None::<()>
        })?;
        Ok(lines + 1)
    }

    /// Where line `number` begins, of which the newline before lies in the span.
    ///
    /// # Errors
    /// As [`Span::line_at`]; `NotFound` if the file shows fewer lines there than were counted.
    pub fn offset_of(&self, file: &LogFile, number: u64) -> io::Result<u64> {
        let mut missing = number.saturating_sub(1).saturating_sub(self.before);
        if missing == 0 {
            return Ok(self.from);
        }
        let found = self.blocks(file, self.to, |from, block| {
            let mut newlines = memchr_iter(b'\n', block);
            let nth = usize::try_from(missing - 1).ok().and_then(|nth| newlines.nth(nth));
            if nth.is_none() {
                missing -= memchr_iter(b'\n', block).count() as u64;
            }
            nth.map(|at| from + at as u64 + 1)
        })?;
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn blocks<T>(
        &self,
        file: &LogFile,
        to: u64,
        mut each: impl FnMut(u64, &[u8]) -> Option<T>,
    ) -> io::Result<Option<T>> {
        let mut buf = vec![0; READ_BYTES];
        let mut at = self.from;
        while at < to {
            let block = &mut buf[..(to - at).min(READ_BYTES as u64) as usize];
            if file.read_at(block, at)? < block.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(found) = each(at, block) {
                return Ok(Some(found));
            }
            at += block.len() as u64;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;

    fn written(text: &[u8]) -> LogFile {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        LogFile::from_file(file, &None).unwrap()
    }

    fn indexed(text: &[u8], begin: u64, piece: usize, most: usize) -> Index {
        let mut index = Index::bounded(begin, most);
        for part in text[begin as usize..].chunks(piece) {
            assert!(index.add(&Counted::of(index.passed(), part)));
        }
        index
    }

    /// Every line's start and number, by a plain walk.
    fn walked(text: &[u8], begin: u64) -> Vec<(u64, u64)> {
        let after = |(at, &byte): (usize, &u8)| (byte == b'\n').then_some(at as u64 + 1);
        let begins = text.iter().enumerate().filter_map(after).filter(|&at| at > begin);
        std::iter::once(begin).chain(begins).zip(1..).collect()
    }

    #[track_caller]
    fn assert_answers(text: &[u8], begin: u64, index: &Index, step: usize) {
        let file = written(text);
        let lines = walked(text, begin);
        assert_eq!(index.lines(), lines.len() as u64 - 1);
        for &(offset, number) in lines.iter().step_by(step).chain(lines.last()) {
            let span = index.span_of_line(number).unwrap_or_else(|| panic!("line {number}"));
            assert_eq!(span.offset_of(&file, number).unwrap(), offset, "line {number}");
            let span = index.span_of_offset(offset).unwrap_or_else(|| panic!("offset {offset}"));
            assert_eq!(span.line_at(&file, offset).unwrap(), number, "offset {offset}");
        }
        assert_eq!(index.span_of_line(lines.len() as u64 + 1), None);
        assert_eq!(index.span_of_offset(index.passed() + 1), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(40))]
        #[test]
        fn any_text_in_any_pieces_is_counted_as_by_a_walk(
            lengths in prop::collection::vec(prop_oneof![0usize..200, 60_000usize..70_000], 0..60),
            begin in 0usize..150_000, piece in 1_000usize..400_000, most in 1usize..40,
        ) {
            let mut text: Vec<u8> =
                lengths.iter().flat_map(|&length| [vec![b'x'; length], vec![b'\n']].concat()).collect();
            text.extend_from_slice(b"unfinished");
            let begin = begin.min(text.len()) as u64;
            let index = indexed(&text, begin, piece, most);
            prop_assert_eq!(index.passed(), text.len() as u64);
            prop_assert!(index.counts.len() <= most);
            assert_answers(&text, begin, &index, 1);
        }
    }

    #[test]
    fn many_blocks_merge_and_stay_true() {
        let text: Vec<u8> = (0..300_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let index = indexed(&text, 0, 256 << 10, 4);
        assert!(index.counts.len() <= 4 && index.block >= text.len() as u64 / 4, "{}", index.block);
        assert_answers(&text, 0, &index, 997);
    }

    #[test]
    fn nothing_is_passed_over() {
        let mut index = Index::new(10);
        assert_eq!((index.passed(), index.lines(), index.begin()), (10, 0, 10));
        assert_eq!(index.span_of_line(1).unwrap().offset_of(&written(b""), 1).unwrap(), 10);
        assert_eq!((index.span_of_line(2), index.span_of_offset(9)), (None, None));
        assert!(!index.add(&Counted::of(11, b"a\n")), "a byte is missing before it");
        assert!(index.add(&Counted::of(10, b"a\n")));
        assert_eq!((index.passed(), index.lines()), (12, 1));
    }

    #[test]
    fn a_file_that_became_shorter_is_an_error() {
        let text = b"one\ntwo\nthree\n";
        let index = indexed(text, 0, 100, 8);
        let shorter = written(b"one\n");
        assert!(index.span_of_offset(14).unwrap().line_at(&shorter, 14).is_err());
        assert!(index.span_of_line(3).unwrap().offset_of(&written(b"              "), 3).is_err());
    }
}

//! Lines of a file that a filter keeps, found block by block, forwards or backwards from a place.
//!
//! Promise: the same lines as [`Filter::keep`] one after the other, each once, whatever the blocks are; forwards and
//! backwards find the same. A block is small enough to stay in the processor's cache while it is read and searched. A
//! line longer than [`LINE_LIMIT`] is looked at as far as that. Memory is one block, or one long line.

use super::encode::named::{Naming, Run, kept_of};
use super::filter::{Filter, State};
use super::lines::{self, LINE_LIMIT};
use super::logfile::LogFile;
use super::map::Map;
use super::record::Reader;
use super::said::state_before;
use super::shown::Shown;
use std::borrow::Cow;
use std::io;
use std::ops::{ControlFlow, Range};

/// How much is read and searched at once, in bytes.
const BLOCK_BYTES: usize = 256 << 10;

/// What to search.
#[derive(Debug, Clone, Copy)]
pub struct Search<'a> {
    /// Where.
    pub file: &'a LogFile,
    /// Where content begins.
    pub begin: u64,
    /// What is kept.
    pub filter: &'a Filter,
    /// How times are read.
    pub reader: &'a Reader,
    /// Whose lines they are, where that is known.
    pub naming: Option<&'a dyn Naming>,
}

/// Whole lines that were searched, and which of them are kept.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// The lines; of one longer than [`LINE_LIMIT`] only its beginning, alone.
    pub bytes: &'a [u8],
    /// The offset of their first byte.
    pub from: u64,
    /// Just past the last line.
    pub to: u64,
    /// The kept lines in `bytes`, in order.
    pub kept: &'a [Range<usize>],
    /// How much of the file's bytes of a line that is longer than [`LINE_LIMIT`] is left out.
    pub omitted: u64,
    /// Where the lines are in the file, if they are not as long there.
    map: &'a Map,
}

impl Found<'_> {
    /// Just past a kept line: the offset in the file, also of one that was cut.
    pub fn end_of(&self, kept: &Range<usize>) -> u64 {
        match kept.end == self.bytes.len() {
            true => self.to,
            false => self.offset_of(kept.end),
        }
    }

    /// The offset in the file of a place in the bytes, where a line begins or ends.
    pub fn offset_of(&self, at: usize) -> u64 {
        self.from + self.map.raw(at as u64)
    }
}

impl Search<'_> {
    /// Searches from one line's start to a line's end. `each` gets every block, also one of which nothing is kept, and
    /// may stop. Returns how far it came.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` if the file is shorter than `to`.
    pub fn forwards(
        &self,
        from: u64,
        to: u64,
        mut each: impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> io::Result<u64> {
        let mut state = self.state(from)?;
        let mut above = self.file.state_at(self.begin, from)?;
        let mut buf = vec![0; BLOCK_BYTES];
        let mut kept = Vec::new();
        let (mut at, mut filled) = (from, 0);
        while at < to {
            let want = (to - at).min(buf.len() as u64) as usize;
            let n = self.file.read_at(&mut buf[filled..want], at + filled as u64)?;
            if filled + n < want {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            let whole = match at + want as u64 == to {
                true => want,
                false => lines::complete(&buf[..want]),
            };
            let (bytes, next) = match whole {
                0 if want < LINE_LIMIT => {
                    filled = want;
                    buf.resize((buf.len() * 2).min(LINE_LIMIT), 0);
                    continue;
                }
                0 => (want, self.file.next_line_end(at + want as u64, to)?.unwrap_or(to)),
                whole => (whole, at + whole as u64),
            };
            let long = self.long(at, next, &buf[..bytes])?;
            let shown = match long {
                Some(bytes) => Shown { bytes, map: Map::default() },
                None => self.file.shown_from(&mut above, at, &buf[..bytes]),
            };
            let flow = self.judge(&shown, (at, next), bytes, &mut state, &mut kept, &mut each);
            if whole == 0 {
                // Behind a long line nothing of what was above counts.
                above = self.file.state_at(self.begin, next)?;
            }
            at = next;
            // What follows the last whole line is not read again.
            filled = if whole == 0 { 0 } else { want - bytes };
            buf.copy_within(bytes..bytes + filled, 0);
            buf.resize(BLOCK_BYTES.max(filled + 1), 0);
            if flow.is_break() {
                break;
            }
        }
        Ok(at)
    }

    /// The same from a line's end back to a line's start: the last block first; the kept lines of a block are in
    /// order. Returns how far back it came.
    ///
    /// # Errors
    /// As [`Search::forwards`].
    pub fn backwards(
        &self,
        from: u64,
        to: u64,
        mut each: impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> io::Result<u64> {
        let mut buf = Vec::new();
        let mut kept = Vec::new();
        let mut at = to;
        while at > from {
            // What stands before the block's first whole line is left where it is: to move the rest costs more.
            let (skip, start) = self.block_before(from, at, &mut buf)?;
            let block = &buf[skip..];
            let mut state = self.state(start)?;
            let shown = match self.long(start, at, block)? {
                Some(bytes) => Shown { bytes, map: Map::default() },
                None => self.file.shown(self.begin, start, block)?,
            };
            let flow = self.judge(&shown, (start, at), block.len(), &mut state, &mut kept, &mut each);
            at = start;
            if flow.is_break() {
                break;
            }
        }
        Ok(at)
    }

    /// The beginning of a line as it is shown, if the block is that of a long one.
    fn long<'b>(&self, from: u64, to: u64, block: &'b [u8]) -> io::Result<Option<Cow<'b, [u8]>>> {
        if to - from == block.len() as u64 || self.file.redact().is_none() {
            return Ok(None);
        }
        // Its newline is no part of it.
        let newline = self.file.next_line_end(to - 1, to)?.map_or(0, |_| 1);
        self.file.shown_long(self.begin, (from, to - newline), block).map(Some)
    }

    /// Gives a block, of which `read` bytes were read, and what is kept of it.
    fn judge(
        &self,
        shown: &Shown<'_>,
        (from, to): (u64, u64),
        read: usize,
        state: &mut State,
        kept: &mut Vec<Range<usize>>,
        each: &mut impl FnMut(Found<'_>) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        state.wide = self.file.shown_wide(from);
        let omitted = (to - from).saturating_sub(read as u64 + 1);
        let run = Run { from, to, bytes: &shown.bytes, whole: omitted == 0, map: &shown.map };
        kept_of(self.filter, self.naming, run, state, kept);
        each(Found { bytes: &shown.bytes, from, to, kept, omitted, map: &shown.map })
    }

    /// Reads whole lines that end at `end` into `buf`; returns where they begin there and in the file.
    fn block_before(&self, from: u64, end: u64, buf: &mut Vec<u8>) -> io::Result<(usize, u64)> {
        let mut size = BLOCK_BYTES;
        loop {
            let start = end.saturating_sub(size as u64).max(from);
            buf.resize((end - start) as usize, 0);
            if self.file.read_at(buf, start)? < buf.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if start == from {
                if buf.len() > LINE_LIMIT && memchr::memchr(b'\n', &buf[..buf.len() - 1]).is_none() {
                    buf.truncate(LINE_LIMIT);
                }
                return Ok((0, start));
            }
            // The first newline ends the line that is cut off; the last one ends the block.
            if let Some(newline) = memchr::memchr(b'\n', &buf[..buf.len() - 1]) {
                return Ok((newline + 1, start + newline as u64 + 1));
            }
            if size < LINE_LIMIT {
                size *= 2;
                continue;
            }
            let line = self.file.last_line_end(from, end - 1)?;
            buf.resize((end - line).min(LINE_LIMIT as u64) as usize, 0);
            if self.file.read_at(buf, line)? < buf.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            return Ok((0, line));
        }
    }

    fn state(&self, offset: u64) -> io::Result<State> {
        state_before(self.file, self.begin, offset, self.reader.clone(), self.filter.want())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::filter::{Levels, Spec};
    use crate::log::record::Options;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;
    use std::io::Write;

    fn reader() -> Reader {
        Reader::new(&Options { now: "2026-11-25T12:00:00Z".parse().unwrap(), zone: TimeZone::UTC })
    }

    fn written(text: &[u8]) -> LogFile {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        LogFile::from_file(file, &None).unwrap()
    }

    fn naive(text: &[u8], filter: &Filter) -> Vec<(u64, u64)> {
        let mut state = State::new(reader());
        lines::lines(text)
            .filter(|line| filter.keep(&text[line.from..line.to], &mut state))
            .map(|line| (line.from as u64, line.to as u64))
            .collect()
    }

    fn both_ways(text: &[u8], filter: &Filter) -> [Vec<(u64, u64)>; 2] {
        let file = written(text);
        let reader = reader();
        let search = Search { file: &file, begin: 0, filter, reader: &reader, naming: None };
        let (mut forwards, mut backwards) = (Vec::new(), Vec::new());
        let mut seen = 0;
        let end = search.forwards(0, text.len() as u64, |found| {
            assert_eq!(found.from, seen);
            seen = found.to;
            forwards
                .extend(found.kept.iter().map(|kept| (found.from + kept.start as u64, found.end_of(kept))));
            ControlFlow::Continue(())
        });
        assert_eq!(end.unwrap(), text.len() as u64);
        let end = search.backwards(0, text.len() as u64, |found| {
            let kept = found.kept.iter().rev();
            backwards.extend(kept.map(|kept| (found.from + kept.start as u64, found.end_of(kept))));
            ControlFlow::Continue(())
        });
        assert_eq!(end.unwrap(), 0);
        backwards.reverse();
        [forwards, backwards]
    }

    fn greps(pattern: &str) -> Filter {
        Filter::new(Spec { grep: vec![pattern.to_owned()], ..Spec::default() }).unwrap()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn both_directions_find_what_a_walk_finds(
            lengths in prop::collection::vec(prop_oneof![0usize..200, 0usize..200, 0usize..700_000], 1..40),
            ends in any::<bool>(),
        ) {
            let mut text = Vec::new();
            for (n, length) in lengths.iter().enumerate() {
                if n % 3 == 0 {
                    text.extend_from_slice(b"needle ");
                }
                text.extend(std::iter::repeat_n(b'a' + (n % 20) as u8, *length));
                text.push(b'\n');
            }
            if !ends {
                text.extend_from_slice(b"last needle");
            }
            let filter = greps("needle");
            let expected = naive(&text, &filter);
            for found in both_ways(&text, &filter) {
                prop_assert_eq!(&found, &expected);
            }
        }
    }

    #[test]
    fn a_line_beyond_the_limit_is_found_once_by_its_beginning() {
        for at in [0, LINE_LIMIT + 10] {
            let mut text = b"before\n".to_vec();
            let mut long = vec![b'x'; 3 * LINE_LIMIT];
            long[at..at + 6].copy_from_slice(b"needle");
            text.extend_from_slice(&long);
            text.extend_from_slice(b"\nafter needle\n");
            let end = text.len() as u64;
            let mut expected = vec![(end - 13, end)];
            if at == 0 {
                expected.insert(0, (7, end - 13));
            }
            for found in both_ways(&text, &greps("needle")) {
                assert_eq!(found, expected, "needle at {at}");
            }
        }
    }

    #[test]
    fn levels_are_taken_over_across_blocks_in_both_directions() {
        let mut text = Vec::new();
        for n in 0..9_000 {
            let level = if n % 100 == 0 { "ERROR" } else { "INFO" };
            writeln!(text, "2026-11-20T00:00:00Z {level} request {n}").unwrap();
            if n % 100 == 0 {
                text.extend_from_slice(&b"    at com.example.Main(Main.java:5)\n".repeat(30));
            }
        }
        let spec = Spec { levels: Some(Levels::parse("error").unwrap()), ..Spec::default() };
        let filter = Filter::new(spec).unwrap();
        let expected = naive(&text, &filter);
        assert_eq!(expected.len(), 90 * 31);
        for found in both_ways(&text, &filter) {
            assert_eq!(found, expected);
        }
    }
}

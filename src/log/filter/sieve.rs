//! A filter over blocks that are cut anywhere: gives the bytes of the lines that are kept.
//!
//! Bounded: a line that is longer than [`LINE_LIMIT`] is judged by its first bytes and passed on without being held; one of
//! UTF-16, which is given as UTF-8, is cut there.

use super::{Filter, State};
use crate::log::lines::{LINE_LIMIT, complete};
use crate::log::wide::Wide;
use memchr::memchr;
use std::ops::Range;

/// A filter and the line that it has begun.
#[derive(Debug)]
pub struct Sieve {
    filter: Filter,
    state: State,
    /// The beginning of a line whose end is still to come.
    rest: Vec<u8>,
    /// The verdict on a line of which only a later part is still to come.
    long: Option<bool>,
    /// What the byte behind those that were judged is in UTF-16.
    wide: Option<Wide>,
}

impl Sieve {
    /// A sieve that begins at a line's start.
    pub fn new(filter: Filter, state: State) -> Sieve {
        Sieve { filter, wide: state.wide, state, rest: Vec::new(), long: None }
    }

    /// Says what the next byte is in UTF-16: another file begins.
    pub fn begin(&mut self, wide: Option<Wide>) {
        self.wide = wide;
    }

    /// Takes the bytes that follow, and appends what is known to be kept.
    pub fn push(&mut self, mut block: &[u8], out: &mut Vec<u8>) {
        if let Some(kept) = self.long {
            let end = memchr(b'\n', block).map_or(block.len(), |at| at + 1);
            let (line, others) = block.split_at(end);
            let more = self.wide.is_none() || line.ends_with(b"\n");
            if kept && more {
                out.extend_from_slice(if self.wide.is_some() { b"\n" } else { line });
            }
            self.pass(line.len());
            if !line.ends_with(b"\n") {
                return;
            }
            self.long = None;
            block = others;
        }
        if !self.rest.is_empty() {
            let end = memchr(b'\n', block).map_or(block.len(), |at| at + 1);
            let (line, others) = block.split_at(end);
            self.rest.extend_from_slice(line);
            if line.ends_with(b"\n") {
                self.judge(out);
            }
            block = others;
        }
        let (whole, begun) = block.split_at(complete(block));
        let wide = self.wide;
        self.state.wide = wide;
        self.filter.matches_in(whole, &mut self.state, |line| push(wide, whole, line, out));
        self.pass(whole.len());
        self.rest.extend_from_slice(begun);
        if self.rest.len() > LINE_LIMIT {
            self.long = Some(self.judge(out));
        }
    }

    /// There is no more: the last line may lack its newline.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        self.long = None;
        if !self.rest.is_empty() {
            self.judge(out);
        }
    }

    /// Judges what was held.
    fn judge(&mut self, out: &mut Vec<u8>) -> bool {
        let text = &self.rest[..self.rest.len().min(LINE_LIMIT)];
        self.state.wide = self.wide;
        let kept = self.filter.keep(text, &mut self.state);
        if kept && self.wide.is_some() {
            push(self.wide, text, 0..text.len(), out);
            if self.rest.ends_with(b"\n") && !text.ends_with(b"\n") {
                out.push(b'\n');
            }
        } else if kept {
            out.extend_from_slice(&self.rest);
        }
        self.pass(self.rest.len());
        self.rest.clear();
        self.rest.shrink_to(64 << 10);
        kept
    }

    fn pass(&mut self, bytes: usize) {
        self.wide = self.wide.map(|wide| wide.at(bytes as u64));
    }
}

/// Appends a line of a block; one of UTF-16 as UTF-8, since only all of its lines together are UTF-16.
fn push(wide: Option<Wide>, block: &[u8], line: Range<usize>, out: &mut Vec<u8>) {
    let bytes = &block[line.clone()];
    let Some(wide) = wide else { return out.extend_from_slice(bytes) };
    out.extend_from_slice(wide.at(line.start as u64).text(bytes).as_bytes());
    if bytes.ends_with(b"\n") {
        out.push(b'\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::filter::Spec;
    use crate::log::record::{Options, Reader};
    use proptest::prelude::*;

    fn sieve(pattern: &str) -> Sieve {
        let filter = Filter::new(Spec { grep: vec![pattern.to_owned()], ..Spec::default() }).unwrap();
        let options = Options { now: jiff::Timestamp::UNIX_EPOCH, zone: jiff::tz::TimeZone::UTC };
        Sieve::new(filter, State::new(Reader::new(&options)))
    }

    fn sifted(text: &[u8], block: usize) -> Vec<u8> {
        let (mut sieve, mut out) = (sieve("a"), Vec::new());
        text.chunks(block).for_each(|block| sieve.push(block, &mut out));
        sieve.finish(&mut out);
        out
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_blocks_are_cut(text in "[ab\n\r]{0,60}", block in 1usize..20) {
            let kept: String = text.split_inclusive('\n').filter(|line| line.contains('a')).collect();
            prop_assert_eq!(sifted(text.as_bytes(), block), kept.into_bytes());
        }
    }

    #[test]
    fn a_long_line_is_judged_by_its_beginning_and_passed_on_whole() {
        let long =
            |first: &str, last: &str| [first.repeat(LINE_LIMIT + 70_000), last.into(), "\n".into()].concat();
        let text = [long("ba", "b"), long("b", "a"), "xa\nxb\n".into()].concat();
        let kept = [long("ba", "b"), "xa\n".into()].concat();
        for block in [1 << 20, 256 << 10] {
            assert!(sifted(text.as_bytes(), block) == kept.as_bytes(), "{block}");
        }
    }
}

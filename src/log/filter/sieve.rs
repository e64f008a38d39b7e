//! A filter over blocks that are cut anywhere: gives the bytes of the lines that are kept.
//!
//! Bounded: a line that is longer than [`LINE_LIMIT`] is judged by its first bytes and passed on without being held.

use super::{Filter, State};
use crate::log::lines::{LINE_LIMIT, complete};
use memchr::memchr;

/// A filter and the line that it has begun.
#[derive(Debug)]
pub struct Sieve {
    filter: Filter,
    state: State,
    /// The beginning of a line whose end is still to come.
    rest: Vec<u8>,
    /// The verdict on a line of which only a later part is still to come.
    long: Option<bool>,
}

impl Sieve {
    /// A sieve that begins at a line's start.
    pub fn new(filter: Filter, state: State) -> Sieve {
        Sieve { filter, state, rest: Vec::new(), long: None }
    }

    /// Takes the bytes that follow, and appends what is known to be kept.
    pub fn push(&mut self, mut block: &[u8], out: &mut Vec<u8>) {
        if let Some(kept) = self.long {
            let end = memchr(b'\n', block).map_or(block.len(), |at| at + 1);
            let (line, others) = block.split_at(end);
            if kept {
                out.extend_from_slice(line);
            }
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
        self.filter.matches_in(whole, &mut self.state, |line| out.extend_from_slice(&whole[line]));
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
        let kept = self.filter.keep(text, &mut self.state);
        if kept {
            out.extend_from_slice(&self.rest);
        }
        self.rest.clear();
        self.rest.shrink_to(64 << 10);
        kept
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

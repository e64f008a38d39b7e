//! Lines in a run of bytes: where each begins and ends, and its text.
//!
//! A line ends at `\n`; a `\r` before it is not part of its text. The last line of a run may lack its `\n`
//! only where a generation has ended. Offsets always count the bytes of the file, never characters.

use memchr::{memchr_iter, memrchr};
use std::borrow::Cow;

/// The longest line that is sent whole, in bytes; a longer one is cut there and marked.
pub const LINE_LIMIT: usize = 1 << 20;

/// One line of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Where it begins, relative to the run.
    pub from: usize,
    /// Just past its newline, relative to the run.
    pub to: usize,
    /// Its bytes without newline and without the `\r` before it.
    pub text: &'a [u8],
}

/// The lines of a run, in order.
pub fn lines(run: &[u8]) -> impl Iterator<Item = Line<'_>> {
    let ends = memchr_iter(b'\n', run).map(|at| (at, at + 1));
    let rest = match run.last() {
        Some(&last) if last != b'\n' => Some((run.len(), run.len())),
        _ => None,
    };
    ends.chain(rest).scan(0, move |from, (end, to)| {
        let line = Line { from: *from, to, text: strip_cr(&run[*from..end]) };
        *from = to;
        Some(line)
    })
}

/// The line without the `\r` that belongs to its end.
#[inline]
pub fn strip_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A byte order mark is not part of the first line's text.
#[inline]
pub fn strip_mark(line: &[u8]) -> &[u8] {
    line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(line)
}

/// Just past the last newline of the run; 0 if there is none.
pub fn complete(run: &[u8]) -> usize {
    memrchr(b'\n', run).map_or(0, |at| at + 1)
}

/// The text of a line as UTF-8 for JSON: bad bytes become U+FFFD, nothing else changes.
pub fn text(line: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(line)
}

/// The longest prefix of at most `limit` bytes that does not end inside a UTF-8 sequence.
pub fn cut(line: &[u8], limit: usize) -> &[u8] {
    if line.len() <= limit {
        return line;
    }
    let mut end = limit;
    while end > limit.saturating_sub(3) && (line[end] & 0xc0) == 0x80 {
        end -= 1;
    }
    &line[..if (line[end] & 0xc0) == 0x80 { limit } else { end }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_end_at_lf_and_lose_one_cr_before_it() {
        let texts: Vec<_> = lines(b"a\r\n\nb\rc\r\r\nlast").map(|line| line.text).collect();
        assert_eq!(texts, [&b"a"[..], b"", b"b\rc\r", b"last"]);
    }

    #[test]
    fn a_cut_does_not_split_a_character() {
        assert_eq!(cut("aé".as_bytes(), 2), b"a");
        assert_eq!(cut("aéb".as_bytes(), 3), "aé".as_bytes());
        assert_eq!(cut(&[0x80; 9], 5), &[0x80; 5]);
        assert_eq!(cut(b"abc", 3), b"abc");
    }

    proptest! {
        #[test]
        fn lines_cover_the_run(run in "[ab\\n]{0,60}") {
            let run = run.as_bytes();
            let all: Vec<_> = lines(run).collect();
            let mut at = 0;
            for line in &all {
                prop_assert_eq!(line.from, at);
                at = line.to;
            }
            prop_assert_eq!(at, run.len());
        }
    }
}

//! Private keys: blocks of many lines, from `BEGIN … PRIVATE KEY` to `END … PRIVATE KEY`.
//!
//! What a line of such a block is follows from the lines above it. So that a line is shown alike wherever one begins
//! to read (its cursor must be the same), only the last [`LOOK_BACK_BYTES`] before it count: a key of 16,384 bits is
//! shorter. In there, what can be of a key is masked, and nothing else: who writes a `BEGIN` into a log does not hide
//! the lines behind it.

use super::{DONE, Mask};
use crate::log::lines::lines;
use memchr::memmem;
use std::ops::Range;

/// How far behind its first line a key is looked for, in bytes of the file.
pub const LOOK_BACK_BYTES: u64 = 16 << 10;
/// The name of what is masked.
const NAME: &str = "private-key";
/// What every marker holds, and how long the rest of it may be on each side.
pub(super) const LITERAL: &[u8] = b"PRIVATE KEY";
const SIDE_BYTES: usize = 64;
/// From how many bytes of its alphabet on a word within a block is taken for a part of it.
const WORD_BYTES: usize = 16;

/// How far behind the beginning of a key the next line begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct State(Option<u64>);

impl State {
    /// Whether the next line may be of a key.
    pub fn is_within(self) -> bool {
        self.0.is_some_and(|from| from <= LOOK_BACK_BYTES)
    }

    fn step(&mut self, bytes: u64) {
        self.0 = self.0.map(|from| from + bytes).filter(|&from| from <= LOOK_BACK_BYTES);
    }

    /// Goes on by a run of whole lines.
    pub fn pass(&mut self, run: &[u8]) {
        if memmem::find(run, LITERAL).is_none() {
            return self.step(run.len() as u64);
        }
        for line in lines(run) {
            self.pass_line(line.text, (line.to - line.from) as u64);
        }
    }

    /// Goes on by a line that is `bytes` long in the file.
    pub fn pass_line(&mut self, text: &[u8], bytes: u64) {
        self.line(text, bytes, &mut |_| {});
    }

    /// Goes on by a line that is `bytes` long in the file; what has to be masked in its text goes to `each`.
    pub(super) fn line(&mut self, text: &[u8], bytes: u64, each: &mut impl FnMut(Mask<'static>)) {
        let mut within = self.is_within();
        let (mut at, mut begun) = (0, None);
        for (marker, begins) in markers(text) {
            let part = at..marker.start.max(at);
            match (within, begun) {
                (true, Some(())) => all(text, part, each),
                (true, None) => words(text, part, each),
                _ => {}
            }
            (within, begun, at) = (begins, begins.then_some(()), marker.end);
        }
        match (within, begun) {
            (true, Some(())) => {
                all(text, at..text.len(), each);
                self.0 = Some(0);
            }
            (true, None) => words(text, at..text.len(), each),
            (false, _) => self.0 = None,
        }
        self.step(bytes);
    }
}

/// The markers of a line, and whether each begins a key.
fn markers(text: &[u8]) -> impl Iterator<Item = (Range<usize>, bool)> {
    memmem::find_iter(text, LITERAL).filter_map(move |at| {
        let before = &text[at.saturating_sub(SIDE_BYTES)..at];
        let dashes = memmem::rfind(before, b"-----")?;
        let name = &before[dashes + 5..];
        let end = at + LITERAL.len();
        let behind = &text[end..(end + SIDE_BYTES).min(text.len())];
        let rest = memmem::find(behind, b"-----")?;
        let plain = |part: &[u8]| {
            part.iter().all(|&byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' ')
        };
        if !plain(name) || !plain(&behind[..rest]) {
            return None;
        }
        let begins = name.starts_with(b"BEGIN ");
        (begins || name.starts_with(b"END ")).then_some((at - name.len() - 5..end + rest + 5, begins))
    })
}

/// All that stands between two markers of one line, or behind the last one.
fn all(text: &[u8], part: Range<usize>, each: &mut impl FnMut(Mask<'static>)) {
    let bytes = &text[part.clone()];
    // A quote that ends it stays, and nothing but blanks or a line's end as programs write it is no key.
    let end = bytes.iter().rposition(|&byte| !byte.is_ascii_whitespace() && !b"\"',}])".contains(&byte));
    let is_key = |byte: &u8| byte.is_ascii_alphanumeric();
    let blank = |word: &[u8]| matches!(word, b"\\n" | b"\\r\\n" | b"\\\\n");
    if let Some(end) = end.map(|end| end + 1)
        && bytes[..end].iter().any(is_key)
        && !blank(&bytes[..end])
        && !bytes.starts_with(DONE)
    {
        each(Mask { range: part.start..part.start + end, name: NAME });
    }
}

/// The words in a line within a block that can be of it.
fn words(text: &[u8], part: Range<usize>, each: &mut impl FnMut(Mask<'static>)) {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte);
    let mut at = part.start;
    let alone = text.trim_ascii();
    let whole = !alone.is_empty() && alone.iter().all(|&byte| is_part(byte));
    while at < part.end {
        let end = text[at..part.end].iter().position(|&byte| !is_part(byte)).map_or(part.end, |end| at + end);
        let word = &text[at..end];
        let is_last = text[end..].trim_ascii().is_empty();
        if !word.is_empty() && (word.len() >= WORD_BYTES || whole || is_last && word.ends_with(b"=")) {
            each(Mask { range: at..end, name: NAME });
        }
        at = end + 1;
    }
}

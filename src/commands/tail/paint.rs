//! Marks in lines: what `--highlight` names, on a coloured ground, and what `--grep` looked for, as grep shows it.
//!
//! What matches is the text as it is read, without its colours; these come back behind a mark.

use crate::log::filter::Marks;
use std::borrow::Cow;

/// Black on these grounds, in turn: bright enough for it everywhere.
const GROUNDS: [&[u8]; 6] =
    [b"\x1b[30;43m", b"\x1b[30;46m", b"\x1b[30;42m", b"\x1b[30;45m", b"\x1b[30;47m", b"\x1b[30;41m"];
/// As grep shows matches.
const FOUND: &[u8] = b"\x1b[1;31m";
const END: &[u8] = b"\x1b[0m";

/// What is marked.
#[derive(Debug, Default)]
pub(super) struct Paint {
    marks: Marks,
    /// How many of them have a ground.
    grounds: usize,
}

impl Paint {
    /// The first so many patterns have a ground of their own, what the others find is red.
    pub(super) fn new(marks: Marks, grounds: usize) -> Paint {
        Paint { marks, grounds }
    }

    /// True if nothing is marked.
    pub(super) fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Appends a text with its marks.
    pub(super) fn line(&self, text: &str, out: &mut Vec<u8>) {
        if self.is_empty() {
            return out.extend_from_slice(text.as_bytes());
        }
        let (read, codes) = parts(text);
        let mut pen = Pen { read: &read, codes: &codes, own: String::new(), at: 0, out };
        for (range, number) in self.marks.find(&read) {
            pen.to(range.start, true);
            pen.out.extend_from_slice(if number < self.grounds {
                GROUNDS[number % GROUNDS.len()]
            } else {
                FOUND
            });
            pen.to(range.end, false);
            pen.out.extend_from_slice(END);
            pen.out.extend_from_slice(pen.own.as_bytes());
        }
        pen.to(read.len(), true);
    }
}

/// A text without its colours, and these with their places in it.
fn parts(text: &str) -> (Cow<'_, str>, Vec<(usize, &str)>) {
    if !text.contains('\x1b') {
        return (Cow::Borrowed(text), Vec::new());
    }
    let (mut read, mut codes, mut rest) = (String::with_capacity(text.len()), Vec::new(), text);
    while let Some(at) = rest.find('\x1b') {
        read.push_str(&rest[..at]);
        rest = &rest[at..];
        let len = sgr(rest);
        match len {
            0 => read.push('\x1b'),
            _ => codes.push((read.len(), &rest[..len])),
        }
        rest = &rest[len.max(1)..];
    }
    read.push_str(rest);
    (Cow::Owned(read), codes)
}

/// Writes a text from place to place.
struct Pen<'a> {
    read: &'a str,
    codes: &'a [(usize, &'a str)],
    /// The line's own colours in force.
    own: String,
    at: usize,
    out: &'a mut Vec<u8>,
}

impl Pen<'_> {
    /// Writes up to a place; the colours on the way are written or only remembered.
    fn to(&mut self, to: usize, coloured: bool) {
        while let Some(((at, code), rest)) = self.codes.split_first().filter(|((at, _), _)| *at <= to) {
            self.out.extend_from_slice(&self.read.as_bytes()[self.at..*at]);
            (self.at, self.codes) = (*at, rest);
            if coloured {
                self.out.extend_from_slice(code.as_bytes());
            }
            match *code {
                "\x1b[m" | "\x1b[0m" => self.own.clear(),
                code => self.own.push_str(code),
            }
        }
        self.out.extend_from_slice(&self.read.as_bytes()[self.at..to]);
        self.at = to;
    }
}

/// The length of the SGR sequence that a text begins with: `ESC [`, digits and their separators, `m`.
pub(super) fn sgr(text: &str) -> usize {
    let Some(body) = text.strip_prefix("\x1b[") else { return 0 };
    let digits = body.bytes().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b';' | b':')).count();
    if body.as_bytes().get(digits) == Some(&b'm') && digits <= 64 { digits + 3 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn painted(patterns: &[&str], grounds: usize, text: &str) -> String {
        let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
        let mut out = Vec::new();
        Paint::new(Marks::new(&patterns).unwrap(), grounds).line(text, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn what_is_read_is_marked() {
        for (text, expected) in [
            ("none", "none"),
            ("a ok b", "a \x1b[30;43mok\x1b[0m b"),
            ("ok 7", "\x1b[30;43mok\x1b[0m \x1b[30;46m7\x1b[0m"),
            ("bad ok", "\x1b[1;31mbad\x1b[0m \x1b[30;43mok\x1b[0m"),
            // A colour that begins before a mark goes on behind it, one inside of it begins behind it.
            ("\x1b[32mgreen ok on\x1b[0m", "\x1b[32mgreen \x1b[30;43mok\x1b[0m\x1b[32m on\x1b[0m"),
            ("o\x1b[32mk on\x1b[m.", "\x1b[30;43mok\x1b[0m\x1b[32m on\x1b[m."),
            ("\x1b[2Jok", "\x1b[2J\x1b[30;43mok\x1b[0m"),
            ("ü\x1b[1mok", "ü\x1b[1m\x1b[30;43mok\x1b[0m\x1b[1m"),
        ] {
            assert_eq!(painted(&["ok", r"\d\b", "bad"], 2, text), expected, "{text:?}");
        }
        assert_eq!(painted(&[], 0, "a\x1b[1mb"), "a\x1b[1mb");
    }
}

//! The blocks of an event stream, cut out of bytes that come in any pieces.
//!
//! A block counts once its empty line is there, as in a browser; what was cut off is forgotten with the reader. The
//! stream is logcast's: lines end at a newline, and a block has one `data`.

use crate::log::cursor::MAX_GIVEN_BYTES;
use memchr::{memchr, memmem};

/// The longest block: a line of 1 MiB, each byte escaped in JSON, and the files of a server that has thousands.
const MOST: usize = 16 << 20;

/// A block that is whole.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) struct Block<'a> {
    /// The notice's name; empty for a line.
    pub(in crate::commands) name: &'a [u8],
    /// What it says; a block without it is no event, but its id counts.
    pub(in crate::commands) data: Option<&'a [u8]>,
    /// The cursor after it.
    pub(in crate::commands) id: Option<&'a [u8]>,
}

/// The stream so far.
#[derive(Debug, Default)]
pub(in crate::commands) struct Reader {
    /// What is not whole yet.
    rest: Vec<u8>,
    /// How much of it was looked at.
    looked: usize,
}

impl Reader {
    /// Takes bytes and gives the blocks that they make whole.
    ///
    /// # Errors
    /// If a block is longer than any that logcast sends.
    pub(in crate::commands) fn feed(
        &mut self,
        bytes: &[u8],
        mut each: impl FnMut(Block<'_>),
    ) -> Result<(), &'static str> {
        self.rest.extend_from_slice(bytes);
        let mut from = 0;
        while let Some(at) = memmem::find(&self.rest[self.looked..], b"\n\n") {
            let to = self.looked + at;
            each(block(&self.rest[from..to]));
            from = to + 2;
            self.looked = from;
        }
        self.rest.drain(..from);
        self.looked = self.rest.len().saturating_sub(1);
        match self.rest.len() > MOST {
            true => Err("a block is longer than 16 MiB"),
            false => Ok(()),
        }
    }
}

fn block(mut text: &[u8]) -> Block<'_> {
    let mut block = Block::default();
    while !text.is_empty() {
        let (line, rest) = match memchr(b'\n', text) {
            Some(at) => (&text[..at], &text[at + 1..]),
            None => (text, &[][..]),
        };
        text = rest;
        let Some(colon) = memchr(b':', line) else { continue };
        let value = line[colon + 1..].strip_prefix(b" ").unwrap_or(&line[colon + 1..]);
        match &line[..colon] {
            b"data" => block.data = Some(value),
            b"id" => block.id = Some(value),
            b"event" => block.name = value,
            _ => {}
        }
    }
    block
}

/// Whether an id, or several put together, may go into a header and a file.
pub(in crate::commands) fn is_id(id: &[u8]) -> bool {
    (1..=MAX_GIVEN_BYTES).contains(&id.len())
        && id.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_in_any_pieces() {
        let stream = b":\nevent: hello\nretry: 1000\nid: a\ndata: {}\n\nid: b\ndata: one: two\n\n:\nid: c\ndata: \n\ndata:  x\n\nid: d\ndata: cut";
        let expected = [("hello", "{}", "a"), ("", "one: two", "b"), ("", "", "c"), ("", " x", "")];
        for len in 1..=stream.len() {
            let (mut reader, mut got) = (Reader::default(), Vec::new());
            for piece in stream.chunks(len) {
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let keep = |block: Block<'_>| {
                    got.push((
                        text(block.name),
                        text(block.data.unwrap()),
                        text(block.id.unwrap_or_default()),
                    ));
                };
                reader.feed(piece, keep).unwrap();
            }
            let got: Vec<_> = got.iter().map(|(a, b, c)| (a.as_str(), b.as_str(), c.as_str())).collect();
            assert_eq!(got, expected, "in pieces of {len}");
        }
    }

    #[test]
    fn memory_is_bounded() {
        let mut reader = Reader::default();
        let fed = (0..=16).try_for_each(|_| reader.feed(&vec![b'x'; 1 << 20], |_| {}));
        assert!(fed.is_err());
    }

    #[test]
    fn ids_are_safe() {
        for (id, expected) in [("a.~_-Z9", true), ("", false), ("a b", false), ("a\r", false), ("ü", false)]
        {
            assert_eq!(is_id(id.as_bytes()), expected, "{id}");
        }
        assert!(!is_id(&[b'a'; MAX_GIVEN_BYTES + 1]));
    }
}

//! From messages to whole lines. Pure.
//!
//! A message of `ship` holds whole lines, but for a line that is longer than a message: its parts are held, for each
//! subject, until the last one comes. What other programs put there is lines, the last one with or without its newline.

use crate::log::lines::LINE_LIMIT;
use crate::nats::message::{At, Head};
use crate::nats::subject::{path_tokens, unescape};
use std::collections::HashMap;

/// How much of one unfinished line is held: what is shown of it, and the end that its check needs.
const MAX_HELD: usize = 2 * LINE_LIMIT;
/// How much is held of all subjects together.
const MAX_ALL: usize = 64 << 20;

/// What stands in place of a line's beginning that was not read: it is in messages before the first.
const BEGUN_BEFORE: &[u8] = "[the beginning was not read] … ".as_bytes();

/// The unfinished lines.
#[derive(Debug, Default)]
pub(super) struct Joiner {
    held: HashMap<String, Held>,
    bytes: usize,
}

#[derive(Debug)]
struct Held {
    bytes: Vec<u8>,
    at: Option<At>,
}

/// Whole lines of a message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Lines {
    /// How many of the first bytes came in earlier messages.
    pub(super) lead: usize,
    /// The lines, each with its newline; perhaps none.
    pub(super) bytes: Vec<u8>,
}

impl Joiner {
    /// The lines that a message completes.
    pub(super) fn take(&mut self, subject: &str, head: &Head, body: &[u8]) -> Lines {
        let mut bytes = Vec::new();
        if let Some(held) = self.held.remove(subject) {
            self.bytes -= held.bytes.len();
            let goes_on = head.at.zip(held.at).is_some_and(|(at, before)| at.follows(&before));
            bytes = held.bytes;
            if !goes_on && !bytes.is_empty() {
                // The rest of it will not come.
                bytes.push(b'\n');
            }
        } else if head.inside {
            bytes.extend_from_slice(BEGUN_BEFORE);
        }
        let lead = bytes.len();
        bytes.extend_from_slice(body);
        if let Some(cut) = head.cut {
            let end = bytes.strip_suffix(b"\n").map_or(bytes.len(), <[u8]>::len);
            bytes.truncate(end);
            bytes.extend_from_slice(format!(" … [cut: {cut} more bytes]\n").as_bytes());
        }
        let whole = memchr::memrchr(b'\n', &bytes).map_or(0, |at| at + 1);
        let rest = bytes.len() - whole;
        if rest > 0 {
            let ends = head.is_foreign() || head.end || rest > MAX_HELD || self.bytes + rest > MAX_ALL;
            match ends {
                true => bytes.push(b'\n'),
                false => {
                    self.bytes += rest;
                    let held = Held { bytes: bytes.split_off(whole), at: head.at };
                    self.held.insert(subject.to_owned(), held);
                }
            }
        }
        Lines { lead: lead.min(bytes.len()), bytes }
    }

    /// Forgets what is held: the stream is another one.
    pub(super) fn clear(&mut self) {
        *self = Joiner::default();
    }
}

/// Whose lines they are: `HOST:PATH` where `ship` sent them, else the subject.
pub(super) fn origin(subject: &str, head: &Head) -> String {
    let shipped = head.path.as_ref().and_then(|path| {
        let before = subject.strip_suffix(&path_tokens(path))?.strip_suffix('.')?;
        let host = before.rsplit('.').next()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Some(format!("{}:{}", text(&unescape(host)), text(path)))
    });
    shipped.unwrap_or_else(|| subject.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(start: u64, end: u64) -> Head {
        Head { at: Some(At { generation: 1, check: 2, start, end }), ..Head::default() }
    }

    fn lines(lead: usize, bytes: &[u8]) -> Lines {
        Lines { lead, bytes: bytes.to_vec() }
    }

    #[test]
    fn a_long_line_is_joined_and_the_others_pass() {
        let mut joiner = Joiner::default();
        assert_eq!(joiner.take("a", &at(0, 6), b"one\nlo"), lines(0, b"one\n"));
        assert_eq!(joiner.take("b", &at(0, 4), b"two\n"), lines(0, b"two\n"));
        assert_eq!(joiner.take("a", &at(6, 8), b"ng"), lines(0, b""));
        assert_eq!(joiner.take("a", &at(8, 14), b"er\nx\n"), lines(4, b"longer\nx\n"));
        assert_eq!(joiner.bytes, 0);
    }

    #[test]
    fn what_does_not_go_on_is_a_line() {
        let mut joiner = Joiner::default();
        joiner.take("a", &at(0, 4), b"rest");
        assert_eq!(joiner.take("a", &at(9, 11), b"x\n"), lines(5, b"rest\nx\n"));
        assert_eq!(joiner.take("a", &Head { end: true, ..at(11, 12) }, b"y"), lines(0, b"y\n"));
        assert_eq!(joiner.take("a", &Head::default(), b"p\nq"), lines(0, b"p\nq\n"));
        assert_eq!(joiner.take("a", &Head::default(), b""), lines(0, b""));
        let cut = Head { cut: Some(7), ..at(0, 10) };
        assert_eq!(joiner.take("a", &cut, b"abc\n").bytes, "abc … [cut: 7 more bytes]\n".as_bytes());
    }

    #[test]
    fn a_line_whose_beginning_was_not_read_says_so_and_keeps_its_place() {
        let mut joiner = Joiner::default();
        let inside = Head { inside: true, ..at(6, 12) };
        let got = joiner.take("a", &inside, b"end\nx\n");
        let shown = "[the beginning was not read] … end\nx\n";
        assert_eq!(got, lines(BEGUN_BEFORE.len(), shown.as_bytes()));
        // Where the beginning was read, it is there.
        joiner.take("b", &at(0, 6), b"begun ");
        assert_eq!(joiner.take("b", &inside, b"end\n").bytes, b"begun end\n");
    }

    #[test]
    fn what_is_held_is_bounded() {
        let mut joiner = Joiner::default();
        let part = vec![b'x'; MAX_HELD / 2];
        let mut from = 0;
        for n in 0..400 {
            let subject = format!("s{n}");
            joiner.take(&subject, &at(from, from + part.len() as u64), &part);
            from += part.len() as u64;
            assert!(joiner.bytes <= MAX_ALL);
        }
        joiner.clear();
        let to = part.len() as u64;
        joiner.take("a", &at(0, to), &part);
        joiner.take("a", &at(to, 2 * to), &part);
        assert_eq!(joiner.take("a", &at(2 * to, 3 * to), &part).bytes.len(), 3 * part.len() + 1);
    }

    #[test]
    fn an_origin_is_host_and_path() {
        let head = Head { path: Some(b"/var/log/app.log".to_vec()), ..Head::default() };
        assert_eq!(origin("logs.web1%2Elan.var.log.app%2Elog", &head), "web1.lan:/var/log/app.log");
        assert_eq!(origin("logs.other", &head), "logs.other");
        assert_eq!(origin("logs.other", &Head::default()), "logs.other");
    }
}

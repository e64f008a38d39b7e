//! A strict reader of event streams after HTML § 9.2, which keeps what other clients hide.
//!
//! It panics on everything a stream of ours must never hold, be it allowed by the standard or not: bytes that are
//! no UTF-8, a byte order mark, a block without data, an unknown field, two ids, an id outside of the safe alphabet.

use std::collections::VecDeque;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// The `event` field; empty for a line.
    pub(crate) name: String,
    /// The data.
    pub(crate) data: String,
    /// The last event id when it was dispatched.
    pub(crate) id: String,
    /// Whether the id came with this very event.
    pub(crate) own_id: bool,
}

impl Event {
    /// Whether it is a line and no notice.
    pub(crate) fn is_line(&self) -> bool {
        self.name.is_empty()
    }

    /// A notice's data.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).expect("a notice's data is JSON")
    }
}

/// What has been read so far.
#[derive(Default)]
pub(crate) struct Reader {
    block: Block,
    line: Vec<u8>,
    after_cr: bool,
    started: bool,
    ready: VecDeque<Event>,
    /// The texts of all comments.
    pub(crate) comments: Vec<String>,
    /// All values of `retry`.
    pub(crate) retry: Vec<String>,
    /// Of the last event that was whole.
    last_id: String,
}

/// The fields of the block that is being read.
#[derive(Default)]
struct Block {
    name: String,
    data: Option<String>,
    id: Option<String>,
}

impl Reader {
    /// The next event that is whole.
    pub(crate) fn next(&mut self) -> Option<Event> {
        self.ready.pop_front()
    }

    /// Takes bytes of the body, cut anywhere.
    pub(crate) fn feed(&mut self, body: &[u8]) {
        for &byte in body {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.line(String::from_utf8(line).expect("the stream is UTF-8"));
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
        }
    }

    fn line(&mut self, line: String) {
        if line.is_empty() {
            let block = std::mem::take(&mut self.block);
            let data = block.data.expect("a block without data");
            let own_id = block.id.is_some();
            // An id counts from the blank line on, and stays for events without one.
            self.last_id = block.id.unwrap_or(std::mem::take(&mut self.last_id));
            self.ready.push_back(Event { name: block.name, data, id: self.last_id.clone(), own_id });
            return;
        }
        assert!(self.started || !line.starts_with('\u{feff}'), "a byte order mark");
        self.started = true;
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "" => self.comments.push(value),
            "event" => self.block.name = value,
            "data" => match &mut self.block.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&value);
                }
                none => *none = Some(value),
            },
            "id" => {
                let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
                assert!(
                    (1..=1024).contains(&value.len()) && value.bytes().all(safe),
                    "an unsafe id {value:?}"
                );
                assert!(self.block.id.replace(value).is_none(), "two ids in a block");
            }
            "retry" => {
                assert!(
                    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
                    "retry {value:?}"
                );
                self.retry.push(value);
            }
            _ => panic!("an unknown field in {line:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a stream in pieces of this length.
    fn read(stream: &[u8], len: usize) -> (Vec<Event>, Reader) {
        let mut reader = Reader::default();
        stream.chunks(len).for_each(|piece| reader.feed(piece));
        (std::iter::from_fn(|| reader.next()).collect(), reader)
    }

    /// Name, data, id, own id: the same in whatever pieces the stream comes.
    #[track_caller]
    fn expect(stream: &str, events: &[(&str, &str, &str, bool)]) -> Reader {
        let mut last = None;
        for len in 1..=stream.len() {
            let (got, reader) = read(stream.as_bytes(), len);
            let got: Vec<_> = got
                .iter()
                .map(|event| (event.name.as_str(), event.data.as_str(), event.id.as_str(), event.own_id))
                .collect();
            assert_eq!(got, events, "in pieces of {len}");
            last = Some(reader);
        }
        last.expect("a stream")
    }

    #[test]
    fn fields() {
        expect(
            "data: one\n\ndata:two\n\ndata:  three\n\n",
            &[("", "one", "", false), ("", "two", "", false), ("", " three", "", false)],
        );
        expect("data\n\ndata:\n\ndata: \n\n", &[("", "", "", false); 3]);
        expect("data: a\ndata\ndata: b: c\n\n", &[("", "a\n\nb: c", "", false)]);
        expect(
            "event: x\nevent: gap\ndata: {}\n\ndata: y\n\n",
            &[("gap", "{}", "", false), ("", "y", "", false)],
        );
        expect(
            "data: \0\u{85}\u{2028}\u{b}\u{feff}\n\n",
            &[("", "\0\u{85}\u{2028}\u{b}\u{feff}", "", false)],
        );
    }

    #[test]
    fn ends_of_lines() {
        expect(
            "data: a\r\rdata: b\r\n\r\ndata: c\n\rdata: d\r\n\n",
            &[("", "a", "", false), ("", "b", "", false), ("", "c", "", false), ("", "d", "", false)],
        );
        // What is not ended by a blank line was cut off and does not count.
        expect("data: a\nid: 1\n\ndata: b\nid: 2\n", &[("", "a", "1", true)]);
        expect("data: a\nid: 1\n\ndata: b\nid: 2", &[("", "a", "1", true)]);
    }

    #[test]
    fn ids_stay() {
        expect(
            "id: 1\ndata: a\n\ndata: b\n\ndata: c\nid: 2.~_-Z\n\n",
            &[("", "a", "1", true), ("", "b", "1", false), ("", "c", "2.~_-Z", true)],
        );
    }

    #[test]
    fn comments_and_retry() {
        let reader = expect(":\nretry: 1000\ndata: a\n: b\n:c\n\n", &[("", "a", "", false)]);
        assert_eq!(
            (reader.comments.as_slice(), reader.retry.as_slice()),
            (&["".to_owned(), "b".into(), "c".into()][..], &["1000".to_owned()][..])
        );
    }

    #[test]
    fn what_must_not_be() {
        for stream in [
            "event: x\n\n",
            ":\n\n",
            "\n",
            "id: 1\n\n",
            "retry: 1\n\n",
            "foo: x\n",
            " data: x\n",
            "forged\n",
            "id: \n",
            "id: a b\n",
            "id: \0\n",
            "id: 1\nid: 2\n",
            "retry: 1s\n",
            "retry:\n",
            "\u{feff}data: x\n",
            "Data: x\n",
        ] {
            let refused = std::panic::catch_unwind(|| read(stream.as_bytes(), 3));
            assert!(refused.is_err(), "{stream:?} was read");
        }
        assert!(std::panic::catch_unwind(|| read(b"data: \xff\n", 3)).is_err(), "bytes that are no UTF-8");
        assert!(
            std::panic::catch_unwind(|| read(&[&b"id: "[..], &[b'a'; 1025], b"\n"].concat(), 64)).is_err()
        );
    }
}

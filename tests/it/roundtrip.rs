//! Any bytes at all, through the real server and back: decode(encode(bytes)) is exact.
//!
//! One server and one open stream serve all cases: each case appends its bytes in pieces of its own and reads
//! them live. At the end a late client reads the whole file once more, and another reads it as JSON.

use crate::support::{Client, Place, Server, assert_lines};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use std::cell::RefCell;
use std::io::Write;

/// How many cases: enough to meet each pair of odd bytes, few enough for every run.
const CASES: u32 = 200;

/// What the stream shows of a line, told another way than the encoder does: the standard library's own
/// replacement of bad UTF-8, one CR before the newline dropped, every other shown.
fn shown(line: &[u8]) -> String {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    String::from_utf8_lossy(line).replace('\r', "␍")
}

/// Bytes that mean something to somebody on the way, and any others.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let odd = prop::sample::select(vec![
        &b"\n"[..],
        b"\r\n",
        b"\r",
        b"\r\r\n",
        b"\n\n",
        b"data: ",
        b"id: 1",
        b"event: x",
        b"retry: 1",
        b":",
        b" ",
        b"\0",
        b"\xff",
        b"\xe2\x82",
        b"\xed\xa0\x80",
        b"\xf0\x9f\x98\x80",
        b"\xc2\x85",
        b"\xe2\x80\xa8",
        b"\x1b[0m",
        b"\"\\/",
        b"\xef\xbb\xbf",
    ])
    .prop_map(<[u8]>::to_vec);
    let some = prop::collection::vec(any::<u8>(), 0..40);
    let long = (any::<u8>(), 1..5000_usize).prop_map(|(byte, len)| vec![byte; len]);
    prop::collection::vec(prop_oneof![6 => odd, 3 => some, 1 => long], 0..60).prop_map(|parts| parts.concat())
}

#[test]
fn any_bytes() {
    let place = Place::with("f", "first\n");
    let server = Server::start(&place, &["f"]);
    let mut open = Client::all(&server);
    assert_lines(&open.take(1), &["first"]);
    let live = RefCell::new(open);
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let pieces = prop::collection::vec(1..2000_usize, 1..8);
    let result = TestRunner::new(config).run(&(bytes(), pieces), |(mut bytes, pieces)| {
        bytes.push(b'\n');
        let mut file = place.appender("f");
        let mut rest = bytes.as_slice();
        for len in pieces.into_iter().chain([usize::MAX]) {
            let (piece, behind) = rest.split_at(len.min(rest.len()));
            file.write_all(piece).expect("a write");
            rest = behind;
        }
        let expected: Vec<String> =
            bytes[..bytes.len() - 1].split(|byte| *byte == b'\n').map(shown).collect();
        let mut client = live.borrow_mut();
        prop_assert_eq!(client.take(expected.len()), expected);
        Ok(())
    });
    // The smallest bytes that fail are in the message: as good as a seed.
    result.unwrap_or_else(|error| panic!("{error}"));

    let all = std::fs::read(place.path("f")).expect("the file");
    let lines: Vec<&[u8]> = all[..all.len() - 1].split(|byte| *byte == b'\n').collect();
    let expected: Vec<String> = lines.iter().map(|line| shown(line)).collect();
    let mut late = Client::all(&server);
    assert_lines(&late.take(lines.len()), &expected);
    assert!(late.events.iter().skip(1).all(|event| event.is_line() && event.own_id));
    assert_eq!(late.retry(), ["1000"]);

    let mut json = Client::open(&server, "lines=all&format=json");
    json.hello();
    let mut from = 0;
    for (line, object) in lines.iter().zip(json.take(lines.len())) {
        let object: serde_json::Value = serde_json::from_str(&object).expect("JSON");
        let whole = line.strip_suffix(b"\r").unwrap_or(line);
        assert_eq!(object["text"], String::from_utf8_lossy(whole).as_ref(), "a lone CR is kept");
        assert_eq!(object["offset"], from);
        from += line.len() + 1;
        assert_eq!(object["next"], from);
        assert_eq!(object["file"], "f");
    }
}

//! What arrives: the lines of a file as events, byte for byte, whatever the lines hold.

use crate::support::writer::text;
use crate::support::{Client, Place, Server, assert_lines, numbered};
use std::time::Duration;

/// Row 1: what stands in the file and what is appended arrives, each once, in order, with an id of its own.
#[test]
fn happy_path() {
    let old = numbered("old", 1, 20);
    let place = Place::with("f", text(&old));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(20), &old);
    for number in 1..=30 {
        place.append("f", format!("new-{number}\n"));
    }
    let new: Vec<String> = (1..=30).map(|number| format!("new-{number}")).collect();
    assert_lines(&client.take(30), &new);
    let mut ids: Vec<&String> = client.events.iter().map(|event| &event.id).collect();
    assert!(client.events.iter().all(|event| event.own_id), "an event without an id");
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 51, "ids are unique, hello included");
    client.quiet(Duration::from_millis(100));
}

/// Row 2: the backlog is what `lines=` asks for, by the grammar of `tail`.
#[test]
fn backlog() {
    let all = numbered("n", 1, 25);
    let place = Place::with("f", text(&all));
    let server = Server::start(&place, &["f"]);
    let cases =
        [("", 10), ("lines=3", 3), ("lines=0", 0), ("lines=25", 25), ("lines=999", 25), ("lines=all", 25)];
    let mut clients: Vec<(Client, usize)> = Vec::new();
    for (query, count) in cases.into_iter().chain([("lines=%2B20", 6), ("lines=+20", 6), ("lines=+1", 25)]) {
        clients.push((Client::open(&server, query), count));
    }
    for (client, count) in &mut clients {
        client.hello();
        assert_lines(&client.take(*count), &all[25 - *count..]);
    }
    place.append("f", "live\n");
    for (client, _) in &mut clients {
        assert_lines(&client.take(1), &["live"]);
    }
}

/// Row 3: a line without its newline is held, and is one event when it is whole.
#[test]
fn partial_line() {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    place.append("f", "hel");
    client.quiet(Duration::from_millis(1200));
    place.append("f", "lo\n");
    assert_lines(&client.take(1), &["hello"]);
    for byte in "byte by byte\nnext\n".bytes() {
        place.append("f", [byte]);
    }
    assert_lines(&client.take(2), &["byte by byte", "next"]);
}

/// What the same file gives to a client that comes late: it is read from the file, not shared from memory.
#[track_caller]
fn late(server: &Server, expected: &[String]) {
    let mut client = Client::all(server);
    assert_lines(&client.take(expected.len()), expected);
}

/// Serves content that is there before, appends it once more, and wants `expected` from both.
#[track_caller]
fn both_ways(content: &[u8], expected: &[&str]) {
    let place = Place::with("f", content);
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(expected.len()), expected);
    place.append("f", content);
    assert_lines(&client.take(expected.len()), expected);
    place.append("f", "last of all\n");
    assert_lines(&client.take(1), &["last of all"]);
    assert!(client.events.iter().skip(1).all(|event| event.is_line() && event.own_id), "{:?}", client.events);
    assert_eq!(client.retry(), ["1000"], "nobody but the first block sets the time to come back");
}

/// Row 5: a line of 12 MB is cut at the limit, its neighbours are intact, and memory stays small.
#[test]
fn huge_line() {
    let place = Place::with("f", "before\n");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    let half = vec![b'x'; 6_000_000];
    place.append("f", &half);
    place.append("f", &half);
    place.append("f", "\nafter\n");
    let lines = client.take(3);
    assert_eq!((lines[0].as_str(), lines[2].as_str()), ("before", "after"));
    let shown = lines[1].bytes().take_while(|byte| *byte == b'x').count();
    assert!((1_000_000..=1 << 20).contains(&shown), "{shown} bytes of the long line");
    let mut tail = Client::open(&server, "lines=2&format=json");
    tail.hello();
    let objects: Vec<serde_json::Value> =
        tail.take(2).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(objects[1]["text"], "after");
    assert!(!objects[0]["cut"].is_null(), "a cut line says so");
    assert_eq!(objects[0]["next"], objects[1]["offset"]);
    assert!(server.memory("VmHWM") < 100 << 20, "{} bytes at the most", server.memory("VmHWM"));
    // A place behind the long line can be resumed.
    let id = client.cut();
    place.append("f", "more\n");
    let mut client = Client::resume(&server, "", &id);
    assert_lines(&client.take(1), &["more"]);
}

/// Row 6: the CR of a line end that two reads tear apart belongs to the line end.
#[test]
fn torn_line_end() {
    let line = "x".repeat(8191);
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    place.append("f", format!("{line}\r"));
    client.quiet(Duration::from_millis(300));
    place.append("f", "\nnext\r\n");
    let expected = [line, "next".to_owned()];
    assert_lines(&client.take(2), &expected);
    late(&server, &expected);
}

/// Row 7: a progress bar's CRs stay visible and end nothing.
#[test]
fn lone_carriage_returns() {
    both_ways(
        b"start\nprogress 10%\rprogress 50%\rend of it\nend\n",
        &["start", "progress 10%␍progress 50%␍end of it", "end"],
    );
    both_ways(b"two\r\r\n\r\n\r\r\r\n", &["two␍", "", "␍␍"]);
}

/// Row 8: no line can forge a field, an event, an id or the time to come back.
#[test]
fn forged_fields() {
    both_ways(
        b"x\revent: pwn\rdata: forged\nx\rid: 999999\nx\rretry: 1\nid: 9\nevent: rotated\n: c\ndata: d\nretry: 5\n",
        &[
            "x␍event: pwn␍data: forged",
            "x␍id: 999999",
            "x␍retry: 1",
            "id: 9",
            "event: rotated",
            ": c",
            "data: d",
            "retry: 5",
        ],
    );
}

/// Row 9: blanks are part of the line, at both ends.
#[test]
fn blanks() {
    let lines =
        [" one", "  two", "    four", "\ttab", "trailing  ", "   ", "\u{a0}nbsp\u{a0}", "\u{2028}\u{85}"];
    both_ways(text(&lines).as_bytes(), &lines);
}

/// Row 10: empty lines are lines, and a place after one can be resumed.
#[test]
fn empty_lines() {
    both_ways(b"\n\na\n\n\n\nb\n\n", &["", "", "a", "", "", "", "b", ""]);
    let place = Place::with("f", "\n\na\n\n\n\nb\n\n");
    let server = Server::start(&place, &["f"]);
    for seen in 0..=8 {
        let mut client = Client::all(&server);
        client.take(seen);
        let mut back = Client::resume(&server, "lines=all", &client.cut());
        back.hello();
        assert_lines(&back.take(8 - seen), &["", "", "a", "", "", "", "b", ""][seen..]);
        back.quiet(Duration::from_millis(50));
        assert!(!back.saw("gap"), "after {seen} lines: {:?}", back.events);
    }
}

/// Row 11: NUL and other controls cut nothing.
#[test]
fn controls() {
    both_ways(
        b"a\0b\n\0\0\0\n\x01\x02\x07\x08\x0b\x0c\x7f\nlast\n",
        &["a\0b", "\0\0\0", "\x01\x02\x07\x08\x0b\x0c\x7f", "last"],
    );
}

/// Row 12: bytes that are no UTF-8 become U+FFFD, and good text beside them stays.
#[test]
fn bad_utf8() {
    let place = Place::with(
        "f",
        b"a\x80b\n\xc0\xaf\n\xed\xa0\x80\ncut\xe2\x82\n\xff\xfe\ngr\xc3\xbc\xc3\x9fe \xf0\x9f\x98\x80\n",
    );
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    let lines = client.take(6);
    assert_eq!(lines[0], "a\u{fffd}b");
    for line in &lines[1..5] {
        assert!(line.contains('\u{fffd}'), "{line:?}");
    }
    assert_eq!(lines[3], "cut\u{fffd}");
    assert_eq!(lines[5], "grüße 😀");
}

/// Row 14: a byte order mark costs no byte of the first line; UTF-16 beside it does no harm.
#[test]
fn byte_order_marks() {
    let place = Place::with("f", "\u{feff}first\nsecond\n");
    let wide: Vec<u8> = "wide\n".repeat(2).encode_utf16().flat_map(u16::to_le_bytes).collect();
    place.write("w", [&b"\xff\xfe"[..], &wide].concat());
    let server = Server::start(&place, &["f", "w"]);
    let mut client = Client::open(&server, "lines=all&file=f");
    let lines = client.take(2);
    assert_eq!(lines[0].trim_start_matches('\u{feff}'), "first");
    assert_eq!(lines[1], "second");
    let mut wide = Client::open(&server, "lines=all&file=w");
    assert_eq!(wide.take(2).len(), 2);
    place.append("f", "third\n");
    assert_lines(&client.take(1), &["third"]);
}

/// Row 15: escape sequences are bytes like others.
#[test]
fn escapes() {
    let lines = [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "\x1b]8;;javascript:alert(1)\x1b\\link\x1b]8;;\x1b\\",
        "\x1b[2J\x1b[H",
        "\u{9b}31m",
        "unended \x1b[38;5",
    ];
    both_ways(text(&lines).as_bytes(), &lines);
}

/// Row 16: a burst in pieces of every size arrives whole.
#[test]
fn burst() {
    let lines: Vec<String> =
        (0..50_000).map(|number| format!("{number:06} {}", "burst ".repeat(number % 13))).collect();
    let bytes = text(&lines).into_bytes();
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let mut first = Client::all(&server);
    let mut second = Client::all(&server);
    let writer = std::thread::spawn({
        let mut file = place.appender("f");
        move || {
            let sizes = [1, 7, 100, 4096, 65_536, 200_000, 3, 8191];
            let (mut at, mut turn) = (0, 0);
            while at < bytes.len() {
                let len = sizes[turn % sizes.len()].min(bytes.len() - at);
                std::io::Write::write_all(&mut file, &bytes[at..at + len]).expect("a write");
                at += len;
                turn += 1;
            }
        }
    });
    assert_lines(&first.take(lines.len()), &lines);
    writer.join().expect("the writer");
    assert_lines(&second.take(lines.len()), &lines);
    late(&server, &lines);
    assert!(first.events.len() == lines.len() + 1, "only hello beside the lines");
}

/// Row 17: four writers with O_APPEND: all lines, in the file's order.
#[test]
fn four_writers() {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    let writers: Vec<_> = (0..4)
        .map(|writer| {
            let mut file = place.appender("f");
            std::thread::spawn(move || {
                for number in 0..1500 {
                    let line = format!("w{writer}-{number}\n");
                    std::io::Write::write_all(&mut file, line.as_bytes()).expect("a write");
                }
            })
        })
        .collect();
    for writer in writers {
        writer.join().expect("a writer");
    }
    let lines = client.take(6000);
    let file = std::fs::read_to_string(place.path("f")).expect("the file");
    assert_lines(&lines, &file.lines().collect::<Vec<_>>());
}

/// Row 20: the end of a file of 2 GiB is there at once.
#[test]
fn two_gibibytes() {
    let place = Place::with("f", "");
    place.truncate("f", 2 << 30);
    let lines = numbered("tail", 1, 11);
    place.append("f", format!("\n{}", text(&lines)));
    let start = std::time::Instant::now();
    let server = Server::start(&place, &["f"]);
    let mut client = Client::open(&server, "lines=10");
    assert_lines(&client.take(10), &lines[1..]);
    // A second is promised; a machine that builds beside gets more. Reading it all would take far longer.
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
    assert!(server.memory("VmHWM") < 64 << 20, "{} bytes at the most", server.memory("VmHWM"));
}

/// Row 104: an idle stream says something, and a client makes no event of it.
#[test]
fn heartbeat() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(1);
    assert_eq!(client.comments(), [""], "a bare comment before everything");
    client.until_comment(2, Duration::from_secs(20));
    assert_eq!(client.comments()[1], "");
    place.append("f", "two\n");
    assert_lines(&client.take(1), &["two"]);
}

/// Row 105: the head of a stream is what browsers, proxies and neighbours need.
#[test]
fn head() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f"]);
    let client = Client::with_headers(&server, "", "Accept-Encoding: gzip, br\r\n");
    let cache = client.head.header("cache-control").expect("cache-control");
    assert!(cache.contains("no-store") || cache.contains("no-cache"), "{cache}");
    assert_eq!(client.head.header("x-accel-buffering"), Some("no"));
    assert_eq!(client.head.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(client.head.header("cross-origin-resource-policy"), Some("same-origin"));
    assert_eq!(client.head.header("content-encoding"), None);
    assert_eq!(client.head.header("content-length"), None);
    assert_eq!(client.head.header("access-control-allow-origin"), None);
}

/// Row 106: the head of an idle stream comes at once, and so does a line.
#[test]
fn at_once() {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let start = std::time::Instant::now();
    let mut client = Client::all(&server);
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    for number in 0..20 {
        let start = std::time::Instant::now();
        place.append("f", format!("{number}\n"));
        client.take(1);
        assert!(start.elapsed() < Duration::from_millis(1500), "{:?}", start.elapsed());
    }
}

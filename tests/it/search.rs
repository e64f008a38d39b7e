//! `/api/search`: the same lines and counts as a naive look, in both directions, over all lives.

use crate::support::http::{get, raw};
use crate::support::{Place, Server, assert_lines, numbered};
use serde_json::Value;
use std::io::Write;

/// All records of a search.
#[track_caller]
fn search(server: &Server, query: &str) -> Vec<Value> {
    let answer = get(server, &format!("/api/search?{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    assert_eq!(answer.header("content-type"), Some("application/x-ndjson"));
    let records: Vec<Value> =
        answer.text().lines().map(|line| serde_json::from_str(line).expect("a record")).collect();
    assert_eq!(records.last().expect("a record")["done"], true, "{query}: {records:?}");
    records
}

fn texts(records: &[Value]) -> Vec<String> {
    records.iter().filter_map(|record| record["text"].as_str()).map(str::to_owned).collect()
}

fn places(records: &[Value]) -> Vec<u64> {
    let hits = records.iter().filter_map(|record| record["hits"].as_array());
    hits.flatten().map(|place| place.as_u64().expect("an offset")).collect()
}

fn done(records: &[Value], member: &str) -> Value {
    records.last().expect("a record")[member].clone()
}

fn log(count: usize) -> Vec<String> {
    (0..count)
        .map(|n| {
            let level = ["INFO", "WARN", "ERROR", "DEBUG"][n * 7 % 4];
            format!(
                "2026-11-20T{:02}:{:02}:{:02}Z {level} order {} took {} ms",
                n / 3600,
                n / 60 % 60,
                n % 60,
                n % 97,
                n * 31 % 1000
            )
        })
        .collect()
}

/// What `grep` finds, told another way.
fn kept(lines: &[String], wanted: impl Fn(&str) -> bool) -> Vec<String> {
    lines.iter().filter(|line| wanted(line)).cloned().collect()
}

#[test]
fn lines_and_counts_are_those_of_a_walk_in_both_directions() {
    let lines = log(30_000);
    let place = Place::with("f", lines.join("\n") + "\n");
    let server = Server::start(&place, &["f"]);
    for (query, expected) in [
        ("grep=order%2013%20", kept(&lines, |line| line.contains("order 13 "))),
        ("grep=ORDER%2013%20&case=no&syntax=literal", kept(&lines, |line| line.contains("order 13 "))),
        (
            "grep=took%20%5Cd%20ms&exclude=1",
            kept(&lines, |line| {
                line.rsplit(' ').nth(1).is_some_and(|number| number.len() == 1) && !line.contains('1')
            }),
        ),
        ("level=error&grep=77", kept(&lines, |line| line.contains("ERROR") && line.contains("77"))),
        ("since=2026-11-20T02:00:00Z&until=2026-11-20T02:00:10Z", lines[7200..7210].to_vec()),
        ("grep=nothing%20of%20the%20kind", Vec::new()),
    ] {
        let oldest = search(&server, &format!("{query}&order=oldest&limit=all"));
        assert_lines(&texts(&oldest), &expected);
        assert_eq!(done(&oldest, "hits"), expected.len(), "{query}");
        let mut newest = texts(&search(&server, &format!("{query}&limit=all")));
        newest.reverse();
        assert_lines(&newest, &expected);
        let found = search(&server, &format!("{query}&mode=find&order=oldest&limit=5"));
        assert_eq!(done(&found, "hits"), expected.len(), "find counts on beyond its limit");
        assert_eq!(places(&found).len(), expected.len().min(5));
        let mut counts = std::collections::HashMap::new();
        for record in found.iter().filter_map(|record| record["density"].as_array()) {
            counts.extend(record.iter().map(|pair| (pair[0].as_u64(), pair[1].as_u64().expect("a count"))));
        }
        assert_eq!(counts.values().sum::<u64>(), expected.len() as u64, "the density counts all");
        for (at, text) in places(&found).into_iter().zip(&expected) {
            let answer = get(&server, &format!("/api/lines?file=f&at={at}&after=1"));
            assert_eq!(answer.text().trim_end(), text);
        }
    }
}

#[test]
fn a_limit_ends_a_search_for_lines_and_a_place_begins_it() {
    let lines = log(5_000);
    let place = Place::with("f", lines.join("\n") + "\n");
    let server = Server::start(&place, &["f"]);
    let found = search(&server, "grep=ERROR&limit=3");
    let expected = kept(&lines, |line| line.contains("ERROR"));
    let mut newest = texts(&found);
    newest.reverse();
    assert_lines(&newest, &expected[expected.len() - 3..]);
    assert_eq!(done(&found, "stopped"), "limit");
    // From the last one on, back: the ones before.
    let last = found.iter().rev().find(|record| record["text"].is_string()).expect("a line");
    let before = search(&server, &format!("file=f&grep=ERROR&limit=2&from={}", last["offset"]));
    let mut older = texts(&before);
    older.reverse();
    assert_lines(&older, &expected[expected.len() - 5..expected.len() - 3]);
    let cursor = last["cursor"].as_str().expect("a cursor");
    let after = search(&server, &format!("file=f&grep=ERROR&order=oldest&from={cursor}"));
    assert_lines(&texts(&after), &expected[expected.len() - 2..]);
    let said = last["level"].as_str().expect("a level");
    assert_eq!((said, last["time"].as_str()), ("error", Some(&last["text"].as_str().expect("a text")[..20])));
}

#[test]
fn all_sources_and_all_lives_are_searched() {
    let place = Place::with("f", "needle 5\n");
    place.write("f.1", "needle 3\nhay\nneedle 4\n");
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(b"needle 1\nneedle 2\n").expect("a write");
    place.write("f.2.gz", gz.finish().expect("gzip"));
    let old = std::time::SystemTime::now() - std::time::Duration::from_secs(3600);
    let aged = std::fs::File::open(place.path("f.2.gz")).and_then(|file| file.set_modified(old));
    aged.expect("a time");
    place.write("g", "needle 6\nhay");
    let server = Server::start(&place, &["f", "g"]);
    let found = texts(&search(&server, "grep=needle&order=oldest"));
    assert_lines(&found, &(1..=6).map(|n| format!("needle {n}")).collect::<Vec<_>>());
    let found = texts(&search(&server, "grep=needle&file=f"));
    assert_lines(&found, &(1..=5).rev().map(|n| format!("needle {n}")).collect::<Vec<_>>());
    drop(server);
    let server = Server::start(&place, &["f", "--no-history"]);
    assert_lines(&texts(&search(&server, "grep=needle")), &["needle 5"]);
}

#[test]
fn records_come_as_events_too() {
    let place = Place::with("f", "a\nb\n");
    let server = Server::start(&place, &["f"]);
    let request = format!(
        "GET /api/search?grep=a HTTP/1.1\r\nHost: {}\r\nAccept: text/event-stream\r\nConnection: close\r\n\r\n",
        server.address
    );
    let answer = raw(&server, request.as_bytes()).expect("an answer");
    let text = answer.text();
    assert!(text.starts_with("data: {\"file\":\"f\"") && text.ends_with("}\n\n"), "{text}");
    assert_eq!(text.matches("data: ").count(), 2, "{text}");
}

#[test]
fn what_cannot_be_searched_is_refused() {
    let place = Place::with("f", "a\n");
    place.write("g", "b\n");
    let server = Server::start(&place, &["f", "g"]);
    for (query, status, parameter) in [
        ("", 400, "grep"),
        ("grep=(", 400, "grep"),
        ("grep=a&order=up", 400, "order"),
        ("grep=a&mode=x", 400, "mode"),
        ("grep=a&limit=-1", 400, "limit"),
        ("grep=a&from=3", 400, "from"),
        ("grep=a&file=f&from=zzz", 400, "from"),
        ("grep=a&file=f&generation=1", 400, "generation"),
        ("grep=a&file=h", 404, "file"),
    ] {
        let answer = get(&server, &format!("/api/search?{query}"));
        assert_eq!((answer.status, &answer.json()["parameter"]), (status, &parameter.into()), "{query}");
    }
}

/// A client that goes away ends its search; many that stay do not keep the server from others.
#[test]
fn searches_end_with_their_clients() {
    let place = Place::with("f", numbered("a line of a log", 0, 400_000).join("\n") + "\n");
    let server = Server::start(&place, &["f"]);
    for _ in 0..40 {
        let mut socket = crate::support::http::connect(server.address);
        let query = "grep=%5B0-9%5D&limit=all";
        let request = format!("GET /api/search?{query} HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
        socket.write_all(request.as_bytes()).expect("a request");
        let (head, _) = crate::support::http::read_head(&mut socket);
        assert!(head.status == 200 || head.status == 503, "{head:?}");
    }
    let found = crate::support::wait_for("a free search", || {
        let answer = get(&server, "/api/search?grep=399999&mode=find");
        (answer.status == 200).then(|| answer.text())
    });
    assert!(found.contains(r#""done":true,"hits":1,"#), "{found}");
}

/// A life that is rotated away is found as long as its file is there: while the follower drains it, and when it is let go.
#[test]
fn a_rotated_life_stays() {
    let place = Place::with("f", numbered("a", 0, 100).join("\n") + "\n");
    let server = Server::start(&place, &["f"]);
    let count = || done(&search(&server, "grep=%5Ea-&mode=find"), "hits").as_u64();
    assert_eq!(count(), Some(101));
    place.rename("f", "f.1");
    place.write("f", numbered("b", 0, 10).join("\n") + "\n");
    // The follower lets go of the old file some seconds after it last grew.
    for _ in 0..16 {
        assert_eq!(count(), Some(101));
        std::thread::sleep(std::time::Duration::from_millis(500));
    }
}

/// Files that all begin with the same line: a place is one of the life that it was told of.
#[test]
fn lives_with_the_same_first_line_are_told_apart() {
    let place = Place::with("f", "#Version: 1.0\nnew 1\nnew 2\nnew 3\n");
    let now = std::time::SystemTime::now();
    for (name, text, age) in [("f.1", "mid", 1000), ("f.2", "old", 2000)] {
        place.write(name, format!("#Version: 1.0\n{text} 1\n{text} 2\n{text} 3\n"));
        let time = now - std::time::Duration::from_secs(age);
        std::fs::File::open(place.path(name)).and_then(|file| file.set_modified(time)).expect("a time");
    }
    let server = Server::start(&place, &["f"]);
    let found = search(&server, "grep=%202%24&mode=find&order=oldest");
    let told: Vec<String> = found
        .iter()
        .filter(|record| record["hits"].is_array())
        .map(|record| {
            let generation = record["generation"].as_str().expect("a generation").replace('~', "%7E");
            let target =
                format!("/api/lines?file=f&at={}&generation={generation}&after=1", record["hits"][0]);
            get(&server, &target).text().trim_end().to_owned()
        })
        .collect();
    assert_lines(&told, &["old 2", "mid 2", "new 2"]);
    // Back in steps of two lines, by offset and generation, over all lives.
    let (mut at, mut all) = ("end".to_owned(), Vec::new());
    for _ in 0..20 {
        let answer = get(&server, &format!("/api/lines?file=f&at={at}&before=2"));
        let mut lines: Vec<String> = answer.text().lines().map(str::to_owned).collect();
        lines.append(&mut all);
        all = lines;
        let header = |name: &str| answer.header(name).map(|value| value.replace('~', "%7E"));
        at = match header("x-logcast-previous") {
            Some(previous) => previous,
            None if header("x-logcast-from") == header("x-logcast-begin") => break,
            None => format!(
                "{}&generation={}",
                header("x-logcast-from").expect("a place"),
                header("x-logcast-generation").expect("a generation")
            ),
        };
    }
    let expected: Vec<String> = ["old", "mid", "new"]
        .iter()
        .flat_map(|name| {
            std::iter::once("#Version: 1.0".to_owned()).chain((1..4).map(move |n| format!("{name} {n}")))
        })
        .collect();
    assert_lines(&all, &expected);
}

/// A damaged archive gives what can be read, is told as a gap, and hides nothing that is older.
#[test]
fn a_damaged_archive_hides_nothing() {
    let place = Place::with("f", "needle new\n");
    let lines = numbered("needle damaged, some words to compress", 0, 20_000).join("\n") + "\n";
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(lines.as_bytes()).expect("a write");
    let packed = gz.finish().expect("gzip");
    place.write("f.1.gz", &packed[..packed.len() / 2]);
    place.write("f.2", "needle old\n");
    let now = std::time::SystemTime::now();
    for (name, age) in [("f.1.gz", 1000), ("f.2", 2000)] {
        let time = now - std::time::Duration::from_secs(age);
        std::fs::File::open(place.path(name)).and_then(|file| file.set_modified(time)).expect("a time");
    }
    let server = Server::start(&place, &["f"]);
    let found = search(&server, "grep=needle&limit=all");
    let all = texts(&found);
    assert_eq!(
        (all.first().map(String::as_str), all.last().map(String::as_str)),
        (Some("needle new"), Some("needle old"))
    );
    assert!(all.len() > 1000 && all.len() < 20_002, "{} lines", all.len());
    assert!(found.iter().any(|record| record["gap"]["reason"].is_string()), "the damage is told");
}

/// Two clients that ask for all and read nothing keep nobody else from searching.
#[test]
fn who_reads_nothing_keeps_nobody_waiting() {
    let place = Place::with(
        "f",
        numbered("a line of a log that is long enough to fill sockets", 0, 400_000).join("\n") + "\n",
    );
    let server = Server::start(&place, &["f"]);
    let stalled: Vec<_> = (0..4)
        .map(|_| {
            let mut socket = crate::support::http::connect(server.address);
            let request =
                format!("GET /api/search?grep=line&limit=all HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
            socket.write_all(request.as_bytes()).expect("a request");
            socket
        })
        .collect();
    let found = search(&server, "grep=399999%24&mode=find");
    assert_eq!(done(&found, "hits"), 1);
    drop(stalled);
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_first_line() {
    let place = Place::with("f", "\u{feff}first\nsecond\n");
    let server = Server::start(&place, &["f"]);
    assert_lines(&texts(&search(&server, "grep=%5Efirst%24")), &["first"]);
    let excluded = search(&server, "exclude=%5Efirst");
    assert_lines(&texts(&excluded), &["second"]);
}

//! The page's two ways to a file: any place of it by `/api/lines`, and its end by `view=live`.

use crate::support::http::get;
use crate::support::writer::text;
use crate::support::{Client, Event, Place, Response, Server, assert_lines, numbered};
use serde_json::Value;

/// GET as JSON, which has to be there.
#[track_caller]
fn json(server: &Server, target: &str) -> Value {
    let host = server.address;
    let request = format!(
        "GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: application/json\r\nConnection: close\r\n\r\n"
    );
    let answer = crate::support::http::raw(server, request.as_bytes()).expect("an answer");
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/json")), "{target}");
    answer.json()
}

#[track_caller]
fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("{value} is no number"))
}

/// The texts of an answer; checks on the way that each line begins where the one before ends.
#[track_caller]
fn texts(answer: &Value) -> Vec<String> {
    let mut at = number(&answer["from"]);
    let lines = answer["lines"].as_array().expect("lines");
    for line in lines {
        assert_eq!(number(&line["offset"]), at, "{line}");
        at = number(&line["next"]);
    }
    assert_eq!(number(&answer["to"]), at);
    lines.iter().map(|line| line["text"].as_str().expect("a text").to_owned()).collect()
}

#[track_caller]
fn header(answer: &Response, name: &str) -> u64 {
    answer.header(name).unwrap_or_else(|| panic!("no {name}: {answer:?}")).parse().expect("a number")
}

/// Lines of very different lengths.
fn mixed(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("{number} {}", "x".repeat(number * 7919 % 700))).collect()
}

#[test]
fn windows_tile_the_file() {
    let lines = mixed(3000);
    let place = Place::with("f", text(&lines));
    let server = Server::start(&place, &["f"]);
    let size = std::fs::metadata(place.path("f")).expect("the file").len();
    let (mut at, mut down) = (0, Vec::new());
    while at < size {
        let answer = json(&server, &format!("/api/lines?file=f&at={at}&after=170"));
        assert_eq!((number(&answer["from"]), number(&answer["at"])), (at, at));
        assert_eq!(number(&answer["size"]), size);
        let part = texts(&answer);
        assert!((1..=170).contains(&part.len()), "{} lines", part.len());
        down.extend(part);
        at = number(&answer["to"]);
    }
    assert_lines(&down, &lines);
    let (mut at, mut up) = (size, Vec::new());
    while at > 0 {
        let answer = get(&server, &format!("/api/lines?file=f&at={at}&before=170"));
        assert_eq!(answer.header("content-type"), Some("application/octet-stream"));
        assert_eq!((header(&answer, "x-logcast-to"), header(&answer, "x-logcast-at")), (at, at));
        let from = header(&answer, "x-logcast-from");
        assert_eq!(at - from, answer.body.len() as u64);
        assert!(from < at, "no way up from {at}");
        up.push(answer.body);
        at = from;
    }
    up.reverse();
    assert_eq!(up.concat(), text(&lines).into_bytes(), "raw is byte for byte");
}

#[test]
fn places() {
    let place = Place::with("f", text(&numbered("n", 1, 1000)));
    let server = Server::start(&place, &["f"]);
    // Each line is nine bytes long: n-000001 and its newline.
    for (at, found) in [
        ("0", 0),
        ("8", 0),
        ("9", 9),
        ("4507", 4500),
        ("end", 9000),
        ("99999999", 9000),
        ("0%", 0),
        ("100%", 9000),
    ] {
        let answer =
            get(&server, &format!("/api/lines?file=f&at={}&before=2&after=2", at.replace('%', "%25")));
        assert_eq!(header(&answer, "x-logcast-at"), found, "at={at}");
        let lines: Vec<String> = answer.text().lines().map(str::to_owned).collect();
        let first = (found / 9 + 1) as usize;
        assert_lines(&lines, &numbered("n", first.saturating_sub(2).max(1), (first + 1).min(1000)));
    }
    let half = get(&server, "/api/lines?file=f&at=50%25&after=1");
    assert!((4400..=4600).contains(&header(&half, "x-logcast-at")), "{half:?}");
    assert_eq!(half.header("x-logcast-file"), Some("f"));
    // The id of an event is a place too: what follows the line.
    let mut client = Client::all(&server);
    client.take(400);
    let id = client.cut();
    let answer = json(&server, &format!("/api/lines?file=f&at={id}&before=1&after=1"));
    assert_lines(&texts(&answer), &numbered("n", 400, 401));
}

#[test]
fn unfinished_line() {
    let place = Place::with("f", "one\ntwo\nunfin");
    let server = Server::start(&place, &["f"]);
    let answer = json(&server, "/api/lines?file=f&at=end&before=5");
    assert_lines(&texts(&answer), &["one", "two"]);
    assert_eq!((answer["partial"].as_str(), number(&answer["size"])), (Some("unfin"), 8));
    place.append("f", "ished\n");
    let mut client = Client::all(&server);
    assert_lines(&client.take(3), &["one", "two", "unfinished"]);
    let answer = json(&server, "/api/lines?file=f&at=end&before=5");
    assert_lines(&texts(&answer), &["one", "two", "unfinished"]);
    assert!(answer["partial"].is_null(), "{answer}");
}

/// A line longer than any answer is cut and passed, from both sides.
#[test]
fn line_longer_than_an_answer() {
    let place = Place::with("f", "before\n");
    place.append("f", [vec![b'x'; 5_000_000], b"\nafter\nlast\n".to_vec()].concat());
    let server = Server::start(&place, &["f"]);
    let (mut at, mut all) = (0, Vec::new());
    for _ in 0..6 {
        let answer = json(&server, &format!("/api/lines?file=f&at={at}&after=1"));
        all.extend(texts(&answer));
        at = number(&answer["to"]);
        if at == number(&answer["size"]) {
            break;
        }
    }
    let lengths: Vec<usize> = all.iter().map(String::len).collect();
    assert_eq!(lengths, [6, 1 << 20, 5, 4], "forward, a line at a time");
    let mut at = 5_000_019;
    let mut up = Vec::new();
    for _ in 0..6 {
        let answer = json(&server, &format!("/api/lines?file=f&at={at}&before=1"));
        let part = texts(&answer);
        up.extend(part.into_iter().rev());
        at = number(&answer["from"]);
        if at == 0 {
            break;
        }
    }
    let lengths: Vec<usize> = up.iter().map(String::len).collect();
    assert_eq!(lengths, [4, 5, 1 << 20, 6], "and backward");
    let all = get(&server, "/api/lines?file=f&at=0&after=2000");
    assert!(all.body.len() <= 2 << 20, "{} bytes in an answer", all.body.len());
}

/// An earlier life is read by its generation as long as a sibling holds it.
#[test]
fn earlier_generations() {
    let place = Place::with("f", text(&numbered("old", 1, 50)));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(50);
    let before = json(&server, "/api/lines?file=f&at=0&after=1");
    let old = before["generation"].as_str().expect("a generation").to_owned();
    assert_eq!(old.len(), 8);
    place.rename("f", "f.1");
    place.write("f", text(&numbered("new", 1, 5)));
    client.take(5);
    let now = json(&server, "/api/lines?file=f&at=0&after=100");
    assert_lines(&texts(&now), &numbered("new", 1, 5));
    assert_ne!(now["generation"].as_str(), Some(old.as_str()));
    let then = json(&server, &format!("/api/lines?file=f&at=0&after=100&generation={old}"));
    assert_lines(&texts(&then), &numbered("old", 1, 50));
    assert_eq!(then["generation"].as_str(), Some(old.as_str()));
    place.remove("f.1");
    crate::support::wait_for("the old life to be let go", || {
        let gone = get(&server, &format!("/api/lines?file=f&at=0&after=100&generation={old}"));
        (gone.status == 410).then_some(gone)
    });
}

#[test]
fn what_is_refused() {
    let place = Place::with("f", "one\n");
    place.write("g", "two\n");
    let server = Server::start(&place, &["f", "g", "missing"]);
    let mut other = Client::open(&server, "file=g&lines=all");
    other.take(1);
    let foreign = format!("/api/lines?file=f&at={}", other.cut());
    for (target, status, parameter) in [
        ("/api/lines", 400, "file"),
        ("/api/lines?file=nothing", 404, ""),
        ("/api/lines?file=missing", 404, ""),
        ("/api/lines?file=../f", 404, ""),
        ("/api/lines?file=f&before=2001", 400, "before"),
        ("/api/lines?file=f&before=1500&after=1500", 400, "after"),
        ("/api/lines?file=f&before=-1", 400, "before"),
        ("/api/lines?file=f&after=x", 400, "after"),
        ("/api/lines?file=f&at=101%25", 400, "at"),
        ("/api/lines?file=f&at=-1", 400, "at"),
        ("/api/lines?file=f&at=99999999999999999999999", 400, "at"),
        ("/api/lines?file=f&at=%00", 400, "at"),
        ("/api/lines?file=f&generation=xyz", 400, "generation"),
        ("/api/lines?file=f&generation=AbCdEfGh", 410, ""),
        ("/api/lines?file=f&unknown=1", 400, "unknown"),
        (foreign.as_str(), 400, "at"),
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, status, "{target}: {}", answer.text());
        assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{target}");
        let problem = answer.json();
        assert_eq!(problem["status"], status, "{target}: {problem}");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{target}: {problem}");
        if !parameter.is_empty() {
            assert_eq!(problem["parameter"], parameter, "{target}: {problem}");
        }
    }
}

/// What the page knows of a file: bytes `from..at` of one life were covered.
struct Covered {
    at: u64,
    lines: u64,
    skipped: u64,
}

impl Covered {
    /// Checks that a batch goes on where the last ended, and that its lines are the file's.
    #[track_caller]
    fn batch(&mut self, event: &Event, file: &[u8]) {
        let batch = event.json();
        let (from, to, skip) = (number(&batch["from"]), number(&batch["to"]), number(&batch["skip"]));
        assert_eq!(from, self.at, "a batch goes on where the last one ended: {}..{to}", from);
        assert!(from + skip <= to && to <= file.len() as u64, "{from}+{skip}..{to}");
        let (lines, offsets) =
            (batch["lines"].as_array().expect("lines"), batch["offsets"].as_array().expect("offsets"));
        assert_eq!(lines.len(), offsets.len());
        assert!(lines.len() <= 500, "{} lines in a batch", lines.len());
        let mut at = from + skip;
        for (line, offset) in lines.iter().zip(offsets) {
            let line = line.as_str().expect("a line");
            assert_eq!(number(offset), at);
            let next = at + line.len() as u64 + 1;
            assert_eq!(&file[at as usize..next as usize], format!("{line}\n").as_bytes());
            at = next;
        }
        assert_eq!(at, to, "what is not skipped is sent");
        self.at = to;
        self.lines += lines.len() as u64;
        self.skipped += skip;
    }
}

/// The batches of the page's view cover every byte once, in a flood and over a restart; what they skip they say.
#[test]
fn batches_cover_every_byte() {
    let mut lines = numbered("old", 1, 100);
    let place = Place::with("f", text(&lines));
    let mut server = Server::start(&place, &["f"]);
    let mut client = Client::open(&server, "view=live&lines=0");
    let hello = client.hello().json();
    let tip = number(&hello["files"][0]["tip"]);
    assert_eq!(tip, 1100);
    let mut covered = Covered { at: tip, lines: 0, skipped: 0 };
    let flood = numbered(&"flood ".repeat(20), 1, 20_000);
    for part in flood.chunks(4000) {
        place.append("f", text(part));
    }
    lines.extend(flood);
    let mut file = text(&lines).into_bytes();
    let mut ticks = 0;
    while covered.at < file.len() as u64 {
        let event = client.next();
        match event.name.as_str() {
            "batch" => covered.batch(&event, &file),
            "tick" => ticks += 1,
            name => panic!("{name} in a flood: {event:?}"),
        }
    }
    assert_eq!(covered.skipped + covered.lines * 128, 20_000 * 128, "{ticks} ticks on the way");
    assert!(covered.lines >= 500, "the newest come with the batches");
    // A quiet stream ticks, and a line comes at once.
    client.until(|event| event.name == "tick");
    let id = client.cut();
    server.kill();
    lines.extend(numbered("away", 1, 30));
    place.append("f", text(&numbered("away", 1, 30)));
    server.restart();
    let mut client = Client::resume(&server, "view=live&lines=0", &id);
    client.hello();
    file = text(&lines).into_bytes();
    while covered.at < file.len() as u64 {
        let event = client.next();
        if event.name == "batch" {
            covered.batch(&event, &file);
        }
        assert_ne!(event.name, "gap", "{event:?}");
    }
}

#[test]
fn the_zone_is_said_by_its_name() {
    let place = Place::with("f", "one\n");
    for (asked, told) in
        [("Europe/Berlin", "Europe/Berlin"), ("europe/berlin", "Europe/Berlin"), ("UTC", "UTC")]
    {
        let server = Server::start(&place, &["f", "--tz", asked]);
        assert_eq!(get(&server, "/api/files").json()["zone"], told, "{asked}");
    }
    let server = Server::start(&place, &["f"]);
    assert!(get(&server, "/api/files").json()["zone"].is_string());
}

//! `--redact` and `--redact-secrets` (row 123): masked on every route, in every id, and nothing tells it otherwise; and
//! all that is promised of resuming holds.

use crate::support::http::{get, raw};
use crate::support::server::{LOGCAST, run};
use crate::support::writer::text;
use crate::support::{Client, Place, Response, Server, assert_lines, wait_for};
use std::io::Write;
use std::time::Duration;

/// What must never be seen, and what is shown instead.
const SECRET: &str = "hunter2x77";
const SHOWN: &str = "[redacted:password]";

fn line(n: usize, secret: &str) -> String {
    match n % 3 {
        1 => format!("2026-11-27T10:00:{:02}Z INFO line {n:04} password={secret} ok", n % 60),
        _ => format!("2026-11-27T10:00:{:02}Z INFO line {n:04}", n % 60),
    }
}

fn lines(from: usize, to: usize) -> Vec<String> {
    (from..=to).map(|n| line(n, SECRET)).collect()
}

fn shown(from: usize, to: usize) -> Vec<String> {
    (from..=to).map(|n| line(n, SHOWN)).collect()
}

fn request(server: &Server, method: &str, target: &str, headers: &str) -> Response {
    let host = server.address;
    let text = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    raw(server, text.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {target}"))
}

/// An answer in which the secret is not, as text.
#[track_caller]
fn clean(server: &Server, target: &str, accept: &str) -> String {
    let response = request(server, "GET", target, &format!("Accept: {accept}\r\n"));
    assert_eq!(response.status, 200, "{target}: {}", response.text());
    let text = response.text();
    assert!(!text.contains(SECRET), "{target} {accept}: {text}");
    text
}

fn records(ndjson: &str) -> Vec<serde_json::Value> {
    ndjson
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

/// Where the lines of a file begin and end.
fn places(content: &str) -> Vec<(u64, u64)> {
    let mut at = 0;
    content
        .split_inclusive('\n')
        .map(|line| {
            (at, {
                at += line.len() as u64;
                at
            })
        })
        .collect()
}

#[test]
fn no_route_gives_a_secret_and_all_give_the_file_s_places() {
    let content = text(&lines(1, 300));
    let place = Place::with("f", &content);
    let server = Server::start(&place, &["f", "--redact-secrets"]);
    let all = "/stream-logs?lines=all&follow=false";
    let (expected, places) = (shown(1, 300), places(&content));
    assert_eq!(clean(&server, all, "text/plain"), text(&expected));
    let events = clean(&server, all, "text/event-stream");
    assert_eq!(events.matches(SHOWN).count(), 100);
    let found = |record: &serde_json::Value| {
        (record["offset"].as_u64().expect("a place"), record["next"].as_u64().expect("a place"))
    };
    let told = |records: &[serde_json::Value]| -> (Vec<String>, Vec<(u64, u64)>) {
        let lines: Vec<_> = records.iter().filter(|record| record["text"].is_string()).collect();
        let text = lines.iter().map(|record| record["text"].as_str().expect("text").to_owned()).collect();
        (text, lines.iter().map(|record| found(record)).collect())
    };
    let (lines, offsets) = told(&records(&clean(&server, all, "application/x-ndjson")));
    assert_lines(&lines, &expected);
    assert_eq!(offsets, places);
    assert!(clean(&server, &format!("{all}&format=json"), "text/event-stream").contains(SHOWN));
    assert!(clean(&server, &format!("{all}&view=live"), "text/event-stream").contains(SHOWN));
    // What is not the file's bytes is never given as such.
    for accept in ["*/*", "application/json", "application/octet-stream"] {
        let answer = clean(&server, "/api/lines?file=f&at=50%25&before=100&after=100", accept);
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
        let (lines, offsets) = told(answer["lines"].as_array().expect("lines"));
        let first = places.iter().position(|place| *place == offsets[0]).expect("a line's place");
        assert_lines(&lines, &expected[first..first + 200]);
        assert_eq!(offsets, places[first..first + 200]);
    }
    let filtered = clean(&server, "/api/lines?file=f&at=end&before=20&grep=redacted", "application/json");
    let (_, offsets) = told(
        serde_json::from_str::<serde_json::Value>(&filtered).expect("JSON")["lines"]
            .as_array()
            .expect("lines"),
    );
    let marked: Vec<_> =
        places.iter().enumerate().filter(|(n, _)| (n + 1) % 3 == 1).map(|(_, place)| *place).collect();
    assert_eq!(offsets, marked[80..]);
    for order in ["newest", "oldest"] {
        let answer = clean(&server, &format!("/api/search?grep=redacted&mode=filter&order={order}"), "*/*");
        let (lines, mut offsets) = told(&records(&answer));
        assert_eq!(lines.len(), 100);
        offsets.sort_unstable();
        assert_eq!(offsets, marked);
    }
    // Its places are those of the file: a look there shows the line.
    let (_, next) = marked[7];
    let around = clean(&server, &format!("/api/lines?file=f&at={next}&before=1"), "application/json");
    assert!(around.contains(SHOWN));
    clean(&server, "/api/histogram?file=f", "*/*");
    clean(&server, "/api/files", "*/*");
    clean(&server, "/metrics", "*/*");
    assert!(!server.stderr().contains(SECRET));
}

/// Who may search, filter or count must not be able to try whether a secret is this one.
#[test]
fn nothing_can_be_asked_of_a_secret() {
    let place = Place::with("f", text(&lines(1, 300)));
    place.write("f.1", text(&lines(1, 60)));
    let server = Server::start(&place, &["f", "--redact-secrets"]);
    for part in [SECRET, "hunter", "password=h", "r2x77"] {
        for mode in ["find", "filter"] {
            for order in ["newest", "oldest"] {
                let found =
                    get(&server, &format!("/api/search?grep={part}&mode={mode}&order={order}&case=no"));
                let last = records(&found.text()).pop().expect("a last record");
                assert_eq!((last["done"].as_bool(), last["hits"].as_u64()), (Some(true), Some(0)), "{part}");
            }
        }
        let streamed =
            clean(&server, &format!("/stream-logs?lines=5&follow=false&grep={part}"), "text/plain");
        assert_eq!(streamed, "", "{part}");
        let others = format!("/stream-logs?lines=all&follow=false&exclude={part}");
        assert_eq!(clean(&server, &others, "text/plain"), text(&shown(1, 300)), "{part}");
        let around = clean(&server, &format!("/api/lines?file=f&at=end&before=9&grep={part}"), "*/*");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&around).expect("JSON")["lines"],
            serde_json::json!([])
        );
        assert_eq!(clean(&server, &format!("/raw/f?grep={part}"), "*/*"), "", "{part}");
        assert_eq!(clean(&server, &format!("/raw/f?exclude={part}"), "*/*"), text(&shown(1, 300)), "{part}");
    }
    let found = get(&server, "/api/search?grep=redacted:password&mode=find&limit=0&file=f");
    assert_eq!(records(&found.text()).pop().expect("a last record")["hits"], 120);
}

#[test]
fn downloads_are_whole_lines_without_ranges() {
    let content = text(&lines(1, 300));
    let place = Place::with("f", format!("{content}unfinished password=hun"));
    place.write("f.2.gz", gzip(text(&lines(1, 9)).as_bytes()));
    let server = Server::start(&place, &["f", "--redact-secrets"]);
    let expected = format!("{}unfinished", text(&shown(1, 300)));
    for headers in
        ["", "Range: bytes=0-9\r\n", "Range: bytes=999999-\r\n", "If-Range: \"x\"\r\nRange: bytes=5-\r\n"]
    {
        let answer = request(&server, "GET", "/raw/f", headers);
        assert_eq!((answer.status, answer.header("accept-ranges")), (200, Some("none")), "{headers}");
        assert_eq!((answer.header("content-range"), answer.header("etag")), (None, None), "{headers}");
        assert_eq!(answer.text(), expected, "{headers}");
    }
    let head = request(&server, "HEAD", "/raw/f", "");
    assert_eq!((head.status, head.header("content-length"), head.body.len()), (200, None, 0));
    // A slice within a secret is that of its line.
    let begin = content.find("line 0100").expect("a line") as u64;
    let from = content[begin as usize..].find(SECRET).expect("a secret") as u64 + begin + 3;
    for (from, to, whole) in [(from, from + 2, 1), (from, from + 40, 2), (begin, from, 1)] {
        let slice = clean(&server, &format!("/raw/f?from={from}&to={to}"), "*/*");
        assert_eq!(slice, text(&shown(100, 99 + whole)), "{from} {to}");
        let kept = clean(&server, &format!("/raw/f?from={from}&to={to}&grep=redacted"), "*/*");
        assert_eq!(kept, text(&shown(100, 100)), "{from} {to}");
    }
    let history = clean(&server, "/raw/f?history=true", "*/*");
    assert_eq!(history, format!("{}{expected}", text(&shown(1, 9))));
    let partial = get(&server, "/api/lines?file=f&at=end&before=1").json();
    assert_eq!(partial["partial"], "unfinished");
    // When it has its newline it is a line like any other.
    place.append("f", "ter\n");
    wait_for("the last line", || {
        let text = get(&server, "/raw/f").text();
        text.ends_with("unfinished password=[redacted:password]\n").then_some(())
    });
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(bytes).expect("memory");
    gz.finish().expect("memory")
}

#[test]
fn a_client_goes_on_over_restarts_and_rotations() {
    for how in ["append", "rename", "copytruncate", "gzip"] {
        let place = Place::with("f", text(&lines(1, 40)));
        let mut server = Server::start(&place, &["f", "--redact-secrets"]);
        let mut client = Client::all(&server);
        // The last one is a line with a secret.
        assert_lines(&client.take(19), &shown(1, 19));
        let id = client.cut();
        server.kill();
        place.append("f", text(&lines(41, 50)));
        match how {
            "rename" => place.rename("f", "f.1"),
            "copytruncate" => {
                place.copy("f", "f.1");
                place.truncate("f", 0);
            }
            "gzip" => {
                place.write("f.1.gz", gzip(&std::fs::read(place.path("f")).expect("the file")));
                place.remove("f");
            }
            _ => {}
        }
        place.append("f", text(&lines(51, 60)));
        server.restart();
        let mut client = Client::resume(&server, "", &id);
        assert_lines(&client.take(41), &shown(20, 60));
        place.append("f", text(&lines(61, 70)));
        assert_lines(&client.take(10), &shown(61, 70));
        assert!(!client.saw("gap"), "{how}: {:?}", client.events);
    }
}

/// Each line's id, as it came live and as it is read again, from wherever.
#[test]
fn ids_do_not_depend_on_who_reads_or_when() {
    let place = Place::with("f", "first password=hunter2x77\n");
    let server = Server::start(&place, &["f", "--redact-secrets"]);
    let mut live = Client::all(&server);
    live.take(1);
    let mut written = place.appender("f");
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAhunter2x77\nhunter2x77\n-----END RSA PRIVATE KEY-----\n";
    let more = [text(&lines(1, 30)), key.to_owned(), text(&lines(31, 60))].concat();
    // In pieces that end anywhere, a secret split over two of them.
    for piece in more.as_bytes().chunks(37) {
        written.write_all(piece).expect("write");
        std::thread::sleep(Duration::from_millis(2));
    }
    live.take(64);
    let ids = |client: &Client| -> Vec<String> {
        client.events.iter().filter(|event| event.is_line()).map(|event| event.id.clone()).collect()
    };
    let all = ids(&live);
    assert!(live.events.iter().all(|event| !event.data.contains(SECRET)), "{:?}", live.events);
    assert_eq!(live.events.iter().filter(|event| event.data == "[redacted:private-key]").count(), 2);
    for from in [0, 1, 20, 31, 32, 33, 34, 50] {
        let mut client = Client::resume(&server, "", &all[from]);
        client.take(64 - from);
        assert!(!client.saw("gap"), "{from}: {:?}", client.events);
        assert_eq!(ids(&client), all[from + 1..], "{from}");
    }
    // From within the key: what its lines are follows from those above.
    let last = clean(&server, "/stream-logs?lines=31&follow=false", "text/plain");
    assert!(last.starts_with("-----END RSA PRIVATE KEY-----\n"));
    let last = clean(&server, "/stream-logs?lines=32&follow=false", "text/plain");
    assert!(last.starts_with("[redacted:private-key]\n"));
}

/// An id must not tell whether a secret is this one: files that differ in nothing else have the same.
#[test]
fn ids_of_files_that_differ_in_a_secret_alone_are_the_same() {
    let ids = |secret: &str, args: &[&str]| -> Vec<String> {
        let lines: Vec<String> = (1..=30).map(|n| line(n, secret)).collect();
        let place = Place::with("f", text(&lines));
        let server = Server::start(&place, args);
        let mut client = Client::all(&server);
        client.take(30);
        let tie = |id: &str| format!("{}..{}", &id[..12], &id[14..]);
        client.events.iter().filter(|event| event.is_line()).map(|event| tie(&event.id)).collect()
    };
    let redacted = ["f", "--redact-secrets"];
    assert_eq!(ids("hunter2x77", &redacted), ids("winter3y88", &redacted));
    let own = ["f", "--redact", "password=(\\w+)"];
    assert_eq!(ids("hunter2x77", &own), ids("winter3y88", &own));
    assert_ne!(ids("hunter2x77", &["f"]), ids("winter3y88", &["f"]));
}

/// Ids of a server that redacts mean nothing to one that does not, and the other way round: a gap, never another place.
#[test]
fn ids_with_and_without_redaction_are_told_apart() {
    let first = ["2026 password=hunter2x77 begins".to_owned()];
    let place = Place::with("f", text(&[&first[..], &lines(2, 40)].concat()));
    let id = |args: &[&str]| {
        let server = Server::start(&place, args);
        let mut client = Client::all(&server);
        client.take(19);
        client.cut()
    };
    let (bare, redacted) = (id(&["f"]), id(&["f", "--redact-secrets"]));
    for (args, id) in [(&["f"][..], &redacted), (&["f", "--redact-secrets"], &bare)] {
        let server = Server::start(&place, args);
        let mut client = Client::resume(&server, "", id);
        let lines = client.take(40);
        assert!(client.saw("gap"), "{args:?}: {:?}", client.events);
        assert!(lines[0].ends_with("begins"), "the file from its start");
    }
}

#[test]
fn own_patterns_come_from_flags_environment_and_configuration() {
    let place = Place::with("f", "order 48 of ann@example.org pin=1234\n");
    let all = "/stream-logs?lines=all&follow=false";
    let server = Server::start(&place, &["f", "--redact", r"pin=(\d+)", "--redact", r"(?P<user>\w+)@[\w.]+"]);
    assert_eq!(clean(&server, all, "text/plain"), "order 48 of [redacted:user]@example.org pin=[redacted]\n");
    assert!(
        clean(&server, "/api/lines?file=f&at=end&before=1", "*/*").contains("[redacted:user]@example.org")
    );
    let words = ["env", "LOGCAST_REDACT=\\d+\nann", LOGCAST, "serve", "f", "--port", "0"];
    let server = Server::launch(&place, &words, std::process::Stdio::null());
    assert_eq!(
        clean(&server, all, "text/plain"),
        "order [redacted] of [redacted]@example.org pin=[redacted]\n"
    );
    place.write("own.toml", "redact = ['\\d+', 'ann']\nredact-secrets = true\n");
    let server = Server::start(&place, &["f", "--config", "own.toml"]);
    assert_eq!(
        clean(&server, all, "text/plain"),
        "order [redacted] of [redacted]@example.org pin=[redacted]\n"
    );
    let wrong = run(&place, &[LOGCAST, "serve", "f", "--redact", "a("]);
    assert_eq!(wrong.code, Some(2));
    assert_eq!(wrong.stderr.lines().next(), Some("error: cannot redact 'a(': unclosed group at byte 1"));
}

#[test]
fn standard_input_is_passed_on_as_it_is_and_shown_redacted() {
    let place = Place::new();
    let words = [
        "sh",
        "-c",
        "printf 'a password=hunter2x77\\n' | \"$0\" serve - --port 0 --redact-secrets --once --tee >out 2>err; cat err; echo; echo done",
        LOGCAST,
    ];
    let outcome = run(&place, &words);
    assert_eq!(
        std::fs::read_to_string(place.path("out")).expect("what was passed on"),
        "a password=hunter2x77\n"
    );
    assert!(outcome.stdout.ends_with("done\n") && !outcome.stdout.contains(SECRET), "{}", outcome.stdout);
    let mut server = Server::start_with_stdin(&place, &["-", "--redact-secrets"]);
    let mut stdin = server.stdin.take().expect("a pipe");
    stdin.write_all(b"a password=hun").expect("write");
    std::thread::sleep(Duration::from_millis(50));
    stdin.write_all(b"ter2x77\nb\n").expect("write");
    let mut client = Client::all(&server);
    assert_lines(&client.take(2), &["a password=[redacted:password]", "b"]);
}

#[test]
fn other_encodings_are_redacted_as_the_text_they_are() {
    let content = text(&lines(1, 30));
    let place = Place::new();
    for big in [false, true] {
        let units = std::iter::once(0xfeff).chain(content.encode_utf16());
        let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        let bytes: Vec<u8> = units.flat_map(order).collect();
        place.write("wide", &bytes);
        let server = Server::start(&place, &["wide", "--redact-secrets"]);
        let all = "/stream-logs?lines=all&follow=false";
        assert_eq!(clean(&server, all, "text/plain"), text(&shown(1, 30)), "{big}");
        let found = clean(&server, "/api/search?grep=redacted", "*/*");
        assert_eq!(found.matches(SHOWN).count(), 10, "{big}");
        assert_eq!(clean(&server, "/raw/wide", "*/*"), text(&shown(1, 30)), "{big}");
        let last = clean(&server, "/api/lines?file=wide&at=end&before=3", "*/*");
        assert!(last.contains("line 0028 password=[redacted:password] ok"), "{last}");
        let mut client = Client::all(&server);
        assert_lines(&client.take(19), &shown(1, 19));
        let mut client = Client::resume(&server, "", &client.cut());
        assert_lines(&client.take(11), &shown(20, 30));
        assert!(!client.saw("gap"), "{:?}", client.events);
    }
    place.write("old.gz", gzip(content.as_bytes()));
    let server = Server::start(&place, &["old.gz", "--redact-secrets"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(30), &shown(1, 30));
}

/// What a cut would split, at the limit of a line.
#[test]
fn a_long_line_is_cut_behind_its_secret() {
    let place = Place::new();
    let long = format!("{} password={SECRET} {}", "x".repeat((1 << 20) - 19), "y".repeat(300_000));
    place.write("f", format!("a\n{long}\nb\n"));
    let server = Server::start(&place, &["f", "--redact-secrets"]);
    let all = "/stream-logs?lines=all&follow=false";
    for accept in ["text/plain", "text/event-stream", "application/x-ndjson"] {
        let text = clean(&server, all, accept);
        assert!(text.contains("x password=[redacted") && !text.contains("hunt"), "{accept}");
    }
    for target in
        ["/raw/f", "/api/lines?file=f&at=2&after=1", "/api/search?grep=redacted", "/raw/f?grep=redacted"]
    {
        let text = clean(&server, target, "*/*");
        assert!(text.contains("x password=[redacted") && !text.contains("hunt"), "{target}");
    }
    let mut client = Client::all(&server);
    client.take(2);
    let mut client = Client::resume(&server, "", &client.cut());
    assert_lines(&client.take(1), &["b"]);
    assert!(!client.saw("gap"));
}

/// Lines that are shared, as they come, by all who watch: the page's batches too.
#[test]
fn what_comes_live_is_redacted_for_all() {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f", "--redact-secrets"]);
    let queries = ["lines=0", "lines=0&format=json", "lines=0&grep=line", "lines=0&view=live"];
    let mut clients = queries.map(|query| {
        let mut client = Client::open(&server, query);
        client.hello();
        client
    });
    let content = lines(1, 2_000);
    place.append("f", text(&content));
    assert_lines(&clients[0].take(2_000), &shown(1, 2_000));
    let last = |event: &crate::support::Event| event.data.contains("line 2000");
    let places = places(&text(&content));
    let json = clients[1].until(last);
    let json: Vec<_> = json.iter().filter(|event| event.is_line()).map(|event| event.json()).collect();
    for (record, (place, line)) in json.iter().zip(places.iter().zip(shown(1, 2_000))) {
        assert_eq!((record["offset"].as_u64(), record["next"].as_u64()), (Some(place.0), Some(place.1)));
        assert_eq!(record["text"], line);
    }
    clients[2].until(last);
    let batches = clients[3].until(last);
    // A batch tells where its lines are in the file, also behind what it skipped.
    let mut told = 0;
    for batch in batches.iter().filter(|event| event.name == "batch").map(|event| event.json()) {
        let offsets: Vec<u64> = batch["offsets"]
            .as_array()
            .expect("offsets")
            .iter()
            .map(|at| at.as_u64().expect("one"))
            .collect();
        for (offset, line) in offsets.iter().zip(batch["lines"].as_array().expect("lines")) {
            let number = places.iter().position(|place| place.0 == *offset).expect("a line's place") + 1;
            assert_eq!(line.as_str(), Some(self::line(number, SHOWN).as_str()));
            told += 1;
        }
        assert_eq!(batch["from"].as_u64().expect("from") + batch["skip"].as_u64().expect("skip"), offsets[0]);
    }
    assert!(told > 0);
    for client in &clients {
        assert!(client.events.iter().all(|event| !event.data.contains(SECRET)));
    }
}

//! `GET /raw/NAME`: what it sends is what `cmp` says, in parts, after the file grew, through rotations, filtered.

use crate::support::http::{connect, get, raw, read_head};
use crate::support::{Client, DEADLINE, Place, Response, Server, have, wait_for};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::process::Command;

/// Any request, with header lines.
#[track_caller]
fn request(server: &Server, method: &str, target: &str, headers: &str) -> Response {
    let host = server.address;
    let text = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    raw(server, text.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {target}"))
}

#[track_caller]
fn part(server: &Server, target: &str, range: &str, if_range: &str) -> Response {
    let if_range = if if_range.is_empty() { String::new() } else { format!("If-Range: {if_range}\r\n") };
    request(server, "GET", target, &format!("Range: {range}\r\n{if_range}"))
}

/// Lines that differ, about so many bytes.
fn content(bytes: usize) -> Vec<u8> {
    let mut text = Vec::with_capacity(bytes + 100);
    let mut number = 0;
    while text.len() < bytes {
        writeln!(text, "2026-11-25T10:00:00Z line {number} é {}", "x".repeat(number % 90)).expect("memory");
        number += 1;
    }
    text
}

/// The same, more of it, in less time.
fn much(bytes: usize) -> Vec<u8> {
    let block = content(1 << 20);
    (0..bytes >> 20).flat_map(|number| [format!("block {number}\n").as_bytes(), &block].concat()).collect()
}

/// Waits until the server has seen the file up to here.
#[track_caller]
fn seen(server: &Server, name: &str, tip: u64) {
    wait_for("the follower to come so far", || {
        let files = get(server, "/api/files").json();
        let file = files["files"].as_array()?.iter().find(|file| file["name"] == name)?.clone();
        (file["tip"] == tip).then_some(())
    });
}

/// A download whose reader waits for the test.
struct Slow {
    socket: TcpStream,
    head: Response,
    body: Vec<u8>,
}

impl Slow {
    #[track_caller]
    fn start(server: &Server, target: &str, headers: &str) -> Slow {
        let mut socket = connect(server.address);
        let host = server.address;
        let text = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
        socket.write_all(text.as_bytes()).expect("a request");
        let (head, body) = read_head(&mut socket);
        Slow { socket, head, body }
    }

    fn length(&self) -> usize {
        self.head.header("content-length").expect("a length").parse().expect("a number")
    }

    /// Reads to the end of the connection.
    #[track_caller]
    fn finish(mut self) -> Vec<u8> {
        let end = std::time::Instant::now() + DEADLINE;
        let mut block = [0; 65536];
        loop {
            match self.socket.read(&mut block) {
                Ok(0) => return self.body,
                Ok(len) => self.body.extend_from_slice(&block[..len]),
                Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => return self.body,
                Err(error) => panic!("{error} after {} bytes", self.body.len()),
            }
            assert!(std::time::Instant::now() < end, "the download does not end");
        }
    }
}

#[track_caller]
fn assert_bytes(got: &[u8], expected: &[u8]) {
    let parted = got.iter().zip(expected).position(|(a, b)| a != b);
    assert!(
        got == expected,
        "{} bytes for {}, they part at {parted:?}: {:?}",
        got.len(),
        expected.len(),
        String::from_utf8_lossy(&got[..got.len().min(200)])
    );
}

#[test]
fn the_bytes_are_those_of_the_file() {
    let text = [content(700_000), b"\xff\0 no newline".to_vec()].concat();
    let place = Place::with("f.log", &text);
    place.write("empty", "");
    let server = Server::start(&place, &["f.log", "empty", "missing"]);
    let whole = get(&server, "/raw/f.log");
    assert_eq!(whole.status, 200);
    assert_bytes(&whole.body, &text);
    let length = text.len().to_string();
    for (name, value) in [
        ("content-type", "text/plain; charset=utf-8"),
        ("x-content-type-options", "nosniff"),
        ("accept-ranges", "bytes"),
        ("content-length", &length),
        ("content-disposition", "inline; filename=\"f.log\""),
        ("cache-control", "no-store, no-transform"),
    ] {
        assert_eq!(whole.header(name), Some(value), "{name}");
    }
    assert!(whole.header("transfer-encoding").is_none());
    let head = request(&server, "HEAD", "/raw/f.log", "");
    assert_eq!((head.status, head.body.len()), (200, 0));
    for (name, value) in &whole.headers {
        assert!(name == "date" || head.header(name) == Some(value), "{name}");
    }
    let saved = get(&server, "/raw/f.log?download=true");
    assert_eq!(saved.header("content-disposition"), Some("attachment; filename=\"f.log\""));
    let empty = get(&server, "/raw/empty");
    assert_eq!((empty.status, empty.header("content-length"), empty.body.len()), (200, Some("0"), 0));
    for (target, status) in [
        ("/raw/missing", 404),
        ("/raw/none", 404),
        ("/raw/%2e%2e%2fetc%2fpasswd", 404),
        ("/raw/%ff", 404),
        ("/raw/", 404),
        ("/raw", 404),
        ("/raw/f.log?x=1", 400),
        ("/raw/f.log?from=a", 400),
        ("/raw/f.log?from=5&to=4", 400),
        ("/raw/f.log?generation=x", 400),
        ("/raw/f.log?generation=AAAAAAAB", 410),
        ("/raw/f.log?grep=(", 400),
        ("/raw/f.log?history=true&from=1", 400),
        ("/raw/f.log?download=maybe", 400),
    ] {
        assert_eq!(get(&server, target).status, status, "{target}");
    }
    let wrong = get(&server, "/raw/f.log?grep=abc(de").json();
    assert_eq!((&wrong["parameter"], &wrong["offset"]), (&"grep".into(), &3.into()));
    assert_eq!(request(&server, "POST", "/raw/f.log", "Content-Length: 0\r\n").status, 405);
}

#[test]
fn ranges_are_cut_to_the_byte() {
    let text = content(900_000);
    let place = Place::with("f", &text);
    let server = Server::start(&place, &["f"]);
    let size = text.len();
    const BLOCK: usize = 256 << 10;
    for (range, from, to) in [
        ("0-0".to_owned(), 0, 1),
        ("1-1".to_owned(), 1, 2),
        (format!("0-{}", BLOCK - 1), 0, BLOCK),
        (format!("{}-{BLOCK}", BLOCK - 1), BLOCK - 1, BLOCK + 1),
        (format!("{BLOCK}-{}", 2 * BLOCK), BLOCK, 2 * BLOCK + 1),
        ("7-".to_owned(), 7, size),
        ("300-99999999".to_owned(), 300, size),
        ("-1".to_owned(), size - 1, size),
        ("-300000".to_owned(), size - 300_000, size),
        ("-99999999".to_owned(), 0, size),
    ] {
        let got = part(&server, "/raw/f", &format!("bytes={range}"), "");
        assert_eq!(got.status, 206, "{range}");
        assert_eq!(got.header("content-range"), Some(&*format!("bytes {from}-{}/{size}", to - 1)), "{range}");
        assert_eq!(got.header("content-length"), Some(&*(to - from).to_string()), "{range}");
        assert_bytes(&got.body, &text[from..to]);
    }
    for range in ["bytes=0-1,5-6", "bytes=5-4", "bytes=x", "lines=0-1", "bytes=-"] {
        let got = part(&server, "/raw/f", range, "");
        assert_eq!((got.status, got.body.len()), (200, size), "{range}");
    }
    for range in ["-0".to_owned(), format!("{size}-"), format!("{size}-{}", size + 5)] {
        let got = part(&server, "/raw/f", &format!("bytes={range}"), "");
        assert_eq!(
            (got.status, got.header("content-range")),
            (416, Some(&*format!("bytes */{size}"))),
            "{range}"
        );
        assert_eq!(got.header("content-type"), Some("application/problem+json"));
        assert_eq!(got.header("content-disposition"), None);
    }
    let head = request(&server, "HEAD", "/raw/f", "Range: bytes=0-0\r\n");
    assert_eq!((head.status, head.header("content-length")), (200, Some(&*size.to_string())));
}

#[test]
fn a_download_goes_on_after_the_file_grew() {
    let text = content(50_000);
    let place = Place::with("f", &text[..40_000]);
    let server = Server::start(&place, &["f"]);
    let first = get(&server, "/raw/f");
    let tag = first.header("etag").expect("a validator").to_owned();
    let same = request(&server, "GET", "/raw/f", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((same.status, same.body.len(), same.header("etag")), (304, 0, Some(&*tag)));
    place.append("f", &text[40_000..]);
    let grown = request(&server, "GET", "/raw/f", &format!("If-None-Match: {tag}\r\n"));
    assert_eq!((grown.status, grown.body.len()), (200, text.len()));
    assert_ne!(grown.header("etag"), Some(&*tag));
    let rest = part(&server, "/raw/f", "bytes=40000-", &tag);
    assert_eq!(rest.status, 206);
    assert_eq!(rest.header("etag"), Some(&*tag), "some clients compare it");
    assert_bytes(&[&first.body[..], &rest.body].concat(), &text);
    // What is not ours, weak or of another state: the whole.
    for other in ["\"x\"", &format!("W/{tag}"), "Wed, 25 Nov 2026 10:00:00 GMT"] {
        assert_eq!(part(&server, "/raw/f", "bytes=5-", other).status, 200, "{other}");
    }
}

/// A life with the same first line is another one: its bytes are never joined to those of the last.
#[test]
fn a_download_does_not_go_on_in_another_life() {
    let place = Place::with("f", ["banner\n".to_owned(), "one\n".repeat(1_000)].concat());
    let server = Server::start(&place, &["f"]);
    let tag = get(&server, "/raw/f").header("etag").expect("a validator").to_owned();
    let other = ["banner\n".to_owned(), "two\n".repeat(2_000)].concat();
    place.write("f", &other);
    seen(&server, "f", other.len() as u64);
    let got = part(&server, "/raw/f", "bytes=4007-", &tag);
    assert_eq!(got.status, 200);
    assert_bytes(&got.body, other.as_bytes());
}

#[test]
fn growth_and_rename_under_a_download_change_nothing() {
    let text = much(48 << 20);
    let place = Place::with("f", &text);
    let server = Server::start(&place, &["f"]);
    let slow = Slow::start(&server, "/raw/f", "");
    assert_eq!(slow.length(), text.len());
    place.append("f", "grown\n");
    place.rename("f", "f.1");
    place.write("f", "new\n");
    let mut client = Client::open(&server, "lines=1");
    client.lines_to("new");
    assert_bytes(&slow.finish(), &text);
    assert_bytes(&get(&server, "/raw/f").body, b"new\n");
    let most = server.memory("VmHWM");
    assert!(most < text.len() as u64, "{most} bytes of memory");
}

#[test]
fn a_copy_goes_on_where_the_file_was_cut() {
    let text = much(48 << 20);
    let place = Place::with("f", &text);
    let server = Server::start(&place, &["f"]);
    let slow = Slow::start(&server, "/raw/f", "");
    place.copy("f", "f.1");
    place.truncate("f", 0);
    place.append("f", "new\n");
    assert_bytes(&slow.finish(), &text);
}

#[test]
fn a_file_that_is_cut_breaks_the_download() {
    let text = much(48 << 20);
    for regrown in [false, true] {
        let place = Place::with("f", &text);
        let server = Server::start(&place, &["f"]);
        let slow = Slow::start(&server, "/raw/f", "");
        let length = slow.length();
        place.truncate("f", 0);
        if regrown {
            place.append("f", vec![b'\n'; text.len() + 5]);
        }
        let got = slow.finish();
        assert!(got.len() < length, "{} bytes of {length}", got.len());
        assert_bytes(&got, &text[..got.len()]);
    }
}

#[test]
fn odd_names_are_looked_up_and_never_joined() {
    let place = Place::new();
    place.folder("logs");
    let names = ["a b.log", "100%.log", "ü?#&.log", "x\"y.log", "logs/in.log", "a+b.log", "new\nline.log"];
    for name in names {
        place.write(name, format!("this is {name:?}\n"));
    }
    let server = Server::start(&place, &names);
    for name in names {
        let encoded: String = name.bytes().map(|byte| format!("%{byte:02X}")).collect();
        let got = get(&server, &format!("/raw/{encoded}"));
        assert_eq!(got.text(), format!("this is {name:?}\n"));
        let disposition = got.header("content-disposition").expect("a name");
        assert!(disposition.starts_with("inline; filename=\""), "{disposition}");
        assert_eq!(got.header("content-type"), Some("text/plain; charset=utf-8"));
    }
    assert_eq!(get(&server, "/raw/logs/in.log").text(), "this is \"logs/in.log\"\n");
    assert_eq!(get(&server, "/raw/a+b.log").text(), "this is \"a+b.log\"\n");
    let absolute = place.path("logs/in.log");
    assert_eq!(get(&server, &format!("/raw/{}", absolute.display())).status, 404, "only as it was named");
    let server = Server::start(&place, &[absolute.to_str().expect("a path")]);
    assert_eq!(get(&server, &format!("/raw{}", absolute.display())).status, 404);
    assert_eq!(get(&server, &format!("/raw/{}", absolute.display())).status, 200);
}

/// Lines as `grep` gives them.
fn grepped(text: &[u8], keep: impl Fn(&str) -> bool) -> Vec<u8> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    lines.filter(|line| keep(&String::from_utf8_lossy(line))).flatten().copied().collect()
}

#[test]
fn a_filtered_download_is_what_grep_gives() {
    let mut text = content(1_500_000);
    text.extend_from_slice(b"a line 7 without its end");
    let place = Place::with("f", &text);
    let server = Server::start(&place, &["f"]);
    for (query, keep) in [
        ("grep=line+7", (|line| line.contains("line 7")) as fn(&str) -> bool),
        ("grep=7&grep=9", |line| line.contains('7') && line.contains('9')),
        ("exclude=x&grep=LINE&case=no", |line| !line.contains('x')),
        ("grep=LINE", |_| false),
        ("grep=x%7B80,%7D%24", |line| line.trim_end().ends_with(&"x".repeat(80))),
        ("grep=.&syntax=literal", |line| line.contains('.')),
    ] {
        let got = get(&server, &format!("/raw/f?{query}"));
        assert_eq!((got.status, got.header("transfer-encoding")), (200, Some("chunked")), "{query}");
        assert_eq!(got.header("accept-ranges"), Some("none"));
        assert_bytes(&got.body, &grepped(&text, keep));
    }
    if have("grep") {
        let grep = Command::new("grep").args(["-a", "line [0-9]*77 "]).arg(place.path("f")).output();
        let got = get(&server, "/raw/f?grep=line+%5B0-9%5D*77+");
        assert_bytes(&got.body, &grep.expect("grep").stdout);
    }
    let part = part(&server, "/raw/f?grep=line+7", "bytes=0-5", "");
    assert_eq!(part.status, 200);
    let head = request(&server, "HEAD", "/raw/f?grep=line+7", "");
    assert_eq!((head.status, head.body.len(), head.header("content-length")), (200, 0, None));
}

#[test]
fn levels_and_times_are_those_of_the_record() {
    let text = "2026-11-25T10:00:00Z INFO one\n2026-11-25T10:01:00Z ERROR two\n\tat three\n2026-11-25T10:02:00Z INFO four\n";
    let place = Place::with("f", text);
    let server = Server::start(&place, &["f"]);
    let filtered = |query: &str| get(&server, &format!("/raw/f?{query}")).text();
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    assert_eq!(filtered("level=error"), lines[1..3].concat());
    assert_eq!(filtered("since=2026-11-25T10:01:00Z"), lines[1..].concat());
    assert_eq!(filtered("until=2026-11-25T10:02:00Z"), lines[..3].concat());
    let third = lines[..2].concat().len();
    assert_eq!(filtered(&format!("level=error&from={third}")), lines[2], "its level stands before the slice");
    assert_eq!(filtered(&format!("level=error&from={}", third + 3)), lines[2]);
}

#[test]
fn slices_generations_and_history() {
    let place = Place::with("f", "old one\nold two\n");
    place.write("g", "other\n");
    let server = Server::start(&place, &["f", "g"]);
    let mut client = Client::all(&server);
    client.take(3);
    let old = client.events.iter().find(|event| event.data == "old one").expect("a line").id.clone();
    let foreign = client.events.iter().find(|event| event.data == "other").expect("a line").id.clone();
    let generation = get(&server, "/raw/f").header("x-logcast-generation").expect("one").to_owned();
    let text = |query: &str| {
        let got = get(&server, &format!("/raw/f?{query}"));
        assert!(got.status == 200, "{query}: {got:?}");
        got.text()
    };
    assert_eq!(text("from=4"), "one\nold two\n");
    assert_eq!(text("from=4&to=7"), "one");
    assert_eq!(text("to=3"), "old");
    assert_eq!(text("from=99"), "");
    assert_eq!(text(&format!("from={old}")), "old two\n");
    assert_eq!(text(&format!("to={old}")), "old one\n");
    let ranged = part(&server, "/raw/f?from=4", "bytes=0-2", "");
    assert_eq!((ranged.text(), ranged.header("content-range")), ("one".into(), Some("bytes 0-2/12")));
    // An id holds all files of its stream; one of `g` alone does not fit.
    let _ = foreign;
    let mut only = Client::open(&server, "file=g&lines=all");
    only.take(1);
    assert_eq!(get(&server, &format!("/raw/f?from={}", only.last_id)).status, 400);
    place.rename("f", "f.1");
    place.write("f", "new one\nnew");
    client.lines_to("new one");
    assert_eq!(text(""), "new one\nnew");
    assert_eq!(text(&format!("generation={generation}")), "old one\nold two\n");
    assert_eq!(text(&format!("from={old}")), "old two\n");
    assert_eq!(text("history=true"), "old one\nold two\nnew one\nnew");
    assert_eq!(text("history=true&grep=one"), "old one\nnew one\n");
    place.write("f.2", "older");
    wait_for("the older sibling to be found", || {
        (text("history=true") == "olderold one\nold two\nnew one\nnew").then_some(())
    });
    assert_eq!(text("history=true&grep=o"), "older\nold one\nold two\nnew one\n");
    let head = request(&server, "HEAD", "/raw/f?history=true", "");
    assert_eq!((head.status, head.header("accept-ranges")), (200, Some("none")));
}

/// What people use to go on with a download.
#[test]
fn curl_and_wget_go_on() {
    let text = content(600_000);
    for (program, args) in
        [("curl", ["-sS", "-C", "-", "-o", "got"]), ("wget", ["-q", "-c", "--tries=1", "-O", "got"])]
    {
        if !have(program) {
            continue;
        }
        let place = Place::with("f.log", &text[..500_000]);
        place.write("got", &text[..123_456]);
        let server = Server::start(&place, &["f.log"]);
        let url = format!("{}raw/f.log", server.page);
        for end in [500_000, text.len()] {
            let status = Command::new(program).args(args).arg(&url).current_dir(place.root()).status();
            assert!(status.expect(program).success(), "{program}");
            assert_bytes(&std::fs::read(place.path("got")).expect("a download"), &text[..end]);
            place.append("f.log", &text[500_000..]);
        }
    }
}

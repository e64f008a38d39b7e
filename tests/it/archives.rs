//! Compressed files given as arguments: what they hold is a source like any other, and has an end.

use crate::support::http::{get, raw};
use crate::support::server::{LOGCAST, run};
use crate::support::writer::text;
use crate::support::{Client, Place, Server, assert_lines, have, numbered, wait_for};
use rustix::process::Signal;
use std::io::Write;
use std::process::{Command, Stdio};

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    out.write_all(text).expect("memory");
    out.finish().expect("memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text, ruzstd::encoding::CompressionLevel::Fastest)
}

/// The state that `/api/files` tells.
fn state(server: &Server, name: &str) -> String {
    let files = get(server, "/api/files").json();
    let files = files["files"].as_array().expect("files").clone();
    let file = files.iter().find(|file| file["name"] == name).expect(name);
    file["state"].as_str().expect("a state").to_owned()
}

#[track_caller]
fn ended(server: &Server, name: &str) {
    wait_for("the archive to end", || (state(server, name) == "ended").then_some(()));
}

#[test]
fn an_archive_is_a_source_like_any_other() {
    let lines = numbered("line", 1, 30_000);
    let whole = text(&lines);
    for (name, pack) in
        [("app.log.gz", gzip as fn(&[u8]) -> Vec<u8>), ("old.zst", zstd), ("no-such-name", gzip)]
    {
        // Two parts, as somebody appends to an archive.
        let place = Place::with(
            name,
            [pack(&whole.as_bytes()[..77_777]), pack(&whole.as_bytes()[77_777..])].concat(),
        );
        let server = Server::start(&place, &[name]);
        let mut client = Client::all(&server);
        assert_lines(&client.take(lines.len()), &lines);
        client.until(|event| event.name == "ended");
        assert!(!client.saw("gap") && server.stderr().is_empty(), "{}", server.stderr());
        assert_eq!(state(&server, name), "ended");
        let got = get(&server, &format!("/raw/{name}"));
        assert!(got.body == whole.as_bytes(), "{} bytes", got.body.len());
        let saved = name.trim_end_matches(".gz").trim_end_matches(".zst");
        assert_eq!(got.header("content-disposition"), Some(&*format!("inline; filename=\"{saved}\"")));
        let around = get(&server, &format!("/api/lines?file={name}&at=50%&after=3"));
        assert!(whole.contains(&around.text()) && around.body.len() == 3 * 12);
        let found = get(&server, &format!("/raw/{name}?grep=29999"));
        assert_eq!(found.text(), "line-029999\n");
        // A place in it is a cursor like any other.
        let id = client.events.iter().find(|event| event.data == "line-020000").expect("a line").id.clone();
        let mut again = Client::resume(&server, "", &id);
        assert_lines(&again.take(10_000), &lines[20_000..]);
    }
}

#[test]
fn once_ends_with_the_archive_and_no_follow_too() {
    let lines = numbered("line", 1, 5_000);
    let place = Place::with("a.gz", gzip(text(&lines).as_bytes()));
    for option in ["--no-follow", "--poll=1000"] {
        let mut server = Server::start(&place, &["a.gz", "--once", option, "-n", "all"]);
        let mut client = Client::open(&server, "");
        client.hello();
        assert_lines(&client.take(lines.len()), &lines);
        assert_eq!(server.wait().code(), Some(0));
    }
    let server = Server::start(&place, &["a.gz", "--no-follow"]);
    ended(&server, "a.gz");
    let host = server.address;
    let request = format!(
        "GET /stream-logs?lines=all&follow=false HTTP/1.1\r\nHost: {host}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n"
    );
    let got = raw(&server, request.as_bytes()).expect("an answer");
    assert!(got.text() == text(&lines), "{} bytes", got.body.len());
}

#[test]
fn a_broken_archive_gives_what_can_be_read_and_says_so() {
    let lines = numbered("line", 1, 50_000);
    let whole = text(&lines);
    for pack in [gzip as fn(&[u8]) -> Vec<u8>, zstd] {
        let packed = pack(whole.as_bytes());
        let place = Place::with("cut", &packed[..packed.len() / 2]);
        place.write(
            "broken",
            [&packed[..packed.len() / 2], &[0xff; 99], &packed[packed.len() / 2..]].concat(),
        );
        for (name, reason) in [("cut", "the archive ends too early"), ("broken", "the archive is damaged")] {
            let mut server = Server::start(&place, &[name]);
            let mut client = Client::all(&server);
            let events = client.until(|event| event.name == "ended");
            let told =
                |json: &serde_json::Value| json["reason"].as_str().is_some_and(|why| why.starts_with(reason));
            assert!(told(&events.last().expect("the end").json()));
            // Who is there when it happens has a gap as well.
            let gap = events.iter().find(|event| event.name == "gap").map(|event| event.json());
            assert!(gap.is_none_or(|gap| told(&gap)));
            let files = get(&server, "/api/files").json();
            assert!(
                files["files"][0]["broken"].as_str().is_some_and(|why| why.starts_with(reason)),
                "{files}"
            );
            let got = get(&server, &format!("/raw/{name}")).text();
            assert!(got.len() > 50_000, "{}", got.len());
            if name == "cut" {
                assert!(whole.starts_with(&got) && got.len() < whole.len());
            }
            server.end(Signal::TERM);
            let said = server.stderr();
            assert_eq!(
                said.matches(&format!("warning: cannot read '{name}' to its end: {reason}")).count(),
                1,
                "{said}"
            );
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }
}

/// What comes later, by a pattern or at a path that was waited for, is decoded too.
#[test]
fn archives_that_come_later() {
    let place = Place::with("a.log", "plain\n");
    place.write("b.log.gz", gzip(b"two\n"));
    let server = Server::start(&place, &["*.log*", "later.gz"]);
    let mut client = Client::all(&server);
    client.lines_to("plain");
    wait_for("both lines", || {
        client.events.iter().any(|event| event.data == "two").then_some(()).or_else(|| {
            client.next();
            None
        })
    });
    place.write("new", gzip(b"three\n"));
    place.rename("new", "c.log.gz");
    client.lines_to("three");
    place.write("new", zstd(b"four\n"));
    place.rename("new", "later.gz");
    client.lines_to("four");
    place.append("a.log", "five\n");
    client.lines_to("five");
    for name in ["b.log.gz", "c.log.gz", "later.gz"] {
        ended(&server, name);
    }
    assert_eq!(state(&server, "a.log"), "following");
}

#[test]
fn what_an_archive_holds_is_bounded_by_the_spool() {
    let lines = numbered("line", 1, 200_000);
    let place = Place::with("a.gz", gzip(text(&lines).as_bytes()));
    let server = Server::start(&place, &["a.gz", "--spool-limit", "1M"]);
    ended(&server, "a.gz");
    let got = get(&server, "/raw/a.gz").text();
    assert!(got.len() <= 1 << 20 && got.len() > 500_000, "{}", got.len());
    assert!(text(&lines).ends_with(&got) && got.starts_with("line-"));
}

/// The programs that people pack with.
#[test]
fn archives_of_other_programs() {
    let whole = text(&numbered("line", 1, 100_000));
    for (program, args, name) in [
        ("gzip", &["-9c"][..], "a.gz"),
        ("zstd", &["-qc"], "a.zst"),
        ("zstd", &["-q", "-19", "--no-check", "-c"], "a.zst"),
        ("zstd", &["-q", "--long=24", "-T2", "-c"], "a.zst"),
    ] {
        if !have(program) {
            continue;
        }
        let place = Place::with("a", &whole);
        let packed = Command::new(program).args(args).stdin(Stdio::null()).arg(place.path("a")).output();
        place.write(name, packed.expect(program).stdout);
        let server = Server::start(&place, &[name]);
        ended(&server, name);
        assert!(get(&server, &format!("/raw/{name}")).body == whole.as_bytes(), "{program} {args:?}");
    }
    let place = Place::with("empty.gz", gzip(b""));
    let outcome = run(&place, &[LOGCAST, "empty.gz", "--once", "--port", "0"]);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
}

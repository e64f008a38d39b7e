//! Clients that come back: after a cut, a restart, a rotation, a truncation, with good and with bad ids.

use crate::support::http::{connect, raw};
use crate::support::writer::text;
use crate::support::{Client, Place, Server, assert_lines, numbered, wait_for};
use rustix::process::Signal;
use std::io::Write;
use std::time::Duration;

/// Row 38: a client away over appends and a rotation gets what it missed, from both files.
#[test]
fn away_over_a_rotation() {
    let place = Place::with("f", text(&numbered("a", 1, 20)));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(15);
    let id = client.cut();
    place.append("f", text(&numbered("a", 21, 30)));
    place.rename("f", "f.1");
    place.write("f", text(&numbered("b", 1, 12)));
    let mut expected = numbered("a", 16, 30);
    expected.extend(numbered("b", 1, 12));
    let mut client = Client::resume(&server, "lines=3", &id);
    assert_lines(&client.take(27), &expected);
    assert!(!client.saw("gap"), "{:?}", client.events);
}

/// Row 38: the same with two rotations, and the server away as well.
#[test]
fn away_over_two_rotations_and_a_restart() {
    let place = Place::with("f", text(&numbered("a", 1, 20)));
    let mut server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(7);
    let id = client.cut();
    server.kill();
    place.rename("f", "f.1");
    place.write("f", text(&numbered("b", 1, 12)));
    place.rename("f.1", "f.2");
    place.rename("f", "f.1");
    place.write("f", text(&numbered("c", 1, 3)));
    server.restart();
    let mut expected = numbered("a", 8, 20);
    expected.extend(numbered("b", 1, 12));
    expected.extend(numbered("c", 1, 3));
    let mut client = Client::resume(&server, "", &id);
    assert_lines(&client.take(28), &expected);
    assert!(!client.saw("gap"), "{:?}", client.events);
    place.append("f", "live\n");
    assert_lines(&client.take(1), &["live"]);
}

/// Row 38: the rotated file was compressed meanwhile, with the server there or away.
#[test]
fn away_over_a_compression() {
    for (name, restart) in [("f.1.gz", false), ("f.1.gz", true), ("f-20261122.gz", true), ("f.1.zst", true)] {
        let place = Place::with("f", text(&numbered("a", 1, 3000)));
        let mut server = Server::start(&place, &["f"]);
        let mut client = Client::all(&server);
        client.take(1500);
        let id = client.cut();
        if restart {
            server.kill();
        }
        place.append("f", text(&numbered("a", 3001, 3010)));
        let old = std::fs::read(place.path("f")).expect("the file");
        place.rename("f", "f.1");
        place.write("f", text(&numbered("b", 1, 12)));
        place.write(name, compressed(name, &old));
        place.remove("f.1");
        if restart {
            server.restart();
        }
        let mut client = Client::resume(&server, "", &id);
        let mut expected = numbered("a", 1501, 3010);
        expected.extend(numbered("b", 1, 12));
        assert_lines(&client.take(expected.len()), &expected);
        assert!(!client.saw("gap"), "{name}: {:?}", client.events);
    }
}

fn compressed(name: &str, bytes: &[u8]) -> Vec<u8> {
    if name.ends_with(".zst") {
        return ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(bytes).expect("memory");
    gz.finish().expect("memory")
}

/// Row 40: what was truncated while the client was away is memory's, or a gap's.
#[test]
fn away_over_a_truncation() {
    let place = Place::with("f", text(&numbered("a", 1, 20)));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(15);
    let id = client.cut();
    let mut other = Client::open(&server, "lines=0");
    other.hello();
    place.truncate("f", 0);
    place.append("f", text(&numbered("b", 1, 5)));
    other.take(5);
    let mut client = Client::resume(&server, "", &id);
    let lines = client.lines_to("b-000005");
    if client.saw("gap") {
        assert_lines(&lines, &numbered("b", 1, 5));
    } else {
        let mut expected = numbered("a", 16, 20);
        expected.extend(numbered("b", 1, 5));
        assert_lines(&lines, &expected);
    }
}

/// Row 73: kill -9, more lines, a new server, an id of before.
#[test]
fn kill_and_restart() {
    let place = Place::with("f", text(&numbered("a", 1, 20)));
    let mut server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(12);
    let id = client.cut();
    server.kill();
    place.append("f", text(&numbered("a", 21, 80)));
    server.restart();
    let mut client = Client::resume(&server, "lines=all", &id);
    assert_lines(&client.take(68), &numbered("a", 13, 80));
    assert!(!client.saw("gap"), "{:?}", client.events);
    client.quiet(Duration::from_millis(100));
}

/// Row 88: after each line of a file: exactly the rest, whatever else the URL says.
#[test]
fn exactly_the_rest() {
    let lines = numbered("a", 1, 40);
    let place = Place::with("f", text(&lines));
    let server = Server::start(&place, &["f"]);
    for seen in [1, 2, 20, 39, 40] {
        let mut client = Client::all(&server);
        client.take(seen);
        let id = client.cut();
        for query in ["", "lines=all", "lines=0", "lines=3"] {
            let mut client = Client::resume(&server, query, &id);
            client.hello();
            assert_lines(&client.take(40 - seen), &lines[seen..]);
            client.quiet(Duration::from_millis(20));
            assert!(!client.saw("gap"));
        }
    }
}

/// Row 88: a client that has seen nothing but `hello` can come back too.
#[test]
fn resume_after_hello() {
    let place = Place::with("f", text(&numbered("a", 1, 5)));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::open(&server, "lines=0");
    client.hello();
    let id = client.cut();
    place.append("f", "six\n");
    let mut client = Client::resume(&server, "lines=all", &id);
    assert_lines(&client.take(1), &["six"]);
    client.quiet(Duration::from_millis(50));
}

/// Row 89: `from=` and `lastEventId=` mean the header's thing, and the header wins.
#[test]
fn query_and_header() {
    let lines = numbered("a", 1, 10);
    let place = Place::with("f", text(&lines));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(10);
    let ids: Vec<String> =
        client.events.iter().filter(|event| event.is_line()).map(|event| event.id.clone()).collect();
    for name in ["from", "lastEventId"] {
        let mut client = Client::open(&server, &format!("{name}={}", ids[3]));
        client.hello();
        assert_lines(&client.take(6), &lines[4..]);
    }
    let mut client = Client::resume(&server, &format!("from={}", ids[3]), &ids[7]);
    client.hello();
    assert_lines(&client.take(2), &lines[8..]);
    client.quiet(Duration::from_millis(50));
}

/// Row 90: an id that is not understood is 200, a gap and the backlog; never another file's line.
#[test]
fn bad_ids() {
    let place = Place::with("f", text(&numbered("a", 1, 20)));
    place.write("g", text(&numbered("g", 1, 20)));
    let server = Server::start(&place, &["f", "g"]);
    let mut client = Client::open(&server, "lines=all&file=f");
    client.take(10);
    let good = client.cut();
    let mut other = Client::open(&server, "lines=all&file=g");
    other.take(10);
    let foreign = other.cut();
    let last = if good.ends_with('A') { "B" } else { "A" };
    let changed = format!("{}{last}", &good[..good.len() - 1]);
    let long = "A".repeat(1000);
    for id in
        ["garbage", "12345", "../..", "<script>", "\u{fc}\u{e9}", &long, &changed, &foreign, "0", "-", "~"]
    {
        let mut client = Client::resume(&server, "lines=5&file=f", id);
        client.hello();
        let gap = client.next();
        assert_eq!(gap.name, "gap", "{id:?}: {gap:?}");
        assert!(gap.json()["reason"].is_string(), "{gap:?}");
        let lines = client.lines_to("a-000020");
        assert!(lines.len() == 5 || lines.len() == 20, "{id:?}: {lines:?}");
        assert_lines(&lines, &numbered("a", 21 - lines.len(), 20));
    }
    // An empty id is none: a browser sends no header then.
    let mut client = Client::resume(&server, "lines=5&file=f", "");
    client.hello();
    assert_lines(&client.take(5), &numbered("a", 16, 20));
    assert!(!client.saw("gap"));
}

/// Row 90: every id with one character changed is understood or answered with a gap, never with wrong lines.
#[test]
fn forged_ids() {
    let place = Place::with("f", text(&numbered("a", 1, 20)));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(10);
    let good = client.cut();
    for at in 0..good.len() {
        let mut bytes = good.clone().into_bytes();
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        let forged = String::from_utf8(bytes).expect("ASCII");
        let mut client = Client::resume(&server, "lines=all", &forged);
        let lines = client.lines_to("a-000020");
        let rest = client.saw("gap") || lines.len() == 10;
        assert!(rest, "{forged:?} (place {at}): {} lines and no gap", lines.len());
        assert_lines(&lines, &numbered("a", 21 - lines.len(), 20));
    }
}

/// Row 90: a huge id is refused or not understood, and the server lives.
#[test]
fn huge_ids() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f"]);
    for len in [100_000, 1_000_000] {
        let id = "A".repeat(len);
        let request = format!(
            "GET /stream-logs?follow=false HTTP/1.1\r\nHost: {}\r\nLast-Event-ID: {id}\r\nConnection: close\r\n\r\n",
            server.address
        );
        if let Some(response) = raw(&server, request.as_bytes()) {
            assert!(response.status == 200 || (400..500).contains(&response.status), "{}", response.status);
        }
    }
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
}

/// Row 91: clients that are cut all the time while lines flow and the file is rotated lose and double nothing.
#[test]
fn cut_all_the_time() {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let expected = numbered("n", 1, 3000);
    let writer = std::thread::spawn({
        let (lines, root) = (expected.clone(), place.root().to_owned());
        move || {
            let mut file = std::fs::OpenOptions::new().append(true).open(root.join("f")).expect("the file");
            for (number, line) in lines.iter().enumerate() {
                if number % 1000 == 999 {
                    std::fs::rename(root.join("f"), root.join(format!("f.{number}"))).expect("a rename");
                    file = std::fs::File::create(root.join("f")).expect("the new file");
                }
                writeln!(file, "{line}").expect("a write");
                // A pace, no synchronisation: about 1.5 s of lines for the cuts to fall into.
                std::thread::sleep(Duration::from_micros(400));
            }
        }
    });
    std::thread::scope(|scope| {
        for step in [1, 7, 40, 333] {
            let (server, expected) = (&server, &expected);
            scope.spawn(move || {
                let (mut got, mut id) = (Vec::new(), None::<String>);
                while got.len() < expected.len() {
                    let mut client = match &id {
                        Some(id) => Client::resume(server, "lines=all", id),
                        None => Client::open(server, "lines=all"),
                    };
                    client.hello();
                    got.extend(client.take(step.max(9).min(expected.len() - got.len())));
                    assert!(!client.saw("gap"), "{:?}", client.events.last());
                    id = Some(client.cut());
                }
                assert_lines(&got, expected);
            });
        }
    });
    writer.join().expect("the writer");
}

/// Row 107: a busy file does not starve quiet ones, and each id resumes all.
#[test]
fn one_busy_of_four() {
    let place = Place::new();
    for name in ["a", "b", "c", "busy"] {
        place.write(name, "");
    }
    let server = Server::start(&place, &["a", "b", "c", "busy"]);
    let mut client = Client::open(&server, "lines=all&format=json");
    client.hello();
    let writer = std::thread::spawn({
        let mut file = place.appender("busy");
        move || {
            for line in numbered("busy", 1, 20_000) {
                writeln!(file, "{line}").expect("a write");
            }
        }
    });
    for name in ["a", "b", "c"] {
        place.append(name, text(&numbered(name, 1, 10)));
    }
    let mut got: Vec<serde_json::Value> = Vec::new();
    let parse = |line: &String| serde_json::from_str(line).expect("JSON");
    got.extend(client.take(7000).iter().map(parse));
    let mut client = Client::resume(&server, "format=json", &client.cut());
    got.extend(client.take(20_030 - 7000).iter().map(parse));
    writer.join().expect("the writer");
    for (name, count) in [("a", 10), ("b", 10), ("c", 10), ("busy", 20_000)] {
        let own: Vec<&str> = got
            .iter()
            .filter(|line| line["file"] == name)
            .map(|line| line["text"].as_str().expect("text"))
            .collect();
        assert_lines(&own, &numbered(name, 1, count));
    }
    assert!(!client.saw("gap"));
}

/// Row 108: three files, kill -9, and one id for all.
#[test]
fn three_files_and_a_kill() {
    let place = Place::new();
    let names = ["x", "y", "z"];
    for name in names {
        place.write(name, text(&numbered(name, 1, 20)));
    }
    let mut server = Server::start(&place, &names);
    let mut client = Client::all(&server);
    let mut got = client.take(33);
    let id = client.cut();
    server.kill();
    for name in names {
        place.append(name, text(&numbered(name, 21, 30)));
    }
    place.rename("y", "y.1");
    place.write("y", text(&numbered("y", 31, 40)));
    server.restart();
    let mut client = Client::resume(&server, "lines=0", &id);
    got.extend(client.take(100 - 33));
    assert!(!client.saw("gap"), "{:?}", client.events);
    for (name, count) in [("x", 30), ("y", 40), ("z", 30)] {
        let own: Vec<&String> = got.iter().filter(|line| line.starts_with(name)).collect();
        assert_lines(&own, &numbered(name, 1, count));
    }
}

/// Another server over the same file understands the id.
#[test]
fn another_server() {
    let place = Place::with("f", text(&numbered("a", 1, 10)));
    let mut first = Server::start(&place, &["f"]);
    let second = Server::start(&place, &["f"]);
    let mut client = Client::all(&first);
    client.take(4);
    let id = client.cut();
    assert_eq!(first.end(Signal::TERM).code(), Some(0));
    let mut client = Client::resume(&second, "", &id);
    assert_lines(&client.take(6), &numbered("a", 5, 10));
    assert!(!client.saw("gap"));
}

/// Files that begin with the same banner and had the same size are told apart.
#[test]
fn equal_banners() {
    let banner = "=".repeat(300);
    let place = Place::with("f", format!("{banner}\n{}", text(&numbered("a", 1, 9))));
    let mut server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(5);
    let id = client.cut();
    server.kill();
    place.rename("f", "f.1");
    place.write("f", format!("{banner}\n{}", text(&numbered("b", 1, 9))));
    server.restart();
    let mut client = Client::resume(&server, "", &id);
    let mut expected = numbered("a", 5, 9);
    expected.push(banner);
    expected.extend(numbered("b", 1, 9));
    assert_lines(&client.take(15), &expected);
}

/// Rows 93 and 94: connections cut at different moments, by reset too, leave no descriptor behind.
#[test]
fn cut_connections_are_let_go() {
    let place = Place::with("f", text(&numbered("a", 1, 1000)));
    let server = Server::start(&place, &["f"]);
    let mut kept = Client::all(&server);
    kept.take(1000);
    let base = server.descriptors();
    for number in 0..300 {
        let mut socket = connect(server.address);
        let request = format!("GET /stream-logs?lines=all HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
        let part = [0, 10, request.len(), request.len()][number % 4];
        socket.write_all(&request.as_bytes()[..part]).expect("a request");
        if number % 4 == 3 {
            // Unread bytes in the buffer at the close make it a reset.
            std::io::Read::read_exact(&mut socket, &mut [0; 100]).expect("the first bytes");
        }
        drop(socket);
    }
    wait_for("descriptors to go back", || (server.descriptors() <= base + 8).then_some(()));
    place.append("f", "more\n");
    assert_lines(&kept.take(1), &["more"]);
}

/// Row 95: many clients, each exact.
#[test]
fn many_clients() {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let mut clients: Vec<Client> = (0..150).map(|_| Client::all(&server)).collect();
    let lines = numbered("n", 1, 500);
    for part in lines.chunks(50) {
        place.append("f", text(part));
    }
    for client in &mut clients {
        assert_lines(&client.take(500), &lines);
    }
}

/// Who resumes over a rotation and a restart is told of the turn to another file.
#[test]
fn told_of_the_turn() {
    let place = Place::with("f", text(&numbered("a", 1, 5)));
    let mut server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(5);
    let id = client.cut();
    server.kill();
    place.append("f", "a-last\n");
    place.rename("f", "f.1");
    place.write("f", "b\n");
    server.restart();
    let mut client = Client::resume(&server, "", &id);
    assert_lines(&client.take(2), &["a-last", "b"]);
    assert!(client.saw("rotated"), "{:?}", client.events);
}

/// A pipe that ends while clients come back: 204 only to those who have its last line.
#[test]
fn no_204_before_the_last_line() {
    for _ in 0..10 {
        let place = Place::new();
        let mut server = Server::start_with_stdin(&place, &["-"]);
        let mut pipe = server.stdin.take().expect("a pipe");
        pipe.write_all(b"first\n").expect("a write");
        let mut client = Client::all(&server);
        client.take(1);
        let id = client.cut();
        std::thread::scope(|scope| {
            let clients: Vec<_> = (0..20)
                .map(|_| {
                    scope.spawn(|| {
                        let request = format!(
                            "GET /stream-logs HTTP/1.0\r\nHost: localhost\r\nLast-Event-ID: {id}\r\n\r\n"
                        );
                        raw(&server, request.as_bytes()).expect("an answer")
                    })
                })
                .collect();
            pipe.write_all(b"LAST\n").expect("a write");
            drop(pipe);
            for client in clients {
                let answer = client.join().expect("no panic");
                assert!(answer.status == 200 && answer.text().contains("LAST"), "{answer:?}");
            }
        });
    }
}

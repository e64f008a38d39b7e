//! UTF-16 with a byte order mark: converted for view and stream, while offsets count the file's bytes.

use crate::support::http::{get, raw};
use crate::support::{Client, Place, Server, assert_lines, have};
use std::io::Write;
use std::process::Command;

/// A text in UTF-16 with its mark.
fn wide(text: &str, big: bool) -> Vec<u8> {
    let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(order).collect()
}

fn lines(count: usize) -> Vec<String> {
    let level = |n: usize| if n.is_multiple_of(10) { "ERROR" } else { "INFO" };
    (0..count)
        .map(|n| format!("2026-11-25T10:{:02}:{:02}Z {} größe {n} 😀 €", n / 60 % 60, n % 60, level(n)))
        .collect()
}

#[test]
fn it_is_followed_as_it_grows_in_odd_steps() {
    for big in [false, true] {
        let lines = lines(300);
        let text = [lines.join("\r\n"), "\r\n".into()].concat();
        let bytes = wide(&text, big);
        let place = Place::with("f", &bytes[..1]);
        let server = Server::start(&place, &["f"]);
        let mut client = Client::all(&server);
        let (mut at, mut step) = (1, 1);
        while at < bytes.len() {
            let next = (at + step).min(bytes.len());
            place.append("f", &bytes[at..next]);
            (at, step) = (next, step % 997 + 2);
        }
        assert_lines(&client.take(lines.len()), &lines);
        let late = &mut Client::all(&server);
        assert_lines(&late.take(lines.len()), &lines);
        // Any place in it is a cursor.
        for event in client.events.iter().filter(|event| event.is_line()).step_by(37) {
            let from = lines.iter().position(|line| *line == event.data).expect("a line") + 1;
            let mut again = Client::resume(&server, "", &event.id);
            assert_lines(&again.take(lines.len() - from), &lines[from..]);
        }
        let mut last = Client::open(&server, "lines=3");
        assert_lines(&last.take(3), &lines[297..]);
        let mut filtered = Client::open(&server, "lines=all&grep=%C3%9FE+1%5Cd0?+&case=no&level=error");
        let kept = ["größe 10 ", "größe 100 ", "größe 110 ", "größe 120 "];
        for (line, part) in filtered.take(4).iter().zip(kept) {
            assert!(line.contains(part), "{line}");
        }
        let raw = get(&server, "/raw/f");
        assert!(raw.body == bytes);
        assert_eq!(raw.header("content-type"), Some("text/plain; charset=utf-16"));
    }
}

#[test]
fn places_lines_and_downloads() {
    for big in [false, true] {
        let lines = lines(200);
        let text = [lines.join("\n"), "\n".into()].concat();
        let place = Place::with("f", wide(&text, big));
        let server = Server::start(&place, &["f"]);
        let got = get(&server, "/api/lines?file=f&at=0&after=200");
        assert_eq!(got.header("content-type"), Some("application/json"), "its bytes are not what is shown");
        let shown = got.json();
        let found: Vec<&str> = shown["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .map(|line| line["text"].as_str().expect("text"))
            .collect();
        assert_lines(&found, &lines);
        assert!(shown["partial"].is_null(), "{}", shown["partial"]);
        // Each line is found at its offset again.
        for line in shown["lines"].as_array().expect("lines").iter().step_by(23) {
            let one = get(&server, &format!("/api/lines?file=f&at={}&after=1", line["offset"])).json();
            assert_eq!((&one["lines"][0]["text"], &one["to"]), (&line["text"], &line["next"]));
        }
        let time = get(&server, "/api/lines?file=f&at=time:2026-11-25T10:02:00Z&after=1").json();
        assert_eq!(time["lines"][0]["text"], lines[120].as_str());
        let errors = get(&server, "/api/lines?file=f&at=end&before=2&level=error").json();
        assert_eq!(errors["lines"][1]["text"], lines[190].as_str());
        assert_eq!(errors["lines"][1]["level"], "error");
        let kept = get(&server, "/raw/f?grep=e+19");
        let expected: String =
            lines.iter().filter(|line| line.contains("e 19")).map(|line| format!("{line}\n")).collect();
        assert_eq!(kept.text(), expected);
        let without = get(&server, "/raw/f?exclude=INFO").text();
        assert_eq!(without.lines().count(), 20);
        if have("iconv") {
            let iconv =
                Command::new("iconv").args(["-f", "UTF-16", "-t", "UTF-8"]).arg(place.path("f")).output();
            let host = server.address;
            let plain = raw(&server, format!("GET /stream-logs?lines=all&follow=false HTTP/1.1\r\nHost: {host}\r\nAccept: text/plain\r\nConnection: close\r\n\r\n").as_bytes());
            assert!(plain.expect("an answer").body == iconv.expect("iconv").stdout);
        }
        let found = get(&server, "/api/search?file=f&grep=e+19&order=oldest").text();
        assert!(found.contains(&lines[19]) && found.contains(&lines[199]), "{found}");
        assert!(found.contains(r#""hits":11"#), "{found}");
        let histogram = get(&server, "/api/histogram?file=f").json();
        let errors: u64 =
            histogram["counts"].as_array().expect("counts").iter().filter_map(|row| row[1].as_u64()).sum();
        assert_eq!(errors, 20, "{histogram}");
        let mut live = Client::open(&server, "view=live&lines=5");
        let batch = live.until(|event| event.name == "batch").pop().expect("a batch").json();
        assert_eq!(batch["lines"][4], lines[199].as_str());
    }
}

/// A byte 0A that is half of another character cuts a line in two, and loses nothing.
#[test]
fn characters_that_hold_a_newlines_byte() {
    for big in [false, true] {
        let text = "a\u{10a}b\u{a0a}c\u{a05}d\u{d0a}e\nnext\n";
        let place = Place::with("f", wide(text, big));
        let server = Server::start(&place, &["f"]);
        let mut client = Client::all(&server);
        let got = client.lines_to("next");
        assert_eq!(got.concat(), text.replace('\n', ""), "{got:?}");
        // What is no character is shown as such, and only that.
        place.append("f", &wide("x\n", big)[2..]);
        let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        let broken: Vec<u8> = [0x61, 0xd83d, 0x62, 0xde00, 0x63, 0x0a].into_iter().flat_map(order).collect();
        place.append("f", broken);
        assert_lines(&client.take(2), &["x", "a\u{fffd}b\u{fffd}c"]);
    }
}

#[test]
fn a_life_that_ended_has_no_line_more() {
    for big in [false, true] {
        let place = Place::with("f", wide("one\ntwo\n", big));
        let server = Server::start(&place, &["f"]);
        let mut client = Client::all(&server);
        assert_lines(&client.take(2), &["one", "two"]);
        place.rename("f", "f.1");
        place.write("f", wide("three\nfour\n", !big));
        assert_lines(&client.take(2), &["three", "four"]);
        let mut back = Client::open(&server, "lines=3");
        assert_lines(&back.take(3), &["two", "three", "four"]);
        place.write("f", "plain\n");
        assert_lines(&client.take(1), &["plain"]);
        let mut json = Client::open(&server, "lines=9&format=json");
        let last = json.until(|event| event.is_line() && event.data.contains("plain"));
        assert!(last.iter().all(|event| !event.data.contains(r#""text":"""#)), "{last:?}");
        assert_eq!(get(&server, "/raw/f?history=true&grep=o").text(), "one\ntwo\n");
    }
    // Piped and ended: the last line has its newline's second half behind it.
    let place = Place::new();
    let mut server = Server::start_with_stdin(&place, &["-", "--once"]);
    let mut client = Client::all(&server);
    server.stdin.take().expect("a pipe").write_all(&wide("one\ntwo\nlast", false)).expect("room");
    let events = client.until(|event| event.name == "ended");
    let got: Vec<&str> =
        events.iter().filter(|event| event.is_line()).map(|event| event.data.as_str()).collect();
    assert_lines(&got, &["one", "two", "last"]);
}

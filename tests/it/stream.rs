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

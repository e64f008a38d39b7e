//! Redaction beyond one machine: of what is shipped, and of what is served from a stream that holds it all.

use super::Version;
use super::servers::Node;
use super::shipper::{Ship, once};
use super::stored::{Stored, assert_same};
use crate::support::http::get;
use crate::support::{Client, Place, Server};
use std::io::Write;
use std::process::Stdio;

/// What must never be seen, and what is shown instead.
const SECRET: &str = "hunter2x77";
const SHOWN: &str = "[redacted:password]";
const KEY: &str =
    "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEAx5Jm\nqBvkX0aQ/W==\n-----END RSA PRIVATE KEY-----\n";

fn line(n: usize, secret: &str) -> String {
    match n % 3 {
        1 => format!("line {n:05} password={secret} ok\n"),
        _ => format!("line {n:05}\n"),
    }
}

/// The name of a server's source, as it stands in a target.
fn urlencoded(server: &Server) -> String {
    let files: serde_json::Value = serde_json::from_str(&get(server, "/api/files").text()).expect("JSON");
    let name = files["files"][0]["name"].as_str().expect("a name");
    name.replace('>', "%3E").replace('/', "%2F").replace(':', "%3A")
}

fn lines(numbers: std::ops::Range<usize>, secret: &str) -> String {
    numbers.map(|n| line(n, secret)).collect()
}

/// What is stored, one message behind the other: what is redacted is not as long as in the file.
fn text(stored: &Stored) -> String {
    String::from_utf8(stored.messages().iter().flat_map(|message| message.body.clone()).collect())
        .expect("text")
}

/// Whoever is killed, and in however many messages: no secret is in the stream, and each line once.
#[test]
fn no_secret_is_shipped() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let args = ["app.log", "--redact-secrets", "--batch-bytes", "1KiB"];
    place.write("app.log", lines(0..2_000, SECRET));
    let mut ship = Ship::start(&place, &node.url(), &args);
    ship.until_said("made stream");
    let stored = Stored::open(&node.url());
    ship.until("a message", || stored.messages().len() > 3);
    ship.kill();
    let mut file = place.appender("app.log");
    file.write_all(KEY.as_bytes()).expect("a file");
    file.write_all(lines(2_000..4_000, SECRET).as_bytes()).expect("a file");
    // What ends there is cut off from its newline.
    file.write_all(b"password=hunt").expect("a file");
    let (code, said) = once(&place, &node.url(), &args);
    assert_eq!(code, Some(0), "{said}");
    file.write_all(b"er2x77 end\n").expect("a file");
    let (code, said) = once(&place, &node.url(), &args);
    assert_eq!(code, Some(0), "{said}");
    let text = text(&stored);
    let (first, rest) =
        text.split_once("-----BEGIN").unwrap_or_else(|| panic!("no key's beginning: {text:.300}"));
    assert_same(first.as_bytes(), lines(0..2_000, SHOWN).as_bytes());
    let (key, rest) = rest.split_once("PRIVATE KEY-----\nline").expect("a key's end");
    assert!(!key.contains("MIIE") && !key.contains("qBvk"), "{key}");
    let end = format!("password={SHOWN} end\n");
    assert_same(format!("line{rest}").as_bytes(), (lines(2_000..4_000, SHOWN) + &end).as_bytes());
    assert!(stored.messages().iter().all(|message| message.head.gap.is_none()));
}

#[test]
fn the_last_line_of_a_pipe_is_redacted_as_a_whole() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    // Longer than a batch: elsewhere it would go in pieces.
    let last = format!("{} token={SECRET}", "x".repeat(5_000));
    let args = ["job=-", "--redact-secrets", "--batch-bytes", "1KiB"];
    let mut ship = Ship::with_stdin(&place, &node.url(), &args, Stdio::piped());
    let mut stdin = ship.stdin.take().expect("a pipe");
    stdin.write_all(format!("one password={SECRET}\n{last}").as_bytes()).expect("a pipe that takes it");
    drop(stdin);
    let (code, said) = ship.ended();
    assert_eq!(code, Some(0), "{said}");
    let text = text(&Stored::open(&node.url()));
    assert_eq!(text, format!("one password={SHOWN}\n{} token=[redacted:token]", "x".repeat(5_000)));
}

/// A stream of other people's messages: a viewer that moves between two servers that redact gets each line once, and no
/// route tells more.
#[test]
fn a_stream_is_served_redacted() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    place.write("app.log", lines(0..6_000, SECRET));
    assert_eq!(once(&place, &node.url(), &["app.log", "--batch-bytes", "1KiB"]).0, Some(0));
    let url = format!("{}/logs.>", node.url());
    let servers = [["--spool-limit", "1GiB"], ["--spool-limit", "64KiB"]]
        .map(|[name, value]| Server::start(&place, &[&url, "--redact-secrets", name, value]));
    let mut client = Client::open(&servers[0], "lines=all");
    let mut got: Vec<String> = Vec::new();
    let mut moves = 0;
    while got.len() < 6_000 {
        got.extend(client.take(fastrand::usize(1..900).min(6_000 - got.len())));
        assert!(!client.saw("gap"), "a gap after {} lines", got.len());
        let id = client.cut();
        moves += 1;
        client = Client::resume(&servers[moves % 2], "", &id);
    }
    let wrong = (0..6_000).find(|&n| format!("{}\n", got[n]) != line(n, SHOWN));
    assert_eq!(wrong, None);
    let name = urlencoded(&servers[0]);
    for target in [
        "/api/lines?file={name}&at=0&after=200",
        "/api/lines?file={name}&at=end&before=200&grep=password",
        "/raw/{name}",
        "/raw/{name}?grep=password",
        "/stream-logs?lines=50&format=json&follow=false",
        "/stream-logs?lines=50&follow=false&grep=password",
    ] {
        let target = target.replace("{name}", &name);
        let text = get(&servers[0], &target).text();
        assert!(!text.contains(SECRET), "{target}");
        assert!(text.contains(SHOWN), "{target}: {text:.300}");
    }
    let found = |what: &str| get(&servers[0], &format!("/api/search?file={name}&grep={what}")).text();
    assert!(found(SECRET).contains(r#""done":true,"hits":0"#), "{}", found(SECRET));
    assert!(found("password").contains(SHOWN));
}

//! A stream of many hosts and files as one source: whose a line is, and the lines of one of them.

use super::Version;
use super::servers::Node;
use super::shipper::once;
use super::stored::Stored;
use crate::support::http::get;
use crate::support::server::{LOGCAST, run};
use crate::support::{Client, Place, Server};
use serde_json::Value;

/// Two hosts with two files each, and another program's lines.
#[track_caller]
fn start(place: &Place) -> Option<(Node, Server)> {
    let node = Node::start(place, Version::Old, "")?;
    for host in ["web1", "web2"] {
        for file in ["a", "b"] {
            let text: String = (0..3).map(|n| format!("{host} {file} {n}\n")).collect();
            place.write("app.log", text);
            let label = format!("{file}=app.log");
            assert_eq!(once(place, &node.url(), &[&label, "--host-name", host]).0, Some(0));
        }
    }
    Stored::open(&node.url()).publish("logs.other", "foreign");
    let server = Server::start(place, &[&format!("{}/logs.>", node.url())]);
    Some((node, server))
}

#[track_caller]
fn streamed(server: &Server, query: &str, expected: &[&str]) {
    let mut client = Client::open(server, &format!("follow=false&{query}"));
    let events = client.read_to_end();
    let lines: Vec<&str> =
        events.iter().filter(|event| event.is_line()).map(|event| event.data.as_str()).collect();
    assert_eq!(lines, expected, "{query}");
}

#[test]
fn the_lines_of_one_host_or_one_file() {
    let place = Place::new();
    let Some((node, server)) = start(&place) else { return };
    streamed(&server, "lines=all&origin=web1:b", &["web1 b 0", "web1 b 1", "web1 b 2"]);
    streamed(&server, "lines=1&host=web1", &["web1 b 2"]);
    streamed(&server, "lines=2&origin=web2:a&origin=web1:a", &["web2 a 1", "web2 a 2"]);
    streamed(&server, "lines=all&host=web2&grep=1", &["web2 a 1", "web2 b 1"]);
    streamed(&server, "lines=all&origin=logs.other", &["foreign"]);
    streamed(&server, "lines=all&host=web3", &[]);
    // What comes is filtered as what was there, and an id stays the place in the stream.
    let mut client = Client::open(&server, "lines=1&host=web1");
    client.take(1);
    place.append("app.log", "web2 b 3\n");
    assert_eq!(once(&place, &node.url(), &["b=app.log", "--host-name", "web2"]).0, Some(0));
    place.write("one.log", "web1 c 0\n");
    assert_eq!(once(&place, &node.url(), &["c=one.log", "--host-name", "web1"]).0, Some(0));
    assert_eq!(client.take(1), ["web1 c 0"]);
    let outcome = run(
        &place,
        &[
            LOGCAST,
            "tail",
            "--no-follow",
            "-n",
            "all",
            "--names",
            "never",
            "--file",
            "web2:a",
            &format!("{}/logs.>", node.url()),
        ],
    );
    assert_eq!(outcome.stdout, "web2 a 0\nweb2 a 1\nweb2 a 2\n", "{}", outcome.stderr);
    let through = format!("{}?origin=web2:a", server.page);
    let outcome = run(&place, &[LOGCAST, "tail", "--no-follow", "-n", "1", &through]);
    assert_eq!(outcome.stdout, "web2 a 2\n", "{}", outcome.stderr);
}

#[test]
fn places_and_searches_tell_whose_a_line_is() {
    let place = Place::new();
    let Some((_node, server)) = start(&place) else { return };
    let asked = |query: &str| -> Value {
        let response = crate::support::http::raw(
            &server,
            format!("GET /api/lines?file=logs.%3E&at=end&before=20{query} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\nConnection: close\r\n\r\n").as_bytes(),
        );
        response.expect("an answer").json()
    };
    let told = |value: &Value| -> Vec<String> {
        let lines = value["lines"].as_array().expect("lines");
        lines
            .iter()
            .map(|line| {
                format!(
                    "{}: {}",
                    line["origin"].as_str().unwrap_or("?"),
                    line["text"].as_str().unwrap_or("?")
                )
            })
            .collect()
    };
    let all = told(&asked(""));
    assert_eq!(all.len(), 13);
    assert_eq!((all[0].as_str(), all[3].as_str()), ("web1:a: web1 a 0", "web1:b: web1 b 0"));
    assert_eq!(all[12], "logs.other: foreign");
    assert_eq!(told(&asked("&host=web2")).len(), 6);
    let found = get(&server, "/api/search?grep=1$&host=web2&order=oldest&limit=all").text();
    let found: Vec<Value> = found.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let origins: Vec<&str> = found.iter().filter_map(|line| line["origin"].as_str()).collect();
    assert_eq!(origins, ["web2:a", "web2:b"], "{found:?}");
    assert_eq!(found.last().expect("an end")["hits"], 2);
    let refused = get(&server, "/raw/logs.%3E?host=web1");
    assert_eq!((refused.status, refused.json()["parameter"].as_str()), (400, Some("host")));
}

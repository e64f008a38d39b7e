//! `serve nats://…`: what viewers get, on whichever server they are.

use super::Version;
use super::servers::Node;
use super::shipper::{Pace, Ship, line, once};
use super::stored::Stored;
use crate::support::{Client, Place, Server, wait_for};

/// How many lines a viewer that moves gets in all.
const MOVED: usize = 12_000;

fn serve(place: &Place, node: &Node, more: &[&str]) -> Server {
    let url = format!("{}/logs.>", node.url());
    let args: Vec<&str> = [url.as_str()].into_iter().chain(more.iter().copied()).collect();
    Server::start(place, &args)
}

/// Three servers with spools of different sizes: what one gave up is fetched again; none lost, none doubled, no gap.
#[test]
fn a_viewer_that_moves_misses_nothing() {
    for version in [Version::Old] {
        let place = Place::new();
        let Some(node) = Node::start(&place, version, "") else { continue };
        place.write("app.log", "begun\n");
        assert_eq!(once(&place, &node.url(), &["app.log"]).0, Some(0));
        let servers = [
            serve(&place, &node, &[]),
            serve(&place, &node, &["--spool-limit", "1MiB"]),
            serve(&place, &node, &["--spool-limit", "400KiB"]),
        ];
        let mut client = Client::open(&servers[0], "lines=0");
        client.hello();
        let file = place.appender("app.log");
        let _ship = Ship::start(&place, &node.url(), &["app.log"]);
        let pace = Pace::start(6_000, MOVED, move |_| file.try_clone().expect("a handle"));
        let mut got = Vec::new();
        let mut moves = 0;
        while got.len() < MOVED {
            got.extend(client.take(fastrand::usize(1..900).min(MOVED - got.len())));
            assert!(!client.saw("gap"), "a gap after {} lines", got.len());
            let id = client.cut();
            moves += 1;
            client = Client::resume(&servers[moves % 3], "", &id);
        }
        pace.finish();
        assert!(moves > 15, "{moves}");
        let wrong = (0..MOVED).find(|&number| format!("{}\n", got[number]) != line(number));
        assert_eq!(wrong, None);
    }
}

/// However many look at it, a server reads the stream once.
#[test]
fn a_hundred_viewers_cost_the_engine_one() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    place.write("app.log", "one\n");
    assert_eq!(once(&place, &node.url(), &["app.log"]).0, Some(0));
    let server = serve(&place, &node, &[]);
    let mut clients: Vec<Client> = (0..100).map(|_| Client::open(&server, "lines=all")).collect();
    for client in &mut clients {
        assert_eq!(client.take(1), ["one"]);
    }
    let info: serde_json::Value =
        serde_json::from_str(&Stored::open(&node.url()).ask("STREAM.INFO.logs", "")).expect("JSON");
    assert_eq!(info["state"]["consumer_count"], 1, "{info}");
}

/// The stream's end is a number: an engine that comes back does not make old lines new.
#[test]
fn an_engine_that_restarts_tells_nothing_twice() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    place.write("app.log", "one\ntwo\n");
    assert_eq!(once(&place, &node.url(), &["app.log"]).0, Some(0));
    let server = serve(&place, &node, &[]);
    let mut client = Client::open(&server, "lines=0");
    client.hello();
    node.kill();
    client.until(|event| event.name == "waiting");
    node.again();
    client.until(|event| event.name == "resumed");
    Stored::open(&node.url()).publish("logs.other.program", "three\nfour");
    assert_eq!(client.take(2), ["three", "four"]);
    let url = format!("{}/logs.>", node.url());
    let late = Server::start(&place, &[&url, "--no-follow"]);
    assert_eq!(Client::open(&late, "lines=all").take(4), ["one", "two", "three", "four"]);
}

/// Neither a server nor a stream need be there; what comes then is new to who waited.
#[test]
fn what_is_not_there_yet_is_waited_for() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    node.kill();
    let server = serve(&place, &node, &[]);
    wait_for("the reason", || server.stderr().contains("cannot reach 'nats://").then_some(()));
    let mut client = Client::open(&server, "format=json");
    client.hello();
    node.again();
    wait_for("the stream to be missed", || server.stderr().contains("cannot find stream").then_some(()));
    place.write("app.log", "one\ntwo\n");
    assert_eq!(once(&place, &node.url(), &["app.log", "--host-name", "web1"]).0, Some(0));
    let lines: Vec<serde_json::Value> =
        client.take(2).iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!((lines[0]["text"].as_str(), lines[1]["text"].as_str()), (Some("one"), Some("two")));
    let origin = lines[0]["origin"].as_str().unwrap_or_default();
    assert!(origin.starts_with("web1:") && origin.ends_with("app.log"), "{origin}");
}

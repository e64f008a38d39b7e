//! `serve nats://…`: what viewers get, on whichever server they are.

use super::Version;
use super::exact::copy;
use super::fake::Fake;
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

/// Who comes before the engine is there goes on behind its cursor once it is, or gets its backlog; so does who was cut off
/// meanwhile, with an id that a line of another source gave.
#[test]
fn who_comes_before_the_engine_misses_nothing() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    let all: Vec<String> = (0..1000).map(|number| line(number).trim_end().to_owned()).collect();
    place.write("app.log", all.join("\n") + "\n");
    place.write("near.log", "");
    assert_eq!(once(&place, &node.url(), &["app.log"]).0, Some(0));
    let mut server = serve(&place, &node, &["near.log"]);
    let mut client = Client::open(&server, "lines=all");
    assert_eq!(client.take(500), all[..500]);
    let mut page = Client::open(&server, "view=live&lines=0");
    page.hello();
    let place_of_page = page.cut();
    let id = client.cut();
    node.kill();
    server.kill();
    server.restart();
    wait_for("the reason", || server.stderr().contains("cannot reach 'nats://").then_some(()));

    // The page does not wait: it reads by range what it has not.
    let mut page = Client::resume(&server, "view=live&lines=0", &place_of_page);
    page.hello();
    let mut first = Client::resume(&server, "", &id);
    first.hello();
    place.append("near.log", "near\n");
    assert_eq!(first.take(1), ["near"]);
    let mut second = Client::resume(&server, "", &first.cut());
    let mut plain = Client::open(&server, "lines=3");
    let mut nothing = Client::open(&server, "lines=0");
    nothing.hello();
    let stands = second.hello().id;
    // The last line of each file: of the other one it is there.
    assert_eq!(plain.take(1), ["near"]);
    // Who was cut off while waiting still has its backlog to come, whether it comes back before the engine or after.
    let mut cut = Client::open(&server, "lines=2");
    assert_eq!(cut.take(1), ["near"]);
    let id = cut.cut();
    let mut back = Client::resume(&server, "lines=2", &id);
    back.hello();
    let mut once = Client::resume(&server, "follow=false", &stands);
    assert_eq!(once.read_to_end().iter().filter(|event| event.is_line()).count(), 0);
    node.again();
    assert_eq!(second.take(500), all[500..]);
    assert_eq!(plain.take(3), all[997..]);
    assert_eq!(back.take(2), all[998..]);
    let mut late = Client::resume(&server, "lines=2", &id);
    assert_eq!(late.take(2), all[998..]);
    place.append("near.log", "nearer\n");
    for client in [&mut second, &mut plain, &mut nothing, &mut back, &mut late] {
        assert_eq!(client.lines_to("nearer"), ["nearer"]);
        assert!(!client.saw("gap"));
    }
    page.until(|event| event.name == "batch" && event.data.contains("nearer"));
    assert!(!page.saw("gap"), "{:?}", page.events);
}

/// Before 2.11 a consumer on a replica that lags begins at what that replica has last, whatever it was asked for.
#[test]
fn a_replica_that_lags_tells_nothing_twice() {
    let place = Place::new();
    let fake = Fake::start(&[(1_000, "one\ntwo"), (1_001, "three"), (1_002, "four")]);
    let server = Server::start(&place, &[&fake.url()]);
    let mut client = Client::open(&server, "lines=all");
    assert_eq!(client.take(4), ["one", "two", "three", "four"]);
    fake.after_a_cut(|shown| {
        shown.messages.push((1_003, "five".to_owned()));
        shown.replica_has = Some(1);
    });
    assert_eq!(client.take(1), ["five"]);
    assert!(!client.saw("gap") && !client.saw("truncated"), "{:?}", client.events);
    assert!(fake.shown.lock().expect("unpoisoned").begun.contains(&4), "the lines behind were asked for");
}

/// What a file's bytes tell is missing is asked for again, whoever left it out.
#[test]
fn a_message_that_is_left_out_is_noticed() {
    let place = Place::new();
    let fake = Fake::start(&[(1_000, "one\n"), (1_001, "two\n")]);
    fake.shown.lock().expect("unpoisoned").ranges = true;
    let server = Server::start(&place, &[&fake.url()]);
    let mut client = Client::open(&server, "lines=all");
    assert_eq!(client.take(2), ["one", "two"]);
    fake.after_a_cut(|shown| {
        shown.messages.extend([(1_002, "three\n".to_owned()), (1_003, "four\n".to_owned())]);
        shown.left_out = Some(3);
    });
    assert_eq!(client.take(2), ["three", "four"]);
    assert!(!client.saw("gap"), "{:?}", client.events);
    let begun = fake.shown.lock().expect("unpoisoned").begun.clone();
    assert!(begun.iter().filter(|&&from| from == 3).count() > 1, "it was asked for again: {begun:?}");
}

/// Who was elected a moment ago may not have looked through all that it has: the stream only seems shorter.
#[test]
fn a_stream_that_is_short_for_a_moment_did_not_go_back() {
    let place = Place::new();
    let fake = Fake::start(&[(1_000, "one"), (1_001, "two"), (1_002, "three")]);
    let server = Server::start(&place, &[&fake.url()]);
    let mut client = Client::open(&server, "lines=all");
    assert_eq!(client.take(3), ["one", "two", "three"]);
    fake.after_a_cut(|shown| {
        shown.messages.push((1_003, "four".to_owned()));
        shown.short = Some((2, 1));
    });
    assert_eq!(client.take(1), ["four"]);
    assert!(!client.saw("gap") && !client.saw("truncated"), "{:?}", client.events);
}

/// A message that a replica does not have yet was not deleted: what stands there later tells that the stream went back.
#[test]
fn a_message_that_is_not_found_at_once_is_looked_for_again() {
    let place = Place::new();
    let fake = Fake::start(&[(1_000, "one"), (1_001, "two"), (1_002, "three")]);
    let server = Server::start(&place, &[&fake.url()]);
    let mut client = Client::open(&server, "lines=all");
    assert_eq!(client.take(3), ["one", "two", "three"]);
    fake.after_a_cut(|shown| {
        shown.messages.truncate(1);
        shown.messages.extend([(2_000, "2".to_owned()), (2_001, "3".to_owned()), (2_002, "4".to_owned())]);
        shown.hidden = 1;
    });
    assert_eq!(client.take(3), ["2", "3", "4"]);
    assert!(client.saw("gap"), "{:?}", client.events);
}

/// What a power loss leaves, behind what a viewer has seen already: said, told again, and no line is missed.
#[test]
fn a_viewer_of_a_store_that_went_back_is_told() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::New, "") else { return };
    let url = node.url();
    let lines = |from: usize, to: usize| (from..to).map(line).collect::<String>();
    place.append("app.log", lines(0, 100));
    assert_eq!(once(&place, &url, &["app.log"]).0, Some(0));
    node.kill();
    copy(&node.store(), &place.path("before"));
    node.again();
    let server = serve(&place, &node, &[]);
    let mut client = Client::open(&server, "lines=all");
    let ship = Ship::start(&place, &url, &["app.log", "--batch-bytes", "8KiB"]);
    place.append("app.log", lines(100, 300));
    let same = |got: &[String], from: usize| {
        let wrong = got.iter().zip(from..).find(|(text, number)| format!("{text}\n") != line(*number));
        assert_eq!(wrong, None);
    };
    same(&client.take(300), 0);
    node.kill();
    std::fs::remove_dir_all(node.store()).expect("a store");
    copy(&place.path("before"), &node.store());
    node.again();
    place.append("app.log", lines(300, 350));
    ship.until_said("went back behind what it had acknowledged");
    // Where the numbers part the viewer goes on: all that was given up comes again, and what is new.
    let mut told = client.take(250);
    assert!(client.saw("gap"), "{:?}", server.stderr());
    assert!(
        server.stderr().contains("the stream went back: what follows may come twice"),
        "{}",
        server.stderr()
    );
    same(&told, 100);
    // A viewer that comes back with a cursor of the lines that were given up misses none either.
    let id = client.cut();
    place.append("app.log", lines(350, 360));
    let mut client = Client::resume(&server, "", &id);
    told = client.take(10);
    same(&told, 350);
}

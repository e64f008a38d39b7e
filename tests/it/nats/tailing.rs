//! `tail nats://…`: each line once, whatever is restarted, killed or elected in between.

use super::Version;
use super::servers::{Cluster, Node};
use super::shipper::{Pace, Ship, line, once};
use crate::support::server::{LOGCAST, Outcome, run};
use crate::support::{Place, assert_lines, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::{self, File};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// Prints what there is.
#[track_caller]
fn tail(place: &Place, args: &[&str]) -> Outcome {
    run(place, &[&[LOGCAST, "tail", "--no-follow"], args].concat())
}

#[track_caller]
fn lines_of(outcome: &Outcome) -> Vec<&str> {
    assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
    outcome.stdout.lines().collect()
}

/// One that follows, with its output appended to a file and its place kept.
struct Tail(Child);

impl Tail {
    fn start(place: &Place, url: &str, more: &[&str]) -> Tail {
        let err = File::options().create(true).append(true).open(place.path("tail.err")).expect("a file");
        let child = Command::new(LOGCAST)
            .args(["tail", "--names", "never", "--cursor-file", "place", url])
            .args(more)
            .current_dir(place.root())
            .stdin(Stdio::null())
            .stdout(Stdio::from(place.appender("out")))
            .stderr(err)
            .spawn();
        Tail(child.expect("a tail"))
    }

    fn end(&mut self) {
        kill_process(Pid::from_child(&self.0), Signal::TERM).expect("a signal to a living child");
        let ended = wait_for("the tail to end", || self.0.try_wait().expect("a child"));
        assert_eq!(ended.code(), Some(0));
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until so many lines were printed, and compares.
#[track_caller]
fn until_printed(place: &Place, lines: usize) {
    let printed = || fs::read_to_string(place.path("out")).unwrap_or_default();
    let enough = || (printed().lines().count() >= lines).then_some(());
    for _ in 0..10 {
        if enough().is_some() {
            break;
        }
        std::thread::sleep(Duration::from_secs(1));
    }
    wait_for("all lines to be printed", enough);
    let (text, all) = (printed(), (0..lines).map(line).collect::<String>());
    assert_lines(&text.lines().collect::<Vec<_>>(), &all.lines().collect::<Vec<_>>());
}

#[test]
fn what_there_is_with_all_options() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    place.write("a.log", "2026-11-27T09:00:00Z INFO one\n2026-11-27T09:00:01Z ERROR two\n");
    assert_eq!(once(&place, &url, &["a=a.log"]).0, Some(0));
    place.write("b.log", "three\nfour\n");
    assert_eq!(once(&place, &url, &["b=b.log"]).0, Some(0));
    let both = format!("{url}/logs.>");
    let (first, second) = ("2026-11-27T09:00:00Z INFO one", "2026-11-27T09:00:01Z ERROR two");
    // Whose line it is stands in front where subjects are several.
    let all = tail(&place, &["-n", "all", &both]);
    let named =
        [format!("h:a | {first}"), format!("h:a | {second}"), "h:b | three".into(), "h:b | four".into()];
    assert_eq!(lines_of(&all), named);
    assert_eq!(
        lines_of(&tail(&place, &["-n", "all", "--names", "never", &both])),
        [first, second, "three", "four"]
    );
    assert_eq!(lines_of(&tail(&place, &[&format!("{url}/logs.h.b")])), ["three", "four"]);
    assert_eq!(lines_of(&tail(&place, &["-n", "1", "--names", "never", &both])), ["four"]);
    assert_eq!(lines_of(&tail(&place, &["-n", "0", &both])), [""; 0]);
    assert_eq!(
        lines_of(&tail(&place, &["--names", "never", "--grep", "o", "-v", "one", &both])),
        [second, "four"]
    );
    assert_eq!(lines_of(&tail(&place, &["--level", "error", &format!("{url}/logs.h.a")])), [second]);
    let since = ["--since", "2026-11-27T09:00:01Z", "--until", "2026-11-27T09:00:02Z"];
    let within = tail(&place, &[&since[..], &["-n", "all", &format!("{url}/logs.h.a")]].concat());
    assert_eq!(lines_of(&within), [second]);
    let json = tail(&place, &["--json", "-n", "1", &both]);
    let object: serde_json::Value = serde_json::from_str(lines_of(&json)[0]).expect("an object");
    assert_eq!((object["text"].as_str(), object["origin"].as_str()), (Some("four"), Some("h:b")), "{object}");
    // Two at once, each with its name.
    let two = tail(&place, &["-n", "1", &format!("x={url}/logs.h.a"), &format!("y={url}/logs.h.b")]);
    let mut got = lines_of(&two);
    got.sort_unstable();
    assert_eq!(got, [format!("x | {second}"), "y | four".to_owned()]);
}

#[test]
fn what_cannot_be_tailed() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    let refused = |args: &[&str], code: i32, words: &str| {
        let outcome = tail(&place, args);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(code), ""), "{}", outcome.stderr);
        assert!(outcome.stderr.contains(words) && !outcome.stderr.contains("s3cret"), "{}", outcome.stderr);
    };
    let shown = format!("error: cannot tail '{url}/logs.>': ");
    refused(&[&url], 1, &format!("{shown}cannot find stream 'logs.>': there is none"));
    refused(&["-n", "+3", &url], 2, &format!("{shown}messages have no line numbers"));
    refused(&["nats://u:s3cret@h:x"], 2, "x is not a port");
    refused(&[&format!("{url}/a b")], 2, "a URL holds no spaces");
    refused(&[&url, &url], 2, "it is given twice");
    node.kill();
    refused(&[&url], 1, &format!("{shown}cannot reach '{url}': Connection refused"));
    // Who waits gets what comes.
    let waiting = Command::new(LOGCAST)
        .args(["tail", "--retry", "--no-follow", &url])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a tail");
    node.again();
    place.write("a.log", "one\n");
    assert_eq!(once(&place, &url, &["a=a.log"]).0, Some(0));
    let outcome = waiting.wait_with_output().expect("an end");
    let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
    assert_eq!(String::from_utf8_lossy(&outcome.stdout), "h:a | one\n", "{said}");
    assert!(outcome.status.success(), "{said}");
}

#[test]
fn a_kept_place_makes_each_line_come_once() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    let url = format!("{}/logs.>", node.url());
    for part in 0..4 {
        place.append("app.log", (part * 100..part * 100 + 100).map(line).collect::<String>());
        assert_eq!(once(&place, &node.url(), &["app.log", "--batch-bytes", "4KiB"]).0, Some(0));
        if part == 2 {
            node.kill();
            node.again();
        }
        let args = ["--names", "never", "-n", "all", "--cursor-file", "place", url.as_str()];
        let outcome = tail(&place, &args);
        assert_eq!(outcome.code, Some(0), "{}", outcome.stderr);
        place.append("out", outcome.stdout);
        until_printed(&place, part * 100 + 100);
    }
    // The place is the one that a server gives: a stream that was asked for there goes on here.
    let server = crate::support::Server::start(&place, &[&url]);
    let mut client = crate::support::Client::open(&server, "lines=1");
    client.take(1);
    let id = client.cut();
    let kept = fs::read_to_string(place.path("place")).expect("a place");
    assert!(kept.contains(&id), "{id} in {kept}");
}

#[test]
fn one_that_follows_through_restarts_of_both() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    let url = format!("{}/logs.>", node.url());
    place.write("app.log", "");
    let ship = Ship::start(&place, &node.url(), &["app.log"]);
    ship.until_said("made stream");
    let file = place.appender("app.log");
    let pace = Pace::start(5_000, 20_000, move |_| file.try_clone().expect("a handle"));
    for round in 0..4 {
        let mut tail = Tail::start(&place, &url, &["-n", "all"]);
        std::thread::sleep(Duration::from_millis(700));
        if round == 1 {
            node.kill();
            std::thread::sleep(Duration::from_millis(300));
            node.again();
        }
        tail.end();
    }
    let lines = pace.finish();
    let _tail = Tail::start(&place, &url, &["-n", "all"]);
    until_printed(&place, lines);
}

#[test]
fn one_that_follows_while_the_leader_is_killed() {
    let place = Place::new();
    let Some(mut cluster) = Cluster::start(&place, Version::New) else { return };
    let url = format!("{}/logs.>", cluster.url());
    place.write("app.log", "");
    let ship = Ship::start(&place, &cluster.url(), &["app.log"]);
    ship.until_said("made stream");
    let _tail = Tail::start(&place, &url, &["-n", "all"]);
    let file = place.appender("app.log");
    let pace = Pace::start(10_000, usize::MAX, move |_| file.try_clone().expect("a handle"));
    std::thread::sleep(Duration::from_secs(1));
    let leader = cluster.leader("logs");
    cluster.nodes[leader].kill();
    std::thread::sleep(Duration::from_secs(2));
    cluster.nodes[leader].again();
    until_printed(&place, pace.stop());
}

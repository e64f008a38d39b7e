//! Every byte once and in order, whatever is killed, rolled back or shared.

use super::Version;
use super::servers::{Cluster, Node};
use super::shipper::{Pace, Ship, line, once};
use super::stored::{Stored, assert_same};
use crate::support::{Place, wait_for};
use std::fs;
use std::process::Command;
use std::time::Duration;

fn written(place: &Place) -> Vec<u8> {
    fs::read(place.path("app.log")).expect("the log")
}

/// Ships the rest, and compares.
#[track_caller]
fn finish_and_compare(place: &Place, url: &str) {
    let (code, said) = once(place, url, &["app.log"]);
    assert_eq!(code, Some(0), "{said}");
    assert_same(&Stored::open(url).text(), &written(place));
}

#[test]
fn a_shipper_that_is_killed_again_and_again() {
    for version in [Version::Old, Version::New] {
        let place = Place::new();
        let Some(node) = Node::start(&place, version, "") else { continue };
        let file = place.appender("app.log");
        let pace = Pace::start(60_000, usize::MAX, move |_| file.try_clone().expect("a handle"));
        for _ in 0..5 {
            let mut ship = Ship::start(&place, &node.url(), &["app.log"]);
            std::thread::sleep(Duration::from_millis(fastrand::u64(150..500)));
            ship.kill();
        }
        assert!(pace.stop() > 50_000);
        finish_and_compare(&place, &node.url());
    }
}

#[test]
fn a_leader_that_is_killed() {
    let place = Place::new();
    let Some(mut cluster) = Cluster::start(&place, Version::New) else { return };
    let url = cluster.url();
    let file = place.appender("app.log");
    let ship = Ship::start(&place, &url, &["app.log"]);
    ship.until_said("made stream logs for logs.>, 3 replicas");
    let pace = Pace::start(20_000, usize::MAX, move |_| file.try_clone().expect("a handle"));
    let stored = Stored::open(&url);
    ship.until("messages", || stored.messages().len() > 5);
    let leader = cluster.leader("logs");
    cluster.nodes[leader].kill();
    std::thread::sleep(Duration::from_secs(3));
    cluster.nodes[leader].again();
    assert!(pace.stop() > 20_000);
    drop(ship);
    finish_and_compare(&place, &url);
}

#[test]
fn an_engine_that_lost_what_it_had_acknowledged() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::New, "") else { return };
    let url = node.url();
    let lines = |from: usize, to: usize| (from..to).map(line).collect::<String>();
    place.append("app.log", lines(0, 3_000));
    let ship = Ship::start(&place, &url, &["app.log", "--batch-bytes", "8KiB"]);
    ship.until_said("made stream logs");
    let length = || Stored::open(&url).text().len() as u64;
    ship.until("the first lines", || length() == fs::metadata(place.path("app.log")).expect("a log").len());
    // What a power loss leaves: the store as it was a while ago.
    node.kill();
    copy(&node.store(), &place.path("before"));
    node.again();
    place.append("app.log", lines(3_000, 9_000));
    ship.until("all lines", || length() == fs::metadata(place.path("app.log")).expect("a log").len());
    node.kill();
    fs::remove_dir_all(node.store()).expect("a store");
    copy(&place.path("before"), &node.store());
    node.again();
    place.append("app.log", lines(9_000, 9_500));
    ship.until_said("went back behind what it had acknowledged");
    ship.until("all lines again", || length() == fs::metadata(place.path("app.log")).expect("a log").len());
    drop(ship);
    finish_and_compare(&place, &url);
}

pub(super) fn copy(from: &std::path::Path, to: &std::path::Path) {
    let copied = Command::new("cp").arg("-r").arg(from).arg(to).status().expect("cp");
    assert!(copied.success());
}

#[test]
fn a_stream_that_was_deleted_is_made_anew_and_filled_from_the_files() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::New, "") else { return };
    let url = node.url();
    place.write("app.log", (0..500).map(line).collect::<String>());
    let ship = Ship::start(&place, &url, &["app.log"]);
    ship.until_said("made stream logs");
    ship.until("the lines", || Stored::open(&url).text().len() > 50_000);
    assert!(Stored::open(&url).ask("STREAM.DELETE.logs", "").contains("true"));
    place.append("app.log", "after\n");
    ship.until_said("the stream logs was gone and is made anew");
    drop(ship);
    finish_and_compare(&place, &url);
}

#[test]
fn several_shippers_of_one_file_share_the_work() {
    for cluster in [false, true] {
        let place = Place::new();
        let (_node, _cluster, url) = match cluster {
            false => {
                let Some(node) = Node::start(&place, Version::Old, "") else { continue };
                let url = node.url();
                (Some(node), None, url)
            }
            true => {
                let Some(cluster) = Cluster::start(&place, Version::New) else { continue };
                let url = cluster.url();
                (None, Some(cluster), url)
            }
        };
        let file = place.appender("app.log");
        let pace = Pace::start(20_000, 60_000, move |_| file.try_clone().expect("a handle"));
        let ships: Vec<Ship> =
            (0..3).map(|_| Ship::start(&place, &url, &["app.log", "--interval", "5ms"])).collect();
        assert_eq!(pace.finish(), 60_000);
        for mut ship in ships {
            assert_eq!(ship.end().code(), Some(0), "{}", ship.stderr());
        }
        finish_and_compare(&place, &url);
    }
}

#[test]
fn what_is_too_old_for_the_stream_is_not_shipped_again() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::New, "") else { return };
    let url = node.url();
    place.write("app.log", "old\n");
    let make = ["app.log", "--retain", "1s"];
    assert_eq!(once(&place, &url, &make).0, Some(0));
    let stored = Stored::open(&url);
    assert_eq!(stored.text(), b"old\n");
    wait_for("the message to go", || stored.messages().is_empty().then_some(()));
    // Another run, and one that is under way when the subject is emptied.
    place.append("app.log", "new\n");
    let ship = Ship::start(&place, &url, &make);
    ship.until("the new line", || stored.messages().iter().any(|message| message.body == b"new\n"));
    wait_for("the message to go", || stored.messages().is_empty().then_some(()));
    place.append("app.log", "newest\n");
    ship.until("the newest line", || stored.messages().iter().any(|message| message.body == b"newest\n"));
    assert!(!ship.stderr().contains("went back"), "{}", ship.stderr());
    // Without the note there is nothing to go on from.
    drop(ship);
    wait_for("the message to go", || stored.messages().is_empty().then_some(()));
    fs::remove_dir_all(place.path("state")).expect("the notes");
    assert_eq!(once(&place, &url, &make).0, Some(0));
    assert_eq!(stored.text(), b"old\nnew\nnewest\n");
}

#[test]
fn while_the_engine_is_away_lines_wait_in_the_file_and_not_in_memory() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    let file = place.appender("app.log");
    let ship = Ship::start(&place, &url, &["app.log"]);
    ship.until_said("made stream");
    let pace = Pace::start(60_000, usize::MAX, move |_| file.try_clone().expect("a handle"));
    std::thread::sleep(Duration::from_millis(500));
    node.kill();
    std::thread::sleep(Duration::from_secs(1));
    let before = ship.memory("VmRSS");
    std::thread::sleep(Duration::from_secs(3));
    let grown = ship.memory("VmRSS").saturating_sub(before);
    assert!(grown < 8 << 10, "{grown} KiB more");
    node.again();
    assert!(pace.stop() > 100_000);
    ship.until_said("is there again");
    drop(ship);
    finish_and_compare(&place, &url);
}

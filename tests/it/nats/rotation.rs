//! Files that are rotated, cut, copied and compressed while they are shipped, and while nobody ships.

use super::Version;
use super::servers::Node;
use super::shipper::{Pace, Ship, line, once};
use super::stored::{Stored, assert_same};
use crate::support::{Place, wait_for};
use std::fs::{self, File};
use std::process::Command;
use std::time::Duration;

/// What was written, of all files together: the lines are numbered.
fn lines(count: usize) -> Vec<u8> {
    (0..count).flat_map(|number| line(number).into_bytes()).collect()
}

/// The stored lines, in order of their numbers: late lines of an old file come between those of the new one.
#[track_caller]
fn assert_all(stored: &Stored, count: usize) {
    let messages = stored.messages();
    let gaps: Vec<_> = messages.iter().filter_map(|message| message.head.gap.clone()).collect();
    assert!(gaps.is_empty(), "{gaps:?}");
    let generations = stored.generations();
    let all: Vec<u8> = generations.into_iter().flat_map(|(_, text)| text).collect();
    assert_same(&all, &lines(count));
}

#[test]
fn rotation_by_rename_while_the_shipper_is_killed() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let (folder, mut number) = (place.root().to_owned(), 0);
    let mut file = place.appender("app.log");
    let pace = Pace::start(20_000, usize::MAX, move |written| {
        if written / 10_000 > number {
            number = written / 10_000;
            let app = folder.join("app.log");
            fs::rename(&app, folder.join(format!("app.log.{}", 20_260_000 + number))).expect("a rotation");
            file = File::options().append(true).create(true).open(app).expect("a new file");
        }
        file.try_clone().expect("a handle")
    });
    for _ in 0..4 {
        let mut ship = Ship::start(&place, &node.url(), &["app.log"]);
        std::thread::sleep(Duration::from_millis(fastrand::u64(200..700)));
        ship.kill();
    }
    let count = pace.stop();
    assert!(count > 20_000, "no rotation yet");
    let (code, said) = once(&place, &node.url(), &["app.log"]);
    assert_eq!(code, Some(0), "{said}");
    assert_all(&Stored::open(&node.url()), count);
}

#[test]
fn copytruncate_while_it_ships_and_while_nobody_does() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    let part = |from: usize| (from..from + 1_000).map(line).collect::<String>();
    place.append("app.log", part(0));
    let mut ship = Ship::start(&place, &url, &["app.log"]);
    ship.until_said("made stream logs");
    ship.until("the first part", || node_text(&url) == lines(1_000));
    place.append("app.log", part(1_000));
    place.copy("app.log", "app.log.1");
    place.truncate("app.log", 0);
    place.append("app.log", part(2_000));
    ship.until("the third part", || node_text(&url) == lines(3_000));
    ship.kill();
    place.append("app.log", part(3_000));
    place.rename("app.log.1", "app.log.2");
    place.copy("app.log", "app.log.1");
    place.truncate("app.log", 0);
    place.append("app.log", part(4_000));
    assert_eq!(once(&place, &url, &["app.log"]).0, Some(0));
    assert_all(&Stored::open(&url), 5_000);
}

/// What is stored; empty as long as there is no stream.
fn node_text(url: &str) -> Vec<u8> {
    Stored::open(url).text()
}

#[test]
fn many_rotations_and_compression_while_nobody_ships() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    let part = |from: usize| (from..from + 1_000).map(line).collect::<String>();
    place.write("app.log", part(0));
    assert_eq!(once(&place, &url, &["app.log"]).0, Some(0));
    place.append("app.log", part(1_000));
    for (number, from) in [(1, 2_000), (2, 3_000), (3, 4_000)] {
        place.rename("app.log", &format!("app.log.{}", 20_260_000 + number));
        place.write("app.log", part(from));
        if number < 3 {
            let gzip =
                Command::new("gzip").arg(place.path(&format!("app.log.{}", 20_260_000 + number))).status();
            assert!(gzip.expect("gzip").success());
        }
    }
    assert_eq!(once(&place, &url, &["app.log"]).0, Some(0));
    assert_all(&Stored::open(&url), 5_000);
}

#[test]
fn what_was_rotated_away_for_good_is_told_in_the_stream() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    place.write("app.log", "shipped\n");
    assert_eq!(once(&place, &url, &["app.log"]).0, Some(0));
    place.append("app.log", "lost\n");
    place.remove("app.log");
    place.write("app.log.1", "not shipped, but there\n");
    place.write("app.log", "now\n");
    let (code, said) = once(&place, &url, &["app.log"]);
    assert_eq!(code, Some(0));
    assert!(
        said.contains("warning: lines of 'app.log' were not shipped: the file was rotated away"),
        "{said}"
    );
    let messages = Stored::open(&url).messages();
    let gap = messages.iter().position(|message| message.head.gap.is_some()).expect("a gap");
    assert_eq!(messages[gap - 1].body, b"shipped\n");
    let after: Vec<u8> = messages[gap..].iter().flat_map(|message| message.body.clone()).collect();
    assert_eq!(after, b"not shipped, but there\nnow\n");
    // It is told once.
    place.append("app.log", "later\n");
    let (code, said) = once(&place, &url, &["app.log"]);
    assert_eq!((code, said.contains("not shipped")), (Some(0), false), "{said}");
    assert_eq!(Stored::open(&url).messages().last().expect("a message").body, b"later\n");
}

#[test]
fn files_that_join_are_shipped_from_their_start() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    place.write("a.log", "before\n");
    let ship = Ship::start(&place, &url, &["*.log", "--from", "end"]);
    ship.until_said("made stream");
    place.append("a.log", "after\n");
    place.write("b.log", "new\n");
    let stored = wait_for("both files", || {
        let messages = Stored::open(&url).messages();
        (messages.len() == 2).then_some(messages)
    });
    let mut all: Vec<(String, Vec<u8>)> =
        stored.into_iter().map(|message| (message.subject, message.body)).collect();
    all.sort();
    assert!(all[0].0.ends_with(".a%2Elog") && all[1].0.ends_with(".b%2Elog"), "{all:?}");
    assert_eq!((&all[0].1[..], &all[1].1[..]), (&b"after\n"[..], &b"new\n"[..]));
}

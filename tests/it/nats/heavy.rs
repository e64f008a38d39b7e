//! What takes minutes, for a look by hand: `cargo test --release --test it -- --ignored --nocapture nats::heavy`.

use super::Version;
use super::servers::{Cluster, Node};
use super::shipper::{Pace, Ship, line, once};
use super::stored::{Stored, assert_same};
use crate::support::{Client, Event, Place, Server};
use logcast::log::cursor::Cursor;
use logcast::log::encode::named::place_in_message;
use std::collections::VecDeque;
use std::fs;
use std::time::{Duration, Instant};

#[track_caller]
fn finish_and_compare(place: &Place, url: &str) {
    let (code, said) = once(place, url, &["app.log"]);
    assert_eq!(code, Some(0), "{said}");
    assert_same(&Stored::open(url).text(), &fs::read(place.path("app.log")).expect("the log"));
}

/// The longest time between two messages that were sent, in ms.
fn stall(url: &str) -> u64 {
    let sent: Vec<u64> =
        Stored::open(url).messages().iter().filter_map(|message| message.head.sent).collect();
    sent.windows(2).map(|two| two[1].saturating_sub(two[0])).max().unwrap_or(0)
}

#[test]
#[ignore = "half a minute of writing"]
fn twenty_kills_at_sixty_thousand_lines_a_second() {
    for version in [Version::Old, Version::New] {
        let place = Place::new();
        let Some(node) = Node::start(&place, version, "") else { continue };
        let file = place.appender("app.log");
        let pace = Pace::start(60_000, usize::MAX, move |_| file.try_clone().expect("a handle"));
        for _ in 0..20 {
            let mut ship = Ship::start(&place, &node.url(), &["app.log"]);
            std::thread::sleep(Duration::from_millis(fastrand::u64(300..1_700)));
            ship.kill();
        }
        let lines = pace.stop();
        finish_and_compare(&place, &node.url());
        eprintln!("{version:?}: 20 kills, {lines} lines: 0 missing, 0 doubled");
    }
}

#[test]
#[ignore = "a minute of elections"]
fn the_leader_is_killed_six_times() {
    let place = Place::new();
    let Some(mut cluster) = Cluster::start(&place, Version::New) else { return };
    let url = cluster.url();
    let file = place.appender("app.log");
    let ship = Ship::start(&place, &url, &["app.log"]);
    ship.until_said("made stream logs");
    let pace = Pace::start(20_000, usize::MAX, move |_| file.try_clone().expect("a handle"));
    for _ in 0..6 {
        std::thread::sleep(Duration::from_secs(2));
        let leader = cluster.leader("logs");
        cluster.nodes[leader].kill();
        std::thread::sleep(Duration::from_secs(4));
        cluster.nodes[leader].again();
        cluster.until_healthy();
    }
    let lines = pace.stop();
    let memory = ship.memory("VmHWM");
    drop(ship);
    finish_and_compare(&place, &url);
    let stall = stall(&url);
    eprintln!(
        "6 leaders killed, {lines} lines: 0 missing, 0 doubled; longest stall {stall} ms, {memory} KiB at most"
    );
}

#[test]
#[ignore = "half a minute without an engine"]
fn all_nodes_are_down_for_half_a_minute() {
    let place = Place::new();
    let Some(mut cluster) = Cluster::start(&place, Version::New) else { return };
    let url = cluster.url();
    let file = place.appender("app.log");
    let ship = Ship::start(&place, &url, &["app.log"]);
    ship.until_said("made stream logs");
    let pace = Pace::start(40_000, usize::MAX, move |_| file.try_clone().expect("a handle"));
    std::thread::sleep(Duration::from_secs(3));
    let before = ship.memory("VmRSS");
    cluster.nodes.iter_mut().for_each(super::servers::Node::kill);
    let mut most = 0;
    for _ in 0..60 {
        std::thread::sleep(Duration::from_millis(500));
        most = most.max(ship.memory("VmRSS"));
    }
    let lines = pace.stop();
    let began = Instant::now();
    cluster.nodes.iter_mut().for_each(super::servers::Node::spawn_again);
    cluster.until_healthy();
    let healthy = began.elapsed();
    let length = fs::metadata(place.path("app.log")).expect("a log").len();
    let stored = Stored::open(&url);
    ship.until("all lines", || {
        stored.messages().last().and_then(|message| message.head.at).is_some_and(|at| at.end == length)
    });
    let caught_up = began.elapsed();
    let after = ship.memory("VmHWM");
    drop(ship);
    finish_and_compare(&place, &url);
    eprintln!(
        "all down 30 s, {lines} lines: 0 missing, 0 doubled; {before} KiB before, {most} during, {after} at most; healthy after {healthy:?}, all shipped after {caught_up:?}"
    );
}

#[test]
#[ignore = "a rate"]
fn eight_files_into_three_replicas() {
    let place = Place::new();
    let Some(cluster) = Cluster::start(&place, Version::New) else { return };
    let text: String = (0..500_000).map(line).collect();
    let names: Vec<String> = (0..8).map(|at| format!("f{at}.log")).collect();
    for name in &names {
        place.write(name, &text);
    }
    for more in [&[][..], &["--batch-bytes", "256KiB"], &["--compress", "zstd"]] {
        let subject = format!("rate{}", more.len() + more.first().map_or(0, |word| word.len()));
        let mut args: Vec<&str> = names.iter().map(String::as_str).collect();
        args.extend(more);
        args.extend(["--subject", &subject, "--retain-bytes", "4GiB"]);
        let began = Instant::now();
        let mut ship = Ship::start(&place, &cluster.url(), &[&args[..], &["--once"]].concat());
        let mut memory = 0;
        while ship.is_running() {
            memory = memory.max(ship.memory_or_zero("VmHWM"));
            std::thread::sleep(Duration::from_millis(20));
        }
        let took = began.elapsed();
        assert_eq!(ship.wait().code(), Some(0), "{}", ship.stderr());
        let rate = 8.0 * 500_000.0 / took.as_secs_f64();
        eprintln!("8 files, R3, {more:?}: {rate:.0} lines/s ({took:?}), {memory} KiB at most");
    }
}

/// The message that an id names, and the byte in it.
fn place_of(id: &str) -> String {
    let entry = Cursor::parse(id.as_bytes()).and_then(|cursor| cursor.entries.first().copied());
    entry.map_or(id.to_owned(), |entry| format!("{:?} {}", place_in_message(entry.offset), entry.generation))
}

/// A viewer of three servers whose leaders are killed in turn, and what it was told in the longest silence.
#[test]
#[ignore = "a minute of elections"]
fn a_viewer_while_the_leader_is_killed_six_times() {
    let place = Place::new();
    let Some(mut cluster) = Cluster::start(&place, Version::New) else { return };
    place.write("app.log", "begun\n");
    assert_eq!(once(&place, &cluster.url(), &["app.log"]).0, Some(0));
    let url = format!("{}/logs.>", cluster.url());
    let server = Server::start(&place, &[&url]);
    let mut client = Client::open(&server, "lines=0");
    client.hello();
    let _ship = Ship::start(&place, &cluster.url(), &["app.log"]);
    let file = place.appender("app.log");
    let pace = Pace::start(15_000, usize::MAX, move |_| file.try_clone().expect("a handle"));
    let reader = std::thread::spawn(move || {
        let (mut number, mut last, mut longest) = (0, Instant::now(), Duration::ZERO);
        let mut before: VecDeque<Event> = VecDeque::new();
        loop {
            let event = client.next();
            before.push_back(event.clone());
            let wrong = match event.is_line() {
                false if event.name == "gap" => "a gap".to_owned(),
                false => continue,
                true => {
                    longest = longest.max(last.elapsed());
                    last = Instant::now();
                    if event.data == "the end" {
                        return Ok((number, longest));
                    }
                    let expected = line(number);
                    number += 1;
                    if event.data == expected.trim_end() {
                        before.drain(..before.len().saturating_sub(6));
                        continue;
                    }
                    format!("not line {}", number - 1)
                }
            };
            before.extend((0..6).map(|_| client.next()));
            let shown =
                before.iter().map(|event| format!("{} {} {}", place_of(&event.id), event.name, event.data));
            return Err(format!("{wrong}:\n{}", shown.collect::<Vec<String>>().join("\n")));
        }
    });
    for _ in 0..6 {
        std::thread::sleep(Duration::from_secs(2));
        let leader = cluster.leader("logs");
        cluster.nodes[leader].kill();
        std::thread::sleep(Duration::from_secs(4));
        cluster.nodes[leader].again();
        cluster.until_healthy();
    }
    let lines = pace.stop();
    place.append("app.log", "the end\n");
    let (seen, longest) = match reader.join().expect("a viewer") {
        Ok(seen) => seen,
        Err(wrong) => {
            // Whether the stream itself is right is the first question then.
            eprintln!("{wrong}\nthe server said:\n{}", server.stderr());
            finish_and_compare(&place, &cluster.url());
            panic!("a viewer was told something else than what is stored: {wrong}");
        }
    };
    assert_eq!(seen, lines);
    // What no message was stored in is no reader's doing.
    let stall = stall(&cluster.url());
    if longest > Duration::from_secs(10) {
        eprintln!("a long silence; the server said:\n{}", server.stderr());
    }
    eprintln!(
        "viewer, 6 leaders killed, {lines} lines: 0 missing, 0 doubled; longest silence {longest:?}, nothing stored for {stall} ms"
    );
}

/// From the write into a file to the viewer of a server, one engine, 10,000 lines a second.
#[test]
#[ignore = "figures"]
fn from_file_to_viewer() {
    for interval in ["20ms", "50ms"] {
        for _ in 0..3 {
            let place = Place::new();
            let Some(node) = Node::start(&place, Version::New, "") else { return };
            place.write("app.log", "begun\n");
            assert_eq!(once(&place, &node.url(), &["app.log"]).0, Some(0));
            let _ship = Ship::start(&place, &node.url(), &["app.log", "--interval", interval]);
            let url = format!("{}/logs.>", node.url());
            let server = Server::start(&place, &[&url]);
            let mut client = Client::open(&server, "lines=0");
            client.hello();
            let (began, lines) = (Instant::now(), 80_000);
            let path = place.path("app.log");
            let writer = std::thread::spawn(move || {
                use std::io::Write;
                let mut file = fs::File::options().append(true).open(path).expect("the log");
                let mut written = 0;
                while written < lines {
                    let due = (began.elapsed().as_micros() as usize / 100).min(lines);
                    let now = began.elapsed().as_micros();
                    let text: String =
                        (written..due).map(|_| format!("{now} {}\n", "x".repeat(100))).collect();
                    file.write_all(text.as_bytes()).expect("lines");
                    written = due;
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let mut late: Vec<u128> = (0..lines)
                .map(|_| {
                    let text = client.take(1).remove(0);
                    let at: u128 = text.split(' ').next().and_then(|at| at.parse().ok()).expect("a time");
                    began.elapsed().as_micros() - at
                })
                .collect();
            writer.join().expect("a writer");
            late.sort_unstable();
            let [half, most] = [late[lines / 2], late[lines * 99 / 100]].map(|us| us as f64 / 1e3);
            eprintln!("{interval}: 10,000 lines/s from file to viewer: p50 {half:.1} ms, p99 {most:.1} ms");
        }
    }
}

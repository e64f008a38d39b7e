//! Lines of any form, and sources that are no plain files.

use super::Version;
use super::servers::Node;
use super::shipper::{Ship, line, once};
use super::stored::{Stored, assert_same};
use crate::support::{Client, Place, Server};
use logcast::nats::message::{Encoding, Head};
use std::fs;
use std::io::Write;
use std::process::Stdio;

#[test]
fn a_line_of_three_mebibytes_comes_in_pieces() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let long = [b"before\n".to_vec(), b"x".repeat(3 << 20), b"\nafter\r\n\n\xff\0\n".to_vec()].concat();
    place.write("app.log", &long);
    assert_eq!(once(&place, &node.url(), &["app.log"]).0, Some(0));
    let stored = Stored::open(&node.url());
    assert_same(&stored.text(), &long);
    let messages = stored.messages();
    assert!(messages.len() > 20 && messages.iter().all(|message| message.body.len() <= 128 << 10));
    assert!(messages.iter().all(|message| !message.head.end), "the file goes on");
}

#[test]
fn a_batch_fits_what_the_server_takes() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "max_payload: 16KB") else { return };
    let text: String = (0..2_000).map(line).collect();
    place.write("app.log", &text);
    assert_eq!(once(&place, &node.url(), &["app.log"]).0, Some(0));
    assert_same(&Stored::open(&node.url()).text(), text.as_bytes());
}

/// A file without a first line has no name yet: what it is called is known when that line is whole.
#[test]
fn a_file_that_is_empty_at_first_is_not_another_one_later() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    place.write("app.log", "");
    for part in ["", "", "on", "e", "\ntw", "o\n"] {
        place.append("app.log", part);
        let (code, said) = once(&place, &url, &["app.log"]);
        assert_eq!(code, Some(0), "{said}");
        assert!(!said.contains("warning"), "{said}");
    }
    let stored = Stored::open(&url);
    assert_eq!(stored.text(), b"one\ntwo\n");
    assert!(stored.messages().iter().all(|message| message.head.gap.is_none()));
    // Another file with the same first line is another one.
    place.rename("app.log", "app.log.1");
    place.write("app.log", "one\nthree\n");
    assert_eq!(once(&place, &url, &["app.log"]).0, Some(0));
    let text: Vec<u8> = stored.messages().into_iter().flat_map(|message| message.body).collect();
    assert_eq!(text, b"one\ntwo\none\nthree\n");
}

/// Who begins to read in the middle of a line of several messages is told so.
#[test]
fn a_line_whose_beginning_was_not_read_says_so() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    place.write("app.log", format!("first\n{} end\nlast\n", "x".repeat(9_000)));
    assert_eq!(once(&place, &node.url(), &["app.log", "--batch-bytes", "4KiB"]).0, Some(0));
    let stored = Stored::open(&node.url());
    let inside: Vec<bool> = stored.messages().iter().map(|message| message.head.inside).collect();
    let first = inside.iter().position(|&inside| inside).expect("a message that begins in a line");
    assert!(first > 0 && inside[first..].iter().all(|&inside| inside), "{inside:?}");
    for number in 1..=first {
        let deleted = stored.ask("STREAM.MSG.DELETE.logs", &format!(r#"{{"seq":{number}}}"#));
        assert!(deleted.contains("\"success\":true"), "{deleted}");
    }
    let server = Server::start(&place, &[&format!("{}/logs.>", node.url())]);
    let got = Client::open(&server, "lines=all").take(2);
    assert!(got[0].starts_with("[the beginning was not read] … xxx") && got[0].ends_with("x end"), "{got:?}");
    assert_eq!(got[1], "last");
}

#[test]
fn an_unfinished_line_goes_on_where_it_was() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    for part in ["one\ntw", "o\nthr", "e", "e\n", "", "four\n"] {
        place.append("app.log", part);
        let (code, said) = once(&place, &url, &["app.log"]);
        assert_eq!(code, Some(0), "{said}");
    }
    let stored = Stored::open(&url);
    assert_eq!(stored.text(), b"one\ntwo\nthree\nfour\n");
    assert!(stored.messages().iter().all(|message| message.head.gap.is_none()));
    // While it is followed only whole lines go, until the file is another one.
    place.append("app.log", "half");
    let ship = Ship::start(&place, &url, &["app.log"]);
    place.rename("app.log", "app.log.1");
    place.write("app.log", "new\n");
    ship.until("both", || {
        stored.messages().iter().filter(|message| message.body.ends_with(b"half")).count() == 1
    });
    ship.until("the new file", || stored.messages().iter().any(|message| message.body == b"new\n"));
    let half = stored.messages().into_iter().find(|message| message.body.ends_with(b"half"));
    assert!(half.expect("half a line").head.end, "nothing follows it");
}

#[test]
fn compressed_messages_hold_the_same() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let text: String = (0..20_000).map(line).collect();
    place.write("app.log", &text);
    assert_eq!(once(&place, &node.url(), &["app.log", "--compress", "zstd"]).0, Some(0));
    let stored = Stored::open(&node.url());
    assert_same(&stored.text(), text.as_bytes());
    assert!(stored.messages().iter().all(|message| message.head.encoding == Encoding::Zstd));
    let state: serde_json::Value = serde_json::from_str(&stored.ask("STREAM.INFO.logs", "")).expect("JSON");
    let bytes = state["state"]["bytes"].as_u64().expect("bytes");
    assert!(bytes * 4 < text.len() as u64, "{bytes} of {}", text.len());
}

#[test]
fn subjects_are_named_after_hosts_paths_and_labels() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    place.write("a b.log", "one\n");
    place.write("c.log", "two\n");
    let args = ["a b.log", "web=c.log", "--host-name", "web1.lan"];
    assert_eq!(once(&place, &node.url(), &args).0, Some(0));
    let stored = Stored::open(&node.url());
    let mut subjects: Vec<String> = stored.messages().into_iter().map(|message| message.subject).collect();
    subjects.sort();
    assert!(subjects.iter().all(|subject| subject.starts_with("logs.web1%2Elan.")), "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject.ends_with(".a%20b%2Elog")), "{subjects:?}");
    assert!(subjects.iter().any(|subject| subject == "logs.web1%2Elan.web"), "{subjects:?}");
    let path =
        stored.messages().into_iter().find_map(|message| message.head.path.filter(|path| path.len() > 3));
    assert_eq!(path.expect("a path"), place.path("a b.log").as_os_str().as_encoded_bytes());
    let url = format!("{}/prod.app", node.url());
    assert_eq!(once(&place, &url, &["web=c.log"]).0, Some(0));
    assert_eq!(Stored::named(&node.url(), "prod", "prod.app.>").messages()[0].subject, "prod.app.h.web");
}

#[test]
fn a_pipe_is_shipped_to_its_end_whoever_is_killed() {
    let place = Place::new();
    let Some(mut node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    let text: String = (0..30_000).map(line).collect();
    let (first, second) = text.split_at(text.len() / 2 + 17);
    let args = ["job=-", "--spool-limit", "64MiB"];
    let mut ship = Ship::with_stdin(&place, &url, &args, Stdio::piped());
    ship.stdin.as_mut().expect("a pipe").write_all(first.as_bytes()).expect("a pipe that takes it");
    ship.until_said("made stream");
    // While the engine is away the pipe goes on.
    node.kill();
    let mut stdin = ship.stdin.take().expect("a pipe");
    stdin.write_all(second.as_bytes()).expect("a pipe that takes it");
    stdin.write_all(b"no newline").expect("a pipe that takes it");
    drop(stdin);
    node.again();
    let (code, said) = ship.ended();
    assert_eq!(code, Some(0), "{said}");
    let stored = Stored::open(&url);
    assert_same(&stored.text(), (text.clone() + "no newline").as_bytes());
    let messages = stored.messages();
    assert!(messages.last().expect("a message").head.end);
    assert!(messages.iter().all(|message| message.subject == "logs.h.job"));
    assert!(!place.path("state/spool/h/job").exists(), "what was shipped is removed");
    // Another pipe of the name is no gap, and what a killed one left is shipped by the next.
    let mut ship = Ship::with_stdin(&place, &url, &args, Stdio::piped());
    ship.stdin.as_mut().expect("a pipe").write_all(b"again\n").expect("a pipe that takes it");
    ship.until("the line", || stored.messages().last().is_some_and(|message| message.body == b"again\n"));
    node.kill();
    ship.stdin.as_mut().expect("a pipe").write_all(b"spooled\n").expect("a pipe that takes it");
    ship.until("the spool", || {
        fs::read(place.path("state/spool/h/job")).is_ok_and(|text| text.ends_with(b"spooled\n"))
    });
    ship.kill();
    node.again();
    let mut ship = Ship::with_stdin(&place, &url, &args, Stdio::null());
    assert_eq!(ship.ended().0, Some(0));
    let bodies: Vec<u8> =
        stored.messages().iter().skip(messages.len()).flat_map(|m| m.body.clone()).collect();
    assert_eq!(bodies, b"again\nspooled\n");
    assert!(stored.messages().iter().all(|message| message.head.gap.is_none()));
}

#[test]
fn a_full_stream_loses_nothing() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    place.write("first.log", "first\n");
    assert_eq!(once(&place, &url, &["first.log"]).0, Some(0));
    let stored = Stored::open(&url);
    let full = r#"{"name":"logs","subjects":["logs.>"],"storage":"file","retention":"limits","discard":"new","max_bytes":BYTES,"num_replicas":1,"allow_direct":true,"max_age":0,"max_msgs":-1,"max_consumers":-1,"max_msg_size":-1}"#;
    let answer = stored.ask("STREAM.UPDATE.logs", &full.replace("BYTES", "200000"));
    assert!(!answer.contains("error"), "{answer}");
    let text: String = (0..5_000).map(line).collect();
    place.write("app.log", &text);
    let (code, said) = once(&place, &url, &["app.log"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error: cannot ship the last ") && said.contains("bytes of 'app.log'"), "{said}");
    assert!(said.contains("the stream is full: maximum bytes exceeded\nhelp: nothing is lost"), "{said}");
    // One that is not told to end waits until there is room.
    let ship = Ship::start(&place, &url, &["app.log"]);
    ship.until_said("warning: the stream is full: maximum bytes exceeded; lines wait in their files");
    let answer = stored.ask("STREAM.UPDATE.logs", &full.replace("BYTES", "2000000"));
    assert!(!answer.contains("error"), "{answer}");
    ship.until_said("the engine takes lines again");
    drop(ship);
    assert_eq!(once(&place, &url, &["app.log"]).0, Some(0));
    let own: Vec<_> =
        stored.messages().into_iter().filter(|message| message.subject.ends_with(".app%2Elog")).collect();
    assert_same(&own.iter().flat_map(|message| message.body.clone()).collect::<Vec<u8>>(), text.as_bytes());
}

#[test]
fn another_program_s_messages_are_left_alone() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    place.write("app.log", "one\n");
    assert_eq!(once(&place, &url, &["x=app.log"]).0, Some(0));
    let stored = Stored::open(&url);
    stored.publish("logs.h.web", "a line of another program");
    let (code, said) = once(&place, &url, &["web=app.log"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(
        said.contains("error: cannot ship to 'logs.h.web': it holds another program's messages\nhelp: "),
        "{said}"
    );
    let last = stored.messages().pop().expect("a message");
    assert_eq!((last.head, last.body), (Head::default(), b"a line of another program".to_vec()));
}

#[test]
fn two_machines_of_one_name_do_not_mix() {
    let place = Place::new();
    let Some(node) = Node::start(&place, Version::Old, "") else { return };
    let url = node.url();
    place.write("app.log", "one\n");
    let mut ship = Ship::start(&place, &url, &["web=app.log"]);
    let stored = || Stored::open(&url);
    ship.until_said("made stream");
    ship.until("the line", || stored().messages().len() == 1);
    // As another machine would: its own file, its own id, at the place where ours would come.
    let reader = stored();
    let other = Head { from: Some("another".to_owned()), ..reader.messages()[0].head.clone() };
    let other = Head { cursor: other.cursor.map(|cursor| cursor.chars().rev().collect()), ..other };
    reader.append("logs.h.web", &other, "theirs\n", 1);
    place.append("app.log", "two\n");
    let (code, said) = ship.ended();
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("cannot ship to 'logs.h.web': another machine (another) ships to it"), "{said}");
    assert!(said.contains("help: give this host another name with --host-name"), "{said}");
}

//! `logcast run`: as if the command had been started alone, and served besides.

use crate::support::server::{LOGCAST, run};
use crate::support::{Client, Place, Server, assert_lines, http, wait_for};
use rustix::process::Signal;
use std::io::Write;
use std::process::Stdio;

/// `logcast run OPTIONS -- sh -c SCRIPT`, with the URLs on stdout.
#[track_caller]
fn served(place: &Place, options: &[&str], script: &str) -> Server {
    let mut words = vec![LOGCAST, "run", "--port", "0", "--no-show"];
    words.extend(options);
    words.extend(["--", "sh", "-c", script]);
    Server::launch(place, &words, Stdio::piped())
}

#[test]
fn it_is_as_if_the_command_ran_alone() {
    let place = Place::new();
    let ran = |command: &[&str]| {
        let words: Vec<&str> = [LOGCAST, "run", "-p", "0"].iter().chain(command).copied().collect();
        run(&place, &words)
    };
    let outcome = ran(&["--", "sh", "-c", "echo out; echo err >&2; exit 7"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(7), "out\n"));
    let lines: Vec<&str> = outcome.stderr.lines().collect();
    assert!(lines.len() == 3 && lines[0].starts_with("http://") && lines[2] == "err", "{lines:?}");
    assert_eq!(ran(&["sh", "-c", "kill -KILL $$"]).code, Some(137), "128 and the signal; no -- is needed");
    let none = ran(&["no-such-command"]);
    assert_eq!(none.code, Some(127));
    assert!(
        none.stderr
            .ends_with("error: cannot run 'no-such-command': No such file or directory (os error 2)\n")
    );
    place.write("text", "no program");
    assert_eq!(ran(&["./text"]).code, Some(126));
    let many = ran(&["seq", "200000"]);
    assert_eq!((many.code, many.stdout.lines().count()), (Some(0), 200_000));
    // A reader that is slower than the end of the command gets all the same.
    let words = format!("{LOGCAST} run -p 0 -- seq 50000 2>urls | (sleep 3; cat) | tail -n 1");
    assert_eq!(run(&place, &["sh", "-c", &words]).stdout, "50000\n");
}

#[test]
fn a_client_gets_all_before_it_ends() {
    let place = Place::new();
    let mut server = served(&place, &[], "read x; seq 1 30000; seq 1 30000 >&2; exit 3");
    let mut client = Client::all(&server);
    let files = http::get(&server, "/api/files").json();
    let names: Vec<&str> =
        files["files"].as_array().expect("files").iter().filter_map(|file| file["name"].as_str()).collect();
    assert_lines(&names, &["stdout", "stderr"]);
    server.stdin.take().expect("piped").write_all(b"go\n").expect("a write");
    let events = client.read_to_end();
    assert_eq!(events.iter().filter(|event| event.is_line()).count(), 60_000);
    assert_eq!(events.iter().filter(|event| event.name == "ended").count(), 2);
    assert_eq!(server.wait().code(), Some(3));
}

#[test]
fn signals_are_passed_on() {
    let place = Place::new();
    let script =
        "trap 'echo usr' USR1; trap 'echo term; exit 5' TERM; echo ready; while :; do sleep 0.05; done";
    let mut server = served(&place, &[], script);
    let mut client = Client::all(&server);
    client.lines_to("ready");
    server.signal(Signal::USR1);
    client.lines_to("usr");
    server.signal(Signal::TERM);
    client.lines_to("term");
    assert_eq!(server.wait().code(), Some(5));
    // One that does not care is ended by the signal, and that is told.
    let mut server = served(&place, &[], "echo ready; exec sleep 60");
    Client::all(&server).lines_to("ready");
    assert_eq!(server.end(Signal::TERM).code(), Some(128 + 15));
}

#[test]
fn it_serves_on_if_told() {
    let place = Place::new();
    let mut server = served(&place, &["--keep"], "echo hello; exit 4");
    wait_for("the end of the command", || server.stderr().contains("has ended with 4").then_some(()));
    assert_lines(&Client::all(&server).take(1), &["hello"]);
    assert_eq!(server.end(Signal::INT).code(), Some(0));
}

#[test]
fn what_it_leaves_behind_does_not_hold_it() {
    let place = Place::new();
    let outcome = run(&place, &[LOGCAST, "run", "-p", "0", "sh", "-c", "sleep 15 & echo hi"]);
    assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), "hi\n"));
}

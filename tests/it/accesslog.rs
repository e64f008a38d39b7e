//! The access log: what is written, what never is, and what happens to its file.

use crate::support::http::{get, raw};
use crate::support::server::{LOGCAST, run};
use crate::support::{Client, Place, Server, wait_for};
use rustix::process::Signal;
use serde_json::Value;
use std::fs;

/// The lines of the log so far; each must be a JSON object.
#[track_caller]
fn entries(place: &Place, name: &str) -> Vec<Value> {
    let text = fs::read_to_string(place.path(name)).unwrap_or_default();
    let whole = text.rfind('\n').map_or("", |end| &text[..=end]);
    whole
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line:?}")))
        .collect()
}

#[test]
fn who_asked_for_what_and_how_it_ended() {
    let place = Place::with("f", "one\ntwo\nthree\n");
    let mut server = Server::start(&place, &["f", "--token", "secret-token", "--access-log", "access"]);
    get(&server, "/raw/f?token=secret-token");
    get(&server, "/api/search?grep=hunter2&token=secret-token");
    get(&server, "/nowhere/%0a%1b?secret-token&x=secret-token");
    get(&server, "/api/files?token=wrong-token-1");
    let forged = format!("GET /a\"b HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
    raw(&server, forged.as_bytes());
    let mut client = Client::open(&server, "lines=2&token=secret-token");
    client.take(2);
    let open = wait_for("the stream's first entry", || {
        entries(&place, "access")
            .into_iter()
            .find(|entry| entry["event"] == "open" && entry["path"] == "/stream-logs?lines=2&token=…")
    });
    assert!(open["bytes"].is_null() && open["seconds"].is_null(), "{open}");
    place.append("f", "four\n");
    client.take(1);
    drop(client);
    // It is seen when something is sent to nobody.
    let end = wait_for("the stream's last entry", || {
        place.append("f", "more\n");
        entries(&place, "access")
            .into_iter()
            .find(|entry| entry["stream"] == open["stream"] && entry["event"] == "end")
    });
    assert!(end["lines"].as_u64().expect("lines") >= 3, "{end}");
    assert!(end["bytes"].as_u64().expect("bytes") > 100 && end["seconds"].is_number(), "{end}");
    assert_eq!(end["reason"], "gone");
    let mut reading = Client::open(&server, "lines=0&token=secret-token");
    reading.hello();
    server.end(Signal::TERM);
    let all = entries(&place, "access");
    let find = |path: &str| {
        let mut ended = all.iter().filter(|entry| entry["event"] != "open");
        ended.find(|entry| entry["path"] == path).unwrap_or_else(|| panic!("{path} in {all:#?}"))
    };
    let raw = find("/raw/f?token=…");
    assert_eq!((&raw["status"], &raw["bytes"], &raw["method"]), (&200.into(), &14.into(), &"GET".into()));
    assert_eq!(
        (&raw["peer"], &raw["reason"], &raw["event"]),
        (&"127.0.0.1".into(), &"done".into(), &"request".into())
    );
    assert_eq!(find("/api/search?grep=…&token=…")["reason"], "done");
    let refused = find("/api/files?token=…");
    assert_eq!((&refused["status"], &refused["reason"]), (&401.into(), &"a token is needed".into()));
    assert_eq!(find("/nowhere/%0a%1b?…&…")["status"], 401);
    let last = all.last().expect("entries");
    assert_eq!((&last["event"], &last["reason"]), (&"end".into(), &"stopped".into()), "{last}");
    let text = fs::read_to_string(place.path("access")).expect("the log");
    for secret in ["secret-token", "wrong-token-1", "hunter2", "three", "four"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
    assert!(!text.contains('\u{1b}'));
}

#[test]
fn it_is_opened_anew_on_a_hangup() {
    let place = Place::with("f", "one\n");
    let mut server = Server::start(&place, &["f", "--access-log", "access"]);
    get(&server, "/healthz");
    wait_for("the first entry", || (entries(&place, "access").len() == 1).then_some(()));
    place.rename("access", "access.1");
    get(&server, "/healthz");
    wait_for("the second entry, in the old file", || (entries(&place, "access.1").len() == 2).then_some(()));
    server.signal(Signal::HUP);
    wait_for("the new file", || place.path("access").exists().then_some(()));
    get(&server, "/readyz");
    wait_for("its entry", || (entries(&place, "access").first()?["path"] == "/readyz").then_some(()));
    assert!(server.alive());
    let failed = run(&place, &[LOGCAST, "serve", "f", "--port", "0", "--access-log", "nowhere/access"]);
    assert_eq!(failed.code, Some(1));
    assert!(
        failed.stderr.starts_with("error: cannot write 'nowhere/access': No such file"),
        "{}",
        failed.stderr
    );
}

/// What cannot be written is said once, and counted; nobody waits for it.
#[test]
fn a_disk_that_is_full() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f", "--access-log", "/dev/full"]);
    for _ in 0..20 {
        assert_eq!(get(&server, "/healthz").status, 200);
    }
    let lost = wait_for("the count", || {
        let text = get(&server, "/metrics").text();
        let line = text.lines().find_map(|line| line.strip_prefix("logcast_access_log_lost_total "))?;
        line.parse::<u64>().ok().filter(|count| *count >= 20)
    });
    assert!(lost <= 200, "{lost}");
    assert_eq!(
        server.stderr().matches("warning: cannot write '/dev/full'").count(),
        1,
        "{}",
        server.stderr()
    );
}

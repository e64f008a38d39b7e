//! What `serve` does for people: where else it is reached, a browser, and a word to containers.

use crate::support::http::{get, raw};
use crate::support::server::{LOGCAST, run};
use crate::support::{Client, Place, Server, wait_for};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Stdio;

/// `env PAIRS logcast serve ARGS --port 0`.
#[track_caller]
fn serve(place: &Place, pairs: &[&str], args: &[&str]) -> Server {
    let words: Vec<&str> =
        ["env"].iter().chain(pairs).chain(&[LOGCAST, "serve", "--port", "0"]).chain(args).copied().collect();
    Server::launch(place, &words, Stdio::null())
}

#[test]
fn the_page_is_opened() {
    let place = Place::with("f", "one\n");
    place.folder("bin");
    place.write("bin/xdg-open", "#!/bin/sh\necho \"$1\" >opened.new\nmv opened.new opened\nsleep 60\n");
    fs::set_permissions(place.path("bin/xdg-open"), fs::Permissions::from_mode(0o755)).expect("a mode");
    let path = format!("PATH={}:/usr/bin:/bin", place.path("bin").display());
    let server = serve(&place, &[&path], &["f", "--open"]);
    // It does not wait for the browser.
    Client::all(&server).take(1);
    let opened = wait_for("the browser", || fs::read_to_string(place.path("opened")).ok());
    assert_eq!(opened.trim_end(), server.page);
    // Where a token is needed, the browser gets one that is good once: its arguments can be seen by others.
    place.remove("opened");
    let server = serve(&place, &[&path], &["f", "--open", "--token", "a-long-token"]);
    let opened = wait_for("the browser", || fs::read_to_string(place.path("opened")).ok());
    let (page, once) = opened.trim_end().split_once("?token=").expect("a token");
    assert_eq!(format!("{page}?token=a-long-token"), server.page);
    assert!(once.len() >= 32, "{once}");
    assert_eq!(get(&server, &format!("/raw/f?token={once}")).status, 401);
    let session = || {
        let (host, body) = (server.address, format!("{{\"token\":\"{once}\"}}"));
        let length = body.len();
        let text = format!(
            "POST /api/session HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
        );
        raw(&server, text.as_bytes()).expect("an answer").status
    };
    assert_eq!([session(), session()], [204, 401]);
    let none = serve(&place, &[], &["f", "--qr"]);
    let warning = "warning: no QR code: only this machine is served; see --bind\n";
    wait_for("the warning", || (none.stderr() == warning).then_some(()));
}

/// A name that was mistyped would be waited for in silence.
#[test]
fn what_is_not_there_is_said() {
    let place = Place::with("f", "one\n");
    let server = serve(&place, &[], &["f", "g", "none/*.log"]);
    let said = "'g' is not there yet; it is served when it is\n";
    wait_for("a word about it", || (server.stderr() == said).then_some(()));
    place.write("g", "two\n");
    Client::open(&server, "file=g&lines=all").take(1);
    let server = serve(&place, &[], &["none/*.log"]);
    wait_for("a word about it", || (server.stderr() == "no file matches yet\n").then_some(()));
    let server = serve(&place, &[], &["h", "--no-follow"]);
    wait_for("a word about it", || (server.stderr() == "'h' is not there\n").then_some(()));
    let quiet = serve(&place, &[], &["f", "h", "--quiet"]);
    Client::all(&quiet).take(1);
    assert_eq!(quiet.stderr(), "");
}

#[test]
fn who_came_by_ssh_is_told_how_to_reach_it() {
    let place = Place::with("f", "one\n");
    let server = serve(&place, &["SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 22", "USER=eva"], &["f"]);
    let port = server.address.port();
    let hint = format!("over ssh, on your own machine: ssh -L {port}:127.0.0.1:{port} eva@192.0.2.1\n");
    wait_for("the hint", || server.stderr().contains(&hint).then_some(()));
    let quiet = serve(&place, &["SSH_CONNECTION=192.0.2.7 50000 192.0.2.1 22"], &["f", "--quiet"]);
    Client::all(&quiet).take(1);
    assert_eq!(quiet.stderr(), "");
}

#[test]
fn health() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f", "--token", "secret-token"]);
    // It needs no token.
    for url in [&server.page, &server.stream, &format!("http://{}", server.address)] {
        let outcome = run(&place, &[LOGCAST, "healthcheck", url]);
        assert_eq!(
            (outcome.code, outcome.stdout.as_str(), outcome.stderr.as_str()),
            (Some(0), "", ""),
            "{url}"
        );
    }
    let outcome = run(&place, &[LOGCAST, "healthcheck", "http://127.0.0.1:1/"]);
    let expected = "error: 'http://127.0.0.1:1/healthz' is not well: Connection refused (os error 111)\n\
        help: is it running there? logcast serve prints its URL when it starts\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), expected));
    assert_eq!(run(&place, &[LOGCAST, "healthcheck", "nothing"]).code, Some(2));
}

#[test]
fn a_configuration_file_is_below_everything() {
    let place = Place::with("f", "one\ntwo\nthree\n");
    place.folder("logcast");
    place.write(
        "logcast/config.toml",
        "lines = 1\ntitle = \"of the file\"\nno-follow = true\ntoken = \"token-of-the-file\"\n",
    );
    let lines = |server: &Server, token: &str| {
        let events =
            Client::open(server, &format!("follow=false&token={token}")).until(|event| event.name == "ended");
        let title =
            crate::support::http::get(server, &format!("/api/files?token={token}")).json()["title"].clone();
        (events.iter().filter(|event| event.is_line()).count(), title.as_str().map(str::to_owned))
    };
    let of = |title: &str| Some(title.to_owned());
    let server = serve(&place, &[], &["f"]);
    assert_eq!(lines(&server, "token-of-the-file"), (1, of("of the file")));
    let server = serve(
        &place,
        &["LOGCAST_LINES=2", "LOGCAST_TITLE=of the environment"],
        &["f", "--title", "of the flag"],
    );
    assert_eq!(lines(&server, "token-of-the-file"), (2, of("of the flag")));
    // A flag wins over a key that conflicts with it.
    place.write("token", "token-of-the-flag");
    let server = serve(&place, &[], &["f", "--token-file", "token"]);
    assert_eq!(lines(&server, "token-of-the-flag").0, 1);
    let server = serve(&place, &[], &["f", "--no-config"]);
    assert_eq!(lines(&server, ""), (3, None));
    place.write("other.toml", "lines = 2\n\nprot = 1\n");
    let outcome = run(&place, &[LOGCAST, "f", "--config", "other.toml"]);
    let expected =
        "error: cannot use 'other.toml', line 3: there is no option 'prot'\nhelp: did you mean 'port'?\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(2), expected));
    let outcome = run(&place, &[LOGCAST, "f", "--config", "none.toml"]);
    let expected = "error: cannot read 'none.toml': No such file or directory (os error 2)\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), expected));
}

#[test]
fn who_asks_for_what_is_said_if_wished() {
    let place = Place::with("f", "one\n");
    let server = serve(&place, &[], &["f", "-v", "--token", "secret-token"]);
    Client::open(&server, "token=secret-token").take(1);
    crate::support::http::get(&server, "/no%1bwhere");
    wait_for("both requests", || {
        let said = server.stderr();
        (said == "127.0.0.1 GET /stream-logs 200\n127.0.0.1 GET /no%1bwhere 401\n").then_some(())
    });
    place.rename("f", "f.1");
    place.write("f", "two\n");
    wait_for("the rotation", || server.stderr().contains("\n'f': rotated\n").then_some(()));
    // A variable means it too, and twice it tells of connections.
    let server = serve(&place, &["LOGCAST_VERBOSE=2"], &["f", "--tls-self-signed"]);
    let plain = format!("GET / HTTP/1.1\r\nHost: {}\r\n\r\n", server.address);
    crate::support::http::raw(&server, plain.as_bytes());
    wait_for("who speaks no TLS", || server.stderr().contains("no TLS with 127.0.0.1: ").then_some(()));
    let quiet = serve(&place, &["LOGCAST_VERBOSE=no"], &["f"]);
    Client::all(&quiet).take(1);
    assert_eq!(quiet.stderr(), "");
}

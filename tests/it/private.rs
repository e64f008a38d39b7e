//! Files that are not for every user of the machine, and how that changes while they are served: modes, rotation, links.

use crate::support::http::get;
use crate::support::{Client, Place, Server, assert_lines, wait_for};
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::{PermissionsExt, lchown, symlink};

/// A user that is neither root nor whoever runs the tests.
const OTHER: u32 = 12_345;

fn chmod(place: &Place, name: &str, mode: u32) {
    set_permissions(place.path(name), Permissions::from_mode(mode)).expect(name);
}

/// A folder that every user may enter, with a log for everybody.
fn open_place() -> Place {
    let place = Place::with("f", "one\n");
    chmod(&place, "", 0o755);
    chmod(&place, "f", 0o644);
    place
}

/// Whether links of others can be made; says so if not.
fn is_root() -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        eprintln!("skipped: only root can make links of another user");
    }
    root
}

/// A file whose mode is made stricter under its reader is served on, which is said, once; a restart asks for a token.
#[test]
fn a_file_that_is_closed_while_it_is_read() {
    let place = open_place();
    let mut server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
    chmod(&place, "f", 0o600);
    let warning = "warning: some users here may no longer read 'f', and all may ask for it";
    wait_for("a warning", || server.stderr().contains(warning).then_some(()));
    place.append("f", "two\n");
    assert_lines(&client.take(1), &["two"]);
    // Said again only if it was open again in between.
    let count = || server.stderr().matches(warning).count();
    assert_eq!(count(), 1);
    chmod(&place, "f", 0o644);
    let listed = || get(&server, "/api/files").status;
    assert_eq!(listed(), 200);
    place.append("f", "three\n");
    assert_lines(&client.take(1), &["three"]);
    // A look has seen the mode when it has told of this line.
    chmod(&place, "f", 0o600);
    wait_for("the second warning", || (count() == 2).then_some(()));
    server.end(rustix::process::Signal::TERM);
    let server = Server::start(&place, &["f"]);
    assert!(server.page.contains("?token="), "{}", server.page);
}

/// A file that was refused is not served under its rotated name either.
#[test]
fn what_was_refused_is_no_history() {
    let place = open_place();
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    assert_lines(&client.take(1), &["one"]);
    let rotate = |text: &str, mode: u32| {
        place.write("new", text);
        chmod(&place, "new", mode);
        if place.path("f.1").exists() {
            place.rename("f.1", "f.2");
        }
        place.rename("f", "f.1");
        place.rename("new", "f");
    };
    rotate("hidden line\n", 0o600);
    wait_for("a warning", || {
        server.stderr().contains("warning: cannot follow 'f': some users").then_some(())
    });
    rotate("three\n", 0o644);
    assert_lines(&client.lines_to("three"), &["three"]);
    for target in [
        "/raw/f?history=true",
        "/api/search?grep=.",
        "/api/lines?file=f&at=0&before=10",
        "/stream-logs?lines=100&follow=false",
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, 200, "{target}");
        assert!(!answer.text().contains("hidden"), "{target}: {}", answer.text());
        assert!(answer.text().contains("three") || target.contains("at=0"), "{target}: {}", answer.text());
    }
    // Who had to show a token may read it.
    let server = Server::start(&place, &["f"]);
    let (_, token) = server.page.split_once("?token=").expect("a token");
    let all = get(&server, &format!("/raw/f?history=true&token={token}")).text();
    assert_eq!(all, "one\nhidden line\nthree\n");
}

/// Who may write into a folder of logs may put a link there, to what they may not read: it is not read for them, whoever
/// asks, under no name.
#[test]
fn a_link_of_somebody_else_leads_nowhere() {
    if !is_root() {
        return;
    }
    let place = open_place();
    place.write("secret", "hidden line\n");
    chmod(&place, "secret", 0o600);
    place.folder("logs");
    for name in ["logs/app.log", "logs/plain.log"] {
        place.write(name, "one\n");
        lchown(place.path(name), Some(OTHER), None).expect("an owner");
    }
    // It is theirs before it has its name: root's own would be followed.
    let link = |target: &str, name: &str| {
        symlink(place.path(target), place.path("made")).expect(name);
        lchown(place.path("made"), Some(OTHER), None).expect("an owner");
        place.rename("made", name);
    };
    link("secret", "logs/lure.log");
    link("secret", "logs/app.log.1");
    link("logs/plain.log", "logs/own.log");
    link("f", "logs/public.log");
    // A token does not help: it is for the logs.
    for args in [&["--no-auth"][..], &["--token", "a-long-token"]] {
        let server = Server::start(&place, &[&["logs/*.log"], args].concat());
        let warning = "warning: cannot follow 'logs/lure.log': another user's link leads to it";
        wait_for("a warning", || server.stderr().contains(warning).then_some(()));
        let token = args.last().expect("one");
        let all = |target: &str| get(&server, &format!("{target}&token={token}")).text();
        let lines = all("/stream-logs?lines=all&follow=false");
        assert!(lines.matches("data: one").count() == 4, "{lines}");
        for target in
            ["/stream-logs?lines=100", "/raw/logs%2Fapp.log?history=true", "/api/search?grep=hidden"]
        {
            let target =
                if target.starts_with("/stream") { format!("{target}&follow=false") } else { target.into() };
            assert!(!all(&target).contains("hidden line"), "{target}");
        }
        assert!(!all("/raw/logs%2Flure.log?download=true").contains("hidden"));
        // One that comes later, in the place of a log.
        let mut client = Client::open(&server, &format!("lines=0&token={token}"));
        client.hello();
        place.rename("logs/app.log", "kept");
        link("secret", "logs/app.log");
        let warning = "warning: cannot follow 'logs/app.log': another user's link leads to it";
        wait_for("another warning", || server.stderr().contains(warning).then_some(()));
        assert!(!all("/raw/logs%2Fapp.log?history=true").contains("hidden"));
        place.remove("logs/app.log");
        place.rename("kept", "logs/app.log");
        place.append("logs/plain.log", "two\n");
        assert_lines(&client.take(2), &["two", "two"]);
    }
    // Our own links, and root's, are what they were.
    lchown(place.path("logs/lure.log"), Some(0), None).expect("an owner");
    let server = Server::start(&place, &["logs/lure.log", "--no-auth"]);
    assert_eq!(get(&server, "/raw/logs%2Flure.log").text(), "hidden line\n");
}

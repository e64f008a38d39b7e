//! Who gets in: files that are not for every user of the machine, names and passwords, base path, trusted proxies.

use crate::support::http::{Response, get, raw};
use crate::support::server::{LOGCAST, run};
use crate::support::{Client, Place, Server, assert_lines, have, wait_for};
use std::fs::{Permissions, set_permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

fn chmod(place: &Place, name: &str, mode: u32) {
    set_permissions(place.path(name), Permissions::from_mode(mode)).expect(name);
}

/// A folder that every user may enter, with a file of this mode in it.
fn with_mode(mode: u32) -> Place {
    let place = Place::with("f", "secret line\n");
    chmod(&place, "", 0o755);
    chmod(&place, "f", mode);
    place
}

/// A request with header lines of its own; the connection is closed after the answer.
#[track_caller]
fn ask(server: &Server, method: &str, target: &str, headers: &str) -> Response {
    let host = server.address;
    let text = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\n{headers}Connection: close\r\n\r\n");
    raw(server, text.as_bytes()).expect("an answer")
}

/// Model, row "other users of the machine": loopback is open to all of them, and what they may not read needs a token.
#[test]
fn a_secret_file_needs_a_token_on_loopback_too() {
    for (mode, args) in [(0o640, &["f"][..]), (0o600, &["f"]), (0o600, &["f*"])] {
        let place = with_mode(mode);
        let server = Server::start(&place, args);
        let (_, token) = server.page.split_once("?token=").expect("a token in the URL");
        for target in
            ["/stream-logs", "/api/files", "/api/lines?file=f", "/api/search?grep=a", "/raw/f", "/metrics"]
        {
            let answer = get(&server, target);
            assert_eq!(answer.status, 401, "{target}: {}", answer.text());
            assert!(!answer.text().contains("secret line"));
        }
        Client::open(&server, &format!("lines=all&token={token}")).take(1);
        assert_eq!(get(&server, "/healthz").status, 200);
    }
    let place = with_mode(0o600);
    for (mode, args) in [(0o600, &["f", "--no-auth"][..]), (0o644, &["f"])] {
        chmod(&place, "f", mode);
        let server = Server::start(&place, args);
        assert!(!server.page.contains("token"), "{mode:o} {args:?}: {}", server.page);
        Client::all(&server).take(1);
    }
    // A rotated file counts as the beginning of its log.
    place.write("f.1", "older secret line\n");
    chmod(&place, "f.1", 0o640);
    assert!(Server::start(&place, &["f"]).page.contains("?token="));
    assert!(!Server::start(&place, &["f", "--no-history"]).page.contains("?token="));
}

/// In a closed folder, such as a home, a file is its user's own: they need no token, others get nothing.
#[test]
fn other_users_read_nothing_from_a_closed_folder() {
    if !have("setpriv") || !have("curl") {
        return;
    }
    let place = with_mode(0o644);
    let who = |user: &str, url: &str| {
        let (reuid, regid) = (format!("--reuid={user}"), format!("--regid={user}"));
        let words = ["setpriv", &reuid, &regid, "--clear-groups", "curl", "-s", "-m", "10", url];
        run(&place, &words).stdout
    };
    if run(&place, &["setpriv", "--reuid=65534", "true"]).code != Some(0) {
        eprintln!("skipped: only root can be another user");
        return;
    }
    let server = Server::start(&place, &["f"]);
    let url = |server: &Server, route: &str| format!("http://{}{route}", server.address);
    assert!(who("65534", &url(&server, "/raw/f")).contains("secret line"), "the folder is open");
    chmod(&place, "", 0o700);
    for bind in ["127.0.0.1", "::1"] {
        if bind == "::1" && std::net::TcpListener::bind("[::1]:0").is_err() {
            continue;
        }
        let server = Server::start(&place, &["f", "--bind", bind]);
        assert!(!server.page.contains("token"), "{}", server.page);
        assert!(get(&server, "/raw/f").text().contains("secret line"), "our own user");
        for route in ["/raw/f", "/stream-logs?follow=false", "/api/files", "/"] {
            let got = who("65534", &url(&server, route));
            assert!(got.contains("\"status\":403") && got.contains("--token"), "{bind} {route}: {got}");
        }
        assert_eq!(who("65534", &url(&server, "/healthz")), "ok\n");
    }
    let server = Server::start(&place, &["f", "--no-auth"]);
    assert!(who("65534", &url(&server, "/raw/f")).contains("secret line"));
    let server = Server::start(&place, &["f", "--token", "a-long-token"]);
    assert!(who("65534", &url(&server, "/raw/f")).contains("\"status\":401"));
    assert_eq!(who("65534", &url(&server, "/raw/f?token=a-long-token")), "secret line\n");
    assert_eq!(get(&server, "/raw/f").status, 401, "a token in force is for everybody");
}

/// What joins later and is secret is refused where anyone may ask, and said; not where a token is needed anyway.
#[test]
fn a_secret_file_that_joins_later_is_refused() {
    let place = with_mode(0o644);
    let open = Server::start(&place, &["*"]);
    let guarded = Server::start(&place, &["*", "--token", "a-long-token"]);
    let mut client = Client::all(&open);
    let mut inside = Client::open(&guarded, "lines=all&token=a-long-token");
    client.take(1);
    inside.take(1);
    let secret = |name: &str| {
        place.write("new", "");
        chmod(&place, "new", 0o600);
        place.append("new", "hidden line\n");
        place.rename("new", name);
    };
    // A new file, and a rotation.
    place.folder("away");
    secret("away/g");
    place.rename("away/g", "g");
    place.rename("f", "away/f.1");
    secret("away/f");
    place.rename("away/f", "f");
    wait_for("both warnings", || {
        let said = open.stderr();
        ["'f'", "'g'"]
            .iter()
            .all(|name| said.contains(&format!("warning: cannot follow {name}: some users")))
            .then_some(())
    });
    let state = |name: &str| {
        let listed = get(&open, "/api/files").json();
        let files = listed["files"].as_array().expect("files").clone();
        files
            .iter()
            .find(|file| file["name"] == name)
            .map(|file| file["state"].as_str().unwrap_or("").to_owned())
    };
    assert_eq!(state("g").as_deref(), Some("refused"));
    assert_lines(&inside.take(2), &["hidden line", "hidden line"]);
    assert!(!get(&open, "/raw/g").text().contains("hidden"));
    // Once everybody may read them they come.
    chmod(&place, "g", 0o644);
    chmod(&place, "f", 0o644);
    assert_lines(&client.take(2), &["hidden line", "hidden line"]);
}

/// `printf PASSWORD | logcast hash NAME`.
#[track_caller]
fn hash(place: &Place, name: &str, password: &str) -> String {
    let mut child = Command::new(LOGCAST)
        .args(["hash", name])
        .current_dir(place.root())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("logcast hash");
    child.stdin.take().expect("piped").write_all(password.as_bytes()).expect("a password");
    let output = child.wait_with_output().expect("an end");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).expect("text").trim_end().to_owned()
}

/// Names and passwords: HTTP Basic, asked for at the page; wrong ones are counted.
#[test]
fn names_and_passwords() {
    let place = with_mode(0o644);
    let eva = hash(&place, "eva", "correct horse\n");
    assert!(eva.starts_with("eva:$argon2id$"), "{eva}");
    assert_ne!(eva, hash(&place, "eva", "correct horse"), "a salt of its own");
    // What `htpasswd -nbB -C 4 jo geheim` wrote, with a comment and an empty line.
    place.write("people", "# a team\n\njo:$2y$04$K0WJ1eyi1Zm3Nlu/nkxLtumDS1UVQFQ2/o8WCQuwMq1JGv7xanyHe\n");
    let server = Server::start(&place, &["f", "--auth", &eva, "--auth-file", "people"]);
    assert!(!server.page.contains("token"), "{}", server.page);
    let with = |given: &str| format!("Authorization: {given}\r\n");
    // eva:correct horse
    let good = with("Basic ZXZhOmNvcnJlY3QgaG9yc2U=");
    for target in ["/", "/stream-logs?follow=false", "/api/files", "/raw/f", "/metrics"] {
        let refused = get(&server, target);
        assert_eq!(refused.status, 401, "{target}");
        assert_eq!(refused.header("www-authenticate"), Some("Basic realm=\"logcast\", charset=\"UTF-8\""));
        assert!(!refused.text().contains("secret line"));
        assert_eq!(ask(&server, "GET", target, &good).status, 200, "{target}");
    }
    // jo:geheim
    assert_eq!(ask(&server, "GET", "/raw/f", &with("Basic am86Z2VoZWlt")).status, 200);
    // A script of the page is not asked: the browser would ask over it.
    let script = ask(&server, "GET", "/api/files", "Sec-Fetch-Mode: cors\r\n");
    assert_eq!(script.header("www-authenticate"), Some("Bearer realm=\"logcast\""));
    for open in ["/healthz", "/readyz", "/assets/favicon.svg"] {
        assert_eq!(get(&server, open).status, 200, "{open}");
    }
    // No token is in force: none opens a session.
    let session = "Content-Type: application/json\r\nContent-Length: 12\r\n";
    let host = server.address;
    let text = format!(
        "POST /api/session HTTP/1.1\r\nHost: {host}\r\n{session}Connection: close\r\n\r\n{{\"token\":\"\"}}"
    );
    assert_eq!(raw(&server, text.as_bytes()).expect("an answer").status, 401);
    let mut statuses = Vec::new();
    for _ in 0..12 {
        // eva:wrong
        statuses.push(ask(&server, "GET", "/api/files", &with("Basic ZXZhOndyb25n")).status);
    }
    assert!(statuses[0] == 401 || statuses[0] == 429, "{statuses:?}");
    assert!(statuses.iter().all(|status| [401, 429].contains(status)), "{statuses:?}");
    // Who is known gets in all the same.
    assert_eq!(ask(&server, "GET", "/api/files", &good).status, 200);
}

/// bcrypt from a file, and a token beside.
#[test]
fn a_token_or_a_password() {
    if !have("curl") {
        return;
    }
    let place = with_mode(0o644);
    let eva = hash(&place, "eva", "correct horse");
    let server = Server::start(&place, &["f", "--auth", &eva, "--token", "a-long-token"]);
    let curl = |words: &[&str]| run(&place, &[&["curl", "-sS"], words].concat()).stdout;
    let url = format!("http://{}/raw/f", server.address);
    assert_eq!(curl(&["-u", "eva:correct horse", &url]), "secret line\n");
    assert_eq!(curl(&["--anyauth", "-u", "eva:correct horse", &url]), "secret line\n");
    assert_eq!(curl(&["-H", "Authorization: Bearer a-long-token", &url]), "secret line\n");
    assert!(curl(&["-u", "jo:correct horse", &url]).contains("\"status\":401"));
    // Our own clients have names and passwords too, and prefer them.
    let page = format!("http://{}/", server.address);
    let tail =
        |words: &[&str]| run(&place, &[&["env"], words, &[LOGCAST, "tail", "--no-follow", &page]].concat());
    for given in ["LOGCAST_USER=eva:correct horse", "LOGCAST_TOKEN=a-long-token"] {
        let tailed = tail(&[given]);
        assert_eq!((tailed.code, tailed.stdout.as_str()), (Some(0), "secret line\n"), "{}", tailed.stderr);
    }
    let wrong = tail(&["LOGCAST_USER=eva:correct", "LOGCAST_TOKEN=a-long-token"]);
    assert_eq!(wrong.code, Some(1));
    assert!(wrong.stderr.contains(": this name or password is wrong\nhelp: "), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("correct"), "{}", wrong.stderr);
    let checked = run(&place, &[LOGCAST, "check", &page, "--user", "eva:correct horse", "--idle", "1"]);
    assert!(checked.stderr.contains("has no numbered lines"), "it was read: {}", checked.stderr);
}

/// A token may hold what has a meaning in URLs: the one that is printed still lets in.
#[test]
fn a_token_of_any_characters() {
    let place = with_mode(0o644);
    let token = "a+b/c=d&e#f%67?h~";
    let server = Server::start(&place, &["f", "--token", token]);
    assert_eq!(server.page, format!("http://{}/?token=a%2Bb%2Fc%3Dd%26e%23f%2567%3Fh~", server.address));
    for url in [&server.page, &server.stream] {
        let tailed = run(&place, &[LOGCAST, "tail", "--no-follow", url]);
        assert_eq!((tailed.code, tailed.stdout.as_str()), (Some(0), "secret line\n"), "{}", tailed.stderr);
        assert_eq!(run(&place, &[LOGCAST, "healthcheck", url]).code, Some(0));
    }
    assert_eq!(ask(&server, "GET", "/raw/f", &format!("Authorization: Bearer {token}\r\n")).status, 200);
    assert_eq!(get(&server, "/raw/f?token=a%2Bb").status, 401);
}

/// Passwords that cannot be used, and hashes that are none.
#[test]
fn what_is_no_password() {
    let place = with_mode(0o644);
    let short = run(&place, &["sh", "-c", "echo short | \"$0\" hash eva", LOGCAST]);
    assert_eq!(short.code, Some(1));
    assert!(short.stderr.starts_with("error: cannot use this password"), "{}", short.stderr);
    assert_eq!(run(&place, &["sh", "-c", "echo long enough | \"$0\" hash 'e va'", LOGCAST]).code, Some(2));
    let wrong = run(&place, &[LOGCAST, "serve", "f", "--auth", "eva:plain-password"]);
    assert_eq!(wrong.code, Some(2));
    assert!(!wrong.stderr.contains("plain-password"), "{}", wrong.stderr);
    place.write("people", "jo:plain-password\n");
    let wrong = run(&place, &[LOGCAST, "serve", "f", "--auth-file", "people"]);
    assert_eq!(wrong.code, Some(1));
    let told = "error: cannot use 'people', line 1: it has no argon2 or bcrypt hash\n";
    assert!(wrong.stderr.starts_with(told), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("plain-password"), "{}", wrong.stderr);
}

/// Everything is below the base path, and nothing is beside it.
#[test]
fn a_base_path() {
    let place = with_mode(0o644);
    let server = Server::start(&place, &["f", "--base-path", "/logs", "--token", "a-long-token"]);
    let root = format!("http://{}/logs/", server.address);
    assert_eq!(server.page, format!("{root}?token=a-long-token"));
    assert_eq!(server.stream, format!("{root}stream-logs?token=a-long-token"));
    for (target, expected) in [
        ("/logs/", 200),
        ("/logs/healthz", 200),
        ("/logs/assets/favicon.svg", 200),
        ("/logs/raw/f?token=a-long-token", 200),
        ("/logs/raw/f", 401),
        ("/logs/nothing?token=a-long-token", 404),
        ("/raw/f?token=a-long-token", 404),
        ("/healthz", 404),
        ("/logsx/healthz?token=a-long-token", 404),
        ("/stream-logs?token=a-long-token", 404),
    ] {
        let answer = get(&server, target);
        assert_eq!(answer.status, expected, "{target}: {}", answer.text());
    }
    let door = get(&server, "/logs?token=a-long-token");
    assert_eq!((door.status, door.header("location")), (308, Some("/logs/?token=a-long-token")));
    // The page asks for the token: whoever forgot the slash is led there as well.
    let door = get(&server, "/logs");
    assert_eq!((door.status, door.header("location")), (308, Some("/logs/")), "{}", door.text());
    let body = "{\"token\":\"a-long-token\"}";
    let host = server.address;
    let post = format!(
        "POST /logs/api/session HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    let session = raw(&server, post.as_bytes()).expect("an answer");
    let cookie = session.header("set-cookie").expect("a cookie").to_owned();
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Path=/logs/"), "{cookie}");
    let (pair, _) = cookie.split_once(';').expect("attributes");
    assert_eq!(ask(&server, "GET", "/logs/raw/f", &format!("Cookie: {pair}\r\n")).text(), "secret line\n");
    // Nothing that the page loads is named from the root.
    let html = get(&server, "/logs/").text();
    assert!(!html.contains("=\"/"), "{html}");
    for url in [&server.page, &server.stream] {
        let tailed = run(&place, &[LOGCAST, "tail", "--no-follow", url]);
        assert_eq!((tailed.code, tailed.stdout.as_str()), (Some(0), "secret line\n"), "{}", tailed.stderr);
        assert_eq!(run(&place, &[LOGCAST, "healthcheck", url]).code, Some(0));
    }
}

/// What a proxy says counts if it is trusted, and else not.
#[test]
fn a_trusted_proxy() {
    let place = with_mode(0o644);
    let forwarded =
        "X-Forwarded-For: 203.0.113.9\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: logs.example\r\n";
    let body = "{\"token\":\"a-long-token\"}";
    let post = |server: &Server| {
        let host = server.address;
        let text = format!(
            "POST /api/session HTTP/1.1\r\nHost: {host}\r\n{forwarded}Origin: https://logs.example\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        raw(server, text.as_bytes()).expect("an answer")
    };
    let args = ["f", "--token", "a-long-token", "--allow-host", "logs.example", "-v"];
    let server = Server::start(&place, &[&args[..], &["--trusted-proxy", "10.0.0.0/8,127.0.0.1"]].concat());
    let session = post(&server);
    assert_eq!(session.status, 204, "{}", session.text());
    assert!(session.header("set-cookie").expect("a cookie").ends_with("; Secure"));
    wait_for("the client's address", || {
        server.stderr().contains("203.0.113.9 POST /api/session 204").then_some(())
    });
    // Its clients are counted each for itself.
    for _ in 0..12 {
        ask(
            &server,
            "GET",
            "/api/files",
            "X-Forwarded-For: 198.51.100.7\r\nAuthorization: Bearer wrong-token\r\n",
        );
    }
    let good = "Authorization: Bearer a-long-token\r\n";
    let other = format!("X-Forwarded-For: 198.51.100.8\r\n{good}");
    assert_eq!(ask(&server, "GET", "/api/files", &other).status, 200);
    let foreign = ask(&server, "GET", "/", "X-Forwarded-Host: evil.example\r\n");
    assert_eq!(foreign.status, 403, "the host that was asked for is looked at");
    let server = Server::start(&place, &args);
    assert_eq!(post(&server).status, 403, "another origin, for all that is known");
    wait_for("the connection's address", || {
        server.stderr().contains("127.0.0.1 POST /api/session 403").then_some(())
    });
    // Who serves through a proxy serves others.
    let server = Server::start(&place, &["f", "--trusted-proxy", "unix"]);
    assert!(server.page.contains("?token="), "{}", server.page);
    let server = Server::start(&place, &["f", "--trusted-proxy", "unix", "--no-auth"]);
    assert!(!server.page.contains("?token="), "{}", server.page);
}

/// Rows 114, 117 and 119: every answer, refusals and redirects too, brings all walls; what was asked comes back in none.
#[test]
fn every_answer_has_its_walls() {
    let place = Place::with("f", "one\n");
    chmod(&place, "", 0o755);
    let server = Server::start(&place, &["f", "--base-path", "/logs"]);
    let mark = "%3Cimg%20src=x%3E";
    let targets = [
        ("GET", "/logs".to_owned(), "", 308),
        ("GET", "/logs/".to_owned(), "", 200),
        ("GET", "/logs/raw/f".to_owned(), "", 200),
        ("GET", "/logs/metrics".to_owned(), "", 200),
        ("GET", "/logs/api/files".to_owned(), "", 200),
        ("GET", format!("/logs/{mark}"), "", 404),
        ("GET", format!("/{mark}"), "", 404),
        ("GET", format!("/logs/raw/{mark}"), "", 404),
        ("GET", format!("/logs/stream-logs?file={mark}"), "", 404),
        ("GET", format!("/logs/stream-logs?lines={mark}"), "", 400),
        ("GET", format!("/logs/api/search?grep=%28{mark}"), "", 400),
        ("POST", "/logs/stream-logs".to_owned(), "Content-Length: 0\r\n", 405),
        ("OPTIONS", "/logs/stream-logs".to_owned(), "", 204),
        ("GET", "/logs/raw/f".to_owned(), "Origin: http://<img src=x>\r\n", 403),
        ("GET", "/logs/raw/f".to_owned(), "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\n", 403),
        ("GET", "/logs/stream-logs?follow=false".to_owned(), "Accept: image/png\r\n", 406),
    ];
    for (method, target, headers, status) in targets {
        let answer = ask(&server, method, &target, headers);
        assert_eq!(answer.status, status, "{method} {target} {headers}: {}", answer.text());
        for (name, part) in [
            ("cross-origin-resource-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("content-security-policy", "default-src 'none'"),
            ("x-frame-options", "DENY"),
        ] {
            let value = answer.header(name).unwrap_or_default();
            assert!(value.contains(part), "{method} {target}: {name}: {value}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), None, "{method} {target}");
        assert!(!answer.text().contains("<img"), "{method} {target}: {}", answer.text());
        let kind = answer.header("content-type").unwrap_or_default();
        assert!(target == "/logs/" || !kind.contains("html"), "{method} {target}: {kind}");
    }
}

//! What comes in by HTTP: methods, versions, parameters, heads made to harm, foreign hosts and origins.
//!
//! Whatever it is, the answer is one of the documented ones and the server goes on: each test ends with a look.

use crate::support::http::{connect, get, raw};
use crate::support::server::{LOGCAST, run};
use crate::support::{Client, Place, Response, Server, assert_lines};
use std::io::{Read, Write};
use std::process::Stdio;

/// A request with a method, a target and header lines; the connection is closed after the answer.
#[track_caller]
fn request(server: &Server, method: &str, target: &str, headers: &str) -> Response {
    let host = server.address;
    let text = format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
    raw(server, text.as_bytes()).unwrap_or_else(|| panic!("no answer to {method} {target} {headers:?}"))
}

/// The server still serves.
#[track_caller]
fn alive(server: &Server) {
    let mut client = Client::all(server);
    assert_lines(&client.take(1), &["secret line"]);
}

fn begin() -> (Place, Server) {
    let place = Place::with("f", "secret line\n");
    let server = Server::start(&place, &["f"]);
    (place, server)
}

/// Row 96: HEAD is the head alone, and it ends.
#[test]
fn head() {
    let (_place, server) = begin();
    for target in ["/", "/stream-logs", "/api/files", "/healthz", "/api/lines?file=f&at=end&before=1"] {
        let response = request(&server, "HEAD", target, "");
        assert_eq!(response.status, 200, "{target}");
        assert!(response.body.is_empty(), "{target}: {}", response.text());
    }
    assert_eq!(request(&server, "HEAD", "/nowhere", "").status, 404);
}

/// Row 97: other methods are 405 with `Allow`, and unknown paths 404.
#[test]
fn methods() {
    let (_place, server) = begin();
    for method in ["POST", "PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND", "X"] {
        for target in ["/", "/stream-logs", "/api/files"] {
            let response = request(&server, method, target, "Content-Length: 0\r\n");
            let fits = response.status == 405 || (method == "OPTIONS" && response.status == 204);
            assert!(fits, "{method} {target}: {} {}", response.status, response.text());
            let allow = response.header("allow").expect("Allow");
            assert!(allow.contains("GET"), "{allow}");
            assert!(!response.text().contains("secret line"));
        }
    }
    let response = request(&server, "GET", "/nowhere<script>", "");
    assert!(matches!(response.status, 400 | 404), "{}", response.status);
    assert!(!response.text().contains("<script>"), "{}", response.text());
    if let Some(response) = raw(&server, b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n")
    {
        assert!((400..=501).contains(&response.status) && response.status != 500, "{}", response.status);
    }
    alive(&server);
}

/// Row 98: HTTP/1.0 gets no chunks, and events flow.
#[test]
fn http_1_0() {
    let (place, server) = begin();
    let mut socket = connect(server.address);
    let request = format!("GET /stream-logs?lines=all HTTP/1.0\r\nHost: {}\r\n\r\n", server.address);
    socket.write_all(request.as_bytes()).expect("a request");
    let mut all = String::new();
    let mut block = [0; 4096];
    let mut more = Some(());
    while !all.contains("data: live\n\n") {
        let len = socket.read(&mut block).expect("bytes in time");
        assert!(len > 0, "closed after {all:?}");
        all.push_str(std::str::from_utf8(&block[..len]).expect("UTF-8"));
        if all.contains("data: secret line\n\n") && more.take().is_some() {
            place.append("f", "live\n");
        }
    }
    let head = all.split("\r\n\r\n").next().expect("a head").to_lowercase();
    assert!(!head.contains("chunked") && !head.contains("content-length"), "{head}");
    assert!(!all.split_once("\r\n\r\n").expect("a body").1.contains('\r'), "no chunk sizes: {all:?}");
}

/// Row 100: heads made to harm are refused or the connection is closed; there is no 5xx and no smuggling.
#[test]
fn hostile_heads() {
    let (_place, server) = begin();
    let host = server.address.to_string();
    let stream = "GET /stream-logs HTTP/1.1\r\n";
    let mut cases: Vec<(String, Vec<u8>)> = Vec::new();
    let mut case = |name: &str, bytes: Vec<u8>| cases.push((name.to_owned(), bytes));
    case("1 MB header", format!("{stream}Host: {host}\r\nX: {}\r\n\r\n", "x".repeat(1 << 20)).into_bytes());
    case("20 000 headers", format!("{stream}Host: {host}\r\n{}\r\n", "X: x\r\n".repeat(20_000)).into_bytes());
    case("1 MB path", format!("GET /{} HTTP/1.1\r\nHost: {host}\r\n\r\n", "x".repeat(1 << 20)).into_bytes());
    case("broken IPv6", format!("{stream}Host: [::1\r\n\r\n").into_bytes());
    case("two hosts", format!("{stream}Host: {host}\r\nHost: evil.example\r\n\r\n").into_bytes());
    case("no host", format!("{stream}\r\n").into_bytes());
    case("NUL in a header", format!("{stream}Host: {host}\r\nX: a\0b\r\n\r\n").into_bytes());
    case("NUL in the path", format!("GET /\0 HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes());
    case("TLS", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n".to_vec());
    case("HTTP/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec());
    case("nonsense", b"\r\n\r\n\x00\xff\xfe nonsense\r\n\r\n".to_vec());
    case("bad version", format!("GET / HTTP/9.9\r\nHost: {host}\r\n\r\n").into_bytes());
    case("folded header", format!("{stream}Host: {host}\r\nX: a\r\n b\r\n\r\n").into_bytes());
    case("bad header name", format!("{stream}Host: {host}\r\nX y: a\r\n\r\n").into_bytes());
    case("length and chunks", {
        let smuggled = "GET /stream-logs HTTP/1.1\r\nHost: x\r\n\r\n";
        format!(
            "POST /api/files HTTP/1.1\r\nHost: {host}\r\nContent-Length: {}\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n{smuggled}",
            smuggled.len() + 5
        )
        .into_bytes()
    });
    case("two lengths", {
        format!("POST / HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n")
            .into_bytes()
    });
    for (name, mut bytes) in cases {
        // What follows a refused request on the same connection must not be served either way: end it.
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(0);
        if end > 0 && !name.contains("length") {
            bytes.splice(end..end, b"\r\nConnection: close".iter().copied());
        }
        let mut socket = connect(server.address);
        let _ = socket.write_all(&bytes);
        let _ = socket.shutdown(std::net::Shutdown::Write);
        let mut answer = vec![0; 1 << 16];
        let mut got = 0;
        while got < answer.len() {
            match socket.read(&mut answer[got..]) {
                Ok(0) => break,
                Ok(len) => got += len,
                Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock) => {
                    panic!("{name}: the connection stays open")
                }
                Err(_) => break,
            }
        }
        let answer = String::from_utf8_lossy(&answer[..got]).into_owned();
        assert!(!answer.contains("secret line"), "{name}: {answer}");
        for line in answer.lines().filter(|line| line.starts_with("HTTP/1.")) {
            let status: u16 = line[9..12].parse().expect("a status");
            assert!((400..500).contains(&status) || status == 505, "{name}: {line}");
        }
    }
    alive(&server);
}

/// Row 101: parameters that make no sense are a 400 that names them, an unknown file is 404.
#[test]
fn parameters() {
    let (_place, server) = begin();
    let long = format!("file={}", "x".repeat(5000));
    let cases = [
        ("lines=-1", 400, "lines"),
        ("lines=1e9", 400, "lines"),
        ("lines=abc", 400, "lines"),
        ("lines=", 400, "lines"),
        ("lines=10000000000000000000000", 400, "lines"),
        ("lines=1&lines=2", 400, "lines"),
        ("unknown=1", 400, "unknown"),
        ("format=xml", 400, "format"),
        ("view=dead", 400, "view"),
        ("since=soon", 400, "since"),
        ("grep=(", 400, "grep"),
        ("file=", 404, "file"),
        ("file=nothing", 404, "file"),
        (long.as_str(), 404, "file"),
        ("file=f%00", 404, "file"),
        ("file=%ff", 400, "file"),
    ];
    for (query, status, parameter) in cases {
        let response = get(&server, &format!("/stream-logs?{query}"));
        let shown: String = query.chars().take(40).collect();
        assert_eq!(response.status, status, "{shown}: {}", response.text());
        assert_eq!(response.header("content-type"), Some("application/problem+json"), "{shown}");
        let problem = response.json();
        assert_eq!(problem["parameter"], parameter, "{shown}: {problem}");
        assert_eq!(problem["status"], status);
        assert!(problem["title"].is_string() && problem["type"].is_string(), "{problem}");
        assert!(!response.text().contains("xxxxxxxxxx"), "nothing is echoed: {shown}");
    }
    alive(&server);
}

/// Row 113: hosts that are not ours get no line.
#[test]
fn foreign_hosts() {
    let (_place, server) = begin();
    let port = server.address.port();
    for host in [
        "evil.example",
        &format!("evil.example:{port}"),
        "localhost.evil.example",
        "8.8.8.8",
        "127.0.0.1.evil.example",
    ] {
        let text = format!("GET /stream-logs HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let response = raw(&server, text.as_bytes()).expect("an answer");
        assert_eq!(response.status, 403, "{host}: {}", response.text());
        assert!(!response.text().contains("secret line"));
    }
    let target = "http://evil.example/stream-logs";
    let text = format!("GET {target} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", server.address);
    let response = raw(&server, text.as_bytes()).expect("an answer");
    assert!((400..500).contains(&response.status), "{}", response.status);
    for host in [
        format!("localhost:{port}"),
        "localhost:1".to_owned(),
        "app.localhost".to_owned(),
        "127.0.0.1".to_owned(),
        "[::1]:80".to_owned(),
    ] {
        let text = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        assert_eq!(raw(&server, text.as_bytes()).expect("an answer").status, 200, "{host}");
    }
    drop(server);
    let place = Place::with("f", "secret line\n");
    let server = Server::start(&place, &["f", "--allow-host", "logs.example"]);
    let text = "GET /api/files HTTP/1.1\r\nHost: logs.example\r\nConnection: close\r\n\r\n";
    assert_eq!(raw(&server, text.as_bytes()).expect("an answer").status, 200);
}

/// Row 114: other origins are refused and told nothing, but the ones that were allowed.
#[test]
fn foreign_origins() {
    let (_place, server) = begin();
    let port = server.address.port();
    for origin in [
        "https://evil.example",
        "null",
        "file://",
        &format!("http://127.0.0.1:{}", port ^ 1),
        "http://localhost.evil.example",
    ] {
        let response = request(&server, "GET", "/stream-logs", &format!("Origin: {origin}\r\n"));
        assert_eq!(response.status, 403, "{origin}");
        assert_eq!(response.header("access-control-allow-origin"), None, "{origin}");
        assert!(!response.text().contains("secret line"));
        let preflight = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Private-Network: true\r\n"
        );
        let response = request(&server, "OPTIONS", "/stream-logs", &preflight);
        assert!((400..500).contains(&response.status), "{origin}: {}", response.status);
        assert_eq!(response.header("access-control-allow-origin"), None);
        assert_eq!(response.header("access-control-allow-private-network"), None);
    }
    for site in ["cross-site", "same-site"] {
        let response = request(&server, "GET", "/stream-logs", &format!("Sec-Fetch-Site: {site}\r\n"));
        assert_eq!(response.status, 403, "{site}");
    }
    let own = format!("Origin: http://127.0.0.1:{port}\r\nSec-Fetch-Site: same-origin\r\n");
    assert_eq!(request(&server, "GET", "/api/files", &own).status, 200);
}

/// Row 114: with `--allow-origin` the one origin may read, by preflight too.
#[test]
fn allowed_origins() {
    let place = Place::with("f", "secret line\n");
    for origin in ["null", "https://app.example"] {
        let server = Server::start(&place, &["f", "--allow-origin", origin]);
        let headers = format!("Origin: {origin}\r\nSec-Fetch-Site: cross-site\r\n");
        let mut client = Client::with_headers(&server, "lines=all", &headers);
        assert_eq!(client.head.header("access-control-allow-origin"), Some(origin));
        // There may be several `Vary`: one by what accepts, one by who asks.
        let vary = client.head.headers.iter().filter(|(name, _)| name == "vary");
        assert!(vary.map(|(_, value)| value.to_lowercase()).any(|value| value.contains("origin")));
        assert_lines(&client.take(1), &["secret line"]);
        let preflight = format!(
            "Origin: {origin}\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: last-event-id\r\n"
        );
        let response = request(&server, "OPTIONS", "/stream-logs", &preflight);
        assert!(matches!(response.status, 200 | 204), "{}", response.status);
        let allowed = response.header("access-control-allow-headers").expect("headers").to_lowercase();
        assert!(allowed.contains("last-event-id"), "{allowed}");
        assert_eq!(request(&server, "GET", "/stream-logs", "Origin: https://evil.example\r\n").status, 403);
    }
}

/// Row 116: bound wider it makes a token, new at each start, and nothing is given without it.
#[test]
fn wider_needs_a_token() {
    let place = Place::with("f", "secret line\n");
    let words = [LOGCAST, "serve", "f", "--bind", "0.0.0.0", "--port", "0"];
    // In a network of its own, if there can be one: this test opens nothing to the outside.
    if run(&place, &["unshare", "-n", "true"]).code != Some(0) {
        eprintln!("skipped: no network namespaces here");
        return;
    }
    let mut tokens = Vec::new();
    for _ in 0..2 {
        let isolated = [&["unshare", "-n"][..], &words].concat();
        let script = format!("exec {} >out 2>err", isolated.join(" "));
        let mut child = std::process::Command::new("sh")
            .args(["-c", &script])
            .current_dir(place.root())
            .stdin(Stdio::null())
            .spawn()
            .expect("a shell");
        let url = crate::support::wait_for("the URLs", || {
            let out = std::fs::read_to_string(place.path("out")).ok()?;
            out.lines().nth(1).map(str::to_owned)
        });
        let pid = child.id().to_string();
        let inside = |url: &str| {
            let script =
                format!("ip link set lo up 2>/dev/null; curl -s -m 5 -o body -w '%{{http_code}}' '{url}'");
            run(&place, &["nsenter", "-n", "-t", &pid, "sh", "-c", &script]).stdout
        };
        let (bare, token) = url.split_once("?token=").expect("a token in the URL");
        let files = bare.replace("/stream-logs", "/api/files");
        let answers = [
            inside(&files),
            inside(&format!("{files}?token={token}")),
            inside(&format!("{files}?token=x{token}")),
        ];
        let _ = child.kill();
        let _ = child.wait();
        std::fs::remove_file(place.path("out")).expect("the output");
        assert!(token.len() >= 22, "128 bits at least: {token}");
        tokens.push(token.to_owned());
        if answers[1] == "000" {
            eprintln!("skipped: the loopback of the namespace cannot be raised");
            return;
        }
        assert_eq!(answers, ["401", "200", "401"]);
    }
    assert_ne!(tokens[0], tokens[1]);
}

/// Row 117: the page brings its walls along, and answers do not reflect.
#[test]
fn page_headers() {
    let (_place, server) = begin();
    let response = get(&server, "/");
    assert_eq!(response.status, 200);
    let csp = response.header("content-security-policy").expect("a policy");
    for part in ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(csp.contains(part), "{part} in {csp}");
    }
    assert!(!csp.contains("unsafe"), "{csp}");
    assert_eq!(response.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(response.header("referrer-policy"), Some("no-referrer"));
    let html = response.text();
    assert!(
        !html.contains("<script>") && !html.contains(" onclick=") && !html.contains("style=\""),
        "{html}"
    );
    assert!(!html.contains("//cdn") && !html.contains("https://"), "nothing from elsewhere");
}

/// The page as each client takes it: the same text under brotli, gzip and plain, each with its own tag, length and HEAD.
#[test]
fn the_page_is_sent_compressed() {
    let (_place, server) = begin();
    let ask = |method: &str, target: &str, headers: &str| {
        let host = server.address;
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{headers}\r\n");
        raw(&server, head.as_bytes()).expect("an answer")
    };
    for target in ["/", "/assets/page.js", "/assets/page.css", "/assets/favicon.svg"] {
        let plain = ask("GET", target, "");
        assert_eq!((plain.status, plain.header("content-encoding")), (200, None), "{target}");
        let mut tags = vec![plain.header("etag").expect("a tag").to_owned()];
        for encoding in ["br", "gzip"] {
            let headers = format!("Accept-Encoding: {encoding};q=0.8, deflate\r\n");
            let packed = ask("GET", target, &headers);
            assert_eq!((packed.status, packed.header("content-encoding")), (200, Some(encoding)), "{target}");
            assert_eq!(packed.header("vary"), Some("accept-encoding"));
            assert_eq!(packed.header("content-type"), plain.header("content-type"));
            assert_eq!(packed.header("content-security-policy"), plain.header("content-security-policy"));
            let length = packed.body.len().to_string();
            assert_eq!(packed.header("content-length"), Some(&*length));
            assert!(packed.body.len() < plain.body.len(), "{target} {encoding}");
            if encoding == "gzip" {
                let mut text = Vec::new();
                let mut reader = flate2::read::GzDecoder::new(&*packed.body);
                std::io::Read::read_to_end(&mut reader, &mut text).expect("gzip");
                assert_eq!(text, plain.body, "{target}");
            }
            let head = ask("HEAD", target, &headers);
            assert_eq!((head.status, head.body.len()), (200, 0));
            for name in ["content-length", "content-encoding", "etag", "vary"] {
                assert_eq!(head.header(name), packed.header(name), "{name} of {target}");
            }
            let tag = packed.header("etag").expect("a tag");
            let again = ask("GET", target, &format!("{headers}If-None-Match: {tag}\r\n"));
            assert_eq!((again.status, again.body.len(), again.header("etag")), (304, 0, Some(tag)));
            assert!(!tags.contains(&tag.to_owned()), "{tags:?}");
            // Another encoding's tag is another content's.
            let other = ask("GET", target, &format!("{headers}If-None-Match: {}\r\n", tags[0]));
            assert_eq!(other.status, 200, "{target}");
            tags.push(tag.to_owned());
        }
    }
}

/// Row 118: only the files of the command line, whatever the name says.
#[test]
fn traversal() {
    let place = Place::new();
    place.folder("logs");
    place.write("logs/f", "secret line\n");
    place.write("outside", "outside line\n");
    std::os::unix::fs::symlink("../outside", place.path("logs/link.log")).expect("a link");
    let server = Server::start(&place, &["logs/f"]);
    let absolute = place.path("outside").display().to_string();
    for file in [
        "../outside",
        "..%2foutside",
        "%2e%2e/outside",
        &absolute,
        "f%00",
        "link.log",
        "logs/link.log",
        "/etc/passwd",
        ".",
    ] {
        for route in ["/stream-logs", "/api/lines"] {
            let response = get(&server, &format!("{route}?file={file}"));
            assert!((400..500).contains(&response.status), "{route} {file}: {}", response.status);
            assert!(!response.text().contains("outside line"));
        }
    }
    for target in [
        "/assets/../../Cargo.toml",
        "/assets/%2e%2e/%2e%2e/etc/passwd",
        "/@fs/etc/passwd",
        "//etc/passwd",
        "/assets//etc/passwd",
        "/assets/",
    ] {
        let response = get(&server, target);
        assert!((400..500).contains(&response.status), "{target}: {}", response.status);
    }
    alive(&server);
}

/// Row 119: what a request says never reaches the terminal raw.
#[test]
fn nothing_raw_on_the_terminal() {
    let (_place, server) = begin();
    let text = format!(
        "GET /\x1b[31m%1b%0a HTTP/1.1\r\nHost: {}\r\nUser-Agent: \x1b]0;pwn\x07\r\nConnection: close\r\n\r\n",
        server.address
    );
    let _ = raw(&server, text.as_bytes());
    alive(&server);
    assert!(!server.stderr().contains(['\x1b', '\x07']), "{:?}", server.stderr());
}

/// The same lines as bare text and as NDJSON; a type nobody knows is 406.
#[test]
fn other_formats() {
    let place = Place::with("f", "one\ntwo \x1b\\ \"q\"\r\nÿ\n");
    let server = Server::start(&place, &["f"]);
    let response = request(&server, "GET", "/stream-logs?lines=all&follow=false", "Accept: text/plain\r\n");
    assert_eq!(response.status, 200);
    // Bare text is the file's bytes, its line ends included.
    assert_eq!(response.text(), "one\ntwo \x1b\\ \"q\"\r\nÿ\n");
    let response =
        request(&server, "GET", "/stream-logs?lines=all&follow=false", "Accept: application/x-ndjson\r\n");
    let objects: Vec<serde_json::Value> = response
        .text()
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect();
    assert_eq!(objects[0]["notice"], "hello");
    let texts: Vec<&str> = objects.iter().filter_map(|object| object["text"].as_str()).collect();
    assert_lines(&texts, &["one", "two \x1b\\ \"q\"", "ÿ"]);
    assert_eq!(request(&server, "GET", "/stream-logs", "Accept: image/png\r\n").status, 406);
}

/// A client that has everything of a source that has ended is told never to come back.
#[test]
fn no_content_at_the_end() {
    let (_place, server) = begin();
    let mut client = Client::open(&server, "lines=all&follow=false");
    let events = client.read_to_end();
    assert_eq!(events.iter().filter(|event| event.is_line()).count(), 1);
    assert_eq!(events.last().map(|event| event.name.as_str()), Some("ended"));
    let id = client.cut();
    let response = request(&server, "GET", "/stream-logs?follow=false", &format!("Last-Event-ID: {id}\r\n"));
    assert_eq!(response.status, 204);
}

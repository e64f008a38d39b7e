//! Behind real proxies, as the README's recipes have them: lines at once, below a path, over a proxy's idle limit, TLS in
//! front, and nothing lost when the proxy cuts a stream or is started anew.
//!
//! Each proxy listens on a unix socket, so that no test has to guess a free port; but for Caddy with TLS, which tells
//! nothing of clients without an address. `LOGCAST_TEST_PROXIES=1` demands that all of them are installed.

use crate::support::server::{LOGCAST, run};
use crate::support::writer::text;
use crate::support::{Place, Server, assert_lines, have, numbered, wait_for};
use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Which proxy.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Nginx,
    Haproxy,
    Caddy,
}

/// What a proxy is to do beside passing on.
#[derive(Clone, Copy)]
struct Setup {
    /// For how long a stream may be silent, in seconds, where it has such a limit.
    idle: u32,
    /// Whether it speaks TLS, with the certificate `own.pem` and its key `own.key`.
    tls: bool,
}

/// A proxy that runs.
struct Proxy {
    child: Child,
    kind: Kind,
    words: Vec<String>,
    folder: PathBuf,
    /// Its socket.
    front: PathBuf,
    /// Its port, if it has one instead.
    port: Option<u16>,
}

impl Kind {
    fn program(self) -> &'static str {
        match self {
            Kind::Nginx => "nginx",
            Kind::Haproxy => "haproxy",
            Kind::Caddy => "caddy",
        }
    }

    /// Whether it is here; where it is demanded it must be.
    fn here(self) -> bool {
        let here = have(self.program()) && have("curl");
        assert!(here || std::env::var_os("LOGCAST_TEST_PROXIES").is_none(), "{self:?} and curl are demanded");
        here
    }

    /// The configuration, in this folder, for a server at this address.
    fn config(self, folder: &str, server: &str, setup: Setup, port: Option<u16>) -> String {
        let Setup { idle, tls } = setup;
        match self {
            Kind::Nginx => {
                let (ssl, lines) = match tls {
                    true => (
                        " ssl",
                        format!("ssl_certificate {folder}/own.pem; ssl_certificate_key {folder}/own.key;"),
                    ),
                    false => ("", String::new()),
                };
                let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
                let temp: String = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
                    .iter()
                    .map(|name| format!("{name}_temp_path {folder}/temp-{name};\n"))
                    .collect();
                format!(
                    "daemon off; {user} pid {folder}/nginx.pid; error_log stderr;
                    events {{}}
                    http {{
                      access_log off; {temp}
                      server {{
                        listen unix:{folder}/front{ssl}; {lines}
                        location /logs/ {{
                          proxy_pass http://{server};
                          proxy_http_version 1.1;
                          proxy_set_header Host $http_host;
                          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
                          proxy_set_header X-Forwarded-Proto $scheme;
                          proxy_read_timeout {idle}s;
                        }}
                      }}
                    }}"
                )
            }
            Kind::Haproxy => {
                let ssl = if tls { format!(" ssl crt {folder}/both.pem") } else { String::new() };
                format!(
                    "global
                      maxconn 200
                    defaults
                      mode http
                      timeout connect 5s
                      timeout client {idle}s
                      timeout server {idle}s
                    frontend front
                      bind unix@{folder}/front{ssl}
                      option forwardfor
                      http-request set-header X-Forwarded-Proto https if {{ ssl_fc }}
                      default_backend logs
                    backend logs
                      server logcast {server}\n"
                )
            }
            Kind::Caddy => {
                let (site, lines) = match port {
                    Some(port) => {
                        let tls = format!("tls {folder}/own.pem {folder}/own.key");
                        (format!("https://localhost:{port}"), format!("bind 127.0.0.1\n  {tls}"))
                    }
                    None => ("http://".to_owned(), format!("bind unix/{folder}/front")),
                };
                format!(
                    "{{\n  admin off\n  auto_https disable_redirects\n  storage file_system {folder}/caddy\n}}\n\
                    {site} {{\n  {lines}\n  reverse_proxy /logs/* {server}\n}}\n"
                )
            }
        }
    }
}

impl Proxy {
    #[track_caller]
    fn start(kind: Kind, place: &Place, server: &str, setup: Setup) -> Proxy {
        let folder = place.root().display().to_string();
        let needs_port = kind == Kind::Caddy && setup.tls;
        // A port that was free may be taken by the time that the proxy wants it.
        for _ in 0..10 {
            let free = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|own| own.local_addr());
            let port = needs_port.then(|| free().expect("a port").port());
            place.write("proxy.conf", kind.config(&folder, server, setup, port));
            let config = format!("{folder}/proxy.conf");
            let words: &[&str] = match kind {
                Kind::Nginx => &["nginx", "-p", &folder, "-c", &config],
                Kind::Haproxy => &["haproxy", "-db", "-f", &config],
                Kind::Caddy => &["caddy", "run", "--adapter", "caddyfile", "--config", &config],
            };
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let child = spawn(&words, place.root());
            let front = place.path("front");
            let mut proxy = Proxy { child, kind, words, folder: place.root().to_owned(), front, port };
            if proxy.is_ready() {
                return proxy;
            }
        }
        panic!(
            "{kind:?} does not start: {}",
            fs::read_to_string(place.path("proxy.err")).unwrap_or_default()
        );
    }

    /// Waits until it listens; false if it has ended.
    #[track_caller]
    fn is_ready(&mut self) -> bool {
        let (child, front, port) = (&mut self.child, &self.front, self.port);
        wait_for("the proxy to listen", || {
            if child.try_wait().expect("a child").is_some() {
                return Some(false);
            }
            let listens = match port {
                Some(port) => TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok(),
                None => UnixStream::connect(front).is_ok(),
            };
            listens.then_some(true)
        })
    }

    /// `kill -9`; it leaves its socket behind. nginx's worker goes with its master only when it is asked.
    fn kill(&mut self) {
        if self.kind == Kind::Nginx {
            let worker = format!("/proc/{0}/task/{0}/children", self.child.id());
            for pid in fs::read_to_string(worker).unwrap_or_default().split_whitespace() {
                let pid = pid.parse().ok().and_then(rustix::process::Pid::from_raw).expect("a process id");
                let _ = rustix::process::kill_process(pid, rustix::process::Signal::KILL);
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.front);
    }

    #[track_caller]
    fn restart(&mut self) {
        self.child = spawn(&self.words, &self.folder);
        assert!(self.is_ready(), "it starts again");
    }

    fn said(&self) -> String {
        fs::read_to_string(self.folder.join("proxy.err")).unwrap_or_default()
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("--- what {:?} said:\n{}", self.kind, self.said());
        }
    }
}

fn spawn(words: &[String], folder: &std::path::Path) -> Child {
    let err =
        fs::OpenOptions::new().append(true).create(true).open(folder.join("proxy.err")).expect("a file");
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder).env("HOME", folder).env("XDG_CONFIG_HOME", folder);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(err).spawn().expect("a proxy")
}

/// A program whose lines on stdout are kept.
struct Reading {
    child: Child,
    lines: Arc<Mutex<Vec<String>>>,
}

impl Reading {
    fn start(words: &[&str], place: &Place) -> Reading {
        let mut child = Command::new(words[0])
            .args(&words[1..])
            .current_dir(place.root())
            .env("XDG_CONFIG_HOME", place.root())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a reader");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let (out, into) = (child.stdout.take().expect("piped"), Arc::clone(&lines));
        std::thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                into.lock().expect("unpoisoned").push(line);
            }
        });
        Reading { child, lines }
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("unpoisoned").clone()
    }

    #[track_caller]
    fn until(&self, count: usize) -> Vec<String> {
        wait_for(&format!("{count} lines"), || Some(self.lines()).filter(|lines| lines.len() >= count))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `curl` through the proxy.
#[track_caller]
fn curl(place: &Place, url: &str, words: &[&str]) -> String {
    let by_socket = place.path("front").exists();
    let socket: &[&str] = if by_socket { &["--unix-socket", "front"] } else { &[] };
    let outcome = run(place, &[&["curl", "-sS", "-m", "20", url], socket, words].concat());
    assert_eq!(outcome.code, Some(0), "{url}: {}", outcome.stderr);
    outcome.stdout
}

/// A server below `/logs`, for a proxy on this machine.
#[track_caller]
fn server(place: &Place, more: &[&str]) -> Server {
    let args = ["f", "--base-path", "/logs", "--trusted-proxy", "127.0.0.1", "--allow-host", "logs.example"];
    Server::start(place, &[&args[..], &["--access-log", "access"], more].concat())
}

/// How often a stream was opened so far.
fn opened(place: &Place) -> usize {
    fs::read_to_string(place.path("access")).unwrap_or_default().matches("\"event\":\"open\"").count()
}

/// Row 109: with a proxy's own buffering and below a path: lines at once, the page whole, nothing lost when it is cut.
#[track_caller]
fn exercise(kind: Kind) {
    if !kind.here() {
        return;
    }
    let place = Place::with("f", "one\n");
    let server = server(&place, &["--no-auth"]);
    let mut proxy = Proxy::start(kind, &place, &server.address.to_string(), Setup { idle: 2, tls: false });
    let html = curl(&place, "http://logs.example/logs/", &[]);
    assert!(html.contains("assets/"), "{html}");
    let link = html.split("=\"assets/").nth(1).and_then(|rest| rest.split('"').next()).expect("a link");
    assert_eq!(
        curl(
            &place,
            &format!("http://logs.example/logs/assets/{link}"),
            &["-o", "asset", "-w", "%{http_code}"]
        ),
        "200"
    );
    let other = curl(&place, "http://evil.example/logs/api/files", &["-o", "body", "-w", "%{http_code}"]);
    assert_eq!(other, "403", "the host that the client asked for is looked at");
    // A line is small beside a proxy's buffer: one that waits for more would not come.
    let url = "http://localhost/logs/stream-logs?lines=all";
    let reading =
        Reading::start(&["curl", "-sSN", "-H", "Accept: text/plain", "--unix-socket", "front", url], &place);
    assert_lines(&reading.until(1), &["one"]);
    place.append("f", "two\n");
    assert_lines(&reading.until(2), &["one", "two"]);
    drop(reading);
    // The one that comes back: over the proxy's idle limit, where it has one, and over its end.
    let url = format!("unix:{}:/logs/", proxy.front.display());
    let tail = Reading::start(&[LOGCAST, "tail", "-n", "all", &url], &place);
    tail.until(2);
    let mut expected = vec!["one".to_owned(), "two".to_owned()];
    let mut add = |name: &str, count: usize| {
        let lines = numbered(name, 1, count);
        place.append("f", text(&lines));
        expected.extend(lines);
        expected.clone()
    };
    if kind != Kind::Caddy {
        let before = opened(&place);
        wait_for("the proxy to cut the stream, and the client to come back", || {
            (opened(&place) > before).then_some(())
        });
        let so_far = add("idle", 100);
        assert_lines(&tail.until(so_far.len()), &so_far);
    }
    proxy.kill();
    add("down", 1000);
    proxy.restart();
    let all = add("up", 10);
    assert_lines(&tail.until(all.len()), &all);
}

#[test]
fn nginx() {
    exercise(Kind::Nginx);
}

#[test]
fn haproxy() {
    exercise(Kind::Haproxy);
}

#[test]
fn caddy() {
    exercise(Kind::Caddy);
}

/// A silent stream lives on where a proxy allows as little as 20 seconds: something is sent every 15.
#[test]
fn a_silent_stream_is_kept_open() {
    let places: Vec<(Kind, Place)> = [Kind::Nginx, Kind::Haproxy]
        .into_iter()
        .filter(|kind| kind.here())
        .map(|kind| (kind, Place::with("f", "one\n")))
        .collect();
    let mut running = Vec::new();
    for (kind, place) in &places {
        let server = server(place, &["--no-auth"]);
        let setup = Setup { idle: 20, tls: false };
        let proxy = Proxy::start(*kind, place, &server.address.to_string(), setup);
        let url = "http://localhost/logs/stream-logs?lines=all";
        let words = ["curl", "-sSN", "--unix-socket", "front", url];
        let reading = Reading::start(&words, place);
        running.push((server, proxy, reading));
    }
    let since = Instant::now();
    for ((kind, place), (_, _, reading)) in places.iter().zip(&mut running) {
        // As long as the limit and some more, on any clock.
        while since.elapsed() < Duration::from_secs(23) {
            assert!(
                reading.child.try_wait().expect("a child").is_none(),
                "{kind:?} ended it: {:?}",
                reading.lines()
            );
            std::thread::sleep(Duration::from_millis(100));
        }
        place.append("f", "two\n");
        wait_for("the line", || reading.lines().iter().any(|line| line == "data: two").then_some(()));
        assert_eq!(opened(place), 1, "{kind:?}");
    }
}

/// TLS in front: the session's cookie is for TLS only, and the proxy's https page is our own origin.
#[test]
fn tls_in_front() {
    for kind in [Kind::Nginx, Kind::Haproxy, Kind::Caddy] {
        if !kind.here() || !have("openssl") {
            continue;
        }
        let place = Place::with("f", "one\n");
        let make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost -keyout own.key -out own.pem && cat own.pem own.key >both.pem";
        let made = run(&place, &["sh", "-c", make]);
        assert_eq!(made.code, Some(0), "{}", made.stderr);
        let server = server(&place, &["--token", "a-long-token"]);
        let setup = Setup { idle: 20, tls: true };
        let proxy = Proxy::start(kind, &place, &server.address.to_string(), setup);
        let host = proxy.port.map_or("localhost".to_owned(), |port| format!("localhost:{port}"));
        let url = |route: &str| format!("https://{host}/logs/{route}");
        let (own, foreign) = (format!("Origin: https://{host}"), format!("Origin: http://{host}"));
        let trust = ["--cacert", "own.pem"];
        let session =
            [&trust[..], &["-H", &own, "-d", "{\"token\":\"a-long-token\"}", "-o", "body", "-D", "-"]]
                .concat();
        let head = curl(&place, &url("api/session"), &session).to_ascii_lowercase();
        assert!(head.contains(" 204"), "{kind:?}: {head}");
        assert!(head.contains("path=/logs/; secure"), "{kind:?}: {head}");
        let http = [&trust[..], &["-H", &foreign, "-o", "body", "-w", "%{http_code}"]].concat();
        assert_eq!(curl(&place, &url("raw/f?token=a-long-token"), &http), "403", "{kind:?}");
        let plain = curl(&place, &url("raw/f?token=a-long-token"), &trust);
        assert_eq!(plain, "one\n", "{kind:?}");
    }
}

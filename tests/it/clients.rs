//! Clients that others wrote: hostile lines, a restart of the server, and what they make of it.
//!
//! `.ci/run` installs them below the target folder; where they are missing a test says so and is skipped, unless
//! `LOGCAST_TEST_CLIENTS=1`. Each prints what it got as JSON lines and comes back by itself, or by `report.py`.

use crate::support::server::LOGCAST;
use crate::support::writer::text;
use crate::support::{DEADLINE, Place, Server, assert_lines, have};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Instant;

/// Lines that broke one reader or another (faults § 2, rows 7 to 15).
const HOSTILE: [&str; 16] = [
    " one blank",
    "\ttab",
    "    four blanks and trailing  ",
    "",
    "",
    "data: d",
    "id: 9",
    "event: pwn",
    "retry: 1",
    ": comment",
    ":",
    "a\0b",
    "\x1b[31mred\x1b[0m",
    "grüße 😀 \u{feff}",
    "{\"json\": \"\\\\ \\\" '\"}",
    "last of the hostile",
];
/// A forged event, which must arrive as one line.
const FORGED: (&str, &str) = ("x\revent: pwn\rdata: forged", "x␍event: pwn␍data: forged");

/// Where `.ci/run` installs.
fn folder() -> PathBuf {
    let target = Path::new(LOGCAST).ancestors().nth(2).expect("target/debug/logcast");
    target.join("clients")
}

fn required() -> bool {
    std::env::var_os("LOGCAST_TEST_CLIENTS").is_some_and(|value| value == "1")
}

/// A running client and what it prints.
struct Foreign {
    child: Child,
    lines: Receiver<String>,
    name: String,
}

impl Foreign {
    fn start(name: &str, program: &Path, args: &[&str], folder: &Path) -> Foreign {
        let mut child = Command::new(program)
            .args(args)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {name}: {error}"));
        let stdout = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Foreign { child, lines, name: name.to_owned() }
    }

    /// The next `count` lines of the log; notices must be ours.
    #[track_caller]
    fn take(&self, count: usize) -> Vec<String> {
        let end = Instant::now() + DEADLINE;
        let mut lines = Vec::new();
        while lines.len() < count {
            let line =
                self.lines.recv_timeout(end.saturating_duration_since(Instant::now())).unwrap_or_else(|_| {
                    panic!("{}: {} of {count} lines, last {:?}", self.name, lines.len(), lines.last())
                });
            let event: serde_json::Value = serde_json::from_str(&line).expect("JSON");
            match event["type"].as_str().expect("a type") {
                "message" => lines.push(event["data"].as_str().expect("data").to_owned()),
                notice => assert_eq!(notice, "hello", "{}: {event}", self.name),
            }
            assert!(event["id"].as_str().is_some_and(|id| !id.is_empty()), "{}: {event}", self.name);
        }
        lines
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Hostile lines, a kill of the server, lines while it is away, a restart: each line once, in order.
#[track_caller]
fn drive(script: &str, needs: &str) {
    let folder = folder();
    if !folder.join(needs).exists() {
        assert!(!required(), "{needs} is not installed below {}", folder.display());
        eprintln!("skipped: {script} needs {needs}, which .ci/run installs");
        return;
    }
    // Beside the packages, where imports find them; under a name of its own, for tests run beside each other.
    let own = folder.join(format!("run-{}", script.replace('.', "-")));
    std::fs::create_dir_all(&own).expect("a folder");
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients");
    for name in [script, "report.mjs", "report.py"] {
        std::fs::copy(sources.join(name), own.join(name)).expect(name);
    }
    let place = Place::with("f", format!("{}{}\n", text(&HOSTILE), FORGED.0));
    let mut server = Server::start(&place, &["f"]);
    let url = format!("{}?lines=all", server.stream);
    let program =
        if script.ends_with(".py") { folder.join("python/bin/python") } else { PathBuf::from("node") };
    let client = Foreign::start(script, &program, &[script, &url], &own);
    let mut expected: Vec<&str> = HOSTILE.to_vec();
    expected.push(FORGED.1);
    assert_lines(&client.take(expected.len()), &expected);
    server.kill();
    place.append("f", "while it was away\n\n");
    server.restart();
    assert_lines(&client.take(2), &["while it was away", ""]);
    place.append("f", "live again\n");
    assert_lines(&client.take(1), &["live again"]);
}

#[test]
fn npm_eventsource() {
    drive("eventsource.mjs", "node_modules/eventsource");
}

#[test]
fn npm_undici() {
    drive("undici.mjs", "node_modules/undici");
}

#[test]
fn pypi_httpx_sse() {
    drive("httpx_sse_client.py", "python/bin/python");
}

#[test]
fn pypi_sseclient_py() {
    drive("sseclient_py_client.py", "python/bin/python");
}

/// `curl -N` shows the bytes, and a shell script comes back with the last id it saw.
#[test]
fn curl() {
    if !have("curl") {
        assert!(!required(), "there is no curl");
        return;
    }
    let place = Place::with("f", format!("{}{}\n", text(&HOSTILE), FORGED.0));
    let mut server = Server::start(&place, &["f"]);
    // curl puts out what comes, when it comes; at the end of the connection it goes, and the loop comes back.
    let script = r#"
        id= n=0
        while [ $n -lt 200 ]; do
          n=$((n + 1))
          curl -sN ${id:+-H "Last-Event-ID: $id"} "$0" | tee -a raw
          id=$(sed -n 's/^id: //p' raw | tail -n 1)
          sleep 0.1
        done"#;
    let url = format!("{}?lines=all", server.stream);
    let client = Foreign::start("curl", Path::new("sh"), &["-c", script, &url], place.root());
    let mut name = String::new();
    let mut take = |count: usize| {
        let (end, mut lines) = (Instant::now() + DEADLINE, Vec::new());
        while lines.len() < count {
            let line =
                client.lines.recv_timeout(end.saturating_duration_since(Instant::now())).unwrap_or_else(
                    |_| panic!("curl: {} of {count} lines, last {:?}", lines.len(), lines.last()),
                );
            match line.split_once(": ").unwrap_or((&line, "")) {
                ("", _) => name.clear(),
                ("event", value) => value.clone_into(&mut name),
                ("data", value) if name.is_empty() => lines.push(value.to_owned()),
                _ => {}
            }
        }
        lines
    };
    let mut expected: Vec<&str> = HOSTILE.to_vec();
    expected.push(FORGED.1);
    assert_lines(&take(expected.len()), &expected);
    server.kill();
    place.append("f", "while it was away\n");
    server.restart();
    assert_lines(&take(1), &["while it was away"]);
}

//! Other people's clients: hostile lines arrive as text, and a server that was killed and started again is
//! taken up where it was.
//!
//! `tests/clients/install target/clients` fetches them; without that each test says so and passes, unless
//! `LOGCAST_TEST_CLIENTS=1` (as in `.ci/run`): then it fails.

use crate::support::writer::text;
use crate::support::{DEADLINE, Place, Server, assert_lines, numbered};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// What stands in the file, and what a client has to make of it.
const HOSTILE: &[(&[u8], &str)] = &[
    (b"plain", "plain"),
    (b"", ""),
    (b"  two blanks before, two behind  ", "  two blanks before, two behind  "),
    (b"\ttab", "\ttab"),
    (b"x\revent: pwn\rdata: forged", "x␍event: pwn␍data: forged"),
    (b"x\rid: 999999", "x␍id: 999999"),
    (b"id: 9", "id: 9"),
    (b"event: rotated", "event: rotated"),
    (b"data: d", "data: d"),
    (b"retry: 5", "retry: 5"),
    (b": comment", ": comment"),
    (b"windows\r", "windows"),
    (b"nul\0inside", "nul\0inside"),
    (b"bad \xff utf8", "bad \u{fffd} utf8"),
    (b"\x1b[31mred\x1b[0m \x07", "\x1b[31mred\x1b[0m \x07"),
    (
        "u2028 \u{2028} u85 \u{85} vt \u{b} ff \u{c} fs \u{1c} bom \u{feff}".as_bytes(),
        "u2028 \u{2028} u85 \u{85} vt \u{b} ff \u{c} fs \u{1c} bom \u{feff}",
    ),
    ("grüße 😀 漢字".as_bytes(), "grüße 😀 漢字"),
    (b"", ""),
    (b"last", "last"),
];

/// One message as a client gave it.
struct Message {
    data: String,
    id: String,
}

/// A client that runs and says what it gets.
trait Reader {
    /// The next message, or a panic after the deadline.
    fn next(&mut self) -> Message;
    /// Told that the server is back; most clients find out by themselves.
    fn back(&mut self, _last_id: &str) {}
}

/// A program whose stdout is messages.
struct Program {
    child: Child,
    messages: Receiver<Message>,
}

impl Program {
    fn start(command: &mut Command, parse: impl FnMut(&str) -> Option<Message> + Send + 'static) -> Program {
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().expect("a client to start");
        let stdout = child.stdout.take().expect("piped");
        let (sender, messages) = channel();
        let mut parse = parse;
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Some(message) = parse(&line) {
                    let _ = sender.send(message);
                }
            }
        });
        Program { child, messages }
    }

    /// A program that prints JSON.
    fn json(command: &mut Command) -> Program {
        Program::start(command, |line| {
            let fields: serde_json::Value = serde_json::from_str(line).expect("a line of JSON");
            assert!(fields.get("gap").is_none(), "{fields}");
            let field = |name: &str| fields[name].as_str().unwrap_or_default().to_owned();
            Some(Message { data: field("data"), id: field("id") })
        })
    }
}

impl Reader for Program {
    fn next(&mut self) -> Message {
        self.messages.recv_timeout(DEADLINE).expect("a message in time")
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The data of the next messages; their ids go to the others.
#[track_caller]
fn take(reader: &mut impl Reader, ids: &mut Vec<String>, count: usize) -> Vec<String> {
    let messages: Vec<Message> = (0..count).map(|_| reader.next()).collect();
    ids.extend(messages.iter().map(|message| message.id.clone()));
    messages.into_iter().map(|message| message.data).collect()
}

/// Hostile lines, then a killed server, then the rest.
fn exercise<R: Reader>(start: impl FnOnce(&str) -> R) {
    let content: Vec<u8> = HOSTILE.iter().flat_map(|(line, _)| [*line, b"\n"].concat()).collect();
    let place = Place::with("f", &content);
    let mut server = Server::start(&place, &["f"]);
    let mut reader = start(&format!("{}?lines=all", server.stream));
    let mut ids = Vec::new();
    let expected: Vec<&str> = HOSTILE.iter().map(|(_, shown)| *shown).collect();
    assert_lines(&take(&mut reader, &mut ids, expected.len()), &expected);
    // Live, from the shared path, the same lines again.
    place.append("f", &content);
    assert_lines(&take(&mut reader, &mut ids, expected.len()), &expected);
    server.kill();
    let missed = numbered("missed", 1, 40);
    place.append("f", text(&missed));
    place.rename("f", "f.1");
    place.write("f", "in the new file\n");
    server.restart();
    reader.back(ids.last().expect("an id"));
    assert_lines(&take(&mut reader, &mut ids, 40), &missed);
    place.append("f", "end\n");
    assert_lines(&take(&mut reader, &mut ids, 2), &["in the new file", "end"]);
    let all = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), all, "an id came twice");
}

/// The folder of the clients, if this part of it is installed.
#[track_caller]
fn installed(part: &str) -> Option<PathBuf> {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("the target folder");
    let folder = target.join("clients");
    if folder.join(part).exists() {
        return Some(folder);
    }
    let how = format!("tests/clients/install {}", folder.display());
    assert!(!must(), "there is no {part} in {}: {how}", folder.display());
    eprintln!("skipped: there is no {part} in {} ({how})", folder.display());
    None
}

/// Whether a missing client is a failure.
fn must() -> bool {
    std::env::var_os("LOGCAST_TEST_CLIENTS").is_some_and(|value| value == "1")
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

#[test]
fn npm_eventsource() {
    let Some(folder) = installed("node_modules/eventsource") else { return };
    exercise(|url| {
        Program::json(Command::new("node").arg(script("node.mjs")).arg("npm").arg(&folder).arg(url))
    });
}

#[test]
fn npm_undici() {
    let Some(folder) = installed("node_modules/undici") else { return };
    exercise(|url| {
        let mut node = Command::new("node");
        // It calls its EventSource experimental on stderr.
        Program::json(node.arg("--no-warnings").arg(script("node.mjs")).arg("undici").arg(&folder).arg(url))
    });
}

#[test]
fn node_itself() {
    let Some(folder) = installed("node_modules") else { return };
    exercise(|url| {
        let mut node = Command::new("node");
        let flags = ["--experimental-eventsource", "--no-warnings"];
        Program::json(node.args(flags).arg(script("node.mjs")).arg("own").arg(&folder).arg(url))
    });
}

#[test]
fn python_httpx_sse() {
    let Some(folder) = installed("python/bin/python") else { return };
    exercise(|url| {
        let mut python = Command::new(folder.join("python/bin/python"));
        Program::json(python.arg(script("python.py")).arg("httpx").arg(url))
    });
}

#[test]
fn python_sseclient() {
    let Some(folder) = installed("python/bin/python") else { return };
    exercise(|url| {
        let mut python = Command::new(folder.join("python/bin/python"));
        Program::json(python.arg(script("python.py")).arg("sseclient").arg(url))
    });
}

/// `curl -N` and what a shell script would do with it: fields by their first word, a blank line between events.
struct Curl {
    url: String,
    program: Program,
}

impl Curl {
    fn start(url: &str, last_id: Option<&str>) -> Curl {
        let mut curl = Command::new("curl");
        curl.args(["--silent", "--no-buffer", "--noproxy", "*"]);
        if let Some(id) = last_id {
            curl.arg("--header").arg(format!("Last-Event-ID: {id}"));
        }
        let (mut named, mut data, mut id) = (false, None, String::new());
        let program = Program::start(curl.arg(url), move |line| {
            match line.split_once(": ") {
                Some(("event", name)) => {
                    assert_ne!(name, "gap", "a gap where nothing is lost");
                    named = true;
                }
                Some(("data", value)) => data = Some(value.to_owned()),
                Some(("id", value)) => value.clone_into(&mut id),
                _ => {}
            }
            if !line.is_empty() {
                return None;
            }
            let line = !std::mem::take(&mut named);
            data.take().filter(|_| line).map(|data| Message { data, id: id.clone() })
        });
        Curl { url: url.to_owned(), program }
    }
}

impl Reader for Curl {
    fn next(&mut self) -> Message {
        self.program.next()
    }

    fn back(&mut self, last_id: &str) {
        *self = Curl::start(&self.url, Some(last_id));
    }
}

#[test]
fn curl() {
    if !crate::support::have("curl") {
        assert!(!must(), "there is no curl");
        return;
    }
    exercise(|url| Curl::start(url, None));
}

/// LaunchDarkly's client for Rust, which reconnects by itself.
struct Crate {
    messages: Receiver<Message>,
    _runtime: tokio::runtime::Runtime,
}

impl Reader for Crate {
    fn next(&mut self) -> Message {
        self.messages.recv_timeout(DEADLINE).expect("a message in time")
    }
}

#[test]
fn rust_eventsource_client() {
    use eventsource_client::{Client, ClientBuilder, SSE};
    use futures_util::StreamExt;
    exercise(|url| {
        let transport = launchdarkly_sdk_transport::HyperTransport::builder()
            .disable_proxy()
            .build_http()
            .expect("a transport");
        let client = ClientBuilder::for_url(url).expect("a URL").build_with_transport(transport);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let (sender, messages) = channel();
        runtime.spawn(async move {
            let mut events = client.stream();
            // A connection that broke is an error on the way; the stream goes on after it.
            while let Some(event) = events.next().await {
                match event {
                    Ok(SSE::Event(event)) if event.event_type == "message" => {
                        let _ = sender.send(Message { data: event.data, id: event.id.unwrap_or_default() });
                    }
                    Ok(SSE::Event(event)) => assert_ne!(event.event_type, "gap", "{}", event.data),
                    Ok(_) | Err(_) => {}
                }
            }
        });
        Crate { messages, _runtime: runtime }
    });
}

//! A server of the engine that is none: one stream, told what to show and what to hide, as replicas that lag do.
//!
//! It speaks what a reader asks: the stream's state, a consumer, messages, one message by its number.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

/// What it shows.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// The messages: when each was stored, in seconds since 1970, and its lines. The first has the number 1.
    pub(super) messages: Vec<(u64, String)>,
    /// How many messages whoever keeps the next consumer has when it is made: it begins behind them at the latest.
    pub(super) replica_has: Option<u64>,
    /// How many times the state ends before the last message, and where.
    pub(super) short: Option<(u32, u64)>,
    /// How many times a message is not found by its number.
    pub(super) hidden: u32,
    /// A message that the next consumer leaves out.
    pub(super) left_out: Option<u64>,
    /// Whose the messages are, in turns: a host and the path of its file. If there are none, nobody's.
    pub(super) files: Vec<(&'static str, &'static str)>,
    /// Whether messages say, as those of `ship`, where their bytes stand in the file.
    pub(super) ranges: bool,
    /// Where each consumer was asked to begin.
    pub(super) begun: Vec<u64>,
}

impl Shown {
    /// The subject of a message, and the header that names its file.
    fn whose(&self, number: u64) -> (String, String) {
        match self.files.get((number as usize - 1) % self.files.len().max(1)) {
            None => ("logs.a".to_owned(), String::new()),
            Some((host, path)) => {
                (format!("logs.{host}{}", path.replace('/', ".")), format!("\r\nLogcast-Path: {path}"))
            }
        }
    }
}

/// See the module.
pub(super) struct Fake {
    /// Where it is.
    pub(super) port: u16,
    pub(super) shown: Arc<Mutex<Shown>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
}

impl Fake {
    pub(super) fn start(messages: &[(u64, &str)]) -> Fake {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let messages = messages.iter().map(|&(stored, text)| (stored, text.to_owned())).collect();
        let shown = Arc::new(Mutex::new(Shown { messages, ..Shown::default() }));
        let open = Arc::new(Mutex::new(Vec::new()));
        let (own, sockets) = (shown.clone(), open.clone());
        thread::spawn(move || {
            for socket in listener.incoming() {
                let Ok(socket) = socket else { return };
                sockets.lock().expect("unpoisoned").push(socket.try_clone().expect("a handle"));
                let shown = own.clone();
                thread::spawn(move || {
                    Talk { socket, subs: HashMap::new(), consumers: HashMap::new(), shown }.run()
                });
            }
        });
        Fake { port, shown, open }
    }

    /// Changes what it shows, and ends all connections: whoever comes back finds that.
    pub(super) fn after_a_cut(&self, change: impl FnOnce(&mut Shown)) {
        change(&mut self.shown.lock().expect("unpoisoned"));
        for socket in self.open.lock().expect("unpoisoned").drain(..) {
            let _ = socket.shutdown(Shutdown::Both);
        }
    }

    pub(super) fn url(&self) -> String {
        format!("nats://127.0.0.1:{}/logs.>", self.port)
    }
}

/// One connection.
struct Talk {
    socket: TcpStream,
    subs: HashMap<String, String>,
    /// Each consumer's next message, and its own number.
    consumers: HashMap<String, (u64, u64)>,
    shown: Arc<Mutex<Shown>>,
}

impl Talk {
    fn run(mut self) {
        let info = r#"{"server_id":"F","server_name":"fake","host":"127.0.0.1","port":4222,"version":"2.9.10","go":"1","proto":1,"headers":true,"max_payload":1048576,"jetstream":true,"client_id":1,"client_ip":"127.0.0.1"}"#;
        let mut lines = BufReader::new(self.socket.try_clone().expect("a handle"));
        self.send(format!("INFO {info}\r\n").as_bytes());
        let mut line = String::new();
        while matches!(lines.read_line(&mut line), Ok(1..)) {
            let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            match *words.as_slice() {
                ["PING"] => self.send(b"PONG\r\n"),
                ["SUB", subject, .., sid] => {
                    self.subs.insert(subject.to_owned(), sid.to_owned());
                }
                ["PUB" | "HPUB", subject, ref rest @ ..] => {
                    let long: usize = rest.last().and_then(|long| long.parse().ok()).expect("a length");
                    let mut payload = vec![0; long + 2];
                    lines.read_exact(&mut payload).expect("a payload");
                    // PUB has a reply before its length, HPUB before both of its lengths.
                    let reply = (rest.len() > usize::from(words[0] == "HPUB") + 1).then(|| rest[0]);
                    self.hear(subject, reply.unwrap_or_default(), &payload);
                }
                _ => {}
            }
            line.clear();
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        let _ = self.socket.write_all(bytes);
    }

    /// Sends a message to who listens at `to`.
    fn tell(&mut self, to: &str, subject: &str, reply: &str, headers: &str, payload: &str) {
        let is = |own: &str| own == to || own.strip_suffix('*').is_some_and(|start| to.starts_with(start));
        let Some(sid) = self.subs.iter().find(|(own, _)| is(own)).map(|(_, sid)| sid.clone()) else { return };
        let reply = if reply.is_empty() { String::new() } else { format!(" {reply}") };
        let text = match headers.is_empty() {
            true => format!("MSG {subject} {sid}{reply} {}\r\n{payload}\r\n", payload.len()),
            false => {
                let head = format!("NATS/1.0{headers}\r\n\r\n");
                let all = head.len() + payload.len();
                format!("HMSG {subject} {sid}{reply} {} {all}\r\n{head}{payload}\r\n", head.len())
            }
        };
        self.send(text.as_bytes());
    }

    fn hear(&mut self, subject: &str, reply: &str, payload: &[u8]) {
        let request: serde_json::Value = serde_json::from_slice(payload.trim_ascii()).unwrap_or_default();
        let shown = self.shown.clone();
        let mut shown = shown.lock().expect("unpoisoned");
        let all = shown.messages.len() as u64;
        match subject.strip_prefix("$JS.API.").unwrap_or_default() {
            "STREAM.INFO.logs" => {
                let last = match &mut shown.short {
                    Some((times @ 1.., last)) => {
                        *times -= 1;
                        *last
                    }
                    _ => all,
                };
                let body = format!(
                    r#"{{"config":{{"name":"logs","subjects":["logs.>"],"allow_direct":true}},"created":"2026-11-27T09:00:00Z","state":{{"messages":{last},"bytes":{last},"first_seq":1,"last_seq":{last}}}}}"#
                );
                self.tell(reply, reply, "", "", &body);
            }
            "DIRECT.GET.logs" => {
                let number = request["seq"].as_u64().unwrap_or_default();
                let number = if request["next_by_subj"].is_string() { number.max(1) } else { number };
                let found = shown.messages.get((number as usize).wrapping_sub(1)).cloned();
                let hidden = shown.hidden > 0;
                shown.hidden = shown.hidden.saturating_sub(1);
                match found.filter(|_| !hidden) {
                    Some((stored, text)) => {
                        let (subject, path) = shown.whose(number);
                        let mut headers = format!("\r\nNats-Stream: logs\r\nNats-Subject: {subject}{path}");
                        let time = jiff::Timestamp::from_second(stored as i64).expect("a time");
                        write!(headers, "\r\nNats-Sequence: {number}\r\nNats-Time-Stamp: {time}")
                            .expect("text");
                        self.tell(reply, reply, "", &headers, &text);
                    }
                    None => self.tell(reply, reply, "", " 404 Message Not Found", ""),
                }
            }
            create if create.starts_with("CONSUMER.CREATE.logs.") => {
                let name = create.split('.').nth(3).expect("a name").to_owned();
                let from = request["config"]["opt_start_seq"].as_u64().expect("a number");
                shown.begun.push(from);
                let from = from.min(shown.replica_has.take().unwrap_or(all) + 1);
                self.consumers.insert(name, (from, 1));
                let pending = (all + 1).saturating_sub(from);
                self.tell(reply, reply, "", "", &format!(r#"{{"num_pending":{pending}}}"#));
            }
            next if next.starts_with("CONSUMER.MSG.NEXT.logs.") => {
                let name = next.rsplit('.').next().expect("a name").to_owned();
                let (mut at, mut own) = self.consumers.get(&name).copied().unwrap_or((1, 1));
                let left_out = shown.left_out.filter(|&number| number >= at);
                let mut begin = 0;
                for (number, (stored, text)) in (1..).zip(&shown.messages) {
                    let from = begin;
                    begin += text.len();
                    if number < at || left_out == Some(number) {
                        continue;
                    }
                    let left = all - number;
                    let range = format!("\r\nLogcast-At: AAAAAAAF~AAAAAAAH:{from}-{begin}");
                    let (subject, path) = shown.whose(number);
                    let headers = if shown.ranges { range + path.as_str() } else { path };
                    let ack = format!("$JS.ACK.logs.{name}.1.{number}.{own}.{stored}000000000.{left}");
                    self.tell(reply, &subject, &ack, &headers, text);
                    (at, own) = (number + 1, own + 1);
                }
                self.consumers.insert(name, (at, own));
                if left_out.is_some_and(|number| number < at) {
                    shown.left_out = None;
                }
            }
            _ => {}
        }
    }
}

//! A strict reader of event streams after HTML § 9.2 over HTTP/1.1, which keeps what other clients hide.
//!
//! It panics on everything a stream of ours must never hold: wrong chunks, bytes that are no UTF-8, a block
//! without data, an unknown field, an id outside of the safe alphabet. It reads only when the test asks for
//! something, so a client that is left alone is a stalled one.

use super::{DEADLINE, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Event {
    /// The `event` field; empty for a line.
    pub(crate) name: String,
    /// The data.
    pub(crate) data: String,
    /// The last event id when it was dispatched.
    pub(crate) id: String,
    /// Whether the id came with this very event.
    pub(crate) own_id: bool,
}

impl Event {
    /// Whether it is a line and no notice.
    pub(crate) fn is_line(&self) -> bool {
        self.name.is_empty()
    }

    /// A notice's data.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.data).expect("a notice's data is JSON")
    }
}

/// An open stream.
pub(crate) struct Client {
    socket: TcpStream,
    chunks: Chunks,
    block: Block,
    line: Vec<u8>,
    after_cr: bool,
    ready: std::collections::VecDeque<Event>,
    /// The status line and headers.
    pub(crate) head: Response,
    /// Everything that was dispatched, in order.
    pub(crate) events: Vec<Event>,
    /// The texts of all comments.
    pub(crate) comments: Vec<String>,
    /// All values of `retry`.
    pub(crate) retry: Vec<String>,
    /// The last event id, as a browser would send it.
    pub(crate) last_id: String,
}

impl Client {
    /// Connects with a query, without an id.
    #[track_caller]
    pub(crate) fn open(server: &Server, query: &str) -> Client {
        Client::with_headers(server, query, "")
    }

    /// Connects with a query and an id as header.
    #[track_caller]
    pub(crate) fn resume(server: &Server, query: &str, id: &str) -> Client {
        Client::with_headers(server, query, &format!("Last-Event-ID: {id}\r\n"))
    }

    /// Connects with header lines of the test's own.
    #[track_caller]
    pub(crate) fn with_headers(server: &Server, query: &str, headers: &str) -> Client {
        let target =
            if query.is_empty() { "/stream-logs".to_owned() } else { format!("/stream-logs?{query}") };
        let mut socket = connect(server.address);
        let host = server.address;
        let request =
            format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAccept: text/event-stream\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).expect("a request");
        let (head, rest) = read_head(&mut socket);
        assert_eq!(head.status, 200, "{target} {headers:?}: {head:?}");
        assert_eq!(head.header("content-type"), Some("text/event-stream; charset=utf-8"));
        assert_eq!(head.header("transfer-encoding"), Some("chunked"));
        let mut client = Client {
            socket,
            chunks: Chunks::default(),
            block: Block::default(),
            line: Vec::new(),
            after_cr: false,
            ready: std::collections::VecDeque::new(),
            head,
            events: Vec::new(),
            comments: Vec::new(),
            retry: Vec::new(),
            last_id: String::new(),
        };
        client.feed(&rest);
        client
    }

    /// Opens with everything from the start, and waits for `hello`: from here on the client is connected.
    #[track_caller]
    pub(crate) fn all(server: &Server) -> Client {
        let mut client = Client::open(server, "lines=all");
        client.hello();
        client
    }

    /// The first event, which must be `hello`.
    #[track_caller]
    pub(crate) fn hello(&mut self) -> Event {
        let event = self.next();
        assert_eq!(event.name, "hello", "{event:?}");
        event
    }

    /// The next event of any kind.
    #[track_caller]
    pub(crate) fn next(&mut self) -> Event {
        match self.next_before(Instant::now() + DEADLINE) {
            Ok(event) => event,
            Err(why) => self.fail(&format!("no event: {why:?}")),
        }
    }

    /// All events up to the first that `is` accepts, this one included.
    #[track_caller]
    pub(crate) fn until(&mut self, is: impl Fn(&Event) -> bool) -> Vec<Event> {
        let end = Instant::now() + DEADLINE;
        let mut events = Vec::new();
        loop {
            match self.next_before(end) {
                Ok(event) => {
                    let found = is(&event);
                    events.push(event);
                    if found {
                        return events;
                    }
                }
                Err(why) => self.fail(&format!("{why:?} before the event that was waited for")),
            }
        }
    }

    /// The next `n` lines; notices between them go to `events` alone.
    #[track_caller]
    pub(crate) fn take(&mut self, n: usize) -> Vec<String> {
        let end = Instant::now() + DEADLINE;
        let mut lines = Vec::new();
        while lines.len() < n {
            match self.next_before(end) {
                Ok(event) if event.is_line() => lines.push(event.data),
                Ok(_) => {}
                Err(why) => {
                    let from = lines.len().saturating_sub(3);
                    self.fail(&format!(
                        "{why:?} after {} of {n} lines, last {:?}",
                        lines.len(),
                        &lines[from..]
                    ))
                }
            }
        }
        lines
    }

    /// The lines up to the one that reads `last`, this one included.
    #[track_caller]
    pub(crate) fn lines_to(&mut self, last: &str) -> Vec<String> {
        let events = self.until(|event| event.is_line() && event.data == last);
        events.into_iter().filter(Event::is_line).map(|event| event.data).collect()
    }

    /// Asserts that no event comes within the time.
    #[track_caller]
    pub(crate) fn quiet(&mut self, time: Duration) {
        match self.next_before(Instant::now() + time) {
            Err(End::Late) => {}
            Ok(event) => self.fail(&format!("an event where none may come: {event:?}")),
            Err(End::Closed) => self.fail("the stream ended"),
        }
    }

    /// Reads to the end of the stream, which has to be the last chunk; gives the events on the way.
    #[track_caller]
    pub(crate) fn read_to_end(&mut self) -> Vec<Event> {
        let end = Instant::now() + DEADLINE;
        let mut events = Vec::new();
        loop {
            match self.next_before(end) {
                Ok(event) => events.push(event),
                Err(End::Closed) if self.chunks.ended() => return events,
                Err(why) => self.fail(&format!("{why:?} without a last chunk")),
            }
        }
    }

    /// Reads until something arrives that is no event: a comment.
    #[track_caller]
    pub(crate) fn until_comment(&mut self, count: usize, time: Duration) {
        let end = Instant::now() + time;
        while self.comments.len() < count {
            if let Err(why) = self.fill(end) {
                self.fail(&format!("{why:?} before comment number {count}"));
            }
        }
    }

    /// Whether a notice of this name came so far.
    pub(crate) fn saw(&self, notice: &str) -> bool {
        self.events.iter().any(|event| event.name == notice)
    }

    /// Closes the connection and gives the id to come back with.
    pub(crate) fn cut(self) -> String {
        let _ = self.socket.shutdown(Shutdown::Both);
        self.last_id
    }

    #[track_caller]
    fn fail(&self, why: &str) -> ! {
        let from = self.events.len().saturating_sub(5);
        panic!("{why}; {} events came, the last: {:#?}", self.events.len(), &self.events[from..]);
    }

    fn next_before(&mut self, end: Instant) -> Result<Event, End> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                self.last_id.clone_from(&event.id);
                self.events.push(event.clone());
                return Ok(event);
            }
            self.fill(end)?;
        }
    }

    /// Reads once from the socket.
    fn fill(&mut self, end: Instant) -> Result<(), End> {
        let mut block = [0; 65536];
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(End::Late);
        }
        self.socket.set_read_timeout(Some(left)).expect("a time-out");
        match self.socket.read(&mut block) {
            Ok(0) => Err(End::Closed),
            Ok(len) => {
                self.feed(&block[..len]);
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(End::Late)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(_) => Err(End::Closed),
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        let body = self.chunks.decode(bytes);
        for &byte in &body {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    let line = std::mem::take(&mut self.line);
                    self.line(String::from_utf8(line).expect("the stream is UTF-8"));
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
        }
    }

    fn line(&mut self, line: String) {
        if line.is_empty() {
            let block = std::mem::take(&mut self.block);
            let data = block.data.expect("a block without data");
            let own_id = block.id.is_some();
            let before = self.ready.back().map_or(&self.last_id, |event| &event.id).clone();
            self.ready.push_back(Event { name: block.name, data, id: block.id.unwrap_or(before), own_id });
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match field {
            "" => self.comments.push(value),
            "event" => self.block.name = value,
            "data" => match &mut self.block.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(&value);
                }
                none => *none = Some(value),
            },
            "id" => {
                let safe = |byte: u8| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte);
                assert!(
                    (1..=1024).contains(&value.len()) && value.bytes().all(safe),
                    "an unsafe id {value:?}"
                );
                assert!(self.block.id.replace(value).is_none(), "two ids in a block");
            }
            "retry" => {
                assert!(
                    !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()),
                    "retry {value:?}"
                );
                self.retry.push(value);
            }
            _ => panic!("an unknown field in {line:?}"),
        }
    }
}

/// Why no event came.
#[derive(Debug)]
enum End {
    Late,
    Closed,
}

/// The fields of the block that is being read.
#[derive(Default)]
struct Block {
    name: String,
    data: Option<String>,
    id: Option<String>,
}

/// Chunked transfer coding, without extensions and trailers: the server sends neither.
#[derive(Default)]
struct Chunks {
    pending: Vec<u8>,
    state: Coding,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Coding {
    #[default]
    Size,
    Data(usize),
    DataEnd,
    Last,
    Done,
}

impl Chunks {
    fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let mut body = Vec::new();
        let mut rest = self.pending.as_slice();
        loop {
            match self.state {
                Coding::Data(0) => self.state = Coding::DataEnd,
                Coding::Data(_) if rest.is_empty() => break,
                Coding::Data(left) => {
                    let (data, behind) = rest.split_at(left.min(rest.len()));
                    body.extend_from_slice(data);
                    self.state = Coding::Data(left - data.len());
                    rest = behind;
                }
                Coding::Done => {
                    assert!(rest.is_empty(), "bytes after the last chunk");
                    break;
                }
                Coding::Size | Coding::DataEnd | Coding::Last => {
                    let Some(len) = rest.windows(2).position(|pair| pair == b"\r\n") else { break };
                    let line = std::str::from_utf8(&rest[..len]).expect("a chunk's size");
                    rest = &rest[len + 2..];
                    self.state = match (self.state, line) {
                        (Coding::Size, "0") => Coding::Last,
                        (Coding::Size, _) => {
                            Coding::Data(usize::from_str_radix(line, 16).expect("a chunk's size"))
                        }
                        (Coding::DataEnd, "") => Coding::Size,
                        (Coding::Last, "") => Coding::Done,
                        _ => panic!("{line:?} where a chunk ends"),
                    };
                }
            }
        }
        let left = rest.len();
        self.pending.drain(..self.pending.len() - left);
        body
    }

    fn ended(&self) -> bool {
        self.state == Coding::Done
    }
}

/// An answer to a plain request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// The status.
    pub(crate) status: u16,
    /// Header names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, unchunked.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

/// A connection to the server, small in its buffers so that a stalled client is felt.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).expect("a connection");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    socket.set_write_timeout(Some(DEADLINE)).expect("a time-out");
    socket
}

/// GET and the whole answer.
#[track_caller]
pub(crate) fn get(server: &Server, target: &str) -> Response {
    let host = server.address;
    raw(server, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap_or_else(|| panic!("no answer to {target}"))
}

/// Sends bytes and reads to the end of the connection; `None` if it was closed without an answer.
pub(crate) fn raw(server: &Server, request: &[u8]) -> Option<Response> {
    let mut socket = connect(server.address);
    // A server that refuses early may close before all is written: its answer counts.
    let _ = socket.write_all(request);
    let mut all = Vec::new();
    let mut block = [0; 65536];
    let end = Instant::now() + DEADLINE;
    loop {
        match socket.read(&mut block) {
            Ok(0) => break,
            Ok(len) => all.extend_from_slice(&block[..len]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the connection stayed open after {} bytes", all.len())
            }
            Err(_) => break,
        }
        assert!(Instant::now() < end, "the answer does not end");
    }
    let head = all.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut response = parse_head(&all[..head]);
    response.body = all.split_off(head + 4);
    if response.header("transfer-encoding") == Some("chunked") {
        response.body = Chunks::default().decode(&response.body);
    }
    Some(response)
}

fn read_head(socket: &mut TcpStream) -> (Response, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return (parse_head(&bytes[..end]), rest);
        }
        let len = socket.read(&mut block).expect("an answer in time");
        assert!(len > 0, "closed before the answer: {:?}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&block[..len]);
    }
}

fn parse_head(bytes: &[u8]) -> Response {
    let head = std::str::from_utf8(bytes).expect("a head in ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next().expect("a status line");
    let status = status.split(' ').nth(1).expect("a status").parse().expect("a number");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("a header {line:?}"));
        (name.to_ascii_lowercase(), value.to_owned())
    });
    Response { status, headers: headers.collect(), body: Vec::new() }
}

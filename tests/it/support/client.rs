//! A client over HTTP/1.1 that is as strict as its reader, and keeps everything it got.
//!
//! It reads only when the test asks for something, so a client that is left alone is a stalled one.

use super::events::{Event, Reader};
use super::http::{Chunks, Response, connect, read_head};
use super::{DEADLINE, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// An open stream.
pub(crate) struct Client {
    socket: TcpStream,
    chunks: Chunks,
    reader: Reader,
    /// The status line and headers.
    pub(crate) head: Response,
    /// Everything that was dispatched, in order.
    pub(crate) events: Vec<Event>,
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
            reader: Reader::default(),
            head,
            events: Vec::new(),
            last_id: String::new(),
        };
        client.reader.feed(&client.chunks.decode(&rest));
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
        while self.reader.comments.len() < count {
            if let Err(why) = self.fill(end) {
                self.fail(&format!("{why:?} before comment number {count}"));
            }
        }
    }

    /// The texts of all comments so far.
    pub(crate) fn comments(&self) -> &[String] {
        &self.reader.comments
    }

    /// All values of `retry` so far.
    pub(crate) fn retry(&self) -> &[String] {
        &self.reader.retry
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
            if let Some(event) = self.reader.next() {
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
                self.reader.feed(&self.chunks.decode(&block[..len]));
                Ok(())
            }
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(End::Late)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(()),
            Err(_) => Err(End::Closed),
        }
    }
}

/// Why no event came.
#[derive(Debug)]
enum End {
    Late,
    Closed,
}

//! The access log (`--access-log`): one JSON object a line for each request, and for a stream one when it opens and one
//! when it ends.
//!
//! It says who asked for what, and how it ended; never a line of a log, a token, a password, or what somebody searched
//! for. A thread of its own writes; the queue to it is bounded, and what finds no place is counted, not waited for.

mod writer;

use self::writer::Writer;
use crate::live::counts::Counter;
use crate::live::notices::now;
use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use memchr::memmem;
use serde::Serialize;
use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use warp::http::{Method, Request, header};
use warp::reply::Response;

/// Entries on their way to the file: a second of a busy server.
const QUEUE: usize = 4096;
/// The most bytes of a path and its query that are written.
const MOST_PATH: usize = 1024;
/// How long the end waits for what is on its way.
const LAST_WORDS: Duration = Duration::from_millis(300);
/// Parameters whose values say nothing of a log's content and let nobody in.
const TELLING: &[&str] = &[
    "file", "lines", "follow", "format", "view", "level", "case", "syntax", "since", "until", "at", "before",
    "after", "order", "mode", "limit", "buckets", "history", "download",
];
/// Those of which only the names are written.
const SILENT: &[&str] = &["token", "grep", "exclude", "from", "to", "lastEventId", "generation"];

/// One line of the log.
#[derive(Debug, Clone, Serialize)]
struct Entry {
    time: String,
    event: &'static str,
    /// The same in both lines of a stream.
    #[serde(skip_serializing_if = "Option::is_none")]
    stream: Option<u64>,
    /// `null` over a unix socket.
    peer: Option<IpAddr>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<Arc<str>>,
    method: String,
    path: String,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<f64>,
    /// How it ended, or why it was refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// What the gate found out about a request, for the log.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// The client's address.
    pub peer: Option<IpAddr>,
    /// Its name, where people have names.
    pub user: Option<Arc<str>>,
}

/// Why a request was refused, in our own words.
#[derive(Debug, Clone)]
pub struct Why(pub String);

enum Message {
    Entry(Box<Entry>),
    /// Look whether the file is to be opened again.
    Look,
    /// Say when all before it is written.
    Flush(Sender<()>),
}

/// An access log that is written.
#[derive(Debug, Clone)]
pub struct Log {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    lost: Counter,
    streams: AtomicU64,
    reopen: AtomicBool,
}

impl Log {
    /// Opens the file, at its end, and begins to write; `talk` hears of what cannot be written, once until it can be again.
    ///
    /// # Errors
    /// What the system says to the file or the thread.
    pub fn open(path: &Path, talk: impl Fn(&str) + Send + 'static) -> io::Result<Log> {
        let (queue, entries) = sync_channel(QUEUE);
        let shared = Arc::new(Shared::default());
        let writer = Writer::open(path, shared.clone())?;
        let run = move || writer.run(&entries, &talk);
        std::thread::Builder::new().name("access-log".to_owned()).spawn(run)?;
        Ok(Log { queue, shared })
    }

    /// Opens the file anew, at its path: the old one was rotated away.
    pub fn reopen(&self) {
        self.shared.reopen.store(true, Ordering::Release);
        // A full queue will be looked at anyway.
        let _ = self.queue.try_send(Message::Look);
    }

    /// Entries that could not be written.
    pub fn lost(&self) -> u64 {
        self.shared.lost.get()
    }

    /// Waits a moment for what is on its way to the file; blocks.
    pub fn flush(&self) {
        let (sender, receiver) = channel();
        if self.queue.try_send(Message::Flush(sender)).is_ok() {
            let _ = receiver.recv_timeout(LAST_WORDS);
        }
    }

    fn write(&self, entry: Entry) {
        if self.queue.try_send(Message::Entry(Box::new(entry))).is_err() {
            self.shared.lost.one();
        }
    }
}

/// A request that will be written down when it has its answer.
#[derive(Debug)]
pub struct Pending {
    log: Log,
    method: Method,
    path: String,
    since: Instant,
}

impl Pending {
    /// Notes what is asked for.
    pub fn new<B>(log: &Log, request: &Request<B>) -> Pending {
        let path = shown(request.uri().path(), request.uri().query());
        Pending { log: log.clone(), method: request.method().clone(), path, since: Instant::now() }
    }

    /// Notes the answer's head; the rest when its body has ended, or is given up.
    pub fn answered(self, response: &Response, stop: CancellationToken) -> Note {
        let seen = response.extensions().get::<Seen>().cloned().unwrap_or_default();
        let reason = response.extensions().get::<Why>().map(|why| why.0.clone());
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let route = self.path.split('?').next().unwrap_or_default();
        let has_lines = route.ends_with("/stream-logs") && !self.path.contains("view=live");
        let may_stream = ["/stream-logs", "/api/search"].iter().any(|known| route.ends_with(known));
        let lines = kind.filter(|_| may_stream && reason.is_none()).and_then(Lines::of);
        let is_stream = lines.is_some() && response.status().is_success() && self.method != Method::HEAD;
        let entry = Entry {
            time: now(),
            event: if is_stream { "open" } else { "request" },
            stream: is_stream.then(|| self.log.shared.streams.fetch_add(1, Ordering::Relaxed)),
            peer: seen.peer,
            user: seen.user,
            method: self.method.to_string(),
            path: self.path,
            status: response.status().as_u16(),
            bytes: None,
            lines: None,
            seconds: None,
            reason,
        };
        if is_stream {
            self.log.write(entry.clone());
        }
        // The page's own transport has batches, not lines; a search has hits.
        let lines = lines.filter(|_| is_stream && has_lines).map(|kind| (kind, 0));
        // Of a body whose length was said nobody asks for more when it has come.
        let length =
            response.headers().get(header::CONTENT_LENGTH).and_then(|len| len.to_str().ok()?.parse().ok());
        let whole = if self.method == Method::HEAD { Some(0) } else { length };
        let (log, since) = (self.log, self.since);
        Note { log, entry, since, stop, bytes: 0, whole, lines, ended: false, failed: false }
    }
}

/// Path and query as they are written down: tokens, patterns and what is not known are left out.
fn shown(path: &str, query: Option<&str>) -> String {
    let mut out = path.to_owned();
    for (at, pair) in query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty()).enumerate() {
        let name = pair.split_once('=').map_or(pair, |(name, _)| name);
        out.push(if at == 0 { '?' } else { '&' });
        match name {
            _ if TELLING.contains(&name) => out.push_str(pair),
            _ if SILENT.contains(&name) => out.push_str(&format!("{name}=…")),
            // What is not known may be anything.
            _ => out.push('…'),
        }
        if out.len() > MOST_PATH {
            break;
        }
    }
    let end = (0..=MOST_PATH.min(out.len())).rev().find(|&at| out.is_char_boundary(at)).unwrap_or(0);
    out.truncate(end);
    out
}

/// How lines are told from what else a stream has.
#[derive(Debug, Clone, Copy)]
enum Lines {
    Sse,
    Ndjson,
    Plain,
}

impl Lines {
    fn of(kind: &str) -> Option<Lines> {
        match kind.split(';').next()? {
            "text/event-stream" => Some(Lines::Sse),
            "application/x-ndjson" => Some(Lines::Ndjson),
            "text/plain" => Some(Lines::Plain),
            _ => None,
        }
    }

    /// The lines in a piece of a stream; each piece is lines, or one notice.
    fn count(self, piece: &[u8]) -> u64 {
        let newlines = || memchr::memchr_iter(b'\n', piece).count();
        let count = match self {
            Lines::Sse if piece.starts_with(b"id: ") => memmem::find_iter(piece, b"\ndata: ").count(),
            Lines::Ndjson if !piece.starts_with(b"{\"notice\"") && piece != b"\n" => newlines(),
            Lines::Plain => newlines(),
            Lines::Sse | Lines::Ndjson => 0,
        };
        count as u64
    }
}

/// An answer on its way; it is written down when this is dropped.
#[derive(Debug)]
pub struct Note {
    log: Log,
    entry: Entry,
    since: Instant,
    stop: CancellationToken,
    bytes: u64,
    whole: Option<u64>,
    lines: Option<(Lines, u64)>,
    ended: bool,
    failed: bool,
}

impl Drop for Note {
    fn drop(&mut self) {
        let is_stream = self.entry.stream.is_some();
        let mut entry = self.entry.clone();
        entry.time = now();
        entry.event = if is_stream { "end" } else { "request" };
        entry.bytes = Some(self.bytes);
        entry.lines = self.lines.map(|(_, count)| count);
        entry.seconds = Some(self.since.elapsed().as_millis() as f64 / 1000.0);
        let ended = self.ended || self.whole.is_some_and(|whole| self.bytes >= whole);
        let how = match (self.failed, ended) {
            (true, _) => "failed",
            _ if is_stream && self.stop.is_cancelled() => "stopped",
            (_, true) => "done",
            (_, false) => "gone",
        };
        entry.reason = entry.reason.or_else(|| Some(how.to_owned()));
        self.log.write(entry);
    }
}

/// A body that is watched on its way.
#[derive(Debug)]
pub struct Watched<B> {
    body: B,
    note: Option<Box<Note>>,
}

impl<B> Watched<B> {
    /// The body, and who takes note of it, if anybody does.
    pub fn new(body: B, note: Option<Note>) -> Watched<B> {
        Watched { body, note: note.map(Box::new) }
    }
}

impl<B: Body<Data = Bytes> + Unpin> Body for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        let is_last = self.body.is_end_stream();
        if let Some(note) = &mut self.note {
            match &polled {
                Poll::Ready(Some(Ok(frame))) => {
                    let piece = frame.data_ref().map_or(&[][..], |data| data);
                    note.bytes += piece.len() as u64;
                    if let Some((kind, count)) = &mut note.lines {
                        *count += kind.count(piece);
                    }
                    note.ended |= is_last;
                }
                Poll::Ready(Some(Err(_))) => note.failed = true,
                Poll::Ready(None) => note.ended = true,
                Poll::Pending => {}
            }
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_of_a_path() {
        for (path, query, expected) in [
            ("/", None, "/"),
            ("/stream-logs", Some("file=a&token=secret&lines=5"), "/stream-logs?file=a&token=…&lines=5"),
            ("/stream-logs", Some("tokne=secret&level=warn%2B"), "/stream-logs?…&level=warn%2B"),
            ("/stream-logs", Some("secret"), "/stream-logs?…"),
            ("/api/search", Some("grep=password%3D123&from=x"), "/api/search?grep=…&from=…"),
        ] {
            assert_eq!(shown(path, query), expected);
        }
        assert!(shown("/", Some(&"file=é&".repeat(5000))).len() <= MOST_PATH);
    }

    #[test]
    fn lines_are_counted_and_notices_are_not() {
        let sse = b"id: 1\ndata: a\n\nid: 2\ndata: data: b\n\n";
        assert_eq!(Lines::Sse.count(sse), 2);
        assert_eq!(Lines::Sse.count(b"event: gap\nid: 1\ndata: {}\n\n"), 0);
        assert_eq!(Lines::Sse.count(b":\n"), 0);
        assert_eq!(Lines::Ndjson.count(b"{\"file\":1}\n{\"file\":1}\n"), 2);
        assert_eq!(Lines::Ndjson.count(b"{\"notice\":\"gap\"}\n") + Lines::Ndjson.count(b"\n"), 0);
    }

    #[test]
    fn a_full_queue_is_counted_and_never_waited_for() {
        let (queue, _entries) = sync_channel(1);
        let log = Log { queue, shared: Arc::default() };
        let request = Request::builder().uri("/").body(()).unwrap();
        for _ in 0..3 {
            let response = Response::default();
            drop(Pending::new(&log, &request).answered(&response, CancellationToken::new()));
        }
        assert_eq!(log.lost(), 2);
    }
}

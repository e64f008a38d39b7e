//! One stream, for as long as there is one: connections that come back by cursor, and what they bring as items.
//!
//! Invariant: an item's id is the cursor after its lines, and a connection asks for what follows the last item; so
//! whatever is cut where, each line is in one item. The queue is short: what is not printed yet is in the socket.

use super::engine::Engine;
use super::refused::Refusal;
use super::show::Show;
use super::{Names, notice};
use crate::commands::http::events::{Block, Reader, is_id};
use crate::commands::http::kept::Kept;
use crate::commands::http::{self, Address, NoAnswer};
use crate::commands::{Failure, plain};
use crate::live::client::MANY_FILES;
use crate::log::cursor::Cursor;
use crate::log::encode::cut_mark;
use hyper::body::Incoming;
use hyper::{StatusCode, header};
use serde::Deserialize;
use serde_json::Value;
use std::borrow::Cow;
use std::collections::HashSet;
use std::time::{Duration, Instant};
use tokio::sync::mpsc::Sender;
use tokio::time::{sleep, timeout};

/// The first and the longest wait before a connection is tried again; about half of it is chance, so that the
/// clients of a server that comes back do not come all at once.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(10));
/// A server says something every 15 seconds: one that is silent for three times as long is not there any more.
const SILENCE: Duration = Duration::from_secs(45);
/// A connection that lived so long, or brought a line, was a good one: the wait after it is the first one.
const GOOD: Duration = Duration::from_secs(5);

/// What goes to the printer: lines, or something to say, and the cursor after it.
#[derive(Debug, Default)]
pub(super) struct Item {
    /// The number of the stream.
    pub(super) number: usize,
    /// Whole lines, as they are printed.
    pub(super) lines: Vec<u8>,
    /// Something to say; true for what is wrong.
    pub(super) say: Option<(bool, String)>,
    /// The cursor.
    pub(super) id: Option<String>,
}

/// A stream that is followed.
pub(super) struct Stream {
    /// Its number.
    pub(super) number: usize,
    /// Where it is, with the parameters.
    pub(super) address: Address,
    /// The engine that it comes from, if it is no server's.
    pub(super) engine: Option<Engine>,
    /// The place to go on from.
    pub(super) kept: Kept,
    /// How its lines are printed.
    pub(super) show: Show,
    /// Whether lines have their file's name in front.
    pub(super) names: Names,
    /// Whether a server that was never there is waited for.
    pub(super) retry: bool,
    /// Whether its end is news.
    pub(super) follow: bool,
    /// The printer.
    pub(super) out: Sender<Item>,
    /// What is known of it.
    pub(super) seen: Seen,
}

/// What the connections so far have told.
#[derive(Debug, Default)]
pub(super) struct Seen {
    connected: bool,
    /// Whether the first block of this connection came.
    greeted: bool,
    /// Whether this connection brought a line.
    lines: bool,
    /// The files that have not ended; `None` as long as there are no files.
    open: Option<HashSet<String>>,
    /// Whether there are several files.
    several: bool,
    /// Whether lines come as objects that name their file.
    named: bool,
    /// Whether it was said that the server cannot be reached.
    told: bool,
}

/// How a connection came to its end.
enum End {
    /// Nothing more comes, ever.
    All,
    /// It was cut.
    Cut(String),
    /// The printer is gone.
    Unread,
    /// Lines are to come with the names of their files.
    Named,
    /// This is no stream of logcast.
    Foreign(&'static str),
}

/// What became of a block.
enum Taken {
    /// It was understood.
    Well,
    /// No logcast sends such a one.
    Foreign,
    /// It was not taken: its line has no name, and should have one.
    Nameless,
}

/// A line of a stream of objects.
#[derive(Deserialize)]
struct Line<'a> {
    #[serde(borrow)]
    file: Cow<'a, str>,
    #[serde(borrow)]
    text: Cow<'a, str>,
    /// Whose line it is, where a file holds those of several.
    #[serde(borrow)]
    origin: Option<Cow<'a, str>>,
    cut: Option<u64>,
}

impl Stream {
    /// Follows it to its end.
    ///
    /// # Errors
    /// What no waiting will mend.
    pub(super) async fn follow(mut self) -> Result<(), Failure> {
        let mut backoff = BACKOFF.0;
        loop {
            let began = Instant::now();
            let cause = match self.connect().await {
                Ok(None) => return Ok(()),
                Ok(Some(body)) => match self.read(body).await {
                    // What ended an engine's stream before its end was said, and is no success.
                    End::All => {
                        let broken = self.engine.as_ref().map_or(Ok(()), Engine::broken);
                        return broken.map_err(|cause| self.failure(cause));
                    }
                    End::Unread => return Ok(()),
                    // At once, and once only: it is no cut.
                    End::Named => {
                        self.seen.named = true;
                        self.address.set("format", ["json"]);
                        continue;
                    }
                    End::Foreign(cause) => return Err(self.failure(cause)),
                    End::Cut(cause) => cause,
                },
                Err(refusal) if refusal.later && (self.seen.connected || self.retry) => {
                    let cause = refusal.failure.message;
                    if !std::mem::replace(&mut self.seen.told, true) {
                        self.say(true, format!("{cause}; trying again")).await;
                    }
                    cause
                }
                Err(refusal) => return Err(refusal.failure),
            };
            if self.seen.greeted && (self.seen.lines || began.elapsed() > GOOD) {
                backoff = BACKOFF.0;
            }
            if self.seen.greeted && backoff > BACKOFF.1 / 4 && !std::mem::replace(&mut self.seen.told, true) {
                self.say(true, format!("'{}' ends again and again: {cause}", self.address.shown())).await;
            }
            sleep(backoff.mul_f64(0.5 + fastrand::f64() / 2.0)).await;
            backoff = (backoff * 2).min(BACKOFF.1);
        }
    }

    pub(super) fn failure(&self, cause: impl std::fmt::Display) -> Failure {
        Failure::refused(format!("cannot tail '{}': {cause}", self.address.shown()))
    }

    async fn say(&self, wrong: bool, text: String) {
        let say = Some((wrong, text));
        // A printer that is gone needs no words.
        let _ = self.out.send(Item { number: self.number, say, ..Item::default() }).await;
    }

    /// Asks for the stream; `None` if there is no more of it.
    async fn connect(&mut self) -> Result<Option<Incoming>, Refusal> {
        (self.seen.greeted, self.seen.lines) = (false, false);
        if let Some(engine) = &self.engine {
            engine.ready().await.map_err(|cause| Refusal { failure: self.failure(cause), later: false })?;
        }
        let mut headers = vec![("accept", "text/event-stream"), ("user-agent", "logcast-tail")];
        let id = self.kept.text();
        if let Some(id) = &id {
            headers.push(("last-event-id", id));
        }
        let later = |failure| Refusal { failure, later: true };
        let mut response = http::get(&self.address, &headers).await.map_err(|NoAnswer { cause, help }| {
            let failure = self.failure(cause);
            later(match help {
                Some(help) => failure.help(help),
                None if self.retry || self.seen.connected => failure,
                None => failure.help("is logcast serve running there? With --retry it is waited for"),
            })
        })?;
        let kind = response.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.unwrap_or("something else").split(';').next().unwrap_or_default().to_owned();
        match response.status() {
            StatusCode::NO_CONTENT => Ok(None),
            StatusCode::OK if kind == "text/event-stream" => Ok(Some(response.into_body())),
            StatusCode::OK => {
                let failure = self.failure(format!("the answer is {}, not an event stream", plain(&kind)));
                Err(later(failure.help("give the URL that logcast serve printed")))
            }
            _ => Err(self.refusal(&mut response).await),
        }
    }

    async fn read(&mut self, mut body: Incoming) -> End {
        let mut reader = Reader::default();
        loop {
            let bytes = match timeout(SILENCE, http::next(&mut body)).await {
                Err(_) => return End::Cut("it is silent".to_owned()),
                Ok(Err(error)) => return End::Cut(error.cause),
                // A server that stops ends its streams too: what counts is that it told of the end.
                Ok(Ok(None)) => {
                    return match &self.seen.open {
                        Some(open) if open.is_empty() => End::All,
                        _ => End::Cut("the server ended the stream".to_owned()),
                    };
                }
                Ok(Ok(Some(bytes))) => bytes,
            };
            let (mut items, mut taken) = (Vec::new(), Taken::Well);
            let fed = reader.feed(&bytes, |block| {
                if matches!(taken, Taken::Well) {
                    taken = self.take(block, &mut items);
                }
            });
            self.close(&mut items);
            for item in items {
                if self.out.send(item).await.is_err() {
                    return End::Unread;
                }
            }
            match (fed, taken) {
                (Err(cause), _) => return End::Foreign(cause),
                (Ok(()), Taken::Foreign) => return End::Foreign("this event stream is not logcast's"),
                (Ok(()), Taken::Nameless) => return End::Named,
                (Ok(()), Taken::Well) => {}
            }
            if self.seen.greeted && std::mem::take(&mut self.seen.told) {
                self.say(false, format!("connected to '{}' again", self.address.shown())).await;
            }
        }
    }

    /// Makes items of a block.
    fn take(&mut self, block: Block<'_>, items: &mut Vec<Item>) -> Taken {
        let Some(data) = block.data else { return Taken::Well };
        if !self.seen.greeted && block.name != b"hello" {
            return Taken::Foreign;
        }
        let id = match block.id {
            None => None,
            Some(id) if is_id(id) => Some(String::from_utf8_lossy(id)),
            Some(_) => return Taken::Foreign,
        };
        if block.name.is_empty() {
            if !self.seen.named && self.wants_names(id.as_deref()) {
                return Taken::Nameless;
            }
            self.seen.lines = true;
            // Lines gather in one item, whose cursor is the last one's.
            if items.last().is_none_or(|item| item.say.is_some()) {
                self.close(items);
                items.push(Item { number: self.number, ..Item::default() });
            }
            if let Some(item) = items.last_mut()
                && !self.show(data, &mut item.lines)
            {
                return Taken::Foreign;
            }
        } else {
            self.close(items);
            let name = String::from_utf8_lossy(block.name);
            let known = self.hear(&name, data);
            let say = notice::words(&name, data)
                .filter(|(wrong, _)| !known && (*wrong || self.follow || name != "ended"));
            items.push(Item { number: self.number, say, ..Item::default() });
        }
        if let Some(id) = id {
            self.kept.take(&id);
        }
        Taken::Well
    }

    /// Gives the last item its place: all before it, and it, was taken.
    fn close(&self, items: &mut [Item]) {
        if let Some(item) = items.last_mut()
            && item.id.is_none()
        {
            item.id = self.kept.text();
        }
    }

    /// Whether lines want the name of their file in front.
    fn wants_names(&self, id: Option<&str>) -> bool {
        match self.names {
            _ if self.show.is_json() => false,
            Names::Never => false,
            Names::Always => true,
            // Files that joined since are in the id; a rotated one is in it twice.
            Names::Auto => {
                let merged = self.engine.as_ref().is_some_and(|engine| engine.merged);
                merged || self.seen.several || id.is_some_and(names_several)
            }
        }
    }

    /// Prints a line; false if it is none.
    fn show(&mut self, data: &[u8], out: &mut Vec<u8>) -> bool {
        if !self.seen.named {
            self.show.line(data, out);
            return true;
        }
        let Ok(Line { file, text, origin, cut }) = serde_json::from_slice(data) else { return false };
        let file = origin.unwrap_or(file);
        match cut {
            None => self.show.file_line(&file, &text, out),
            Some(bytes) => self.show.file_line(&file, &format!("{text}{}", cut_mark(bytes)), out),
        }
        true
    }

    /// What a notice means for the stream itself; true if a person need not know.
    fn hear(&mut self, name: &str, data: &[u8]) -> bool {
        let data: Value = serde_json::from_slice(data).unwrap_or_default();
        match name {
            "hello" => {
                (self.seen.greeted, self.seen.connected) = (true, true);
                let files = data["files"].as_array().filter(|files| !files.is_empty());
                let open = |file: &&Value| file["state"] != "ended";
                let name = |file: &Value| file["name"].as_str().map(str::to_owned);
                self.seen.open = files.map(|files| files.iter().filter(open).filter_map(name).collect());
                self.seen.several = files.is_some_and(|files| files.len() > 1);
                // Those of an engine are the hosts' own, known as they come.
                if self.engine.is_none() {
                    self.show.learn(files.into_iter().flatten().filter_map(|file| file["name"].as_str()));
                }
                // A span back from now, or a clock time, is meant from the start on, not from each connection.
                for time in ["since", "until"] {
                    if let Some(text) = data[time].as_str() {
                        self.address.set(time, [text]);
                    }
                }
            }
            "ended" => {
                if let (Some(open), Some(file)) = (&mut self.seen.open, data["file"].as_str()) {
                    open.remove(file);
                }
            }
            // Each file's own id has come before it: together they resume the stream.
            "gap" if data["reason"] == MANY_FILES => {
                self.kept.told_all();
                return true;
            }
            _ => {}
        }
        false
    }
}

/// Whether an id names more than one file.
fn names_several(id: &str) -> bool {
    let cursor = id.contains('.').then(|| Cursor::parse(id.as_bytes())).flatten();
    cursor.is_some_and(|cursor| cursor.entries.iter().any(|entry| entry.key != cursor.entries[0].key))
}

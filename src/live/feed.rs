//! The feed: what the follower has said, and the views that clients share.
//!
//! There is one canonical order, that of the follower's calls to [`Hub::publish`]. A *view* is what all clients
//! that asked for the same share: its ring holds the newest records, each encoded once, each with the step of
//! the vector that it takes. The ring is a bounded cache, never the truth: a client that is not in it reads the
//! files itself and joins again where its vector meets a record's edge ([`client`](super::client)).
//!
//! Nothing is encoded under a lock, and the watch channel says only "moved".

use super::live_view::Pending;
use super::vector::{Delta, Vector};
use crate::log::encode::{Block, Encoder, Format, json_string, notice};
use crate::log::logfile::Ident;
use crate::log::segment::{Place, Segment};
use bytes::Bytes;
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The most bytes that one view's ring holds: a client that lags more than some chunks reads on its own.
const RING_BYTES: usize = 4 << 20;
/// The most bytes of all rings together.
const ALL_RINGS_BYTES: usize = 64 << 20;
/// The most records of a ring: at one line a record they cost more than their bytes.
const RING_RECORDS: usize = 4096;
/// How many past generations of a source are remembered: none is told twice when its file comes back, and a
/// cursor in one of them finds those that followed.
const MAX_PAST: usize = 64;

/// What is known of a source's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is read as it grows.
    Following,
    /// It is not there.
    Waiting,
    /// It may not be read, or not be shown.
    Refused,
    /// There will be no more.
    Ended,
}

impl State {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            State::Following => "following",
            State::Waiting => "waiting",
            State::Refused => "refused",
            State::Ended => "ended",
        }
    }
}

/// A source as clients see it.
#[derive(Debug)]
pub struct Source {
    /// Its number in the hub.
    pub id: usize,
    /// Its name in URLs and on the page.
    pub name: String,
    /// Its key in cursors.
    pub key: u32,
    /// Its path; a pipe has none.
    pub path: Option<PathBuf>,
    status: Mutex<Status>,
    past: Mutex<VecDeque<Life>>,
}

/// A generation that the follower has read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// The number of its segment.
    pub serial: u64,
    /// The file that it was read from last.
    pub ident: Ident,
    /// Its name.
    pub generation: u64,
    /// How far it was read.
    pub end: Place,
}

/// What [`Source::status`] tells.
#[derive(Debug, Clone)]
pub struct Status {
    /// Whether there is a file.
    pub state: State,
    /// The newest generation, and how far it was read.
    pub current: Option<(Arc<Segment>, Place)>,
}

impl Source {
    /// What is known now.
    pub fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    /// The last generations that were read to their ends, older first.
    pub fn past(&self) -> Vec<Life> {
        lock(&self.past).iter().copied().collect()
    }

    /// Remembers a generation that was read to its end.
    pub fn remember(&self, life: Life) {
        let mut past = lock(&self.past);
        if past.len() == MAX_PAST {
            past.pop_front();
        }
        past.push_back(life);
    }

    /// Says what is known now.
    pub fn set_state(&self, state: State) {
        lock(&self.status).state = state;
    }
}

/// What a client asks to see.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ViewKey {
    /// The sources by number, in order; `None` means all, those that join later too.
    pub sources: Option<Vec<usize>>,
    /// How it looks on the wire.
    pub format: Format,
}

impl ViewKey {
    /// Whether a source belongs to it.
    pub fn wants(&self, source: usize) -> bool {
        self.sources.as_ref().is_none_or(|sources| sources.contains(&source))
    }
}

/// One record of a view: the step that it takes and the bytes that say so (perhaps none).
#[derive(Debug, Clone)]
pub struct Record {
    /// How it moves the vector.
    pub delta: Delta,
    /// The encoded lines or notice.
    pub bytes: Bytes,
    /// When it came.
    pub at: Instant,
}

/// What is shared by the clients that asked for the same.
#[derive(Debug)]
pub struct View {
    /// What they asked for.
    pub key: ViewKey,
    ring: Mutex<Ring>,
    pending: Mutex<Pending>,
    moved: watch::Sender<()>,
    clients: AtomicUsize,
    idle_since: Mutex<Instant>,
}

#[derive(Debug)]
struct Ring {
    /// Where the view stands behind its last record.
    vector: Vector,
    /// The number of the first record in the ring.
    base: u64,
    records: VecDeque<Record>,
    bytes: usize,
}

impl Ring {
    fn drop_first(&mut self) {
        if let Some(record) = self.records.pop_front() {
            self.bytes -= record.bytes.len();
            self.base += 1;
        }
    }
}

/// What a ring has at a number.
#[derive(Debug)]
pub enum Shared {
    /// The record.
    Record(Record),
    /// It is not there yet.
    NotYet,
    /// It was there.
    Past,
}

impl View {
    fn new(key: ViewKey, vector: Vector) -> View {
        View {
            key,
            ring: Mutex::new(Ring { vector, base: 0, records: VecDeque::new(), bytes: 0 }),
            pending: Mutex::default(),
            moved: watch::Sender::new(()),
            clients: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
        }
    }

    /// Where it stands, and the number of the record that will come next.
    pub fn tip(&self) -> (Vector, u64) {
        let ring = lock(&self.ring);
        (ring.vector.clone(), ring.base + ring.records.len() as u64)
    }

    /// The record with this number.
    pub fn record(&self, number: u64) -> Shared {
        let ring = lock(&self.ring);
        match number.checked_sub(ring.base) {
            None => Shared::Past,
            Some(at) => ring.records.get(at as usize).cloned().map_or(Shared::NotYet, Shared::Record),
        }
    }

    /// A receiver that changes whenever a record came.
    pub fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    fn push(&self, record: Record, limit: usize) {
        let mut ring = lock(&self.ring);
        ring.vector.apply(&record.delta);
        ring.bytes += record.bytes.len();
        ring.records.push_back(record);
        while ring.records.len() > 1 && (ring.bytes > limit || ring.records.len() > RING_RECORDS) {
            ring.drop_first();
        }
    }

    /// Gives up the records that are older than `age`: they may hold files open.
    fn expire(&self, age: Duration) {
        let mut ring = lock(&self.ring);
        while ring.records.front().is_some_and(|record| record.at.elapsed() > age) {
            ring.drop_first();
        }
    }

    fn encode(&self, delta: &Delta, content: &Content<'_>) -> Bytes {
        let mut out = Vec::new();
        match content {
            Content::Nothing => {}
            Content::Lines(source, block) => {
                if let Delta::Advance(segment, _) = delta {
                    let stamp = lock(&self.ring).vector.stamp(segment);
                    Encoder::new(self.key.format, &source.name).encode(&stamp, *block, &mut out);
                }
            }
            Content::Notice { name, body } => {
                let mut vector = lock(&self.ring).vector.clone();
                vector.apply(delta);
                notice(self.key.format, name, Some(&vector.id()), body, &mut out);
            }
        }
        // The buffer was grown by doubling; the ring may keep it for long.
        if out.capacity() > out.len() + out.len() / 4 {
            out.shrink_to_fit();
        }
        Bytes::from(out)
    }
}

/// What a record says.
#[derive(Debug)]
pub enum Content<'a> {
    /// Nothing: the vector moves silently.
    Nothing,
    /// Lines of a source.
    Lines(&'a Source, Block<'a>),
    /// A notice.
    Notice {
        /// Its name.
        name: &'a str,
        /// The members of its data.
        body: String,
    },
}

/// Everything that is followed and everything that is seen of it.
#[derive(Debug, Default)]
pub struct Hub {
    sources: RwLock<Vec<Arc<Source>>>,
    canon: Mutex<Canon>,
    clients: AtomicUsize,
}

#[derive(Debug, Default)]
struct Canon {
    vector: Vector,
    views: Vec<Arc<View>>,
}

impl Hub {
    /// All sources, by number.
    pub fn sources(&self) -> Vec<Arc<Source>> {
        self.sources.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The source with this name.
    pub fn source_named(&self, name: &str) -> Option<Arc<Source>> {
        self.sources
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .find(|source| source.name == name)
            .cloned()
    }

    /// Adds a source; its name is made distinct. It has no file yet.
    pub fn join(&self, name: String, path: Option<PathBuf>) -> Arc<Source> {
        let mut sources = self.sources.write().unwrap_or_else(PoisonError::into_inner);
        let name =
            crate::log::source::distinct(name, |name| sources.iter().any(|source| source.name == name));
        let mut seed = name.clone().into_bytes();
        let mut key = crate::log::cursor::source_key(&seed);
        while sources.iter().any(|source| source.key == key) {
            seed.push(0);
            key = crate::log::cursor::source_key(&seed);
        }
        let status = Mutex::new(Status { state: State::Waiting, current: None });
        let past = Mutex::default();
        let source = Arc::new(Source { id: sources.len(), name, key, path, status, past });
        sources.push(source.clone());
        drop(sources);
        self.publish(&source, Delta::Join { source: source.id, key }, Content::Nothing);
        source
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// The view of a key, made if there is none, with a client's place in it.
    pub fn enter(self: &Arc<Hub>, key: ViewKey) -> Seat {
        let mut canon = lock(&self.canon);
        let view = match canon.views.iter().find(|view| view.key == key) {
            Some(view) => view.clone(),
            None => {
                let vector = canon.vector.only(|source| key.wants(source));
                let view = Arc::new(View::new(key, vector));
                canon.views.push(view.clone());
                view
            }
        };
        view.clients.fetch_add(1, Ordering::Relaxed);
        self.clients.fetch_add(1, Ordering::Relaxed);
        Seat { view, hub: self.clone() }
    }

    /// Says what came, to all views, as the next record of the canonical order. Only the follower calls this.
    pub fn publish(&self, source: &Source, delta: Delta, content: Content<'_>) {
        match &delta {
            Delta::Begin(segment) => {
                let mut status = lock(&source.status);
                status.state = State::Following;
                status.current = Some((segment.clone(), segment.first()));
            }
            Delta::Advance(segment, to) => {
                let mut status = lock(&source.status);
                if let Some((current, place)) = &mut status.current
                    && Arc::ptr_eq(current, segment)
                {
                    *place = *to;
                }
            }
            _ => {}
        }
        let mut encoded: Vec<Option<Bytes>> = Vec::new();
        loop {
            // A view that is made while others are encoded began before this record: it needs it too.
            let canon = lock(&self.canon);
            if canon.views.len() == encoded.len() {
                return self.push_all(canon, &delta, encoded);
            }
            let new: Vec<_> = canon.views[encoded.len()..].to_vec();
            drop(canon);
            for view in new {
                let wanted = view.key.wants(source.id);
                if wanted && view.key.format == Format::Live {
                    self.publish_live(&view, source, &delta, &content);
                }
                let shared = wanted && view.key.format != Format::Live;
                encoded.push(shared.then(|| view.encode(&delta, &content)));
            }
        }
    }

    fn push_all(&self, mut canon: MutexGuard<'_, Canon>, delta: &Delta, encoded: Vec<Option<Bytes>>) {
        canon.vector.apply(delta);
        let limit = RING_BYTES.min(ALL_RINGS_BYTES / canon.views.len().max(1));
        for (view, bytes) in canon.views.iter().zip(encoded) {
            let Some(bytes) = bytes else { continue };
            view.push(Record { delta: delta.clone(), bytes, at: Instant::now() }, limit);
            view.moved.send_replace(());
        }
    }

    /// The page's transport gathers lines and lets go of them in batches; everything else goes at once.
    fn publish_live(&self, view: &View, source: &Source, delta: &Delta, content: &Content<'_>) {
        let mut pending = lock(&view.pending);
        let mut batches = Vec::new();
        if let (Delta::Advance(segment, to), Content::Lines(_, block)) = (delta, content) {
            pending.add(segment, &source.name, *block, *to, &mut batches);
        } else {
            pending.take(&mut batches);
        }
        self.push_batches(view, batches);
        if !matches!(content, Content::Lines(..)) {
            let bytes = view.encode(delta, content);
            let record = Record { delta: delta.clone(), bytes, at: Instant::now() };
            view.push(record, RING_BYTES);
            view.moved.send_replace(());
        }
    }

    fn push_batches(&self, view: &View, batches: Vec<super::live_view::Batch>) {
        for batch in batches {
            let stamp = lock(&view.ring).vector.stamp(&batch.segment);
            let delta = Delta::Advance(batch.segment.clone(), batch.to);
            let bytes = Bytes::from(batch.encode(&stamp));
            view.push(Record { delta, bytes, at: Instant::now() }, RING_BYTES);
            view.moved.send_replace(());
        }
    }

    /// Lets go of the batches that are due, and says when the next one will be.
    pub fn flush(&self, now: Instant) -> Option<Instant> {
        let views: Vec<_> =
            lock(&self.canon).views.iter().filter(|v| v.key.format == Format::Live).cloned().collect();
        let mut next: Option<Instant> = None;
        for view in views {
            let mut pending = lock(&view.pending);
            match pending.due(now) {
                Some(at) if at <= now => {
                    let mut batches = Vec::new();
                    pending.take(&mut batches);
                    self.push_batches(&view, batches);
                }
                Some(at) => next = Some(next.map_or(at, |next| next.min(at))),
                None => {}
            }
        }
        next
    }

    /// The page's heartbeat: what is known of the files, to the views of the page.
    pub fn tick(&self) {
        let views: Vec<_> =
            lock(&self.canon).views.iter().filter(|v| v.key.format == Format::Live).cloned().collect();
        for view in views {
            if view.clients.load(Ordering::Relaxed) == 0 {
                continue;
            }
            let body = format!(r#""now":"{}","files":{}"#, now(), self.files_json(&view.key));
            let mut out = Vec::new();
            notice(Format::Live, "tick", None, &body, &mut out);
            view.push(Record { delta: Delta::Same, bytes: Bytes::from(out), at: Instant::now() }, RING_BYTES);
            view.moved.send_replace(());
        }
    }

    /// Forgets the records older than `after`, and the views that nobody has looked at for `after`; a client that comes back sooner finds its ring.
    pub fn forget_views(&self, after: Duration) {
        lock(&self.canon).views.retain(|view| {
            view.expire(after);
            view.clients.load(Ordering::Relaxed) > 0 || lock(&view.idle_since).elapsed() < after
        });
    }

    /// Whether anybody looks.
    pub fn has_views(&self) -> bool {
        !lock(&self.canon).views.is_empty()
    }

    /// The files of a view as the API tells them, a JSON array.
    pub fn files_json(&self, key: &ViewKey) -> String {
        let sources = self.sources();
        let files = sources.iter().filter(|source| key.wants(source.id)).map(|source| source.json());
        format!("[{}]", files.collect::<Vec<_>>().join(","))
    }
}

impl Source {
    fn json(&self) -> String {
        let status = self.status();
        let (generation, from, tip, size) = match &status.current {
            None => ("null".to_owned(), 0, 0, 0),
            Some((segment, place)) => {
                let generation = match segment.generation() {
                    crate::log::cursor::NO_GENERATION => "null".to_owned(),
                    known => format!("\"{}\"", crate::log::cursor::generation_text(known)),
                };
                let size = segment.end().or_else(|| segment.file().size().ok()).unwrap_or(place.offset);
                (generation, segment.begin(), place.offset, size.max(place.offset))
            }
        };
        let (name, state) = (json_string(&self.name), status.state.word());
        format!(
            r#"{{"name":{name},"state":"{state}","generation":{generation},"from":{from},"tip":{tip},"size":{size}}}"#
        )
    }
}

/// A client's place in a view; dropping it gives it back.
#[derive(Debug)]
pub struct Seat {
    /// The view.
    pub view: Arc<View>,
    /// The hub.
    pub hub: Arc<Hub>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        *lock(&self.view.idle_since) = Instant::now();
        self.view.clients.fetch_sub(1, Ordering::Relaxed);
        self.hub.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The members of a notice about a file.
pub fn notice_body(file: &str, more: &str) -> String {
    format!(r#""file":{},"at":"{}"{more}"#, json_string(file), now())
}

/// The time now, RFC 3339 with milliseconds.
pub fn now() -> String {
    let now = jiff::Timestamp::now();
    format!("{now:.3}")
}

/// A lock whose holder panicked still guards whole values: every change here is a single assignment or push.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

//! The feed: what the follower has said, and the views that clients share.
//!
//! There is one canonical order, that of the follower's calls to [`Hub::publish`]. Each call is a record of every
//! [`View`] that wants it. A client that is not in a view's ring reads the files itself and joins again where its
//! vector meets a record's edge ([`client`](super::client)).
//!
//! Nothing is encoded under a lock, and the watch channel says only "moved".

use super::counts::{OfClients, OfSearches};
use super::indexed::{Indexed, Worker};
use super::notices::now;
use super::pool;
use super::source::{Source, State};
use super::vector::{Delta, Vector};
use super::view::{Content, MOST_VIEWS, Record, View, ViewKey};
use crate::log::encode::{Format, notice};
use crate::log::record::{self, Reader};
use crate::log::segment::{Place, Segment};
use bytes::Bytes;
use jiff::tz::TimeZone;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

/// The most bytes that one view's ring holds: a client that lags more than some chunks reads on its own. Twice as much
/// costs a fifth more for each line, since the chunks leave the processor's cache before they are sent.
const RING_BYTES: usize = 2 << 20;
/// What each client adds to that, and the most: many drift further apart.
const RING_BYTES_PER_CLIENT: usize = 2 << 10;
const MAX_RING_BYTES: usize = 8 << 20;
/// The most bytes of all rings together.
const ALL_RINGS_BYTES: usize = 64 << 20;

/// How many records a view's clients may be behind before the follower waits for them: a quarter of a ring of
/// full chunks.
const PACE_RECORDS: usize = 3;
/// How long it waits for each of them after a block of 256 KiB, at least and at most in all, and between two looks. A
/// client on this machine takes as much in less.
const PACE_PER_CLIENT: Duration = Duration::from_micros(200);
const PACE_MIN: Duration = Duration::from_millis(2);
const PACE_MAX: Duration = Duration::from_millis(100);
const PACE_WAIT: Duration = Duration::from_micros(50);

/// How what is followed is shown.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Whether rotated siblings count as the beginning of a log.
    pub history: bool,
    /// The zone of times that do not name one.
    pub zone: TimeZone,
    /// What is replaced in lines before anybody sees them.
    pub redact: crate::log::redact::Redact,
}

impl Default for Shown {
    fn default() -> Shown {
        Shown { history: true, zone: TimeZone::UTC, redact: None }
    }
}

/// Everything that is followed and everything that is seen of it.
#[derive(Debug, Default)]
pub struct Hub {
    shown: Shown,
    /// What is counted of clients.
    pub served: OfClients,
    /// What is counted of searches.
    pub searches: OfSearches,
    sources: RwLock<Vec<Arc<Source>>>,
    canon: Mutex<Canon>,
    clients: AtomicUsize,
    blocks: AtomicUsize,
    /// The same when that was looked at last.
    blocks_before: AtomicUsize,
    indexer: Worker,
}

#[derive(Debug, Default)]
struct Canon {
    vector: Vector,
    /// The sources of which nothing more comes.
    ended: Vec<usize>,
    views: Vec<Arc<View>>,
}

impl Hub {
    /// A hub without sources.
    pub fn new(shown: Shown) -> Hub {
        Hub { shown, ..Hub::default() }
    }

    /// Whether rotated siblings count as the beginning of a log.
    pub fn shows_history(&self) -> bool {
        self.shown.history
    }

    /// The zone of times that do not name one.
    pub fn zone(&self) -> &TimeZone {
        &self.shown.zone
    }

    /// A reader of lines as they are written now.
    pub fn reader(&self) -> Reader {
        Reader::new(&record::Options { now: jiff::Timestamp::now(), zone: self.shown.zone.clone() })
    }

    /// Where the follower stands in a source's open lives, older first.
    pub fn stands(&self, source: usize) -> Vec<(Arc<Segment>, Place)> {
        lock(&self.canon).vector.of(source).cloned().collect()
    }

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
        let indexed = Indexed::new(self.indexer.clone());
        let source = Arc::new(Source::new(sources.len(), name, key, path, indexed, &self.shown.redact));
        sources.push(source.clone());
        drop(sources);
        self.publish(&source, Delta::Join { source: source.id, key }, Content::Nothing);
        source
    }

    /// Who is woken when somebody wishes that a source is indexed.
    pub(super) fn indexer(&self) -> &Worker {
        &self.indexer
    }

    /// How many clients there are.
    pub fn clients(&self) -> usize {
        self.clients.load(Ordering::Relaxed)
    }

    /// How many of them read for themselves, since they are not at the tip.
    pub fn behind(&self) -> usize {
        lock(&self.canon).views.iter().map(|view| view.behind()).sum()
    }

    /// Counts a block that a client took.
    pub(super) fn count_block(&self, bytes: usize) {
        self.blocks.fetch_add(1, Ordering::Relaxed);
        self.served.bytes.add(bytes as u64);
    }

    /// How many blocks clients have taken: if it stands still, those that are left are stalled.
    pub fn blocks(&self) -> usize {
        self.blocks.load(Ordering::Relaxed)
    }

    /// The view of a key, made if there is none and not too many others, with a client's place in it.
    pub fn enter(self: &Arc<Hub>, key: ViewKey) -> Option<Seat> {
        let mut canon = lock(&self.canon);
        let view = match canon.views.iter().find(|view| view.key == key) {
            Some(view) => view.clone(),
            None if canon.views.len() >= MOST_VIEWS => return None,
            None => {
                let vector = canon.vector.only(|source| key.wants(source));
                let ended = canon.ended.iter().copied().filter(|&source| key.wants(source)).collect();
                let view = Arc::new(View::new(key, vector, ended));
                canon.views.push(view.clone());
                view
            }
        };
        view.clients.fetch_add(1, Ordering::Relaxed);
        self.clients.fetch_add(1, Ordering::Relaxed);
        Some(Seat { view, hub: self.clone(), shares: false })
    }

    /// Says what came, to all views, as the next record of the canonical order. Only the follower calls this.
    pub fn publish(&self, source: &Source, delta: Delta, content: Content<'_>) {
        match &delta {
            Delta::Begin(segment) => {
                let mut status = lock(&source.status);
                status.state = State::Following;
                status.current = Some((segment.clone(), segment.first()));
                drop(status);
                source.indexed.forget();
            }
            Delta::Advance(segment, to) => {
                // Before the tip moves: who knows the number of lines does not lose it for a moment.
                if let Content::Lines(_, block, raw) = &content
                    && !raw.is_empty()
                {
                    source.indexed.grow(segment, block.from, raw);
                }
                let mut status = lock(&source.status);
                if let Some((current, place)) = &mut status.current
                    && Arc::ptr_eq(current, segment)
                {
                    *place = *to;
                }
            }
            _ => {}
        }
        source.count(&content);
        let mut encoded: Vec<Option<Record>> = Vec::new();
        loop {
            // A view that is made while others are encoded began before this record: it needs it too.
            let canon = lock(&self.canon);
            if canon.views.len() == encoded.len() {
                self.push_all(canon, &delta, encoded);
                return source.told.say(&content);
            }
            let new: Vec<_> = canon.views[encoded.len()..].to_vec();
            drop(canon);
            for view in new {
                let wanted = view.key.wants(source.id);
                if wanted && view.key.format == Format::Live {
                    self.publish_live(&view, source, &delta, &content);
                }
                let shared = wanted && view.key.format != Format::Live;
                // Lines that nobody shares, or that need more than a look, are in the file for those who read them there.
                let lines = matches!(content, Content::Lines(..));
                let unsaid = lines && (view.sharing() == 0 || !view.key.is_plain());
                encoded.push(shared.then(|| match unsaid {
                    true => Record::unsaid(delta.clone()),
                    false => Record::new(delta.clone(), view.encode(&delta, &content), content.is_gap()),
                }));
            }
        }
    }

    fn push_all(&self, mut canon: MutexGuard<'_, Canon>, delta: &Delta, encoded: Vec<Option<Record>>) {
        canon.vector.apply(delta);
        if let Delta::End(source) = delta {
            canon.ended.push(*source);
        }
        let all = ALL_RINGS_BYTES / canon.views.len().max(1);
        for (view, record) in canon.views.iter().zip(encoded) {
            if let Some(record) = record {
                let own = RING_BYTES + RING_BYTES_PER_CLIENT * view.sharing();
                view.push(record, own.min(MAX_RING_BYTES).min(all));
            }
        }
    }

    /// The page's transport gathers lines and lets go of them in batches; everything else goes at once.
    fn publish_live(&self, view: &View, source: &Source, delta: &Delta, content: &Content<'_>) {
        let mut pending = lock(&view.pending);
        let mut batches = Vec::new();
        if let (Delta::Advance(segment, to), Content::Lines(_, block, _)) = (delta, content) {
            pending.add(segment, &source.name, *block, *to, &mut batches);
        } else {
            pending.take(&mut batches);
        }
        self.push_batches(view, batches);
        if !matches!(content, Content::Lines(..)) {
            let bytes = view.encode(delta, content);
            view.push(Record::new(delta.clone(), bytes, content.is_gap()), RING_BYTES);
        }
    }

    fn push_batches(&self, view: &View, batches: Vec<super::live_view::Batch>) {
        for batch in batches {
            let stamp = view.stamp(&batch.segment);
            let delta = Delta::Advance(batch.segment.clone(), batch.to);
            let bytes = Bytes::from(batch.encode(&stamp));
            view.push(Record::new(delta, bytes, false), RING_BYTES);
        }
    }

    /// Lets the clients come after when lines flood: waits until those that share a view are near its tip, which saves
    /// them from reading on their own what the ring has already. The time is bounded by what as many clients take
    /// together; one that is slower soon falls out of the ring, and is not waited for any more.
    pub fn pace(&self) {
        let began = Instant::now();
        loop {
            let (mut clients, mut behind) = (0, false);
            for view in lock(&self.canon).views.iter() {
                let sharing = view.sharing();
                clients += sharing;
                behind |= sharing > 0 && view.taken(PACE_RECORDS) < sharing;
            }
            if !behind || began.elapsed() > (PACE_PER_CLIENT * clients as u32).clamp(PACE_MIN, PACE_MAX) {
                return;
            }
            std::thread::sleep(PACE_WAIT);
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
            let body = format!(r#""at":"{}","files":{}"#, now(), self.files_json(&view.key));
            let mut out = Vec::new();
            notice(Format::Live, "tick", None, &body, &mut out);
            view.push(Record::new(Delta::Same, Bytes::from(out), false), RING_BYTES);
        }
    }

    /// Forgets the records older than `after`, and the views that nobody has looked at for `after`; a client that comes back sooner finds its ring.
    pub fn forget_views(&self, after: Duration) {
        if self.blocks() == self.blocks_before.swap(self.blocks(), Ordering::Relaxed) {
            pool::clear();
        }
        for source in self.sources() {
            source.siblings.expire();
            source.earlier.expire();
        }
        lock(&self.canon).views.retain(|view| {
            view.expire(after);
            view.clients.load(Ordering::Relaxed) > 0 || lock(&view.idle_since).elapsed() < after
        });
    }

    /// The files of a view as the API tells them, a JSON array. The page wants the lines of what it shows numbered.
    pub fn files_json(&self, key: &ViewKey) -> String {
        let sources = self.sources();
        let files = sources.iter().filter(|source| key.wants(source.id)).map(|source| {
            if key.format == Format::Live {
                source.want_lines();
            }
            source.json("")
        });
        format!("[{}]", files.collect::<Vec<_>>().join(","))
    }
}

/// A client's place in a view; dropping it gives it back.
#[derive(Debug)]
pub struct Seat {
    /// The view.
    pub view: Arc<View>,
    /// The hub.
    pub hub: Arc<Hub>,
    shares: bool,
}

impl Seat {
    /// Says whether the client shares the view's records, or is about to.
    pub(super) fn share(&mut self, shares: bool) {
        match (std::mem::replace(&mut self.shares, shares), shares) {
            (false, true) => _ = self.view.sharing.fetch_add(1, Ordering::AcqRel),
            (true, false) => _ = self.view.sharing.fetch_sub(1, Ordering::AcqRel),
            _ => {}
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.share(false);
        *lock(&self.view.idle_since) = Instant::now();
        self.view.clients.fetch_sub(1, Ordering::Relaxed);
        self.hub.clients.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A lock whose holder panicked still guards whole values: every change here is a single assignment or push.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

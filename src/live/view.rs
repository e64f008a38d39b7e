//! A view: what all clients that asked for the same share.
//!
//! Its ring holds the newest records, each encoded once, each with the step of the vector that it takes. The ring
//! is a bounded cache, never the truth.

use super::feed::lock;
use super::live_view::Pending;
use super::source::Source;
use super::vector::{Delta, Vector};
use crate::log::encode::{Block, Encoder, Format, Stamp, notice};
use crate::log::segment::Segment;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The most records of a ring: at one line a record they cost more than their bytes.
const RING_RECORDS: usize = 4096;

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
    /// Whether it says that something is missing.
    pub is_gap: bool,
}

impl Record {
    /// A record that comes now.
    pub(super) fn new(delta: Delta, bytes: Bytes, is_gap: bool) -> Record {
        Record { delta, bytes, at: Instant::now(), is_gap }
    }
}

/// What is shared by the clients that asked for the same.
#[derive(Debug)]
pub struct View {
    /// What they asked for.
    pub key: ViewKey,
    ring: Mutex<Ring>,
    pub(super) pending: Mutex<Pending>,
    moved: watch::Sender<()>,
    pub(super) clients: AtomicUsize,
    pub(super) idle_since: Mutex<Instant>,
}

#[derive(Debug)]
struct Ring {
    /// Where the view stands behind its last record.
    vector: Vector,
    /// The number of the first record in the ring.
    base: u64,
    records: VecDeque<Record>,
    bytes: usize,
    /// The sources of which nothing more comes.
    ended: Vec<usize>,
}

impl Ring {
    /// Whether nothing more comes of any source.
    fn has_ended(&self) -> bool {
        !self.ended.is_empty() && self.vector.sources().all(|source| self.ended.contains(&source))
    }

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
    /// It never will be: all sources have ended.
    Never,
    /// It was there.
    Past,
}

impl View {
    /// A view that stands at a vector, without records.
    pub(super) fn new(key: ViewKey, vector: Vector, ended: Vec<usize>) -> View {
        View {
            key,
            ring: Mutex::new(Ring { vector, base: 0, records: VecDeque::new(), bytes: 0, ended }),
            pending: Mutex::default(),
            moved: watch::Sender::new(()),
            clients: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
        }
    }

    /// Where it stands, the number of the record that will come next, and whether none ever will.
    pub fn tip(&self) -> (Vector, u64, bool) {
        let ring = lock(&self.ring);
        (ring.vector.clone(), ring.base + ring.records.len() as u64, ring.has_ended())
    }

    /// The record with this number.
    pub fn record(&self, number: u64) -> Shared {
        let ring = lock(&self.ring);
        match number.checked_sub(ring.base) {
            None => Shared::Past,
            Some(at) => match ring.records.get(at as usize) {
                Some(record) => Shared::Record(record.clone()),
                None if ring.has_ended() => Shared::Never,
                None => Shared::NotYet,
            },
        }
    }

    /// A receiver that changes whenever a record came.
    pub fn moved(&self) -> watch::Receiver<()> {
        self.moved.subscribe()
    }

    /// Adds a record, gives up the oldest beyond `limit` bytes, and wakes the clients.
    pub(super) fn push(&self, record: Record, limit: usize) {
        let mut ring = lock(&self.ring);
        ring.vector.apply(&record.delta);
        if let Delta::End(source) = record.delta {
            ring.ended.push(source);
        }
        ring.bytes += record.bytes.len();
        ring.records.push_back(record);
        while ring.records.len() > 1 && (ring.bytes > limit || ring.records.len() > RING_RECORDS) {
            ring.drop_first();
        }
        drop(ring);
        self.moved.send_replace(());
    }

    /// What stands around the moving part of the ids of a generation's next lines.
    pub(super) fn stamp(&self, segment: &Arc<Segment>) -> Stamp {
        lock(&self.ring).vector.stamp(segment)
    }

    /// Gives up the records that are older than `age`: they may hold files open.
    pub(super) fn expire(&self, age: Duration) {
        let mut ring = lock(&self.ring);
        while ring.records.front().is_some_and(|record| record.at.elapsed() > age) {
            ring.drop_first();
        }
    }

    /// The bytes of a record, as this view looks on the wire.
    pub(super) fn encode(&self, delta: &Delta, content: &Content<'_>) -> Bytes {
        let mut out = Vec::new();
        match content {
            Content::Nothing => {}
            Content::Lines(source, block) => {
                if let Delta::Advance(segment, _) = delta {
                    let stamp = self.stamp(segment);
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

impl Content<'_> {
    /// Whether it says that something is missing.
    pub(super) fn is_gap(&self) -> bool {
        matches!(self, Content::Notice { name: "gap", .. })
    }
}

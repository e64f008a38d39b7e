//! A view: what all clients that asked for the same share.
//!
//! Its ring holds the newest records, each encoded once, each with the step of the vector that it takes. The ring
//! is a bounded cache, never the truth.

use super::blocks::Blocks;
use super::feed::lock;
use super::live_view::Pending;
use super::pool;
use super::source::Source;
use super::vector::{Delta, Vector};
use crate::log::encode::{Block, Encoder, Format, Stamp, notice};
use crate::log::filter::Filter;
use crate::log::segment::Segment;
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// The most records of a ring: at one line a record they cost more than their bytes.
const RING_RECORDS: usize = 4096;
/// The most views: one with filters may hold some MiB of compiled patterns, and each new line passes all of them.
pub const MOST_VIEWS: usize = 256;

/// What a client asks to see.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ViewKey {
    /// The sources by number, in order; `None` means all, those that join later too.
    pub sources: Option<Vec<usize>>,
    /// The lines that are wanted; `None` means all.
    pub filter: Option<Filter>,
    /// How it looks on the wire.
    pub format: Format,
}

impl ViewKey {
    /// A view of all lines of all sources.
    pub fn all(format: Format) -> ViewKey {
        ViewKey { sources: None, filter: None, format }
    }

    /// Whether all lines are wanted, and nothing of what they say about themselves.
    pub fn is_plain(&self) -> bool {
        self.filter.is_none() && !matches!(self.format, Format::SseJson | Format::Ndjson)
    }

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
    /// Whether its lines were not encoded, because nobody shared them.
    is_unsaid: bool,
    /// How many clients took it.
    taken: usize,
}

impl Record {
    /// A record that comes now.
    pub(super) fn new(delta: Delta, bytes: Bytes, is_gap: bool) -> Record {
        Record { delta, bytes, at: Instant::now(), is_gap, is_unsaid: false, taken: 0 }
    }

    /// Lines that nobody shares.
    pub(super) fn unsaid(delta: Delta) -> Record {
        Record { is_unsaid: true, ..Record::new(delta, Bytes::new(), false) }
    }
}

/// What is shared by the clients that asked for the same.
#[derive(Debug)]
pub struct View {
    /// What they asked for.
    pub key: ViewKey,
    ring: Mutex<Ring>,
    pub(super) pending: Mutex<Pending>,
    pub(super) blocks: Blocks,
    moved: watch::Sender<()>,
    /// How many clients share its records or are about to.
    pub(super) sharing: AtomicUsize,
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
    /// It was there, but this client came too late.
    Past,
    /// Lines that were not encoded: they are in the files, up to this vector, behind which the record with this
    /// number comes.
    Unsaid(Vector, u64),
}

impl View {
    /// A view that stands at a vector, without records.
    pub(super) fn new(key: ViewKey, vector: Vector, ended: Vec<usize>) -> View {
        View {
            key,
            ring: Mutex::new(Ring { vector, base: 0, records: VecDeque::new(), bytes: 0, ended }),
            pending: Mutex::default(),
            blocks: Blocks::default(),
            moved: watch::Sender::new(()),
            sharing: AtomicUsize::new(0),
            clients: AtomicUsize::new(0),
            idle_since: Mutex::new(Instant::now()),
        }
    }

    /// Where it stands, the number of the record that will come next, and whether none ever will.
    pub fn tip(&self) -> (Vector, u64, bool) {
        let ring = lock(&self.ring);
        (ring.vector.clone(), ring.base + ring.records.len() as u64, ring.has_ended())
    }

    /// The record with this number, for a client that stands before it.
    pub fn record(&self, number: u64, own: &Vector) -> Shared {
        let mut ring = lock(&self.ring);
        match number.checked_sub(ring.base) {
            None => Shared::Past,
            Some(at) if at as usize >= ring.records.len() => match ring.has_ended() {
                true => Shared::Never,
                false => Shared::NotYet,
            },
            Some(at) if ring.records[at as usize].is_unsaid => {
                let unsaid = ring.records.range(at as usize..).take_while(|record| record.is_unsaid);
                let (mut vector, mut next) = (own.clone(), number);
                for record in unsaid {
                    vector.apply(&record.delta);
                    next += 1;
                }
                Shared::Unsaid(vector, next)
            }
            Some(at) => {
                let record = &mut ring.records[at as usize];
                record.taken += 1;
                Shared::Record(record.clone())
            }
        }
    }

    /// How many clients share its records or are about to; the page's transport has a pace of its own.
    pub(super) fn sharing(&self) -> usize {
        if self.key.format == Format::Live { 0 } else { self.sharing.load(Ordering::Acquire) }
    }

    /// How many clients do not; those of the page are never far.
    pub(super) fn behind(&self) -> usize {
        let live = self.key.format == Format::Live;
        if live { 0 } else { self.clients.load(Ordering::Relaxed).saturating_sub(self.sharing()) }
    }

    /// How many of them took the record that came `back` records before the last one; all, if there is none.
    pub(super) fn taken(&self, back: usize) -> usize {
        let ring = lock(&self.ring);
        let at = ring.records.len().checked_sub(back + 1);
        let record = at.and_then(|at| ring.records.get(at)).filter(|record| !record.is_unsaid);
        record.map_or(usize::MAX / 2, |record| record.taken)
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
        self.blocks.expire(age);
        let mut ring = lock(&self.ring);
        while ring.records.front().is_some_and(|record| record.at.elapsed() > age) {
            ring.drop_first();
        }
    }

    /// The bytes of a record, as this view looks on the wire.
    pub(super) fn encode(&self, delta: &Delta, content: &Content<'_>) -> Bytes {
        let size = match content {
            Content::Lines(_, block, _) => block.bytes.len(),
            _ => 0,
        };
        let mut out = pool::take(size);
        match content {
            Content::Nothing => {}
            Content::Lines(source, block, _) => {
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
        pool::freeze(out)
    }
}

/// What a record says.
#[derive(Debug)]
pub enum Content<'a> {
    /// Nothing: the vector moves silently.
    Nothing,
    /// Lines of a source as they are shown, and as they are in the file; nothing instead of a long one.
    Lines(&'a Source, Block<'a>, &'a [u8]),
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

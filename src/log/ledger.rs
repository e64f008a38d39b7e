//! The ledger of a spool that is filled from a stream of messages: which of its bytes came in which message.
//!
//! One record of a fixed size for each message, in an unlinked temporary file of its own, in the order of the spool: a
//! place is found by bisection with positioned reads, and memory does not grow with the number of messages. The newest
//! are held in memory too, for all who look at what has just come, and the names of the origins, each once: both a
//! bounded number. One writer; a record is written before the
//! spool's reader is told of its bytes.

use super::encode::named::{Naming, Piece, message_place};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Bytes of a record: offset, end, sequence, time stored, lead and origin.
const RECORD_BYTES: u64 = 40;
/// How many records are kept of messages whose lines are not: 40 MB on disk.
const KEPT_RECORDS: u64 = if cfg!(test) { 1 } else { 1 << 20 };
/// How many records are given up before the file system is told.
const TRIM_RECORDS: u64 = 1 << 12;
/// How many records are read at once behind the first.
const RUN: usize = 256;
/// How many of the newest are held in memory: 12 KiB, more than come while the slowest of those at the tip looks.
const RECENT: usize = 256;
/// The most origins that are told apart by name: each costs about a hundred bytes.
const MAX_ORIGINS: usize = 65_536;
/// The number of an origin that is not told.
const NO_ORIGIN: u32 = u32::MAX;

/// A message as the ledger knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// Where its lines begin in the spool.
    pub from: u64,
    /// Just past them.
    pub to: u64,
    /// Its number in the stream.
    pub sequence: u64,
    /// When the stream stored it, in ms since 1970.
    pub stored: u64,
    /// How many of its bytes in the spool came in earlier messages: the beginning of a line that it ends.
    pub lead: u32,
    /// The number of its origin.
    origin: u32,
}

impl Message {
    /// A message whose lines stand at `from..to`.
    pub fn new(from: u64, to: u64, sequence: u64, stored: u64) -> Message {
        Message { from, to, sequence, stored, lead: 0, origin: NO_ORIGIN }
    }

    /// The same, of whose bytes the first came in earlier messages.
    pub fn led_by(self, lead: u32) -> Message {
        Message { lead, ..self }
    }

    fn to_bytes(self) -> [u8; RECORD_BYTES as usize] {
        let mut bytes = [0; RECORD_BYTES as usize];
        for (at, value) in [self.from, self.to, self.sequence, self.stored].into_iter().enumerate() {
            bytes[at * 8..at * 8 + 8].copy_from_slice(&value.to_le_bytes());
        }
        bytes[32..36].copy_from_slice(&self.lead.to_le_bytes());
        bytes[36..].copy_from_slice(&self.origin.to_le_bytes());
        bytes
    }

    fn of(bytes: &[u8]) -> Message {
        let long = |at: usize| u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap_or_default());
        let short = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap_or_default());
        Message {
            from: long(0),
            to: long(8),
            sequence: long(16),
            stored: long(24),
            lead: short(32),
            origin: short(36),
        }
    }

    /// What makes an offset in the spool one that names the message.
    pub fn shift(&self) -> u64 {
        message_place(self.sequence, 0).wrapping_sub(self.from + u64::from(self.lead))
    }
}

/// Where a message stands, if it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Here.
    Here(Message),
    /// It is not there, though those around it are: this one follows.
    Passed(Message),
    /// It is older than the first.
    Before,
    /// It is younger than the last.
    Beyond,
}

/// A ledger. See the module.
#[derive(Debug)]
pub struct Ledger {
    file: File,
    /// Number of the first record whose bytes are still kept, and of records.
    first: AtomicU64,
    count: AtomicU64,
    /// Before which message the first one comes: all before it belong to no spool.
    start: u64,
    /// With their numbers.
    recent: RwLock<VecDeque<(u64, Message)>>,
    origins: RwLock<Origins>,
}

#[derive(Debug, Default)]
struct Origins {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, u32>,
}

impl Ledger {
    /// An empty ledger of a spool that begins with the message `start`.
    ///
    /// # Errors
    /// What the system says to a temporary file.
    pub fn new(start: u64) -> io::Result<Ledger> {
        Ok(Ledger {
            file: tempfile::tempfile()?,
            first: AtomicU64::new(0),
            count: AtomicU64::new(0),
            start,
            recent: RwLock::default(),
            origins: RwLock::default(),
        })
    }

    /// The number of the first message that could have been in it.
    pub fn start(&self) -> u64 {
        self.start
    }

    /// Adds the next message, of this origin.
    ///
    /// # Errors
    /// What the system says.
    pub fn push(&self, message: Message, origin: Option<&str>) -> io::Result<()> {
        let origin = origin.map_or(NO_ORIGIN, |origin| self.number(origin));
        let count = self.count.load(Ordering::Acquire);
        let message = Message { origin, ..message };
        self.file.write_all_at(&message.to_bytes(), count * RECORD_BYTES)?;
        let mut recent = self.recent.write().unwrap_or_else(PoisonError::into_inner);
        if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back((count, message));
        drop(recent);
        self.count.store(count + 1, Ordering::Release);
        Ok(())
    }

    fn number(&self, origin: &str) -> u32 {
        let known = |origins: &Origins| origins.numbers.get(origin).copied();
        if let Some(number) = known(&self.origins.read().unwrap_or_else(PoisonError::into_inner)) {
            return number;
        }
        let mut origins = self.origins.write().unwrap_or_else(PoisonError::into_inner);
        if origins.names.len() == MAX_ORIGINS {
            return NO_ORIGIN;
        }
        let (number, name) = (origins.names.len() as u32, Arc::<str>::from(origin));
        origins.names.push(name.clone());
        origins.numbers.insert(name, number);
        number
    }

    /// The names of all origins so far.
    pub fn origins(&self) -> Vec<Arc<str>> {
        self.origins.read().unwrap_or_else(PoisonError::into_inner).names.clone()
    }

    /// Gives up the records of what stands before `begin`, but for the last million: who was slow to read those messages
    /// finds by them where to fetch on.
    ///
    /// # Errors
    /// What the system says.
    pub fn trim(&self, begin: u64) -> io::Result<()> {
        let old = self.first.load(Ordering::Acquire);
        let given_up = self.partition(|message| message.to <= begin)?;
        let first = given_up.saturating_sub(KEPT_RECORDS).max(old);
        self.first.store(first, Ordering::Release);
        let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
        if first / TRIM_RECORDS > old / TRIM_RECORDS {
            rustix::fs::fallocate(&self.file, flags, 0, first * RECORD_BYTES)?;
        }
        Ok(())
    }

    /// The first message of which lines are kept.
    ///
    /// # Errors
    /// What the system says.
    pub fn first(&self) -> io::Result<Option<Message>> {
        let first = self.first.load(Ordering::Acquire);
        (first < self.count.load(Ordering::Acquire)).then(|| self.at(first)).transpose()
    }

    /// The last message.
    ///
    /// # Errors
    /// What the system says.
    pub fn last(&self) -> io::Result<Option<Message>> {
        let count = self.count.load(Ordering::Acquire);
        if count == self.first.load(Ordering::Acquire) {
            return Ok(None);
        }
        self.at(count - 1).map(Some)
    }

    /// The message with this number, or who follows it.
    ///
    /// # Errors
    /// What the system says.
    pub fn find(&self, sequence: u64) -> io::Result<Found> {
        let at = self.partition(|message| message.sequence < sequence)?;
        if at == self.count.load(Ordering::Acquire) {
            return Ok(Found::Beyond);
        }
        let message = self.at(at)?;
        Ok(match message.sequence == sequence {
            true => Found::Here(message),
            false if at > self.first.load(Ordering::Acquire) || sequence >= self.start && at == 0 => {
                Found::Passed(message)
            }
            false => Found::Before,
        })
    }

    /// The first message that was stored at this time (ms since 1970) or later.
    ///
    /// # Errors
    /// What the system says.
    pub fn stored_since(&self, stored: u64) -> io::Result<Option<Message>> {
        let at = self.partition(|message| message.stored < stored)?;
        (at < self.count.load(Ordering::Acquire)).then(|| self.at(at)).transpose()
    }

    /// The message whose lines end at, or hold, the byte before an offset.
    ///
    /// # Errors
    /// What the system says.
    pub fn before(&self, offset: u64) -> io::Result<Option<Message>> {
        let at = self.partition(|message| message.to < offset)?;
        let found = (at < self.count.load(Ordering::Acquire)).then(|| self.at(at)).transpose()?;
        Ok(found.filter(|message| message.from < offset))
    }

    /// The number of the first kept record for which `before` is false.
    fn partition(&self, before: impl Fn(&Message) -> bool) -> io::Result<u64> {
        let (mut low, mut high) = (self.first.load(Ordering::Acquire), self.count.load(Ordering::Acquire));
        while low < high {
            let middle = low + (high - low) / 2;
            match before(&self.at(middle)?) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        Ok(low)
    }

    fn at(&self, number: u64) -> io::Result<Message> {
        let mut bytes = [0; RECORD_BYTES as usize];
        self.file.read_exact_at(&mut bytes, number * RECORD_BYTES)?;
        Ok(Message::of(&bytes))
    }

    /// The messages that touch a run, if all of them are among the newest.
    fn recent(&self, from: u64, to: u64) -> Option<Vec<Message>> {
        let recent = self.recent.read().unwrap_or_else(PoisonError::into_inner);
        recent.front().filter(|(_, first)| first.from <= from)?;
        let kept = self.first.load(Ordering::Acquire);
        let at = recent.partition_point(|(number, message)| *number < kept || message.to <= from);
        let touching = recent.range(at..).map(|(_, message)| *message);
        Some(touching.take_while(|message| message.from < to).collect())
    }

    fn run(&self, from: u64, to: u64) -> io::Result<Vec<Message>> {
        if let Some(messages) = self.recent(from, to) {
            return Ok(messages);
        }
        let mut at = self.partition(|message| message.to <= from)?;
        let count = self.count.load(Ordering::Acquire);
        let mut messages = Vec::new();
        let mut buf = vec![0; RUN * RECORD_BYTES as usize];
        while at < count {
            let want = ((count - at) as usize).min(if messages.is_empty() { 8 } else { RUN });
            let bytes = &mut buf[..want * RECORD_BYTES as usize];
            self.file.read_exact_at(bytes, at * RECORD_BYTES)?;
            for record in bytes.chunks_exact(RECORD_BYTES as usize).map(Message::of) {
                if record.from >= to {
                    return Ok(messages);
                }
                messages.push(record);
            }
            at += want as u64;
        }
        Ok(messages)
    }
}

impl Naming for Ledger {
    fn pieces(&self, from: u64, to: u64) -> Vec<Piece> {
        // What cannot be read has no names: the spool cannot be read then either, and its readers are told.
        let messages = self.run(from, to).unwrap_or_default();
        let origins = self.origins.read().unwrap_or_else(PoisonError::into_inner);
        let piece = |message: Message| Piece {
            from: message.from,
            to: message.to,
            stored: message.stored,
            shift: message.shift(),
            origin: origins.names.get(message.origin as usize).cloned(),
        };
        messages.into_iter().map(piece).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger() -> Ledger {
        let ledger = Ledger::new(3).unwrap();
        let mut at = 0;
        for sequence in [5, 6, 8, 9] {
            let message = Message::new(at, at + 10, sequence, 1_000 * sequence);
            ledger.push(message, Some(if sequence < 8 { "a" } else { "b" })).unwrap();
            at += 10;
        }
        ledger
    }

    #[test]
    fn a_message_is_found_by_its_number_and_by_its_place() {
        let ledger = ledger();
        let sequence = |found| match found {
            Found::Here(message) | Found::Passed(message) => message.sequence,
            Found::Before => 0,
            Found::Beyond => u64::MAX,
        };
        let all: Vec<_> = (2..=10).map(|n| sequence(ledger.find(n).unwrap())).collect();
        assert_eq!(all, [0, 5, 5, 5, 6, 8, 8, 9, u64::MAX]);
        assert!(matches!(ledger.find(7).unwrap(), Found::Passed(_)));
        assert_eq!(ledger.before(20).unwrap().map(|m| m.sequence), Some(6));
        assert_eq!(ledger.before(21).unwrap().map(|m| m.sequence), Some(8));
        assert_eq!(ledger.before(0).unwrap(), None);
        assert_eq!(ledger.stored_since(7_000).unwrap().map(|m| m.sequence), Some(8));
        let pieces = ledger.pieces(10, 31);
        assert_eq!(pieces.iter().map(|piece| piece.stored).collect::<Vec<_>>(), [6_000, 8_000, 9_000]);
        assert_eq!(pieces[1].origin.as_deref(), Some("b"));
        assert_eq!(20u64.wrapping_add(pieces[1].shift), message_place(8, 0));
    }

    #[test]
    fn what_was_given_up_is_before_the_first() {
        let ledger = ledger();
        ledger.trim(20).unwrap();
        assert_eq!(ledger.find(5).unwrap(), Found::Before);
        assert!(matches!(ledger.find(6).unwrap(), Found::Here(_)), "a record outlives its lines");
        assert!(matches!(ledger.find(8).unwrap(), Found::Here(_)));
        assert!(ledger.pieces(0, 10).is_empty());
        assert_eq!(ledger.last().unwrap().map(|message| message.sequence), Some(9));
    }
}

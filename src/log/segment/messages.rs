//! Segments of lines that come in the messages of a stream: their entries in cursors name the message, which every server
//! that reads the stream has at another place.

use super::{Place, Segment};
use crate::log::cursor::{Entry, NO_LINE};
use crate::log::encode::named::{Naming, message_place, place_in_message};
use crate::log::ledger::{Found, Ledger};
use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The generation in an entry for the place before the first message that was ever read.
const NO_MESSAGE: u64 = 1;

/// What a segment knows of the place that a cursor's entry names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Where {
    /// It is here, proved.
    Here(Place),
    /// It shows something else.
    Elsewhere,
    /// Of a stream of messages: it is older than what is kept.
    Before,
    /// Of a stream of messages: it is younger than what was read.
    Beyond,
}

impl Segment {
    /// The place where its content begins.
    pub(super) fn oldest_place(&self) -> Place {
        Place { offset: self.begin(), check: NO_LINE }
    }

    /// The place from which all of it is read: where its readers begin, but for messages that were kept before.
    pub fn oldest(&self) -> Place {
        if self.ledger.is_some() { self.oldest_place() } else { self.first() }
    }

    /// Says what follows it, and where in it the reading goes on: it is an earlier part of the same life.
    pub fn lead_to(&self, next: Arc<Segment>, place: Place) {
        let _ = self.leads.set(place);
        self.set_next(next);
    }

    /// Where readers go on in what follows, if it is the same life.
    pub fn leads(&self) -> Option<Place> {
        self.leads.get().copied()
    }

    /// The place that an entry of this source names, if this segment shows it.
    pub fn find(&self, entry: &Entry) -> Where {
        match &self.ledger {
            Some(ledger) => self.find_message(ledger, entry).unwrap_or(Where::Elsewhere),
            None => {
                let place = Place { offset: entry.offset, check: entry.check };
                if self.proves(entry.generation, place) { Where::Here(place) } else { Where::Elsewhere }
            }
        }
    }

    /// The same, of lines that come in the messages of a stream; `tie` tells that stream from others. Its generation is
    /// given, since no first line names it.
    pub fn of_messages(mut self, ledger: Arc<Ledger>, generation: u64, tie: u16) -> Segment {
        self.ledger = Some(ledger);
        self.tie = tie & 0xfff;
        self.set_generation(generation);
        self.trimmed = AtomicBool::new(true);
        self
    }

    /// Which messages its bytes came in.
    pub fn ledger(&self) -> Option<&Arc<Ledger>> {
        self.ledger.as_ref()
    }

    /// What its lines are called in ids, if they came in messages.
    pub fn naming(&self) -> Option<Arc<dyn Naming>> {
        self.ledger.clone().map(|ledger| ledger as Arc<dyn Naming>)
    }

    pub(super) fn message_entry(&self, ledger: &Ledger, place: Place) -> Entry {
        let (key, tie) = (self.key, self.tie);
        match ledger.before(place.offset) {
            Ok(Some(message)) => {
                let offset = place.offset.wrapping_add(message.shift());
                Entry { key, generation: message.stored, tie, check: place.check, offset }
            }
            // Nothing of it was delivered: what comes is the first message.
            _ => {
                let first = ledger.first().ok().flatten().map_or(ledger.start(), |first| first.sequence);
                let offset = message_place(first, 0);
                Entry { key, generation: NO_MESSAGE, tie, check: NO_LINE, offset }
            }
        }
    }

    pub(super) fn find_message(&self, ledger: &Ledger, entry: &Entry) -> io::Result<Where> {
        let (sequence, byte) = place_in_message(entry.offset);
        if entry.tie != self.tie {
            return Ok(Where::Elsewhere);
        }
        let at = |offset: u64| -> io::Result<Where> {
            let check = self.file().check_before(self.begin(), offset)?;
            Ok(Where::Here(Place { offset, check }))
        };
        let is_start = byte == 0;
        let begin = self.begin();
        Ok(match ledger.find(sequence)? {
            // Its lines were given up, at least those that come next.
            Found::Here(message) if message.to <= begin || is_start && message.from < begin => Where::Before,
            Found::Here(message) if is_start => at(message.from)?,
            Found::Here(message) => {
                let offset = message.from + u64::from(message.lead) + byte;
                let shows = message.stored == entry.generation && offset <= message.to;
                match shows.then(|| at(offset.max(begin))).transpose()? {
                    _ if shows && offset < begin => Where::Before,
                    Some(Where::Here(place))
                        if entry.check == place.check || offset == begin || entry.check == NO_LINE =>
                    {
                        Where::Here(place)
                    }
                    _ => Where::Elsewhere,
                }
            }
            Found::Passed(next) if next.from < begin => Where::Before,
            // It was deleted, or is of a subject that is not read here: what follows it is what was not delivered.
            Found::Passed(next) if is_start || next.stored >= entry.generation => at(next.from)?,
            Found::Passed(_) => Where::Elsewhere,
            Found::Before => Where::Before,
            Found::Beyond => match ledger.last()? {
                Some(last) if is_start && sequence == last.sequence + 1 => at(last.to)?,
                None if is_start && sequence == ledger.start() => Where::Here(self.first()),
                _ => Where::Beyond,
            },
        })
    }

    /// The edge between two messages at or behind a place, and the number of the message behind it.
    pub fn message_edge(&self, place: Place) -> Option<(Place, u64)> {
        let ledger = self.ledger.as_ref()?;
        match ledger.before(place.offset).ok()? {
            None => Some((place, ledger.start())),
            Some(message) => {
                let check = self.file().check_before(self.begin(), message.to).ok()?;
                Some((Place { offset: message.to, check }, message.sequence + 1))
            }
        }
    }

    /// Of a stream of messages: where those begin that were stored at the time of an entry or later.
    pub fn stored_since(&self, entry: &Entry) -> Option<Place> {
        let message = self.ledger.as_ref()?.stored_since(entry.generation).ok()??;
        let offset = message.from.max(self.begin());
        let check = self.file().check_before(self.begin(), offset).ok()?;
        Some(Place { offset, check })
    }
}

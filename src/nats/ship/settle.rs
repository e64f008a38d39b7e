//! The end of a doubt: what the subject's last message says, and where that leads.
//!
//! Whatever was in doubt (a lost acknowledgement, a restart, another shipper, an engine that lost what it had
//! acknowledged), the last message tells what is stored; all before it is stored too. What is stored is not sent again,
//! what is not is. A read that is a little old leads to an append that is refused, and to another look.

use super::file::{Halt, Shipper};
use super::send::is_unnamed;
use super::{Failed, First};
use crate::live::unshipped::{self, Placed, chain, target};
use crate::live::vector::Vector;
use crate::log::cursor::{Cursor, Entry, NO_GENERATION, NO_LINE};
use crate::nats::error::Error;
use crate::nats::message::{Gap, Head};
use crate::nats::stream::{Info, Stored};
use std::time::Duration;

/// How often a place is looked for while the files change under the look, and the wait between.
const UNSETTLED_TRIES: u32 = 60;
const UNSETTLED_WAIT: Duration = Duration::from_millis(25);

impl Shipper {
    /// Finds out what is stored, and goes on from there.
    pub(super) async fn settle(&mut self) -> Result<(), Halt> {
        let timeout = self.shared.options.ack_timeout;
        let stream = self.shared.stream();
        let last = match stream.last(&self.subject, timeout).await {
            Err(error @ Error::Unavailable { .. }) if stream.link().is_up() => {
                // Nobody answers for a stream that is gone, either.
                self.shared.reopen().await?;
                return Err(Halt::Doubt(error));
            }
            last => last?,
        };
        match last {
            Some(stored) => self.adopt(stored).await,
            None => self.begin().await,
        }
    }

    /// The subject has a last message.
    async fn adopt(&mut self, stored: Stored) -> Result<(), Halt> {
        let Some(cursor) = stored.head.cursor.clone() else {
            return Err(Halt::Failed(Failed::Foreign { subject: self.subject.clone() }));
        };
        if let Some((_, after)) = self.pending.take_if(|(pending, _)| *pending == cursor) {
            // It was stored after all.
            self.own = Some(after);
            return self.stands(cursor, stored.seq, &stored.head);
        }
        if self.own.is_some() && self.cursor == cursor {
            return self.stands(cursor, stored.seq, &stored.head);
        }
        let again = self.own.is_some() || self.acked;
        // It may only be an old answer: it is told once an append behind it was taken.
        self.back = (stored.seq < self.acked_seq).then(|| self.went_back(&stored.head));
        let placed = self.look_for(&cursor).await;
        if placed.found {
            self.own = Some(placed.vector);
        } else if stored.head.end {
            // All of that pipe was shipped; this is another one.
            self.own = Some(placed.vector);
        } else if again && self.is_other(&stored.head) {
            let from = stored.head.from.clone().unwrap_or_default();
            return Err(Halt::Failed(Failed::Taken { subject: self.subject.clone(), from }));
        } else {
            // What was written to after that message, and has a name still, is not shipped yet.
            let (hub, source) = (self.shared.hub.clone(), self.source.clone());
            let sent = i128::from(stored.head.sent.unwrap_or(u64::MAX)) * 1_000_000;
            let since = move || unshipped::since(&hub, &source, sent);
            self.own = Some(blocking(since).await);
            let reason = "the file was rotated away before it could be shipped".to_owned();
            self.gaps.push_back(Gap { bytes: None, reason });
        }
        self.stands(cursor, stored.seq, &stored.head)
    }

    fn stands(&mut self, cursor: String, seq: u64, head: &Head) -> Result<(), Halt> {
        (self.cursor, self.seq) = (cursor, seq);
        self.note(head.end);
        Ok(())
    }

    /// The subject has no message: it is new, what it had is older than what is kept, or the stream is another one.
    async fn begin(&mut self) -> Result<(), Halt> {
        let stream = self.shared.stream();
        let Some(info) = stream.look().await? else {
            self.shared.reopen().await?;
            return Err(Halt::Doubt(Error::Unavailable { cause: "the stream is gone".to_owned() }));
        };
        self.pending = None;
        if self.acked || self.own.is_some() {
            let seq = self.acked_seq.max(self.seq);
            if info.created == stream.info.created && !self.is_reused(seq, &info).await {
                // Emptied by age, or by hand: what was stored was stored.
                if self.own.is_none() {
                    let cursor = self.cursor.clone();
                    self.take_up(&cursor).await;
                }
                self.seq = 0;
                return Ok(());
            }
            let behind = self.own.as_ref().map_or(0, |own| stood(own, self.source.id));
            self.back = Some(behind);
            self.own = Some(self.first(First::Start).await);
        } else if let Some(note) = self.checkpoint.read().filter(|note| note.created == info.created)
            && !self.is_reused(note.seq, &info).await
        {
            match note.done {
                true => self.own = Some(self.first(First::Start).await),
                false => self.take_up(&note.cursor).await,
            }
        } else {
            self.own = Some(self.first(self.first).await);
        }
        self.seq = 0;
        self.cursor = self.own.as_ref().map(|own| first_id(own, self.source.id)).unwrap_or_default();
        // Where it begins is known from now on, even if nothing comes for long.
        self.seq_noted(info.state.last_seq);
        Ok(())
    }

    /// Whether a message that was acknowledged cannot have been: the stream never came so far, or another subject has its
    /// number. What is too old, or was removed by hand, is not there either, but nobody has its number.
    async fn is_reused(&self, seq: u64, info: &Info) -> bool {
        if seq > info.state.last_seq {
            return true;
        }
        let within = seq > 0 && seq >= info.state.first_seq;
        let timeout = self.shared.options.ack_timeout;
        // The right to read other subjects' messages is not every shipper's: then it counts as removed.
        within
            && matches!(self.shared.stream().get(seq, timeout).await, Ok(Some(other)) if other.subject != self.subject)
    }

    /// Goes on at a cursor that no message tells any more.
    async fn take_up(&mut self, cursor: &str) {
        let placed = self.look_for(cursor).await;
        if !placed.found {
            let reason = "the file was rotated away before it could be shipped".to_owned();
            self.gaps.push_back(Gap { bytes: None, reason });
        }
        self.own = Some(placed.vector);
    }

    /// Notes a place at which nothing was sent yet.
    fn seq_noted(&mut self, last_seq: u64) {
        let seq = std::mem::replace(&mut self.seq, last_seq);
        self.note(false);
        self.seq = seq;
    }

    async fn first(&self, first: First) -> Vector {
        let target = target(&self.shared.hub, &self.source);
        match first {
            First::Start => unshipped::begin(&target),
            First::End => target,
        }
    }

    /// Looks for the place of a cursor, for as long as the files change under the look.
    async fn look_for(&self, cursor: &str) -> Placed {
        let entries: Vec<Entry> =
            Cursor::parse(cursor.as_bytes()).map_or(Vec::new(), |cursor| cursor.entries);
        let held = self.own.as_ref().map_or(Vec::new(), |own| chain(own, &self.source));
        for tries in 1.. {
            let (hub, source) = (self.shared.hub.clone(), self.source.clone());
            let (entries, held) = (entries.clone(), held.clone());
            let placed = blocking(move || unshipped::place(&hub, &source, &entries, &held)).await;
            if !placed.unsettled || tries >= UNSETTLED_TRIES {
                return placed;
            }
            tokio::time::sleep(UNSETTLED_WAIT).await;
        }
        Placed { vector: self.first(First::Start).await, found: false, unsettled: false }
    }

    /// Whether a message is another machine's.
    fn is_other(&self, head: &Head) -> bool {
        head.from.as_ref().is_some_and(|from| *from != self.shared.options.machine)
    }

    /// How many bytes the subject went back by, as far as one generation tells.
    fn went_back(&self, head: &Head) -> u64 {
        let own = self.own.as_ref().and_then(|own| own.of(self.source.id).last());
        match (own, head.at) {
            (Some((segment, place)), Some(at)) if segment.generation() == at.generation => {
                place.offset.saturating_sub(at.end)
            }
            (Some((_, place)), _) => place.offset,
            (None, _) => 0,
        }
    }
}

/// The cursor of a place at which nothing was sent yet. With `--once` a file counts as ended, and its name is then that of
/// what it holds; one whose first line may still grow has none that lasts.
fn first_id(own: &Vector, source: usize) -> String {
    let mut cursor = match Cursor::parse(own.id().as_bytes()) {
        Some(cursor) => cursor,
        None => return own.id(),
    };
    for ((segment, place), entry) in own.of(source).zip(&mut cursor.entries) {
        if place.offset == segment.begin() && is_unnamed(segment) {
            (entry.generation, entry.check) = (NO_GENERATION, NO_LINE);
        }
    }
    cursor.to_text()
}

/// How far a source's newest generation was read.
fn stood(own: &Vector, source: usize) -> u64 {
    own.of(source).last().map_or(0, |(_, place)| place.offset)
}

/// Runs blocking code off the reactor; its panic is ours.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

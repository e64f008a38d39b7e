//! Where a client begins in a source that is fed with the messages of a stream, and what was read before its spool.
//!
//! A cursor names a message. Where the spool has it, it must show the same time and the same line; a message that is older
//! than the spool is fetched from the engine once more, into a spool of its own that leads to the current one. What shows
//! something else belongs to a stream that went back (a store that lost what it had taken) or was made anew: there the
//! client goes on by time, and is told. Everything here blocks.

use super::feed::lock;
use super::source::Source;
use super::vector::{Stand, Vector};
use crate::log::cursor::Entry;
use crate::log::encode::named::place_in_message;
use crate::log::segment::{Place, Segment, Where};
use std::fmt::Debug;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long what was fetched is kept for the next client.
const KEPT: Duration = Duration::from_secs(60);

/// Whether a cursor's place was found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Placed {
    /// It was.
    Found,
    /// It was not, and this is why.
    Gap(&'static str),
    /// Not yet: another server has read further. If it stays so, this is why.
    Unread(&'static str),
}

/// Fetches what a spool no longer has.
pub trait Engine: Debug + Send + Sync {
    /// The messages from one number up to, and without, another, as a segment that has ended.
    ///
    /// # Errors
    /// What the engine or the system says; `NotFound` if they are more than may be kept, or not there any more.
    fn fetch(&self, from: u64, before: u64) -> io::Result<Segment>;
}

/// What stands before a source's spool.
#[derive(Debug, Default)]
pub(super) struct Earlier {
    engine: Mutex<Option<Arc<dyn Engine>>>,
    /// Fetched under the lock: a thousand clients that come at once fetch it once.
    kept: Mutex<Option<(Instant, Arc<Segment>)>>,
}

impl Earlier {
    /// Says who fetches it.
    pub(super) fn set_engine(&self, engine: Arc<dyn Engine>) {
        *lock(&self.engine) = Some(engine);
    }

    /// The place of an entry before what `current` holds, in a segment that leads to it.
    pub(super) fn find(&self, entry: &Entry, current: &Arc<Segment>) -> Option<(Arc<Segment>, Place)> {
        let engine = lock(&self.engine).clone()?;
        let mut kept = lock(&self.kept);
        if let Some((used, segment)) = kept.as_mut()
            && segment.next().is_some_and(|next| Arc::ptr_eq(next, current))
            && let Where::Here(place) = segment.find(entry)
            // At its end it would lead to where the client came from.
            && segment.end().is_some_and(|end| place.offset < end)
        {
            *used = Instant::now();
            return Some((segment.clone(), place));
        }
        let (from, _) = place_in_message(entry.offset);
        // Not more than where readers begin: what follows is kept longest.
        let (edge, before) = current.message_edge(current.first())?;
        let segment = engine.fetch(from, before).ok()?;
        segment.lead_to(current.clone(), edge);
        let segment = Arc::new(segment);
        let Where::Here(place) = segment.find(entry) else { return None };
        *kept = Some((Instant::now(), segment.clone()));
        Some((segment, place))
    }

    /// Lets go of what nobody has asked for lately.
    pub(super) fn expire(&self) {
        let mut kept = lock(&self.kept);
        if kept.as_ref().is_some_and(|(used, _)| used.elapsed() > KEPT) {
            *kept = None;
        }
    }
}

/// Puts the stand of a source where an entry says, or where a client goes on that has lost its place.
pub(super) fn place(source: &Source, segment: &Arc<Segment>, entry: &Entry, out: &mut Vector) -> Placed {
    let mut stand = |segment: &Arc<Segment>, place| out.push(Stand::at(segment.clone(), place));
    match segment.find(entry) {
        Where::Here(place) => {
            stand(segment, place);
            Placed::Found
        }
        Where::Before => match source.earlier.find(entry, segment) {
            Some((earlier, place)) => {
                stand(&earlier, place);
                Placed::Found
            }
            None => {
                stand(segment, segment.oldest());
                Placed::Gap("the messages behind the cursor are not kept any more")
            }
        },
        found => {
            // By time: what was stored when the cursor's message was comes again, rather than be missed.
            let place = segment.stored_since(entry).unwrap_or_else(|| end_of(segment));
            stand(segment, place);
            let why = "the stream is another one, or went back: lines may come twice";
            if found == Where::Beyond { Placed::Unread(why) } else { Placed::Gap(why) }
        }
    }
}

/// The place of what a client stood at when its lines were given up, in a segment that leads on.
pub(super) fn again(source: &Source, segment: &Arc<Segment>, place: Place) -> Option<(Arc<Segment>, Place)> {
    segment.ledger()?;
    source.earlier.find(&segment.entry(place), segment)
}

/// Behind the last message that was read.
fn end_of(segment: &Segment) -> Place {
    let last = segment.ledger().and_then(|ledger| ledger.last().ok().flatten());
    let at = last.map(|last| last.to.max(segment.begin()));
    let place = at.and_then(|offset| {
        segment.file().check_before(segment.begin(), offset).ok().map(|check| Place { offset, check })
    });
    place.unwrap_or(segment.first())
}

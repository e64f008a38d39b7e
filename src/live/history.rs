//! The rotated set of a source as one log: the lives that are open and, before them, those that rotated siblings hold.
//!
//! Siblings count by their names (those that rotation gives) and by content: what is a copy of an open life is not
//! another one. Their order is that of their last changes. They are opened, and decoded if they are compressed, only
//! when somebody reads there. Everything here blocks.

use super::archive::{is_copy_of, is_file_of};
use super::feed::{Hub, lock};
use super::source::Source;
use crate::log::cursor::{Entry, NO_GENERATION, generation_text, parse_generation};
use crate::log::encode::json_string;
use crate::log::lines::lines;
use crate::log::record::Reader;
use crate::log::redact::Redact;
use crate::log::rotated::{Held, MAX_SIBLINGS, Order, look_for, siblings};
use crate::log::seek::{first_at, first_time};
use crate::log::segment::{Born, Place, Segment, Where};
use crate::log::wide::Wide;
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How long a look at the siblings is believed while the source's newest life is the same.
const BELIEVED: Duration = Duration::from_secs(1);
/// How much later than the first lines of a newer life the last ones of an older one may have been written: a writer that
/// has the old file open still, or several of them.
pub const LATE: SignedDuration = SignedDuration::from_mins(1);
/// How long what was opened stays open for the next request.
const KEPT: Duration = Duration::from_secs(60);

/// The siblings of a source as they were found last: decoding one again for each request would cost seconds.
#[derive(Debug, Default)]
pub(super) struct Siblings(Mutex<Option<Found>>);

#[derive(Debug)]
struct Found {
    at: Instant,
    used: Instant,
    /// The lives that were open then: a verdict is about them.
    open: Vec<u64>,
    /// Each with the verdict whether it is a life of its own.
    held: Vec<(Arc<Held>, bool)>,
    unread: usize,
}

/// What was found beside a log.
#[derive(Debug, Default)]
struct Older {
    /// The lives, newest first.
    held: Vec<Arc<Held>>,
    /// How many could not be opened or read.
    unread: usize,
}

impl Siblings {
    /// The siblings that are lives of their own, newest first; `open` are the lives that are open, newest first.
    fn get(&self, path: &Path, redact: &Redact, open: &[(Arc<Segment>, Place)]) -> Older {
        let serials: Vec<u64> = open.iter().map(|(segment, _)| segment.serial).collect();
        let own = |held: &[(Arc<Held>, bool)]| {
            held.iter().filter(|(_, own)| *own).map(|(held, _)| held.clone()).collect::<Vec<_>>()
        };
        let (mut known, mut judged) = (Vec::new(), false);
        if let Some(found) = lock(&self.0).as_mut() {
            found.used = Instant::now();
            judged = found.open == serials;
            if judged && found.at.elapsed() < BELIEVED {
                return Older { held: own(&found.held), unread: found.unread };
            }
            known.clone_from(&found.held);
        }
        let at = Instant::now();
        let judge = |held: Held| {
            let same = known.iter().find(|(known, _)| known.sibling.stamp == held.sibling.stamp);
            // What was decoded before need not be again, neither for the verdict nor to be read.
            let held = same.map_or_else(|| Arc::new(held), |(known, _)| known.clone());
            let own = match same {
                Some((_, own)) if judged => *own,
                _ => is_own(&held, open),
            };
            (held, own)
        };
        let looked = look_for(path, Order::Newest, redact, &|_| true);
        let unread = looked.unread;
        let held: Vec<_> = looked.held.into_iter().map(judge).collect();
        let found = Older { held: own(&held), unread };
        *lock(&self.0) = Some(Found { at, used: at, open: serials, held, unread });
        found
    }

    /// Closes all of them.
    pub(super) fn forget(&self) {
        *lock(&self.0) = None;
    }

    /// Closes what nobody has asked for lately.
    pub(super) fn expire(&self) {
        let mut found = lock(&self.0);
        if found.as_ref().is_some_and(|found| found.used.elapsed() > KEPT) {
            *found = None;
        }
    }
}

/// Whether a sibling is a life of its own: its name says that it was rotated, and no open life is the same.
fn is_own(held: &Held, open: &[(Arc<Segment>, Place)]) -> bool {
    let is_open = |(segment, place): &(Arc<Segment>, Place)| {
        is_file_of(held, segment) || is_copy_of(held, segment, *place)
    };
    held.sibling.rotated_name && held.sibling.stamp.size > 0 && !open.iter().any(is_open)
}

/// The rotated siblings of a source as the API tells them, a JSON array, newest first.
pub fn siblings_json(source: &Source) -> String {
    let listed = source.path.as_deref().map(siblings).transpose().ok().flatten().unwrap_or_default();
    let rotated = listed.iter().filter(|sibling| sibling.rotated_name).take(MAX_SIBLINGS);
    let told = rotated.map(|sibling| {
        let name = json_string(&sibling.path.file_name().unwrap_or_default().to_string_lossy());
        let (size, compressed) = (sibling.stamp.size, sibling.codec.is_some());
        format!(r#"{{"name":{name},"size":{size},"compressed":{compressed}}}"#)
    });
    format!("[{}]", told.collect::<Vec<_>>().join(","))
}

/// One life of a source.
#[derive(Debug, Clone)]
pub struct Life {
    /// Where it is read.
    pub segment: Arc<Segment>,
    /// The end of its last line, as far as the follower has read; of an ended one also a line without newline.
    pub end: Place,
    /// Where it stands in the history, 0 for the newest.
    pub back: usize,
    /// Its generation as the API names it: where a newer life begins with the same line, with the check of its end.
    pub name: String,
    /// Whether it is an archive of which only the beginning could be read.
    pub is_broken: bool,
}

/// A life as a request names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Named {
    /// What its first line tells.
    pub generation: u64,
    /// The check of its end, where the first line does not tell it from a newer one.
    end: Option<u64>,
}

impl Named {
    /// The newest life of a generation.
    pub fn newest(generation: u64) -> Named {
        Named { generation, end: None }
    }

    /// Reads a [`Life::name`].
    pub fn parse(text: &str) -> Option<Named> {
        let (generation, end) = match text.split_once('~') {
            Some((generation, end)) => (generation, Some(parse_generation(end.as_bytes())?)),
            None => (text, None),
        };
        Some(Named { generation: parse_generation(generation.as_bytes())?, end })
    }
}

/// The lives of a source, newest first, at one moment.
#[derive(Debug)]
pub struct History {
    source: Arc<Source>,
    open: Vec<(Arc<Segment>, Place)>,
    /// Looked for when somebody asks for more than what is open.
    older: OnceLock<Older>,
}

impl History {
    /// What there is now; rotated siblings only if the hub shows them.
    pub fn of(hub: &Hub, source: &Arc<Source>) -> History {
        let mut open = hub.stands(source.id);
        open.reverse();
        let older = OnceLock::new();
        if !hub.shows_history() {
            let _ = older.set(Older::default());
        }
        History { source: source.clone(), open, older }
    }

    fn older(&self) -> &Older {
        let look = || match &self.source.path {
            Some(path) => self.source.siblings.get(path, &self.source.redact, &self.open),
            None => Older::default(),
        };
        self.older.get_or_init(look)
    }

    /// How many rotated siblings could not be opened or read.
    pub fn unread(&self) -> usize {
        self.older().unread
    }

    /// Gives up what was decoded of a life.
    pub fn release(&self, back: usize) {
        if let Some(held) = self.sibling(back) {
            held.release();
        }
    }

    /// Closes the siblings: who goes over many sources does not keep them all open.
    pub fn close(self) {
        self.source.siblings.forget();
    }

    fn sibling(&self, back: usize) -> Option<&Arc<Held>> {
        self.older().held.get(back.checked_sub(self.open.len())?)
    }

    /// How many lives there are.
    pub fn len(&self) -> usize {
        self.open.len() + self.older().held.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// About how many bytes of content a life has; of a compressed one that is not decoded, those of its file.
    pub fn size(&self, back: usize) -> u64 {
        match self.open.get(back) {
            Some((segment, place)) => place.offset.saturating_sub(segment.begin()),
            None => self.sibling(back).map_or(0, |held| held.size()),
        }
    }

    /// A life, opened.
    ///
    /// # Errors
    /// `NotFound` beyond the oldest; what the system or the decoder says.
    pub fn life(&self, back: usize) -> io::Result<Life> {
        if let Some((segment, end)) = self.open.get(back) {
            let name = self.name(back, *end);
            return Ok(Life { segment: segment.clone(), end: *end, back, name, is_broken: false });
        }
        let held = self.sibling(back).ok_or(io::ErrorKind::NotFound)?;
        let file = held.file()?;
        let (begin, offset) = (file.content_start()?, file.size()?);
        let end = Place { offset: offset.max(begin), check: file.check_before(begin, offset.max(begin))? };
        let segment = Segment::new(self.source.id, self.source.key, file, begin, Born::Rotated);
        segment.set_generation(held.generation);
        segment.seal(end.offset);
        let name = self.name(back, end);
        Ok(Life { segment: Arc::new(segment), end, back, name, is_broken: held.is_broken() })
    }

    fn name(&self, back: usize, end: Place) -> String {
        let generation = self.generation_of(back);
        if generation == NO_GENERATION {
            return String::new();
        }
        let name = generation_text(generation);
        match (0..back).any(|newer| self.generation_of(newer) == generation) {
            true => format!("{name}~{}", generation_text(end.check)),
            false => name,
        }
    }

    /// The first time that a life tells, if it can be known without decoding all of it.
    pub fn first_time(&self, back: usize, reader: &Reader) -> Option<Timestamp> {
        if let Some(held) = self.sibling(back)
            && let Some(first) = held.undecoded()
        {
            let text = Wide::of(first).map_or(Cow::Borrowed(first), |wide| Cow::Owned(wide.run(first)));
            if let Some(time) = lines(&text).find_map(|line| reader.time(line.text)) {
                return Some(time);
            }
        }
        let life = self.life(back).ok()?;
        first_time(&life.segment.file(), life.segment.begin(), life.end.offset, reader).ok()?
    }

    /// The life in which lines of a time lie or would lie, and the offset of the first that is not older.
    ///
    /// # Errors
    /// `NotFound` if there is no life; what the system or the decoder says.
    pub fn at_time(&self, time: Timestamp, reader: &Reader) -> io::Result<(Life, u64)> {
        let mut newer = None;
        for back in 0..self.len() {
            match self.first_time(back, reader) {
                Some(first) if first <= time => {}
                Some(_) => {
                    newer = Some(back);
                    continue;
                }
                // One that tells no times says nothing about the others.
                None => continue,
            }
            let life = self.life(back)?;
            let at = first_at(&life.segment.file(), life.segment.begin(), life.end.offset, time, reader)?;
            // Of the time between two lives the newer one has the first line.
            return match newer {
                Some(back) if at == life.end.offset => self.beginning(back),
                _ => Ok((life, at)),
            };
        }
        self.beginning(newer.unwrap_or(0))
    }

    fn beginning(&self, back: usize) -> io::Result<(Life, u64)> {
        let life = self.life(back)?;
        let begin = life.segment.begin();
        Ok((life, begin))
    }

    /// The life that a request names.
    pub fn named(&self, named: Named) -> Option<Life> {
        let fits = |life: &Life| named.end.is_none_or(|check| life.end.check == check);
        (0..self.len())
            .filter(|&back| self.generation_of(back) == named.generation)
            .filter_map(|back| self.life(back).ok())
            .find(fits)
    }

    /// The life whose content shows what a cursor's entry remembers.
    pub fn find(&self, entry: &Entry) -> Option<(Life, Place)> {
        // Of a stream of messages no generation tells which life it is.
        if let Some(found) = (0..self.open.len()).find_map(|back| self.message(back, entry)) {
            return Some(found);
        }
        let place = Place { offset: entry.offset, check: entry.check };
        let fits = |life: &Life| life.segment.proves(entry.generation, place);
        let mut fitting = (0..self.len())
            .filter(|&back| self.generation_of(back) == entry.generation)
            .filter_map(|back| self.life(back).ok())
            .filter(fits);
        let first = fitting.next()?;
        let best = match first.segment.tie == entry.tie {
            true => first,
            false => fitting.find(|life| life.segment.tie == entry.tie).unwrap_or(first),
        };
        Some((best, place))
    }

    fn message(&self, back: usize, entry: &Entry) -> Option<(Life, Place)> {
        let (segment, _) = self.open.get(back).filter(|(segment, _)| segment.ledger().is_some())?;
        let Where::Here(place) = segment.find(entry) else { return None };
        Some((self.life(back).ok()?, place))
    }

    fn generation_of(&self, back: usize) -> u64 {
        match self.open.get(back) {
            Some((segment, _)) => segment.generation(),
            None => self.sibling(back).map_or(NO_GENERATION, |held| held.generation),
        }
    }
}

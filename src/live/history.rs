//! The rotated set of a source as one log: the lives that are open and, before them, those that rotated siblings hold.
//!
//! Siblings count by their names (those that rotation gives) and by content: what is a copy of an open life is not
//! another one. Their order is that of their last changes. They are opened, and decoded if they are compressed, only
//! when somebody reads there. Everything here blocks.

use super::archive::{is_copy_of, is_file_of};
use super::feed::{Hub, lock};
use super::source::Source;
use crate::log::cursor::{Entry, NO_GENERATION};
use crate::log::encode::json_string;
use crate::log::lines::lines;
use crate::log::record::Reader;
use crate::log::rotated::{Held, MAX_SIBLINGS, look, siblings};
use crate::log::seek::{first_at, first_time};
use crate::log::segment::{Born, Place, Segment};
use crate::log::wide::Wide;
use jiff::Timestamp;
use std::borrow::Cow;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, Instant};

/// How long a look at the siblings is believed while the source's newest life is the same.
const BELIEVED: Duration = Duration::from_secs(1);
/// How long what was opened stays open for the next request.
const KEPT: Duration = Duration::from_secs(60);

/// The siblings of a source as they were found last: decoding one again for each request would cost seconds.
#[derive(Debug, Default)]
pub(super) struct Siblings(Mutex<Option<Found>>);

#[derive(Debug)]
struct Found {
    at: Instant,
    used: Instant,
    /// The newest life then.
    serial: u64,
    /// Each with the verdict whether it is a life of its own.
    held: Vec<(Arc<Held>, bool)>,
}

impl Siblings {
    /// The siblings that are lives of their own, newest first; `open` are the lives that are open, newest first.
    fn get(&self, path: &Path, open: &[(Arc<Segment>, Place)]) -> Vec<Arc<Held>> {
        let serial = open.first().map_or(0, |(segment, _)| segment.serial);
        let own = |held: &[(Arc<Held>, bool)]| {
            held.iter().filter(|(_, own)| *own).map(|(held, _)| held.clone()).collect::<Vec<_>>()
        };
        let (mut known, mut judged) = (Vec::new(), false);
        if let Some(found) = lock(&self.0).as_mut() {
            found.used = Instant::now();
            judged = found.serial == serial;
            if judged && found.at.elapsed() < BELIEVED {
                return own(&found.held);
            }
            known.clone_from(&found.held);
        }
        let at = Instant::now();
        let judge = |held: Held| {
            let same = known.iter().find(|(known, _)| known.sibling == held.sibling);
            // What was decoded before need not be again, neither for the verdict nor to be read.
            let held = same.map_or_else(|| Arc::new(held), |(known, _)| known.clone());
            let own = match same {
                Some((_, own)) if judged => *own,
                _ => is_own(&held, open),
            };
            (held, own)
        };
        let held: Vec<_> = look(path).into_iter().map(judge).collect();
        let found = own(&held);
        *lock(&self.0) = Some(Found { at, used: at, serial, held });
        found
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
}

/// The lives of a source, newest first, at one moment.
#[derive(Debug)]
pub struct History {
    source: Arc<Source>,
    open: Vec<(Arc<Segment>, Place)>,
    /// Looked for when somebody asks for more than what is open.
    held: OnceLock<Vec<Arc<Held>>>,
}

impl History {
    /// What there is now; rotated siblings only if the hub shows them.
    pub fn of(hub: &Hub, source: &Arc<Source>) -> History {
        let mut open = hub.stands(source.id);
        open.reverse();
        let held = OnceLock::new();
        if !hub.shows_history() {
            let _ = held.set(Vec::new());
        }
        History { source: source.clone(), open, held }
    }

    fn held(&self) -> &[Arc<Held>] {
        let look = || match &self.source.path {
            Some(path) => self.source.siblings.get(path, &self.open),
            None => Vec::new(),
        };
        self.held.get_or_init(look)
    }

    fn sibling(&self, back: usize) -> Option<&Arc<Held>> {
        self.held().get(back.checked_sub(self.open.len())?)
    }

    /// How many lives there are.
    pub fn len(&self) -> usize {
        self.open.len() + self.held().len()
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
            return Ok(Life { segment: segment.clone(), end: *end, back });
        }
        let held = self.sibling(back).ok_or(io::ErrorKind::NotFound)?;
        let file = held.file()?;
        let (begin, offset) = (file.content_start()?, file.size()?);
        let end = Place { offset: offset.max(begin), check: file.check_before(begin, offset.max(begin))? };
        let segment = Segment::new(self.source.id, self.source.key, file, begin, Born::Rotated);
        segment.set_generation(held.generation);
        segment.seal(end.offset);
        Ok(Life { segment: Arc::new(segment), end, back })
    }

    /// The first time that a life tells, if it can be known without decoding all of it.
    pub fn first_time(&self, back: usize, reader: &Reader) -> Option<Timestamp> {
        if let Some(held) = self.sibling(back)
            && let Some(first) = held.undecoded()
        {
            let text = Wide::of(first).map_or(Cow::Borrowed(first), |wide| Cow::Owned(wide.run(first)));
            return lines(&text).find_map(|line| reader.time(line.text));
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
            if self.first_time(back, reader).is_some_and(|first| first > time) {
                newer = Some(back);
                continue;
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

    /// The newest life of a generation.
    pub fn generation(&self, generation: u64) -> Option<Life> {
        (0..self.len())
            .find(|&back| self.generation_of(back) == generation)
            .and_then(|back| self.life(back).ok())
    }

    /// The life whose content shows what a cursor's entry remembers.
    pub fn find(&self, entry: &Entry) -> Option<(Life, Place)> {
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

    fn generation_of(&self, back: usize) -> u64 {
        match self.open.get(back) {
            Some((segment, _)) => segment.generation(),
            None => self.sibling(back).map_or(NO_GENERATION, |held| held.generation),
        }
    }
}

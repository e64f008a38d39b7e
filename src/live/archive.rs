//! Generations that are no longer open: found among the rotated siblings, by content, and chained to those that
//! followed them.
//!
//! What came after a found life is known in part from the follower, which remembers the lives that it read to
//! their ends; those from before this server began stand in the order of their last changes. A chain ends at what
//! the follower has open. Everything here blocks.

use super::source::{Life, Source};
use crate::log::cursor::{Entry, NO_GENERATION};
use crate::log::logfile::LogFile;
use crate::log::rotated::{Held, look};
use crate::log::segment::{Born, Place, Segment};
use std::collections::HashMap;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// One look at what a source was. A life is one segment of it, however many entries lead there.
pub(super) struct Archive<'a> {
    source: &'a Source,
    open: &'a [(Arc<Segment>, Place)],
    past: Vec<Life>,
    /// The siblings that are not open, newest first.
    held: Vec<Held>,
    segments: HashMap<(u64, u64), Arc<Segment>>,
}

impl<'a> Archive<'a> {
    /// Looks; `open` is what a client's view has open.
    pub(super) fn of(source: &'a Source, open: &'a [(Arc<Segment>, Place)]) -> Archive<'a> {
        let mut held = source.path.as_deref().map(|path| look(path, &source.redact)).unwrap_or_default();
        held.retain(|held| {
            !open
                .iter()
                .any(|(segment, place)| is_file_of(held, segment) || is_copy_of(held, segment, *place))
        });
        // Remembered after the look: what the follower ended meanwhile is in both, and counts as open.
        let newest = open.last().map_or(u64::MAX, |(segment, _)| segment.serial);
        let mut past = source.past();
        past.retain(|life| {
            life.serial < newest && !open.iter().any(|(segment, _)| segment.serial == life.serial)
        });
        Archive { source, open, past, held, segments: HashMap::new() }
    }

    /// The place that an entry fits, in a segment that leads to what is open.
    pub(super) fn find(&mut self, entry: &Entry) -> Option<(Arc<Segment>, Place)> {
        let mut best: Option<(usize, Arc<LogFile>)> = None;
        for (at, held) in self.held.iter().enumerate() {
            let file = match entry.generation {
                NO_GENERATION => held
                    .file()
                    .ok()
                    .filter(|file| held.sibling.codec.is_none() && file.ident().tie() == entry.tie),
                known => held.proves(known, entry.offset, entry.check),
            };
            let Some(file) = file else { continue };
            let ties = file.ident().tie() == entry.tie;
            if ties || best.is_none() {
                best = Some((at, file));
            }
            if ties {
                break;
            }
        }
        let (at, file) = best?;
        let begin = file.content_start().ok()?;
        let life = self.past.iter().rev().find(|life| {
            life.end.offset >= entry.offset
                && (life.generation == entry.generation || entry.generation == NO_GENERATION)
                && file.proves(begin, life.generation, life.end.offset, life.end.check)
        });
        let next = match life.map(|life| life.serial) {
            Some(serial) => self.lives_after(serial),
            None => self.lives_before_us(at),
        };
        let segment = self.segment(at, next).ok()?;
        let place = match entry.generation {
            NO_GENERATION => segment.first(),
            _ => Place { offset: entry.offset, check: entry.check },
        };
        Some((segment, place))
    }

    /// The siblings that their names say were rotated, newest first.
    pub(super) fn siblings(&self) -> Vec<usize> {
        let rotated =
            |&at: &usize| self.held[at].sibling.rotated_name && self.held[at].sibling.stamp.size > 0;
        (0..self.held.len()).filter(rotated).collect()
    }

    /// When a sibling was last changed, in nanoseconds since 1970.
    pub(super) fn modified(&self, at: usize) -> i128 {
        self.held[at].sibling.stamp.modified
    }

    /// The life that the sibling at `at` holds, and its end. It leads to the next newer one, and from the newest to what
    /// is open.
    ///
    /// # Errors
    /// What the system or the decoder says.
    pub(super) fn older(&mut self, at: usize) -> io::Result<(Arc<Segment>, Place)> {
        let next = (0..at).rev().find_map(|newer| self.segments.get(&self.held[newer].ident()).cloned());
        let segment = self.segment(at, next.or_else(|| self.open.first().map(|(open, _)| open.clone())))?;
        let (file, offset) = (segment.file(), segment.end().unwrap_or(segment.begin()));
        Ok((segment.clone(), Place { offset, check: file.check_before(segment.begin(), offset)? }))
    }

    /// Whether one of the compressed siblings holds nothing.
    pub(super) fn has_empty(&self) -> bool {
        let empty = |held: &Held| held.file().is_ok_and(|file| file.size().is_ok_and(|size| size == 0));
        let nothing = crate::log::cursor::generation(b"");
        self.held.iter().any(|held| held.sibling.codec.is_some() && held.generation == nothing && empty(held))
    }

    /// The chain of the lives after a number.
    fn lives_after(&mut self, serial: u64) -> Option<Arc<Segment>> {
        let mut next: Option<Arc<Segment>> = None;
        let mut lives: Vec<(u64, Result<Arc<Segment>, Life>)> = Vec::new();
        lives.extend(self.open.iter().map(|(segment, _)| (segment.serial, Ok(segment.clone()))));
        lives.extend(self.past.iter().map(|life| (life.serial, Err(*life))));
        lives.retain(|(own, _)| *own > serial);
        lives.sort_by_key(|(own, _)| std::cmp::Reverse(*own));
        for (_, life) in lives {
            let life = match life {
                Ok(open) => {
                    next = Some(open);
                    continue;
                }
                Err(life) => life,
            };
            let shows = |held: &Held| held.proves(life.generation, life.end.offset, life.end.check).is_some();
            if let Some(at) = self.held.iter().position(shows)
                && let Ok(segment) = self.segment(at, next.clone())
            {
                next = Some(segment);
            }
        }
        next
    }

    /// The chain of what was rotated away after the sibling at `at` but before this server began, and then of
    /// what the server knows.
    fn lives_before_us(&mut self, at: usize) -> Option<Arc<Segment>> {
        let mut next = self.lives_after(0);
        for newer in 0..at {
            let held = &self.held[newer];
            let told =
                self.past.iter().any(|life| held.ends_at(life.generation, life.end.offset, life.end.check));
            if held.sibling.rotated_name
                && !told
                && let Ok(segment) = self.segment(newer, next.clone())
            {
                next = Some(segment);
            }
        }
        next
    }

    fn segment(&mut self, at: usize, next: Option<Arc<Segment>>) -> io::Result<Arc<Segment>> {
        let held = &self.held[at];
        if let Some(segment) = self.segments.get(&held.ident()) {
            return Ok(segment.clone());
        }
        let file = held.file()?;
        let begin = file.content_start()?;
        let end = file.size()?;
        let segment = Segment::new(self.source.id, self.source.key, file, begin, Born::Rotated);
        segment.set_generation(held.generation);
        segment.seal(end.max(begin));
        if let Some(next) = next {
            segment.set_next(next);
        }
        let segment = Arc::new(segment);
        self.segments.insert(held.ident(), segment.clone());
        Ok(segment)
    }
}

pub(super) fn is_file_of(held: &Held, segment: &Segment) -> bool {
    let ident = segment.file().ident();
    (ident.dev, ident.ino) == held.ident()
}

/// Whether a sibling is a copy of an open life, compressed perhaps, so that only the open one counts.
pub(super) fn is_copy_of(held: &Held, segment: &Segment, place: Place) -> bool {
    place.offset > segment.begin()
        && segment.proves(segment.generation(), place)
        && held.proves(segment.generation(), place.offset, place.check).is_some()
}

/// A file among the siblings of `path`, another one than `own`, that holds a segment up to a place.
pub fn copy_of(segment: &Segment, own: &LogFile, path: &Path, place: Place) -> Option<Arc<LogFile>> {
    let generation = segment.generation();
    if generation == NO_GENERATION {
        return None;
    }
    others(own, path).iter().find_map(|held| {
        let file = held.proves(generation, place.offset, place.check)?;
        let whole = segment.end().is_none_or(|end| file.size().is_ok_and(|size| size >= end));
        whole.then_some(file)
    })
}

/// The same for a segment whose first line was not complete yet, by the bytes of it that were seen.
pub fn copy_of_unnamed(segment: &Segment, own: &LogFile, path: &Path, seen: &[u8]) -> Option<Arc<LogFile>> {
    others(own, path).iter().filter(|held| held.begins_with(seen)).find_map(|held| {
        let file = held.file().ok()?;
        let mut first = vec![0; seen.len()];
        let begin = file.content_start().unwrap_or(0);
        let same =
            begin == segment.begin() && file.read_at(&mut first, begin).is_ok_and(|n| first[..n] == *seen);
        same.then_some(file)
    })
}

fn others(own: &LogFile, path: &Path) -> Vec<Held> {
    let redact = own.redact();
    let own = (own.ident().dev, own.ident().ino);
    let mut held = look(path, redact);
    held.retain(|held| held.ident() != own);
    held
}

/// Looks for what a segment held at a place among its siblings, and reads it from there if it is found.
pub fn relocate(segment: &Segment, path: Option<&Path>, place: Place) -> bool {
    let copy = path.and_then(|path| copy_of(segment, &segment.file(), path, place));
    copy.is_some_and(|file| {
        segment.move_to(file);
        true
    })
}

//! What a path's siblings tell: lives that began and were rotated away between two looks, copies of what was told,
//! and what was there before.

use super::{Followed, Look, modified};
use crate::live::growth::Growing;
use crate::log::cursor::NO_GENERATION;
use crate::log::logfile::{Head, LogFile};
use crate::log::rotated::{Held, Order, Stamp, look_for};
use crate::log::segment::{Born, Place, Segment};
use std::collections::HashMap;

/// How often what was missed is looked for while the file is cut again and again, or while there is more of it.
const SETTLE_TRIES: u32 = 64;
/// How much of a file tells whether it was cut while its siblings were looked at.
const FIRST_BYTES: usize = 4096;
/// The most old lives that are held open for late lines after a burst of rotations.
const MAX_OPEN: usize = 16;
/// With so many lives since a look that saw nothing, some were most likely removed again: rotation keeps few.
const DOUBTFUL: usize = 5;

impl Followed {
    /// Whether the current file, of which nothing was read yet, was filled, copied away and cut meanwhile: its own
    /// content cannot tell, a new sibling does.
    pub(super) fn missed_unseen(&mut self) -> bool {
        let Some(growing) = self.open.last().filter(|growing| growing.segment.generation() == NO_GENERATION)
        else {
            return false;
        };
        let file = growing.file.clone();
        self.looked
            && file.size().is_ok_and(|size| size > 0)
            && self.folder_time().is_some_and(|time| time != self.folder_modified)
            && !self.missed(&file).lives.is_empty()
    }

    /// What began and was rotated away since the last look, oldest first, up to the file that comes next. Returns
    /// that file's generation, if it is known: should it be cut now, that is seen by its head.
    pub(super) fn catch_up(&mut self, look: &mut Look<'_>, next: &LogFile) -> Option<u64> {
        let mut first = first_bytes(next);
        for _ in 0..SETTLE_TRIES {
            let missed = self.missed(next);
            if !missed.unbroken && !missed.lives.is_empty() {
                self.gap(look, "files may have been rotated away before they could be read", None);
            }
            for held in missed.lives {
                self.catch_up_with(look, &held);
                self.known.insert(held.sibling.stamp, held.end());
            }
            if missed.more {
                continue;
            }
            // Cut meanwhile: what was taken for a copy of it was a life of its own.
            let now = first_bytes(next);
            let same = now.starts_with(&first);
            first = now;
            if same && missed.copies.iter().all(|held| held.is_beginning_of(next)) {
                break;
            }
        }
        match next.head_of(&first) {
            Head::Known(generation) => Some(generation),
            Head::Unfinished(_) => None,
        }
    }

    fn catch_up_with(&mut self, look: &mut Look<'_>, held: &Held) {
        let Ok(file) = held.file() else { return };
        // Another of the siblings may have been its copy.
        if self.is_copy(held) {
            return;
        }
        let told = self.told_before(&file).map(|(end, _, _)| end);
        if told.is_some_and(|end| file.size().is_ok_and(|size| size <= end.offset)) {
            return;
        }
        let mut segment = Segment::new(self.source.id, self.source.key, file, 0, Born::Rotated);
        segment.set_generation(held.generation);
        // Lines that stood behind the end of a life when it was cut, and no others.
        if let Some(end) = self.end_before_cut(held) {
            segment = segment.starting_at(end);
        }
        self.begin(look, segment);
        self.named = false;
        if let Some(growing) = self.open.last_mut() {
            let _ = growing.read(look.hub, &self.source, look.buf);
        }
        if self.open.len() > MAX_OPEN {
            self.seal(look, 0, false);
        }
    }

    fn missed(&mut self, next: &LogFile) -> Missed {
        let known = |stamp: &Stamp| self.known.contains_key(stamp);
        let looked = look_for(&self.path, Order::Oldest, &self.source.redact, &|stamp| !known(stamp));
        let mut found = looked.held;
        found.reverse();
        // If the next file was rotated away meanwhile, what came after it is for the next look.
        let next_ident = (next.ident().dev, next.ident().ino);
        if let Some(at) = found.iter().position(|held| held.ident() == next_ident) {
            found.truncate(at);
        }
        let is_open = |held: &Held| self.open.iter().any(|growing| is_file(&growing.file, held));
        // What came after the life that was read last is all there if that one is there too, by itself or as a copy.
        // Of a file in which nothing was seen yet, no copy can tell.
        let unseen = self.open.last().is_none_or(|growing| growing.segment.generation() == NO_GENERATION);
        let mut unbroken =
            unseen && found.len() < DOUBTFUL || looked.stamps.iter().any(|stamp| self.is_last(stamp));
        found.retain(|held| held.sibling.rotated_name && !is_open(held));
        // Each may be a birth that the watcher saw, an empty life or a copy too.
        self.lives += found.len() as u64;
        let (copies, others): (Vec<Held>, Vec<Held>) = found.into_iter().partition(|held| self.is_copy(held));
        unbroken |= !copies.is_empty();
        for held in copies {
            self.known.insert(held.sibling.stamp, held.end());
        }
        let (copies, lives) = others.into_iter().partition(|held| held.is_beginning_of(next));
        Missed { lives, copies, unbroken, more: looked.cut }
    }

    /// Whether a sibling is, or is known to be a copy of, a life that is open.
    fn is_last(&self, stamp: &Stamp) -> bool {
        let copy = self.known.get(stamp).copied().flatten().map(|(generation, _)| generation);
        self.open.iter().any(|growing| {
            let ident = growing.file.ident();
            (ident.dev, ident.ino) == (stamp.dev, stamp.ino) || copy == Some(growing.segment.generation())
        })
    }

    /// Whether a sibling holds a life that is open or was told, as a copy or compressed.
    fn is_copy(&self, held: &Held) -> bool {
        let ends = |generation: u64, end: Place| held.ends_at(generation, end.offset, end.check);
        let open = |growing: &Growing| {
            let (generation, tip) = (growing.segment.generation(), growing.tip);
            if generation == NO_GENERATION || held.generation != generation {
                return false;
            }
            let Ok(file) = held.file() else { return false };
            // What was seen of an unfinished last line is behind the tip, and the file may have grown since it was read.
            let to_the_tip = held.proves(generation, tip.offset, tip.check).is_some();
            to_the_tip && file.size().is_ok_and(|size| size <= growing.seen)
                || held.is_beginning_of(&growing.file)
                // It was copied, written on, read, and cut.
                || growing.is_told_by(&file).unwrap_or(false)
        };
        self.open.iter().any(open)
            || self.source.past().iter().any(|past| ends(past.generation, past.end))
            // Compressed since it was seen last.
            || self.known.values().flatten().any(|(generation, end)| ends(*generation, *end))
    }

    /// How far the life that a sibling is a longer copy of was told before its file was cut, unless another sibling
    /// is its exact copy: then this one only begins alike.
    fn end_before_cut(&self, held: &Held) -> Option<Place> {
        let life = self.source.past().into_iter().rev().find(|life| {
            life.cut && held.proves(life.generation, life.end.offset, life.end.check).is_some()
        })?;
        let exact = |known: &Option<(u64, Place)>| *known == Some((life.generation, life.end));
        (!self.known.values().any(exact)).then_some(life.end)
    }

    /// The end of a life that was told before, if the file is that one come back.
    pub(super) fn told_before(&self, file: &LogFile) -> Option<(Place, u64, u64)> {
        let ident = file.ident();
        let begin = file.content_start().ok()?;
        self.source.past().iter().rev().find_map(|past| {
            let same =
                past.ident == ident && file.proves(begin, past.generation, past.end.offset, past.end.check);
            same.then_some((past.end, past.generation, begin))
        })
    }

    /// Which siblings there are, if the folder changed since they were noted: a later one is known to be new.
    pub(super) fn list_siblings(&mut self) -> Option<HashMap<Stamp, Option<(u64, Place)>>> {
        let modified = self.folder_time()?;
        if self.looked && std::mem::replace(&mut self.folder_modified, modified) == modified {
            return None;
        }
        let looked = look_for(&self.path, Order::Newest, &self.source.redact, &|stamp| {
            !self.known.contains_key(stamp)
        });
        let ends: HashMap<Stamp, _> =
            looked.held.iter().map(|held| (held.sibling.stamp, held.end())).collect();
        let end = |stamp: &Stamp| ends.get(stamp).or(self.known.get(stamp)).copied().flatten();
        Some(looked.stamps.iter().map(|stamp| (*stamp, end(stamp))).collect())
    }

    /// When the folder was last changed.
    fn folder_time(&self) -> Option<i128> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        std::fs::metadata(folder.unwrap_or(std::path::Path::new("."))).ok().map(|meta| modified(&meta))
    }
}

/// What began since the last look.
struct Missed {
    /// Lives, older first.
    lives: Vec<Held>,
    /// What the next file begins with, as it is now.
    copies: Vec<Held>,
    /// Whether it is known that none is missing between what was read last and them.
    unbroken: bool,
    /// Whether there are more than one look can open.
    more: bool,
}

fn is_file(file: &LogFile, held: &Held) -> bool {
    (file.ident().dev, file.ident().ino) == held.ident()
}

/// The first bytes of a file's content now: more than its first line, which other lives may have too.
fn first_bytes(file: &LogFile) -> Vec<u8> {
    let mut first = vec![0; FIRST_BYTES];
    let read = file.content_start().and_then(|begin| file.read_at(&mut first, begin));
    first.truncate(read.unwrap_or(0));
    first
}

/// The generation that a file's first line tells now.
pub(super) fn head_now(file: &LogFile) -> Option<u64> {
    match file.content_start().and_then(|begin| file.head(begin)) {
        Ok(Head::Known(generation)) => Some(generation),
        _ => None,
    }
}

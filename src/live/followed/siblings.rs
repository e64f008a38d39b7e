//! What a path's siblings tell: lives that began and were rotated away between two looks, copies of what was told,
//! and what was there before.

use super::{Followed, Look, modified};
use crate::live::growth::Growing;
use crate::log::cursor::NO_GENERATION;
use crate::log::logfile::{Head, LogFile};
use crate::log::rotated::{Held, Stamp, look};
use crate::log::segment::{Born, Place, Segment};
use std::collections::HashMap;

/// How often what was missed is looked for while the file is cut again and again.
const SETTLE_TRIES: u32 = 10;

impl Followed {
    /// Whether the current file, of which nothing was read yet, was filled, copied away and cut meanwhile: its own
    /// content cannot tell, a new sibling does.
    pub(super) fn missed_unseen(&mut self) -> bool {
        let Some(growing) = self.open.last().filter(|growing| growing.segment.generation() == NO_GENERATION)
        else {
            return false;
        };
        let file = growing.segment.file();
        self.looked
            && file.size().is_ok_and(|size| size > 0)
            && self.folder_time().is_some_and(|time| time != self.folder_modified)
            && !self.missed(&file).is_empty()
    }

    /// What began and was rotated away since the last look, oldest first, up to the file that comes next. Returns
    /// that file's generation, if it is known: should it be cut now, that is seen by its head.
    pub(super) fn catch_up(&mut self, look: &mut Look<'_>, next: &LogFile) -> Option<u64> {
        let mut head = head_now(next);
        for _ in 0..SETTLE_TRIES {
            for held in self.missed(next) {
                self.catch_up_with(look, &held);
            }
            // Cut meanwhile: what was taken for a copy of it was a life of its own.
            let now = head_now(next);
            if std::mem::replace(&mut head, now) == now {
                break;
            }
        }
        head
    }

    fn catch_up_with(&mut self, look: &mut Look<'_>, held: &Held) {
        let Ok(file) = held.file() else { return };
        // Another of the siblings may have been its copy.
        if self.is_copy(held) {
            return;
        }
        let told = self.told_before(&file).map(|(end, _, _)| end.offset);
        if told.is_some_and(|end| file.size().is_ok_and(|size| size <= end)) {
            return;
        }
        let segment = Segment::new(self.source.id, self.source.key, file, 0, Born::Rotated);
        segment.set_generation(held.generation);
        self.begin(look, segment);
        self.named = false;
        if let Some(growing) = self.open.last_mut() {
            let _ = growing.read(look.hub, &self.source, look.buf);
        }
    }

    fn missed(&mut self, next: &LogFile) -> Vec<Held> {
        let mut found = look(&self.path);
        found.reverse();
        // If the next file was rotated away meanwhile, what came after it is for the next look.
        let next_ident = (next.ident().dev, next.ident().ino);
        if let Some(at) = found.iter().position(|held| held.ident() == next_ident) {
            found.truncate(at);
        }
        let is_open = |held: &Held| {
            self.open.iter().any(|growing| {
                let ident = growing.segment.file().ident();
                (ident.dev, ident.ino) == held.ident()
            })
        };
        found.retain(|held| {
            held.sibling.rotated_name && !self.known.contains_key(&held.sibling.stamp) && !is_open(held)
        });
        // Each may be a birth that the watcher saw, an empty life or a copy too.
        self.lives += found.len() as u64;
        found.retain(|held| !held.is_beginning_of(next) && !self.is_copy(held));
        found
    }

    /// Whether a sibling holds a life that is open or was told, as a copy or compressed.
    fn is_copy(&self, held: &Held) -> bool {
        let ends = |generation: u64, end: Place| held.ends_at(generation, end.offset, end.check);
        // What was seen of an unfinished last line is behind the tip.
        let open = |growing: &Growing| {
            let (generation, tip) = (growing.segment.generation(), growing.tip);
            let held = held.proves(generation, tip.offset, tip.check);
            held.is_some_and(|file| file.size().is_ok_and(|size| size <= growing.seen))
        };
        self.open.iter().any(open)
            || self.source.past().iter().any(|past| ends(past.generation, past.end))
            // Compressed since it was seen last.
            || self.known.iter().any(|known| known.1.is_some_and(|(generation, end)| ends(generation, end)))
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
        Some(look(&self.path).iter().map(|held| (held.sibling.stamp, held.end())).collect())
    }

    /// When the folder was last changed.
    fn folder_time(&self) -> Option<i128> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        std::fs::metadata(folder.unwrap_or(std::path::Path::new("."))).ok().map(|meta| modified(&meta))
    }
}

/// The generation that a file's first line tells now.
pub(super) fn head_now(file: &LogFile) -> Option<u64> {
    match file.content_start().and_then(|begin| file.head(begin)) {
        Ok(Head::Known(generation)) => Some(generation),
        _ => None,
    }
}

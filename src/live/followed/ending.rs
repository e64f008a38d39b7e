//! How lives end: cut, replaced and quiet, or removed.

use super::{Followed, GRACE, Look};
use crate::live::archive;
use crate::live::source::Life;
use crate::live::vector::Delta;
use crate::live::view::Content;
use std::os::unix::fs::MetadataExt;

impl Followed {
    /// Reads on in a copy what a cut generation still had; says what was seen and is gone.
    pub(super) fn rescue(&mut self, look: &mut Look<'_>, at: usize) {
        let growing = &mut self.open[at];
        let (segment, own) = (&growing.segment, &growing.file);
        let copy = match growing.unnamed() {
            Some(seen) => archive::copy_of_unnamed(segment, own, &self.path, seen),
            None => archive::copy_of(segment, own, &self.path, growing.tip),
        };
        if let Some(copy) = copy {
            growing.move_to(copy);
            let _ = growing.read(look.hub, &self.source, look.buf);
        }
    }

    /// Ends a generation that is not the current one; `cut` if its file no longer holds it.
    pub(super) fn seal(&mut self, look: &mut Look<'_>, at: usize, cut: bool) {
        let mut growing = self.open.remove(at);
        growing.finish(look.hub, &self.source);
        let lost = growing.seen.saturating_sub(growing.tip.offset);
        look.hub.publish(&self.source, Delta::Seal(growing.segment.clone()), Content::Nothing);
        if lost > 0 {
            self.gap(look, "the file was cut before it was read", Some(lost));
        }
        self.source.remember(Life {
            serial: growing.segment.serial,
            ident: growing.file.ident(),
            generation: growing.segment.generation(),
            end: growing.tip,
            cut,
        });
    }

    /// Ends the generations that the path no longer names and that have not grown for the grace.
    pub(super) fn end_quiet(&mut self, look: &mut Look<'_>) {
        let mut at = 0;
        while at < self.open.len() {
            let last = at + 1 == self.open.len();
            let growing = &self.open[at];
            // A path without a file keeps its last one, which may be moved back, unless it is deleted.
            let over = match last {
                true if self.named && self.missing_since.is_none() => false,
                true => growing.file.metadata().is_ok_and(|meta| meta.nlink() == 0),
                false => true,
            };
            let since = match last {
                true => self.missing_since.map_or(growing.grew, |since| since.max(growing.grew)),
                false => growing.grew.max(self.open[at + 1].began),
            };
            if over && since.elapsed() >= GRACE {
                self.named &= !last;
                self.seal(look, at, false);
            } else {
                at += 1;
            }
        }
    }
}

//! Sources that have not begun when a client comes: the engine that feeds them is not there yet.
//!
//! Where a backlog begins in such a source, or the place that a cursor names, can be told only once it has begun. Until
//! then the client reads on its own account and its ids repeat what its cursor said; once it has, the place is looked for
//! before what was there at the start, as if the client had come a moment later.

use super::{Client, UNREAD_TRIES, UNSETTLED_WAIT, blocking};
use crate::live::resume::{self, Start};
use crate::live::vector::{Stand, Vector};
use crate::log::segment::Segment;
use std::sync::Arc;

/// What a client waits for.
#[derive(Debug)]
pub(super) struct ToCome {
    sources: Vec<usize>,
    start: Start,
}

impl ToCome {
    pub(super) fn of(sources: Vec<usize>, start: Start) -> Option<Box<ToCome>> {
        (!sources.is_empty()).then(|| Box::new(ToCome { sources, start }))
    }
}

impl Client {
    /// Whether a source's beginning is waited for.
    pub(super) fn awaits(&self, source: usize) -> bool {
        self.to_come.as_ref().is_some_and(|to_come| to_come.sources.contains(&source))
    }

    /// Whether any is; what ended without one is not waited for any more.
    pub(super) fn awaits_any(&self) -> bool {
        let ended = |id: &usize| self.sources.get(*id).is_none_or(|source| source.never_was());
        self.to_come.as_ref().is_some_and(|to_come| !to_come.sources.iter().all(ended))
    }

    /// A source has begun: finds the client's place in it, the first thing that is new being what came after that.
    pub(super) async fn meet(&mut self, segment: &Arc<Segment>) {
        let id = segment.source;
        let Some(to_come) = &mut self.to_come else { return };
        to_come.sources.retain(|own| *own != id);
        let start = to_come.start.clone();
        let mut tip = Vector::default();
        tip.push(Stand::at(segment.clone(), segment.first()));
        let mut tries = 0;
        let found = loop {
            let (hub, view) = (self.seat.hub.clone(), self.seat.view.clone());
            let (tip, start) = (tip.clone(), start.clone());
            let found = blocking(move || resume::find(&hub, &view.key, &tip, start)).await;
            tries += 1;
            if !found.unread || tries >= UNREAD_TRIES {
                break found;
            }
            tokio::time::sleep(UNSETTLED_WAIT).await;
        };
        self.own = self.own.without(id);
        for stand in found.vector.stands().iter().filter(|stand| stand.source == id) {
            self.own.push(stand.clone());
        }
        for gap in found.gaps {
            self.gap(gap.source, &gap.reason, None);
        }
    }
}

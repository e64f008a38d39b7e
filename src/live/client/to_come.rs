//! Sources that have not begun when a client comes: the engine that feeds them is not there yet.
//!
//! Where a backlog begins in such a source, or the place that a cursor names, can be told only once it has begun. Until
//! then the client reads on its own account and its ids repeat what its cursor said; once it has, the place is looked for
//! before what was there at the start, as if the client had come a moment later.

use super::{Client, LOOKS, UNREAD_TRIES, UNSETTLED_WAIT, blocking};
use crate::live::notices::notice_body;
use crate::live::resume::{self, Start};
use crate::live::vector::{Stand, Vector};
use crate::log::encode::notice;
use crate::log::segment::Segment;
use bytes::Bytes;
use std::sync::Arc;

/// What a client waits for.
#[derive(Debug)]
pub(super) struct ToCome {
    sources: Vec<usize>,
    start: Start,
}

impl ToCome {
    pub(super) fn of((sources, start): (Vec<usize>, Start)) -> Option<Box<ToCome>> {
        (!sources.is_empty()).then(|| Box::new(ToCome { sources, start }))
    }
}

impl Client {
    /// Whether a source's beginning is waited for.
    pub(super) fn awaits(&self, source: usize) -> bool {
        self.to_come.as_ref().is_some_and(|to_come| to_come.sources.contains(&source))
    }

    /// Says of what ended without a beginning that it did: the record that told it is passed over by who waits.
    pub(super) fn give_up_ended(&mut self) {
        let Some(to_come) = &mut self.to_come else { return };
        let never_was = |id: &usize| self.sources.get(*id).is_none_or(|source| source.never_was());
        let ended: Vec<usize> = to_come.sources.iter().copied().filter(never_was).collect();
        to_come.sources.retain(|id| !ended.contains(id));
        if to_come.sources.is_empty() {
            self.to_come = None;
        }
        for source in ended.into_iter().filter_map(|id| self.sources.get(id).cloned()) {
            let body = notice_body(Some(&source.name), &source.end_members());
            let mut out = Vec::new();
            for name in ["gap", "ended"].iter().filter(|name| **name == "ended" || source.broken().is_some())
            {
                notice(self.format(), name, Some(&self.own.id()), &body, &mut out);
            }
            self.ready.push_back(Bytes::from(out));
        }
    }

    /// A source has begun: finds the client's place in it, the first thing that is new being what came after that.
    pub(super) async fn meet(&mut self, segment: &Arc<Segment>) {
        let id = segment.source;
        let Some(to_come) = &mut self.to_come else { return };
        to_come.sources.retain(|own| *own != id);
        let start = to_come.start.clone();
        if to_come.sources.is_empty() {
            self.to_come = None;
        }
        let mut tip = Vector::default();
        tip.push(Stand::at(segment.clone(), segment.first()));
        let looks = self.seat.view.key.filter.is_some() || start.counts();
        let mut tries = 0;
        let found = loop {
            let (hub, view) = (self.seat.hub.clone(), self.seat.view.clone());
            let (tip, start) = (tip.clone(), start.clone());
            // All who waited come at once.
            let turn = if looks { LOOKS.acquire().await.ok() } else { None };
            let found = blocking(move || {
                let _turn = turn;
                resume::find(&hub, &view.key, &tip, start)
            })
            .await;
            tries += 1;
            if !found.unread || tries >= UNREAD_TRIES || self.stop.is_cancelled() {
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

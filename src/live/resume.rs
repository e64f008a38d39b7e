//! Where a client begins: a backlog ([`backlog`]), or the place that a cursor proves.
//!
//! A cursor is believed only where a file shows what it remembers. Candidates in order: the current file, the
//! generations still open, the rotated siblings, newest first; tie bits only choose between lives of equal
//! content. Everything here blocks.

use super::archive::Archive;
use super::backlog::{self, Backlog};
use super::feed::Hub;
use super::source::Source;
use super::streamed::{self, Placed};
use super::vector::{Delta, Stand, Vector};
use super::view::ViewKey;
use crate::log::cursor::{Cursor, Entry, NO_GENERATION, NO_LINE};
use crate::log::encode::Format;
use crate::log::rotated::changed_lately;
use crate::log::segment::{Place, Segment};
use std::sync::Arc;

/// Where a client begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// With a backlog.
    Backlog(Backlog),
    /// Behind the cursor of this id; where it is not understood, with the backlog.
    Cursor(Vec<u8>, Backlog),
}

impl Start {
    /// Whether lines may have to be counted from a file's start to find it.
    pub fn counts(&self) -> bool {
        let (Start::Backlog(backlog) | Start::Cursor(_, backlog)) = self;
        matches!(backlog, Backlog::From(_))
    }
}

/// A broken continuity.
#[derive(Debug, PartialEq, Eq)]
pub struct Gap {
    /// The source it concerns; `None` for all.
    pub source: Option<usize>,
    /// What happened.
    pub reason: String,
}

/// A client's beginning.
#[derive(Debug)]
pub struct Found {
    /// Where it stands.
    pub vector: Vector,
    /// What it must be told first.
    pub gaps: Vec<Gap>,
    /// True if the files were changing while they were looked at: the follower will know more in a moment.
    pub unsettled: bool,
    /// True if another server has read further than this one.
    pub unread: bool,
    /// The sources that have not begun: the client's place in them is found once they have, with this start.
    pub to_come: (Vec<usize>, Start),
}

impl Found {
    fn at(vector: Vector, gaps: Vec<Gap>, to_come: (Vec<usize>, Start)) -> Found {
        Found { vector, gaps, unsettled: false, unread: false, to_come }
    }
}

/// Finds where a client begins; `tip` is where its view stands.
pub fn find(hub: &Hub, key: &ViewKey, tip: &Vector, start: Start) -> Found {
    let sources = hub.sources();
    // The page reads by range what it has not, and needs what only the shared records tell: it does not wait.
    let waits = key.format != Format::Live;
    let is_to_come =
        |id: &usize| sources.get(*id).is_some_and(|source| source.may_come()) && tip.of(*id).next().is_none();
    let begin = |backlog| {
        let (vector, gaps) = backlog::begin(hub, key, tip, backlog);
        let wants = backlog != Backlog::Last(0);
        let ids = tip.sources().filter(|id| wants && waits && is_to_come(id)).collect();
        Found::at(vector, gaps, (ids, Start::Backlog(backlog)))
    };
    let (id, backlog) = match start {
        Start::Backlog(backlog) => return begin(backlog),
        Start::Cursor(id, backlog) => (id, backlog),
    };
    let gap = |source, reason: &str| Gap { source, reason: reason.to_owned() };
    let ours = |entry: &Entry| tip.stands().iter().any(|stand| stand.key == entry.key);
    let Some(cursor) = Cursor::parse(&id).filter(|cursor| cursor.entries.iter().any(ours)) else {
        let mut found = begin(backlog);
        found.gaps.insert(0, gap(None, "the cursor is not one of these files'"));
        return found;
    };
    let later = (Vec::new(), Start::Cursor(id.clone(), backlog));
    let mut found = Found::at(Vector::default(), Vec::new(), later);
    for id in tip.sources() {
        let Some(source) = sources.get(id) else { continue };
        let entries: Vec<&Entry> = cursor.entries.iter().filter(|entry| entry.key == source.key).collect();
        // Before and after: the follower may find what was cut in a copy while this looks.
        let all_show = || tip.of(id).all(|(segment, place)| still_shows(segment, *place));
        let showed = all_show();
        if entries.is_empty() && cursor.partial {
            found.gaps.push(gap(Some(id), "the cursor does not name this file"));
            copy_stands(tip, id, &mut found.vector);
        } else if entries.is_empty() {
            // It joined after the cursor was given: all of it is new.
            found.vector.push(Stand::nowhere(id, source.key));
        } else if let Some(entry) = entries.last().filter(|_| is_to_come(&id)) {
            found.vector.push(Stand::not_yet(id, **entry));
            if waits {
                found.to_come.0.push(id);
            }
        } else if let Some((segment, _)) = tip.of(id).last().filter(|(segment, _)| segment.ledger().is_some())
        {
            let entry = entries[entries.len() - 1];
            if entry.generation == NO_GENERATION && entry.tie == 0 {
                // It was given before the source began: the backlog before that, and all since.
                let mut first = Vector::default();
                first.push(Stand::at(segment.clone(), segment.first()));
                let (own, gaps) = backlog::begin(hub, key, &first, backlog);
                own.stands().iter().for_each(|stand| found.vector.push(stand.clone()));
                found.gaps.extend(gaps);
                continue;
            }
            match streamed::place(source, segment, entry, &mut found.vector) {
                Placed::Found => {}
                Placed::Gap(why) => found.gaps.push(gap(Some(id), why)),
                Placed::Unread(why) => {
                    found.gaps.push(gap(Some(id), why));
                    found.unread = true;
                }
            }
        } else if !place_source(source, tip, &entries, &mut found.vector) {
            found.gaps.push(gap(Some(id), "the place of the cursor is gone"));
            found.unsettled |= source.path.as_deref().is_some_and(changed_lately);
        }
        found.unsettled |= !(showed && all_show());
    }
    found
}

/// Whether an open generation's file still shows it; else the follower is about to see that it was cut.
fn still_shows(segment: &Segment, place: Place) -> bool {
    let generation = segment.generation();
    generation == NO_GENERATION || place.offset < segment.begin() || segment.proves(generation, place)
}

/// Puts the stands of one source where its entries say; false if one of them says nothing any more.
pub(super) fn place_source(source: &Source, tip: &Vector, entries: &[&Entry], out: &mut Vector) -> bool {
    let open: Vec<(Arc<Segment>, Place)> = tip.of(source.id).cloned().collect();
    let mut all = true;
    let mut placed: Vec<(Arc<Segment>, Place)> = Vec::new();
    let mut archive = None;
    for entry in entries.iter().rev() {
        if entry.generation == NO_GENERATION && entry.tie == 0 {
            // There was no file: all of the current one is new.
            match open.last() {
                Some((segment, _)) => placed.push((segment.clone(), segment.first())),
                None => out.push(Stand::nowhere(source.id, source.key)),
            }
            continue;
        }
        let found = match find_open(&open, entry) {
            Some((found, true)) => Some(found),
            other => {
                let archive = archive.get_or_insert_with(|| Archive::of(source, &open));
                // Meanwhile the follower may read an open one from its copy: then that copy is not a life of its own.
                let archived = archive.find(entry);
                let found = match find_open(&open, entry) {
                    Some((found, true)) => Some(found),
                    _ => archived.or(other.map(|(found, _)| found)),
                };
                // An empty file that was compressed has lost its identity, and nothing else.
                all &= found.is_some() || entry.generation == NO_GENERATION && archive.has_empty();
                found
            }
        };
        placed.extend(found);
    }
    for (segment, place) in placed.into_iter().rev() {
        match out.place(&segment) {
            None => out.push(Stand::at(segment, place)),
            // Two of its entries led to the same content: a life, and a copy that was told as one.
            Some(other) if other.offset < place.offset => out.apply(&Delta::Advance(segment, place)),
            Some(_) => {}
        }
    }
    if out.stands().iter().all(|stand| stand.source != source.id) {
        // The current generation from its start; the older ones are left.
        out.push(match open.last() {
            Some((segment, _)) => Stand::at(segment.clone(), segment.first()),
            None => Stand::nowhere(source.id, source.key),
        });
    }
    all
}

/// The open generation that an entry fits, and whether its tie bits say so too.
pub(super) fn find_open(
    open: &[(Arc<Segment>, Place)],
    entry: &Entry,
) -> Option<((Arc<Segment>, Place), bool)> {
    let mut fits = open.iter().rev().filter(|(segment, _)| match entry.generation {
        NO_GENERATION => segment.tie == entry.tie && entry.offset <= segment.begin(),
        known => segment.proves(known, Place { offset: entry.offset, check: entry.check }),
    });
    let first = fits.next()?;
    let best = match first.0.tie == entry.tie {
        true => first,
        false => fits.find(|(segment, _)| segment.tie == entry.tie).unwrap_or(first),
    };
    let place = match entry.generation {
        NO_GENERATION => Place { offset: entry.offset, check: NO_LINE },
        _ => Place { offset: entry.offset, check: entry.check },
    };
    Some(((best.0.clone(), place), best.0.tie == entry.tie))
}

fn copy_stands(tip: &Vector, source: usize, out: &mut Vector) {
    for stand in tip.stands().iter().filter(|stand| stand.source == source) {
        out.push(stand.clone());
    }
}

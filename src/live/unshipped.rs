//! Where one goes on who keeps its place elsewhere: in the last message of a subject, in a file of its own.
//!
//! The entries of a cursor say where; a file has to show what they remember ([`resume`](super::resume)). Generations that
//! were followed and not let go of yet are looked at first: they may have no name any more. Everything here blocks.

use super::archive::{Archive, relocate};
use super::feed::Hub;
use super::resume::{find_open, place_source};
use super::source::Source;
use super::vector::{Stand, Vector};
use crate::log::cursor::{Entry, NO_GENERATION};
use crate::log::rotated::changed_lately;
use crate::log::segment::{Lines, Place, ReadError, Segment};
use std::sync::Arc;

/// The most generations that are kept open for one who lags: what was rotated away earlier is found by its name, or it
/// is gone.
pub const MOST_HELD: usize = 32;

/// Where the follower stands in a source.
pub fn target(hub: &Hub, source: &Source) -> Vector {
    let mut vector = Vector::default();
    for (segment, place) in hub.stands(source.id) {
        vector.push(Stand::at(segment, place));
    }
    if vector.stands().is_empty() {
        vector.push(Stand::nowhere(source.id, source.key));
    }
    vector
}

/// The generations that a vector leads through: its own, and what followed them.
pub fn chain(vector: &Vector, source: &Source) -> Vec<(Arc<Segment>, Place)> {
    let mut chain: Vec<(Arc<Segment>, Place)> = Vec::new();
    for (segment, place) in vector.of(source.id) {
        let mut next = Some((segment.clone(), *place));
        while let Some((segment, place)) = next {
            if chain.iter().any(|(own, _)| Arc::ptr_eq(own, &segment)) || chain.len() > MOST_HELD {
                break;
            }
            next = segment.next().map(|next| (next.clone(), next.first()));
            chain.push((segment, place));
        }
    }
    chain
}

/// A place that was looked for.
#[derive(Debug)]
pub struct Placed {
    /// Where to go on; where the place is gone, at the start of the current generation.
    pub vector: Vector,
    /// Whether it is the place that was looked for.
    pub found: bool,
    /// Whether the files were changing while they were looked at: another look may find more.
    pub unsettled: bool,
}

/// Looks for the place that entries of a cursor say, among the generations that are `held` and those of the source.
pub fn place(hub: &Hub, source: &Source, entries: &[Entry], held: &[(Arc<Segment>, Place)]) -> Placed {
    let entries: Vec<Entry> = entries.iter().map(|entry| Entry { key: source.key, ..*entry }).collect();
    let mut vector = Vector::default();
    for entry in &entries {
        match find_open(held, entry) {
            Some(((segment, place), true)) if vector.place(&segment).is_none() => {
                vector.push(Stand::at(segment, place));
            }
            _ => {
                vector = Vector::default();
                break;
            }
        }
    }
    if !vector.stands().is_empty() {
        return Placed { vector, found: true, unsettled: false };
    }
    let target = target(hub, source);
    let all: Vec<&Entry> = entries.iter().collect();
    let found = !all.is_empty() && place_source(source, &target, &all, &mut vector);
    if vector.stands().is_empty() {
        vector = begin(&target);
    }
    let unsettled = !found && source.path.as_deref().is_some_and(changed_lately);
    Placed { vector, found, unsettled }
}

/// The start of the current generation of each source of a vector.
pub fn begin(target: &Vector) -> Vector {
    let mut vector = Vector::default();
    for stand in target.stands().iter().rev() {
        if vector.stands().iter().any(|own| own.source == stand.source) {
            continue;
        }
        vector.push(match &stand.at {
            Some((segment, _)) => Stand::at(segment.clone(), segment.first()),
            None => stand.clone(),
        });
    }
    vector
}

/// The start of the oldest generation that was still written to after a time (nanoseconds since 1970): what was rotated
/// away while nobody looked, and has a name still.
pub fn since(hub: &Hub, source: &Source, time: i128) -> Vector {
    let target = target(hub, source);
    let open = hub.stands(source.id);
    let mut archive = Archive::of(source, &open);
    let mut oldest = None;
    for sibling in archive.siblings() {
        if archive.modified(sibling) <= time {
            break;
        }
        match archive.older(sibling) {
            Ok((segment, _)) => oldest = Some(segment),
            Err(_) => break,
        }
    }
    match oldest {
        Some(segment) => {
            let mut vector = Vector::default();
            let first = segment.first();
            vector.push(Stand::at(segment, first));
            vector
        }
        None => begin(&target),
    }
}

/// Reads a piece of a generation, from a copy of it if its file was cut or is gone.
///
/// # Errors
/// As [`Segment::read_piece`].
pub fn read(
    segment: &Segment,
    source: &Source,
    from: Place,
    to: u64,
    max: usize,
) -> Result<(Vec<u8>, Place), ReadError> {
    wherever(segment, source, from, || segment.read_piece(from, to, max))
}

/// Reads whole lines of a generation, from a copy of it if its file was cut or is gone.
///
/// # Errors
/// As [`Segment::read_lines`].
pub fn read_lines(
    segment: &Segment,
    source: &Source,
    from: Place,
    to: u64,
    max: usize,
) -> Result<Lines, ReadError> {
    wherever(segment, source, from, || segment.read_lines(from, to, max, Vec::new()))
}

fn wherever<T>(
    segment: &Segment,
    source: &Source,
    from: Place,
    read: impl Fn() -> Result<T, ReadError>,
) -> Result<T, ReadError> {
    match read() {
        Err(ReadError::Gone)
            if segment.generation() != NO_GENERATION && relocate(segment, source.path.as_deref(), from) =>
        {
            read()
        }
        read => read,
    }
}

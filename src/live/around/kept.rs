//! The lines that a filter keeps around a place, and what lines say about themselves.

use super::{MAX_BYTES, MAX_SCAN, MAX_TIME, Placed, Read, Wanted};
use crate::live::feed::Hub;
use crate::log::filter::Filter;
use crate::log::logfile::LogFile;
use crate::log::record::{Inherited, Reader};
use crate::log::said::Sayer;
use crate::log::search::{Found, Search};
use crate::log::segment::Segment;
use std::io;
use std::ops::{ControlFlow, Range};
use std::time::Instant;

/// The kept lines before and after a place.
pub(super) fn filtered(
    hub: &Hub,
    (segment, file): (&Segment, &LogFile),
    end: u64,
    at: u64,
    wanted: &Wanted,
    filter: &Filter,
) -> io::Result<Read> {
    let (reader, begin, naming) = (hub.reader(), segment.begin(), segment.naming());
    let search = Search { file, begin, filter, reader: &reader, naming: naming.as_deref() };
    let mut read = Read { from: at, to: at, ..Read::default() };
    let began = Instant::now();
    let go_on = |scanned: u64| match scanned >= MAX_SCAN || began.elapsed() >= MAX_TIME {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    };
    let take = |read: &mut Read, found: &Found<'_>, kept: &Range<usize>| {
        let bytes = &found.bytes[kept.clone()];
        let (offset, next) = (found.offset_of(kept.start), found.end_of(kept));
        let start = read.bytes.len();
        read.bytes.extend_from_slice(bytes);
        read.lines.push(Placed {
            offset,
            next,
            bytes: start..read.bytes.len(),
            omitted: found.omitted,
            said: Inherited::default(),
        });
    };
    if wanted.before > 0 {
        let mut scanned = 0;
        let mut full = false;
        read.from = search.backwards(begin, at, |found| {
            scanned += found.to - found.from;
            for kept in found.kept.iter().rev() {
                take(&mut read, &found, kept);
                full = read.lines.len() as u64 == wanted.before || read.bytes.len() as u64 > MAX_BYTES / 2;
                if full {
                    return ControlFlow::Break(());
                }
            }
            go_on(scanned)
        })?;
        if full {
            read.from = read.lines.last().map_or(at, |line| line.offset);
        }
        read.more = !full && read.from > begin;
        read.lines.reverse();
    }
    let earlier = read.lines.len() as u64;
    if wanted.after > 0 {
        let mut scanned = 0;
        let mut full = false;
        read.to = search.forwards(at, end, |found| {
            scanned += found.to - found.from;
            for kept in found.kept {
                take(&mut read, &found, kept);
                full =
                    read.lines.len() as u64 - earlier == wanted.after || read.bytes.len() as u64 > MAX_BYTES;
                if full {
                    return ControlFlow::Break(());
                }
            }
            go_on(scanned)
        })?;
        if full {
            read.to = read.lines.last().map_or(at, |line| line.next);
        }
        read.more |= !full && read.to < end;
    }
    Ok(read)
}

/// Says what holds for the record of each line.
pub(super) fn say(file: &LogFile, begin: u64, reader: &Reader, read: &mut Read) -> io::Result<()> {
    let mut sayer = Sayer::new(reader.clone());
    for line in &mut read.lines {
        let text = &read.bytes[line.bytes.clone()];
        line.said = sayer.say(file, begin, (line.offset, line.next), text)?;
    }
    Ok(())
}

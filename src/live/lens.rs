//! How a view sees the lines of a file: which it keeps, and what they say about themselves.
//!
//! A lens that keeps all and tells nothing is plain: the follower encodes once for all who share the view. Any other is
//! looked through by those who read, off the follower's thread, so that no filter of one client delays another.

use super::view::ViewKey;
use crate::log::encode::named::{Run, kept_of};
use crate::log::encode::{Block, Encoder, Format, Stamp};
use crate::log::filter::{Filter, State};
use crate::log::logfile::LogFile;
use crate::log::record::{Reader, Want};
use crate::log::said::state_before;
use crate::log::segment::Lines;
use jiff::Timestamp;
use std::io;

/// A lens.
#[derive(Debug)]
pub struct Lens {
    filter: Option<Filter>,
    format: Format,
    reader: Reader,
}

/// What a lens knows behind the last line that it saw.
#[derive(Debug, Clone)]
pub struct Seen {
    filter: State,
    said: State,
}

impl Lens {
    /// The lens of a view; `None` for a plain one.
    pub fn of(key: &ViewKey, reader: impl FnOnce() -> Reader) -> Option<Lens> {
        (!key.is_plain()).then(|| Lens { filter: key.filter.clone(), format: key.format, reader: reader() })
    }

    /// Whether it tells what holds for a line's record.
    fn tells(&self) -> bool {
        matches!(self.format, Format::SseJson | Format::Ndjson)
    }

    /// What is known where lines begin to be read; `begin` is where content begins.
    ///
    /// # Errors
    /// What the system says.
    pub fn seen_before(&self, file: &LogFile, begin: u64, offset: u64) -> io::Result<Seen> {
        let told = self.tells();
        let wanted = self.filter.as_ref().map(Filter::want);
        let want = Want {
            time: told || wanted.is_some_and(|want| want.time),
            level: told || wanted.is_some_and(|want| want.level),
        };
        let mut reader = self.reader.clone();
        reader.set_now(Timestamp::now());
        let state = state_before(file, begin, offset, reader, want)?;
        Ok(Seen { filter: state.clone(), said: state })
    }

    /// Appends what is kept of some lines.
    pub fn encode(
        &self,
        encoder: &Encoder,
        stamp: &Stamp,
        lines: &Lines,
        seen: &mut Seen,
        out: &mut Vec<u8>,
    ) {
        let block = lines.block();
        seen.filter.wide = block.wide;
        let mut kept = Vec::new();
        match &self.filter {
            None => kept.push(0..block.bytes.len()),
            Some(filter) => {
                let Block { from, to, bytes, map, omitted, .. } = block;
                let run = Run { from, to, bytes, whole: omitted == 0, map };
                kept_of(filter, stamp.naming.as_deref(), run, &mut seen.filter, &mut kept);
                kept.dedup_by(|next, last| {
                    last.end == next.start && {
                        last.end = next.end;
                        true
                    }
                });
            }
        }
        // Where nothing is kept nothing is said of it either.
        if kept.is_empty() && !self.tells() {
            return;
        }
        encoder.encode_kept(stamp, block, &kept, &mut seen.said, out);
    }
}

//! Lines as JSON objects: exact, and with what they say about themselves.

use super::{Block, Encoder, Format, Stamp, check, lines_in, push_id, push_json_string, raw, strip_mark};
use crate::log::filter::State;
use crate::log::lines::{self, LINE_LIMIT, Line};
use crate::log::record::{Inherited, Want};
use std::io::Write;
use std::ops::Range;

/// What is told of a line beside its text.
const ALL: Want = Want { time: true, level: true };

/// A line as it is shown.
pub(super) struct Shown<'a> {
    from: u64,
    to: u64,
    check: u64,
    omitted: u64,
    pub(super) text: &'a [u8],
}

/// The lines of a block as they are shown.
pub(super) fn shown<'a>(
    block: Block<'a>,
    lines: impl Iterator<Item = Line<'a>>,
) -> impl Iterator<Item = Shown<'a>> {
    lines.map(move |line| {
        let from = block.from + line.from as u64;
        if block.omitted > 0 {
            let text = lines::cut(line.text, LINE_LIMIT);
            let omitted = block.omitted + (line.text.len() - text.len()) as u64;
            return Shown { from, to: block.to, check: block.check, omitted, text };
        }
        let text = match from {
            0 => strip_mark(line.text),
            _ => line.text,
        };
        let (to, check) = (block.from + line.to as u64, check(raw(block.bytes, line)));
        Shown { from, to, check, omitted: 0, text }
    })
}

/// Appends the members `level` and `time` of the record that a line belongs to, as far as they are known.
pub fn push_said(said: Inherited, out: &mut Vec<u8>) {
    if let Some(level) = said.level {
        let _ = write!(out, r#","level":"{}""#, level.name());
    }
    if let Some(time) = said.time {
        let _ = write!(out, r#","time":"{time}""#);
    }
}

impl Encoder {
    /// Appends some lines of a block; with a state also their level and time.
    pub(super) fn json(
        &self,
        stamp: &Stamp,
        block: Block<'_>,
        kept: &[Range<usize>],
        mut state: Option<&mut State>,
        out: &mut Vec<u8>,
    ) {
        let ndjson = self.format == Format::Ndjson;
        let mut passed = 0;
        for line in shown(block, lines_in(block.bytes, kept)) {
            if !ndjson {
                push_id(stamp, line.check, line.to, out);
                out.extend_from_slice(b"data: ");
            }
            let _ = write!(
                out,
                r#"{{"file":{},"offset":{},"next":{},"text":"#,
                self.file_json, line.from, line.to
            );
            push_json_string(line.text, out);
            if let Some(state) = &mut state {
                let at = (line.from - block.from) as usize;
                state.inherited.pass(&block.bytes[passed..at], &state.reader, ALL);
                state.inherited.step(line.text, &state.reader, ALL);
                passed = (line.to - block.from).min(block.bytes.len() as u64) as usize;
                push_said(state.inherited, out);
            }
            if line.omitted > 0 {
                let _ = write!(out, r#","cut":{}"#, line.omitted);
            }
            if ndjson {
                let _ = write!(out, r#","cursor":"{}""#, stamp.id(line.check, line.to));
            }
            out.extend_from_slice(if ndjson { b"}\n" } else { b"}\n\n" });
        }
        if let Some(state) = state {
            state.inherited.pass(&block.bytes[passed..], &state.reader, ALL);
        }
    }
}

//! Lines as JSON objects: exact, and with what they say about themselves.

use super::{Block, Encoder, Format, Stamp, check, is_line, lines_in, push_id, push_json_string, raw};
use crate::log::filter::State;
use crate::log::lines::{self, LINE_LIMIT, Line};
use crate::log::record::{Inherited, Want};
use std::borrow::Cow;
use std::io::Write;
use std::ops::Range;

/// What is told of a line beside its text.
const ALL: Want = Want { time: true, level: true };

/// A line as it is shown.
pub(super) struct Shown<'a> {
    /// Where it is in the block's bytes.
    place: Range<usize>,
    from: u64,
    pub(super) to: u64,
    pub(super) check: u64,
    pub(super) omitted: u64,
    pub(super) text: Cow<'a, [u8]>,
}

/// The lines of a block as they are shown.
pub(super) fn shown<'a>(
    block: Block<'a>,
    lines: impl Iterator<Item = Line<'a>>,
) -> impl Iterator<Item = Shown<'a>> {
    lines.filter(move |line| is_line(block, *line)).map(move |line| {
        let from = block.offset(line.from);
        if block.omitted > 0 {
            let (text, less) = match block.wide {
                Some(wide) => (Cow::Owned(wide.text(line.text).into_bytes()), 0),
                None => {
                    let text = lines::cut(line.text, LINE_LIMIT);
                    (Cow::Borrowed(text), line.text.len() - text.len())
                }
            };
            let omitted = block.omitted + less as u64;
            let place = 0..block.bytes.len();
            return Shown { place, from, to: block.to, check: block.check, omitted, text };
        }
        let text = match block.wide {
            Some(wide) => {
                let mut text = wide.at(line.from as u64).text(&block.bytes[line.from..line.to]).into_bytes();
                text.truncate(lines::strip_cr(&text).len());
                Cow::Owned(text)
            }
            None if from == 0 => Cow::Borrowed(lines::strip_mark(line.text)),
            None => Cow::Borrowed(line.text),
        };
        let (to, check) = (block.offset(line.to), check(raw(block.bytes, line)));
        Shown { place: line.from..line.to, from, to, check, omitted: 0, text }
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
            push_json_string(&line.text, out);
            if let Some(origin) = &self.origin_json {
                let _ = write!(out, r#","origin":{origin}"#);
            }
            if let Some(state) = &mut state {
                state.wide = block.wide.map(|wide| wide.at(passed as u64));
                state.pass(&block.bytes[passed..line.place.start], ALL);
                state.inherited.step(&line.text, &state.reader, ALL);
                passed = line.place.end;
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
            state.wide = block.wide.map(|wide| wide.at(passed as u64));
            state.pass(&block.bytes[passed..], ALL);
        }
    }
}

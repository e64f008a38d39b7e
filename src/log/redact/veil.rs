//! Redaction of a stream of blocks that are cut anywhere: gives whole lines as they may be shown.
//!
//! Bounded: of a line longer than [`LINE_LIMIT`] the beginning is given, with a mark that says how much is left out; what
//! cannot be looked at whole is not shown.

use super::{EDGE_BYTES, Redactor, State};
use crate::log::lines::{LINE_LIMIT, complete};
use crate::log::wide::Wide;
use memchr::memchr;
use std::sync::Arc;

/// A redactor and the line that it has begun.
#[derive(Debug)]
pub struct Veil {
    redactor: Arc<Redactor>,
    state: State,
    /// The beginning of a line whose end is still to come.
    rest: Vec<u8>,
    /// How much of a long line was left out, while its end is still to come.
    omitted: Option<u64>,
    /// What the next byte is in UTF-16.
    wide: Option<Wide>,
}

impl Veil {
    /// A veil at a line's start, before which `state` holds.
    pub fn new(redactor: Arc<Redactor>, state: State, wide: Option<Wide>) -> Veil {
        Veil { redactor, state, rest: Vec::new(), omitted: None, wide }
    }

    /// Takes the bytes that follow, and appends the lines that have ended.
    pub fn push(&mut self, mut block: &[u8], out: &mut Vec<u8>) {
        if let Some(omitted) = self.omitted {
            let end = memchr(b'\n', block);
            let left = end.unwrap_or(block.len());
            self.omitted = Some(omitted + left as u64);
            let Some(end) = end else { return };
            self.end_long(out);
            block = &block[end + 1..];
        }
        if !self.rest.is_empty() {
            let end = memchr(b'\n', block).map_or(block.len(), |at| at + 1);
            let (line, others) = block.split_at(end);
            self.rest.extend_from_slice(line);
            if line.ends_with(b"\n") {
                self.whole(out);
            }
            block = others;
        }
        let (whole, begun) = block.split_at(complete(block));
        if !whole.is_empty() {
            self.run(whole, out);
        }
        self.rest.extend_from_slice(begun);
        if self.rest.len() > LINE_LIMIT + EDGE_BYTES {
            self.long(out);
        }
    }

    /// There is no more: the last line may lack its newline. An `unfinished` one is shown only as far as it may be.
    pub fn finish(&mut self, unfinished: bool, out: &mut Vec<u8>) {
        if self.omitted.is_some() {
            self.end_long(out);
        }
        if unfinished && !self.rest.is_empty() {
            let text = self.wide.map(|wide| wide.text(&self.rest).into_bytes());
            let text = text.as_deref().unwrap_or(&self.rest);
            out.extend(
                self.redactor.unfinished(self.state, &text[..text.len().min(LINE_LIMIT)]).unwrap_or_default(),
            );
            self.rest.clear();
        } else if !self.rest.is_empty() {
            self.whole(out);
        }
    }

    /// The line that was held has ended.
    fn whole(&mut self, out: &mut Vec<u8>) {
        let line = self.rest.strip_suffix(b"\n").unwrap_or(&self.rest);
        if line.len() > LINE_LIMIT {
            let ended = self.rest.ends_with(b"\n");
            self.rest.truncate(self.rest.len() - usize::from(ended));
            self.long(out);
            return self.end_long(out);
        }
        let line = std::mem::take(&mut self.rest);
        self.run(&line, out);
        self.rest = line;
        self.rest.clear();
        self.rest.shrink_to(64 << 10);
    }

    fn run(&mut self, run: &[u8], out: &mut Vec<u8>) {
        match self.redactor.shown(&mut self.state, run, self.wide) {
            Some((shown, _)) => out.extend_from_slice(&shown),
            None => out.extend_from_slice(run),
        }
        self.pass(run.len() as u64);
    }

    /// Shows the beginning of a line that is longer than the limit.
    fn long(&mut self, out: &mut Vec<u8>) {
        let seen = self.rest.len().min(LINE_LIMIT + EDGE_BYTES);
        out.extend(self.redactor.long(&mut self.state, &self.rest[..seen], self.wide));
        self.omitted = Some((self.rest.len() - LINE_LIMIT) as u64);
        self.pass(LINE_LIMIT as u64);
        self.rest = Vec::new();
    }

    fn end_long(&mut self, out: &mut Vec<u8>) {
        let omitted = self.omitted.take().unwrap_or(0);
        out.extend_from_slice(crate::log::encode::cut_mark(omitted).as_bytes());
        out.push(b'\n');
        self.pass(omitted + 1);
    }

    fn pass(&mut self, bytes: u64) {
        self.wide = self.wide.map(|wide| wide.at(bytes));
    }
}

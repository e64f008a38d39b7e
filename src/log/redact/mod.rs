//! Redaction: what must not be seen is replaced in lines before anybody sees them. A help, not a guarantee.
//!
//! Promise: a line is shown alike whoever reads it, from wherever and in whatever blocks, since what is replaced in it
//! follows from the line alone, and for private keys from the [`LOOK_BACK_BYTES`] above it. No line becomes two, and
//! none is lost. This is the pure part; the one place where lines of files become lines for clients is
//! [`shown`](super::shown).

mod card;
mod key;
mod secrets;
#[cfg(test)]
mod tests;
mod value;
mod veil;

use super::filter::pattern::Pattern;
use super::filter::{FilterError, MOST_PATTERNS};
use super::lines::{LINE_LIMIT, cut, lines, strip_cr, strip_mark};
use super::map::Map;
use super::wide::Wide;
use memchr::{memchr, memmem};
use secrets::Secrets;
use std::ops::Range;
use std::sync::Arc;

pub use key::{LOOK_BACK_BYTES, State};
pub use veil::Veil;

/// A redactor, where there is something to redact. Files are opened with it.
pub type Redact = Option<Arc<Redactor>>;

/// How far behind the cut of a long line is looked, so that what the cut would split is found.
pub const EDGE_BYTES: usize = 64 << 10;

/// How a replacement begins.
const DONE: &[u8] = b"[redacted";

/// What to replace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Every match of one of these; of one with groups, what its groups match.
    pub patterns: Vec<String>,
    /// What looks like a secret.
    pub secrets: bool,
}

/// A part of a run that is replaced, and by what name.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mask<'a> {
    range: Range<usize>,
    /// Shown in the replacement; empty for none.
    name: &'a str,
}

/// Replaces secrets in lines.
#[derive(Debug)]
pub struct Redactor {
    patterns: Vec<Pattern>,
    /// All of them at once, to find the lines that have one.
    any: Option<Pattern>,
    secrets: Option<Secrets>,
}

impl Redactor {
    /// A redactor for these rules; `None` if there are none.
    ///
    /// # Errors
    /// The pattern that is none.
    pub fn new(rules: &Rules) -> Result<Redact, FilterError> {
        let own = |message: String| FilterError { parameter: "redact", offset: None, message };
        if rules.patterns.len() > MOST_PATTERNS {
            return Err(own(format!("more than {MOST_PATTERNS} patterns")));
        }
        if rules.patterns.iter().any(String::is_empty) {
            return Err(own("it is empty".to_owned()));
        }
        let patterns: Vec<Pattern> =
            rules.patterns.iter().map(|text| Pattern::exact("redact", &[text])).collect::<Result<_, _>>()?;
        let all: Vec<&String> = rules.patterns.iter().collect();
        let any = (!all.is_empty()).then(|| Pattern::exact("redact", &all)).transpose()?;
        let secrets = rules.secrets.then(Secrets::new).transpose().map_err(|error| own(error.to_string()))?;
        let some = any.is_some() || secrets.is_some();
        Ok(some.then(|| Arc::new(Redactor { patterns, any, secrets })))
    }

    /// Appends a run of whole lines (the last may lack its newline) as they may be shown. Each call begins outside of a
    /// private key's block: who goes over a file in blocks keeps a [`State`] and calls [`Redactor::run`].
    pub fn lines(&self, run: &[u8], out: &mut Vec<u8>) {
        match self.run(&mut State::default(), run) {
            Some((shown, _)) => out.extend_from_slice(&shown),
            None => out.extend_from_slice(run),
        }
    }

    /// A run of whole lines as they may be shown, and where they are in the run; `None` if nothing has to be replaced.
    /// `state` is what holds before it, and goes on to what holds behind.
    pub fn run(&self, state: &mut State, run: &[u8]) -> Option<(Vec<u8>, Map)> {
        let mut masks = Vec::new();
        self.find(state, run, &mut masks);
        (!masks.is_empty()).then(|| replaced(run, masks))
    }

    /// The same for the bytes of a file, which may be UTF-16 from there on: what comes is UTF-8 then.
    pub fn shown(&self, state: &mut State, run: &[u8], wide: Option<Wide>) -> Option<(Vec<u8>, Map)> {
        let Some(wide) = wide else { return self.run(state, run) };
        let (mut out, mut map) = (Vec::with_capacity(run.len()), Map::default());
        for line in lines(run) {
            let bytes = &run[line.from..line.to];
            let mut text = wide.at(line.from as u64).text(bytes).into_bytes();
            text.extend(bytes.last().filter(|&&last| last == b'\n'));
            out.extend(self.line(state, text, bytes.len() as u64));
            map.push(out.len() as u64, line.to as u64);
        }
        Some((out, map))
    }

    /// A single line of which only the beginning is shown, from what is seen of it: [`LINE_LIMIT`] and, if there is
    /// more, [`EDGE_BYTES`].
    pub fn long(&self, state: &mut State, seen: &[u8], wide: Option<Wide>) -> Vec<u8> {
        let shown = &seen[..seen.len().min(LINE_LIMIT)];
        let (text, limit) = match wide {
            Some(wide) => (wide.text(seen).into_bytes(), wide.text(shown).len()),
            None => (seen.to_vec(), cut(seen, LINE_LIMIT).len()),
        };
        let mut masks = Vec::new();
        self.find(state, &text, &mut masks);
        // Behind a line that is longer than a key is no key.
        *state = State::default();
        masks.retain(|mask| mask.range.start < limit);
        // What reaches over the cut is replaced as a whole.
        let end = masks.iter().map(|mask| mask.range.end).max().map_or(limit, |end| end.max(limit));
        replaced(&text[..end.min(text.len())], masks).0
    }

    /// What may be shown of a line that has no end yet: it may hold the beginning of what would be replaced. `None` for
    /// nothing.
    pub fn unfinished(&self, mut state: State, text: &[u8]) -> Option<Vec<u8>> {
        // What an own pattern needs to see is not known.
        if self.any.is_some() {
            return None;
        }
        let words = text.iter().rposition(u8::is_ascii_whitespace).map_or(0, |blank| blank + 1);
        let is_number = |byte: &u8| byte.is_ascii_digit() || b" -".contains(byte);
        let end = text[..words].iter().rposition(|byte| !is_number(byte)).map_or(0, |last| last + 1);
        let text = text[..end].to_vec();
        let length = text.len() as u64;
        Some(self.line(&mut state, text, length)).filter(|shown| !shown.is_empty())
    }

    /// One line, `bytes` long in the file.
    fn line(&self, state: &mut State, text: Vec<u8>, bytes: u64) -> Vec<u8> {
        let mut masks = Vec::new();
        self.find_apart(&text, &mut masks);
        if self.secrets.is_some() {
            let line = strip_cr(text.strip_suffix(b"\n").unwrap_or(&text));
            state.line(line, bytes, &mut |mask| masks.push(mask));
        }
        if masks.is_empty() { text } else { replaced(&text, masks).0 }
    }

    fn find<'a>(&'a self, state: &mut State, run: &[u8], masks: &mut Vec<Mask<'a>>) {
        self.find_apart(run, masks);
        if self.secrets.is_none() {
            return;
        }
        if !state.is_within() && memmem::find(run, key::LITERAL).is_none() {
            return state.pass(run);
        }
        for line in lines(run) {
            let shift = line.from;
            state.line(line.text, (line.to - line.from) as u64, &mut |mask| {
                masks.push(Mask { range: mask.range.start + shift..mask.range.end + shift, ..mask });
            });
        }
    }

    /// What follows from each line alone.
    fn find_apart<'a>(&'a self, run: &[u8], masks: &mut Vec<Mask<'a>>) {
        if let Some(secrets) = &self.secrets {
            secrets.find(run, &mut |mask| masks.push(mask));
        }
        let Some(any) = &self.any else { return };
        if any.searches() && memchr(b'\r', run).is_none() && strip_mark(run).len() == run.len() {
            let mut at = 0;
            while let Some(line) = any.next_line(run, at) {
                at = line.end;
                self.own(run, line, masks);
            }
        } else {
            lines(run).for_each(|line| self.own(run, line.from..line.to, masks));
        }
    }

    /// What the own patterns match in a line.
    fn own<'a>(&'a self, run: &[u8], line: Range<usize>, masks: &mut Vec<Mask<'a>>) {
        let bytes = &run[line.clone()];
        let text = strip_cr(bytes.strip_suffix(b"\n").unwrap_or(bytes));
        let mark = text.len() - strip_mark(text).len();
        let from = line.start + mark;
        for pattern in &self.patterns {
            pattern.each_part(&text[mark..], &mut |range, name| {
                masks.push(Mask { range: range.start + from..range.end + from, name });
            });
        }
    }
}

/// The run with what is masked replaced, and where its lines are.
fn replaced(run: &[u8], mut masks: Vec<Mask<'_>>) -> (Vec<u8>, Map) {
    masks.sort_by_key(|mask| (mask.range.start, std::cmp::Reverse(mask.range.end)));
    let (mut out, mut map) = (Vec::with_capacity(run.len() + 64), Map::default());
    let (mut done, mut line) = (0, 0);
    for mask in masks {
        if mask.range.end <= done {
            continue;
        }
        if mask.range.start >= line {
            // The line of the masks before has ended.
            let copied = line.max(done);
            out.extend_from_slice(&run[done..copied]);
            if line > 0 {
                map.push(out.len() as u64, copied as u64);
            }
            done = copied;
            line =
                memchr(b'\n', &run[mask.range.start..]).map_or(run.len(), |end| mask.range.start + end + 1);
        }
        out.extend_from_slice(&run[done..mask.range.start.max(done)]);
        out.extend_from_slice(DONE);
        if !mask.name.is_empty() {
            out.push(b':');
            out.extend_from_slice(mask.name.as_bytes());
        }
        out.push(b']');
        done = mask.range.end;
    }
    out.extend_from_slice(&run[done..line.max(done)]);
    map.push(out.len() as u64, line.max(done) as u64);
    out.extend_from_slice(&run[line.max(done)..]);
    (out, map)
}

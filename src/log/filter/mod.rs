//! Which lines somebody wants: text, level and time.
//!
//! Promise: [`Filter::matches_in`] keeps exactly the lines that [`Filter::keep`] keeps, one after the other. What is
//! matched is a line's text: no match crosses a line, and neither `\n` nor the `\r` before it is part of it. A line
//! without level or time of its own follows its record ([`Inherited`]), so a stack trace stays with its error.
//! Two filters are equal if they ask for the same, whatever the order it was said in. Nothing here reads files.

mod mark;
pub(in crate::log) mod pattern;
mod sieve;
mod when;

use super::lines::{lines, strip_cr, strip_mark};
use super::record::{Inherited, Level, Reader, Want};
use super::wide::{self, Wide};
use jiff::Timestamp;
use memchr::{memchr_iter, memmem};
use pattern::Pattern;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

pub use mark::Marks;
pub use sieve::Sieve;
pub use when::{instant, span};

/// The longest pattern, in bytes.
pub const PATTERN_BYTES: usize = 1000;
/// The most patterns of one filter: each costs up to a few MiB while it searches.
pub const MOST_PATTERNS: usize = 16;

/// Whether capitals matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Case {
    /// Only for a pattern that has a capital.
    #[default]
    Smart,
    /// Always.
    Yes,
    /// Never.
    No,
}

/// What a pattern is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Syntax {
    /// A regular expression. `\d` means 0 to 9, the other classes are Unicode's.
    #[default]
    Regex,
    /// The text itself.
    Literal,
}

/// A set of levels; "none" may be one of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Levels(u8);

impl Levels {
    /// The bit of lines of which no level is known.
    const NONE: u8 = 1 << Level::ALL.len();

    /// Reads `error,fatal` or `warn+`, which means at least that, and `none`: lines of which no level is known. A blank
    /// at the end of a name is read as `+`: it is what a form makes of it.
    pub fn parse(text: &str) -> Result<Levels, FilterError> {
        let (mut set, mut at) = (0, 0);
        for part in text.split(',') {
            let name = part.trim_start();
            let offset = at + part.len() - name.len();
            at += part.len() + 1;
            if name.eq_ignore_ascii_case("none") {
                set |= Levels::NONE;
                continue;
            }
            let (name, more) = match name.strip_suffix(['+', ' ']) {
                Some(name) => (name, true),
                None => (name, false),
            };
            let Some(level) = Level::ALL.into_iter().find(|level| name.eq_ignore_ascii_case(level.name()))
            else {
                let message = format!("'{part}' is none of fatal, error, warn, info, debug, trace, none");
                return Err(FilterError { parameter: "level", offset: Some(offset), message });
            };
            set |= if more { (Levels::NONE - 1) & (0xff << level as u8) } else { 1 << level as u8 };
        }
        Ok(Levels(set))
    }

    /// True if the level of a line, its own or its record's, is one of them.
    pub fn has(self, level: Option<Level>) -> bool {
        self.0 & level.map_or(Levels::NONE, |level| 1 << level as u8) != 0
    }
}

/// What is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Spec {
    /// All of these must match; an empty one asks for nothing.
    pub grep: Vec<String>,
    /// None of these may match; an empty one asks for nothing.
    pub exclude: Vec<String>,
    /// Whether capitals matter in both.
    pub case: Case,
    /// What both are.
    pub syntax: Syntax,
    /// One of these levels; a line of which no level is known is kept where `none` is among them.
    pub levels: Option<Levels>,
    /// Not before; a line of which no time is known is not kept.
    pub since: Option<Timestamp>,
    /// Before, not at.
    pub until: Option<Timestamp>,
    /// Of lines that say whose they are: those of one of these hosts; empty for all.
    pub hosts: Vec<String>,
    /// The same of whole origins, `HOST:PATH`.
    pub origins: Vec<String>,
}

/// Why something is no filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilterError {
    /// The parameter that is wrong, as the API names it.
    pub parameter: &'static str,
    /// Where in its value, in bytes, if there is one place.
    pub offset: Option<usize>,
    /// What is wrong there, in lower case.
    pub message: String,
}

impl fmt::Display for FilterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.offset {
            Some(offset) => write!(f, "{} at byte {offset}: {}", self.parameter, self.message),
            None => write!(f, "{}: {}", self.parameter, self.message),
        }
    }
}

impl std::error::Error for FilterError {}

/// A filter, cheap to clone.
#[derive(Debug, Clone)]
pub struct Filter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    spec: Spec,
    /// All must match; the first is the one that is searched for.
    grep: Vec<Pattern>,
    exclude: Vec<Pattern>,
    want: Want,
}

impl PartialEq for Filter {
    fn eq(&self, other: &Filter) -> bool {
        self.0.spec == other.0.spec
    }
}

impl Eq for Filter {}

impl Hash for Filter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.spec.hash(state);
    }
}

/// What a filter remembers from line to line of one file.
#[derive(Debug, Clone)]
pub struct State {
    /// How times are read; who follows for days says at times what time it is.
    pub reader: Reader,
    /// What holds after the last line; who begins in mid-file lets it pass over some lines before.
    pub inherited: Inherited,
    /// What the next line's first byte is in UTF-16, if that is what the file is in; who reads it says so each time.
    pub wide: Option<Wide>,
}

impl State {
    /// The state before the first line.
    pub fn new(reader: Reader) -> State {
        State { reader, inherited: Inherited::default(), wide: None }
    }

    /// Goes on by a run of whole lines.
    pub fn pass(&mut self, run: &[u8], want: Want) {
        let Some(wide) = self.wide else { return self.inherited.pass(run, &self.reader, want) };
        for line in lines(run) {
            let text = wide.at(line.from as u64).text(&run[line.from..line.to]);
            self.inherited.step(strip_cr(text.as_bytes()), &self.reader, want);
        }
    }
}

impl Filter {
    /// A filter that keeps what is asked for.
    pub fn new(mut spec: Spec) -> Result<Filter, FilterError> {
        for patterns in [&mut spec.grep, &mut spec.exclude] {
            patterns.retain(|pattern| !pattern.is_empty());
            patterns.sort_unstable();
            patterns.dedup();
        }
        if spec.grep.is_empty() && spec.exclude.is_empty() {
            (spec.case, spec.syntax) = (Case::default(), Syntax::default());
        }
        for names in [&mut spec.hosts, &mut spec.origins] {
            names.sort_unstable();
            names.dedup();
        }
        if spec.grep.len() + spec.exclude.len() > MOST_PATTERNS {
            let parameter = if spec.grep.len() > spec.exclude.len() { "grep" } else { "exclude" };
            let message = format!("more than {MOST_PATTERNS} patterns");
            return Err(FilterError { parameter, offset: None, message });
        }
        let grep = pattern::all(&spec)?;
        let exclude = pattern::any(&spec)?;
        let want = Want { time: spec.since.is_some() || spec.until.is_some(), level: spec.levels.is_some() };
        Ok(Filter(Arc::new(Inner { spec, grep, exclude, want })))
    }

    /// What is asked for: each pattern once, in order.
    pub fn spec(&self) -> &Spec {
        &self.0.spec
    }

    /// True if every line is kept.
    pub fn is_empty(&self) -> bool {
        !self.asks_lines() && !self.asks_origin()
    }

    /// Whether it asks what stands in a line, or holds for it.
    pub fn asks_lines(&self) -> bool {
        !self.0.grep.is_empty() || !self.0.exclude.is_empty() || self.asks_record()
    }

    /// Whether it asks whose a line is: what a line itself does not tell ([`kept_of`](super::encode::named::kept_of)).
    pub fn asks_origin(&self) -> bool {
        !(self.0.spec.hosts.is_empty() && self.0.spec.origins.is_empty())
    }

    /// Whether lines of an origin are wanted; of one that nobody knows only where nobody asks.
    pub fn wants_origin(&self, origin: Option<&str>) -> bool {
        let Spec { hosts, origins, .. } = &self.0.spec;
        let Some(origin) = origin else { return !self.asks_origin() };
        // A subject has no host in front; its path has no colon.
        let host = origin.split_once(':').map_or("", |(host, _)| host);
        (hosts.is_empty() || hosts.iter().any(|own| own == host))
            && (origins.is_empty() || origins.iter().any(|own| own == origin))
    }

    /// What [`Inherited::pass`] has to look for in the lines before a place in mid-file.
    pub fn want(&self) -> Want {
        self.0.want
    }

    /// Whether it asks what holds for the record of a line, which lines above it may tell.
    pub fn asks_record(&self) -> bool {
        self.0.want.time || self.0.want.level
    }

    /// True if the line is kept. Lines of one file are given in order, each once.
    pub fn keep(&self, line: &[u8], state: &mut State) -> bool {
        match state.wide {
            None => self.keep_text(line.strip_suffix(b"\n").unwrap_or(line), state),
            Some(wide) if wide::is_rest(wide, line) => false,
            Some(wide) => self.keep_text(wide.text(line).as_bytes(), state),
        }
    }

    fn keep_text(&self, text: &[u8], state: &mut State) -> bool {
        let text = strip_mark(strip_cr(text));
        // The state moves on, whatever the text is.
        self.fits_record(text, state)
            && self.0.grep.iter().all(|pattern| pattern.is_match(text))
            && !self.0.exclude.iter().any(|pattern| pattern.is_match(text))
    }

    /// Calls `each` with the place of every line of the block that is kept, its newline included. The block holds
    /// whole lines, the next after those given before; the last may lack its newline where the file has ended.
    pub fn matches_in(&self, block: &[u8], state: &mut State, each: impl FnMut(Range<usize>)) {
        let mut each = each;
        if let Some(wide) = state.wide {
            for line in lines(block) {
                state.wide = Some(wide.at(line.from as u64));
                if self.keep(&block[line.from..line.to], state) {
                    each(line.from..line.to);
                }
            }
            return;
        }
        let searched = self.0.grep.first().or(self.0.exclude.first());
        match searched {
            Some(pattern) if pattern.searches() && !has_crlf(block) && !has_mark(block) => {
                match self.0.grep.is_empty() {
                    false => self.search(block, state, each),
                    true => self.search_excluded(block, state, each),
                }
            }
            _ => {
                for line in lines(block) {
                    if self.keep(&block[line.from..line.to], state) {
                        each(line.from..line.to);
                    }
                }
            }
        }
    }

    /// Looks only at the lines that the first pattern finds.
    fn search(&self, block: &[u8], state: &mut State, mut each: impl FnMut(Range<usize>)) {
        let (first, others) = self.0.grep.split_first().expect("the caller looked");
        let (mut at, mut known) = (0, 0);
        while let Some(line) = first.next_line(block, at) {
            at = line.end;
            let text = without_newline(&block[line.clone()]);
            if !others.iter().all(|pattern| pattern.is_match(text))
                || self.0.exclude.iter().any(|pattern| pattern.is_match(text))
            {
                continue;
            }
            if self.asks_record() {
                state.inherited.pass(&block[known..line.start], &state.reader, self.0.want);
                known = line.end;
                if !self.fits_record(text, state) {
                    continue;
                }
            }
            each(line);
        }
        state.inherited.pass(&block[known..], &state.reader, self.0.want);
    }

    /// Keeps what lies between the lines that the excluding patterns find.
    fn search_excluded(&self, block: &[u8], state: &mut State, mut each: impl FnMut(Range<usize>)) {
        let (first, others) = self.0.exclude.split_first().expect("the caller looked");
        let mut at = 0;
        while at < block.len() {
            let found = first.next_line(block, at).unwrap_or(block.len()..block.len());
            for line in lines(&block[at..found.start]) {
                if self.fits_record(line.text, state)
                    && !others.iter().any(|pattern| pattern.is_match(line.text))
                {
                    each(at + line.from..at + line.to);
                }
            }
            state.inherited.pass(&block[found.clone()], &state.reader, self.0.want);
            at = found.end;
        }
    }

    fn fits_record(&self, text: &[u8], state: &mut State) -> bool {
        if !self.asks_record() {
            return true;
        }
        let Inner { spec, want, .. } = &*self.0;
        state.inherited.step(text, &state.reader, *want);
        let Inherited { time, level } = state.inherited;
        spec.levels.is_none_or(|levels| levels.has(level))
            && spec.since.is_none_or(|since| time.is_some_and(|time| time >= since))
            && spec.until.is_none_or(|until| time.is_some_and(|time| time < until))
    }
}

fn without_newline(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\n").unwrap_or(line)
}

/// True if a line begins with a byte order mark, as the first of a file may, or that of a file that was appended to it.
fn has_mark(block: &[u8]) -> bool {
    const MARK: &[u8] = "\n\u{feff}".as_bytes();
    block.starts_with(&MARK[1..]) || memmem::find(block, MARK).is_some()
}

/// True if a line's end has a `\r`: then what a pattern sees in the block is not the lines' text.
fn has_crlf(block: &[u8]) -> bool {
    memchr_iter(b'\r', block).any(|at| matches!(block.get(at + 1), None | Some(b'\n')))
}

#[cfg(test)]
mod tests;

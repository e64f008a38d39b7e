//! A source as clients see it: its name, the state of its file, the lives that it has had.

use super::counts::OfSource;
use super::feed::lock;
use super::history::Siblings;
use super::indexed::Indexed;
use super::streamed::{Earlier, Engine};
use super::told::Told;
use super::view::Content;
use crate::log::cursor::{NO_GENERATION, generation_text};
use crate::log::encode::json_string;
use crate::log::logfile::Ident;
use crate::log::redact::Redact;
use crate::log::segment::{Place, Segment};
use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use tracing::info;

/// How many past generations of a source are remembered: none is told twice when its file comes back, and a
/// cursor in one of them finds those that followed.
const MAX_PAST: usize = 64;

/// What is known of a source's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It is read as it grows.
    Following,
    /// It is not there.
    Waiting,
    /// It may not be read, or not be shown.
    Refused,
    /// There will be no more.
    Ended,
}

impl State {
    /// The word of the API.
    pub fn word(self) -> &'static str {
        match self {
            State::Following => "following",
            State::Waiting => "waiting",
            State::Refused => "refused",
            State::Ended => "ended",
        }
    }
}

/// A source as clients see it.
#[derive(Debug)]
pub struct Source {
    /// Its number in the hub.
    pub id: usize,
    /// Its name in URLs and on the page.
    pub name: String,
    /// Its key in cursors.
    pub key: u32,
    /// Its path; a pipe has none.
    pub path: Option<PathBuf>,
    /// What is replaced in its lines before anybody sees them: its files are opened with that.
    pub redact: Redact,
    pub(super) status: Mutex<Status>,
    past: Mutex<VecDeque<Life>>,
    decoded: AtomicBool,
    fed: AtomicBool,
    broken: OnceLock<String>,
    /// What is counted of it.
    pub counts: OfSource,
    /// Who follows it alone is told here.
    pub told: Told,
    pub(super) siblings: Siblings,
    pub(super) indexed: Indexed,
    pub(super) earlier: Earlier,
}

/// A generation that the follower has read to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Life {
    /// The number of its segment.
    pub serial: u64,
    /// The file that it was read from last.
    pub ident: Ident,
    /// Its name.
    pub generation: u64,
    /// How far it was read.
    pub end: Place,
    /// Whether its file was cut: what it held beyond `end` may stand in a copy.
    pub cut: bool,
}

/// What [`Source::status`] tells.
#[derive(Debug, Clone)]
pub struct Status {
    /// Whether there is a file.
    pub state: State,
    /// The newest generation, and how far it was read.
    pub current: Option<(Arc<Segment>, Place)>,
}

impl Source {
    /// A source without a file.
    pub(super) fn new(
        id: usize,
        name: String,
        key: u32,
        path: Option<PathBuf>,
        indexed: Indexed,
        redact: &Redact,
    ) -> Source {
        let status = Mutex::new(Status { state: State::Waiting, current: None });
        Source {
            id,
            name,
            key,
            path,
            redact: redact.clone(),
            status,
            past: Mutex::default(),
            decoded: AtomicBool::new(false),
            fed: AtomicBool::new(false),
            broken: OnceLock::new(),
            counts: OfSource::default(),
            told: Told::default(),
            siblings: Siblings::default(),
            indexed,
            earlier: Earlier::default(),
        }
    }

    /// Says who fetches what its spool no longer has.
    pub(super) fn set_engine(&self, engine: Arc<dyn Engine>) {
        self.earlier.set_engine(engine);
    }

    /// What is known now.
    pub fn status(&self) -> Status {
        lock(&self.status).clone()
    }

    /// The last generations that were read to their ends, older first.
    pub fn past(&self) -> Vec<Life> {
        lock(&self.past).iter().copied().collect()
    }

    /// Remembers a generation that was read to its end.
    pub fn remember(&self, life: Life) {
        let mut past = lock(&self.past);
        if past.len() == MAX_PAST {
            past.pop_front();
        }
        past.push_back(life);
    }

    /// Whether what is served is what a compressed file holds.
    pub fn is_decoded(&self) -> bool {
        self.decoded.load(Ordering::Acquire)
    }

    /// Says that it is.
    pub(super) fn set_decoded(&self) {
        self.decoded.store(true, Ordering::Release);
    }

    /// Whether it is fed: where it has no life yet, a cursor or a backlog begins in it can only be told later.
    pub fn may_come(&self) -> bool {
        self.fed.load(Ordering::Acquire) && !self.never_was()
    }

    /// Whether it ended without a beginning.
    pub fn never_was(&self) -> bool {
        let status = lock(&self.status);
        status.current.is_none() && status.state == State::Ended
    }

    /// Says that it is fed.
    pub(super) fn set_fed(&self) {
        self.fed.store(true, Ordering::Release);
    }

    /// Why it ended before its end, if it did.
    pub fn broken(&self) -> Option<&str> {
        self.broken.get().map(String::as_str)
    }

    /// Says why.
    pub(super) fn set_broken(&self, why: String) {
        let _ = self.broken.set(why);
    }

    /// The members of the notice that it has ended.
    pub(super) fn end_members(&self) -> String {
        self.broken().map_or(String::new(), |why| format!(r#","reason":{}"#, json_string(why)))
    }

    /// Bytes of the file that were not read yet, those of an unfinished line among them.
    pub fn unread_bytes(&self) -> u64 {
        let current = self.status().current;
        current.map_or(0, |(segment, tip)| {
            segment.file().size().map_or(0, |size| size.saturating_sub(tip.offset))
        })
    }

    /// Says what is known now.
    pub fn set_state(&self, state: State) {
        lock(&self.status).state = state;
    }
}

impl Source {
    /// Counts what is said of it.
    pub(super) fn count(&self, content: &Content<'_>) {
        if let Content::Notice { name, .. } = content {
            info!("'{}': {name}", self.name.escape_debug());
        }
        match content {
            Content::Lines(_, block, _) => {
                self.counts.bytes.add(block.to - block.from);
                self.counts.lines.see(block.bytes);
            }
            Content::Notice { name: "rotated", .. } => self.counts.rotations.one(),
            Content::Notice { name: "truncated", .. } => self.counts.truncations.one(),
            Content::Notice { name: "gap", .. } => self.counts.gaps.one(),
            Content::Notice { .. } | Content::Nothing => {}
        }
    }

    /// The source as the API tells it, a JSON object; `more` are further members.
    pub fn json(&self, more: &str) -> String {
        let status = self.status();
        let (mut indexed, mut lines) = (0, "null".to_owned());
        let (generation, from, tip, size) = match &status.current {
            None => ("null".to_owned(), 0, 0, 0),
            Some((segment, place)) => {
                let generation = match segment.generation() {
                    NO_GENERATION => "null".to_owned(),
                    known => format!("\"{}\"", generation_text(known)),
                };
                let known = self.indexed(segment);
                indexed = known.0.min(place.offset);
                lines = known.1.map_or(lines, |lines| lines.to_string());
                let size = segment.end().or_else(|| segment.file().size().ok()).unwrap_or(place.offset);
                (generation, segment.begin(), place.offset, size.max(place.offset))
            }
        };
        let (name, state) = (json_string(&self.name), status.state.word());
        let broken = self.broken().map_or(String::new(), |why| format!(r#","broken":{}"#, json_string(why)));
        format!(
            r#"{{"name":{name},"state":"{state}","generation":{generation},"from":{from},"tip":{tip},"size":{size},"lines":{lines},"indexed":{indexed}{broken}{more}}}"#
        )
    }
}

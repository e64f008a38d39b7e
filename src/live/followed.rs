//! One path as the follower sees it: which generations it has had, which may still grow, what it names now.
//!
//! [`compare`](compare::compare) says what happened from what was seen and what is found; [`Followed`] acts on it. The rules:
//! an old generation is read on for a grace after its last growth; what happened between two looks is found
//! among the siblings, by content; a look that failed concludes nothing.

pub mod compare;
mod ending;
mod presence;
mod siblings;

use super::feed::Hub;
use super::growth::{Growing, Growth};
use super::notices::{born_word, generation_member, notice_body};
use super::pipe::is_stream;
use super::source::{Source, State};
use super::vector::Delta;
use super::view::Content;
use crate::log::cursor::NO_GENERATION;
use crate::log::logfile::{Head, Ident, LogFile};
use crate::log::private::{Privacy, is_lure, privacy};
use crate::log::rotated::Stamp;
use crate::log::segment::{Born, Place, Segment};
use compare::{Change, Found, compare};
use siblings::head_now;
use std::collections::HashMap;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

/// How long an old generation is read on after its last growth: a writer that was told to re-open its log has
/// done so by then.
pub const GRACE: Duration = Duration::from_secs(5);

/// One followed path. See the module.
#[derive(Debug)]
pub struct Followed {
    /// The source as clients see it.
    pub source: Arc<Source>,
    /// The path.
    pub path: PathBuf,
    /// Open generations, older first.
    open: Vec<Growing>,
    /// Whether the last of them is what the path names.
    named: bool,
    missing_since: Option<Instant>,
    waiting: bool,
    looked: bool,
    new: bool,
    trouble: Option<String>,
    /// Whether it was said that the file that is read is closed to others now.
    closed: bool,
    /// The siblings that were seen, with what they hold up to where.
    known: HashMap<Stamp, Option<(u64, Place)>>,
    folder_modified: i128,
    last: Weak<Segment>,
    births_seen: u64,
    lives: u64,
    stream: bool,
}

/// What every look needs.
pub struct Look<'a> {
    /// Where to say what is found.
    pub hub: &'a Hub,
    /// Scratch for reads.
    pub buf: &'a mut Vec<u8>,
    /// Where to say what a person should know.
    pub talk: &'a dyn Fn(&str),
    /// Whether this is a tick's look, which also looks at what events would have told.
    pub tick: bool,
    /// Whether a file that some users of this machine may not read is refused.
    pub only_public: bool,
}

/// Why a file is not to be read, whoever asks for it: because some users may not read it and all may ask, or because
/// somebody else's link leads to it.
pub(super) fn refusal(path: &Path, only_public: bool) -> Option<&'static str> {
    if only_public && privacy(path).is_ok_and(|found| found != Privacy::Open) {
        return Some("some users here may not read it, and all may ask; see --token and --no-auth");
    }
    is_lure(path).then_some("another user's link leads to it, and it is not theirs; name the file itself")
}

/// Whether it matters that the very file that was judged is read.
fn refusal_counts(path: &Path, only_public: bool) -> bool {
    only_public || std::fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink())
}

impl Followed {
    /// A path that was not looked at yet. If it is `new`, all that its file holds is news; else only what comes.
    pub fn new(source: Arc<Source>, path: PathBuf, new: bool) -> Followed {
        Followed {
            source,
            path,
            open: Vec::new(),
            named: false,
            missing_since: None,
            waiting: false,
            looked: false,
            new,
            trouble: None,
            closed: false,
            known: HashMap::new(),
            folder_modified: 0,
            last: Weak::new(),
            births_seen: 0,
            lives: 0,
            stream: false,
        }
    }

    /// Whether names in its folder that are not its own may tell of it.
    pub fn is_draining(&self) -> bool {
        self.open.len() > usize::from(self.named)
    }

    /// Whether the path was found to name what is read otherwise: a FIFO or a compressed file.
    pub fn is_stream(&self) -> bool {
        self.stream
    }

    /// Whether a file is not the one that is read.
    fn is_new(&self, meta: &std::fs::Metadata) -> bool {
        let seen = self.open.last().filter(|_| self.named).map(|growing| growing.file.ident());
        matches!(compare(seen, Found::File(Ident::of(meta))), Change::Replaced)
    }

    /// Counts new files that the watcher saw at the path.
    pub fn saw_births(&mut self, count: u32) {
        self.births_seen += u64::from(count);
    }

    /// Looks at everything: what grew, what the path names, what has ended.
    pub fn look(&mut self, look: &mut Look<'_>) {
        let births = self.births_seen;
        // Listed first: if the path then still names what it named, each of these was known to be there.
        let listed = if look.tick { self.list_siblings() } else { None };
        let lives = self.open.last().map(|growing| growing.segment.serial);
        let readable = self.read_all(look);
        let found = std::fs::metadata(&self.path);
        let is_new = found.as_ref().is_ok_and(|meta| self.is_new(meta));
        if let Some(why) = is_new.then(|| refusal(&self.path, look.only_public)).flatten() {
            self.looked = true;
            return self.fail(look, why);
        }
        let judged = found.as_ref().map(Ident::of).ok();
        let found = match found {
            Ok(meta) if self.open.is_empty() && is_stream(&self.path, &meta) => {
                self.stream = true;
                return;
            }
            Ok(meta) if meta.is_file() => {
                self.note_mode(look, &meta);
                Found::File(Ident::of(&meta))
            }
            Ok(meta) => {
                self.looked = true;
                return self
                    .fail(look, if meta.is_dir() { "it is a folder now" } else { "it is not a file now" });
            }
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                Found::Nothing
            }
            Err(error) => return self.fail_with(look, &error),
        };
        let seen = self.open.last().filter(|_| self.named).map(|growing| growing.file.ident());
        match compare(seen, found) {
            Change::Same => self.is_there(look, readable),
            Change::Missing => self.is_missing(look),
            Change::Replaced => match LogFile::open(&self.path, &self.source.redact) {
                // Names and links are turned quickly: what was not judged is left to the next look.
                Ok(file) if Some(file.ident()) != judged && refusal_counts(&self.path, look.only_public) => {}
                Ok(file) => self.replaced(look, file),
                // It went again in between: the next look knows more.
                Err(error) if error.kind() == io::ErrorKind::NotFound => self.is_missing(look),
                Err(error) => return self.fail_with(look, &error),
            },
        }
        if births > self.lives {
            // More lives began than were found. Where files are removed, one was gone before anybody could look;
            // where they are renamed, it is only found later.
            let removed = |growing: &Growing| growing.file.metadata().is_ok_and(|meta| meta.nlink() == 0);
            if self.looked && self.open.iter().any(removed) {
                self.gap(look, "a file was replaced before it could be read", None);
            }
            self.lives = births;
        }
        if look.tick {
            self.end_quiet(look);
        }
        let same = lives == self.open.last().map(|growing| growing.segment.serial);
        match listed {
            Some(listed) if same || !self.looked => self.known = listed,
            // What was rotated meanwhile is listed again at the next tick.
            Some(_) => self.folder_modified = 0,
            None => {}
        }
        self.looked = true;
    }

    /// Ends it for good: reads what is there, says an unfinished last line, and `ended`.
    pub fn end(&mut self, look: &mut Look<'_>) {
        self.look(look);
        for growing in &mut self.open {
            growing.finish(look.hub, &self.source);
        }
        self.source.set_state(State::Ended);
        let body = notice_body(Some(&self.source.name), "");
        look.hub.publish(&self.source, Delta::End(self.source.id), Content::Notice { name: "ended", body });
    }

    /// Reads what grew; false if something could not be read.
    fn read_all(&mut self, look: &mut Look<'_>) -> bool {
        let (mut at, mut readable) = (0, true);
        while at < self.open.len() {
            let current = self.named && at + 1 == self.open.len();
            if current && self.missed_unseen() {
                self.truncated(look);
                at += 1;
                continue;
            }
            let growing = &mut self.open[at];
            let mut grown = growing.read(look.hub, &self.source, look.buf);
            if look.tick && matches!(grown, Ok(Growth::Same)) {
                grown = rewritten(growing);
            }
            match grown {
                Ok(Growth::Same) => {}
                Ok(Growth::Cut) if current => self.truncated(look),
                Ok(Growth::Cut) => {
                    // Somebody cut a file that was rotated away: what is left of it may stand in a copy.
                    self.rescue(look, at);
                    self.seal(look, at, true);
                    continue;
                }
                Err(error) => {
                    readable = false;
                    self.fail_with(look, &error);
                }
            }
            at += 1;
        }
        readable
    }

    fn replaced(&mut self, look: &mut Look<'_>, file: LogFile) {
        self.trouble = None;
        self.missing_since = None;
        let waited = std::mem::take(&mut self.waiting);
        let born = match (self.looked, waited) {
            (false, _) => Born::First,
            (true, true) => Born::Resumed,
            (true, false) => Born::Rotated,
        };
        // What the old file was cut to before it left the path is a life of its own.
        if self.named {
            self.read_all(look);
        }
        // One of the old ones may be back at the path.
        let ident = file.ident();
        let back = self.open.iter().position(|growing| growing.file.ident() == ident);
        let file = Arc::new(file);
        let start = match back {
            Some(at) => {
                let growing = &self.open[at];
                let start = (growing.tip, growing.segment.generation(), growing.segment.begin());
                Some(start)
            }
            None => self.told_before(&file),
        };
        let head = if self.looked && back.is_none() { self.catch_up(look, &file) } else { head_now(&file) };
        let begin = start.map_or(0, |(_, _, begin)| begin);
        let mut segment = Segment::new(self.source.id, self.source.key, file, begin, born);
        if let Some((place, generation, _)) = start {
            segment = segment.starting_at(place);
            if generation != NO_GENERATION {
                segment.set_generation(generation);
            }
        } else if !self.looked && !self.new {
            // What is there at the start is history: only its end is looked at.
            match history_end(&segment) {
                Ok(tip) => return self.begin_at(look, segment, tip),
                Err(error) => return self.fail_with(look, &error),
            }
        }
        if start.is_none()
            && let Some(generation) = head
        {
            segment.set_generation(generation);
        }
        self.lives += 1;
        self.begin(look, segment);
        if let Some(at) = back {
            self.seal(look, at, false);
        }
        self.named = true;
        self.read_all(look);
    }

    /// The first file of all: its lines so far are told to those who ask, not published.
    fn begin_at(&mut self, look: &mut Look<'_>, segment: Segment, tip: Place) {
        let segment = Arc::new(segment);
        match Growing::at(segment.clone(), tip) {
            Ok(growing) => {
                look.hub.publish(&self.source, Delta::Begin(segment.clone()), Content::Nothing);
                look.hub.publish(&self.source, Delta::Advance(segment.clone(), tip), Content::Nothing);
                self.last = Arc::downgrade(&segment);
                self.open.push(growing);
                self.named = true;
                self.read_all(look);
            }
            Err(error) => self.fail_with(look, &error),
        }
    }

    /// A new generation, behind the others.
    fn begin(&mut self, look: &mut Look<'_>, segment: Segment) {
        let segment = Arc::new(segment);
        let first = segment.first();
        let growing = match Growing::at(segment.clone(), first) {
            Ok(growing) => growing,
            Err(error) => return self.fail_with(look, &error),
        };
        if let Some(before) = self.last.upgrade() {
            before.set_next(segment.clone());
        }
        self.last = Arc::downgrade(&segment);
        match born_word(segment.born) {
            Some(word) => {
                let body = notice_body(Some(&self.source.name), &generation_member(&segment));
                let content = Content::Notice { name: word, body };
                look.hub.publish(&self.source, Delta::Begin(segment.clone()), content);
            }
            None => look.hub.publish(&self.source, Delta::Begin(segment.clone()), Content::Nothing),
        }
        self.open.push(growing);
    }

    /// The current file was cut: its rest may stand in a copy, and whole lives may have come and gone.
    fn truncated(&mut self, look: &mut Look<'_>) {
        let at = self.open.len() - 1;
        let file = self.open[at].file.clone();
        self.rescue(look, at);
        self.named = false;
        let head = self.catch_up(look, &file);
        let segment = Segment::new(self.source.id, self.source.key, file, 0, Born::Truncated);
        if let Some(generation) = head {
            segment.set_generation(generation);
        }
        self.begin(look, segment);
        self.seal(look, at, true);
        self.named = true;
    }

    fn say(&self, look: &Look<'_>, name: &str, delta: Delta) {
        let body = notice_body(Some(&self.source.name), "");
        look.hub.publish(&self.source, delta, Content::Notice { name, body });
    }

    fn gap(&self, look: &Look<'_>, reason: &str, bytes: Option<u64>) {
        let bytes = bytes.map_or(String::new(), |bytes| format!(r#","bytes":{bytes}"#));
        let body = notice_body(Some(&self.source.name), &format!(r#","reason":"{reason}"{bytes}"#));
        look.hub.publish(&self.source, Delta::Same, Content::Notice { name: "gap", body });
    }
}

/// A file that changed without growing may have been written anew with the same size.
fn rewritten(growing: &mut Growing) -> io::Result<Growth> {
    let now = modified(&growing.file.metadata()?);
    if std::mem::replace(&mut growing.modified, now) == now || growing.still_shows()? {
        return Ok(Growth::Same);
    }
    Ok(Growth::Cut)
}

/// The end of the last complete line of a file that was there at the start.
fn history_end(segment: &Segment) -> io::Result<Place> {
    let file = segment.file();
    segment.set_begin(file.content_start()?);
    let begin = segment.begin();
    if let Head::Known(generation) = file.head(begin)? {
        segment.set_generation(generation);
    }
    let offset = file.last_line_end(begin, file.size()?)?;
    Ok(Place { offset, check: file.check_before(begin, offset)? })
}

fn modified(meta: &std::fs::Metadata) -> i128 {
    i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec())
}

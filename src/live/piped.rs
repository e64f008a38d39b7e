//! A pipe, or what feeds a source, as the follower sees it: its spool, read as it grows, to its end.

use super::feed::Hub;
use super::growth::{Growing, Growth};
use super::notices::{born_word, generation_member, notice_body};
use super::pipe::Progress;
use super::source::{Source, State};
use super::vector::Delta;
use super::view::Content;
use crate::log::cursor::NO_LINE;
use crate::log::segment::{Place, Segment};
use std::io;
use std::sync::Arc;

/// How often a spool is looked at anew while it gives up lines faster than they are read.
const SPOOL_TRIES: usize = 8;

/// A pipe that is followed.
#[derive(Debug)]
pub struct Piped {
    source: Arc<Source>,
    /// None until it has begun.
    growing: Option<Growing>,
    progress: Arc<Progress>,
    ended: bool,
    /// Whether it said that it waits for somebody else.
    waits: bool,
    /// Whether the last read found another content than the one before.
    moved: bool,
}

impl Piped {
    /// A source that begins when its progress says so.
    pub fn new(source: Arc<Source>, progress: Arc<Progress>) -> Piped {
        Piped { source, growing: None, progress, ended: false, waits: false, moved: false }
    }

    /// Whether it has begun, or is not about to.
    pub fn has_begun(&self) -> bool {
        self.growing.is_some() || self.ended || self.waits
    }

    /// Begins with what is spooled, if anything is yet.
    ///
    /// # Errors
    /// What the system says to reading the spool.
    pub fn begin(&mut self, hub: &Hub) -> io::Result<()> {
        match self.growing {
            None => self.progress.take_begun().map_or(Ok(()), |segment| self.turn(hub, segment)),
            Some(_) => Ok(()),
        }
    }

    /// Goes on with another life; the one before was read to its end.
    fn turn(&mut self, hub: &Hub, segment: Arc<Segment>) -> io::Result<()> {
        let growing = Growing::at(segment.clone(), segment.first())?;
        let begin = Delta::Begin(segment.clone());
        let Some(mut old) = self.growing.replace(growing) else {
            hub.publish(&self.source, begin, Content::Nothing);
            return Ok(());
        };
        old.finish(hub, &self.source);
        old.segment.set_next(segment.clone());
        match born_word(segment.born) {
            Some(word) => self.say(hub, word, begin, &generation_member(&segment)),
            None => hub.publish(&self.source, begin, Content::Nothing),
        }
        hub.publish(&self.source, Delta::Seal(old.segment), Content::Nothing);
        Ok(())
    }

    /// Says what was spooled since the last look, what could not be, and the end. Returns what a person should know.
    pub fn look(&mut self, hub: &Hub, buf: &mut Vec<u8>) -> Option<String> {
        if self.ended {
            return None;
        }
        // Before the read: what was spooled before the end, or before a notice, is then read with it.
        let (ended, notice) = (self.progress.ended(), self.progress.has_notice());
        let mut next = self.progress.take_begun();
        self.read(hub, buf);
        while let Some(segment) = next {
            if let Err(error) = self.turn(hub, segment) {
                return Some(format!("warning: cannot read '{}': {error}", self.source.name.escape_debug()));
            }
            self.read(hub, buf);
            next = self.progress.take_begun();
        }
        if notice && let Some((name, more)) = self.progress.take_notice() {
            self.waits = name == "waiting";
            match name {
                "waiting" => self.source.set_state(State::Waiting),
                "resumed" => self.source.set_state(State::Following),
                _ => {}
            }
            self.say(hub, name, Delta::Same, &more);
        }
        let dropped = self.progress.take_dropped();
        if dropped > 0 {
            let more = format!(r#","reason":"the spool's disk is full","bytes":{dropped}"#);
            self.say(hub, "gap", Delta::Same, &more);
        }
        if ended {
            self.ended = true;
            if let Some(growing) = &mut self.growing {
                growing.finish(hub, &self.source);
            }
            if let Some(why) = self.progress.failed() {
                self.source.set_broken(why.to_owned());
                self.say(hub, "gap", Delta::Same, &self.source.end_members());
            }
            self.source.set_state(State::Ended);
            // Who comes later is told with the end.
            self.say(hub, "ended", Delta::End(self.source.id), &self.source.end_members());
            let name = self.source.name.escape_debug();
            return self
                .source
                .broken()
                .map(|why| format!("warning: cannot read '{name}' to its end: {why}"));
        }
        None
    }

    fn say(&self, hub: &Hub, name: &str, delta: Delta, more: &str) {
        let body = notice_body(Some(&self.source.name), more);
        hub.publish(&self.source, delta, Content::Notice { name, body });
    }

    /// Reads what was spooled; where the spool gave up lines that were not read yet, says how much.
    fn read(&mut self, hub: &Hub, buf: &mut Vec<u8>) {
        let Some(growing) = &mut self.growing else { return };
        // The spool may move on while it is read, but not for ever: the next ring of the bell goes on.
        for _ in 0..SPOOL_TRIES {
            let segment = growing.segment.clone();
            let (tip, begin) = (growing.tip, segment.begin());
            let lost = begin.saturating_sub(tip.offset);
            let first = Place { offset: begin, check: NO_LINE };
            if lost > 0 {
                let more = format!(r#","reason":"the oldest lines were given up","bytes":{lost}"#);
                let body = notice_body(Some(&self.source.name), &more);
                let delta = Delta::Advance(segment.clone(), first);
                hub.publish(&self.source, delta, Content::Notice { name: "gap", body });
            }
            // A pipe is never cut: what looks so is the spool moving on.
            if lost > 0 || self.moved {
                let Ok(again) = Growing::at(segment, if lost > 0 { first } else { tip }) else { return };
                *growing = again;
            }
            self.moved = match growing.read(hub, &self.source, buf) {
                Ok(Growth::Same) => return,
                Ok(Growth::Cut) | Err(_) => true,
            };
        }
    }
}

//! A pipe as the follower sees it: its spool, read as it grows, to its end.

use super::feed::Hub;
use super::growth::{Growing, Growth};
use super::notices::notice_body;
use super::pipe::Progress;
use super::source::{Source, State};
use super::vector::Delta;
use super::view::Content;
use crate::log::segment::Segment;
use std::io;
use std::sync::Arc;

/// How often a spool is looked at anew while it gives up lines faster than they are read.
const SPOOL_TRIES: usize = 8;

/// A pipe that is followed.
#[derive(Debug)]
pub struct Piped {
    source: Arc<Source>,
    growing: Growing,
    progress: Arc<Progress>,
    ended: bool,
    /// Whether the last read found another content than the one before.
    moved: bool,
}

impl Piped {
    /// Begins with what the pipe's thread spools.
    ///
    /// # Errors
    /// What the system says to reading the spool.
    pub fn begin(
        hub: &Hub,
        source: Arc<Source>,
        segment: Arc<Segment>,
        progress: Arc<Progress>,
    ) -> io::Result<Piped> {
        let growing = Growing::at(segment.clone(), segment.first())?;
        hub.publish(&source, Delta::Begin(segment), Content::Nothing);
        Ok(Piped { source, growing, progress, ended: false, moved: false })
    }

    /// Says what was spooled since the last look, what could not be, and the end. Returns what a person should know.
    pub fn look(&mut self, hub: &Hub, buf: &mut Vec<u8>) -> Option<String> {
        if self.ended {
            return None;
        }
        // Before the read: what was spooled before the end is then read with it.
        let ended = self.progress.ended();
        self.read(hub, buf);
        let dropped = self.progress.take_dropped();
        if dropped > 0 {
            let more = format!(r#","reason":"the spool's disk is full","bytes":{dropped}"#);
            self.say(hub, "gap", Delta::Same, &more);
        }
        if ended {
            self.ended = true;
            self.growing.finish(hub, &self.source);
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
        // The spool may move on while it is read, but not for ever: the next ring of the bell goes on.
        for _ in 0..SPOOL_TRIES {
            let segment = self.growing.segment.clone();
            let (tip, first) = (self.growing.tip, segment.first());
            let lost = first.offset.saturating_sub(tip.offset);
            if lost > 0 {
                let more = format!(r#","reason":"the oldest lines were given up","bytes":{lost}"#);
                self.say(hub, "gap", Delta::Advance(segment.clone(), first), &more);
            }
            // A pipe is never cut: what looks so is the spool moving on.
            if lost > 0 || self.moved {
                let Ok(growing) = Growing::at(segment, if lost > 0 { first } else { tip }) else { return };
                self.growing = growing;
            }
            self.moved = match self.growing.read(hub, &self.source, buf) {
                Ok(Growth::Same) => return,
                Ok(Growth::Cut) | Err(_) => true,
            };
        }
    }
}

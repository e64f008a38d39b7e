//! A source that somebody else feeds with the messages of a stream: its spool, and the way to write into it.
//!
//! The feeder has a thread of its own and may block; what it writes is from then on a file like any other, read as it
//! grows by [`Piped`](super::piped::Piped). Notices keep their place among the lines: the feeder waits, a bounded time,
//! until the follower has said one before it goes on.

use super::pipe::Progress;
use super::source::Source;
use super::streamed::Engine;
use super::watch::Bell;
use crate::log::ledger::{Ledger, Message};
use crate::log::logfile::LogFile;
use crate::log::segment::{Born, Place, Segment};
use crate::log::spool::Spool;
use std::io;
use std::sync::Arc;
use std::time::Duration;

/// How long a notice waits for the follower, which looks at least once a second.
const NOTICE_WAIT: Duration = Duration::from_secs(5);

/// A source that is fed.
pub struct Fed {
    /// Its name.
    pub name: String,
    /// Starts the feeder.
    pub begin: Box<dyn FnOnce(Feed) -> io::Result<()> + Send>,
}

/// What a feeder gets: it begins when it knows where.
#[derive(Debug, Clone)]
pub struct Feed {
    hub_source: Arc<Source>,
    /// The most bytes that are kept.
    pub limit: u64,
    progress: Arc<Progress>,
    bell: Bell,
}

/// Which stream it is.
#[derive(Debug, Clone, Copy)]
pub struct Identity {
    /// A name of this reading of it, for the API; another each time.
    pub generation: u64,
    /// Twelve bits that tell the stream from others, the same on every server.
    pub tie: u16,
    /// The number of the first message that is read.
    pub start: u64,
}

/// Writes a spool and its ledger.
#[derive(Debug)]
pub struct Writer {
    feed: Feed,
    life: Life,
    shared: Option<Arc<Segment>>,
}

#[derive(Debug)]
struct Life {
    spool: Spool,
    reader: LogFile,
    ledger: Arc<Ledger>,
    /// Until it is shared.
    segment: Option<Segment>,
    end: u64,
}

impl Feed {
    pub(super) fn new(source: &Arc<Source>, limit: u64, progress: &Arc<Progress>, bell: &Bell) -> Feed {
        source.set_fed();
        Feed { hub_source: source.clone(), limit, progress: progress.clone(), bell: bell.clone() }
    }

    /// The same, with another limit.
    pub fn keeping(self, limit: u64) -> Feed {
        Feed { limit, ..self }
    }

    /// A spool for what is read.
    ///
    /// # Errors
    /// What the system says to temporary files.
    pub fn write(self, identity: Identity) -> io::Result<Writer> {
        let life = self.life(identity, Born::First)?;
        Ok(Writer { feed: self, life, shared: None })
    }

    fn life(&self, identity: Identity, born: Born) -> io::Result<Life> {
        let redact = &self.hub_source.redact;
        let (spool, reader) = Spool::new(self.limit, redact)?;
        let file = LogFile::from_file(reader.try_clone_file()?, redact)?;
        let ledger = Arc::new(Ledger::new(identity.start)?);
        let segment = Segment::new(self.hub_source.id, self.hub_source.key, Arc::new(file), 0, born);
        let segment = segment.of_messages(ledger.clone(), identity.generation, identity.tie);
        Ok(Life { spool, reader, ledger, segment: Some(segment), end: 0 })
    }

    /// Says that there is nothing to read yet, and why.
    pub fn say(&self, name: &'static str, more: String) {
        self.progress.say(name, more, &self.bell, NOTICE_WAIT);
    }

    /// Says who fetches what the spool no longer has.
    pub fn set_engine(&self, engine: Arc<dyn Engine>) {
        self.hub_source.set_engine(engine);
    }

    /// Says that nothing will ever come.
    pub fn end(&self, why: Option<String>) {
        self.progress.end(why, &self.bell);
    }
}

impl Writer {
    /// Says who fetches what the spool no longer has.
    pub fn set_engine(&self, engine: Arc<dyn Engine>) {
        self.feed.set_engine(engine);
    }

    /// Which messages were written.
    pub fn ledger(&self) -> &Arc<Ledger> {
        &self.life.ledger
    }

    /// How many bytes were written.
    pub fn written(&self) -> u64 {
        self.life.end
    }

    /// Appends the lines of a message; `lead` of their first bytes came in earlier ones.
    ///
    /// # Errors
    /// What the system says to the spool or the ledger.
    pub fn message(
        &mut self,
        (sequence, stored): (u64, u64),
        origin: Option<&str>,
        lead: usize,
        lines: &[u8],
    ) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let life = &mut self.life;
        let (from, to) = (life.end, life.end + lines.len() as u64);
        life.ledger.push(Message::new(from, to, sequence, stored).led_by(lead as u32), origin)?;
        let segment = self.shared.as_deref().or(life.segment.as_ref());
        let begins = |begin| {
            if let Some(segment) = segment {
                segment.trim(begin);
            }
            let _ = life.ledger.trim(begin);
        };
        life.spool.write(lines, &life.reader, begins)?;
        life.end = to;
        if self.shared.is_some() {
            self.feed.bell.ring();
        }
        Ok(())
    }

    /// Says that what was written so far is history: who reads already gets what comes from here on.
    ///
    /// # Errors
    /// What the system says.
    pub fn begin(&mut self) -> io::Result<()> {
        let Some(segment) = self.life.segment.take() else { return Ok(()) };
        let end = self.life.end;
        let check = self.life.reader.check_before(segment.begin(), end)?;
        let segment = Arc::new(segment.starting_at(Place { offset: end, check }));
        self.shared = Some(segment.clone());
        self.feed.progress.begin(segment);
        self.feed.bell.ring();
        Ok(())
    }

    /// Whether it has begun.
    pub fn has_begun(&self) -> bool {
        self.shared.is_some()
    }

    /// Begins a new life: the stream is not what it was.
    ///
    /// # Errors
    /// What the system says.
    pub fn renew(&mut self, identity: Identity) -> io::Result<()> {
        let born = if self.has_begun() { Born::Truncated } else { Born::First };
        let begins = self.has_begun();
        self.life = self.feed.life(identity, born)?;
        self.shared = None;
        if begins { self.begin() } else { Ok(()) }
    }

    /// The lines that were written as a segment that has ended.
    ///
    /// # Errors
    /// `NotFound` if `begin` was called: it is shared then, and goes on.
    pub fn into_segment(mut self) -> io::Result<Segment> {
        let segment = self.life.segment.take().ok_or(io::ErrorKind::NotFound)?;
        segment.seal(self.life.end);
        Ok(segment)
    }

    /// Says something about the stream, in its place behind what was written.
    pub fn say(&self, name: &'static str, more: String) {
        self.feed.say(name, more);
    }

    /// Says that nothing will come any more, and why if that is no good end.
    pub fn end(self, why: Option<String>) {
        self.feed.end(why);
    }
}

//! One file on its way: what is next, one message at a time.
//!
//! The order is that of a client of the server ([`step`](crate::live::step)): a generation to where the follower has read
//! it, the next one when it turns to it, late lines of the old one in between until it has ended. Each message says
//! where all open generations stand after it, so the last one of the subject is enough to go on from. Any error but a
//! permission or a setting leaves a doubt, which [`settle`](super::settle) ends.

use super::batch::{Batch, Make};
use super::checkpoint::{Checkpoint, Note};
use super::spool::Spool;
use super::{FIRST_WAIT, Failed, First, MOST_WAIT, ONCE_PATIENCE, Shared, subject_path};
use crate::live::source::{Source, State};
use crate::live::step::{Move, next_move};
use crate::live::unshipped::{MOST_HELD, chain, target};
use crate::live::vector::{Delta, Vector};
use crate::log::segment::{Place, ReadError, Segment};
use crate::nats::connect::back_off;
use crate::nats::error::Error;
use crate::nats::message::{At, Gap, HEADER_ROOM, Head};
use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// How often a read that found another content waits for the follower to say what happened, and how long.
const GONE_TRIES: u32 = 6;
/// How long a failing read is tried again, in waits.
const ERROR_TRIES: u32 = 120;
const READ_AGAIN: Duration = Duration::from_millis(500);
/// The longest time without a look, whatever is told.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often the connection is looked at while there is none.
const LINK_AGAIN: Duration = Duration::from_millis(100);
/// The smallest payload, whatever the server says of its limits.
const LEAST_BYTES: usize = 1024;

/// Why a file does not go on.
#[derive(Debug)]
pub(super) enum Halt {
    /// It was stopped.
    Stopped,
    /// Somebody has to change something.
    Failed(Failed),
    /// It goes on when this has passed.
    Doubt(Error),
}

impl From<Error> for Halt {
    fn from(error: Error) -> Halt {
        Halt::Doubt(error)
    }
}

/// One file. See the module.
pub(super) struct Shipper {
    pub(super) shared: Arc<Shared>,
    pub(super) source: Arc<Source>,
    pub(super) subject: String,
    pub(super) path: Vec<u8>,
    pub(super) first: First,
    pub(super) spool: Option<Arc<Spool>>,
    /// Where it stands; `None` until the subject's last message, or the lack of one, said it.
    pub(super) own: Option<Vector>,
    /// The same as text: what the subject's last message said, or would have.
    pub(super) cursor: String,
    /// The number of the subject's last message; 0 if there is none.
    pub(super) seq: u64,
    /// What was sent and not acknowledged.
    pub(super) pending: Option<(String, Vector)>,
    /// Losses that are to be told.
    pub(super) gaps: VecDeque<Gap>,
    /// How many bytes the subject went back by, until that is sure.
    pub(super) back: Option<u64>,
    pub(super) checkpoint: Checkpoint,
    settled: bool,
    /// Whether something was acknowledged in this run.
    pub(super) acked: bool,
    behind: Arc<AtomicU64>,
    tries: u32,
    gone_tries: u32,
    error_tries: u32,
    next: Instant,
    since: Instant,
    noted_trouble: bool,
}

impl Shipper {
    pub(super) fn new(
        shared: Arc<Shared>,
        source: Arc<Source>,
        first: First,
        spool: Option<Arc<Spool>>,
    ) -> Shipper {
        let path = subject_path(&source);
        let subject = shared.options.template.subject(&shared.options.host, &path);
        let place = shared.options.url.place();
        let checkpoint = Checkpoint::of(shared.options.state.as_deref(), &place, &subject);
        let behind = shared.counts.join();
        Shipper {
            shared,
            source,
            subject,
            path,
            first,
            spool,
            own: None,
            cursor: String::new(),
            seq: 0,
            pending: None,
            gaps: VecDeque::new(),
            back: None,
            checkpoint,
            settled: false,
            acked: false,
            behind,
            tries: 0,
            gone_tries: 0,
            error_tries: 0,
            next: Instant::now(),
            since: Instant::now(),
            noted_trouble: false,
        }
    }

    /// Ships until the end, or until stopped.
    pub(super) async fn run(mut self) -> Result<(), Failed> {
        loop {
            match self.go_on().await {
                Ok(()) | Err(Halt::Stopped) => {
                    self.flush();
                    return Ok(());
                }
                Err(Halt::Failed(failed)) => {
                    self.flush();
                    return Err(failed);
                }
                Err(Halt::Doubt(error)) => {
                    if let Err(failed) = self.doubt(error).await {
                        self.flush();
                        return Err(failed);
                    }
                }
            }
        }
    }

    async fn go_on(&mut self) -> Result<(), Halt> {
        if !self.settled {
            self.settle().await?;
            self.settled = true;
        }
        loop {
            while let Some(loss) = self.source.told.take_loss() {
                self.gaps.push_back(Gap { bytes: loss.bytes, reason: loss.reason });
            }
            if let Some(gap) = self.gaps.front().cloned() {
                self.tell_gap(gap).await?;
                self.gaps.pop_front();
                continue;
            }
            let target = target(&self.shared.hub, &self.source);
            let Some(own) = &mut self.own else { return Err(Halt::Stopped) };
            match next_move(own, &target) {
                Move::Take(delta) => own.apply(&delta),
                Move::Adopt(stand) => own.push_older(stand),
                Move::Turn(segment) => own.apply(&Delta::Begin(segment)),
                Move::Read(segment, from, to) => {
                    self.count_behind(&target);
                    self.ship(segment, from, to, &target).await?;
                }
                Move::Ahead => self.wait(LOOK_AGAIN).await?,
                Move::Joined => {
                    self.count_behind(&target);
                    if self.source.status().state == State::Ended {
                        return Ok(());
                    }
                    if self.finish_spool().await? {
                        return Ok(());
                    }
                    self.wait(LOOK_AGAIN).await?;
                }
            }
        }
    }

    /// Waits after an error, or says that it cannot be waited for.
    async fn doubt(&mut self, error: Error) -> Result<(), Failed> {
        self.settled = false;
        let once = self.shared.options.once;
        let patient = matches!(error, Error::Unavailable { .. } | Error::WrongSequence);
        if once && !(patient && self.since.elapsed() < ONCE_PATIENCE) || !error.waits() && !self.acked {
            let bytes = self.behind.load(Ordering::Relaxed);
            return Err(match error.waits() {
                true => Failed::Behind { name: self.source.name.clone(), bytes, cause: error },
                false => Failed::Engine(error),
            });
        }
        // One that was quicker is no trouble, and one miss is none yet.
        let told = error != Error::WrongSequence && (self.tries > 0 || !patient);
        if told {
            self.shared.trouble(&error);
            self.noted_trouble = true;
        }
        let stop = self.shared.stop.clone();
        let link = self.shared.stream().link().clone();
        let wait = match error {
            Error::WrongSequence if self.tries == 0 => back_off(0, FIRST_WAIT / 10, FIRST_WAIT),
            _ => back_off(self.tries, FIRST_WAIT, MOST_WAIT),
        };
        self.tries += 1;
        let mut wait = wait;
        loop {
            self.let_go();
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                () = stop.cancelled() => return Ok(()),
            }
            if link.is_up() || once && self.since.elapsed() > ONCE_PATIENCE {
                return Ok(());
            }
            wait = LINK_AGAIN;
        }
    }

    /// Holds no more old generations open than is fair: what has a name is found again by its content.
    fn let_go(&mut self) {
        let many = self.own.as_ref().is_some_and(|own| chain(own, &self.source).len() > MOST_HELD);
        if many {
            self.pending = None;
            self.own = None;
        }
    }

    /// Sends the next bytes of a generation.
    async fn ship(
        &mut self,
        segment: Arc<Segment>,
        from: Place,
        to: u64,
        target: &Vector,
    ) -> Result<(), Halt> {
        let make = self.make();
        if to - from.offset < make.bytes as u64 {
            let wait = self.next.saturating_duration_since(Instant::now());
            if !wait.is_zero() && !self.shared.options.once {
                tokio::select! {
                    () = tokio::time::sleep(wait) => return Ok(()),
                    () = self.shared.stop.cancelled() => return Err(Halt::Stopped),
                }
            }
        }
        // Above all the lines that wait for their turn are not read before it comes. It is never closed.
        let shared = self.shared.clone();
        let permit = shared.flight.acquire().await;
        let (own, source) = (segment.clone(), self.source.clone());
        let read = tokio::task::spawn_blocking(move || make.batch(&own, &source, from, to)).await;
        let read = read.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()));
        let batch = match read {
            Ok(batch) => batch,
            Err(error) => {
                drop(permit);
                return self.unread(segment, from, to, error, target).await;
            }
        };
        (self.gone_tries, self.error_tries) = (0, 0);
        let ended = segment.end() == Some(batch.to.offset);
        if ended && !batch.whole && self.shared.options.once && self.shared.options.redact.is_some() {
            // Half a line cannot be redacted; the next run finds it whole.
            let Some(own) = &mut self.own else { return Ok(()) };
            own.apply(&Delta::Advance(segment, batch.to));
            return Ok(());
        }
        // With `once` a file ends here only for now, unless another one has followed.
        let end = ended && !batch.whole && (!self.shared.options.once || segment.next().is_some());
        let sent = self.send(&segment, from, batch, end).await;
        drop(permit);
        sent
    }

    pub(super) fn make(&self) -> Make {
        let stream = self.shared.stream();
        let own = usize::try_from(stream.info.config.max_msg_size).ok().filter(|&own| own > 0);
        let most = stream.link().max_payload().min(own.unwrap_or(usize::MAX));
        let options = &self.shared.options;
        Make {
            bytes: options.batch_bytes,
            room: most.saturating_sub(HEADER_ROOM).max(LEAST_BYTES),
            compress: options.compress,
            redact: options.redact.clone(),
        }
    }

    /// What to do about bytes that could not be read.
    async fn unread(
        &mut self,
        segment: Arc<Segment>,
        from: Place,
        to: u64,
        error: ReadError,
        target: &Vector,
    ) -> Result<(), Halt> {
        let Some(own) = &mut self.own else { return Ok(()) };
        if matches!(error, ReadError::Gone) && from.offset < segment.begin() {
            // The hole that a truncation left.
            own.apply(&Delta::Advance(segment.clone(), segment.first()));
            return Ok(());
        }
        match &error {
            ReadError::Gone if segment.end().is_none() && self.gone_tries < GONE_TRIES => {
                self.gone_tries += 1;
                return self.wait(READ_AGAIN).await;
            }
            ReadError::Io(_) if self.error_tries < ERROR_TRIES => {
                self.error_tries += 1;
                return self.wait(READ_AGAIN).await;
            }
            _ => {}
        }
        let check = target.place(&segment).map_or(0, |place| place.check);
        own.apply(&Delta::Advance(segment, Place { offset: to, check }));
        (self.gone_tries, self.error_tries) = (0, 0);
        let reason = match error {
            ReadError::Gone => "the file was changed or removed before it was shipped".to_owned(),
            ReadError::Io(error) => format!("the file could not be read: {error}"),
        };
        self.gaps.push_back(Gap { bytes: Some(to - from.offset), reason });
        Ok(())
    }

    /// Sends a batch that begins at `from`.
    pub(super) async fn send(
        &mut self,
        segment: &Arc<Segment>,
        from: Place,
        batch: Batch,
        end: bool,
    ) -> Result<(), Halt> {
        let Some(own) = &self.own else { return Ok(()) };
        let mut after = own.clone();
        after.apply(&Delta::Advance(segment.clone(), batch.to));
        let at = At {
            generation: segment.generation(),
            check: batch.to.check,
            start: from.offset,
            end: batch.to.offset,
        };
        let (lines, bytes) = (batch.lines, batch.to.offset - from.offset);
        let head = Head {
            lines: Some(lines),
            cut: batch.cut.filter(|&cut| cut > 0),
            end,
            encoding: batch.encoding,
            ..self.head(at, &after)
        };
        self.append(head, batch.payload, after).await?;
        let counts = &self.shared.counts;
        counts.lines.fetch_add(lines, Ordering::Relaxed);
        counts.bytes.fetch_add(bytes, Ordering::Relaxed);
        Ok(())
    }

    /// Tells of a loss where it stands.
    async fn tell_gap(&mut self, gap: Gap) -> Result<(), Halt> {
        let Some(own) = &self.own else { return Ok(()) };
        let bytes = gap.bytes.map_or("lines".to_owned(), |bytes| format!("{bytes} bytes"));
        let (name, text) = (self.source.name.escape_debug(), &gap.reason);
        let text = format!("warning: {bytes} of '{name}' were not shipped: {text}");
        let after = own.clone();
        let head = Head { gap: Some(gap), ..self.head(self.stand(), &after) };
        self.append(head, Bytes::new(), after).await?;
        self.shared.say(&text);
        self.shared.counts.gaps.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    /// Says that nothing follows.
    pub(super) async fn tell_end(&mut self) -> Result<(), Halt> {
        let Some(own) = &self.own else { return Ok(()) };
        let after = own.clone();
        let head = Head { end: true, ..self.head(self.stand(), &after) };
        self.append(head, Bytes::new(), after).await
    }

    /// An empty range where the newest generation stands.
    fn stand(&self) -> At {
        let stand = self.own.as_ref().and_then(|own| own.of(self.source.id).last().cloned());
        stand.map_or(At { generation: 0, check: 0, start: 0, end: 0 }, |(segment, place)| At {
            generation: segment.generation(),
            check: place.check,
            start: place.offset,
            end: place.offset,
        })
    }

    fn head(&self, at: At, after: &Vector) -> Head {
        Head {
            at: Some(at),
            cursor: Some(after.id()),
            path: Some(self.path.clone()),
            from: Some(self.shared.options.machine.clone()),
            sent: Some(now_ms()),
            ..Head::default()
        }
    }

    async fn append(&mut self, head: Head, payload: Bytes, after: Vector) -> Result<(), Halt> {
        let cursor = head.cursor.clone().unwrap_or_default();
        let end = head.end;
        self.pending = Some((cursor.clone(), after));
        let timeout = self.shared.options.ack_timeout;
        let stream = self.shared.stream();
        let sent = stream.append(&self.subject, head.write(), payload, self.seq, timeout).await;
        self.next = Instant::now() + self.shared.options.interval;
        self.seq = sent?;
        self.own = self.pending.take().map(|(_, after)| after);
        self.cursor = cursor;
        self.acked = true;
        (self.tries, self.since) = (0, Instant::now());
        self.shared.counts.messages.fetch_add(1, Ordering::Relaxed);
        if self.noted_trouble || !self.shared.counts.well.load(Ordering::Relaxed) {
            self.noted_trouble = false;
            self.shared.well();
        }
        if let Some(bytes) = self.back.take() {
            let name = self.source.name.escape_debug();
            self.shared.say(&format!(
                "warning: the engine went back behind what it had acknowledged: {bytes} bytes of '{name}' are shipped again"
            ));
        }
        self.note(end);
        if let Some(spool) = &self.spool {
            let own = self.own.as_ref();
            let first =
                own.and_then(|own| own.of(self.source.id).next().map(|(segment, _)| segment.file().ident()));
            spool.shipped(first);
        }
        Ok(())
    }

    /// Notes where it stands.
    pub(super) fn note(&mut self, done: bool) {
        let stream = self.shared.stream();
        let note = Note {
            v: 1,
            stream: format!("{} {}", self.shared.options.url.place(), stream.name),
            created: stream.info.created.clone(),
            subject: self.subject.clone(),
            seq: self.seq,
            cursor: self.cursor.clone(),
            done,
            at: now_ms(),
        };
        if let Err(error) = self.checkpoint.note(note) {
            self.cannot_note(&error);
        }
    }

    fn flush(&mut self) {
        if let Err(error) = self.checkpoint.flush() {
            self.cannot_note(&error);
        }
    }

    fn cannot_note(&self, error: &std::io::Error) {
        if self.shared.note_failed() {
            self.shared.say(&format!("warning: cannot note in --state what was shipped: {error}"));
        }
    }

    pub(super) fn say(&self, text: &str) {
        self.shared.say(text);
    }

    fn count_behind(&self, target: &Vector) {
        let Some(own) = &self.own else { return };
        let behind = own.of(self.source.id).map(|(segment, place)| {
            let to =
                target.place(segment).map(|place| place.offset).or(segment.end()).unwrap_or(place.offset);
            to.saturating_sub(place.offset)
        });
        self.behind.store(behind.sum(), Ordering::Relaxed);
    }

    /// Waits for news, at most so long.
    pub(super) async fn wait(&mut self, at_most: Duration) -> Result<(), Halt> {
        let (source, stop) = (self.source.clone(), self.shared.stop.clone());
        tokio::select! {
            () = source.told.moved() => {}
            () = tokio::time::sleep(at_most) => {
                if self.checkpoint.is_waiting() {
                    self.flush();
                }
            }
            () = stop.cancelled() => return Err(Halt::Stopped),
        }
        Ok(())
    }
}

/// This machine's clock, in milliseconds since 1970.
fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0))
}

//! One message on its way: read, sent, acknowledged, noted.
//!
//! A message is appended only behind the one that was seen last, so that whatever becomes of it, it is stored once at
//! most; and nothing is noted before it is acknowledged.

use super::batch::{Batch, Make};
use super::checkpoint::Note;
use super::file::{Halt, Shipper};
use crate::live::vector::{Delta, Vector};
use crate::log::logfile;
use crate::log::segment::{Place, ReadError, Segment};
use crate::nats::message::{At, Gap, HEADER_ROOM, Head};
use bytes::Bytes;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

/// How often a read that found another content waits for the follower to say what happened, and how long.
const GONE_TRIES: u32 = 6;
/// How long a failing read is tried again, in waits.
const ERROR_TRIES: u32 = 120;
const READ_AGAIN: Duration = Duration::from_millis(500);
/// The smallest payload, whatever the server says of its limits.
const LEAST_BYTES: usize = 1024;

impl Shipper {
    /// Sends the next bytes of a generation.
    pub(super) async fn ship(
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
        let alone = self.source.redact.is_some() || segment.next().is_none() && is_unnamed(&segment);
        if ended && !batch.whole && self.shared.options.once && alone {
            // Half a line cannot be redacted, and half of the first one names no generation; the next run finds it whole.
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
            redacted: self.source.redact.is_some(),
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
            inside: batch.inside,
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
    pub(super) async fn tell_gap(&mut self, gap: Gap) -> Result<(), Halt> {
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
        self.acked_seq = self.seq;
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

    pub(super) fn flush(&mut self) {
        if let Err(error) = self.checkpoint.flush() {
            self.cannot_note(&error);
        }
    }

    fn cannot_note(&self, error: &std::io::Error) {
        if self.shared.note_failed() {
            self.shared.say(&format!("warning: cannot note in --state what was shipped: {error}"));
        }
    }
}

/// Whether a generation's first line is not all there, so that it has no name that lasts.
pub(super) fn is_unnamed(segment: &Segment) -> bool {
    matches!(segment.file().head(segment.begin()), Ok(logfile::Head::Unfinished(_)))
}

/// This machine's clock, in milliseconds since 1970.
fn now_ms() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    now.map_or(0, |now| u64::try_from(now.as_millis()).unwrap_or(0))
}

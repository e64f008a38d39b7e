//! A client: a vector and the policy that moves it.
//!
//! At the tip a client shares the view's records. Behind it, it reads the files on its own account up to the
//! vector at which a known record begins, and joins there. What to do next is decided by [`step`](super::step), which is
//! pure. Back-pressure is the socket: the stream is polled only when it can be written, there is no queue.

mod notices;
mod to_come;

pub use notices::MANY_FILES;

use super::backlog;
use super::feed::Seat;
use super::lens::Lens;
use super::own_read::{OwnRead, blocking};
use super::resume;
use super::source::Source;
use super::step::{Move, next_move};
use super::streamed;
use super::vector::{Delta, Stand, Vector};
use super::view::{Record, Shared};
use crate::log::encode::Format;
use crate::log::segment::{Place, ReadError, Segment};
use bytes::Bytes;
use futures_util::Stream;
use jiff::Timestamp;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;
use to_come::ToCome;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// The time between two signs of life on an idle stream.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(15);
/// The first and the largest block of a client that reads on its own. A stalled client holds one; it has not taken
/// more than sockets hold.
const FIRST_BLOCK: u64 = 64 << 10;
const MAX_BLOCK: u64 = 256 << 10;
const GROW_AFTER: u64 = 8 << 20;
/// How often a cursor is looked for while the files change under the look, and the wait between.
const UNSETTLED_TRIES: u32 = 60;
const UNSETTLED_WAIT: Duration = Duration::from_millis(25);
/// The same where another server has read further: this one has two heartbeats of the engine's to come after.
const UNREAD_TRIES: u32 = 200;
/// How often a read that found another content waits for the follower to say what happened.
const GONE_TRIES: u32 = 6;
/// How many clients look for the place where they begin, if that is more than a look at a file's end: each keeps a thread,
/// and there are few of those.
static LOOKS: Semaphore = Semaphore::const_new(8);
/// How long a failing read is tried again, in half seconds.
const ERROR_TRIES: u32 = 120;

/// How often a client is told where it stands while nothing of what is read is kept for it.
const CURSOR_EVERY: Duration = Duration::from_secs(1);

/// What a client asks for.
#[derive(Debug)]
pub struct Options {
    /// Where it begins.
    pub start: resume::Start,
    /// Whether it stays when it has all.
    pub follow: bool,
    /// Where it ends if it does not stay: before the first line of this time.
    pub until: Option<Timestamp>,
}

/// A client's stream of bytes.
#[derive(Debug)]
pub struct Client {
    seat: Seat,
    sources: Vec<Arc<Source>>,
    own: Vector,
    mode: Mode,
    follow: bool,
    ready: VecDeque<Bytes>,
    /// How much was read on its own account.
    own_bytes: u64,
    gone_tries: u32,
    error_tries: u32,
    moved: watch::Receiver<()>,
    stop: CancellationToken,
    heartbeat: Instant,
    told_ended: bool,
    /// Whether bytes were sent.
    sent: bool,
    /// How it sees lines, if not plainly.
    lens: Option<Arc<Lens>>,
    /// When it was last told where it stands, and whether it has moved since without a word.
    told: Instant,
    silent: bool,
    /// Whether it has come to the tip.
    caught_up: bool,
    /// Sources whose beginning it waits for.
    to_come: Option<Box<ToCome>>,
    done: bool,
}

#[derive(Debug)]
enum Mode {
    /// The next record of the view's ring.
    Shared(u64),
    /// On the way to a vector, behind which the record with this number comes.
    Own(Box<Vector>, u64),
}

/// What a request for a stream gets.
#[derive(Debug)]
pub enum Opened {
    /// A stream.
    Stream(Box<Client>),
    /// Nothing will ever come again, and the cursor says that the client has all (HTTP 204).
    AllDelivered,
}

impl Client {
    /// Finds the client's place and prepares its first bytes.
    pub async fn open(seat: Seat, options: Options, stop: CancellationToken) -> Opened {
        let moved = seat.view.moved();
        let sources = seat.hub.sources();
        let follow = options.follow;
        let lens = Lens::of(&seat.view.key, || seat.hub.reader()).map(Arc::new);
        let resumes = matches!(options.start, resume::Start::Cursor(..));
        let looks = seat.view.key.filter.is_some() || options.start.counts();
        let mut tries = 0;
        let (target, number, ended, found) = loop {
            let (target, number, ended) = seat.view.tip();
            let (hub, view, at) = (seat.hub.clone(), seat.view.clone(), target.clone());
            let start = options.start.clone();
            let until = options.until.filter(|_| !follow);
            // The semaphore is never closed.
            let turn = if looks { LOOKS.acquire().await.ok() } else { None };
            let (found, target) = blocking(move || {
                let _turn = turn;
                let end = until.map(|until| backlog::end(&hub, &at, until));
                (resume::find(&hub, &view.key, &at, start), end.unwrap_or(at))
            })
            .await;
            tries += 1;
            let most = if found.unread { UNREAD_TRIES } else { UNSETTLED_TRIES };
            if !(found.unsettled || found.unread) || tries >= most {
                break (target, number, ended, found);
            }
            tokio::time::sleep(UNSETTLED_WAIT).await;
        };
        let mut client = Client {
            seat,
            sources,
            own: found.vector,
            mode: Mode::Own(Box::new(target), number),
            follow,
            ready: VecDeque::new(),
            own_bytes: 0,
            gone_tries: 0,
            error_tries: 0,
            moved,
            stop,
            heartbeat: Instant::now() + HEARTBEAT_EVERY,
            told_ended: false,
            sent: false,
            lens,
            told: Instant::now(),
            silent: false,
            caught_up: false,
            to_come: ToCome::of(found.to_come),
            done: false,
        };
        if resumes && found.gaps.is_empty() && client.to_come.is_none() && client.has_all(ended) {
            return Opened::AllDelivered;
        }
        client.seat.hub.served.streams.one();
        client.greet(found.gaps);
        Opened::Stream(Box::new(client))
    }

    /// The client as the body of a response.
    pub fn into_stream(
        self,
    ) -> impl Stream<Item = Result<Bytes, std::convert::Infallible>> + Send + Sync + 'static {
        futures_util::stream::unfold(self, |mut client| async move {
            let bytes = client.next().await?;
            Some((Ok(bytes), client))
        })
    }

    /// True if the client stands at the end of everything and nothing will come; `ended` tells whether all sources
    /// had ended where its target is.
    fn has_all(&self, ended: bool) -> bool {
        let Mode::Own(target, _) = &self.mode else { return false };
        matches!(next_move(&self.own, target), Move::Joined) && (!self.follow || ended)
    }

    fn format(&self) -> Format {
        self.seat.view.key.format
    }

    /// The next bytes; `None` ends the response.
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            while let Some(bytes) = self.ready.pop_front() {
                if !bytes.is_empty() {
                    self.heartbeat = Instant::now() + HEARTBEAT_EVERY;
                    self.sent = true;
                    self.seat.hub.count_block(bytes.len());
                    return Some(bytes);
                }
            }
            if self.done || self.stop.is_cancelled() {
                return None;
            }
            // Note the version, look, then wait.
            self.moved.borrow_and_update();
            if self.silent && self.told.elapsed() >= CURSOR_EVERY {
                self.tell_cursor();
                continue;
            }
            if let Mode::Shared(number) = self.mode {
                match self.seat.view.record(number, &self.own) {
                    Shared::Record(record) => self.share(record, number),
                    Shared::Past => {
                        self.seat.share(false);
                        self.retarget();
                    }
                    Shared::Unsaid(target, next) => self.mode = Mode::Own(Box::new(target), next),
                    Shared::Never => self.end(self.told_ended),
                    Shared::NotYet => self.wait(None).await,
                }
                continue;
            }
            let Mode::Own(target, number) = &self.mode else { continue };
            match next_move(&self.own, target) {
                // At once: a client that is cut off every moment gets on too.
                Move::Joined if self.silent && !self.caught_up => {
                    self.caught_up = true;
                    self.tell_cursor();
                }
                // What others share says nothing of where this one stands in what is to come.
                Move::Joined if self.follow && self.to_come.is_some() => {
                    self.give_up_ended();
                    self.wait(Some(Duration::from_secs(1))).await;
                    self.retarget();
                }
                Move::Joined if self.follow => {
                    self.caught_up = true;
                    self.own = (**target).clone();
                    self.seat.share(true);
                    self.mode = Mode::Shared(*number);
                }
                Move::Joined => self.end(false),
                Move::Ahead if self.follow => {
                    self.wait(Some(Duration::from_secs(1))).await;
                    self.retarget();
                }
                Move::Ahead => self.end(false),
                Move::Take(delta) => self.own.apply(&delta),
                Move::Adopt(stand) => self.own.push_older(stand),
                Move::Turn(segment) if self.awaits(segment.source) => {
                    Box::pin(self.meet(&segment)).await;
                }
                Move::Turn(segment) => self.turn(segment),
                // Boxed: a client at the tip does not carry the state of a read.
                Move::Read(segment, from, to) => Box::pin(self.read(segment, from, to)).await,
            }
        }
    }

    fn share(&mut self, record: Record, number: u64) {
        self.told_ended |= matches!(record.delta, Delta::End(_));
        self.own.apply(&record.delta);
        if !record.bytes.is_empty() {
            self.seat.hub.served.waits.add(record.at.elapsed());
        }
        self.mode = Mode::Shared(number + 1);
        self.ready.push_back(record.bytes);
        if record.is_gap {
            self.end_plain();
        }
    }

    fn retarget(&mut self) {
        let (target, number, _) = self.seat.view.tip();
        self.mode = Mode::Own(Box::new(target), number);
    }

    async fn read(&mut self, segment: Arc<Segment>, from: Place, to: u64) {
        let Some(name) = self.name(segment.source) else { return };
        let path = self.sources.get(segment.source).and_then(|source| source.path.clone());
        let is_file = path.is_some();
        let keeps_up = self.own_bytes >= GROW_AFTER;
        let size = if keeps_up { MAX_BLOCK } else { FIRST_BLOCK };
        let stamp = self.own.stamp(&segment);
        let read = OwnRead {
            view: self.seat.view.clone(),
            segment: segment.clone(),
            name,
            path,
            stamp,
            from,
            to,
            size,
            lens: self.lens.clone(),
        };
        let result = read.block().await;
        if let Ok((_, place)) = &result
            && keeps_up
            && self.format() != Format::Live
        {
            // The next block is read while this one is sent. It is in the view's bounded cache until it is wanted.
            read.after(*place);
        }
        match result {
            Ok((bytes, place)) => {
                self.own_bytes += place.offset - from.offset;
                self.own.apply(&Delta::Advance(segment, place));
                match bytes.is_empty() {
                    true => self.silent = true,
                    false => self.said(),
                }
                self.ready.push_back(bytes);
                self.gone_tries = 0;
                self.error_tries = 0;
            }
            Err(ReadError::Gone) if from.offset < segment.begin() => {
                if self.fetch(&segment, from).await {
                    return;
                }
                let first = segment.first();
                let lost = first.offset - from.offset;
                self.own.apply(&Delta::Advance(segment.clone(), first));
                // Of a file it was the hole that a truncation left; a pipe's spool gave up its oldest lines.
                if !is_file {
                    self.gap(Some(segment.source), "the oldest lines were given up", Some(lost));
                }
            }
            Err(ReadError::Gone) if segment.end().is_none() && self.gone_tries < GONE_TRIES => {
                self.gone_tries += 1;
                self.wait(Some(Duration::from_millis(500))).await;
                if self.follow {
                    self.retarget();
                }
            }
            Err(ReadError::Io(_)) if self.error_tries < ERROR_TRIES => {
                self.error_tries += 1;
                self.wait(Some(Duration::from_millis(500))).await;
            }
            Err(error) => {
                let reason = match error {
                    ReadError::Gone => {
                        "the file was changed or removed before these lines were sent".to_owned()
                    }
                    ReadError::Io(error) => format!("cannot read: {error}"),
                };
                let Mode::Own(target, _) = &self.mode else { return };
                let check = target.place(&segment).map_or(0, |place| place.check);
                self.own.apply(&Delta::Advance(segment.clone(), Place { offset: to, check }));
                self.gap(Some(segment.source), &reason, Some(to - from.offset));
                self.gone_tries = 0;
                self.error_tries = 0;
            }
        }
    }

    /// What was given up of a stream of messages is fetched again, if it can be.
    async fn fetch(&mut self, segment: &Arc<Segment>, from: Place) -> bool {
        let Some(source) = self.sources.get(segment.source).cloned() else { return false };
        if segment.ledger().is_none() {
            return false;
        }
        let current = segment.clone();
        let Some((earlier, place)) = blocking(move || streamed::again(&source, &current, from)).await else {
            return false;
        };
        self.own = self.own.without(segment.source);
        self.own.push(Stand::at(earlier, place));
        true
    }

    /// Waits for news, for the end, or for as long as told; a heartbeat becomes ready meanwhile.
    async fn wait(&mut self, at_most: Option<Duration>) {
        let mut until = at_most.map_or(self.heartbeat, |time| (Instant::now() + time).min(self.heartbeat));
        if self.silent {
            until = until.min(self.told + CURSOR_EVERY);
        }
        tokio::select! {
            _ = self.moved.changed() => {}
            () = self.stop.cancelled() => {}
            () = tokio::time::sleep_until(until) => {
                if Instant::now() >= self.heartbeat {
                    self.heartbeat = Instant::now() + HEARTBEAT_EVERY;
                    self.ready.push_back(Bytes::from_static(self.format().heartbeat()));
                }
            }
        }
    }
}

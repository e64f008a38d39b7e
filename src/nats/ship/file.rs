//! One file on its way: what is next, one message at a time.
//!
//! The order is that of a client of the server ([`step`](crate::live::step)): a generation to where the follower has read
//! it, the next one when it turns to it, late lines of the old one in between until it has ended. Each message says
//! where all open generations stand after it, so the last one of the subject is enough to go on from. Any error but a
//! permission or a setting leaves a doubt, which [`settle`](super::settle) ends.

use super::checkpoint::Checkpoint;
use super::spool::Spool;
use super::{FIRST_WAIT, Failed, First, MOST_WAIT, ONCE_PATIENCE, Shared, subject_path};
use crate::live::source::{Source, State};
use crate::live::step::{Move, next_move};
use crate::live::unshipped::{MOST_HELD, chain, target};
use crate::live::vector::{Delta, Vector};
use crate::nats::connect::back_off;
use crate::nats::error::Error;
use crate::nats::message::Gap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The longest time without a look, whatever is told.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// How often the connection is looked at while there is none.
const LINK_AGAIN: Duration = Duration::from_millis(100);

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
    /// The number of the last one that was acknowledged to us.
    pub(super) acked_seq: u64,
    /// What was sent and not acknowledged.
    pub(super) pending: Option<(String, Vector)>,
    /// Losses that are to be told.
    pub(super) gaps: VecDeque<Gap>,
    /// How many bytes the subject went back by, until that is sure.
    pub(super) back: Option<u64>,
    pub(super) checkpoint: Checkpoint,
    pub(super) settled: bool,
    /// Whether something was acknowledged in this run.
    pub(super) acked: bool,
    pub(super) behind: Arc<AtomicU64>,
    pub(super) tries: u32,
    pub(super) gone_tries: u32,
    pub(super) error_tries: u32,
    pub(super) next: Instant,
    pub(super) since: Instant,
    pub(super) noted_trouble: bool,
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
            acked_seq: 0,
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
            let tip = || self.source.status().current.map_or(0, |(_, place)| place.offset);
            let bytes = if self.own.is_some() { self.behind.load(Ordering::Relaxed) } else { tip() };
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

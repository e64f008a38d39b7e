//! `serve nats://…`: the messages of a stream as a source, one reader for all who look.
//!
//! The reader has a thread and a connection of its own. It begins a bounded number of bytes before the end, which is the
//! history that clients find, and follows from there; what is older is fetched when a cursor asks for it (`earlier`).
//! Whenever it comes back to the engine it proves first that the last message it read is still the one it read: a stream
//! that was made anew, or whose store lost what it had taken, is another life of the source, and that is said.

mod begin;
mod consumer;
mod earlier;
mod lines;
mod order;
mod proof;

pub use self::begin::History;

use self::consumer::{Consumer, Item, Received};
use self::lines::{Joiner, origin};
use self::order::Order;
use self::proof::{is_known, still_there};
use super::connect::{Link, back_off};
use super::error::Error;
use super::stream::{Stream, Wanted};
use super::url::Url;
use crate::live::fed::{Fed, Feed, Identity, Writer};
use crate::log::encode::named::MAX_SEQUENCE;
use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;

/// How much is read of what was there before: at 300 MB/s that is within the second that a start may take.
const HISTORY_BYTES: u64 = 128 << 20;
/// How long the start waits for a word of the engine that ends it.
const FIRST_WORD: Duration = Duration::from_secs(2);
/// The same for who does not wait for an engine that is away: longer than a try to connect, and an election.
const ONLY_WORD: Duration = Duration::from_secs(20);
/// How often somebody who is not patient looks again during an election.
const PASSING_TRIES: u32 = 12;
/// The wait between two tries, at first and at most.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const MOST_WAIT: Duration = Duration::from_secs(1);
/// How long a look for the stream takes at most: during an election nobody answers, and the next look finds the new leader.
const LOOK_TIMEOUT: Duration = Duration::from_millis(1_500);

/// How long a stream that seems to end before what was read of it is given: who was elected a moment ago may not have
/// looked through all that it has.
const SHORT_FOR: Duration = Duration::from_secs(5);

/// Says something to a person.
pub type Talk = Arc<dyn Fn(&str) + Send + Sync>;

/// What to read, and how.
#[derive(Clone)]
pub struct Options {
    /// The source's name.
    pub name: String,
    /// Where.
    pub url: Url,
    /// Whether to stay at the end.
    pub follow: bool,
    /// How much of what is there to read.
    pub history: History,
    /// Whether to wait for a server or a stream that is not there yet.
    pub patient: bool,
    /// Where to say what a person should know.
    pub talk: Talk,
    /// Ends it.
    pub stop: CancellationToken,
}

/// A source of the messages of a stream.
///
/// # Errors
/// One line about subjects that cannot be any.
pub fn fed(options: Options) -> Result<Fed, String> {
    let filters = options.url.filters_or_default()?;
    Ok(Fed { name: options.name.clone(), begin: Box::new(move |feed| begin(options, filters, feed)) })
}

fn begin(options: Options, filters: Vec<String>, feed: Feed) -> io::Result<()> {
    let (word, first) = sync_channel(1);
    let patient = options.patient;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    std::thread::Builder::new().name("nats".to_owned()).spawn(move || {
        let reader = Reader {
            options,
            filters,
            feed,
            word: Word(Mutex::new(Some(word))),
            was_none: false,
            told: None,
            joiner: Joiner::default(),
            order: Order::default(),
            left_out: None,
        };
        runtime.block_on(reader.run());
    })?;
    // What nobody can wait for ends the start; an engine that is away does not, for who is patient.
    match first.recv_timeout(if patient { FIRST_WORD } else { ONLY_WORD }) {
        Ok(Err(error)) => Err(io::Error::other(error)),
        _ => Ok(()),
    }
}

/// To who waits for the first word.
struct Word(Mutex<Option<SyncSender<Result<(), String>>>>);

impl Word {
    fn say(&self, word: Result<(), String>) {
        let first = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(first) = first {
            let _ = first.send(word);
        }
    }
}

struct Reader {
    options: Options,
    filters: Vec<String>,
    feed: Feed,
    word: Word,
    /// Whether there was no stream when it was looked for: then all that comes is new.
    was_none: bool,
    /// What was said about the engine last, if it is not well.
    told: Option<String>,
    joiner: Joiner,
    order: Order,
    /// The message before which one was left out lately, and how often.
    left_out: Option<(u64, u32)>,
}

/// Where a reader stands.
struct At {
    stream: Stream,
    writer: Writer,
    identity: Identity,
    created: String,
    /// The number of the last message that was read, or before which it began.
    last: u64,
    /// The number of the last one that was there at the start: up to it lines are history.
    until: u64,
    /// Since when it seems to end before `last`.
    short: Option<Instant>,
    /// Whether all that was there at the start is read.
    arrived: bool,
}

impl Reader {
    async fn run(mut self) {
        let stop = self.options.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            ended = self.read() => {
                let why = ended.err().map(|error| match error.help() {
                    Some(help) => format!("{error} ({help})"),
                    None => error.to_string(),
                });
                self.word.say(why.clone().map_or(Ok(()), Err));
                self.feed.end(why);
            }
        }
    }

    /// Reads for as long as it lives; ends at the end if it does not follow.
    async fn read(&mut self) -> Result<(), Error> {
        let link = self.connect().await?;
        let mut at: Option<At> = None;
        for tries in 0.. {
            match self.follow(&link, &mut at).await {
                Ok(()) => return Ok(()),
                Err(Stop::Disk(error)) => {
                    // Lines that cannot be kept would be lost in silence.
                    return Err(Error::Unavailable { cause: format!("cannot keep lines: {error}") });
                }
                Err(Stop::Engine(error)) => {
                    let missing = matches!(error, Error::NoStream { .. });
                    self.was_none |= missing;
                    // An election passes, also for who will not wait.
                    let passes = matches!(error, Error::Unavailable { .. }) && tries < PASSING_TRIES;
                    let waits = match self.options.patient {
                        true => error.waits() || missing,
                        false => passes,
                    };
                    if at.is_none() && !waits {
                        return Err(error);
                    }
                    self.say_waiting(&error);
                }
            }
            // It was well in between: begin with short waits again.
            let tries = if self.told.is_none() { 0 } else { tries };
            tokio::time::sleep(back_off(tries.min(8), FIRST_WAIT, MOST_WAIT)).await;
        }
        Ok(())
    }

    async fn connect(&mut self) -> Result<Arc<Link>, Error> {
        let options = self.options.clone();
        let feed = self.feed.clone();
        let place = options.url.place();
        let say = |error: &Error| {
            self.word.say(Ok(()));
            (options.talk)(&format!("warning: {error}; trying again"));
            feed.say("waiting", reason(&error.to_string()));
        };
        let name = format!("logcast serve {}", options.name);
        if !options.patient {
            return Link::connect(&options.url, &name, Arc::new(|_| {})).await.map(Arc::new);
        }
        let link = Link::connect_patiently(&options.url, &name, Arc::new(|_| {}), say, &options.stop).await?;
        link.map(Arc::new).ok_or(Error::Unreachable { place, cause: "stopped".to_owned() })
    }

    /// Finds the stream and the place in it, and reads from there until something is wrong, or the end.
    async fn follow(&mut self, link: &Arc<Link>, at: &mut Option<At>) -> Result<(), Stop> {
        let stream = self.find(link).await?;
        match at {
            None => *at = Some(self.start(stream).await?),
            Some(at) => self.come_back(stream, at).await?,
        }
        let Some(at) = at else { return Ok(()) };
        let mut consumer =
            Consumer::create(link.clone(), &at.stream.name, &self.filters, at.last + 1).await?;
        self.word.say(Ok(()));
        if consumer.pending == 0 {
            self.arrive(at)?;
        }
        self.say_well();
        loop {
            if !self.options.follow && at.arrived {
                return Ok(());
            }
            match consumer.next().await? {
                Item::Message(received) => {
                    self.take(at, *received).await?;
                }
                // Those that were there may have been deleted meanwhile.
                Item::Idle => self.arrive(at)?,
            }
        }
    }

    async fn find(&self, link: &Arc<Link>) -> Result<Stream, Stop> {
        let filter = self.filters.first().cloned().unwrap_or_default();
        let usual = filter.split('.').next().unwrap_or_default();
        let usual = if usual.contains(['*', '>']) { "logs" } else { usual };
        let wanted = Wanted {
            name: self.options.url.stream.clone(),
            usual: usual.to_owned(),
            filter: filter.clone(),
            create: None,
        };
        let missing = || Error::NoStream {
            wanted: wanted.name.clone().unwrap_or_else(|| filter.clone()),
            make: "the first `logcast ship` makes it".to_owned(),
        };
        if self.filters.len() > 1 && !link.is_at_least(2, 10) {
            return Err(Stop::Engine(Error::Unfit {
                stream: filter,
                cause: "several subjects at once need nats-server 2.10".to_owned(),
                help: "give a URL for each".to_owned(),
            }));
        }
        let found = tokio::time::timeout(LOOK_TIMEOUT, Stream::find_to_read(link.clone(), &wanted)).await;
        let silent = |_| Error::Unavailable { cause: "no answer in time".to_owned() };
        Ok(found.map_err(silent)??.ok_or_else(missing)?)
    }

    /// Proves that the stream is the one that was read, or turns to what it is now.
    async fn come_back(&mut self, stream: Stream, at: &mut At) -> Result<(), Stop> {
        let state = stream.info.state.clone();
        if stream.info.created != at.created {
            let identity = self.identity(&stream, state.first_seq.max(1));
            at.created.clone_from(&stream.info.created);
            return self.renew(stream, at, identity, "the stream was made anew");
        }
        let kept = still_there(&stream, at.writer.ledger(), at.last).await?;
        let short = state.last_seq < at.last;
        if short && at.short.get_or_insert_with(Instant::now).elapsed() < SHORT_FOR {
            return Err(Error::Unavailable { cause: "it ends before what was read of it".to_owned() }.into());
        }
        at.short = None;
        if kept < at.last {
            let identity = Identity { start: kept + 1, ..self.identity(&stream, kept + 1) };
            return self.renew(stream, at, identity, "the stream went back: what follows may come twice");
        }
        if state.first_seq > at.last + 1 {
            let lost = state.first_seq - at.last - 1;
            let why = format!("{lost} messages were deleted before they were read");
            at.writer.say("gap", reason(&why));
            at.last = state.first_seq - 1;
        }
        at.stream = stream;
        Ok(())
    }

    fn renew(&mut self, stream: Stream, at: &mut At, identity: Identity, why: &str) -> Result<(), Stop> {
        (self.options.talk)(&format!("warning: '{}': {why}", self.options.name.escape_debug()));
        self.joiner.clear();
        self.order.clear();
        at.writer.renew(identity)?;
        at.writer.say("gap", reason(why));
        (at.last, at.identity, at.stream) = (identity.start - 1, identity, stream);
        Ok(())
    }

    /// Keeps the lines of a message.
    async fn take(&mut self, at: &mut At, received: Received) -> Result<(), Stop> {
        let Received { subject, sequence, stored, pending, head, payload } = received;
        if sequence > MAX_SEQUENCE {
            return Err(io::Error::other("the stream's numbers are too great for a cursor").into());
        }
        if sequence <= at.last {
            // A server before 2.11 whose replica lags begins with what it has last, whatever it is asked for.
            return match is_known(at.writer.ledger(), sequence, stored)? {
                true => Ok(()),
                // It went back: the next look finds out how far.
                false => {
                    Err(Error::Unavailable { cause: "messages are not what they were".to_owned() }.into())
                }
            };
        }
        if let Some(range) = &head.at {
            self.all_came(at, &subject, range, sequence).await?;
            self.order.saw(&subject, range, sequence);
        }
        at.last = sequence;
        if let Some(gap) = &head.gap {
            let bytes = gap.bytes.map_or(String::new(), |bytes| format!(r#","bytes":{bytes}"#));
            let text = format!("{}: {}", origin(&subject, &head), gap.reason);
            at.writer.say("gap", format!("{}{bytes}", reason(&text)));
        }
        match head.body(&payload) {
            Ok(body) => {
                let lines = self.joiner.take(&subject, &head, &body);
                let origin = origin(&subject, &head);
                at.writer.message((sequence, stored), Some(&origin), lines.lead, &lines.bytes)?;
            }
            Err(broken) => at.writer.say("gap", reason(&format!("{}: {broken}", origin(&subject, &head)))),
        }
        if pending == 0 || sequence >= at.until {
            self.arrive(at)?;
        }
        Ok(())
    }

    /// What was there at the start is read.
    fn arrive(&self, at: &mut At) -> Result<(), Stop> {
        at.arrived = true;
        Ok(at.writer.begin()?)
    }

    fn say_waiting(&mut self, error: &Error) {
        let text = error.to_string();
        self.word.say(Ok(()));
        if self.told.is_none() {
            self.feed.say("waiting", reason(&text));
        }
        if self.told.as_ref() != Some(&text) {
            let help = error.help().map_or(String::new(), |help| format!(" ({help})"));
            (self.options.talk)(&format!("warning: {text}{help}; trying again"));
            self.told = Some(text);
        }
    }

    fn say_well(&mut self) {
        if self.told.take().is_some() {
            self.feed.say("resumed", String::new());
            (self.options.talk)(&format!("note: reading '{}' again", self.options.name.escape_debug()));
        }
    }
}

fn reason(text: &str) -> String {
    format!(r#","reason":{}"#, crate::log::encode::json_string(text))
}

/// Why a reader stops reading for now.
enum Stop {
    Engine(Error),
    Disk(io::Error),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Engine(error)
    }
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Disk(error)
    }
}

//! `ship`: files into a stream, exactly once.
//!
//! Each file has a subject, and one message of it is on its way at a time, appended only if the subject's last message
//! is the one that was seen last (`file`). So the stream is the checkpoint and the file is the outbox: nothing waits in
//! memory, and after any doubt the subject's last message says where to go on. Where the subject is empty, a small file
//! does (`checkpoint`). Following and rotation are [`live::follow`](crate::live::follow)'s.

mod batch;
mod checkpoint;
mod file;
mod open;
mod send;
mod settle;
pub mod spool;

use super::error::Error;
use super::stream::{Create, Stream, Wanted};
use super::subject::Template;
use super::url::Url;
use crate::live::feed::Hub;
use crate::live::source::Source;
use crate::log::source::display;
use file::Shipper;
use spool::Spool;
use std::collections::HashMap;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// How many messages of all files are on their way at once: each is at most a batch.
const IN_FLIGHT: usize = 64;
/// How often new files are looked for among the sources.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// How long with `--once` an engine that does not answer is tried again; an election takes less.
const ONCE_PATIENCE: Duration = Duration::from_secs(15);
/// The waits between two tries of anything.
const FIRST_WAIT: Duration = Duration::from_millis(100);
const MOST_WAIT: Duration = Duration::from_secs(2);

/// Says something to a person.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// Where a file begins whose subject is empty and of which no checkpoint tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum First {
    /// At the start of its current generation.
    Start,
    /// At its end.
    End,
}

/// How to ship.
pub struct Options {
    /// Where the engine is.
    pub url: Url,
    /// How subjects are named.
    pub template: Template,
    /// The name of this host in subjects.
    pub host: String,
    /// Which machine this is: another one that ships to the same subject is not a peer.
    pub machine: String,
    /// How to make the stream if there is none.
    pub create: Option<Create>,
    /// Where to begin for the first time.
    pub first: First,
    /// The least time between two messages of a file, unless a batch is full.
    pub interval: Duration,
    /// The most bytes of a file in a message.
    pub batch_bytes: usize,
    /// Whether to compress payloads.
    pub compress: bool,
    /// How long to wait for an acknowledgement.
    pub ack_timeout: Duration,
    /// Whether to end at the ends of the files.
    pub once: bool,
    /// The folder of checkpoints.
    pub state: Option<PathBuf>,
    /// Who is told what a person should know.
    pub say: Say,
}

/// Why shipping ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failed {
    /// The engine, or the way to it.
    Engine(Error),
    /// With `--once`: the engine takes no more now.
    Behind {
        /// The file.
        name: String,
        /// What is left of it, in bytes.
        bytes: u64,
        /// Why.
        cause: Error,
    },
    /// The subject holds another program's messages.
    Foreign {
        /// The subject.
        subject: String,
    },
    /// Another machine ships to the subject.
    Taken {
        /// The subject.
        subject: String,
        /// The other machine.
        from: String,
    },
}

impl Failed {
    /// A next step.
    pub fn help(&self) -> Option<String> {
        match self {
            Failed::Engine(error) => error.help(),
            Failed::Behind { .. } => Some("nothing is lost: the next run goes on from there".to_owned()),
            Failed::Foreign { .. } => Some("choose other subjects with --subject".to_owned()),
            Failed::Taken { .. } => {
                Some("give this host another name with --host-name, or use --subject".to_owned())
            }
        }
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Failed::Engine(error) => error.fmt(f),
            Failed::Behind { name, bytes, cause } => {
                write!(f, "cannot ship the last {bytes} bytes of '{name}': {cause}")
            }
            Failed::Foreign { subject } => {
                write!(f, "cannot ship to '{subject}': it holds another program's messages")
            }
            Failed::Taken { subject, from } => {
                write!(f, "cannot ship to '{subject}': another machine ({from}) ships to it")
            }
        }
    }
}

/// What is counted.
#[derive(Debug, Default)]
pub struct Counts {
    /// Lines that were acknowledged.
    pub lines: AtomicU64,
    /// Their bytes in the files.
    pub bytes: AtomicU64,
    /// Messages that were acknowledged.
    pub messages: AtomicU64,
    /// Losses that were told in the stream.
    pub gaps: AtomicU64,
    /// Whether the engine takes what it is given.
    pub well: AtomicBool,
    behind: RwLock<Vec<Arc<AtomicU64>>>,
}

impl Counts {
    /// Bytes that were read and are not acknowledged.
    pub fn behind(&self) -> u64 {
        let behind = self.behind.read().unwrap_or_else(PoisonError::into_inner);
        behind.iter().map(|bytes| bytes.load(Ordering::Relaxed)).sum()
    }

    /// How many files are shipped.
    pub fn files(&self) -> usize {
        self.behind.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn join(&self) -> Arc<AtomicU64> {
        let own = Arc::new(AtomicU64::new(0));
        self.behind.write().unwrap_or_else(PoisonError::into_inner).push(own.clone());
        own
    }
}

/// What all files share.
struct Shared {
    hub: Arc<Hub>,
    options: Options,
    wanted: Wanted,
    stream: RwLock<Stream>,
    flight: Semaphore,
    counts: Arc<Counts>,
    /// What is wrong now, once told.
    trouble: Mutex<Option<String>>,
    /// Whether it was said that nothing can be noted.
    unnoted: AtomicBool,
    stop: CancellationToken,
}

impl Shared {
    fn stream(&self) -> Stream {
        self.stream.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn say(&self, text: &str) {
        (self.options.say)(text);
    }

    /// Says what is wrong, once for all files.
    fn trouble(&self, error: &Error) {
        let text = error.to_string();
        let mut told = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        self.counts.well.store(false, Ordering::Relaxed);
        if told.as_ref() != Some(&text) {
            let next = error.help().map_or(String::new(), |help| format!("; {help}"));
            self.say(&format!("warning: {text}; lines wait in their files{next}"));
            *told = Some(text);
        }
    }

    /// Whether a note failed for the first time: it is one folder for all.
    fn note_failed(&self) -> bool {
        !self.unnoted.swap(true, Ordering::Relaxed)
    }

    /// Says that it goes on.
    fn well(&self) {
        if !self.counts.well.swap(true, Ordering::Relaxed) {
            let mut told = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
            if told.take().is_some() {
                self.say("the engine takes lines again");
            }
        }
    }

    /// Makes the stream anew if it is gone.
    async fn reopen(&self) -> Result<(), Error> {
        let stream = self.stream();
        if stream.look().await?.is_some() {
            return Ok(());
        }
        let stream = Stream::open(stream.link().clone(), &self.wanted).await?;
        if stream.made {
            self.say(&format!("the stream {} was gone and is made anew", stream.name));
        }
        *self.stream.write().unwrap_or_else(PoisonError::into_inner) = stream;
        Ok(())
    }
}

/// Ships all sources of a hub until `stop`, or with `once` to their ends. `spools` are the sources that are copies of
/// pipes, by their names.
///
/// # Errors
/// [`Failed`]: what somebody has to change, or with `once` what is left.
pub async fn run(
    hub: Arc<Hub>,
    options: Options,
    spools: HashMap<String, Arc<Spool>>,
    counts: Arc<Counts>,
    stop: CancellationToken,
) -> Result<(), Failed> {
    // Before anything is waited for: what is lost from now on is told.
    hub.sources().iter().for_each(|source| source.told.want());
    let Some(link) = open::link(&options, &stop).await? else { return Ok(()) };
    let link = Arc::new(link);
    let wanted = Wanted {
        name: options.url.stream.clone(),
        usual: options.template.stream(),
        filter: options.template.filter(),
        create: options.create.clone(),
    };
    let Some(stream) = open::stream(&link, &wanted, &options, &stop).await? else { return Ok(()) };
    open::tell(&stream, &options, &link);
    counts.well.store(true, Ordering::Relaxed);
    let shared = Arc::new(Shared {
        hub: hub.clone(),
        options,
        wanted,
        stream: RwLock::new(stream),
        flight: Semaphore::new(IN_FLIGHT),
        counts,
        trouble: Mutex::default(),
        unnoted: AtomicBool::new(false),
        stop: stop.clone(),
    });
    let mut tasks: JoinSet<Result<(), Failed>> = JoinSet::new();
    let (mut known, mut new) = (0, false);
    loop {
        let sources = hub.sources();
        for source in &sources[known..] {
            source.told.want();
            let spool = spools.get(&source.name).cloned();
            let first = if new { First::Start } else { shared.options.first };
            tasks.spawn(Shipper::new(shared.clone(), source.clone(), first, spool).run());
        }
        (known, new) = (sources.len(), true);
        if shared.options.once && tasks.is_empty() {
            return Ok(());
        }
        let all = shared.options.once || !spools.is_empty() && spools.len() == sources.len();
        tokio::select! {
            ended = tasks.join_next(), if !tasks.is_empty() => match ended {
                Some(Ok(Ok(()))) if all && tasks.is_empty() => return Ok(()),
                Some(Ok(Ok(()))) | None => {}
                Some(Ok(Err(failed))) => {
                    stop.cancel();
                    while tasks.join_next().await.is_some() {}
                    return Err(failed);
                }
                Some(Err(error)) => std::panic::resume_unwind(error.into_panic()),
            },
            () = tokio::time::sleep(LOOK_EVERY), if !shared.options.once => {}
            () = stop.cancelled() => break,
        }
    }
    // Each ends with what is on its way, and notes where it stands.
    while let Some(ended) = tasks.join_next().await {
        if let Ok(Err(failed)) = ended {
            return Err(failed);
        }
    }
    Ok(())
}

/// What a source is called in its subject: its label, else its absolute path.
fn subject_path(source: &Source) -> Vec<u8> {
    match &source.path {
        Some(path) if source.name == display(path) => {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            path.as_os_str().as_bytes().to_vec()
        }
        _ => source.name.clone().into_bytes(),
    }
}

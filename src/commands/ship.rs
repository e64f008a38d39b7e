//! `logcast ship`: publishes sources into a stream of NATS JetStream until a signal comes, or with `--once` to their ends.
//!
//! What it says is on stderr; stdout stays empty. 0 when stopped by a signal or done; 1 for what the engine or this
//! machine refused, 2 for what is wrong on any.

mod status;

use super::serve::{Signals, specs};
use super::{Failure, talk};
use crate::live::feed::{Hub, Shown};
use crate::live::follow;
use crate::live::pipe::Fifo;
use crate::log::redact::Redact;
use crate::log::source::Spec;
use crate::nats::ship::spool::Spool;
use crate::nats::ship::{self, Counts, Failed, First, Say};
use crate::nats::stream::Create;
use crate::nats::subject::{DEFAULT_TEMPLATE, Template, escape};
use crate::nats::url::{Url, is_nats};
use std::collections::HashMap;
use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long the files' last words may take after a signal; a second one ends it at once.
const GRACE: Duration = Duration::from_millis(1500);
/// Of a compressed file all is kept: it is there already.
const NO_LIMIT: u64 = u64::MAX >> 1;

/// What to ship, and how.
pub struct Options {
    /// SOURCE arguments.
    pub sources: Vec<OsString>,
    /// The engine's URL.
    pub to: String,
    /// How subjects are named.
    pub subject: Option<String>,
    /// The host's name in subjects.
    pub host_name: Option<String>,
    /// The stream's name.
    pub stream: Option<String>,
    /// Where a new file begins.
    pub first: First,
    /// The least time between two messages of a file.
    pub interval: Duration,
    /// The most bytes of a file in a message.
    pub batch_bytes: usize,
    /// Whether to compress.
    pub compress: bool,
    /// How long to wait for an acknowledgement.
    pub ack_timeout: Duration,
    /// Whether to end at the ends of the files.
    pub once: bool,
    /// The folder of notes and spools.
    pub state: Option<PathBuf>,
    /// The most bytes that are kept of a pipe.
    pub spool_limit: u64,
    /// The time between two looks at everything.
    pub poll: Option<Duration>,
    /// How to make a stream that is not there.
    pub create: Option<Create>,
    /// What takes secrets out of lines.
    pub redact: Redact,
    /// Whether to say nothing but errors.
    pub quiet: bool,
}

/// Ships until the end.
///
/// # Errors
/// What this machine or the engine refused (1), what is wrong with the arguments (2).
pub fn run(options: Options) -> Result<(), Failure> {
    let mut specs = specs(&options.sources)?;
    if specs.iter().any(|spec| matches!(spec, Spec::Engine { .. })) {
        return Err(Failure::usage("cannot ship what is in a stream already").help("logcast serve nats://…"));
    }
    let mut url = url(&options.to)?;
    if let Some(stream) = &options.stream {
        url.stream = Some(stream.clone());
    }
    let template = template(options.subject.as_deref(), &url)?;
    let host = match options.host_name.clone() {
        Some(name) if name.is_empty() => {
            return Err(Failure::usage("cannot use an empty --host-name").help("--host-name web1"));
        }
        Some(name) => name,
        None => host_name(),
    };
    let quiet = options.quiet;
    let say: Say = Arc::new(move |text| talk(quiet, text));
    let state = state_folder(options.state.as_deref());
    let spools = spools(&mut specs, state.as_deref(), &host, options.spool_limit)?;
    if options.once && !spools.is_empty() && spools.len() < specs.len() {
        let failure = Failure::usage("cannot ship files and a pipe with --once: a pipe ends by itself");
        return Err(failure.help("ship them with two commands"));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    let ship = ship::Options {
        url,
        template,
        machine: machine(&host),
        host,
        create: options.create.clone(),
        first: options.first,
        interval: options.interval,
        batch_bytes: options.batch_bytes,
        compress: options.compress,
        ack_timeout: options.ack_timeout,
        once: options.once,
        state,
        say: say.clone(),
    };
    let result = runtime.block_on(attend(&options, specs, ship, spools, say));
    // A read that hangs on a dead network file system must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn attend(
    options: &Options,
    specs: Vec<Spec>,
    ship: ship::Options,
    spools: HashMap<String, Arc<Spool>>,
    say: Say,
) -> Result<(), Failure> {
    let mut ends = Signals::listen()?;
    raise_limit();
    let hub = Arc::new(Hub::new(Shown { redact: options.redact.clone(), ..Shown::default() }));
    let follow_options = follow::Options {
        poll: options.poll,
        // A pipe's copy grows until the pipe ends.
        follow: !options.once || !spools.is_empty(),
        spool_limit: NO_LIMIT,
        tee: None,
        pipes: Vec::new(),
        fed: Vec::new(),
        only_public: false,
        talk: Box::new(move |text| say(text)),
    };
    let follower = follow::start(hub.clone(), specs, follow_options)
        .map_err(|error| Failure::refused(error.to_string()))?;
    let counts = Arc::new(Counts::default());
    let status = tokio::spawn(status::line(hub.clone(), counts.clone(), options.quiet));
    let stop = CancellationToken::new();
    let shipped = ship::run(hub, ship, spools, counts, stop.clone());
    tokio::pin!(shipped);
    let result = tokio::select! {
        result = &mut shipped => result,
        _ = ends.next() => {
            stop.cancel();
            tokio::select! {
                result = &mut shipped => result,
                () = tokio::time::sleep(GRACE) => Ok(()),
                _ = ends.next() => Ok(()),
            }
        }
    };
    status.abort();
    drop(follower);
    result.map_err(|failed| failure(&failed))
}

/// As many files at once as the system allows: each takes a descriptor, and one that is rotated some more.
fn raise_limit() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    if limit.current.is_some() {
        let raised = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised);
    }
}

fn failure(failed: &Failed) -> Failure {
    let failure = Failure::refused(failed.to_string());
    match failed.help() {
        Some(help) => failure.help(help),
        None => failure,
    }
}

fn url(text: &str) -> Result<Url, Failure> {
    let env = |name: &str| std::env::var(name).ok();
    match Url::parse(text, env) {
        Ok(url) => Ok(url),
        // What may hold a password is not shown.
        Err(cause) if is_nats(text) || text.contains('@') => {
            Err(Failure::usage(format!("cannot read the URL of --to: {cause}")).help("--to nats://HOST:4222"))
        }
        Err(cause) => {
            Err(Failure::usage(format!("cannot ship to '{text}': {cause}")).help("--to nats://HOST:4222"))
        }
    }
}

/// How subjects are named: as told, else as the URL's path says.
fn template(subject: Option<&str>, url: &Url) -> Result<Template, Failure> {
    let text = match (subject, &url.filters[..]) {
        (Some(text), _) => text,
        (None, []) => DEFAULT_TEMPLATE,
        (None, [one]) => one,
        (None, _) => {
            return Err(
                Failure::usage("cannot ship to several subjects").help("name one, as nats://HOST/logs does")
            );
        }
    };
    let wrong = |cause| {
        Failure::usage(format!("cannot name subjects '{text}': {cause}"))
            .help("--subject 'logs.{host}.{path}' is the usual one")
    };
    Template::parse(text).map_err(wrong)
}

/// What the system calls this host.
fn host_name() -> String {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    match name.trim() {
        "" | "(none)" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// Which machine this is. The system's id is not to be told to others: a hash of it is.
fn machine(host: &str) -> String {
    let id = std::fs::read_to_string("/etc/machine-id").unwrap_or_default();
    let digest = ring::digest::digest(&ring::digest::SHA256, format!("logcast ship {id} {host}").as_bytes());
    digest.as_ref()[..6].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Where notes and spools are kept.
fn state_folder(given: Option<&Path>) -> Option<PathBuf> {
    if let Some(given) = given {
        return Some(given.to_owned());
    }
    let var = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    // systemd names several with colons; the first is ours.
    let ours = |path: PathBuf| path.to_str().and_then(|text| text.split(':').next()).map(PathBuf::from);
    if let Some(folder) = var("STATE_DIRECTORY").and_then(ours) {
        return Some(folder);
    }
    if let Some(folder) = var("XDG_STATE_HOME").filter(|path| path.is_absolute()) {
        return Some(folder.join("logcast"));
    }
    match var("HOME").filter(|_| !rustix::process::geteuid().is_root()) {
        Some(home) => Some(home.join(".local/state/logcast")),
        None => Some(PathBuf::from("/var/lib/logcast")),
    }
}

/// Turns pipes into files: each is copied into a spool, which takes its place among the sources.
fn spools(
    specs: &mut [Spec],
    state: Option<&Path>,
    host: &str,
    limit: u64,
) -> Result<HashMap<String, Arc<Spool>>, Failure> {
    let mut spools = HashMap::new();
    for spec in specs {
        let (name, pipe): (String, Box<dyn Read + Send>) = match spec {
            Spec::Stdin { name } => (name.clone(), Box::new(io::stdin())),
            Spec::Path { name, path } if is_fifo(path) => {
                let fifo = Fifo::open(path.clone())
                    .map_err(|error| Failure::refused(format!("cannot follow '{name}': {error}")))?;
                (name.clone(), Box::new(fifo))
            }
            _ => continue,
        };
        let Some(state) = state else {
            return Err(Failure::refused("cannot keep what a pipe says: there is no folder for it")
                .help("--state DIR"));
        };
        // Two hosts may share a folder.
        let path = state.join("spool").join(escape(host.as_bytes())).join(escape(name.as_bytes()));
        let spool = Spool::start(pipe, path.clone(), limit).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                Failure::refused(format!("cannot keep '{name}': another logcast ships a pipe of this name"))
                    .help("give it another: NAME=-")
            }
            _ => Failure::refused(format!("cannot write '{}': {error}", path.display())).help("--state DIR"),
        })?;
        spools.insert(name.clone(), spool);
        *spec = Spec::Path { name, path };
    }
    Ok(spools)
}

fn is_fifo(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo())
}

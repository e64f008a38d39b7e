//! `logcast serve`: follow the sources, serve stream and page, print their URLs.
//!
//! stdout is two bare URLs once the port is bound (or, with `--tee`, the lines of standard input); all talk is
//! on stderr. Ends with 0 by SIGINT or SIGTERM within two seconds, stalled clients included.

mod ending;
pub(super) mod fed;
mod manager;
mod signals;
mod status;
mod urls;

pub(super) use self::ending::{all_ended, all_taken};
pub(super) use self::signals::Signals;

use super::bind::bind;
use super::guard::{Admission, Certificate, guard};
use super::http::without_secrets;
use super::run::Job;
use super::{Failure, check_marks, out, plain, talk, trace};
use crate::live::backlog::Backlog;
use crate::live::counts::Counter;
use crate::live::feed::{Hub, Shown};
use crate::live::pipe::Tee;
use crate::live::{follow, indexer};
use crate::log::private::leave_private_files;
use crate::log::redact::Redact;
use crate::log::source::{self, Spec};
use crate::web::State;
use crate::web::access::Log;
use crate::web::asker::Proxies;
use crate::web::limits::Limits;
use crate::web::people::Person;
use crate::web::routes::Refused;
use crate::web::server;
use jiff::tz::TimeZone;
use std::ffi::OsString;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The most connections, where the system allows that many descriptors.
const MAX_CLIENTS: usize = 10_000;
/// How long a client that has stalled holds up the end of `--once`.
pub(super) const ONCE_STALL: Duration = Duration::from_secs(60);
/// How nice (setpriority(2)) the threads are that block.
const BLOCKING_NICE: i32 = 10;
/// Descriptors that are not for clients.
const RESERVED: usize = 64;

/// What to serve, and how.
#[derive(Debug)]
pub struct Options {
    /// The sources as typed.
    pub sources: Vec<OsString>,
    /// The port; `None` for the default one, or the next that is free.
    pub port: Option<u16>,
    /// Addresses, names or paths of unix sockets; empty for loopback.
    pub bind: Vec<String>,
    /// What a client gets first.
    pub lines: Backlog,
    /// Whether to stay at the end of the files.
    pub follow: bool,
    /// Whether rotated files count as the beginning of a log.
    pub history: bool,
    /// The zone of times that do not name one.
    pub zone: TimeZone,
    /// What is replaced in lines before anybody sees them.
    pub redact: Redact,
    /// The most bytes kept of a pipe.
    pub spool_limit: u64,
    /// The time between two looks at everything.
    pub poll: Option<Duration>,
    /// Whether standard input goes on to standard output.
    pub tee: bool,
    /// Whether to end when all sources have ended.
    pub once: bool,
    /// The most connections.
    pub max_clients: Option<usize>,
    /// The most connections of one address that is not this machine's own.
    pub max_per_address: usize,
    /// The token that clients need.
    pub token: Option<String>,
    /// People who have passwords.
    pub people: Vec<Person>,
    /// Whether to serve without a token what is not for everybody.
    pub no_auth: bool,
    /// The path below which everything is served, as `/logs`; empty for all.
    pub base_path: String,
    /// Proxies whose word counts.
    pub trusted_proxies: Proxies,
    /// Where requests are written down.
    pub access_log: Option<PathBuf>,
    /// The certificate that it speaks TLS with.
    pub tls: Option<Certificate>,
    /// Other origins that may read.
    pub allow_origin: Vec<String>,
    /// Other names of this host.
    pub allow_host: Vec<String>,
    /// The page's title.
    pub title: Option<String>,
    /// What the page marks.
    pub highlight: Vec<String>,
    /// Whether to open the page in a browser.
    pub open: bool,
    /// Whether to draw the page's URL.
    pub qr: bool,
    /// How much to say of what it does: who asks for what, files that are rotated; from 2 on connections too.
    pub verbose: u8,
    /// Whether to say nothing but errors.
    pub quiet: bool,
}

/// Serves until it is told to stop.
///
/// # Errors
/// What this machine refuses (1) or what is wrong anywhere (2).
pub fn run(options: Options) -> Result<(), Failure> {
    let specs = specs(&options.sources)?;
    if options.tee && !specs.iter().any(|spec| matches!(spec, Spec::Stdin { .. })) {
        return Err(
            Failure::usage("cannot tee: standard input is no source").help("logcast --tee - <app.log")
        );
    }
    start(options, specs, None).map(|_| ())
}

/// Serves sources, or what a command writes; gives the exit code.
pub(super) fn start(options: Options, specs: Vec<Spec>, job: Option<Job>) -> Result<u8, Failure> {
    check_marks(&options.highlight)?;
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let started = AtomicUsize::new(0);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .worker_threads(workers)
        // A client at the tip is woken from outside; beside ones that catch up it must not wait for 61 of their turns.
        .global_queue_interval(2)
        .event_interval(8)
        // Own reads are bounded by 32, and some more may wait for names or decode.
        .max_blocking_threads(48)
        .on_thread_start(move || {
            // The first threads are the workers. The others read for those who lag, and come after those at the tip.
            if started.fetch_add(1, Ordering::Relaxed) >= workers {
                let thread = rustix::thread::gettid();
                let _ = rustix::process::setpriority_process(Some(thread), BLOCKING_NICE);
            }
        })
        .build()
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    let result = runtime.block_on(serve(options, specs, job));
    // A read that hangs on a dead network file system must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn serve(options: Options, specs: Vec<Spec>, job: Option<Job>) -> Result<u8, Failure> {
    trace::tell(options.verbose);
    let tee: Tee = match options.tee && job.is_none() {
        true => Some(Box::new(out::stdout()?)),
        false => None,
    };
    let stop = CancellationToken::new();
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    // Before the files are opened: they need descriptors too.
    let max_clients = max_clients(options.max_clients);
    // Before anything is printed: who reads the URL may send a signal at once.
    let mut ends = Signals::listen()?;
    let bound = bind(&options.bind, options.port, &|text| talk(options.quiet, text))?;
    let shown =
        Shown { history: options.history, zone: options.zone.clone(), redact: options.redact.clone() };
    let hub = Arc::new(Hub::new(shown));
    let quiet = options.quiet;
    let (mut job, pipes) = match job {
        None => (None, Vec::new()),
        Some(job) => job.pipes(limit).map(|(job, pipes)| (Some(job), pipes))?,
    };
    let admission = Admission::of(&options, &bound, &specs);
    let only_public = admission == Admission::Anyone && !options.no_auth && !bound.addresses.is_empty();
    leave_private_files(only_public);
    let follow_options = follow::Options {
        only_public,
        poll: options.poll,
        follow: options.follow,
        spool_limit: options.spool_limit,
        tee,
        pipes,
        fed: fed::fed(&specs, options.follow, quiet, &stop)?,
        talk: Box::new(move |text| talk(quiet, text)),
    };
    let (missing, has_globs) =
        (missing(&specs, options.follow), specs.iter().any(|spec| matches!(spec, Spec::Glob(_))));
    let follower = follow::start(hub.clone(), specs, follow_options)
        .map_err(|error| Failure::refused(error.to_string()))?;
    missing.iter().for_each(|text| talk(quiet, text));
    if has_globs && hub.sources().is_empty() {
        talk(quiet, "no file matches yet");
    }
    let indexer = indexer::start(hub.clone(), BLOCKING_NICE)
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    let guard = guard(&options, &bound, admission)?;
    let secure = guard.tls.is_some();
    let access = access_log(&options)?;
    let state = Arc::new(State {
        hub: hub.clone(),
        policy: guard.policy,
        backlog: options.lines,
        title: options.title.clone(),
        highlight: options.highlight.clone(),
        tls: guard.tls,
        refused: Refused::default(),
        access: access.clone(),
        panics: Counter::default(),
        limits: Limits::new(max_clients, options.max_per_address),
        stop: stop.clone(),
        drain: OnceLock::new(),
    });
    urls::say(&options, &bound, guard.token.as_deref(), guard.once.as_deref(), secure);
    let bound_names = bound.names();
    // A hangup then means the certificate and the access log, not the end.
    let reloads = access.is_some() || matches!(options.tls, Some(Certificate::Files(_)));
    let hangup = if reloads { ends.hangup.take() } else { None };
    let files = tokio::spawn(server::keep_files(state.clone(), hangup, move |text| talk(quiet, text)));
    let server = tokio::spawn(server::serve(bound.listeners, state.clone(), max_clients));
    let manager = manager::tell(&bound_names);
    // A command's own output has the terminal.
    let status = tokio::spawn(status::line(hub.clone(), quiet || job.is_some() && options.tee));
    let code = match &mut job {
        Some(job) => {
            let code = job.attend(&hub, &mut ends, quiet).await;
            let _ = state.drain.set(ONCE_STALL);
            code
        }
        None => {
            let delivered = async {
                all_ended(&hub).await;
                all_taken(&hub).await;
            };
            tokio::select! {
                _ = ends.next() => {}
                () = delivered, if options.once => {
                    // What is on its way to a slow client arrives; a signal still ends it at once.
                    let _ = state.drain.set(ONCE_STALL);
                }
            }
            Ok(0)
        }
    };
    status.abort();
    files.abort();
    manager.stopping();
    stop.cancel();
    tokio::select! {
        _ = server => {}
        // A second signal stops at once.
        _ = ends.next() => {}
    }
    if let Some(log) = access {
        log.flush();
    }
    drop(indexer);
    drop(follower);
    code
}

fn access_log(options: &Options) -> Result<Option<Log>, Failure> {
    let Some(path) = &options.access_log else { return Ok(None) };
    let quiet = options.quiet;
    let log = Log::open(path, move |text| talk(quiet, text));
    log.map(Some).map_err(|error| {
        let shown = plain(&path.display().to_string());
        Failure::refused(format!("cannot write '{shown}': {error}"))
    })
}

/// Reads SOURCE arguments.
pub(super) fn specs(sources: &[OsString]) -> Result<Vec<Spec>, Failure> {
    let mut specs = Vec::new();
    for arg in sources {
        let shown = plain(&arg.to_string_lossy());
        let spec = source::parse(arg)
            .map_err(|cause| Failure::usage(format!("cannot follow '{shown}': {cause}")))?;
        match &spec {
            Spec::Path { path, .. } => {
                check_url(&path.to_string_lossy())?;
                check_path(path, &shown)?;
            }
            // A question mark makes a pattern of it.
            Spec::Glob(pattern) => check_url(&pattern.text())?,
            Spec::Stdin { .. } | Spec::Engine { .. } => {}
        }
        if matches!(spec, Spec::Stdin { .. }) && specs.iter().any(|spec| matches!(spec, Spec::Stdin { .. })) {
            return Err(Failure::usage("cannot follow '-': it is a source already").help("name it once"));
        }
        specs.push(spec);
    }
    Ok(specs)
}

/// A URL is no file, but where there is one of that name.
fn check_url(text: &str) -> Result<(), Failure> {
    let is_url = ["http://", "https://"].iter().any(|scheme| text.starts_with(scheme));
    match is_url && !Path::new(text).exists() {
        true => Err(Failure::usage(format!("cannot follow '{}': it is a URL", without_secrets(text)))
            .help("logcast tail prints the lines of a stream, logcast serve makes one of files")),
        false => Ok(()),
    }
}

/// What a person should know of files that are not there: perhaps a name was mistyped, perhaps they only come later.
fn missing(specs: &[Spec], follow: bool) -> Vec<String> {
    let later = if follow { " yet; it is served when it is" } else { "" };
    let gone = specs.iter().filter_map(|spec| match spec {
        Spec::Path { name, path } if matches!(path.try_exists(), Ok(false)) => Some(name),
        _ => None,
    });
    gone.map(|name| format!("'{name}' is not there{later}")).collect()
}

/// What can never be followed is said at once; what is only not there yet, or not readable yet, waits.
fn check_path(path: &Path, shown: &str) -> Result<(), Failure> {
    let Ok(meta) = std::fs::metadata(path) else { return Ok(()) };
    let kind = meta.file_type();
    let cause = if kind.is_dir() {
        let help = format!("logcast '{}/*.log'", shown.trim_end_matches('/'));
        return Err(Failure::usage(format!("cannot follow '{shown}': it is a folder")).help(help));
    } else if kind.is_char_device() || kind.is_block_device() {
        "it is a device"
    } else if kind.is_socket() {
        "it is a socket"
    } else {
        return Ok(());
    };
    let help = format!("a program that reads it can be piped: cat '{shown}' | logcast");
    Err(Failure::usage(format!("cannot follow '{shown}': {cause}")).help(help))
}

/// As many as wished, as far as the system gives descriptors.
fn max_clients(wished: Option<usize>) -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    // What may be raised without privilege is raised.
    if let (Some(soft), hard) = (limit.current, limit.maximum)
        && hard.is_none_or(|hard| hard > soft)
    {
        let raised = rustix::process::Rlimit { current: Some(hard.unwrap_or(soft).max(soft)), maximum: hard };
        let _ = rustix::process::setrlimit(rustix::process::Resource::Nofile, raised);
    }
    let now = rustix::process::getrlimit(rustix::process::Resource::Nofile).current.unwrap_or(u64::MAX);
    let room = usize::try_from(now).unwrap_or(usize::MAX).saturating_sub(RESERVED).max(1);
    wished.unwrap_or(MAX_CLIENTS).clamp(1, tokio::sync::Semaphore::MAX_PERMITS).min(room)
}

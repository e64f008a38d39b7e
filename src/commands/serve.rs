//! `logcast serve`: follow the sources, serve stream and page, print their URLs.
//!
//! stdout is two bare URLs once the port is bound (or, with `--tee`, the lines of standard input); all talk is
//! on stderr. Ends with 0 by SIGINT or SIGTERM within two seconds, stalled clients included.

use super::bind::{Bound, bind};
use super::guard::{Certificate, guard};
use super::{Failure, plain, talk};
use crate::live::backlog::Backlog;
use crate::live::feed::{Hub, Shown};
use crate::live::source::State as SourceState;
use crate::live::{follow, indexer};
use crate::log::source::{self, Spec};
use crate::web::State;
use crate::web::routes::Refused;
use crate::web::server;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use jiff::tz::TimeZone;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::FileTypeExt;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The most connections, where the system allows that many descriptors.
const MAX_CLIENTS: usize = 10_000;
/// How long a client that has stalled holds up the end of `--once`.
const ONCE_STALL: Duration = Duration::from_secs(60);
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
    /// The token that clients need.
    pub token: Option<String>,
    /// Whether to serve a wider network without a token.
    pub no_auth: bool,
    /// The certificate that it speaks TLS with.
    pub tls: Option<Certificate>,
    /// Other origins that may read.
    pub allow_origin: Vec<String>,
    /// Other names of this host.
    pub allow_host: Vec<String>,
    /// The page's title.
    pub title: Option<String>,
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
    let result = runtime.block_on(serve(options, specs));
    // A read that hangs on a dead network file system must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(200));
    result
}

async fn serve(options: Options, specs: Vec<Spec>) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    // Before the files are opened: they need descriptors too.
    let max_clients = max_clients(options.max_clients);
    // Before anything is printed: who reads the URL may send a signal at once.
    let mut ends = Signals::listen()?;
    let bound = bind(&options.bind, options.port, &|text| talk(options.quiet, text))?;
    let shown = Shown { history: options.history, zone: options.zone.clone() };
    let hub = Arc::new(Hub::new(shown));
    let quiet = options.quiet;
    let tee: crate::live::pipe::Tee = options.tee.then(|| Box::new(io::stdout()) as Box<dyn Write + Send>);
    let follow_options = follow::Options {
        poll: options.poll,
        follow: options.follow,
        spool_limit: options.spool_limit,
        tee,
        talk: Box::new(move |text| talk(quiet, text)),
    };
    let follower = follow::start(hub.clone(), specs, follow_options)
        .map_err(|error| Failure::refused(error.to_string()))?;
    let indexer = indexer::start(hub.clone(), BLOCKING_NICE)
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    let guard = guard(&options, &bound)?;
    let secure = guard.tls.is_some();
    let state = Arc::new(State {
        hub: hub.clone(),
        policy: guard.policy,
        backlog: options.lines,
        title: options.title.clone(),
        zone: options.zone.clone(),
        tls: guard.tls,
        refused: Refused::default(),
        stop: stop.clone(),
        drain: OnceLock::new(),
    });
    say_urls(&options, &bound, guard.token.as_deref(), secure);
    // A hangup then means the certificate, not the end.
    let hangup = if matches!(options.tls, Some(Certificate::Files(_))) { ends.hangup.take() } else { None };
    let certificate =
        tokio::spawn(server::keep_certificate(state.clone(), hangup, move |text| talk(quiet, text)));
    let server = tokio::spawn(server::serve(bound.listeners, state.clone(), max_clients));
    let status = tokio::spawn(status_line(hub.clone(), quiet));
    tokio::select! {
        () = ends.wait() => {}
        () = all_delivered(&hub), if options.once => {
            // What is on its way to a slow client arrives; a signal still ends it at once.
            let _ = state.drain.set(ONCE_STALL);
        }
    }
    status.abort();
    certificate.abort();
    stop.cancel();
    tokio::select! {
        _ = server => {}
        // A second signal stops at once.
        () = ends.wait() => {}
    }
    drop(indexer);
    drop(follower);
    Ok(())
}

fn specs(sources: &[OsString]) -> Result<Vec<Spec>, Failure> {
    let mut specs = Vec::new();
    for arg in sources {
        let shown = plain(&arg.to_string_lossy());
        let spec = source::parse(arg)
            .map_err(|cause| Failure::usage(format!("cannot follow '{shown}': {cause}")))?;
        if let Spec::Path { path, .. } = &spec {
            check_path(path, &shown)?;
        }
        if matches!(spec, Spec::Stdin { .. }) && specs.iter().any(|spec| matches!(spec, Spec::Stdin { .. })) {
            return Err(Failure::usage("cannot follow '-': it is a source already").help("name it once"));
        }
        specs.push(spec);
    }
    Ok(specs)
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

fn say_urls(options: &Options, bound: &Bound, token: Option<&str>, secure: bool) {
    let scheme = if secure { "https" } else { "http" };
    let query = token.map_or(String::new(), |token| format!("?token={token}"));
    let mut urls: Vec<(String, String)> = bound
        .addresses
        .iter()
        .map(|address| {
            let ip = match address.ip() {
                ip if !ip.is_unspecified() => ip,
                _ => IpAddr::V4(Ipv4Addr::LOCALHOST),
            };
            let base = format!("{scheme}://{}", SocketAddr::new(ip, address.port()));
            (format!("{base}/{query}"), format!("{base}/stream-logs{query}"))
        })
        .collect();
    urls.extend(bound.sockets.iter().map(|path| {
        let base = format!("unix:{}", plain(path));
        (base.clone(), format!("{base}:/stream-logs{query}"))
    }));
    let mut lines = Vec::new();
    if let Some((page, stream)) = urls.first() {
        lines.push(page.clone());
        lines.push(stream.clone());
    }
    if options.tee {
        // stdout is the lines; the URLs are asked for, quiet or not.
        for line in lines {
            talk(false, &line);
        }
    } else {
        // Whoever closed stdout does not want them.
        let text = lines.iter().map(|line| format!("{line}\n")).collect::<String>();
        let mut out = io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }
    for (page, _) in urls.iter().skip(1) {
        talk(options.quiet, &format!("also: {page}"));
    }
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

/// Waits until all sources have ended and the clients that are there have all of it, or take nothing any more.
async fn all_delivered(hub: &Hub) {
    loop {
        let sources = hub.sources();
        if !sources.is_empty() && sources.iter().all(|source| source.status().state == SourceState::Ended) {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Who read the URL may be on the way.
    tokio::time::sleep(Duration::from_millis(300)).await;
    let (mut blocks, mut since) = (hub.blocks(), Instant::now());
    while hub.clients() > 0 && since.elapsed() < ONCE_STALL {
        tokio::time::sleep(Duration::from_millis(50)).await;
        if hub.blocks() != blocks {
            (blocks, since) = (hub.blocks(), Instant::now());
        }
    }
}

/// The signals that end the program.
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: Option<tokio::signal::unix::Signal>,
}

impl Signals {
    fn listen() -> Result<Signals, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::refused(format!("cannot wait for signals: {error}")))
        };
        // Under nohup the hangup is ignored, and stays so.
        let hangup = if hangup_is_ignored() { None } else { Some(listen(SignalKind::hangup())?) };
        Ok(Signals {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup,
        })
    }

    async fn wait(&mut self) {
        let hangup = async {
            match &mut self.hangup {
                Some(hangup) => _ = hangup.recv().await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = hangup => {}
        }
    }
}

/// Whether the process was started with SIGHUP ignored, as the kernel tells (proc(5), `SigIgn`).
fn hangup_is_ignored() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 != 0)
}

/// What a person at the terminal sees while it serves.
async fn status_line(hub: Arc<Hub>, quiet: bool) {
    if quiet || !io::stderr().is_terminal() {
        return;
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    let style = |template| {
        ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner())
    };
    loop {
        let (mut template, mut work) = ("{spinner} {msg}", String::new());
        if let Some((what, done, whole)) = indexer::progress(&hub) {
            template = "{spinner} {msg} [{bar:20}] {percent}%";
            work = format!(" · {what}");
            bar.set_length(whole);
            bar.set_position(done);
        }
        bar.set_style(style(template));
        let sources = hub.sources();
        let following =
            sources.iter().filter(|source| source.status().state == SourceState::Following).count();
        let bytes: u64 =
            sources.iter().filter_map(|source| source.status().current.map(|(_, tip)| tip.offset)).sum();
        let clients = hub.clients();
        bar.set_message(format!(
            "following {following} of {} · {} · {clients} client{}{work}",
            sources.len(),
            indicatif::HumanBytes(bytes),
            if clients == 1 { "" } else { "s" }
        ));
        bar.tick();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

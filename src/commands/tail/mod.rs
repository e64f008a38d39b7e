//! `logcast tail`: `tail -F` over HTTP. Lines go to standard output, everything else to stderr.
//!
//! Each URL has a task that reads it and comes back by cursor (`stream`), that of an engine from a server in this process
//! (`engine`); the main thread prints what they bring
//! (`output`) and keeps the places (`place`). A place is written after its lines were delivered, never before:
//! an end without warning (`kill -9`) in between doubles what was delivered since the last write, at most
//! `SAVE_EVERY` of it, and loses nothing. An end by a signal, at the end of the stream or by a reader that went away
//! writes the place as it is.

mod engine;
mod names;
mod notice;
mod output;
mod paint;
mod place;
mod refused;
mod show;
mod stream;

use self::engine::Engine;
use self::output::Output;
use self::paint::Paint;
use self::place::PlaceFile;
use self::show::{How, Show};
use self::stream::{Item, Seen, Stream};
use super::http::kept::Kept;
use super::http::{self, Address, Fingerprint};
use super::{Failure, check_marks, complain, out, plain, talk};
use crate::live::backlog::Backlog;
use crate::log::filter::Marks;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc::{Receiver, channel};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// Items between the readers and the printer, each of some 256 KiB at most: one is printed while others come.
const QUEUE: usize = 4;
/// How often the places are written at most, while lines flood.
const SAVE_EVERY: Duration = Duration::from_millis(200);
/// How often it is looked whether the next program has read what was written.
const LOOK: Duration = Duration::from_millis(50);
/// How long an end by a signal may take.
const GRACE: Duration = Duration::from_millis(1_500);

/// What to print, and how.
#[derive(Debug)]
pub struct Options {
    /// URLs, perhaps with `NAME=` before them.
    pub urls: Vec<String>,
    /// What to begin with; `None` for what the server gives.
    pub lines: Option<Backlog>,
    /// What lines must match.
    pub grep: Vec<String>,
    /// What they must not match.
    pub exclude: Vec<String>,
    /// Their levels.
    pub level: Option<String>,
    /// The first time.
    pub since: Option<String>,
    /// The time before which they end.
    pub until: Option<String>,
    /// Names of the server's files.
    pub files: Vec<String>,
    /// Whether lines are printed as objects.
    pub json: bool,
    /// Whether to stay at the end.
    pub follow: bool,
    /// Whether to wait for a server that was never there.
    pub retry: bool,
    /// The token of servers whose URL has none.
    pub token: Option<String>,
    /// A name and a password, `NAME:PASSWORD`, for servers that want one.
    pub user: Option<String>,
    /// The only certificate to trust.
    pub fingerprint: Option<Fingerprint>,
    /// Where the places are kept.
    pub cursor_file: Option<PathBuf>,
    /// Whether to say only what is wrong.
    pub quiet: bool,
    /// Whether names and marks are coloured.
    pub color: bool,
    /// What is marked in lines.
    pub highlight: Vec<String>,
    /// Whether lines have names in front.
    pub names: Names,
}

/// When a line has the name of its stream and of its file in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Names {
    /// Where there are several.
    Auto,
    /// Even for one file.
    Always,
    /// Never.
    Never,
}

/// Prints until the streams have ended, nobody reads any more, or a signal comes. Returns the exit code.
///
/// # Errors
/// What is wrong with the options, and why the only stream cannot be read.
pub fn run(options: &Options) -> Result<u8, Failure> {
    let mut targets = targets(options)?;
    let how = how(options)?;
    let refused = |error: io::Error| Failure::refused(format!("cannot write to stdout: {error}"));
    let output = Output::new(&out::stdout()?).map_err(refused)?;
    let keys: Vec<String> = targets.iter().map(Target::key).collect();
    let place = options.cursor_file.as_deref().map(|path| PlaceFile::open(path, &keys)).transpose()?;
    for (target, key) in targets.iter_mut().zip(&keys) {
        if let Some(engine) = &mut target.engine {
            engine.start(options, place.as_ref().and_then(|place| place.get(key)))?;
        }
    }
    let names = targets.iter().map(|target| plain(&target.name)).collect();
    let (saved, quiet) = (Instant::now(), options.quiet);
    let printer = Printer { output, place, keys, names, changed: false, saved, quiet };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(4)
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    let result = runtime.block_on(tail(options, targets, how, printer));
    // A name that is still looked up must not hold up the end.
    runtime.shutdown_timeout(Duration::from_millis(100));
    result
}

/// How lines are printed.
fn how(options: &Options) -> Result<How, Failure> {
    let marked = check_marks(&options.highlight)?;
    // What was looked for is marked too, as grep does it; what is wrong with it the server says.
    let all = Marks::new(&[&options.highlight[..], &options.grep].concat()).unwrap_or(marked);
    let paint = match options.color && !options.json {
        true => Paint::new(all, options.highlight.len()),
        false => Paint::default(),
    };
    let terminal = io::stdout().is_terminal();
    Ok(How { json: options.json, terminal, color: options.color, paint: Arc::new(paint) })
}

/// A URL with its name.
struct Target {
    name: String,
    address: Address,
    engine: Option<Engine>,
}

impl Target {
    /// What a place belongs to: the server and the files that are asked for.
    fn key(&self) -> String {
        let files = self.address.query.iter().filter(|(name, _)| name == "file" || name == "origin");
        let files: Vec<String> = files.map(|(name, value)| format!("{name}={value}")).collect();
        let mark = if files.is_empty() { "" } else { "?" };
        format!("{}{mark}{}", self.address.shown(), files.join("&"))
    }
}

fn targets(options: &Options) -> Result<Vec<Target>, Failure> {
    let mut targets: Vec<Target> = Vec::new();
    for arg in &options.urls {
        let label =
            arg.split_once('=').filter(|(name, _)| !name.is_empty() && !name.contains([':', '/', '?']));
        let (name, url) = label.map_or((None, arg.as_str()), |(name, url)| (Some(name), url));
        let engine = Engine::of(url)?;
        let address = match &engine {
            Some(engine) => Address::here(engine.here.clone()),
            None => Address::parse(url).map_err(|(cause, help)| {
                let shown = http::without_secrets(url);
                if Path::new(url).is_file() {
                    let failure = Failure::usage(format!("cannot tail '{shown}': it is a file, not a URL"));
                    return failure.help(format!("tail -F '{shown}' prints it; logcast '{shown}' serves it"));
                }
                Failure::usage(format!("cannot tail '{shown}': {cause}")).help(help)
            })?,
        };
        let mut address = address.route("stream-logs");
        address.token = address.token.or_else(|| options.token.clone());
        address.login.clone_from(&options.user);
        address.fingerprint = options.fingerprint;
        // The page's own transport is no text.
        address.set::<&str>("view", []);
        if let Some(lines) = options.lines {
            let text = match lines {
                Backlog::All => "all".to_owned(),
                Backlog::From(number) => format!("+{number}"),
                Backlog::Last(number) => number.to_string(),
            };
            address.set("lines", [text]);
        }
        // The stream of an engine is one file, which holds the lines of many.
        let file = if engine.is_some() { "origin" } else { "file" };
        for (name, values) in [("grep", &options.grep), ("exclude", &options.exclude), (file, &options.files)]
        {
            if !values.is_empty() {
                address.set(name, values);
            }
        }
        for (name, value) in [("level", &options.level), ("since", &options.since), ("until", &options.until)]
        {
            if let Some(value) = value {
                address.set(name, [value]);
            }
        }
        address.set("format", if options.json { Some("json") } else { None });
        match engine {
            // It ends by itself where the engine's stream ends, not where it was read to when it was asked.
            Some(_) => address.set("follow", ["true"]),
            None if !options.follow => address.set("follow", ["false"]),
            None => {}
        }
        let named = || engine.as_ref().map_or_else(|| address.host(), |engine| engine.here.shown.clone());
        let name = name.map_or_else(named, str::to_owned);
        let target = Target { name, address, engine };
        if targets.iter().any(|other| other.key() == target.key()) {
            let failure = Failure::usage(format!("cannot tail '{}': it is given twice", target.key()));
            return Err(failure.help("name each once"));
        }
        targets.push(target);
    }
    // Hosts that are the same say nothing.
    let names: Vec<String> = targets.iter().map(|target| target.name.clone()).collect();
    for target in &mut targets {
        if names.iter().filter(|name| **name == target.name).count() > 1 {
            target.name = target.key();
        }
    }
    Ok(targets)
}

async fn tail(
    options: &Options,
    targets: Vec<Target>,
    how: How,
    mut printer: Printer,
) -> Result<u8, Failure> {
    let stop = CancellationToken::new();
    end_by_signals(stop.clone())?;
    if let Some(pipe) = printer.output.pipe() {
        let stop = stop.clone();
        // It ends with the process, if not before.
        std::thread::spawn(move || end_with_reader(&pipe, &stop));
    }
    let several = targets.len() > 1;
    let width = targets.iter().map(|target| plain(&target.name).chars().count()).max().unwrap_or(0);
    let (out, items) = channel(QUEUE);
    let mut streams = JoinSet::new();
    for (number, target) in targets.into_iter().enumerate() {
        let id = printer.place.as_ref().and_then(|place| place.get(&printer.keys[number])).map(str::to_owned);
        let name = (several && options.names != Names::Never).then_some((target.name, width));
        let show = Show::new(number, name, how.clone());
        let (address, retry, follow, out) = (target.address, options.retry, options.follow, out.clone());
        let (kept, names, seen, engine) = (Kept::new(id), options.names, Seen::default(), target.engine);
        let stream = Stream { number, address, engine, kept, show, names, retry, follow, out, seen };
        streams.spawn(stream.follow());
    }
    drop(out);
    let ended = async move {
        let mut failures = Vec::new();
        while let Some(joined) = streams.join_next().await {
            let ended =
                joined.unwrap_or_else(|error| Err(Failure::refused(format!("cannot go on: {error}"))));
            let Err(failure) = ended else { continue };
            // The others go on.
            if several {
                complain(&failure);
            }
            failures.push(failure);
        }
        failures
    };
    let (failures, printed) = {
        let until_stop = async {
            tokio::select! {
                failures = ended => failures,
                // What the streams have sent is still printed; dropping them closes the queue.
                () = stop.cancelled() => Vec::new(),
            }
        };
        let printed = async {
            let printed = printer.print(items, &stop).await;
            // Without a printer nothing needs to be read; else the streams have ended by themselves.
            if printed.is_err() {
                stop.cancel();
            }
            printed
        };
        tokio::join!(until_stop, printed)
    };
    printed?;
    match failures.into_iter().next() {
        Some(failure) if several => Ok(failure.code),
        Some(failure) => Err(failure),
        None => Ok(0),
    }
}

/// The first signal asks; a second one, or an end that takes too long, ends the process where it stands.
fn end_by_signals(stop: CancellationToken) -> Result<(), Failure> {
    let refused = |error| Failure::refused(format!("cannot wait for signals: {error}"));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
    tokio::spawn(async move {
        tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
        stop.cancel();
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            () = tokio::time::sleep(GRACE) => {}
        }
        std::process::exit(0);
    });
    Ok(())
}

/// A reader that went away is seen at once, not at the next line: poll(2) tells it without being asked for anything.
fn end_with_reader(pipe: &File, stop: &CancellationToken) {
    while let Err(Errno::INTR) = poll(&mut [PollFd::new(pipe, PollFlags::empty())], None) {}
    stop.cancel();
}

/// Who prints, and keeps the places.
struct Printer {
    output: Output,
    place: Option<PlaceFile>,
    keys: Vec<String>,
    names: Vec<String>,
    changed: bool,
    saved: Instant,
    quiet: bool,
}

impl Printer {
    async fn print(&mut self, mut items: Receiver<Item>, stop: &CancellationToken) -> Result<(), Failure> {
        let mut result = Ok(());
        loop {
            let waits = self.changed || self.output.has_marks();
            let item = tokio::select! {
                item = items.recv() => item,
                () = tokio::time::sleep(LOOK), if waits => {
                    self.keep(SAVE_EVERY)?;
                    continue;
                }
            };
            let Some(item) = item else { break };
            if let Err(error) = self.item(item, stop) {
                stop.cancel();
                // Nobody reads any more: that is no error.
                if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::TimedOut) {
                    result = Err(Failure::refused(format!("cannot write to stdout: {error}")));
                }
                break;
            }
            self.keep(SAVE_EVERY)?;
        }
        // What lies in the pipe is waited for, as long as somebody may read it.
        while self.output.has_marks() && !stop.is_cancelled() {
            self.keep(SAVE_EVERY)?;
            tokio::time::sleep(LOOK).await;
        }
        result.and(self.keep(Duration::ZERO))
    }

    fn item(&mut self, item: Item, stop: &CancellationToken) -> io::Result<()> {
        self.output.write(&item.lines, stop)?;
        if let Some((wrong, text)) = item.say
            && (wrong || !self.quiet)
        {
            let name =
                if self.names.len() > 1 { format!("{}: ", self.names[item.number]) } else { String::new() };
            talk(false, &format!("{}{name}{text}", if wrong { "warning: " } else { "" }));
        }
        if let (Some(id), true) = (item.id, self.place.is_some()) {
            self.output.mark(item.number, id);
        }
        Ok(())
    }

    /// Writes the places of what was delivered, if the last time is so long ago.
    fn keep(&mut self, after: Duration) -> Result<(), Failure> {
        let Some(place) = &mut self.place else { return Ok(()) };
        while let Some((number, id)) = self.output.delivered() {
            place.set(&self.keys[number], &id);
            self.changed = true;
        }
        if !self.changed || self.saved.elapsed() < after {
            return Ok(());
        }
        (self.changed, self.saved) = (false, Instant::now());
        place.save().map_err(|error| Failure::refused(format!("cannot keep the place: {error}")))
    }
}

//! The follower: one blocking thread that looks at every source when the watcher rings, and at all of them at
//! every tick.
//!
//! It is the only one that publishes, so that there is one canonical order. After it has said something it
//! lets a moment pass that grows with the number of clients, so that many of them wake for many lines at once,
//! while few of them get each line at once.

mod paths;

use self::paths::{folders, names};
use super::fed::{Fed, Feed};
use super::feed::Hub;
use super::followed::{Followed, Look, refusal};
use super::pipe::{self, Named, Progress, Stream, Tee};
use super::piped::Piped;
use super::source::Source;
use super::watch::{Bell, Dirty, Watcher};
use crate::log::source::{Pattern, Spec};
use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// The time between two looks at everything.
pub const TICK: Duration = Duration::from_secs(1);
/// The same where the watcher cannot watch.
pub const BLIND_TICK: Duration = Duration::from_millis(250);
/// What a wake-up of one client costs, and the most that a line waits for that.
const GAP_PER_CLIENT: Duration = Duration::from_micros(20);
const GAP_MAX: Duration = Duration::from_millis(5);
/// How long the end waits for the follower's last look.
const STOP_WAIT: Duration = Duration::from_millis(200);
/// How long a view without clients keeps its ring.
const VIEW_IDLE: Duration = Duration::from_secs(5);
/// How long the start waits for what feeds a source, and between two looks: who comes first finds a backlog then.
const FED_WAIT: Duration = Duration::from_secs(2);
const FED_LOOK: Duration = Duration::from_millis(5);

/// How to follow.
pub struct Options {
    /// The time between two looks at everything; `None` for [`TICK`].
    pub poll: Option<Duration>,
    /// Whether to stay at the end of the files.
    pub follow: bool,
    /// The most bytes that are kept of a pipe.
    pub spool_limit: u64,
    /// Where the bytes of standard input go besides.
    pub tee: Tee,
    /// Pipes that have no path.
    pub pipes: Vec<Named>,
    /// Whether files that some users of this machine may not read are refused: anyone here may ask.
    pub only_public: bool,
    /// Sources that others feed.
    pub fed: Vec<Fed>,
    /// Where to say what a person should know.
    pub talk: Box<dyn Fn(&str) + Send>,
}

/// A running follower; it ends when this is dropped.
#[derive(Debug)]
pub struct Handle {
    stop: Arc<AtomicBool>,
    bell: Bell,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.bell.ring();
        // A look that hangs on a dead network file system must not hold up the end.
        let until = Instant::now() + STOP_WAIT;
        if let Some(thread) = self.thread.take() {
            while !thread.is_finished() && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
    }
}

struct FollowedPath {
    followed: Followed,
    /// The path as events may name it.
    names: Vec<PathBuf>,
    /// The folders whose events may tell of it.
    folders: Vec<PathBuf>,
}

struct Follower {
    hub: Arc<Hub>,
    options: Options,
    watcher: Watcher,
    bell: Bell,
    paths: Vec<FollowedPath>,
    globs: Vec<Pattern>,
    joined: HashSet<PathBuf>,
    /// Whether what joins now is new, and not there from the start.
    started: bool,
    pipes: Vec<Piped>,
    buf: Vec<u8>,
}

/// Opens the sources, looks at each once, and follows them on a thread of its own. What is at the start is
/// known when this returns; nothing is read but the ends of the files.
///
/// # Errors
/// What the system says to a thread or, for a pipe, to a temporary file.
pub fn start(hub: Arc<Hub>, specs: Vec<Spec>, options: Options) -> io::Result<Handle> {
    let (watcher, bell) = Watcher::new(&options.talk);
    let mut follower = Follower {
        hub,
        options,
        watcher,
        bell: bell.clone(),
        paths: Vec::new(),
        started: false,
        globs: Vec::new(),
        joined: HashSet::new(),
        pipes: Vec::new(),
        buf: Vec::new(),
    };
    for spec in specs {
        match spec {
            Spec::Path { name, path } => follower.join(name, path)?,
            // Whoever reads it feeds it (`Options::fed`).
            Spec::Engine { .. } => {}
            Spec::Stdin { name } => {
                let tee = follower.options.tee.take();
                follower.join_pipe(name, io::stdin(), tee)?;
            }
            Spec::Glob(pattern) => {
                let root = std::path::absolute(pattern.root()).unwrap_or_else(|_| pattern.root().to_owned());
                follower.watcher.watch(&root, &follower.options.talk);
                follower.globs.push(pattern);
            }
        }
    }
    for Named { name, read, tee } in std::mem::take(&mut follower.options.pipes) {
        follower.join_pipe(name, read, tee)?;
    }
    for Fed { name, begin } in std::mem::take(&mut follower.options.fed) {
        follower.join_fed(name, begin)?;
    }
    follower.await_fed();
    follower.expand_globs();
    follower.tick();
    follower.started = true;
    if !follower.options.follow {
        follower.end_files();
    }
    let stop = Arc::new(AtomicBool::new(false));
    let stopped = stop.clone();
    let thread =
        std::thread::Builder::new().name("follow".to_owned()).spawn(move || follower.run(&stopped))?;
    Ok(Handle { stop, bell, thread: Some(thread) })
}

impl Follower {
    fn run(mut self, stop: &AtomicBool) {
        let mut next_tick = Instant::now() + self.every();
        let mut flush: Option<Instant> = None;
        while !stop.load(Ordering::Acquire) {
            let now = Instant::now();
            let until = flush.map_or(next_tick, |at| at.min(next_tick));
            let dirty = self.watcher.wait(until.saturating_duration_since(now));
            if stop.load(Ordering::Acquire) {
                break;
            }
            self.count_births(&dirty);
            let looked = Instant::now();
            if looked >= next_tick {
                self.tick();
                next_tick = Instant::now() + self.every();
            } else {
                self.look_at(&dirty);
            }
            flush = self.hub.flush(Instant::now());
            // What comes within the gap is said together.
            let gap = (GAP_PER_CLIENT * self.hub.clients() as u32).min(GAP_MAX);
            let passed = looked.elapsed();
            if passed < gap {
                std::thread::sleep(gap - passed);
            }
        }
    }

    fn every(&self) -> Duration {
        self.options.poll.unwrap_or(if self.watcher.is_blind() { BLIND_TICK } else { TICK })
    }

    /// A new path. A FIFO and what a compressed file holds are copied like standard input.
    fn join(&mut self, name: String, path: PathBuf) -> io::Result<()> {
        self.joined.insert(path.clone());
        // One that is not to be read stays a path, which is looked at, and refused.
        if refusal(&path, self.options.only_public).is_none()
            && std::fs::metadata(&path).is_ok_and(|meta| pipe::is_stream(&path, &meta))
        {
            let stream = pipe::open_stream(&path).map_err(|error| named(&name, &error))?;
            let source = self.hub.join(name, None);
            return self.follow_stream(source, stream);
        }
        let source = self.hub.join(name, Some(path.clone()));
        let (names, folders) = (names(&path), folders(&path));
        self.paths.push(FollowedPath { followed: Followed::new(source, path, self.started), names, folders });
        Ok(())
    }

    fn join_pipe(&mut self, name: String, pipe: impl io::Read + Send + 'static, tee: Tee) -> io::Result<()> {
        let source = self.hub.join(name, None);
        self.follow_pipe(source, pipe, tee)
    }

    fn follow_stream(&mut self, source: Arc<Source>, stream: Stream) -> io::Result<()> {
        match stream {
            Stream::Fifo(fifo) => self.follow_pipe(source, fifo, None),
            Stream::Archive(archive) => {
                source.set_decoded();
                self.follow_pipe(source, archive, None)
            }
        }
    }

    fn follow_pipe(
        &mut self,
        source: Arc<Source>,
        pipe: impl io::Read + Send + 'static,
        tee: Tee,
    ) -> io::Result<()> {
        let key = (source.id, source.key);
        let kept = (self.options.spool_limit, &source.redact);
        let progress = pipe::start(pipe, key, kept, tee, self.bell.clone())?;
        let mut piped = Piped::new(source, progress);
        piped.begin(&self.hub)?;
        self.pipes.push(piped);
        Ok(())
    }

    fn join_fed(&mut self, name: String, begin: impl FnOnce(Feed) -> io::Result<()>) -> io::Result<()> {
        let source = self.hub.join(name, None);
        let progress = Arc::new(Progress::default());
        begin(Feed::new(&source, self.options.spool_limit, &progress, &self.bell))?;
        self.pipes.push(Piped::new(source, progress));
        Ok(())
    }

    /// Waits a little for the sources that are fed to begin.
    fn await_fed(&mut self) {
        let until = Instant::now() + FED_WAIT;
        while Instant::now() < until && !self.pipes.iter().all(Piped::has_begun) {
            self.read_pipes();
            std::thread::sleep(FED_LOOK);
        }
    }

    /// Looks at everything, as if nothing had been told.
    fn tick(&mut self) {
        self.expand_globs();
        for at in 0..self.paths.len() {
            self.watch_folders(at);
            self.look(at, true);
        }
        self.take_streams();
        self.drop_watches();
        self.read_pipes();
        self.hub.tick();
        self.hub.forget_views(VIEW_IDLE);
    }

    fn look_at(&mut self, dirty: &Dirty) {
        if !self.pipes.is_empty() {
            self.read_pipes();
        }
        if !dirty.all && dirty.paths.is_empty() {
            return;
        }
        let below = |folder: &Path| dirty.paths.iter().any(|path| path.starts_with(folder));
        if dirty.all
            || self.globs.iter().any(|glob| std::path::absolute(glob.root()).is_ok_and(|root| below(&root)))
        {
            self.expand_globs();
        }
        for at in 0..self.paths.len() {
            let path = &self.paths[at];
            let told = dirty.all
                || path.names.iter().any(|name| dirty.paths.contains(name))
                // The old file's new name is not known.
                || path.followed.is_draining() && path.folders.iter().any(|folder| below(folder));
            if told {
                self.look(at, false);
            }
        }
        self.take_streams();
    }

    fn look(&mut self, at: usize, tick: bool) {
        let only_public = self.options.only_public;
        let mut look =
            Look { hub: &self.hub, buf: &mut self.buf, talk: &self.options.talk, tick, only_public };
        self.paths[at].followed.look(&mut look);
    }

    /// A path that got a FIFO or a compressed file after the start is read as one from now on.
    fn take_streams(&mut self) {
        let is_stream = |path: &FollowedPath| path.followed.is_stream();
        while let Some(at) = self.paths.iter().position(is_stream) {
            let followed = self.paths.remove(at).followed;
            let taken = pipe::open_stream(&followed.path)
                .and_then(|stream| self.follow_stream(followed.source.clone(), stream));
            if let Err(error) = taken {
                (self.options.talk)(&format!("warning: {}", named(&followed.source.name, &error)));
            }
        }
    }

    /// Lets go of the watches that nothing needs any more: a link or a folder leads elsewhere.
    fn drop_watches(&mut self) {
        let roots: Vec<PathBuf> =
            self.globs.iter().filter_map(|glob| std::path::absolute(glob.root()).ok()).collect();
        let folders = self.paths.iter().flat_map(|path| &path.folders);
        let wanted: HashSet<&Path> = folders.chain(&roots).map(PathBuf::as_path).collect();
        self.watcher.keep(&wanted);
    }

    fn count_births(&mut self, dirty: &Dirty) {
        if dirty.births.is_empty() {
            return;
        }
        for path in &mut self.paths {
            for count in path.names.iter().filter_map(|name| dirty.births.get(name)) {
                path.followed.saw_births(*count);
            }
        }
    }

    fn watch_folders(&mut self, at: usize) {
        // A link may lead elsewhere since the last tick.
        let path = &mut self.paths[at];
        path.names = names(&path.followed.path);
        path.folders = folders(&path.followed.path);
        for folder in &path.folders {
            self.watcher.watch(folder, &self.options.talk);
        }
    }

    fn expand_globs(&mut self) {
        for at in 0..self.globs.len() {
            let pattern = &self.globs[at];
            let new: Vec<PathBuf> =
                pattern.expand().into_iter().filter(|path| !self.joined.contains(path)).collect();
            for path in new {
                if self.joined.len() >= crate::log::source::MAX_SOURCES {
                    return;
                }
                let (name, at) = (self.globs[at].name(&path), self.paths.len());
                // A compressed file is no path that is followed.
                if self.join(name, path).is_ok() && self.paths.len() > at {
                    self.watch_folders(at);
                    self.look(at, false);
                }
            }
        }
    }

    fn read_pipes(&mut self) {
        for pipe in &mut self.pipes {
            if let Some(text) = pipe.look(&self.hub, &mut self.buf) {
                (self.options.talk)(&text);
            }
        }
    }

    /// For `--no-follow`: the files end where they end now.
    fn end_files(&mut self) {
        for mut path in std::mem::take(&mut self.paths) {
            let only_public = self.options.only_public;
            let mut look = Look {
                hub: &self.hub,
                buf: &mut self.buf,
                talk: &self.options.talk,
                tick: false,
                only_public,
            };
            path.followed.end(&mut look);
        }
        self.globs.clear();
    }
}

/// An error that names its object.
fn named(name: &str, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot follow '{}': {error}", name.escape_debug()))
}

//! `logcast run`: a command whose output is served, its stdout and stderr as two sources.
//!
//! It is as if the command had been started alone: its input is ours, what it writes is shown byte for byte where it
//! would be (unless `--no-show`), signals are passed on, and its exit code is ours. Its output goes through spools, so
//! that no viewer holds it up.

use super::serve::{self, Options, Signals, all_ended, all_taken};
use super::{Failure, out, plain, talk};
use crate::live::feed::Hub;
use crate::live::pipe::{Named, Tee};
use rustix::fs::{Access, access};
use rustix::io::Errno;
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process, setrlimit};
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, PipeWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::signal::unix::{Signal as Listener, SignalKind, signal};

/// How long a pipe that others than the command hold open may be silent after its end.
const ORPHANS: Duration = Duration::from_secs(2);

/// What to run.
#[derive(Debug)]
pub struct Job {
    /// The command and its arguments.
    pub command: Vec<OsString>,
    /// Whether to serve on when it has ended.
    pub keep: bool,
    /// Whether its output is shown as well.
    pub show: bool,
}

/// Runs the command to its end. Returns its exit code, or 128 and the signal that ended it.
///
/// # Errors
/// What this machine refuses (1) or what is wrong anywhere (2); 127 for a command that is not there, 126 for one that
/// cannot be run.
pub fn run(options: Options, job: Job) -> Result<u8, Failure> {
    // Before anything is bound and said; what changes until it starts is told then.
    if let Some(program) = job.command.first() {
        look_for(program).map_err(|error| cannot_run(program, &error))?;
    }
    if job.show {
        out::stdout()?;
    }
    serve::start(options, Vec::new(), Some(job))
}

/// A job whose pipes are followed already.
pub(super) struct Ready {
    job: Job,
    writers: Option<(PipeWriter, PipeWriter)>,
    /// How many of our threads write to our own stdout and stderr at the moment.
    showing: Arc<AtomicUsize>,
    limit: Rlimit,
}

impl Job {
    /// Makes the pipes; the command starts when somebody attends to it.
    pub(super) fn pipes(self, limit: Rlimit) -> Result<(Ready, Vec<Named>), Failure> {
        let refused = |error: io::Error| Failure::refused(format!("cannot make a pipe: {error}"));
        let showing = Arc::new(AtomicUsize::new(0));
        let tee = |out: Box<dyn Write + Send>| -> Tee {
            self.show.then(|| Box::new(Shown { out, showing: showing.clone() }) as Box<dyn Write + Send>)
        };
        let (out, out_writer) = io::pipe().map_err(refused)?;
        let (err, err_writer) = io::pipe().map_err(refused)?;
        let pipes = vec![
            Named { name: "stdout".to_owned(), read: Box::new(out), tee: tee(Box::new(io::stdout())) },
            Named { name: "stderr".to_owned(), read: Box::new(err), tee: tee(Box::new(io::stderr())) },
        ];
        let writers = Some((out_writer, err_writer));
        Ok((Ready { job: self, writers, showing, limit }, pipes))
    }
}

impl Ready {
    /// Starts the command, passes signals on, and returns its exit code when clients have all of its output.
    pub(super) async fn attend(&mut self, hub: &Hub, ends: &mut Signals, quiet: bool) -> Result<u8, Failure> {
        let mut others = Others::listen()?;
        let mut child = self.spawn()?;
        let pid = Pid::from_child(&child);
        let mut waited = tokio::task::spawn_blocking(move || child.wait());
        let status = loop {
            tokio::select! {
                status = &mut waited => break status,
                signal = ends.next() => pass(pid, signal),
                signal = others.next() => pass(pid, signal),
            }
        };
        let refused =
            |error: &dyn std::fmt::Display| Failure::refused(format!("cannot wait for it: {error}"));
        let status = status.map_err(|error| refused(&error))?.map_err(|error| refused(&error))?;
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        let code = u8::try_from(code).unwrap_or(1);
        // A signal from now on ends what is left.
        tokio::select! {
            () = async {
                self.spooled(hub).await;
                if !self.job.keep {
                    all_taken(hub).await;
                }
            } => {}
            _ = ends.next() => return Ok(code),
        }
        if self.job.keep {
            talk(quiet, &format!("the command has ended with {code}; its output is served on"));
            ends.next().await;
            return Ok(0);
        }
        Ok(code)
    }

    fn spawn(&mut self) -> Result<Child, Failure> {
        let (program, args) =
            self.job.command.split_first().ok_or_else(|| Failure::usage("cannot run nothing"))?;
        let mut command = Command::new(program);
        command.args(args);
        if let Some((out, err)) = self.writers.take() {
            command.stdout(out).stderr(err);
        }
        // It gets the limit that we were started with: a program that counts all descriptors should not have ours.
        let ours = getrlimit(Resource::Nofile);
        let _ = setrlimit(Resource::Nofile, self.limit);
        let child = command.spawn();
        let _ = setrlimit(Resource::Nofile, ours);
        child.map_err(|error| cannot_run(program, &error))
    }

    /// Waits until all that was written is spooled. What the command left behind may hold its pipes open for ever: if
    /// nothing comes of them, and nobody waits for our own reader, that is the end.
    async fn spooled(&self, hub: &Hub) {
        let bytes = || hub.sources().iter().map(|source| source.counts.bytes.get()).sum::<u64>();
        let silent = async {
            let (mut seen, mut since) = (bytes(), Instant::now());
            while since.elapsed() < ORPHANS {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if bytes() != seen || self.showing.load(Ordering::Acquire) > 0 {
                    (seen, since) = (bytes(), Instant::now());
                }
            }
        };
        tokio::select! { () = all_ended(hub) => {}, () = silent => {} }
    }
}

/// Looks for a program as a shell does: by its path, or in the folders of `PATH`.
fn look_for(program: &OsStr) -> io::Result<()> {
    let runs = |path: &Path| match path.is_dir() {
        true => Err(Errno::ACCESS.into()),
        false => access(path, Access::EXEC_OK).map_err(io::Error::from),
    };
    if program.as_bytes().contains(&b'/') {
        return runs(Path::new(program));
    }
    // Without it the system has a say of its own.
    let Some(path) = std::env::var_os("PATH") else { return Ok(()) };
    let mut worst = Errno::NOENT.into();
    for folder in std::env::split_paths(&path) {
        match runs(&folder.join(program)) {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => worst = error,
            Err(_) => {}
        }
    }
    Err(worst)
}

/// What a shell ends with too: 127 for what is not there, 126 for what cannot be run.
fn cannot_run(program: &OsStr, error: &io::Error) -> Failure {
    let shown = plain(&program.to_string_lossy());
    let code = if error.kind() == io::ErrorKind::NotFound { 127 } else { 126 };
    Failure { code, ..Failure::refused(format!("cannot run '{shown}': {error}")) }
}

/// Our stdout or stderr, and whether somebody writes to it.
struct Shown {
    out: Box<dyn Write + Send>,
    showing: Arc<AtomicUsize>,
}

impl Write for Shown {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.showing.fetch_add(1, Ordering::AcqRel);
        let written = self.out.write(bytes);
        self.showing.fetch_sub(1, Ordering::AcqRel);
        written
    }

    fn flush(&mut self) -> io::Result<()> {
        self.showing.fetch_add(1, Ordering::AcqRel);
        let flushed = self.out.flush();
        self.showing.fetch_sub(1, Ordering::AcqRel);
        flushed
    }
}

/// The signals that mean something to the command only.
struct Others {
    quit: Listener,
    user1: Listener,
    user2: Listener,
}

impl Others {
    fn listen() -> Result<Others, Failure> {
        let listen = |kind| {
            signal(kind).map_err(|error| Failure::refused(format!("cannot wait for signals: {error}")))
        };
        Ok(Others {
            quit: listen(SignalKind::quit())?,
            user1: listen(SignalKind::user_defined1())?,
            user2: listen(SignalKind::user_defined2())?,
        })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.quit.recv() => Signal::QUIT,
            _ = self.user1.recv() => Signal::USR1,
            _ = self.user2.recv() => Signal::USR2,
        }
    }
}

/// Passes a signal on. What a terminal sends by a key reaches the command without us: it is of our group.
fn pass(pid: Pid, signal: Signal) {
    let by_key = matches!(signal, Signal::INT | Signal::QUIT);
    if by_key && in_foreground() {
        return;
    }
    // It may have ended just now.
    let _ = kill_process(pid, signal);
}

fn in_foreground() -> bool {
    let Ok(terminal) = File::open("/dev/tty") else { return false };
    rustix::termios::tcgetpgrp(&terminal).is_ok_and(|group| group == rustix::process::getpgrp())
}

//! The real program: started on a free port in a test's folder, known by what it prints, ended by its handle.
//!
//! stdout must be the page URL and the stream URL; stderr is kept and printed with the command if the test fails.

use super::{DEADLINE, Place, wait_for};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

/// The program under test.
pub(crate) const LOGCAST: &str = env!("CARGO_BIN_EXE_logcast");

/// A program that serves.
pub(crate) struct Server {
    child: Child,
    words: Vec<OsString>,
    folder: std::path::PathBuf,
    stderr: Arc<Mutex<Vec<u8>>>,
    /// The first line of stdout.
    pub(crate) page: String,
    /// The second line of stdout.
    pub(crate) stream: String,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// Its standard input, where the test asked for a pipe.
    pub(crate) stdin: Option<ChildStdin>,
}

impl Server {
    /// `logcast serve ARGS --port 0` in the folder.
    #[track_caller]
    pub(crate) fn start(place: &Place, args: &[&str]) -> Server {
        let mut words: Vec<&str> = vec![LOGCAST, "serve"];
        words.extend(args);
        words.extend(["--port", "0"]);
        Server::launch(place, &words, Stdio::null())
    }

    /// The same with a pipe for standard input.
    #[track_caller]
    pub(crate) fn start_with_stdin(place: &Place, args: &[&str]) -> Server {
        let mut words: Vec<&str> = vec![LOGCAST, "serve"];
        words.extend(args);
        words.extend(["--port", "0"]);
        Server::launch(place, &words, Stdio::piped())
    }

    /// Any command that becomes or holds a server.
    #[track_caller]
    pub(crate) fn launch<S: AsRef<OsStr>>(place: &Place, words: &[S], stdin: Stdio) -> Server {
        let words = words.iter().map(|word| word.as_ref().to_owned()).collect();
        Server::spawn(words, place.root().to_owned(), stdin)
    }

    #[track_caller]
    fn spawn(words: Vec<OsString>, folder: std::path::PathBuf, stdin: Stdio) -> Server {
        let mut child = command(&words, &folder)
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {words:?}: {error}"));
        let stderr = keep(child.stderr.take().expect("piped"));
        let lines = lines_of(child.stdout.take().expect("piped"));
        let stdin = child.stdin.take();
        let address = SocketAddr::from(([127, 0, 0, 1], 0));
        let (page, stream) = (String::new(), String::new());
        let mut server = Server { child, words, folder, stderr, page, stream, address, stdin };
        // A failed start panics in here with the server in hand, so that Drop tells the command and stderr.
        server.page = lines.recv_timeout(DEADLINE).expect("the page's URL on stdout");
        server.stream = lines.recv_timeout(DEADLINE).expect("the stream's URL on stdout");
        let rest = server.page.split_once("://").expect("a URL").1.trim_end_matches('/');
        let host = rest.split('/').next().expect("a host");
        server.address = host.parse().expect("an address and a port");
        server
    }

    /// The process id.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("a signal to a living child");
    }

    /// Stops it in its tracks, and waits until the kernel says so.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
        let stat = format!("/proc/{}/stat", self.child.id());
        wait_for("the server to stand still", || {
            let stat = fs::read_to_string(&stat).ok()?;
            stat.rsplit_once(')')?.1.trim_start().starts_with('T').then_some(())
        });
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("a child to kill");
        self.child.wait().expect("a child to reap");
    }

    /// Sends a signal and waits for the end.
    pub(crate) fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.wait()
    }

    /// Waits for the end.
    pub(crate) fn wait(&mut self) -> ExitStatus {
        wait_for("the program to end", || self.child.try_wait().expect("a child"))
    }

    /// Whether it still runs.
    pub(crate) fn alive(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Starts the same command again on the same port; it has to have ended.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        assert!(!self.alive(), "restart of a living server");
        let mut words = self.words.clone();
        let place = words.iter().position(|word| word == "--port").expect("a port");
        words[place + 1] = self.address.port().to_string().into();
        *self = Server::spawn(words, self.folder.clone(), Stdio::null());
    }

    /// What it said on stderr so far.
    pub(crate) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().expect("unpoisoned")).into_owned()
    }

    /// The number of open descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        fs::read_dir(format!("/proc/{}/fd", self.child.id())).expect("a living child").count()
    }

    /// The number of inotify watches.
    pub(crate) fn watches(&self) -> usize {
        let infos = fs::read_dir(format!("/proc/{}/fdinfo", self.child.id())).expect("a living child");
        let texts = infos.flatten().filter_map(|entry| fs::read_to_string(entry.path()).ok());
        texts.map(|text| text.lines().filter(|line| line.starts_with("inotify")).count()).sum()
    }

    /// Resident memory in bytes: `VmRSS` (now) or `VmHWM` (the most so far).
    pub(crate) fn memory(&self, field: &str) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a living child");
        let line = status.lines().find(|line| line.starts_with(field)).expect(field);
        let kib: u64 = line.split_whitespace().nth(1).expect("a value").parse().expect("a number");
        kib * 1024
    }

    /// Processor time used so far, in clock ticks (a hundredth of a second).
    pub(crate) fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.child.id())).expect("a living child");
        let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
        fields[11].parse::<u64>().expect("utime") + fields[12].parse::<u64>().expect("stime")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- command {:?} in {}", self.words, self.folder.display());
            eprintln!("--- its stderr:\n{}", self.stderr());
        }
    }
}

/// What a command that ends by itself gave.
pub(crate) struct Outcome {
    /// The exit status; `None` if a signal ended it.
    pub(crate) code: Option<i32>,
    /// All of stdout.
    pub(crate) stdout: String,
    /// All of stderr.
    pub(crate) stderr: String,
}

/// Runs a command in the folder to its end.
#[track_caller]
pub(crate) fn run<S: AsRef<OsStr>>(place: &Place, words: &[S]) -> Outcome {
    let words: Vec<OsString> = words.iter().map(|word| word.as_ref().to_owned()).collect();
    let mut child = command(&words, place.root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("cannot start {words:?}: {error}"));
    let stdout = keep(child.stdout.take().expect("piped"));
    let stderr = keep(child.stderr.take().expect("piped"));
    let end = std::time::Instant::now() + DEADLINE;
    let status = loop {
        if let Some(status) = child.try_wait().expect("a child") {
            break status;
        }
        if std::time::Instant::now() > end {
            child.kill().expect("a child to kill");
            child.wait().expect("a child to reap");
            panic!("{words:?} did not end");
        }
        std::thread::sleep(super::LOOK);
    };
    let all = |kept: Arc<Mutex<Vec<u8>>>| {
        // The reader ends with the pipe and lets go of its half.
        wait_for("the end of the output", || (Arc::strong_count(&kept) == 1).then_some(()));
        String::from_utf8_lossy(&kept.lock().expect("unpoisoned")).into_owned()
    };
    Outcome { code: status.code(), stdout: all(stdout), stderr: all(stderr) }
}

fn command(words: &[OsString], folder: &std::path::Path) -> Command {
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]).current_dir(folder);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("LOGCAST_") && !text.starts_with("LOGCAST_TEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// Collects everything from a pipe.
fn keep(mut pipe: impl Read + Send + 'static) -> Arc<Mutex<Vec<u8>>> {
    let kept = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&kept);
    std::thread::spawn(move || {
        let mut block = [0; 4096];
        while let Ok(len @ 1..) = pipe.read(&mut block) {
            into.lock().expect("unpoisoned").extend_from_slice(&block[..len]);
        }
    });
    kept
}

/// The lines of a pipe, as they come.
fn lines_of(pipe: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            // The test may be over, the pipe is read on all the same: the program must not be held up.
            let _ = sender.send(line);
        }
    });
    receiver
}

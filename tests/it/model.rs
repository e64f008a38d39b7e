//! The model test: a program writes numbered lines, the world misbehaves at random, and a client that is cut and
//! comes back ends with every line once and in order.
//!
//! The model is small: which lines were written, in which life of the file, and which of them may be gone because
//! nobody was given a chance to read them. Seeds are printed; `LOGCAST_MODEL_SEEDS=FROM..TO` runs others; a seed
//! that once failed stays in [`FAILED_ONCE`].
//!
//! Between two steps the server is given [`CALM`] to look, unless it is stopped: several steps between two looks
//! are what `Stop` and `Continue` play. `LOGCAST_MODEL_WILD=1` leaves that out, so that names and contents
//! change in the very moment in which they are looked at; that is not run by default.

// Seeds and steps are for the person who reads a failure.
#![allow(clippy::print_stdout)]

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const DEFAULT_SEEDS: std::ops::Range<u64> = 0..48;
const REDACTED_SEEDS: std::ops::Range<u64> = 100..124;
/// What a line of the model shows where it is redacted.
const SHOWN: &str = "token=[redacted:token] ";
const FAILED_ONCE: &[u64] = &[];
const STEPS: usize = 28;
const CALM: Duration = Duration::from_millis(30);
/// Sequences mostly wait: many run beside each other.
const PARALLEL: usize = 6;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Op {
    Write,
    Partial,
    Rename,
    RenameLate,
    CopyTruncate,
    Compress,
    Truncate,
    Delete,
    Replace,
    Stop,
    Continue,
    Cut,
    Resume,
    Restart,
    Sync,
    Pause,
}

#[derive(Debug)]
enum Event {
    Line(String),
    Notice(String, String),
    End,
}

/// One connection: a thread that reads events; the last id survives it.
struct Connection {
    events: Receiver<(Event, String)>,
    socket: TcpStream,
}

impl Connection {
    fn open(port: u16, id: Option<&str>) -> Connection {
        let mut socket = TcpStream::connect(("127.0.0.1", port)).expect("connect");
        // HTTP/1.0: no chunks to decode.
        let id = id.map_or(String::new(), |id| format!("Last-Event-ID: {id}\r\n"));
        write!(socket, "GET /stream-logs?lines=all HTTP/1.0\r\nHost: localhost\r\n{id}\r\n")
            .expect("request");
        let (out, events) = channel();
        let reader = socket.try_clone().expect("clone");
        std::thread::spawn(move || {
            let mut lines = BufReader::new(reader).split(b'\n').map_while(Result::ok);
            let head = lines.by_ref().take_while(|line| line != b"\r").last();
            assert!(head.is_some(), "no response");
            let (mut name, mut data, mut id) = (String::new(), None, String::new());
            for line in lines {
                let line = String::from_utf8(line).expect("the stream is UTF-8");
                if line.is_empty() {
                    if let Some(data) = data.take() {
                        let event = match name.as_str() {
                            "" => Event::Line(data),
                            _ => Event::Notice(name.clone(), data),
                        };
                        if out.send((event, id.clone())).is_err() {
                            return;
                        }
                    }
                    name.clear();
                } else if let Some(value) = line.strip_prefix("data: ") {
                    data = Some(value.to_owned());
                } else if let Some(value) = line.strip_prefix("id: ") {
                    id = value.to_owned();
                } else if let Some(value) = line.strip_prefix("event: ") {
                    name = value.to_owned();
                }
            }
            let _ = out.send((Event::End, id));
        });
        Connection { events, socket }
    }
}

struct World {
    folder: tempfile::TempDir,
    log: String,
    server: Option<(Child, u16)>,
    stopped: bool,
    client: Option<Connection>,
    id: Option<String>,
    writer: Option<File>,
    old_writer: Option<(File, usize)>,
    /// The life that the writer writes into, and the bytes of an unfinished line.
    life: usize,
    partial: String,
    next: usize,
    /// Written lines by text: their life and order.
    written: HashMap<String, (usize, usize)>,
    /// Lines that may be gone, and lines that were cut off in the middle of being written.
    excused: HashSet<String>,
    synced: bool,
    got: Vec<String>,
    gaps: Vec<String>,
    destructive: bool,
    rotated: usize,
    /// Whether the server redacts, and each line holds what it has to replace.
    redacted: bool,
}

impl World {
    fn new(redacted: bool) -> World {
        let folder = tempfile::tempdir().expect("a folder");
        let mut world = World {
            folder,
            log: String::new(),
            server: None,
            stopped: false,
            client: None,
            id: None,
            writer: None,
            old_writer: None,
            life: 0,
            partial: String::new(),
            next: 0,
            written: HashMap::new(),
            excused: HashSet::new(),
            synced: true,
            got: Vec::new(),
            gaps: Vec::new(),
            destructive: false,
            rotated: 0,
            redacted,
        };
        world.reopen();
        world.write_lines(3);
        world.start();
        world.connect();
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn reopen(&mut self) {
        let file = OpenOptions::new().append(true).create(true).open(self.path("app.log")).expect("the log");
        self.writer = Some(file);
    }

    fn start(&mut self) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_logcast"))
            .args(["app.log", "--port", "0"])
            .args(self.redacted.then_some("--redact-secrets"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("the URL");
        let port = line.trim().trim_end_matches('/').rsplit(':').next().and_then(|p| p.parse().ok());
        self.server = Some((child, port.expect("a port")));
    }

    fn kill(&mut self) {
        self.client = None;
        if let Some((mut child, _)) = self.server.take() {
            child.kill().expect("kill");
            child.wait().expect("wait");
        }
        self.stopped = false;
    }

    fn connect(&mut self) {
        let port = self.server.as_ref().expect("a server").1;
        let client = Connection::open(port, self.id.as_deref());
        // What is written from now on is this client's: its place is found when `hello` comes.
        if let Ok((event, id)) = client.events.recv_timeout(Duration::from_secs(10)) {
            self.take(event, id);
        }
        self.client = Some(client);
    }

    fn signal(&self, signal: rustix::process::Signal) {
        let (child, _) = self.server.as_ref().expect("a server");
        let pid = rustix::process::Pid::from_child(child);
        rustix::process::kill_process(pid, signal).expect("signal");
    }

    /// What stands in the file for what is shown.
    fn secret(&self, text: &str) -> String {
        text.replace(SHOWN, &format!("token=s3cret{} ", "4".repeat(self.next % 40)))
    }

    fn put(&mut self, text: &str) {
        let text = self.secret(text);
        self.writer.as_mut().expect("a writer").write_all(text.as_bytes()).expect("write");
        self.synced = false;
    }

    fn note(&mut self, line: String, life: usize) {
        self.written.insert(line, (life, self.next));
        self.next += 1;
    }

    fn line(&self, life: usize) -> String {
        let secret = if self.redacted { SHOWN } else { "" };
        format!("life {life} line {:06} {secret}{}", self.next, "x".repeat(self.next * 7 % 61))
    }

    fn write_lines(&mut self, count: usize) {
        let mut out = String::new();
        for _ in 0..count {
            let rest = if self.partial.is_empty() { self.line(self.life) } else { " the rest".to_owned() };
            let line = format!("{}{rest}", std::mem::take(&mut self.partial));
            let _ = writeln!(out, "{rest}");
            self.note(line, self.life);
        }
        self.put(&out);
    }

    fn write_partial(&mut self) {
        if self.partial.is_empty() {
            let text = format!("life {} part {:06}", self.life, self.next);
            self.put(&text);
            self.partial = text;
        }
    }

    /// The life ends: its unfinished line is a line then.
    fn end_life(&mut self, kept: bool) {
        let partial = std::mem::take(&mut self.partial);
        if !partial.is_empty() {
            if !kept {
                self.excused.insert(partial.clone());
            }
            self.note(partial, self.life);
        }
        if !kept && !self.synced {
            // Nobody was given the time to read these.
            let got: HashSet<&String> = self.got.iter().collect();
            let gone: Vec<String> = self
                .written
                .iter()
                .filter(|(line, (life, _))| *life == self.life && !got.contains(line))
                .map(|(l, _)| l.clone())
                .collect();
            self.excused.extend(gone);
        }
        self.life += 1;
    }

    /// Everything that lies in siblings moves up by one.
    fn shift(&mut self) {
        for n in (1..=self.rotated).rev() {
            for suffix in ["", ".gz"] {
                let from = self.path(&format!("app.log.{n}{suffix}"));
                if from.exists() {
                    fs::rename(from, self.path(&format!("app.log.{}{suffix}", n + 1))).expect("shift");
                }
            }
        }
        self.rotated += 1;
    }

    fn apply(&mut self, op: Op, rng: &mut fastrand::Rng) {
        match op {
            Op::Write => self.write_lines(rng.usize(1..40)),
            Op::Partial => self.write_partial(),
            Op::Rename => {
                self.shift();
                fs::rename(self.path("app.log"), self.path("app.log.1")).expect("rename");
                self.end_life(true);
                self.reopen();
                self.write_lines(rng.usize(0..5));
            }
            Op::RenameLate => {
                // A writer that re-opens late goes on in the old file for a while. A server that began meanwhile
                // never knew that file.
                self.shift();
                fs::rename(self.path("app.log"), self.path("app.log.1")).expect("rename");
                self.write_lines(rng.usize(1..5));
                let old = self.writer.take().expect("a writer");
                let life = self.life;
                self.end_life(true);
                self.reopen();
                self.write_lines(rng.usize(1..5));
                self.old_writer = Some((old, life));
                for _ in 0..rng.usize(0..4) {
                    let line = self.line(life);
                    let text = self.secret(&format!("{line}\n"));
                    let (old, _) = self.old_writer.as_mut().expect("kept");
                    old.write_all(text.as_bytes()).expect("write");
                    self.note(line, life);
                }
            }
            Op::CopyTruncate => {
                self.shift();
                fs::copy(self.path("app.log"), self.path("app.log.1")).expect("copy");
                self.writer.as_ref().expect("a writer").set_len(0).expect("truncate");
                self.end_life(true);
                self.write_lines(rng.usize(0..5));
            }
            Op::Compress => {
                let plain = self.path("app.log.2");
                if plain.exists() {
                    let out = File::create(self.path("app.log.2.gz")).expect("create");
                    let mut gz = flate2::write::GzEncoder::new(out, flate2::Compression::fast());
                    gz.write_all(&fs::read(&plain).expect("read")).expect("compress");
                    gz.finish().expect("compress");
                    let modified = fs::metadata(&plain).and_then(|m| m.modified()).expect("time");
                    File::options()
                        .write(true)
                        .open(self.path("app.log.2.gz"))
                        .and_then(|f| f.set_modified(modified))
                        .expect("time");
                    fs::remove_file(plain).expect("remove");
                }
            }
            Op::Truncate => {
                self.destructive = true;
                self.writer.as_ref().expect("a writer").set_len(0).expect("truncate");
                self.end_life(false);
                self.write_lines(rng.usize(0..5));
            }
            Op::Delete => {
                self.destructive = true;
                fs::remove_file(self.path("app.log")).expect("remove");
                self.end_life(false);
                self.reopen();
                self.write_lines(rng.usize(0..5));
            }
            Op::Replace => {
                self.destructive = true;
                self.end_life(false);
                let new = self.path("new");
                let file = OpenOptions::new().append(true).create(true).open(&new).expect("create");
                self.writer = Some(file);
                self.write_lines(rng.usize(1..30));
                fs::rename(new, self.path("app.log")).expect("rename");
            }
            Op::Stop if self.server.is_some() && !self.stopped => {
                self.signal(rustix::process::Signal::STOP);
                self.stopped = true;
            }
            Op::Continue => self.go_on(),
            Op::Cut => self.cut(),
            Op::Resume => {
                self.go_on();
                if self.server.is_none() {
                    self.start();
                }
                if self.client.is_none() {
                    self.connect();
                }
            }
            Op::Restart => {
                self.cut();
                self.kill();
            }
            Op::Sync => self.sync(),
            Op::Pause => {
                // Gives the events of one moment and the tick a chance to differ.
                std::thread::sleep(Duration::from_millis(rng.u64(0..60)));
            }
            Op::Stop => {}
        }
    }

    fn go_on(&mut self) {
        if self.stopped {
            self.signal(rustix::process::Signal::CONT);
            self.stopped = false;
        }
    }

    /// The connection breaks; what was not read of it is lost with it.
    fn cut(&mut self) {
        if let Some(client) = self.client.take() {
            let _ = client.socket.shutdown(std::net::Shutdown::Both);
            while let Ok((event, id)) = client.events.try_recv() {
                self.take(event, id);
            }
        }
    }

    fn take(&mut self, event: Event, id: String) {
        if std::env::var_os("LOGCAST_MODEL_TRACE").is_some() {
            eprintln!("{event:?} {id}");
        }
        match event {
            Event::Line(line) => self.got.push(line),
            Event::Notice(name, data) if name == "gap" => self.gaps.push(data),
            Event::Notice(..) => {}
            Event::End => return,
        }
        self.id = Some(id);
    }

    /// Reads until every line that must come has come.
    fn sync(&mut self) {
        let Some(client) = self.client.take() else { return };
        if self.stopped {
            self.client = Some(client);
            return;
        }
        let deadline = Instant::now() + Duration::from_secs(20);
        let mut missing: HashSet<String> = {
            let got: HashSet<&String> = self.got.iter().collect();
            self.written
                .keys()
                .filter(|line| !got.contains(line) && !self.excused.contains(*line))
                .cloned()
                .collect()
        };
        while !missing.is_empty() && Instant::now() < deadline && (self.gaps.is_empty() || !self.destructive)
        {
            match client.events.recv_timeout(Duration::from_millis(100)) {
                Ok((event, id)) => {
                    if let Event::Line(line) = &event {
                        missing.remove(line);
                    }
                    self.take(event, id);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        self.synced = missing.is_empty();
        self.client = Some(client);
    }

    fn verdict(&self) -> Result<(), String> {
        let mut seen = HashSet::new();
        let mut order: HashMap<usize, usize> = HashMap::new();
        for line in &self.got {
            if !seen.insert(line) {
                return Err(format!("doubled: {line}"));
            }
            let Some(&(life, number)) = self.written.get(line) else {
                // Of a line that was destroyed, its beginning may have been read before.
                if self.excused.iter().any(|gone| gone.starts_with(line.as_str())) {
                    continue;
                }
                return Err(format!("never written: {line:?}"));
            };
            let last = order.entry(life).or_default();
            if number < *last {
                return Err(format!("out of order: {line}"));
            }
            *last = number;
        }
        if !self.gaps.is_empty() && !self.destructive {
            return Err(format!("a gap where nothing was destroyed: {:?}", self.gaps));
        }
        let mut lost: Vec<_> = self
            .written
            .iter()
            .filter(|(line, _)| !seen.contains(line) && !self.excused.contains(*line))
            .collect();
        lost.sort_by_key(|(_, place)| **place);
        match lost.first() {
            Some((line, _)) if self.gaps.is_empty() => {
                Err(format!("lost {} lines, the first: {line}", lost.len()))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.go_on();
        self.kill();
    }
}

fn choose(rng: &mut fastrand::Rng, destructive: bool) -> Op {
    let mut ops = vec![
        (Op::Write, 10),
        (Op::Partial, 2),
        (Op::Rename, 4),
        (Op::RenameLate, 2),
        (Op::CopyTruncate, 3),
        (Op::Compress, 2),
        (Op::Stop, 2),
        (Op::Continue, 2),
        (Op::Cut, 2),
        (Op::Resume, 4),
        (Op::Restart, 1),
        (Op::Sync, 3),
        (Op::Pause, 4),
    ];
    if destructive {
        ops.extend([(Op::Truncate, 2), (Op::Delete, 2), (Op::Replace, 2)]);
    }
    let mut at = rng.usize(0..ops.iter().map(|(_, weight)| weight).sum());
    for (op, weight) in ops {
        if at < weight {
            return op;
        }
        at -= weight;
    }
    Op::Sync
}

/// Runs one sequence; the log of its steps is the message of its failure.
fn run(seed: u64, redacted: bool) -> Result<(), String> {
    let mut rng = fastrand::Rng::with_seed(seed);
    // Every other sequence destroys nothing, and must be exact without any gap.
    let destructive = seed % 2 == 1;
    let calm = std::env::var_os("LOGCAST_MODEL_WILD").is_none();
    let mut world = World::new(redacted);
    for _ in 0..STEPS {
        let mut op = choose(&mut rng, destructive);
        // What a server that is not there, or a client that is away, cannot be promised.
        let away = world.server.is_none() || world.client.is_none();
        if op == Op::RenameLate && away {
            op = Op::Rename;
        }
        if matches!(op, Op::CopyTruncate | Op::Rename) && !world.partial.is_empty() && away {
            world.write_lines(1);
        }
        // A server that is gone cannot drain: what is still to come in an old file comes first.
        if matches!(op, Op::Restart | Op::Cut) {
            let _ = write!(world.log, " Sync");
            // A cursor in an empty file has no content to prove itself by (README).
            if !world.written.values().any(|(life, _)| *life == world.life) {
                world.write_lines(1);
            }
            world.apply(Op::Continue, &mut rng);
            world.apply(Op::Sync, &mut rng);
        }
        let _ = write!(world.log, " {op:?}");
        if std::env::var_os("LOGCAST_MODEL_TRACE").is_some() {
            eprintln!("--- {op:?}");
        }
        world.apply(op, &mut rng);
        if calm && world.server.is_some() && !world.stopped {
            std::thread::sleep(CALM);
        }
    }
    world.apply(Op::Resume, &mut rng);
    world.write_lines(1);
    world.sync();
    world
        .verdict()
        .map_err(|what| format!("seed {seed}: {what}\n  steps:{}\n  gaps: {:?}", world.log, world.gaps))
}

#[test]
fn every_line_once_and_in_order_whatever_happens() {
    run_all(DEFAULT_SEEDS, false);
}

/// The same where each line holds a secret: cursors prove themselves by what is shown.
#[test]
fn every_line_once_and_in_order_with_its_secret_replaced() {
    run_all(REDACTED_SEEDS, true);
}

fn run_all(default: std::ops::Range<u64>, redacted: bool) {
    let range = match std::env::var("LOGCAST_MODEL_SEEDS") {
        Ok(text) => {
            let (from, to) = text.split_once("..").expect("FROM..TO");
            from.parse().expect("a number")..to.parse().expect("a number")
        }
        Err(_) => default,
    };
    eprintln!("seeds {range:?} and {FAILED_ONCE:?}");
    let seeds: Vec<u64> = FAILED_ONCE.iter().copied().chain(range).collect();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let failures = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..PARALLEL.min(seeds.len()) {
            scope.spawn(|| {
                while let Some(&seed) = seeds.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed)) {
                    let result = std::panic::catch_unwind(|| run(seed, redacted))
                        .unwrap_or_else(|_| Err(format!("seed {seed}: panicked")));
                    if let Err(failure) = result {
                        failures.lock().expect("no panic").push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().expect("no panic");
    assert!(
        failures.is_empty(),
        "{} of {} sequences failed:\n{}",
        failures.len(),
        seeds.len(),
        failures.join("\n")
    );
}

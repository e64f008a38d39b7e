//! The program that ships, and a hand that writes at a pace.

use crate::support::server::LOGCAST;
use crate::support::{DEADLINE, LOOK, Place};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::io::{Read, Write};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// `logcast ship` in a test's folder; the host is called `h`, the state folder is `state`.
pub(super) struct Ship {
    child: Child,
    words: Vec<String>,
    stderr: Arc<Mutex<Vec<u8>>>,
    pub(super) stdin: Option<ChildStdin>,
}

impl Ship {
    #[track_caller]
    pub(super) fn start(place: &Place, url: &str, args: &[&str]) -> Ship {
        Ship::with_stdin(place, url, args, Stdio::null())
    }

    #[track_caller]
    pub(super) fn with_stdin(place: &Place, url: &str, args: &[&str], stdin: Stdio) -> Ship {
        let mut words = vec!["ship".to_owned()];
        words.extend(args.iter().map(|arg| (*arg).to_owned()));
        if !args.contains(&"--host-name") {
            words.extend(["--host-name", "h"].map(str::to_owned));
        }
        words.extend(["--state", "state", "--to", url].map(str::to_owned));
        let mut command = Command::new(LOGCAST);
        command
            .args(&words)
            .current_dir(place.root())
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("LOGCAST_") && !text.starts_with("LOGCAST_TEST_") {
                command.env_remove(name);
            }
        }
        let mut child = command.spawn().expect("a program to start");
        let stderr = Arc::new(Mutex::new(Vec::new()));
        let (mut pipe, into) = (child.stderr.take().expect("piped"), stderr.clone());
        std::thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(n @ 1..) = pipe.read(&mut block) {
                into.lock().expect("unpoisoned").extend_from_slice(&block[..n]);
            }
        });
        let stdin = child.stdin.take();
        Ship { child, words, stderr, stdin }
    }

    pub(super) fn stderr(&self) -> String {
        String::from_utf8_lossy(&self.stderr.lock().expect("unpoisoned")).into_owned()
    }

    /// Waits until it says something.
    #[track_caller]
    pub(super) fn until_said(&self, words: &str) {
        self.until(&format!("the words {words:?}"), || self.stderr().contains(words));
    }

    /// Waits for a fact.
    #[track_caller]
    pub(super) fn until(&self, what: &str, fact: impl Fn() -> bool) {
        let end = Instant::now() + 3 * DEADLINE;
        while !fact() {
            assert!(Instant::now() < end, "waited for {what}; it said: {}", self.stderr());
            std::thread::sleep(LOOK);
        }
    }

    pub(super) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("a signal to a living child");
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) {
        self.child.kill().expect("a child to kill");
        self.child.wait().expect("a child to reap");
    }

    /// SIGTERM, and the end.
    #[track_caller]
    pub(super) fn end(&mut self) -> ExitStatus {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Waits for the end.
    #[track_caller]
    pub(super) fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + 3 * DEADLINE;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                return status;
            }
            assert!(Instant::now() < end, "{:?} did not end: {}", self.words, self.stderr());
            std::thread::sleep(LOOK);
        }
    }

    /// The end, its code, and all that it said.
    #[track_caller]
    pub(super) fn ended(&mut self) -> (Option<i32>, String) {
        let code = self.wait().code();
        let mut stdout = String::new();
        let _ = self.child.stdout.take().expect("piped").read_to_string(&mut stdout);
        assert_eq!(stdout, "", "stdout is for data");
        // What it said last may be on its way through the pipe.
        let end = Instant::now() + DEADLINE;
        while Arc::strong_count(&self.stderr) > 1 && Instant::now() < end {
            std::thread::sleep(LOOK);
        }
        (code, self.stderr())
    }

    /// Whether it still runs.
    pub(super) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// The same for one that may be about to end.
    pub(super) fn memory_or_zero(&self, field: &str) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|line| line.starts_with(field));
        line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
    }

    /// Resident memory in KiB: `VmRSS` (now) or `VmHWM` (the most so far).
    pub(super) fn memory(&self, field: &str) -> u64 {
        let status =
            std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a living child");
        let line = status.lines().find(|line| line.starts_with(field)).expect(field);
        line.split_whitespace().nth(1).expect("a value").parse().expect("a number")
    }
}

impl Drop for Ship {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- logcast {:?} said:\n{}", self.words, self.stderr());
        }
    }
}

/// Ships what there is to its end.
#[track_caller]
pub(super) fn once(place: &Place, url: &str, args: &[&str]) -> (Option<i32>, String) {
    let args: Vec<&str> = args.iter().copied().chain(["--once"]).collect();
    Ship::start(place, url, &args).ended()
}

/// A thread that writes numbered lines at a pace until it is told to stop, or has written so many.
pub(super) struct Pace {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<usize>>,
}

impl Pace {
    /// Writes about so many lines a second; before each block `file` says where to.
    pub(super) fn start(
        lines_a_second: usize,
        most: usize,
        mut file: impl FnMut(usize) -> File + Send + 'static,
    ) -> Pace {
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = stop.clone();
        let thread = std::thread::spawn(move || {
            let (began, mut written) = (Instant::now(), 0);
            while !stopped.load(Ordering::Acquire) && written < most {
                let due = (began.elapsed().as_secs_f64() * lines_a_second as f64) as usize;
                let due = due.min(most).min(written + 20_000);
                if due > written {
                    let block: String = (written..due).map(line).collect();
                    file(written).write_all(block.as_bytes()).expect("a block");
                    written = due;
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            written
        });
        Pace { stop, thread: Some(thread) }
    }

    /// Stops it; gives how many lines were written.
    pub(super) fn stop(mut self) -> usize {
        self.stop.store(true, Ordering::Release);
        self.thread.take().expect("running").join().expect("a writer that did not panic")
    }

    /// Waits until it has written all.
    pub(super) fn finish(mut self) -> usize {
        self.thread.take().expect("running").join().expect("a writer that did not panic")
    }
}

/// A line of about 120 bytes that tells its number.
pub(super) fn line(number: usize) -> String {
    format!(
        "2026-11-27T09:00:00.000Z INFO worker-{:02} handled request number {number:09} for /api/items/{} in 12.3 ms with status 200\n",
        number % 17,
        number * 7 % 9973
    )
}

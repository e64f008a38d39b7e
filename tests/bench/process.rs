//! A child process and what the kernel tells of it: processor time, memory, wake-ups; and the sockets' memory.

use anyhow::{Context, Result, anyhow, bail};
use rustix::process::{Pid, Resource, Rlimit, Signal, getrlimit, kill_process_group, setrlimit};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// How long a child may take to say its next line.
const TALK: Duration = Duration::from_secs(60);

/// A running child; it ends with this handle.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    stdin: Option<ChildStdin>,
}

impl Process {
    /// Starts a command whose standard output is read by line. It leads a process group, so that what it starts
    /// ends with it.
    pub(crate) fn start(command: &mut Command) -> Result<Process> {
        let mut child = command
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {command:?}"))?;
        let stdout = child.stdout.take().context("a pipe")?;
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let stdin = child.stdin.take();
        Ok(Process { child, lines, stdin })
    }

    /// This program in another role.
    pub(crate) fn role(words: &[&str]) -> Result<Process> {
        Process::start(Command::new(std::env::current_exe()?).arg("role").args(words))
    }

    /// The next line of its standard output.
    pub(crate) fn line(&self) -> Result<String> {
        self.lines.recv_timeout(TALK).map_err(|_| anyhow!("a child said nothing, or ended too early"))
    }

    /// A byte on its standard input.
    pub(crate) fn go(&mut self) -> Result<()> {
        self.stdin.as_mut().context("a pipe")?.write_all(b"\n")?;
        Ok(())
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn status(&self) -> Result<String> {
        fs::read_to_string(format!("/proc/{}/status", self.id())).context("a living child")
    }

    /// Processor time so far, of itself and of children that it waited for, in seconds; steps of 10 ms.
    pub(crate) fn cpu_seconds(&self) -> Result<f64> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).context("a living child")?;
        let fields: Vec<&str> = stat.rsplit_once(')').context("a name")?.1.split_whitespace().collect();
        let ticks = fields[11..15].iter().map(|field| field.parse::<f64>()).sum::<Result<f64, _>>()?;
        Ok(ticks / 100.0)
    }

    /// The same with the living processes of its group, for a server that starts others.
    pub(crate) fn group_cpu_seconds(&self) -> Result<f64> {
        let mut ticks = 0.0;
        for entry in fs::read_dir("/proc")?.flatten() {
            let Ok(stat) = fs::read_to_string(entry.path().join("stat")) else { continue };
            let Some((_, rest)) = stat.rsplit_once(')') else { continue };
            let fields: Vec<f64> =
                rest.split_whitespace().skip(1).map(|field| field.parse().unwrap_or(0.0)).collect();
            if fields.get(1) == Some(&f64::from(self.id())) {
                ticks += fields.iter().skip(10).take(4).sum::<f64>();
            }
        }
        Ok(ticks / 100.0)
    }

    /// What each of its living threads has used so far.
    pub(crate) fn threads(&self) -> Result<Threads> {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir(format!("/proc/{}/task", self.id()))? {
            let task = task?;
            // A thread may end between two looks.
            let Ok(sched) = fs::read_to_string(task.path().join("schedstat")) else { continue };
            let Ok(status) = fs::read_to_string(task.path().join("status")) else { continue };
            let ns = sched.split_whitespace().next().unwrap_or_default().parse::<u64>().unwrap_or(0);
            let sleeps = field(&status, "voluntary_ctxt_switches:").unwrap_or(0);
            threads.insert(task.file_name(), (ns, sleeps));
        }
        Ok(Threads(threads))
    }

    /// Resident memory now, in KB.
    pub(crate) fn resident_kb(&self) -> Result<f64> {
        Ok(field(&self.status()?, "VmRSS:").context("VmRSS")? as f64 * 1.024)
    }
}

/// Processor time in nanoseconds, and how often it went to sleep, for each thread.
pub(crate) struct Threads(BTreeMap<OsString, (u64, u64)>);

impl Threads {
    /// Seconds and sleeps since an earlier look, of the threads that live now.
    pub(crate) fn since(&self, before: &Threads) -> (f64, u64) {
        let (mut ns, mut sleeps) = (0, 0);
        for (id, now) in &self.0 {
            let then = before.0.get(id).copied().unwrap_or_default();
            ns += now.0.saturating_sub(then.0);
            sleeps += now.1.saturating_sub(then.1);
        }
        (ns as f64 / 1e9, sleeps)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(group) = Pid::from_raw(self.child.id() as i32) {
            let _ = kill_process_group(group, Signal::KILL);
        }
        let _ = self.child.wait();
    }
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Processor time of all children that have ended and were waited for, in seconds.
pub(crate) fn waited_seconds() -> Result<f64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit_once(')').context("a name")?.1.split_whitespace().collect();
    let ticks = fields[13..15].iter().map(|field| field.parse::<f64>()).sum::<Result<f64, _>>()?;
    Ok(ticks / 100.0)
}

/// Kernel memory of all TCP sockets of this machine, in KB: both ends of our connections.
pub(crate) fn sockets_kb() -> Result<f64> {
    let text = fs::read_to_string("/proc/net/sockstat")?;
    let line = text.lines().find(|line| line.starts_with("TCP:")).context("TCP in sockstat")?;
    let pages: f64 = line.rsplit(' ').next().unwrap_or_default().parse()?;
    Ok(pages * 4.096)
}

/// Kernel memory of the sockets of a server's port, its own end of each connection, in KB; `None` without `ss`.
pub(crate) fn server_sockets_kb(port: u16) -> Result<Option<f64>> {
    let filter = format!("sport = :{port}");
    let Ok(output) = Command::new("ss").args(["-tmnH", "state", "established", &filter]).output() else {
        return Ok(None);
    };
    if !output.status.success() {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let mut bytes = 0;
    for memory in text.split("skmem:(").skip(1) {
        // r and w are what is queued, f is what is reserved beyond it (man ss).
        for part in memory.split(')').next().unwrap_or_default().split(',') {
            let digits = part.trim_start_matches(char::is_alphabetic);
            if matches!(part.strip_suffix(digits), Some("r" | "w" | "f")) {
                bytes += digits.parse::<u64>().unwrap_or(0);
            }
        }
    }
    Ok(Some(bytes as f64 / 1e3))
}

/// Thousands of connections need as many descriptors; children inherit the limit.
pub(crate) fn raise_descriptor_limit() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum })?;
    if limit.maximum.is_some_and(|maximum| maximum < 6_000) {
        bail!("5,000 clients need 6,000 descriptors: raise the hard limit (ulimit -Hn)");
    }
    Ok(())
}

//! `logcast generate`: write sample logs to a file or to standard output, at a rate, and rotate them if wished.
//!
//! A signal ends it with a complete last line; a reader that went away ends it silently, as `yes | head` does.

use super::{Failure, plain};
use crate::generate::clock::Clock;
use crate::generate::{Generator, Recipe};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// What is gathered before it is written, in bytes.
const BUFFER: usize = 256 << 10;
/// How often a slow writer writes; a faster rate is met by several lines at once.
const SLICE: Duration = Duration::from_millis(2);

/// How a log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotate {
    /// Rename it and begin a new file; the last lines still go to the old one.
    Rename,
    /// Copy it and cut it.
    CopyTruncate,
    /// Cut it.
    Truncate,
}

/// What to write, where and how fast.
#[derive(Debug)]
pub struct Options {
    /// The lines.
    pub recipe: Recipe,
    /// Their time.
    pub clock: Clock,
    /// The file, appended to; `None` is standard output.
    pub file: Option<PathBuf>,
    /// Lines a second; 0 is as fast as it can.
    pub rate: f64,
    /// How many lines.
    pub count: Option<u64>,
    /// How many bytes, to the next line's end.
    pub size: Option<u64>,
    /// How to rotate, and after how many lines.
    pub rotate: Option<(Rotate, u64)>,
    /// How many rotated files to keep.
    pub keep: u32,
    /// Whether to show no progress.
    pub quiet: bool,
}

/// Writes until all is written or a signal comes.
///
/// # Errors
/// What the system says to opening, writing or rotating.
pub fn run(options: Options) -> Result<(), Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::refused(format!("cannot start: {error}")))?;
    let stopped = stop.clone();
    // The signals are waited for on a thread of their own: writing is blocking code.
    std::thread::spawn(move || {
        runtime.block_on(async {
            use tokio::signal::unix::{SignalKind, signal};
            let (Ok(mut interrupt), Ok(mut terminate)) =
                (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
            else {
                return;
            };
            tokio::select! { _ = interrupt.recv() => {}, _ = terminate.recv() => {} }
            stopped.store(true, Ordering::Release);
        });
    });
    let name = options.file.as_ref().map_or("stdout".to_owned(), |path| plain(&path.to_string_lossy()));
    match Writer::open(options).and_then(|mut writer| writer.run(&stop)) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::refused(format!("cannot write to '{name}': {error}"))),
        Ok(()) => Ok(()),
    }
}

struct Writer {
    options: Options,
    out: Box<dyn Write>,
    lines: u64,
    bytes: u64,
    bar: ProgressBar,
}

impl Writer {
    fn open(options: Options) -> io::Result<Writer> {
        let out: Box<dyn Write> = match &options.file {
            Some(path) => Box::new(append(path)?),
            None => Box::new(io::stdout()),
        };
        let bar = progress(&options);
        Ok(Writer { options, out, lines: 0, bytes: 0, bar })
    }

    fn run(&mut self, stop: &AtomicBool) -> io::Result<()> {
        let mut generator = Generator::new(
            self.options.recipe.clone(),
            std::mem::replace(&mut self.options.clock, Clock::now()),
        );
        let mut buf = Vec::with_capacity(BUFFER + 8192);
        let began = Instant::now();
        let mut since_rotation = 0;
        while !stop.load(Ordering::Acquire) && !self.is_done() {
            let due = match self.options.rate {
                rate if rate > 0.0 => (began.elapsed().as_secs_f64() * rate) as u64 + 1,
                _ => u64::MAX,
            };
            let until =
                self.options.rotate.map_or(u64::MAX, |(_, every)| self.lines + (every - since_rotation));
            let before = self.lines;
            while self.lines < due.min(until) && buf.len() < BUFFER && !self.is_done() {
                let start = buf.len();
                generator.push(&mut buf);
                self.lines += 1;
                self.bytes += (buf.len() - start) as u64;
            }
            self.out.write_all(&buf)?;
            buf.clear();
            since_rotation += self.lines - before;
            self.bar.set_position(if self.options.count.is_some() { self.lines } else { self.bytes });
            if let Some((how, every)) = self.options.rotate
                && since_rotation >= every
            {
                self.rotate(how, &mut generator)?;
                since_rotation = 0;
            }
            if self.lines >= due {
                self.out.flush()?;
                let next = Duration::from_secs_f64(self.lines as f64 / self.options.rate);
                self.sleep(next.saturating_sub(began.elapsed()).max(SLICE), stop);
            }
        }
        self.out.flush()?;
        self.bar.finish_and_clear();
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.options.count.is_some_and(|count| self.lines >= count)
            || self.options.size.is_some_and(|size| self.bytes >= size)
    }

    /// Sleeps in short pieces, so that a signal ends it soon.
    fn sleep(&self, time: Duration, stop: &AtomicBool) {
        let until = Instant::now() + time;
        while !stop.load(Ordering::Acquire) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
    }

    fn rotate(&mut self, how: Rotate, generator: &mut Generator) -> io::Result<()> {
        let Some(path) = self.options.file.clone() else { return Ok(()) };
        self.out.flush()?;
        if how != Rotate::Truncate {
            shift(&path, self.options.keep)?;
        }
        let first = numbered(&path, 1);
        match how {
            Rotate::Rename => {
                std::fs::rename(&path, &first)?;
                // A daemon that has not re-opened its log yet writes on into the old file.
                if !self.is_done() {
                    let mut late = Vec::new();
                    generator.push(&mut late);
                    self.out.write_all(&late)?;
                    self.out.flush()?;
                    self.lines += 1;
                    self.bytes += late.len() as u64;
                }
                self.out = Box::new(append(&path)?);
            }
            Rotate::CopyTruncate => {
                std::fs::copy(&path, &first)?;
                OpenOptions::new().write(true).open(&path)?.set_len(0)?;
            }
            Rotate::Truncate => OpenOptions::new().write(true).open(&path)?.set_len(0)?,
        }
        Ok(())
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().append(true).create(true).open(path)
}

fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

/// Moves NAME.1 to NAME.2 and so on; the oldest goes.
fn shift(path: &Path, keep: u32) -> io::Result<()> {
    for number in (1..=keep).rev() {
        let from = numbered(path, number);
        let moved = if number == keep {
            std::fs::remove_file(&from)
        } else {
            std::fs::rename(&from, numbered(path, number + 1))
        };
        match moved {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

fn progress(options: &Options) -> ProgressBar {
    let end = options.count.or(options.size);
    let Some(end) = end.filter(|_| !options.quiet && io::stderr().is_terminal()) else {
        return ProgressBar::hidden();
    };
    let template = match options.count {
        Some(_) => "{bar:30} {human_pos} of {human_len} lines · {per_sec} · {eta}",
        None => "{bar:30} {bytes} of {total_bytes} · {bytes_per_sec} · {eta}",
    };
    let bar = ProgressBar::with_draw_target(Some(end), ProgressDrawTarget::stderr_with_hz(10));
    bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}

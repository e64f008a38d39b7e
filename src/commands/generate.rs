//! `logcast generate`: write sample logs to a file or to standard output, at a rate, and rotate them if wished.
//!
//! A signal ends it with a complete last line; a reader that went away ends it silently, as `yes | head` does. A
//! numbered log that is there already goes on with the next number.

use super::stop::Stop;
use super::{Failure, plain};
use crate::generate::clock::Clock;
use crate::generate::{Generator, Numbered, Recipe};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::fs::{File, OpenOptions};
use std::io::{self, IsTerminal, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// What is gathered before it is written, in bytes.
const BUFFER: usize = 256 << 10;
/// The shortest sleep; a faster rate is met by several lines at once.
const SLICE: Duration = Duration::from_millis(2);
/// A writer that is further behind its rate (it was stopped, the disk was slow) does not catch up.
const BEHIND: Duration = Duration::from_secs(1);
/// How many lines a renamed file still gets before the new one is opened, as from a daemon that was not told yet.
const LATE: u64 = 3;
/// How much of an existing file's end is read for the number of its last line.
const LAST: u64 = 64 << 10;

/// How a log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotate {
    /// Rename it and begin a new file; some lines still go to the old one. Every other time the new file is there
    /// before they are written, as `create` of logrotate has it.
    Rename,
    /// Copy it and cut it.
    CopyTruncate,
    /// Cut it.
    Truncate,
}

/// When a log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// After so many lines.
    Lines(u64),
    /// With the line that reaches so many bytes.
    Bytes(u64),
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
    /// How to rotate, and when.
    pub rotate: Option<(Rotate, Every)>,
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
    let name = options.file.as_ref().map_or("stdout".to_owned(), |path| plain(&path.to_string_lossy()));
    if let Some(path) = &options.file {
        check_path(path, &name, options.rotate.is_some())?;
    }
    let stop = Stop::listen(0)?;
    match Writer::open(options).and_then(|mut writer| writer.run(&stop)) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error) => Err(Failure::refused(format!("cannot write to '{name}': {error}"))),
        Ok(()) => Ok(()),
    }
}

fn check_path(path: &Path, shown: &str, rotates: bool) -> Result<(), Failure> {
    let Ok(meta) = std::fs::metadata(path) else { return Ok(()) };
    if meta.is_dir() {
        let help = format!("logcast generate '{}/app.log'", shown.trim_end_matches('/'));
        return Err(Failure::usage(format!("cannot write to '{shown}': it is a folder")).help(help));
    }
    match rotates && !meta.is_file() {
        true => Err(Failure::usage(format!("cannot rotate '{shown}': it is no regular file"))),
        false => Ok(()),
    }
}

/// How many records may have been written by now.
struct Pace {
    rate: f64,
    began: Instant,
    records: u64,
}

impl Pace {
    fn due(&self) -> u64 {
        match self.rate > 0.0 {
            true => (self.began.elapsed().as_secs_f64() * self.rate) as u64 + 1,
            false => u64::MAX,
        }
    }

    /// The time until the next record is due.
    fn wait(&mut self) -> Duration {
        let at = Duration::try_from_secs_f64(self.records as f64 / self.rate).unwrap_or(Duration::MAX);
        let gone = self.began.elapsed();
        if let Some(behind) = gone.checked_sub(at)
            && behind > BEHIND
        {
            self.began += behind;
        }
        at.saturating_sub(gone).max(SLICE)
    }
}

struct Writer {
    options: Options,
    generator: Generator,
    out: Box<dyn Write>,
    lines: u64,
    bytes: u64,
    /// Lines and bytes since the last rotation or re-opening.
    since: (u64, u64),
    /// Whether the file was renamed and is still written to.
    late: bool,
    rotations: u64,
    bar: ProgressBar,
}

impl Writer {
    fn open(mut options: Options) -> io::Result<Writer> {
        let mut number = 0;
        let out: Box<dyn Write> = match &options.file {
            Some(path) => {
                let mut file = append(path)?;
                if options.recipe.sequence && file.metadata()?.is_file() {
                    number = go_on(path, &mut file)?;
                }
                Box::new(file)
            }
            None => Box::new(io::stdout()),
        };
        let bar = progress(&options);
        let clock = std::mem::replace(&mut options.clock, Clock::now());
        let generator = Generator::new(options.recipe.clone(), clock, number);
        let (since, late) = ((0, 0), false);
        Ok(Writer { options, generator, out, lines: 0, bytes: 0, since, late, rotations: 0, bar })
    }

    fn run(&mut self, stop: &Stop) -> io::Result<()> {
        let mut buf = Vec::with_capacity(BUFFER + 8192);
        let mut pace = Pace { rate: self.options.rate, began: Instant::now(), records: 0 };
        while !stop.is_set() && !self.is_done() {
            let due = pace.due();
            self.generator.waited();
            // Every buffer ends with a line, so that every end does.
            while buf.len() < BUFFER
                && !self.is_done()
                && !self.is_rotation()
                && (self.generator.is_inside() || pace.records < due)
            {
                pace.records += u64::from(!self.generator.is_inside());
                let start = buf.len();
                self.generator.push(&mut buf);
                let len = (buf.len() - start) as u64;
                self.lines += 1;
                self.bytes += len;
                self.since = (self.since.0 + 1, self.since.1 + len);
            }
            self.out.write_all(&buf)?;
            buf.clear();
            self.bar.set_position(if self.options.count.is_some() { self.lines } else { self.bytes });
            if self.is_rotation() {
                self.rotate()?;
            }
            if pace.records >= due && !self.generator.is_inside() {
                self.out.flush()?;
                if !self.is_done() {
                    stop.wait(pace.wait());
                }
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

    fn is_rotation(&self) -> bool {
        match self.options.rotate {
            None => false,
            Some(_) if self.late => self.since.0 >= LATE,
            Some((_, Every::Lines(lines))) => self.since.0 >= lines,
            Some((_, Every::Bytes(bytes))) => self.since.1 >= bytes,
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        let (Some(path), Some((how, _))) = (self.options.file.clone(), self.options.rotate) else {
            return Ok(());
        };
        self.since = (0, 0);
        if std::mem::take(&mut self.late) {
            self.out = Box::new(append(&path)?);
            return Ok(());
        }
        if how != Rotate::Truncate {
            shift(&path, self.options.keep)?;
        }
        let first = numbered(&path, 1);
        match how {
            Rotate::Rename => {
                std::fs::rename(&path, &first)?;
                if self.rotations % 2 == 1 {
                    append(&path)?;
                }
                self.late = true;
            }
            Rotate::CopyTruncate => {
                std::fs::copy(&path, &first)?;
                OpenOptions::new().write(true).open(&path)?.set_len(0)?;
            }
            Rotate::Truncate => OpenOptions::new().write(true).open(&path)?.set_len(0)?,
        }
        self.rotations += 1;
        Ok(())
    }
}

/// The number after the last one in the file, or in the one that was rotated away from it. A last line that was
/// left unfinished gets its end, so that it spoils no other.
fn go_on(path: &Path, file: &mut File) -> io::Result<u64> {
    let text = end_of(path)?;
    if text.last().is_some_and(|&byte| byte != b'\n') {
        file.write_all(b"\n")?;
    }
    let text = match text.is_empty() {
        true => end_of(&numbered(path, 1)).unwrap_or_default(),
        false => text,
    };
    let last = text.rsplit(|&byte| byte == b'\n').find_map(|line| match Numbered::parse(line) {
        Numbered::Intact(number) => number.checked_add(1),
        _ => None,
    });
    Ok(last.unwrap_or(0))
}

fn end_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = File::open(path)?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(LAST)))?;
    let mut text = Vec::new();
    file.take(LAST).read_to_end(&mut text)?;
    Ok(text)
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

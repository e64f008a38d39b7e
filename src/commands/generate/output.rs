//! Where lines go: standard output or a file, its buffer, its numbers and its rotation.

use super::super::{Failure, out, plain};
use crate::generate::{Generator, Lane, Numbered};
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How many lines a file gets after it was renamed, as from a daemon that was not told yet. They are the last ones of
/// those that it is to hold, and fewer where it holds no more.
const LATE: u64 = 3;
/// How much of an existing file's end is read for the number of its last line: the longest line fits in.
const LAST: u64 = 4 << 20;

/// How a log is rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotate {
    /// Rename it and begin a new file; its last lines go to it under its new name. Every other time the new file is
    /// there before they are written, as `create` of logrotate has it.
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

/// How, when, and how many old files are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rotation {
    /// How.
    pub how: Rotate,
    /// When.
    pub every: Every,
    /// How many old files are kept.
    pub keep: u32,
}

/// Which of several files the next record goes to: the second gets half of what the first gets, the third a third.
pub(super) fn spread(files: usize, generator: &mut Generator) -> usize {
    let weight = |file: usize| 5040 / (file as u32 + 1);
    let mut place = generator.pick((0..files).map(weight).sum());
    (0..files)
        .find(|&file| {
            let is_here = place < weight(file);
            place = place.saturating_sub(weight(file));
            is_here
        })
        .unwrap_or(0)
}

/// A place for lines.
pub(super) struct Output {
    path: Option<PathBuf>,
    out: Box<dyn Write>,
    /// All buffers together hold `BUFFER` and a line.
    buf: Vec<u8>,
    lane: Lane,
    /// Lines and bytes since the last rotation or re-opening.
    since: (u64, u64),
    /// Whether the file was renamed and is still written to.
    late: bool,
    rotations: u64,
}

impl Output {
    /// Standard output.
    ///
    /// # Errors
    /// If it is closed.
    pub(super) fn stdout() -> Result<Output, Failure> {
        Ok(Output::new(None, Box::new(out::stdout()?), Lane::default()))
    }

    /// A file, appended to.
    pub(super) fn open(path: PathBuf, mut lane: Lane, sequence: bool) -> Result<Output, Failure> {
        let opened = append(&path).and_then(|mut file| {
            if sequence && file.metadata()?.is_file() {
                lane.number = go_on(&path, &mut file)?;
            }
            Ok(file)
        });
        match opened {
            Ok(file) => Ok(Output::new(Some(path), Box::new(file), lane)),
            Err(error) => Err(refused(&path, &error)),
        }
    }

    fn new(path: Option<PathBuf>, out: Box<dyn Write>, lane: Lane) -> Output {
        Output { path, out, buf: Vec::new(), lane, since: (0, 0), late: false, rotations: 0 }
    }

    /// What it is called.
    pub(super) fn name(&self) -> String {
        self.path.as_ref().map_or("stdout".to_owned(), |path| plain(&path.to_string_lossy()))
    }

    /// Takes the next line and gives its length.
    #[inline]
    pub(super) fn push(&mut self, generator: &mut Generator) -> u64 {
        let start = self.buf.len();
        generator.push(&mut self.buf, &mut self.lane);
        let len = (self.buf.len() - start) as u64;
        self.since = (self.since.0 + 1, self.since.1 + len);
        len
    }

    /// Writes what was gathered.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.buf.is_empty() {
            return Ok(());
        }
        self.out.write_all(&self.buf)?;
        self.buf.clear();
        self.out.flush()
    }

    /// Whether it is time to rotate: to give the file its new name, or to begin the next one.
    pub(super) fn is_due(&self, rotation: Rotation) -> bool {
        let (lines, bytes) = self.since;
        // A file is renamed before it is full.
        let late = if self.late || rotation.how != Rotate::Rename { 0 } else { LATE };
        match rotation.every {
            Every::Lines(every) => lines >= every.saturating_sub(late).max(1),
            // How long the next lines are nobody knows.
            Every::Bytes(every) => bytes + late * (bytes / lines.max(1)) >= every,
        }
    }

    /// Rotates, or opens the new file after the late lines.
    pub(super) fn rotate(&mut self, rotation: Rotation) -> io::Result<()> {
        self.flush()?;
        let Some(path) = self.path.clone() else { return Ok(()) };
        if std::mem::take(&mut self.late) {
            self.since = (0, 0);
            self.out = Box::new(append(&path)?);
            return Ok(());
        }
        if rotation.how != Rotate::Truncate {
            shift(&path, rotation.keep)?;
        }
        let first = numbered(&path, 1);
        match rotation.how {
            Rotate::Rename => {
                std::fs::rename(&path, &first)?;
                if self.rotations % 2 == 1 {
                    append(&path)?;
                }
                self.late = true;
                self.rotations += 1;
                return Ok(());
            }
            Rotate::CopyTruncate => {
                std::fs::copy(&path, &first)?;
                OpenOptions::new().write(true).open(&path)?.set_len(0)?;
            }
            Rotate::Truncate => OpenOptions::new().write(true).open(&path)?.set_len(0)?,
        }
        self.since = (0, 0);
        self.rotations += 1;
        Ok(())
    }
}

fn refused(path: &Path, error: &io::Error) -> Failure {
    let failure = Failure::refused(format!("cannot write to '{}': {error}", plain(&path.to_string_lossy())));
    match (error.kind(), path.parent()) {
        (io::ErrorKind::NotFound, Some(folder)) => {
            failure.help(format!("mkdir -p '{}'", plain(&folder.to_string_lossy())))
        }
        _ => failure,
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

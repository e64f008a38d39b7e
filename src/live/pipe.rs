//! Pipes: standard input, FIFOs and what compressed files hold, copied into a spool by a thread of their own.
//!
//! The pipe's writer waits for nothing but the disk. The spool is then a file like any other; the thread only
//! moves its start when the oldest lines are given up, and rings the follower's bell.

use super::watch::Bell;
use crate::log::decode::{codec_of, decoder};
use crate::log::logfile::LogFile;
use crate::log::redact::Redact;
use crate::log::segment::Segment;
use crate::log::spool::Spool;
use std::collections::VecDeque;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

/// How much is read from the pipe at once: what a Linux pipe holds.
const READ_BYTES: usize = 64 << 10;

/// What the thread has done so far.
#[derive(Debug, Default)]
pub struct Progress {
    ended: AtomicBool,
    dropped: AtomicU64,
    failed: OnceLock<String>,
    /// The lives that it began, those that the follower has not taken yet.
    begun: Mutex<VecDeque<Arc<Segment>>>,
    /// What is to be said behind what was written: a name and members. The writer waits for it.
    notice: Mutex<Option<(&'static str, String)>>,
    said: Condvar,
}

impl Progress {
    /// Whether the pipe has no writer any more and all of it is spooled.
    pub fn ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }

    /// Takes the number of bytes that could not be spooled since the last time.
    pub fn take_dropped(&self) -> u64 {
        self.dropped.swap(0, Ordering::AcqRel)
    }

    /// Says with what it begins, or goes on.
    pub(super) fn begin(&self, segment: Arc<Segment>) {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).push_back(segment);
    }

    /// Takes the next life.
    pub(super) fn take_begun(&self) -> Option<Arc<Segment>> {
        self.begun.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }

    /// Hands the follower a notice, and waits until it was taken.
    pub(super) fn say(&self, name: &'static str, more: String, bell: &Bell, at_most: Duration) {
        let mut notice = self.notice.lock().unwrap_or_else(PoisonError::into_inner);
        *notice = Some((name, more));
        bell.ring();
        drop(self.said.wait_timeout_while(notice, at_most, |notice| notice.is_some()));
    }

    /// Whether there is a notice to be said now.
    pub(super) fn has_notice(&self) -> bool {
        self.notice.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Takes the notice that is to be said now.
    pub(super) fn take_notice(&self) -> Option<(&'static str, String)> {
        let taken = self.notice.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.said.notify_all();
        taken
    }

    /// Says that there will be no more.
    pub(super) fn end(&self, why: Option<String>, bell: &Bell) {
        if let Some(why) = why {
            let _ = self.failed.set(why);
        }
        self.ended.store(true, Ordering::Release);
        bell.ring();
    }

    /// Why it ended before its end.
    pub fn failed(&self) -> Option<&str> {
        self.failed.get().map(String::as_str)
    }
}

/// A named pipe, read on when its writers have gone and others come.
#[derive(Debug)]
pub struct Fifo {
    path: PathBuf,
    file: Option<File>,
    /// One that has no name of its own (`<(command)` in a shell) ends with its writer.
    anonymous: bool,
}

impl Fifo {
    /// Opens it, without waiting for a writer.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: PathBuf) -> io::Result<Fifo> {
        let anonymous = ["/dev/fd", "/proc"].iter().any(|folder| path.starts_with(folder));
        if anonymous {
            return Ok(Fifo { file: Some(File::open(&path)?), path, anonymous });
        }
        // Open for writing too, so that it does not end with its writers; who may only read waits for each of them.
        let file = match File::options().read(true).write(true).open(&path) {
            Ok(file) => Some(pipe(file)?),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                let nonblock = rustix::fs::OFlags::NONBLOCK.bits() as i32;
                File::options().read(true).custom_flags(nonblock).open(&path)?;
                None
            }
            Err(error) => return Err(error),
        };
        Ok(Fifo { path, file, anonymous })
    }
}

/// A pipe, and nothing else that somebody has put in its place since.
fn pipe(file: File) -> io::Result<File> {
    match file.metadata()?.file_type().is_fifo() {
        true => Ok(file),
        false => Err(io::Error::other("it is no named pipe any more")),
    }
}

impl Read for Fifo {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(pipe(File::open(&self.path)?)?),
            };
            match file.read(buf)? {
                0 if !self.anonymous => self.file = None,
                n => return Ok(n),
            }
        }
    }
}

/// A compressed file, read for what it holds. Where many are given, two at a time are decoded.
pub struct Archive {
    decoder: Box<dyn Read + Send>,
    turn: Option<Turn>,
}

impl Archive {
    /// Opens a file that is compressed, whatever its name is; `None` for any other.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(path: &Path) -> io::Result<Option<Archive>> {
        let file = LogFile::open(path, &None)?.try_clone_file()?;
        let codec = codec_of(&file)?;
        Ok(codec.map(|codec| Archive { decoder: decoder(codec, file), turn: None }))
    }
}

impl Read for Archive {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.turn.get_or_insert_with(Turn::wait);
        self.decoder.read(buf)
    }
}

/// The right to decode; processor and memory are bounded by it.
struct Turn;

static TURNS: (Mutex<usize>, Condvar) = (Mutex::new(2), Condvar::new());

impl Turn {
    fn wait() -> Turn {
        let left = TURNS.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = TURNS.1.wait_while(left, |left| *left == 0).unwrap_or_else(PoisonError::into_inner);
        *left -= 1;
        Turn
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        *TURNS.0.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        TURNS.1.notify_one();
    }
}

/// Whether a path names what is read as a stream: a FIFO or a compressed file.
pub fn is_stream(path: &Path, meta: &Metadata) -> bool {
    meta.file_type().is_fifo() || meta.is_file() && matches!(Archive::open(path), Ok(Some(_)))
}

/// What is read as a stream.
pub enum Stream {
    /// A named pipe.
    Fifo(Fifo),
    /// A compressed file.
    Archive(Archive),
}

/// Opens what [`is_stream`] told of.
///
/// # Errors
/// What the system says.
pub fn open_stream(path: &Path) -> io::Result<Stream> {
    if std::fs::metadata(path)?.file_type().is_fifo() {
        return Fifo::open(path.to_owned()).map(Stream::Fifo);
    }
    let changed = || io::Error::new(io::ErrorKind::InvalidData, "it was replaced just now");
    Archive::open(path)?.map(Stream::Archive).ok_or_else(changed)
}

/// Where the bytes go besides the spool.
pub type Tee = Option<Box<dyn Write + Send>>;

/// A pipe that has a name, but no path.
pub struct Named {
    /// The name of its source.
    pub name: String,
    /// Its end for reading.
    pub read: Box<dyn Read + Send>,
    /// Where its bytes go besides.
    pub tee: Tee,
}

/// Starts to copy a pipe into a spool.
///
/// # Errors
/// What the system says to a temporary file or a thread.
pub fn start(
    mut pipe: impl Read + Send + 'static,
    source: (usize, u32),
    (limit, redact): (u64, &Redact),
    mut tee: Tee,
    bell: Bell,
) -> io::Result<Arc<Progress>> {
    let (mut spool, reader) = Spool::new(limit, redact)?;
    let born = crate::log::segment::Born::First;
    let segment = Arc::new(Segment::new(source.0, source.1, Arc::new(reader), 0, born));
    let progress = Arc::new(Progress::default());
    progress.begin(segment.clone());
    let (spooled, said) = (segment.clone(), progress.clone());
    std::thread::Builder::new().name("pipe".to_owned()).spawn(move || {
        let file = spooled.file();
        let mut buf = vec![0; READ_BYTES];
        loop {
            let n = match pipe.read(&mut buf) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    let _ = said.failed.set(error.to_string());
                    break;
                }
            };
            copy(&mut spool, &file, &buf[..n], &spooled, &said);
            // A reader of ours that went away stops the teeing, not the serving.
            if tee.as_mut().is_some_and(|out| out.write_all(&buf[..n]).and_then(|()| out.flush()).is_err()) {
                tee = None;
            }
            bell.ring();
        }
        said.end(None, &bell);
    })?;
    Ok(progress)
}

fn copy(spool: &mut Spool, reader: &LogFile, bytes: &[u8], segment: &Segment, progress: &Progress) {
    if spool.write(bytes, reader, |begin| segment.trim(begin)).is_err() {
        progress.dropped.fetch_add(bytes.len() as u64, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipe_that_became_a_file_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        std::fs::write(&path, "hidden").unwrap();
        assert!(Fifo::open(path.clone()).is_err());
        let mut fifo = Fifo { path, file: None, anonymous: false };
        assert!(fifo.read(&mut [0; 8]).is_err());
    }
}

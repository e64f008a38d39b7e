//! Pipes: standard input and FIFOs, copied into a spool by a thread of their own.
//!
//! The pipe's writer waits for nothing but the disk. The spool is then a file like any other; the thread only
//! moves its start when the oldest lines are given up, and rings the follower's bell.

use super::watch::Bell;
use crate::log::logfile::LogFile;
use crate::log::segment::Segment;
use crate::log::spool::Spool;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How much is read from the pipe at once: what a Linux pipe holds.
const READ_BYTES: usize = 64 << 10;

/// What the thread has done so far.
#[derive(Debug, Default)]
pub struct Progress {
    ended: AtomicBool,
    dropped: AtomicU64,
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
            Ok(file) => Some(file),
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

impl Read for Fifo {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let file = match &mut self.file {
                Some(file) => file,
                None => self.file.insert(File::open(&self.path)?),
            };
            match file.read(buf)? {
                0 if !self.anonymous => self.file = None,
                n => return Ok(n),
            }
        }
    }
}

/// Where the bytes go besides the spool.
pub type Tee = Option<Box<dyn Write + Send>>;

/// Starts to copy a pipe into a spool; returns the generation that it is.
///
/// # Errors
/// What the system says to a temporary file or a thread.
pub fn start(
    mut pipe: impl Read + Send + 'static,
    source: (usize, u32),
    limit: u64,
    mut tee: Tee,
    bell: Bell,
) -> io::Result<(Arc<Segment>, Arc<Progress>)> {
    let (mut spool, reader) = Spool::new(limit)?;
    let born = crate::log::segment::Born::First;
    let segment = Arc::new(Segment::new(source.0, source.1, Arc::new(reader), 0, born));
    let progress = Arc::new(Progress::default());
    let (spooled, said) = (segment.clone(), progress.clone());
    std::thread::Builder::new().name("pipe".to_owned()).spawn(move || {
        let file = spooled.file();
        let mut buf = vec![0; READ_BYTES];
        loop {
            let n = match pipe.read(&mut buf) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => break,
            };
            copy(&mut spool, &file, &buf[..n], &spooled, &said);
            // A reader of ours that went away stops the teeing, not the serving.
            if tee.as_mut().is_some_and(|out| out.write_all(&buf[..n]).and_then(|()| out.flush()).is_err()) {
                tee = None;
            }
            bell.ring();
        }
        said.ended.store(true, Ordering::Release);
        bell.ring();
    })?;
    Ok((segment, progress))
}

fn copy(spool: &mut Spool, reader: &LogFile, bytes: &[u8], segment: &Segment, progress: &Progress) {
    if spool.write(bytes, reader, |begin| segment.trim(begin)).is_err() {
        progress.dropped.fetch_add(bytes.len() as u64, Ordering::AcqRel);
    }
}

//! A pipe on its way to become a file: copied into a spool in the state folder, which is shipped like any log.
//!
//! The spool is cut into files as a log is rotated, at line ends, so that what was shipped can be removed. It outlives the
//! process: what was not shipped is, by the next one that ships a pipe of this name. Past its limit the pipe's writer
//! waits: nothing is given up.

use super::batch::{Batch, Make};
use super::file::{Halt, Shipper};
use crate::log::lines::LINE_LIMIT;
use crate::log::logfile::Ident;
use crate::log::segment::{Place, Segment};
use crate::nats::error::Error;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// How much is read from the pipe at once: what a Linux pipe holds.
const READ_BYTES: usize = 64 << 10;
/// How many files a full spool is.
const PARTS: u64 = 16;
/// The largest and the smallest of them, in bytes.
const MOST_PART: u64 = 64 << 20;
const LEAST_PART: u64 = 64 << 10;
/// The number of the first file that was rotated: counts upward, as the date in a rotated log's name does.
const FIRST_NUMBER: u64 = 20_000_000;
/// How long a writer that waits for room waits at most until it looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(200);

/// A rotated part of the spool.
#[derive(Debug)]
struct Part {
    path: PathBuf,
    file: (u64, u64),
    bytes: u64,
}

#[derive(Debug)]
struct Kept {
    parts: Vec<Part>,
    current: (u64, u64),
    bytes: u64,
    ended: Option<Result<(), String>>,
}

/// A spool. See the module.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    /// Held for as long as this is: one process spools under a name.
    _lock: File,
    kept: Mutex<Kept>,
    room: Condvar,
}

impl Spool {
    /// Begins to copy a pipe into the spool at `path`.
    ///
    /// # Errors
    /// What the system says; `WouldBlock` if another process spools there.
    pub fn start(pipe: impl Read + Send + 'static, path: PathBuf, limit: u64) -> io::Result<Arc<Spool>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let lock =
            File::options().write(true).create(true).truncate(false).open(path.with_extension("lock"))?;
        rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)?;
        let mut parts = rotated(&path)?;
        // An unfinished line is another run's: ours do not go on in it.
        if ends_within_a_line(&path)? {
            let next = number(&parts);
            parts.push(rotate(&path, next)?);
        }
        let file = File::options().append(true).create(true).open(&path)?;
        let meta = file.metadata()?;
        let kept = Kept { parts, current: (meta.dev(), meta.ino()), bytes: meta.len(), ended: None };
        let spool = Arc::new(Spool { path, _lock: lock, kept: Mutex::new(kept), room: Condvar::new() });
        let own = spool.clone();
        std::thread::Builder::new().name("spool".to_owned()).spawn(move || {
            let ended = own.copy(pipe, file, limit).map_err(|error| error.to_string());
            own.kept.lock().unwrap_or_else(PoisonError::into_inner).ended = Some(ended);
        })?;
        Ok(spool)
    }

    fn copy(&self, mut pipe: impl Read, mut file: File, limit: u64) -> io::Result<()> {
        let part = (limit / PARTS).clamp(LEAST_PART, MOST_PART);
        let mut buf = vec![0; READ_BYTES];
        loop {
            let n = match pipe.read(&mut buf) {
                Ok(0) => return Ok(()),
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let mut rest = &buf[..n];
            let size = self.wait_for_room(n as u64, limit);
            if size + n as u64 > part
                && let Some(newline) = memchr::memrchr(b'\n', rest)
            {
                let (lines, later) = rest.split_at(newline + 1);
                file.write_all(lines)?;
                file = self.rotate(lines.len() as u64)?;
                rest = later;
            }
            file.write_all(rest)?;
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).bytes += rest.len() as u64;
        }
    }

    /// Waits until so many bytes fit; returns the size of the current file.
    fn wait_for_room(&self, bytes: u64, limit: u64) -> u64 {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            let all = kept.bytes + kept.parts.iter().map(|part| part.bytes).sum::<u64>();
            // One file must fit, whatever the limit is.
            if all + bytes <= limit || kept.parts.is_empty() {
                return kept.bytes;
            }
            kept = self.room.wait_timeout(kept, LOOK_AGAIN).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn rotate(&self, written: u64) -> io::Result<File> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += written;
        let part = rotate(&self.path, number(&kept.parts))?;
        kept.parts.push(part);
        let file = File::options().append(true).create_new(true).open(&self.path)?;
        let meta = file.metadata()?;
        (kept.current, kept.bytes) = ((meta.dev(), meta.ino()), 0);
        Ok(file)
    }

    /// Says which file is shipped now: those before it are removed.
    pub(super) fn shipped(&self, first: Option<Ident>) {
        let Some(first) = first.map(|ident| (ident.dev, ident.ino)) else { return };
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let done = match kept.parts.iter().position(|part| part.file == first) {
            Some(at) => at,
            None if kept.current == first => kept.parts.len(),
            None => 0,
        };
        for part in kept.parts.drain(..done) {
            let _ = std::fs::remove_file(&part.path);
        }
        self.room.notify_all();
    }

    /// Whether the pipe has ended, and all of it is in the current file, which is this one.
    fn ended(&self, file: Ident) -> Option<Result<(), String>> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.ended.clone().filter(|_| kept.current == (file.dev, file.ino))
    }

    /// Removes it: all of it was shipped.
    fn remove(&self) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        for part in kept.parts.drain(..) {
            let _ = std::fs::remove_file(&part.path);
        }
        let _ = std::fs::remove_file(&self.path);
        let _ = std::fs::remove_file(self.path.with_extension("lock"));
    }
}

impl Shipper {
    /// Ships the end of a pipe that has ended, an unfinished last line too. True if all of it is shipped.
    pub(super) async fn finish_spool(&mut self) -> Result<bool, Halt> {
        let Some(spool) = self.spool.clone() else { return Ok(false) };
        let stand = self.own.as_ref().and_then(|own| own.of(self.source.id).last().cloned());
        let Some((segment, place)) = stand else { return Ok(false) };
        let file = segment.file();
        let Some(ended) = spool.ended(file.ident()) else { return Ok(false) };
        let system =
            |error: io::Error| Error::Unavailable { cause: format!("the spool cannot be read: {error}") };
        let size = file.size().map_err(system)?;
        let make = self.make();
        let mut at = place;
        while at.offset < size {
            let most = if make.redacted { LINE_LIMIT } else { make.bytes.min(make.room) };
            let mut bytes = vec![0; (size - at.offset).min(most as u64) as usize];
            let n = file.read_at(&mut bytes, at.offset).map_err(system)?;
            bytes.truncate(n);
            if n == 0 || memchr::memchr(b'\n', &bytes).is_some() {
                // The follower has not read all of it.
                return Ok(false);
            }
            let offset = if make.redacted { size } else { at.offset + n as u64 };
            let check = file.check_before(segment.begin(), offset).map_err(system)?;
            segment.learn_head(&bytes, true);
            let to = Place { offset, check };
            let batch = match make.redacted {
                true => last_shown(&make, &segment, at.offset, &bytes, to).map_err(system)?,
                false => make.packed(bytes, to, None),
            };
            self.send(&segment, at, batch, offset == size).await?;
            at = to;
        }
        if place.offset == size && size > 0 {
            self.tell_end().await?;
        }
        if let Err(cause) = ended {
            self.say(&format!(
                "warning: cannot read '{}' to its end: {cause}",
                self.source.name.escape_debug()
            ));
        }
        spool.remove();
        Ok(true)
    }
}

/// The last line of a pipe, which lacks its newline, as it is shown; `read` are its first bytes. What is redacted must be
/// seen whole: it is not cut into pieces as other lines are.
fn last_shown(make: &Make, segment: &Segment, from: u64, read: &[u8], to: Place) -> io::Result<Batch> {
    let file = segment.file();
    let omitted = to.offset - from - read.len() as u64;
    let shown = match omitted {
        0 => file.shown(segment.begin(), from, read)?.bytes,
        _ => file.shown_long(segment.begin(), (from, to.offset), read)?,
    };
    Ok(match omitted == 0 && shown.len() <= make.room {
        true => make.packed(shown.into_owned(), to, None),
        false => make.beginning(&shown, omitted, to),
    })
}

fn ends_within_a_line(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::FileExt;
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    let mut last = [0];
    Ok(size > 0 && file.read_at(&mut last, size - 1)? == 1 && last != *b"\n")
}

/// The rotated files of a spool that was there before, older first.
fn rotated(path: &Path) -> io::Result<Vec<Part>> {
    let (Some(folder), Some(base)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)?.flatten() {
        let name = entry.file_name();
        let number =
            name.to_str().and_then(|name| name.strip_prefix(base)?.strip_prefix('.')?.parse::<u64>().ok());
        let (Some(number), Ok(meta)) = (number, entry.metadata()) else { continue };
        if number >= FIRST_NUMBER && meta.is_file() {
            found.push((
                number,
                Part { path: entry.path(), file: (meta.dev(), meta.ino()), bytes: meta.len() },
            ));
        }
    }
    found.sort_by_key(|(number, _)| *number);
    Ok(found.into_iter().map(|(_, part)| part).collect())
}

/// The number of the next rotated file.
fn number(parts: &[Part]) -> u64 {
    let last = parts.last().and_then(|part| part.path.extension()?.to_str()?.parse::<u64>().ok());
    last.map_or(FIRST_NUMBER, |last| last + 1)
}

fn rotate(path: &Path, number: u64) -> io::Result<Part> {
    let mut to = path.as_os_str().to_owned();
    to.push(format!(".{number}"));
    let to = PathBuf::from(to);
    std::fs::rename(path, &to)?;
    let meta = std::fs::metadata(&to)?;
    Ok(Part { path: to, file: (meta.dev(), meta.ino()), bytes: meta.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Instant;

    fn until(what: impl Fn() -> bool) {
        let began = Instant::now();
        while !what() {
            assert!(began.elapsed() < Duration::from_secs(20), "it did not happen");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn bytes_of(spool: &Spool) -> u64 {
        let kept = spool.kept.lock().unwrap();
        kept.bytes + kept.parts.iter().map(|part| part.bytes).sum::<u64>()
    }

    fn has_ended(spool: &Spool) -> bool {
        spool.kept.lock().unwrap().ended.is_some()
    }

    #[test]
    fn a_pipe_is_cut_at_line_ends_and_waits_at_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool").join("in");
        let text: Vec<u8> = (0..60_000).flat_map(|i| format!("line {i:06}\n").into_bytes()).collect();
        let limit = 4 * LEAST_PART;
        let spool = Spool::start(io::Cursor::new(text.clone()), path.clone(), limit).unwrap();
        until(|| bytes_of(&spool) + READ_BYTES as u64 > limit);
        assert!(bytes_of(&spool) <= limit && !has_ended(&spool));
        let mut read = Vec::new();
        let began = Instant::now();
        while !has_ended(&spool) {
            assert!(began.elapsed() < Duration::from_secs(20));
            // As if the oldest was shipped.
            let (first, second) = {
                let kept = spool.kept.lock().unwrap();
                let second = kept.parts.get(1).map_or(kept.current, |part| part.file);
                (kept.parts.first().map(|part| part.path.clone()), second)
            };
            if let Some(first) = first {
                let part = std::fs::read(first).unwrap();
                assert!(part.ends_with(b"\n"));
                read.extend(part);
                spool.shipped(Some(Ident { dev: second.0, ino: second.1, born: 0 }));
            }
        }
        for part in rotated(&path).unwrap() {
            read.extend(std::fs::read(part.path).unwrap());
        }
        read.extend(std::fs::read(&path).unwrap());
        assert!(read == text);
        assert!(Spool::start(io::empty(), path.clone(), limit).is_err(), "two spool under one name");
        spool.remove();
        assert_eq!(std::fs::read_dir(folder.path().join("spool")).unwrap().count(), 0);
    }

    #[test]
    fn what_a_run_left_is_kept_and_its_unfinished_line_stays_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("in");
        for (text, parts) in [(&b"a\nb\n"[..], 0), (b"c\nhalf", 0), (b"d\n", 1)] {
            let spool = Spool::start(text, path.clone(), 1 << 30).unwrap();
            until(|| has_ended(&spool));
            assert_eq!(rotated(&path).unwrap().len(), parts, "{text:?}");
        }
        assert_eq!(std::fs::read(&rotated(&path).unwrap()[0].path).unwrap(), b"a\nb\nc\nhalf");
        assert_eq!(std::fs::read(&path).unwrap(), b"d\n");
    }
}

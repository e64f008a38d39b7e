//! The spool: what a pipe said, kept in an unlinked temporary file, so that it is from then on a file like any
//! other, with history, resume and many readers.
//!
//! Bounded: past its limit the oldest bytes are given back to the file system (a hole is punched, offsets stay
//! true) and the file's content begins later. The new begin is said before the hole is made, so that whoever reads
//! and finds the begin still before its place has read no hole. The pipe's writer is never held up by a reader.

use super::logfile::LogFile;
use super::redact::Redact;
use std::fs::File;
use std::io::{self, Write};

/// A spool. One writer; readers use the [`LogFile`] over the same file.
#[derive(Debug)]
pub struct Spool {
    file: File,
    begin: u64,
    end: u64,
    limit: u64,
}

impl Spool {
    /// A spool that keeps about `limit` bytes, and a file to read it by, which shows it with what `redact` says replaced.
    ///
    /// # Errors
    /// What the system says to a temporary file.
    pub fn new(limit: u64, redact: &Redact) -> io::Result<(Spool, LogFile)> {
        let file = tempfile::tempfile()?;
        let reader = LogFile::from_file(file.try_clone()?, redact)?;
        Ok((Spool { file, begin: 0, end: 0, limit: limit.max(1 << 16) }, reader))
    }

    /// Appends, and gives up the oldest lines beyond the limit: `begins` is told where content begins then, a
    /// line's start.
    ///
    /// # Errors
    /// What the system says; where the disk is full, the older half has been given up already.
    pub fn write(&mut self, bytes: &[u8], reader: &LogFile, begins: impl Fn(u64)) -> io::Result<()> {
        if let Err(error) = self.append(bytes) {
            if error.kind() != io::ErrorKind::StorageFull {
                return Err(error);
            }
            self.trim((self.end - self.begin) / 2, reader, &begins)?;
            self.append(bytes)?;
        }
        if self.end - self.begin > self.limit {
            // An eighth at a time, so that this is rare.
            self.trim(self.limit - self.limit / 8, reader, &begins)?;
        }
        Ok(())
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        self.file.write_all_at(bytes, self.end)?;
        self.end += bytes.len() as u64;
        self.file.flush()
    }

    fn trim(&mut self, keep: u64, reader: &LogFile, begins: &impl Fn(u64)) -> io::Result<()> {
        let from = self.end.saturating_sub(keep);
        let Some(begin) = reader.next_line_end(from, self.end)? else { return Ok(()) };
        begins(begin);
        let flags = rustix::fs::FallocateFlags::PUNCH_HOLE | rustix::fs::FallocateFlags::KEEP_SIZE;
        rustix::fs::fallocate(&self.file, flags, self.begin, begin - self.begin)?;
        self.begin = begin;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_go_first_and_offsets_stay_true() {
        let (mut spool, reader) = Spool::new(1 << 16, &None).unwrap();
        let said = std::cell::Cell::new(0);
        for i in 0..10_000 {
            spool.write(format!("line {i:05}\n").as_bytes(), &reader, |begin| said.set(begin)).unwrap();
        }
        let begin = said.get();
        assert!(begin > 0 && begin.is_multiple_of(11));
        assert!(110_000 - begin <= 1 << 16);
        let mut line = [0; 11];
        reader.read_at(&mut line, begin).unwrap();
        assert_eq!(line, format!("line {:05}\n", begin / 11).as_bytes());
    }
}

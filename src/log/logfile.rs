//! An open log file: positioned reads, identity, and what its content says about who it is.
//!
//! A file is read with positioned reads and never mapped: a map of a file that somebody truncates kills the
//! process. All functions here block. None of them keeps a place in the file.

use super::cursor::{self, HEAD_BYTES, OVERLAP_BYTES};
use super::lines;
use super::redact::{Redact, Redactor, State};
use super::wide::{Wide, is_rest};
use std::borrow::Cow;
use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::UNIX_EPOCH;

/// How much is read at once when looking for a newline, in bytes.
const SCAN_BYTES: usize = 64 << 10;

/// What the file system says about who a file is. An inode's number is used again once the file is gone, so
/// it names a file only as long as that is open; the birth time tells most of the others apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ident {
    /// The device.
    pub dev: u64,
    /// The inode.
    pub ino: u64,
    /// Nanoseconds since 1970, 0 where the file system does not tell.
    pub born: u64,
}

impl Ident {
    /// The identity of the file with this metadata.
    pub fn of(meta: &Metadata) -> Ident {
        let born = meta.created().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        Ident { dev: meta.dev(), ino: meta.ino(), born: born.map_or(0, |d| d.as_nanos() as u64) }
    }

    /// Twelve bits for a cursor, never 0.
    pub fn tie(&self) -> u16 {
        let mut bytes = [0; 24];
        bytes[..8].copy_from_slice(&self.dev.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.ino.to_le_bytes());
        bytes[16..].copy_from_slice(&self.born.to_le_bytes());
        ((xxhash_rust::xxh3::xxh3_64(&bytes) & 0xfff) as u16).max(1)
    }
}

/// What the first bytes of a file say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Head {
    /// The first line is there, or its first KiB: the generation's name.
    Known(u64),
    /// Less than that, and no newline: its name as long as nothing is added (an empty file's too).
    Unfinished(u64),
}

impl Head {
    /// The generation that a file that no longer changes has.
    pub fn settled(self) -> u64 {
        match self {
            Head::Known(generation) | Head::Unfinished(generation) => generation,
        }
    }
}

/// An open regular file.
#[derive(Debug)]
pub struct LogFile {
    file: File,
    ident: Ident,
    /// What its first bytes are: not known, none of these, or a mark of UTF-16.
    mark: AtomicU8,
    redact: Redact,
}

const UNKNOWN: u8 = 0;
const NO_MARK: u8 = 1;
const LITTLE: u8 = 2;
const BIG: u8 = 3;

impl LogFile {
    /// Opens the file at a path, to be shown with what `redact` says replaced. A FIFO or a device is opened without
    /// waiting, and refused.
    ///
    /// # Errors
    /// What the system says; `InvalidInput` for anything but a regular file.
    pub fn open(path: &Path, redact: &Redact) -> io::Result<LogFile> {
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOCTTY;
        let file = File::options().read(true).custom_flags(flags.bits() as i32).open(path)?;
        LogFile::from_file(file, redact)
    }

    /// Takes a file that is open already.
    ///
    /// # Errors
    /// As [`LogFile::open`].
    pub fn from_file(file: File, redact: &Redact) -> io::Result<LogFile> {
        let meta = file.metadata()?;
        if !meta.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(LogFile { ident: Ident::of(&meta), file, mark: AtomicU8::new(UNKNOWN), redact: redact.clone() })
    }

    /// Another handle to the same file.
    ///
    /// # Errors
    /// What the system says.
    pub fn try_clone_file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// What is replaced in its lines when they are shown.
    pub fn redact(&self) -> &Redact {
        &self.redact
    }

    /// The same, where there is something.
    pub(super) fn redactor(&self) -> Option<&Redactor> {
        self.redact.as_deref()
    }

    /// Who it is.
    pub fn ident(&self) -> Ident {
        self.ident
    }

    /// The place in UTF-16 that an offset is, if that is what the file holds.
    #[inline]
    pub fn wide_at(&self, offset: u64) -> Option<Wide> {
        match self.mark.load(Ordering::Relaxed) {
            NO_MARK => None,
            _ => self.wide().map(|wide| wide.at(offset)),
        }
    }

    /// The text of a run of its bytes, or the run itself where that is the text.
    pub fn text<'a>(&self, run: &'a [u8], offset: u64) -> Cow<'a, [u8]> {
        self.wide_at(offset).map_or(Cow::Borrowed(run), |wide| Cow::Owned(wide.run(run)))
    }

    #[cold]
    fn wide(&self) -> Option<Wide> {
        match self.mark.load(Ordering::Relaxed) {
            LITTLE => Wide::of(&[0xff, 0xfe]),
            BIG => Wide::of(&[0xfe, 0xff]),
            _ => {
                let mut first = [0; 2];
                let n = self.read_at(&mut first, 0).unwrap_or(0);
                self.learn_mark(&first[..n]);
                Wide::of(&first[..n])
            }
        }
    }

    /// Learns from the first bytes of the file, which another life of it may have changed, whether it is UTF-16.
    pub fn learn_mark(&self, first: &[u8]) {
        let mark = match first {
            [0xff, 0xfe, ..] => LITTLE,
            [0xfe, 0xff, ..] => BIG,
            // The mark may be on its way.
            [] | [0xff | 0xfe] => UNKNOWN,
            _ => NO_MARK,
        };
        self.mark.store(mark, Ordering::Relaxed);
    }

    /// Its metadata now.
    ///
    /// # Errors
    /// What the system says.
    pub fn metadata(&self) -> io::Result<Metadata> {
        self.file.metadata()
    }

    /// Its length now, in bytes.
    ///
    /// # Errors
    /// What the system says.
    pub fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads until `buf` is full or the file ends; returns how much was read.
    ///
    /// # Errors
    /// What the system says, `EINTR` excepted.
    pub fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buf.len() {
            match self.file.read_at(&mut buf[filled..], offset + filled as u64) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    /// Where content begins: behind a leading run of NULs, the hole that a writer without `O_APPEND` leaves
    /// when its file is truncated under it.
    ///
    /// # Errors
    /// What the system says.
    pub fn content_start(&self) -> io::Result<u64> {
        let mut buf = [0; 4096];
        let n = self.read_at(&mut buf[..1], 0)?;
        if n == 0 || buf[0] != 0 {
            return Ok(0);
        }
        let mut at = 0;
        loop {
            // The file system knows where its holes end; where it does not, this is a no-op.
            if let Ok(data) = rustix::fs::seek(&self.file, rustix::fs::SeekFrom::Data(at)) {
                at = data.max(at);
            }
            let n = self.read_at(&mut buf, at)?;
            if n == 0 {
                return Ok(at.min(self.size()?));
            }
            match buf[..n].iter().position(|&byte| byte != 0) {
                Some(i) => return Ok(at + i as u64),
                None => at += n as u64,
            }
        }
    }

    /// What the first line says, `begin` being where content starts.
    ///
    /// # Errors
    /// What the system says.
    pub fn head(&self, begin: u64) -> io::Result<Head> {
        let mut buf = [0; HEAD_BYTES];
        let n = self.read_at(&mut buf, begin)?;
        if self.redact.is_some() && memchr::memchr(b'\n', &buf[..n]).is_none() && n == HEAD_BYTES {
            let mut long = vec![0; REDACTED_HEAD_BYTES];
            let n = self.read_at(&mut long, begin)?;
            return Ok(self.head_of(&long[..n]));
        }
        Ok(self.head_of(&buf[..n]))
    }

    /// What the first bytes of its content say, given as many as [`head_bytes`] or all there are.
    pub fn head_of(&self, bytes: &[u8]) -> Head {
        head_of(bytes, &self.redact)
    }

    /// The check of the line before `offset`.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` if the file is shorter.
    pub fn check_before(&self, begin: u64, offset: u64) -> io::Result<u64> {
        if self.redact.is_some() {
            return self.shown_check(begin, offset);
        }
        let mut buf = [0; OVERLAP_BYTES];
        let before = &mut buf[..(offset.saturating_sub(begin)).min(OVERLAP_BYTES as u64) as usize];
        if self.read_at(before, offset - before.len() as u64)? < before.len() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(cursor::check_at_end(before))
    }

    /// Whether the file shows what a cursor of this generation remembers. A look that fails proves nothing.
    pub fn proves(&self, begin: u64, generation: u64, offset: u64, check: u64) -> bool {
        let head = match self.head(begin) {
            Ok(head) => head,
            Err(_) => return false,
        };
        if head.settled() != generation || offset < begin {
            return false;
        }
        match offset == begin {
            true => check == cursor::NO_LINE,
            false => self.check_before(begin, offset).is_ok_and(|found| found == check),
        }
    }

    /// The end of the last complete line at or before `limit`; `begin` if there is none.
    ///
    /// # Errors
    /// What the system says.
    pub fn last_line_end(&self, begin: u64, limit: u64) -> io::Result<u64> {
        let mut buf = vec![0; SCAN_BYTES];
        let mut end = limit;
        while end > begin {
            let from = end.saturating_sub(SCAN_BYTES as u64).max(begin);
            let n = self.read_at(&mut buf[..(end - from) as usize], from)?;
            match lines::complete(&buf[..n]) {
                0 => end = from,
                at => return Ok(from + at as u64),
            }
        }
        Ok(begin)
    }

    /// Where the last `count` lines before `end`, the end of a line, begin, and how many there are.
    ///
    /// # Errors
    /// What the system says.
    pub fn last_lines(&self, begin: u64, end: u64, count: u64) -> io::Result<(u64, u64)> {
        let mut buf = vec![0; SCAN_BYTES];
        let mut missing = count;
        // A newline ends a line; the one before `end` belongs to the last line, not to the one before that.
        let mut at = end;
        while at > begin && missing > 0 {
            let from = at.saturating_sub(SCAN_BYTES as u64).max(begin);
            let block = &mut buf[..(at - from) as usize];
            let n = self.read_at(block, from)?;
            let mut seen = &block[..n];
            if at == end {
                // An ended file of UTF-16 ends with the second half of a newline.
                if seen.ends_with(b"\n\0") && self.wide_at(end - 1).is_some_and(|wide| is_rest(wide, b"\0")) {
                    seen = &seen[..seen.len() - 1];
                }
                seen = seen.strip_suffix(b"\n").unwrap_or(seen);
            }
            while let Some(newline) = memchr::memrchr(b'\n', seen) {
                missing -= 1;
                if missing == 0 {
                    return Ok((from + newline as u64 + 1, count));
                }
                seen = &seen[..newline];
            }
            at = from;
        }
        match end > begin && missing > 0 {
            true => Ok((begin, count - missing + 1)),
            false => Ok((end, 0)),
        }
    }

    /// Just past the next newline at or after `from` and before `limit`.
    ///
    /// # Errors
    /// What the system says.
    pub fn next_line_end(&self, from: u64, limit: u64) -> io::Result<Option<u64>> {
        let mut buf = vec![0; SCAN_BYTES];
        let mut at = from;
        while at < limit {
            let want = (limit - at).min(SCAN_BYTES as u64) as usize;
            let n = self.read_at(&mut buf[..want], at)?;
            if n == 0 {
                break;
            }
            if let Some(newline) = memchr::memchr(b'\n', &buf[..n]) {
                return Ok(Some(at + newline as u64 + 1));
            }
            at += n as u64;
        }
        Ok(None)
    }
}

/// How much of a first line names a generation where something is redacted: what is replaced must be seen whole, also
/// where it reaches beyond the first KiB.
const REDACTED_HEAD_BYTES: usize = 64 << 10;

/// How many of the first bytes tell all that a head can tell.
pub fn head_bytes(redact: &Redact) -> usize {
    if redact.is_some() { REDACTED_HEAD_BYTES } else { HEAD_BYTES }
}

/// What the first bytes of a file's content say: with a redactor, that of the line as it is shown.
pub fn head_of(bytes: &[u8], redact: &Redact) -> Head {
    let most = head_bytes(redact);
    let bytes = &bytes[..bytes.len().min(most)];
    let name = |first: &[u8]| match redact {
        None => cursor::generation(first),
        Some(redactor) => {
            let shown = redactor.shown(&mut State::default(), first, Wide::of(first));
            cursor::generation(shown.as_ref().map_or(first, |(shown, _)| shown))
        }
    };
    match memchr::memchr(b'\n', bytes) {
        Some(end) => Head::Known(name(&bytes[..end])),
        None if bytes.len() == most => Head::Known(name(bytes)),
        None => Head::Unfinished(name(bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(content: &[u8]) -> LogFile {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        LogFile::from_file(file, &None).unwrap()
    }

    #[test]
    fn lines_are_found_backwards_across_blocks() {
        let text: String = (0..20_000).map(|i| format!("line {i}\n")).collect();
        let log = file(text.as_bytes());
        for count in [0, 1, 2, 10, 7_000, 20_000, 30_000] {
            let (from, found) = log.last_lines(0, text.len() as u64, count).unwrap();
            assert_eq!(found, count.min(20_000));
            let expected: usize = text.lines().rev().take(count as usize).map(|l| l.len() + 1).sum();
            assert_eq!(text.len() as u64 - from, expected as u64, "{count}");
        }
        assert_eq!(
            log.last_line_end(0, text.len() as u64 - 1).unwrap(),
            log.last_lines(0, text.len() as u64, 1).unwrap().0
        );
    }

    #[test]
    fn empty_lines_count() {
        let log = file(b"\n\na\n\n");
        assert_eq!(log.last_lines(0, 5, 2).unwrap(), (2, 2));
        assert_eq!(log.last_lines(0, 5, 3).unwrap(), (1, 3));
        assert_eq!(log.last_lines(0, 5, 4).unwrap(), (0, 4));
        assert_eq!(log.last_lines(0, 5, 9).unwrap(), (0, 4));
        assert_eq!(log.last_lines(0, 0, 9).unwrap(), (0, 0));
    }

    #[test]
    fn a_leading_hole_is_not_content() {
        assert_eq!(file(b"abc\n").content_start().unwrap(), 0);
        assert_eq!(file(b"").content_start().unwrap(), 0);
        let mut holed = vec![0; 9_000];
        holed.extend_from_slice(b"abc\n");
        assert_eq!(file(&holed).content_start().unwrap(), 9_000);
        assert_eq!(file(&[0; 5_000]).content_start().unwrap(), 5_000);
    }

    #[test]
    fn a_place_proves_itself() {
        let log = file(b"one\ntwo\nthree\n");
        let generation = cursor::generation(b"one");
        assert!(log.proves(0, generation, 8, cursor::check(b"two")));
        assert!(log.proves(0, generation, 0, cursor::NO_LINE));
        assert!(!log.proves(0, generation, 8, cursor::check(b"one")));
        assert!(!log.proves(0, generation, 7, cursor::check(b"two\n")));
        assert!(!log.proves(0, generation, 99, cursor::check(b"two")));
        assert!(!log.proves(0, cursor::generation(b"two"), 8, cursor::check(b"two")));
    }
}

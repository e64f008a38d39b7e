//! The rotated siblings of a log: what stands beside it in its folder under names like `NAME.1`,
//! `NAME-20261122.gz` or `STEM.2.EXT`.
//!
//! A name only makes a file a candidate; that it holds a generation is proved by content. A rotation moves names
//! while somebody looks: [`look`] opens everything at once, and looks again until the folder holds still; from
//! then on names do not matter. What cannot be opened is not there for this look, and concludes nothing.
//! Compressed siblings are decoded into an unlinked temporary file, and are from then on files like any other.

use super::decode::{Codec, decoder};
use super::logfile::{LogFile, head_bytes, head_of};
use super::private::{is_left_alone, is_lure};
use super::redact::Redact;
use super::segment::Place;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// The most siblings of one log that are opened at once, newest first.
pub const MAX_SIBLINGS: usize = 64;
/// The most siblings that are listed; of those, the ones that a caller knows need not be opened.
pub const MAX_LISTED: usize = 4096;
/// The largest generation that is decoded from a compressed sibling, in bytes.
pub const MAX_DECODED_BYTES: u64 = 1 << 30;
/// The most bytes that all decoded siblings of all logs hold at once: they lie on the temporary folder's disk.
pub const ALL_DECODED_BYTES: u64 = 4 << 30;
/// The most directory entries that one look reads; a folder with more is not a log's folder.
const MAX_ENTRIES: usize = 20_000;

/// What tells one look's sibling from another's: a copy over the same inode has another time or size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// The device.
    pub dev: u64,
    /// The inode.
    pub ino: u64,
    /// Nanoseconds since 1970 of the last change.
    pub modified: i128,
    /// Bytes.
    pub size: u64,
}

/// A file beside a log that may hold an earlier generation of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sibling {
    /// Where it is.
    pub path: PathBuf,
    /// What it looked like.
    pub stamp: Stamp,
    /// Whether it must be decoded.
    pub codec: Option<Codec>,
    /// Whether its name is one that rotation gives (a number, a date, `old`, …), not just a similar one.
    pub rotated_name: bool,
    /// The number in its name, for the order of siblings that changed in the same instant.
    number: u64,
}

/// The siblings of the log at `path`, newest first, at most [`MAX_LISTED`].
///
/// # Errors
/// What the system says to listing the folder.
pub fn siblings(path: &Path) -> io::Result<Vec<Sibling>> {
    // A link's target rotates in the target's folder.
    let real = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let (Some(folder), Some(base)) = (real.parent(), real.file_name()) else { return Ok(Vec::new()) };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)?.take(MAX_ENTRIES) {
        let Ok(entry) = entry else { continue };
        let Some((codec, rotated_name, number)) = candidate(&entry.file_name(), base) else { continue };
        let path = entry.path();
        // Not `entry.metadata()`: a sibling may be a link, though not anybody's to anything.
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        let is_link = entry.file_type().is_ok_and(|kind| kind.is_symlink());
        if !meta.is_file() || is_link && is_lure(&path) {
            continue;
        }
        let modified = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
        let stamp = Stamp { dev: meta.dev(), ino: meta.ino(), modified, size: meta.len() };
        found.push(Sibling { path, stamp, codec, rotated_name, number });
    }
    found.sort_by(|a, b| (b.stamp.modified, a.number).cmp(&(a.stamp.modified, b.number)));
    found.truncate(MAX_LISTED);
    Ok(found)
}

/// Whether `name` may be a rotated `base`, and what its name says.
fn candidate(name: &OsStr, base: &OsStr) -> Option<(Option<Codec>, bool, u64)> {
    let (name, base) = (name.as_bytes(), base.as_bytes());
    let (plain, codec) = match name {
        _ if name.ends_with(b".gz") => (&name[..name.len() - 3], Some(Codec::Gzip)),
        _ if name.ends_with(b".zst") => (&name[..name.len() - 4], Some(Codec::Zstd)),
        _ => (name, None),
    };
    let suffix = if let Some(rest) = plain.strip_prefix(base) {
        match rest {
            [] if codec.is_some() => rest,
            [b'.' | b'-' | b'~', ..] => rest,
            _ => return None,
        }
    } else {
        let dot = base.iter().rposition(|&byte| byte == b'.').filter(|&at| at > 0)?;
        let middle = plain.strip_prefix(&base[..dot])?.strip_suffix(&base[dot..])?;
        matches!(middle, [b'.' | b'-', _, ..]).then_some(middle)?
    };
    let digits: Vec<u8> = suffix.iter().copied().filter(u8::is_ascii_digit).take(18).collect();
    let number = String::from_utf8_lossy(&digits).parse().unwrap_or(0);
    let word = suffix.trim_ascii().strip_prefix(b".").or(suffix.strip_prefix(b"-")).unwrap_or(suffix);
    let rotated = !digits.is_empty()
        && word.iter().all(|byte| byte.is_ascii_digit() || b".-_T:Z".contains(byte))
        || [&b"old"[..], b"bak", b"prev", b"previous", b"~", b""].contains(&word);
    // Of a date the later is the newer, of a count the smaller.
    let number = if number >= 19_000_101 { u64::MAX - number } else { number };
    Some((codec, rotated, number))
}

/// How often a look is taken again while names move, and the wait between.
const TRIES: u32 = 100;
const TRY_AGAIN: Duration = Duration::from_millis(4);
/// How much of [`ALL_DECODED_BYTES`] is in use.
static DECODED: AtomicU64 = AtomicU64::new(0);
/// Two decodings at a time bound disk and processor, whatever is asked.
static DECODING: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];

/// A sibling that is open: what happens to its name is of no matter any more.
#[derive(Debug)]
pub struct Held {
    /// What it looked like.
    pub sibling: Sibling,
    /// The generation that its first line tells.
    pub generation: u64,
    /// The first bytes of its content, at most [`head_bytes`], of a compressed one.
    first: Vec<u8>,
    raw: File,
    redact: Redact,
    file: Mutex<Option<Arc<Content>>>,
    broken: AtomicBool,
}

/// A sibling's content, and its part of the budget.
#[derive(Debug)]
struct Content {
    file: Arc<LogFile>,
    decoded: u64,
}

impl Drop for Content {
    fn drop(&mut self) {
        DECODED.fetch_sub(self.decoded, Ordering::AcqRel);
    }
}

/// What one look at the siblings found.
#[derive(Debug, Default)]
pub struct Looked {
    /// Those that were wanted, newest first, open.
    pub held: Vec<Held>,
    /// All that are there.
    pub stamps: Vec<Stamp>,
    /// Whether there were more than could be opened.
    pub cut: bool,
    /// How many could not be opened or read.
    pub unread: usize,
}

/// The newest siblings of the log at `path`, newest first, open. Blocks while names move, for less than half a second.
pub fn look(path: &Path, redact: &Redact) -> Vec<Held> {
    look_for(path, Order::Newest, redact, &|_| true).held
}

/// Whether a compressed file stands beside the plain one of the same name: it is being made, or the other is about to go.
fn has_twin(sibling: &Sibling, all: &[Sibling]) -> bool {
    let twin = |other: &Sibling| other.codec.is_none() && other.path == sibling.path.with_extension("");
    sibling.codec.is_some() && all.iter().any(twin)
}

/// Which of too many siblings are opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Those that changed last.
    Newest,
    /// Those that changed first.
    Oldest,
}

/// The same for the siblings that are wanted.
pub fn look_for(path: &Path, order: Order, redact: &Redact, wanted: &dyn Fn(&Stamp) -> bool) -> Looked {
    let mut before = Vec::new();
    for again in 0..TRIES {
        let last = again + 1 == TRIES;
        let listed = siblings(path).unwrap_or_default();
        let new: Vec<&Sibling> = listed.iter().filter(|sibling| wanted(&sibling.stamp)).collect();
        let over = new.len().saturating_sub(MAX_SIBLINGS);
        let cut = over > 0;
        let chosen = match order {
            Order::Newest => &new[..new.len() - over],
            Order::Oldest => &new[over..],
        };
        let opened: io::Result<Vec<Option<Held>>> = chosen
            .iter()
            .filter(|sibling| !has_twin(sibling, &listed))
            .map(|sibling| hold(sibling, redact, last))
            .collect();
        let still = listed == before || !changed_lately(path);
        match opened {
            Ok(held) if still || last => {
                let stamps = listed.iter().map(|sibling| sibling.stamp).collect();
                let all = held.len();
                let held: Vec<Held> = held.into_iter().flatten().collect();
                return Looked { unread: all - held.len(), held, stamps, cut };
            }
            _ => before = listed,
        }
        std::thread::sleep(TRY_AGAIN);
    }
    Looked::default()
}

/// Whether the folder changed so lately that a listing may have missed a name that moved.
pub fn changed_lately(path: &Path) -> bool {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let modified = std::fs::metadata(folder).and_then(|meta| meta.modified());
    modified.is_ok_and(|at| {
        SystemTime::now().duration_since(at).is_ok_and(|age| age < Duration::from_millis(200))
    })
}

/// Opens a sibling; `None` for one that cannot be read, an error for one that is no longer there.
fn hold(sibling: &Sibling, redact: &Redact, last: bool) -> io::Result<Option<Held>> {
    let moved = || io::Error::from(io::ErrorKind::NotFound);
    let raw = match LogFile::open(&sibling.path, redact) {
        Ok(file) if (file.ident().dev, file.ident().ino) == (sibling.stamp.dev, sibling.stamp.ino) => file,
        Ok(_) => return if last { Ok(None) } else { Err(moved()) },
        Err(error) if error.kind() == io::ErrorKind::NotFound && !last => return Err(error),
        Err(_) => return Ok(None),
    };
    // Its mode is asked of what is open: names move.
    if raw.metadata().is_ok_and(|meta| is_left_alone(&meta)) {
        return Ok(None);
    }
    let held = |raw: File, generation, first, file: Option<LogFile>| {
        let file = file.map(|file| Arc::new(Content { file: Arc::new(file), decoded: 0 }));
        let (sibling, file, broken) = (sibling.clone(), Mutex::new(file), AtomicBool::new(false));
        Held { sibling, generation, first, raw, redact: redact.clone(), file, broken }
    };
    let Some(codec) = sibling.codec else {
        let Ok(head) = raw.content_start().and_then(|begin| raw.head(begin)) else { return Ok(None) };
        let Ok(handle) = raw.try_clone_file() else { return Ok(None) };
        return Ok(Some(held(handle, head.settled(), Vec::new(), Some(raw))));
    };
    let Ok(handle) = raw.try_clone_file() else { return Ok(None) };
    let mut first = Vec::new();
    let limit = head_bytes(redact) as u64;
    let read = handle.try_clone().and_then(|file| decoder(codec, file).take(limit).read_to_end(&mut first));
    match read {
        Ok(_) => Ok(Some(held(handle, head_of(&first, redact).settled(), first, None))),
        // Perhaps it is being written.
        Err(_) if !last => Err(moved()),
        Err(_) => Ok(None),
    }
}

impl Held {
    /// Device and inode.
    pub fn ident(&self) -> (u64, u64) {
        (self.sibling.stamp.dev, self.sibling.stamp.ino)
    }

    /// Whether its content may begin with these bytes, as far as can be told without decoding it.
    pub fn begins_with(&self, bytes: &[u8]) -> bool {
        let known = self.first.len().min(bytes.len());
        self.sibling.codec.is_none() || self.first[..known] == bytes[..known]
    }

    fn content(&self) -> Option<Arc<Content>> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn keep(&self, content: &Arc<Content>) {
        *self.file.lock().unwrap_or_else(PoisonError::into_inner) = Some(content.clone());
    }

    /// Its content for reading at any place, decoded if need be; of a damaged archive what can be read.
    ///
    /// # Errors
    /// What the system or the decoder says; `FileTooLarge` beyond [`MAX_DECODED_BYTES`], `QuotaExceeded` beyond
    /// [`ALL_DECODED_BYTES`].
    pub fn file(&self) -> io::Result<Arc<LogFile>> {
        if let Some(content) = self.content() {
            return Ok(content.file.clone());
        }
        let content = self.decode()?;
        self.keep(&content);
        Ok(content.file.clone())
    }

    /// Gives up what was decoded; who reads it goes on.
    pub fn release(&self) {
        if self.sibling.codec.is_some() {
            *self.file.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Whether it is an archive of which only the beginning could be read.
    pub fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// The first bytes of its content, if the rest would have to be decoded.
    pub fn undecoded(&self) -> Option<&[u8]> {
        (self.sibling.codec.is_some() && self.content().is_none()).then_some(&self.first)
    }

    /// How many bytes it holds: of content where that is known, else of the file as it is.
    pub fn size(&self) -> u64 {
        let known = self.content().and_then(|content| content.file.size().ok());
        known.unwrap_or(self.sibling.stamp.size)
    }

    fn decode(&self) -> io::Result<Arc<Content>> {
        let Some(codec) = self.sibling.codec else { return Err(io::ErrorKind::NotFound.into()) };
        let _turn = DECODING[0]
            .try_lock()
            .unwrap_or_else(|_| DECODING[1].lock().unwrap_or_else(PoisonError::into_inner));
        let mut raw = self.raw.try_clone()?;
        raw.rewind()?;
        let mut spool = tempfile::tempfile()?;
        let mut decoded = decoder(codec, raw).take(MAX_DECODED_BYTES + 1);
        let copied = io::copy(&mut decoded, &mut spool);
        if decoded.limit() == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large to decode"));
        }
        let size = spool.metadata()?.len();
        if let Err(error) = copied {
            let damaged = matches!(error.kind(), io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof);
            if size == 0 || !damaged {
                return Err(error);
            }
            self.broken.store(true, Ordering::Release);
        }
        let content = Content { file: Arc::new(LogFile::from_file(spool, &self.redact)?), decoded: size };
        if DECODED.fetch_add(size, Ordering::AcqRel) + size > ALL_DECODED_BYTES {
            return Err(io::Error::new(io::ErrorKind::QuotaExceeded, "too much is decoded already"));
        }
        Ok(Arc::new(content))
    }

    /// Its content, if it shows what a cursor of this generation remembers. It is decoded only if its head fits, and
    /// kept only if all of it does.
    pub fn proves(&self, generation: u64, offset: u64, check: u64) -> Option<Arc<LogFile>> {
        if self.generation != generation {
            return None;
        }
        let content = match self.content() {
            Some(content) => content,
            None => self.decode().ok()?,
        };
        let begin = content.file.content_start().ok()?;
        content.file.proves(begin, generation, offset, check).then(|| {
            self.keep(&content);
            content.file.clone()
        })
    }

    /// Its generation and its end; `None` for what would have to be decoded.
    pub fn end(&self) -> Option<(u64, Place)> {
        let file = self.content()?.file.clone();
        let (begin, offset) = (file.content_start().ok()?, file.size().ok()?);
        Some((self.generation, Place { offset, check: file.check_before(begin, offset.max(begin)).ok()? }))
    }

    /// Whether all that it holds is also the beginning of `file`.
    pub fn is_beginning_of(&self, file: &LogFile) -> bool {
        let same = || -> io::Result<bool> {
            let begin = file.content_start()?;
            if file.head(begin)?.settled() != self.generation {
                return Ok(false);
            }
            let own = self.file()?;
            let end = own.size()?;
            let check = own.check_before(own.content_start()?, end)?;
            Ok(file.size()? >= end && end >= begin && file.check_before(begin, end)? == check)
        };
        same().unwrap_or(false)
    }

    /// Whether it holds a generation up to this end, and nothing behind it.
    pub fn ends_at(&self, generation: u64, offset: u64, check: u64) -> bool {
        self.proves(generation, offset, check)
            .is_some_and(|file| file.size().is_ok_and(|size| size <= offset))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn says(name: &str, base: &str) -> Option<(Option<Codec>, bool)> {
        candidate(OsStr::new(name), OsStr::new(base)).map(|(codec, rotated, _)| (codec, rotated))
    }

    #[test]
    fn names_that_rotation_gives() {
        for (name, expected) in [
            ("app.log.1", Some((None, true))),
            ("app.log.12.gz", Some((Some(Codec::Gzip), true))),
            ("app.log-20261122.zst", Some((Some(Codec::Zstd), true))),
            ("app.log.2026-11-22", Some((None, true))),
            ("app-2026-11-22.log", Some((None, true))),
            ("app.1.log.gz", Some((Some(Codec::Gzip), true))),
            ("app.log.old", Some((None, true))),
            ("app.log.gz", Some((Some(Codec::Gzip), true))),
            ("app.log~", Some((None, true))),
            ("app-error.log", Some((None, false))),
            ("app.log.tmp", Some((None, false))),
            ("app.log", None),
            ("app.logs", None),
            ("other.log.1", None),
        ] {
            assert_eq!(says(name, "app.log"), expected, "{name}");
        }
    }

    #[test]
    fn a_compressed_sibling_is_read_like_a_plain_one() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("app.log");
        std::fs::write(&log, "now\n").unwrap();
        let gz = File::create(folder.path().join("app.log.2.gz")).unwrap();
        let mut gz = flate2::write::GzEncoder::new(gz, flate2::Compression::fast());
        gz.write_all(b"old one\nold two\n").unwrap();
        gz.finish().unwrap();
        std::fs::write(folder.path().join("app.log.1"), "newer\n").unwrap();
        let found = look(&log, &None);
        let names: Vec<_> =
            found.iter().map(|held| held.sibling.path.extension().unwrap().to_owned()).collect();
        assert_eq!(names, ["1", "gz"]);
        let generation = super::super::cursor::generation(b"old one");
        assert!(found[1].proves(generation, 16, super::super::cursor::check(b"old two")).is_some());
        assert!(found[1].ends_at(generation, 16, super::super::cursor::check(b"old two")));
        assert!(found[0].proves(generation, 16, super::super::cursor::check(b"old two")).is_none());
    }
}

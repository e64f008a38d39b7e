//! The rotated siblings of a log: what stands beside it in its folder under names like `NAME.1`,
//! `NAME-20261122.gz` or `STEM.2.EXT`.
//!
//! A name only makes a file a candidate; that it holds a generation is proved by content. What cannot be
//! looked at is not there for this look, and concludes nothing. Compressed siblings are decoded into an
//! unlinked temporary file, and are from then on files like any other.

use super::logfile::{Head, LogFile, head_of};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The most siblings of one log that are looked at, newest first.
pub const MAX_SIBLINGS: usize = 64;
/// The largest generation that is decoded from a compressed sibling, in bytes.
pub const MAX_DECODED_BYTES: u64 = 1 << 30;
/// The most directory entries that one look reads; a folder with more is not a log's folder.
const MAX_ENTRIES: usize = 20_000;

/// How a sibling is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// RFC 1952.
    Gzip,
    /// RFC 8878.
    Zstd,
}

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

/// The siblings of the log at `path`, newest first, at most [`MAX_SIBLINGS`].
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
        // Not `entry.metadata()`: a sibling may be a link.
        let Ok(meta) = std::fs::metadata(&path) else { continue };
        if !meta.is_file() {
            continue;
        }
        let modified = i128::from(meta.mtime()) * 1_000_000_000 + i128::from(meta.mtime_nsec());
        let stamp = Stamp { dev: meta.dev(), ino: meta.ino(), modified, size: meta.len() };
        found.push(Sibling { path, stamp, codec, rotated_name, number });
    }
    found.sort_by(|a, b| (b.stamp.modified, a.number).cmp(&(a.stamp.modified, b.number)));
    found.truncate(MAX_SIBLINGS);
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

impl Sibling {
    /// The generation that its first bytes tell.
    ///
    /// # Errors
    /// What the system or the decoder says.
    pub fn head(&self) -> io::Result<Head> {
        match self.codec {
            None => {
                let file = LogFile::open(&self.path)?;
                file.head(file.content_start()?)
            }
            Some(codec) => {
                let mut first = Vec::new();
                let limit = super::cursor::HEAD_BYTES as u64;
                decoder(codec, File::open(&self.path)?)?.take(limit).read_to_end(&mut first)?;
                Ok(head_of(&first))
            }
        }
    }

    /// Opens it for reading at any place, decoded if need be.
    ///
    /// # Errors
    /// What the system or the decoder says; `FileTooLarge` beyond [`MAX_DECODED_BYTES`].
    pub fn open(&self) -> io::Result<LogFile> {
        let Some(codec) = self.codec else { return LogFile::open(&self.path) };
        let mut spool = tempfile::tempfile()?;
        let mut decoded = decoder(codec, File::open(&self.path)?)?.take(MAX_DECODED_BYTES + 1);
        let mut buf = vec![0; 128 << 10];
        loop {
            let n = match decoded.read(&mut buf) {
                Ok(0) => break,
                Ok(n) => n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            spool.write_all(&buf[..n])?;
        }
        if decoded.limit() == 0 {
            return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too large to decode"));
        }
        LogFile::from_file(spool)
    }
}

fn decoder(codec: Codec, file: File) -> io::Result<Box<dyn Read>> {
    Ok(match codec {
        Codec::Gzip => {
            Box::new(flate2::read::MultiGzDecoder::new(io::BufReader::with_capacity(64 << 10, file)))
        }
        Codec::Zstd => Box::new(
            ruzstd::decoding::StreamingDecoder::new(io::BufReader::with_capacity(64 << 10, file))
                .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.to_string()))?,
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
        let found = siblings(&log).unwrap();
        assert_eq!(
            found.iter().map(|s| s.path.extension().unwrap().to_owned()).collect::<Vec<_>>(),
            ["1", "gz"]
        );
        let generation = super::super::cursor::generation(b"old one");
        assert_eq!(found[1].head().unwrap(), Head::Known(generation));
        assert!(found[1].open().unwrap().proves(0, generation, 16, super::super::cursor::check(b"old two")));
    }
}

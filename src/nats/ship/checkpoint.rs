//! Where a file's shipping stood, noted in a small file: it counts only where the subject is empty, because its last
//! message was older than what the stream keeps. Losing it is harmless until then.

use serde::{Deserialize, Serialize};
use std::fmt::Write as _;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How often it is written at most.
const EVERY: Duration = Duration::from_secs(1);
/// The most that is read of one.
const MOST_BYTES: u64 = 64 << 10;

/// What is noted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The version of this form: 1.
    pub(super) v: u32,
    /// The servers and the stream, for people.
    pub(super) stream: String,
    /// When the stream was made: another one of the same name knows nothing of this.
    pub(super) created: String,
    /// The subject.
    pub(super) subject: String,
    /// The number of its last message.
    pub(super) seq: u64,
    /// Where the shipper stood.
    pub(super) cursor: String,
    /// Whether all of it was shipped, and there will be no more.
    pub(super) done: bool,
    /// When, in milliseconds since 1970.
    pub(super) at: u64,
}

/// The note of one subject.
#[derive(Debug)]
pub(super) struct Checkpoint {
    path: Option<PathBuf>,
    written: Option<Instant>,
    waiting: Option<Note>,
}

impl Checkpoint {
    /// The note of a subject, below a folder; without a folder nothing is noted.
    pub(super) fn of(folder: Option<&Path>, place: &str, subject: &str) -> Checkpoint {
        let name = || {
            let digest = ring::digest::digest(&ring::digest::SHA256, format!("{place} {subject}").as_bytes());
            digest.as_ref()[..12].iter().fold(String::new(), |mut name, byte| {
                let _ = write!(name, "{byte:02x}");
                name
            })
        };
        let path = folder.map(|folder| folder.join("ship").join(name() + ".json"));
        Checkpoint { path, written: None, waiting: None }
    }

    /// What was noted. A note that cannot be read is none.
    pub(super) fn read(&self) -> Option<Note> {
        use std::io::Read;
        let file = std::fs::File::open(self.path.as_ref()?).ok()?;
        let mut text = String::new();
        file.take(MOST_BYTES).read_to_string(&mut text).ok()?;
        serde_json::from_str(&text).ok().filter(|note: &Note| note.v == 1)
    }

    /// Notes where it stands, now or with the next ones. An error leaves the old note.
    pub(super) fn note(&mut self, note: Note) -> io::Result<()> {
        self.waiting = Some(note);
        match self.written.is_none_or(|written| written.elapsed() >= EVERY) {
            true => self.flush(),
            false => Ok(()),
        }
    }

    /// Whether something waits to be written.
    pub(super) fn is_waiting(&self) -> bool {
        self.waiting.is_some() && self.path.is_some()
    }

    /// Writes what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let (Some(note), Some(path)) = (self.waiting.take(), &self.path) else { return Ok(()) };
        self.written = Some(Instant::now());
        let folder = path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)?;
        // A name of its own: another process may note the same subject.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer(&mut file, &note)?;
        file.write_all(b"\n")?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(seq: u64) -> Note {
        Note {
            v: 1,
            stream: "nats://h:4222 logs".to_owned(),
            created: "then".to_owned(),
            subject: "logs.a.b".to_owned(),
            seq,
            cursor: "c".to_owned(),
            done: false,
            at: 7,
        }
    }

    #[test]
    fn what_was_noted_is_read_back_and_the_rest_is_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut checkpoint = Checkpoint::of(Some(folder.path()), "nats://h", "logs.a.b");
        assert_eq!(checkpoint.read(), None);
        checkpoint.note(note(1)).unwrap();
        checkpoint.note(note(2)).unwrap();
        assert_eq!(checkpoint.read(), Some(note(1)));
        checkpoint.flush().unwrap();
        assert_eq!(checkpoint.read(), Some(note(2)));
        assert_eq!(Checkpoint::of(Some(folder.path()), "nats://h", "logs.a.c").read(), None);
        let path = checkpoint.path.clone().unwrap();
        for text in ["", "{", "[]", r#"{"v":2}"#, "\u{0}"] {
            std::fs::write(&path, text).unwrap();
            assert_eq!(checkpoint.read(), None, "{text}");
        }
        let mut nowhere = Checkpoint::of(None, "nats://h", "logs.a.b");
        nowhere.note(note(1)).unwrap();
        assert_eq!(nowhere.read(), None);
    }
}

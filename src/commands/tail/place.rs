//! The file that keeps the places between runs (`--cursor-file`).
//!
//! A line for each stream: the cursor after the last line that was delivered, a blank, the URL. It is replaced as a
//! whole, so that it holds the old places or the new ones. It is locked: a place belongs to one reader, and a cron
//! job that overlaps itself would print lines twice. A file that holds something else is not touched.

use crate::commands::http::events::is_id;
use crate::commands::{Failure, plain};
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// The most that is read of it.
const MOST: u64 = 4 << 20;

/// The file, locked.
#[derive(Debug)]
pub(super) struct PlaceFile {
    path: PathBuf,
    /// The lock, on the file that the path names.
    locked: File,
    /// Cursors by URL, in the order of the file.
    places: Vec<(String, String)>,
}

impl PlaceFile {
    /// Opens it, makes it if it is not there, and finds the places of these URLs.
    ///
    /// # Errors
    /// What the system says, and a file that is used, or is something else.
    pub(super) fn open(path: &Path, urls: &[String]) -> Result<PlaceFile, Failure> {
        let shown = plain(&path.to_string_lossy());
        let refused =
            |cause: &dyn std::fmt::Display| Failure::refused(format!("cannot use '{shown}': {cause}"));
        // A link stays one.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let locked = lock(&path).map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => refused(&"another logcast tail uses it")
                .help("a place belongs to one reader: choose another --cursor-file"),
            _ => refused(&error),
        })?;
        let mut text = String::new();
        let read = (&locked).take(MOST).read_to_string(&mut text);
        let places = read.ok().and_then(|_| parse(&text));
        let Some(places) = places else {
            return Err(refused(&"it holds something else than places of logcast tail")
                .help("choose another --cursor-file"));
        };
        if !places.is_empty() && !urls.iter().any(|url| places.iter().any(|(own, _)| own == url)) {
            let failure = refused(&format!("it holds the place of '{}'", plain(&places[0].0)));
            return Err(failure.help("choose another --cursor-file, or remove this one to begin anew"));
        }
        let mut file = PlaceFile { path, locked, places };
        // What cannot be written is known before a line is printed.
        file.save().map_err(|error| refused(&error))?;
        Ok(file)
    }

    /// The place of a URL.
    pub(super) fn get(&self, url: &str) -> Option<&str> {
        self.places.iter().find(|(own, _)| own == url).map(|(_, id)| id.as_str())
    }

    /// Sets the place of a URL; [`PlaceFile::save`] writes it.
    pub(super) fn set(&mut self, url: &str, id: &str) {
        match self.places.iter_mut().find(|(own, _)| own == url) {
            Some((_, own)) => id.clone_into(own),
            None => self.places.push((url.to_owned(), id.to_owned())),
        }
    }

    /// Replaces the file.
    ///
    /// # Errors
    /// What the system says.
    pub(super) fn save(&mut self) -> io::Result<()> {
        let folder = match self.path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut new = tempfile::NamedTempFile::new_in(folder)?;
        let text: String = self.places.iter().map(|(url, id)| format!("{id} {url}\n")).collect();
        new.write_all(text.as_bytes())?;
        // Locked before it has the name: nobody finds the name without its lock.
        new.as_file().try_lock().map_err(io::Error::from)?;
        self.locked = new.persist(&self.path).map_err(|error| error.error)?;
        Ok(())
    }
}

/// Opens and locks what the path names, and looks whether it still does.
fn lock(path: &Path) -> io::Result<File> {
    // A holder replaces the file several times a second; to meet each replacement is no accident.
    for _ in 0..10 {
        let file =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        let (own, named) = (file.metadata()?, std::fs::metadata(path));
        if named.is_ok_and(|named| (named.dev(), named.ino()) == (own.dev(), own.ino())) {
            return Ok(file);
        }
    }
    Err(io::ErrorKind::WouldBlock.into())
}

fn parse(text: &str) -> Option<Vec<(String, String)>> {
    let place = |line: &str| {
        let (id, url) = line.split_once(' ')?;
        (is_id(id.as_bytes()) && (url.contains("://") || url.starts_with("unix:")))
            .then(|| (url.to_owned(), id.to_owned()))
    };
    text.lines().map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(urls: &[&str]) -> Vec<String> {
        urls.iter().map(|url| (*url).to_owned()).collect()
    }

    #[test]
    fn places_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("place");
        let both = urls(&["http://a/", "http://b/"]);
        let mut file = PlaceFile::open(&path, &both).unwrap();
        assert_eq!(file.get("http://a/"), None);
        file.set("http://a/", "A1");
        file.set("http://b/", "B1");
        file.save().unwrap();
        file.set("http://a/", "A2");
        file.save().unwrap();
        // While it is in use, nobody else gets it.
        assert!(PlaceFile::open(&path, &both).unwrap_err().message.contains("another logcast tail uses it"));
        drop(file);
        let mut file = PlaceFile::open(&path, &urls(&["http://a/", "http://c/"])).unwrap();
        assert_eq!((file.get("http://a/"), file.get("http://c/")), (Some("A2"), None));
        file.save().unwrap();
        drop(file);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "A2 http://a/\nB1 http://b/\n");
        let failure = PlaceFile::open(&path, &urls(&["http://c/"])).unwrap_err();
        assert!(failure.message.contains("it holds the place of 'http://a/'"), "{failure}");
    }

    #[test]
    fn another_file_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notes");
        for text in ["my notes\n", "A1 elsewhere\n", "b\u{e4}d http://a/\n"] {
            std::fs::write(&path, text).unwrap();
            let failure = PlaceFile::open(&path, &urls(&["http://a/"])).unwrap_err();
            assert!(failure.message.contains("something else"), "{failure}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
        let failure = PlaceFile::open(&folder.path().join("none/place"), &urls(&["http://a/"])).unwrap_err();
        assert!(failure.message.ends_with("No such file or directory (os error 2)"), "{failure}");
    }
}

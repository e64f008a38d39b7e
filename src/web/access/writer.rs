//! The thread that writes the access log: what has come is written at once, in whole lines, and a file that was rotated
//! away is opened anew.

use super::{Message, Shared};
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

/// Entries that are written at once.
const BATCH: usize = 256;

fn open(path: &Path) -> io::Result<File> {
    // To open a FIFO would wait for its reader.
    if std::fs::metadata(path).is_ok_and(|meta| meta.file_type().is_fifo()) {
        return Err(io::Error::other("it is a FIFO"));
    }
    OpenOptions::new().append(true).create(true).mode(0o640).open(path)
}

/// The end of the queue.
pub(super) struct Writer {
    path: PathBuf,
    file: File,
    shared: Arc<Shared>,
    /// Whether the last line was written in part.
    torn: bool,
    failing: bool,
}

impl Writer {
    /// Opens the file, at its end.
    pub(super) fn open(path: &Path, shared: Arc<Shared>) -> io::Result<Writer> {
        Ok(Writer { path: path.to_owned(), file: open(path)?, shared, torn: false, failing: false })
    }

    /// Writes what comes, until nobody can send any more.
    pub(super) fn run(mut self, entries: &Receiver<Message>, talk: &dyn Fn(&str)) {
        let mut out = Vec::new();
        while let Ok(first) = entries.recv() {
            if self.shared.reopen.swap(false, Ordering::AcqRel) {
                match open(&self.path) {
                    Ok(file) => (self.file, self.torn) = (file, false),
                    Err(error) => self.failed(&error, talk),
                }
            }
            out.clear();
            let (mut count, mut waiting) = (0, Vec::new());
            for message in std::iter::once(first).chain(entries.try_iter()).take(BATCH) {
                match message {
                    Message::Entry(entry) => {
                        if self.torn {
                            out.push(b'\n');
                            self.torn = false;
                        }
                        if serde_json::to_writer(&mut out, &entry).is_ok() {
                            out.push(b'\n');
                            count += 1;
                        }
                    }
                    Message::Look => {}
                    Message::Flush(sender) => waiting.push(sender),
                }
            }
            match self.file.write_all(&out) {
                Ok(()) if count > 0 => self.failing = false,
                Ok(()) => {}
                Err(error) => {
                    self.torn = true;
                    self.shared.lost.add(count);
                    self.failed(&error, talk);
                }
            }
            drop(waiting);
        }
    }

    fn failed(&mut self, error: &io::Error, talk: &dyn Fn(&str)) {
        if !std::mem::replace(&mut self.failing, true) {
            talk(&format!("warning: cannot write '{}': {error}", self.path.display()));
        }
    }
}

//! The place of a reader in a stream: all before it was delivered.
//!
//! Mostly it is the last id, which names every file. Where a server follows more files than an id can hold, an id names
//! one of them and begins with `~`; then the ids of the files are put together here, in the form that the server reads.
//! An id that is not understood is kept as it is: to a client it is opaque.

use crate::log::cursor::{Cursor, Entry, MAX_GIVEN_BYTES};
use std::collections::BTreeMap;

/// The place.
#[derive(Debug, Default)]
pub(in crate::commands) struct Kept {
    /// The last id that named all files; what is in `files` is newer.
    id: Option<String>,
    /// By the key of a file what was delivered of it, a life after the other. Empty while ids name all files.
    files: BTreeMap<u32, Vec<Entry>>,
    /// Whether every file that was there is in `files`.
    whole: bool,
    /// Whether it is from an earlier run, whose files are all that is known.
    given: bool,
}

impl Kept {
    /// A place of an earlier run.
    pub(in crate::commands) fn new(id: Option<String>) -> Kept {
        let mut kept = Kept::default();
        if let Some(id) = id {
            kept.take(&id);
            kept.given = true;
        }
        kept
    }

    /// Takes an id over.
    pub(in crate::commands) fn take(&mut self, id: &str) {
        let Some(cursor) = id.starts_with('~').then(|| Cursor::parse(id.as_bytes())).flatten() else {
            self.files.clear();
            match &mut self.id {
                Some(own) => id.clone_into(own),
                None => self.id = Some(id.to_owned()),
            }
            return;
        };
        // The last id of all files is where the others still stand.
        if let Some(cursor) = self.id.take().and_then(|id| Cursor::parse(id.as_bytes())) {
            self.whole = !cursor.partial;
            for entry in cursor.entries {
                self.files.entry(entry.key).or_default().push(entry);
            }
        }
        for (at, entry) in cursor.entries.iter().enumerate() {
            let own = self.files.entry(entry.key).or_default();
            if cursor.entries[..at].iter().all(|other| other.key != entry.key) {
                own.clear();
            }
            own.push(*entry);
        }
    }

    /// Every file that there was has been told.
    pub(in crate::commands) fn told_all(&mut self) {
        self.whole = true;
    }

    /// The place as a server takes it, and as a file keeps it; none before all files have been told: a server would take
    /// those that an id does not name as read.
    pub(in crate::commands) fn text(&self) -> Option<String> {
        if self.files.is_empty() {
            return self.id.clone();
        }
        if !self.whole && !self.given {
            return None;
        }
        let (mut out, mut whole) = (Vec::new(), self.whole);
        for entries in self.files.values() {
            let before = out.len();
            for entry in entries {
                if !out.is_empty() {
                    out.push(b'.');
                }
                entry.push(&mut out);
            }
            // One byte is for the mark.
            if out.len() >= MAX_GIVEN_BYTES {
                out.truncate(before);
                whole = false;
                break;
            }
        }
        let text: String = out.into_iter().map(char::from).collect();
        Some(if whole { text } else { format!("~{text}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(key: u32, generation: u64, offset: u64) -> Entry {
        Entry { key, generation, tie: 1, check: 2, offset }
    }

    fn id(partial: bool, entries: &[Entry]) -> String {
        Cursor { entries: entries.to_vec(), partial }.to_text()
    }

    #[test]
    fn an_id_of_all_files_is_the_place() {
        let mut kept = Kept::new(None);
        assert_eq!(kept.text(), None);
        for own in ["whatever", "a.b-c~_", &id(false, &[entry(1, 1, 5), entry(2, 1, 6)])] {
            kept.take(own);
            assert_eq!(kept.text().as_deref(), Some(own));
        }
    }

    #[test]
    fn ids_of_files_are_put_together() {
        let mut kept = Kept::new(Some(id(false, &[entry(3, 1, 5), entry(1, 1, 6)])));
        kept.take(&id(true, &[entry(2, 9, 7)]));
        kept.take(&id(true, &[entry(3, 1, 8), entry(3, 2, 0)]));
        let expected = [entry(1, 1, 6), entry(2, 9, 7), entry(3, 1, 8), entry(3, 2, 0)];
        assert_eq!(kept.text(), Some(id(false, &expected)));
        // It comes back out of a file as it was.
        let mut again = Kept::new(kept.text());
        again.take(&id(true, &[entry(3, 2, 4)]));
        assert_eq!(again.text(), Some(id(false, &[entry(1, 1, 6), entry(2, 9, 7), entry(3, 2, 4)])));
    }

    #[test]
    fn what_is_not_known_whole_is_marked() {
        let mut kept = Kept::new(None);
        kept.take(&id(true, &[entry(1, 1, 6)]));
        // Cut before the other files were told: it begins anew.
        assert_eq!(kept.text(), None);
        kept.told_all();
        assert_eq!(kept.text(), Some(id(false, &[entry(1, 1, 6)])));
        for key in 2..1000 {
            kept.take(&id(true, &[entry(key, 1, 6)]));
        }
        let text = kept.text().unwrap();
        assert!(text.len() <= MAX_GIVEN_BYTES && text.starts_with('~'));
        let cursor = Cursor::parse(text.as_bytes()).unwrap();
        assert!(cursor.partial && cursor.entries.len() > 350, "{}", cursor.entries.len());
        // An earlier run knew no more.
        assert_eq!(Kept::new(Some(text.clone())).text(), Some(text));
    }
}

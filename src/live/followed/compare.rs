//! What became of a path, from what was seen and what is found. Pure.

use crate::log::logfile::Ident;

/// What a path was found to name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// No file.
    Nothing,
    /// A regular file.
    File(Ident),
}

/// What became of a path since it was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It names what it named.
    Same,
    /// It names nothing any more (or still nothing).
    Missing,
    /// It names another file.
    Replaced,
}

/// Compares what a path named with what it names. An open file's inode cannot be used again, so device and
/// inode decide.
pub fn compare(seen: Option<Ident>, found: Found) -> Change {
    match (seen, found) {
        (_, Found::Nothing) => Change::Missing,
        (Some(seen), Found::File(found)) if (seen.dev, seen.ino) == (found.dev, found.ino) => Change::Same,
        _ => Change::Replaced,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_happened_is_found_by_comparing() {
        let ident = |ino| Ident { dev: 1, ino, born: 0 };
        assert_eq!(compare(None, Found::Nothing), Change::Missing);
        assert_eq!(compare(Some(ident(1)), Found::Nothing), Change::Missing);
        assert_eq!(compare(None, Found::File(ident(1))), Change::Replaced);
        assert_eq!(compare(Some(ident(1)), Found::File(ident(1))), Change::Same);
        assert_eq!(compare(Some(ident(1)), Found::File(ident(2))), Change::Replaced);
    }
}

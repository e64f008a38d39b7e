//! Names of files before lines: the shortest end of a path that no other has.

use std::collections::{HashMap, HashSet};

/// The most files that are remembered, as many as a server may have.
const MOST: usize = 10_000;
/// How far names are padded: a longer one is shown whole, and stands out.
const WIDEST: usize = 24;

/// The names of a stream's files.
#[derive(Debug, Default)]
pub(super) struct Labels {
    /// By name: what is shown of it, and its number.
    known: HashMap<String, (String, usize)>,
    shown: HashSet<String>,
    width: usize,
}

impl Labels {
    /// For the files that are there.
    pub(super) fn new<'a>(names: impl Iterator<Item = &'a str>) -> Labels {
        let mut labels = Labels::default();
        let mut seen = HashSet::new();
        let names: Vec<&str> = names.filter(|name| seen.insert(*name)).take(MOST).collect();
        let mut found: Vec<Option<&str>> = vec![None; names.len()];
        let mut parts = 1;
        while found.iter().any(Option::is_none) {
            let mut count: HashMap<&str, usize> = HashMap::new();
            let open = || names.iter().zip(&found).filter(|(_, found)| found.is_none());
            open().for_each(|(name, _)| *count.entry(end(name, parts)).or_default() += 1);
            let count = count;
            for (name, found) in names.iter().zip(&mut found).filter(|(_, found)| found.is_none()) {
                let short = end(name, parts);
                if count[short] == 1 || short.len() == name.len() {
                    *found = Some(short);
                }
            }
            parts += 1;
        }
        for (name, short) in names.into_iter().zip(found) {
            labels.add(name, short.unwrap_or(name).to_owned());
        }
        labels
    }

    fn add(&mut self, name: &str, shown: String) {
        self.width = self.width.max(shown.chars().count()).min(WIDEST);
        self.shown.insert(shown.clone());
        self.known.insert(name.to_owned(), (shown, self.known.len()));
    }

    /// What is shown of a file, padded, and its number. One that is new has a name that none of the others has: those
    /// keep theirs.
    pub(super) fn get(&mut self, name: &str) -> (String, usize) {
        if !self.known.contains_key(name) && self.known.len() < MOST {
            let short = (1..).map(|parts| end(name, parts));
            let short =
                short.take_while(|short| short.len() < name.len()).find(|short| !self.shown.contains(*short));
            self.add(name, crate::commands::plain(short.unwrap_or(name)));
        }
        let width = self.width;
        match self.known.get(name) {
            Some((shown, number)) => (format!("{:width$}", crate::commands::plain(shown)), *number),
            None => (crate::commands::plain(name), 0),
        }
    }
}

/// The last parts of a path.
fn end(name: &str, parts: usize) -> &str {
    let at = name.char_indices().rev().filter(|(_, c)| *c == '/').nth(parts - 1).map(|(at, _)| at + 1);
    match at {
        // A slash at the end, or two of them, leave nothing.
        Some(at) if !name[at..].trim_matches('/').is_empty() => &name[at..],
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_end_that_no_other_has() {
        for (names, expected) in [
            (&["/var/log/a.log", "/var/log/b.log"][..], &["a.log", "b.log"][..]),
            (&["/x/a.log", "/y/a.log", "c"], &["x/a.log", "y/a.log", "c      "]),
            (&["a.log", "x/a.log"], &["a.log  ", "x/a.log"]),
            (&["a", "a"], &["a", "a"]),
            (&["/", "//", "a/"], &["/ ", "//", "a/"]),
            (&["a\u{1b}b"], &["a\\u{1b}b"]),
        ] {
            let mut labels = Labels::new(names.iter().copied());
            let shown: Vec<String> = names.iter().map(|name| labels.get(name).0).collect();
            assert_eq!(shown, expected, "{names:?}");
        }
    }

    #[test]
    fn one_that_comes_later_takes_no_name_away() {
        let mut labels = Labels::new(["/x/a.log"].into_iter());
        assert_eq!(labels.get("/y/a.log").0, "y/a.log");
        assert_eq!(labels.get("/x/a.log").0, "a.log  ");
        let long = format!("/z/{}", "w".repeat(50));
        assert_eq!(labels.get(&long), ("w".repeat(50), 2));
        assert_eq!(labels.get("/x/a.log").0.len(), WIDEST);
    }

    #[test]
    fn memory_is_bounded() {
        let mut labels = Labels::default();
        for number in 0..MOST + 10 {
            labels.get(&format!("f{number}"));
        }
        assert_eq!(labels.known.len(), MOST);
    }
}

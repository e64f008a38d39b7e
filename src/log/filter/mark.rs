//! Patterns that are marked in lines which are shown, whether or not they choose lines.

use super::pattern::{self, Pattern};
use super::{FilterError, MOST_PATTERNS};
use std::ops::Range;

/// The most marks in one line: more tell nobody anything.
const MOST_MARKS: usize = 200;

/// What is marked; patterns as in a filter, capitals matter in one that has a capital.
#[derive(Debug, Default)]
pub struct Marks(Vec<Pattern>);

impl Marks {
    /// Patterns in the order in which they count.
    ///
    /// # Errors
    /// What is no pattern, as parameter `highlight`.
    pub fn new(patterns: &[String]) -> Result<Marks, FilterError> {
        if patterns.len() > MOST_PATTERNS {
            let message = format!("more than {MOST_PATTERNS} patterns");
            return Err(FilterError { parameter: "highlight", offset: None, message });
        }
        pattern::marking(patterns).map(Marks)
    }

    /// True if nothing is marked.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where a line's text is marked, in order and apart, with the number of the pattern; where two meet the first
    /// pattern counts.
    pub fn find(&self, text: &str) -> Vec<(Range<usize>, usize)> {
        let mut found: Vec<(Range<usize>, usize)> = Vec::new();
        for (number, pattern) in self.0.iter().enumerate() {
            let before = found.len();
            pattern.find_in(text.as_bytes(), |range| {
                let apart =
                    |(own, _): &(Range<usize>, usize)| own.end <= range.start || range.end <= own.start;
                // A pattern can ask for bytes that are half a character.
                let whole = text.is_char_boundary(range.start) && text.is_char_boundary(range.end);
                if whole && !range.is_empty() && found[..before].iter().all(apart) {
                    found.push((range, number));
                }
                found.len() < MOST_MARKS
            });
        }
        found.sort_unstable_by_key(|(range, _)| range.start);
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_pattern_counts() {
        let marks = |patterns: &[&str], text: &str| {
            let patterns: Vec<String> = patterns.iter().map(|text| (*text).to_owned()).collect();
            Marks::new(&patterns).unwrap().find(text)
        };
        assert_eq!(marks(&["b+", "abc|c"], "abbc abc"), [(1..3, 0), (3..4, 1), (6..7, 0)]);
        assert_eq!(marks(&["Err", "err"], "Err ERR"), [(0..3, 0), (4..7, 1)]);
        assert_eq!(marks(&["x*", "$"], "ab"), []);
        assert_eq!(marks(&[r"(?-u)\xc3"], "\u{e4}"), []);
        assert_eq!(marks(&["a"], &"a".repeat(1000)).len(), MOST_MARKS);
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        let error = Marks::new(&["ok".to_owned(), "a(".to_owned()]).unwrap_err();
        assert_eq!((error.parameter, error.offset), ("highlight", Some(1)));
        assert!(Marks::new(&vec!["a".to_owned(); 17]).is_err());
    }
}

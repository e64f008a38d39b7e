//! Where shown lines are in their file, when they are not as long there as they are shown.
//!
//! A run of lines is addressed by the bytes of the file, whatever was replaced in it: cursors, offsets and ranges keep
//! their meaning. Only lines whose length changed cost an entry; a run of which nothing was changed has an empty map.

/// The shift of places in shown lines, from some lines' ends on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Map(Vec<(u64, i64)>);

impl Map {
    /// The map of lines that are as long as they are in the file.
    pub const SAME: &'static Map = &Map(Vec::new());

    /// Whether nothing is shifted.
    pub fn is_same(&self) -> bool {
        self.0.is_empty()
    }

    /// Says that the shown place `at`, a line's end behind those told before, is the place `raw` of the run in the file.
    pub fn push(&mut self, at: u64, raw: u64) {
        let shift = raw as i64 - at as i64;
        if self.0.last().map_or(0, |&(_, last)| last) != shift {
            self.0.push((at, shift));
        }
    }

    /// The place in the run of the file where a shown line begins or ends.
    #[inline]
    pub fn raw(&self, at: u64) -> u64 {
        match self.0.is_empty() {
            true => at,
            false => self.shifted(at),
        }
    }

    fn shifted(&self, at: u64) -> u64 {
        let known = self.0.partition_point(|&(from, _)| from <= at);
        let shift = known.checked_sub(1).map_or(0, |last| self.0[last].1);
        at.saturating_add_signed(shift)
    }

    /// Where in what is shown the place `raw` of the run in the file is, where a line begins or ends.
    pub fn shown(&self, raw: u64) -> u64 {
        let known = self.0.partition_point(|&(at, shift)| at.saturating_add_signed(shift) <= raw);
        let shift = known.checked_sub(1).map_or(0, |last| self.0[last].1);
        raw.saturating_add_signed(-shift)
    }

    /// Adds the map of a run that follows: it begins at the shown place `at`, and at `raw` in the file.
    pub fn append(&mut self, (at, raw): (u64, u64), next: &Map) {
        self.push(at, raw);
        for &(own, shift) in &next.0 {
            self.push(at + own, raw + own.saturating_add_signed(shift));
        }
    }

    /// The map of what is shown from a line's start on.
    pub fn from(&self, at: u64) -> Map {
        let first = self.raw(at);
        let mut rest = Map::default();
        for &(own, shift) in &self.0[self.0.partition_point(|&(own, _)| own <= at)..] {
            rest.push(own - at, own.saturating_add_signed(shift) - first);
        }
        rest
    }

    /// Forgets what is before a shown place that nobody will ask for again.
    pub fn forget(&mut self, before: u64) {
        let known = self.0.partition_point(|&(own, _)| own <= before);
        // The last of them is the shift that holds there.
        self.0.drain(..known.saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Lines as (shown, in the file), each at least a newline long.
    fn lines() -> impl Strategy<Value = Vec<(u64, u64)>> {
        prop::collection::vec((1u64..9, prop_oneof![Just(0u64), 1u64..9]), 0..40)
            .prop_map(|lines| lines.into_iter().map(|(a, b)| (a, if b == 0 { a } else { b })).collect())
    }

    fn map(lines: &[(u64, u64)]) -> (Map, Vec<(u64, u64)>) {
        let (mut map, mut at, mut ends) = (Map::default(), (0, 0), vec![(0, 0)]);
        for (shown, raw) in lines {
            at = (at.0 + shown, at.1 + raw);
            map.push(at.0, at.1);
            ends.push(at);
        }
        (map, ends)
    }

    proptest! {
        #[test]
        fn every_line_is_where_it_is(lines in lines(), cut in 0usize..40) {
            let (mut whole, ends) = map(&lines);
            for &(at, raw) in &ends {
                prop_assert_eq!(whole.raw(at), raw);
                prop_assert_eq!(whole.shown(raw), at);
            }
            prop_assert_eq!(whole.is_same(), lines.iter().all(|(shown, raw)| shown == raw));
            // In two parts, and without the first.
            let cut = cut.min(lines.len());
            let (mut joined, _) = map(&lines[..cut]);
            let (second, _) = map(&lines[cut..]);
            joined.append(ends[cut], &second);
            prop_assert_eq!(&joined, &whole);
            prop_assert_eq!(&whole.from(ends[cut].0), &second);
            whole.forget(ends[cut].0);
            for &(at, raw) in &ends[cut..] {
                prop_assert_eq!(whole.raw(at), raw);
            }
        }
    }
}

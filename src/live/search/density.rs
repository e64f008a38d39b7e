//! Where in a life its hits are, coarsely: what a scrollbar shows of them.

use std::fmt::Write;

/// Into how many parts a life is divided, and the smallest part.
pub(super) const PARTS: u64 = 512;
const MIN_PART: u64 = 64 << 10;

/// Hits per part of the life that is searched.
#[derive(Debug, Default)]
pub(super) struct Density {
    begin: u64,
    pub(super) part: u64,
    counts: Vec<u64>,
    changed: Vec<bool>,
}

impl Density {
    pub(super) fn of(begin: u64, end: u64) -> Density {
        let part = (end - begin).div_ceil(PARTS).max(MIN_PART);
        let parts = (end - begin).div_ceil(part) as usize;
        Density { begin, part, counts: vec![0; parts], changed: vec![false; parts] }
    }

    pub(super) fn add(&mut self, offset: u64) {
        let at = ((offset - self.begin) / self.part) as usize;
        self.counts[at] += 1;
        self.changed[at] = true;
    }

    /// What changed since the last time, as pairs.
    pub(super) fn take(&mut self) -> Option<String> {
        let mut out = String::new();
        for (at, changed) in self.changed.iter_mut().enumerate() {
            if std::mem::take(changed) {
                let comma = if out.is_empty() { "" } else { "," };
                let _ = write!(out, "{comma}[{at},{}]", self.counts[at]);
            }
        }
        (!out.is_empty()).then_some(out)
    }
}

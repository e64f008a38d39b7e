//! How many lines of each level there were when: counts by buckets of time, and histograms made of them.
//!
//! Promise: a [`Tally`] is exact and holds at most [`MOST_BUCKETS`] buckets. Only buckets that have lines are kept, so
//! times far apart cost nothing; where there are more, all become twice as wide. A line with a time of its own counts
//! there, in whatever order times come, one without where the line above does; lines before the first time count
//! nowhere. A line of 1970 or 2200 between those of today therefore costs one bucket, and [`range`] leaves it out of
//! what is shown unless somebody asks for that time; years before and after are no times to the [reader](Reader).

use super::lines::lines;
use super::record::{Inherited, Level, Reader, Want};

/// The most buckets: enough for each of 1000 that are asked for, 160 KiB.
pub const MOST_BUCKETS: usize = 4096;
/// How many counts a bucket has: one for each level, the worst first, and one for lines without.
pub const COLUMNS: usize = 7;
/// Their names, in order.
pub const NAMES: [&str; COLUMNS] = ["fatal", "error", "warn", "info", "debug", "trace", "none"];

/// No log is older, in milliseconds: 1990. What says so was written by a clock that was not set.
const OLDEST: i64 = 631_152_000_000;
/// How far a clock may be ahead of ours.
const AHEAD: i64 = 86_400_000;
/// Of how many lines one may stand far from all others before it counts for the range.
const STRAY: f64 = 1000.0;

/// Counts of a time, exact or about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Milliseconds since 1970.
    pub from: i64,
    /// Just past it.
    pub to: i64,
    /// Lines by column.
    pub counts: [f64; COLUMNS],
}

impl Stretch {
    fn lines(&self) -> f64 {
        self.counts.iter().sum()
    }
}

/// Exact counts by buckets.
#[derive(Debug, Clone)]
pub struct Tally {
    /// A bucket is as many milliseconds as this power of two.
    shift: u32,
    /// The number and the counts of each bucket that has lines, in order.
    buckets: Vec<(i64, [u32; COLUMNS])>,
    /// The one that was counted in last.
    last: usize,
    inherited: Inherited,
    within: (i64, i64),
}

impl Default for Tally {
    fn default() -> Tally {
        Tally::within(i64::MIN, i64::MAX)
    }
}

impl Tally {
    /// Counts the lines of all times from `from` on and before `to`, in milliseconds.
    pub fn within(from: i64, to: i64) -> Tally {
        let inherited = Inherited::default();
        Tally { shift: 0, buckets: Vec::new(), last: 0, inherited, within: (from, to) }
    }

    /// Goes on by a run of whole lines.
    pub fn pass(&mut self, run: &[u8], reader: &Reader) {
        for line in lines(run) {
            self.inherited.step(line.text, reader, Want { time: true, level: true });
            if let Some(time) = self.inherited.time {
                let time = time.as_millisecond();
                if self.within.0 <= time && time < self.within.1 {
                    self.add(time, column(self.inherited.level));
                }
            }
        }
    }

    fn add(&mut self, time: i64, column: usize) {
        let bucket = time >> self.shift;
        if self.buckets.get(self.last).is_none_or(|(own, _)| *own != bucket) {
            match self.buckets.binary_search_by_key(&bucket, |(own, _)| *own) {
                Ok(at) => self.last = at,
                Err(_) if self.buckets.len() == MOST_BUCKETS => {
                    self.widen();
                    return self.add(time, column);
                }
                Err(at) => {
                    self.buckets.insert(at, (bucket, [0; COLUMNS]));
                    self.last = at;
                }
            }
        }
        let count = &mut self.buckets[self.last].1[column];
        *count = count.saturating_add(1);
    }

    fn widen(&mut self) {
        self.shift += 1;
        let mut kept = 0;
        for at in 0..self.buckets.len() {
            let (bucket, counts) = self.buckets[at];
            let bucket = bucket >> 1;
            if kept > 0 && self.buckets[kept - 1].0 == bucket {
                let own = &mut self.buckets[kept - 1].1;
                own.iter_mut().zip(counts).for_each(|(own, more)| *own = own.saturating_add(more));
            } else {
                self.buckets[kept] = (bucket, counts);
                kept += 1;
            }
        }
        self.buckets.truncate(kept);
        self.last = 0;
    }

    /// How wide a bucket is, in milliseconds.
    pub fn width(&self) -> i64 {
        1 << self.shift
    }

    /// The buckets that have lines, in order.
    pub fn stretches(&self) -> Vec<Stretch> {
        let stretch = |&(bucket, counts): &(i64, [u32; COLUMNS])| Stretch {
            from: bucket << self.shift,
            to: (bucket + 1) << self.shift,
            counts: counts.map(f64::from),
        };
        self.buckets.iter().map(stretch).collect()
    }
}

/// The column of a level.
pub fn column(level: Option<Level>) -> usize {
    level.map_or(COLUMNS - 1, |level| Level::Fatal as usize - level as usize)
}

/// The time that is worth showing, `None` if no line has one. Times before 1990 and those more than a day after `now`
/// are left out if there are others; so is the thousandth part of all lines at the beginning, if it is
/// further from the rest than that is long. The end is where the last line is.
pub fn range(stretches: &[Stretch], now: i64) -> Option<(i64, i64)> {
    let credible = |stretch: &&Stretch| stretch.from >= OLDEST && stretch.from <= now + AHEAD;
    let mut kept: Vec<&Stretch> = stretches.iter().filter(credible).collect();
    let any_credible = !kept.is_empty();
    if !any_credible {
        kept = stretches.iter().collect();
    }
    kept.sort_by_key(|stretch| stretch.from);
    let stray = (kept.iter().map(|stretch| stretch.lines()).sum::<f64>() / STRAY).floor();
    let low = behind(kept.iter().copied(), stray)?.from;
    let high = behind(kept.iter().rev().copied(), stray)?.to;
    let span = (high - low).max(1);
    let from = kept.iter().find(|stretch| stretch.from >= low - span)?.from;
    let last = kept.iter().filter(|stretch| any_credible || stretch.to <= high + span);
    Some((from, last.map(|stretch| stretch.to).max()?.max(high)))
}

/// The stretch that holds the line behind the first `stray` ones.
fn behind<'a>(mut stretches: impl Iterator<Item = &'a Stretch>, stray: f64) -> Option<&'a Stretch> {
    let mut seen = 0.0;
    stretches.find(|stretch| {
        seen += stretch.lines();
        seen > stray
    })
}

/// Counts by buckets of equal width.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Histogram {
    /// Where the first bucket begins, in milliseconds since 1970.
    pub start: i64,
    /// How wide one is, in milliseconds.
    pub bucket: i64,
    /// The counts.
    pub counts: Vec<[u64; COLUMNS]>,
}

impl Histogram {
    /// At most `buckets` buckets from `from` up to `to`. Their edges are multiples of `unit`: where that is how wide the
    /// buckets of a [`Tally`] are, the counts are exact; a stretch that lies in more than one is spread evenly.
    pub fn of(stretches: &[Stretch], (from, to): (i64, i64), buckets: usize, unit: i64) -> Histogram {
        let start = from.div_euclid(unit) * unit;
        let length = (to - start).max(0);
        let buckets = buckets.max(1) as i64;
        let bucket = ((length + buckets - 1) / buckets).max(1);
        let bucket = (bucket + unit - 1) / unit * unit;
        let number = (length + bucket - 1) / bucket;
        let mut sums = vec![[0.0; COLUMNS]; number as usize];
        let end = start + number * bucket;
        for stretch in stretches.iter().filter(|stretch| stretch.to > start && stretch.from < end) {
            let whole = (stretch.to - stretch.from).max(1) as f64;
            let first = (stretch.from.max(start) - start) / bucket;
            let last = (stretch.to.min(end) - 1 - start) / bucket;
            for at in first..=last {
                let own = start + at * bucket;
                let part = stretch.to.min(own + bucket) - stretch.from.max(own);
                let share = part as f64 / whole;
                let sums = &mut sums[at as usize];
                sums.iter_mut().zip(stretch.counts).for_each(|(sum, count)| *sum += count * share);
            }
        }
        // What is lost by rounding here is given there: the sum of a column is right.
        let (mut exact, mut told) = ([0.0; COLUMNS], [0; COLUMNS]);
        let counts = sums.into_iter().map(|sums| {
            std::array::from_fn(|column| {
                exact[column] += sums[column];
                let count = (exact[column].round() as u64).saturating_sub(told[column]);
                told[column] += count;
                count
            })
        });
        Histogram { start, bucket, counts: counts.collect() }
    }

    /// How many lines it counts.
    pub fn lines(&self) -> u64 {
        self.counts.iter().flatten().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::log::record::Options;
    use jiff::Timestamp;
    use jiff::tz::TimeZone;
    use proptest::prelude::*;

    const NOW: i64 = 1_795_608_000_000;

    fn reader() -> Reader {
        Reader::new(&Options { now: Timestamp::from_millisecond(NOW).unwrap(), zone: TimeZone::UTC })
    }

    fn passed(lines: &[(i64, &str)]) -> Tally {
        let mut tally = Tally::default();
        for (time, rest) in lines {
            let time = Timestamp::from_millisecond(*time).unwrap();
            tally.pass(format!("{time:.3} {rest}\n").as_bytes(), &reader());
        }
        tally
    }

    #[test]
    fn a_level_s_column_has_its_name() {
        for level in Level::ALL {
            assert_eq!(NAMES[column(Some(level))], level.name());
        }
        assert_eq!(NAMES[column(None)], "none");
    }

    #[test]
    fn a_line_counts_where_its_record_does() {
        let mut tally = Tally::default();
        tally.pass(
            b"no time yet\n2026-11-25T10:00:00Z ERROR broken\n    at main.rs:5\n2026-11-25T10:00:01Z more\nand\n",
            &reader(),
        );
        let histogram = Histogram::of(&tally.stretches(), range(&tally.stretches(), NOW).unwrap(), 2, 1);
        let (error, none) = (column(Some(Level::Error)), column(None));
        assert_eq!(histogram.lines(), 4);
        assert_eq!((histogram.counts[0][error], histogram.counts[1][none]), (2, 2));
    }

    #[test]
    fn hostile_times_ruin_nothing() {
        let lines: Vec<(i64, &str)> = (0..5_000).map(|n| (NOW - 600_000 + n * 100, "INFO x")).collect();
        let mut tally = passed(&lines);
        let width = tally.width();
        tally.pass(
            b"0001-01-01T00:00:00Z WARN a\n2199-12-31T23:00:00Z WARN b\n1970-01-01T00:00:00Z WARN c\n",
            &reader(),
        );
        assert!(tally.width() <= 2 * width, "{} {width}", tally.width());
        let all = tally.stretches();
        let (from, to) = range(&all, NOW).unwrap();
        assert!(from > NOW - 601_000 && to < NOW, "{from} {to}");
        assert_eq!(Histogram::of(&all, (from, to), 120, tally.width()).lines(), 5_001, "a year 1 is no time");
        // Who asks for that time sees the line.
        let asked = (0, 1_000);
        assert_eq!(Histogram::of(&all, asked, 10, tally.width()).lines(), 1);
    }

    #[test]
    fn a_stray_line_of_the_past_is_no_beginning_but_the_last_line_is_the_end() {
        let mut lines: Vec<(i64, &str)> = (0..2_000).map(|n| (NOW - 90_000_000 + n * 100, "x")).collect();
        lines.push((NOW - 9_000_000_000, "stray"));
        lines.push((NOW, "after a day"));
        let all = passed(&lines).stretches();
        let (from, to) = range(&all, NOW).unwrap();
        assert!((NOW - 90_100_000..=NOW - 90_000_000).contains(&from), "{from}");
        assert!(to > NOW);
        assert_eq!(range(&[], NOW), None);
        // A clock that was never set is the only one there is.
        let all = passed(&[(5_000, "a"), (6_000, "b")]).stretches();
        assert_eq!(range(&all, NOW), Some((5_000, 6_001)));
    }

    proptest! {
        #[test]
        fn any_times_are_counted_as_one_by_one(
            times in prop::collection::vec(prop_oneof![NOW - 100_000..NOW, 1..7_000_000_000_000i64], 1..300),
            buckets in 1usize..200,
        ) {
            let tally = passed(&times.iter().map(|&time| (time, "INFO x")).collect::<Vec<_>>());
            let all = tally.stretches();
            let (low, high) = (*times.iter().min().unwrap(), *times.iter().max().unwrap());
            let histogram = Histogram::of(&all, (low, high + 1), buckets, tally.width());
            prop_assert!(histogram.counts.len() <= buckets);
            for (at, counts) in histogram.counts.iter().enumerate() {
                let from = histogram.start + at as i64 * histogram.bucket;
                let naive = times.iter().filter(|&&time| time >= from && time < from + histogram.bucket).count();
                prop_assert_eq!(counts.iter().sum::<u64>(), naive as u64);
            }
            prop_assert_eq!(histogram.lines(), times.len() as u64);
        }
    }

    #[test]
    fn the_table_is_bounded_whatever_comes() {
        let mut tally = Tally::default();
        let mut rng = fastrand::Rng::with_seed(7);
        for _ in 0..100_000 {
            tally.add(rng.i64(-62_000_000_000_000..253_000_000_000_000), 0);
            assert!(tally.buckets.len() <= MOST_BUCKETS);
        }
        let sum: f64 = tally.stretches().iter().map(|stretch| stretch.counts[0]).sum();
        assert_eq!(sum, 100_000.0);
    }

    #[test]
    fn what_is_spread_keeps_its_sum() {
        let stretch = Stretch { from: 0, to: 1_000, counts: [0.0, 10.0, 0.4, 0.4, 0.0, 0.0, 7.0] };
        let histogram = Histogram::of(&[stretch, stretch], (0, 1_000), 7, 1);
        assert_eq!(histogram.counts.len(), 7);
        assert_eq!(histogram.lines(), 20 + 1 + 1 + 14);
        assert!(histogram.counts.iter().all(|counts| (2..=4).contains(&counts[1])));
        assert!(Histogram::of(&[stretch], (5, 5), 7, 1).counts.is_empty());
    }
}

//! How many records a second: always the same number, or bursts.
//!
//! Bursts come in rounds of ten seconds: seven at the low rate, three at the high one. So it is a function of time,
//! and a start with a rate gives the same times wherever and whenever it runs.

/// The seconds of a round.
const ROUND: f64 = 10.0;
/// How many of them are quiet.
const QUIET: f64 = 7.0;

/// A rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    low: f64,
    high: f64,
}

impl Rate {
    /// As fast as it can.
    pub const FULL: Rate = Rate { low: 0.0, high: 0.0 };

    /// The same number each second; 0 is as fast as it can.
    pub fn steady(rate: f64) -> Rate {
        Rate { low: rate, high: rate }
    }

    /// `5`, `0.2`, or `10..1000`.
    pub fn parse(text: &str) -> Option<Rate> {
        let number = |text: &str| -> Option<f64> {
            text.trim().parse().ok().filter(|rate: &f64| rate.is_finite() && (0.0..=1e9).contains(rate))
        };
        match text.split_once("..") {
            None => number(text).map(Rate::steady),
            Some((low, high)) => {
                let (low, high) = (number(low)?, number(high)?);
                (high > 0.0 && low <= high).then_some(Rate { low, high })
            }
        }
    }

    /// Whether there is no limit.
    pub fn is_full(&self) -> bool {
        self.high <= 0.0
    }

    /// How many records there are after so many seconds.
    pub fn records(&self, seconds: f64) -> f64 {
        if self.low == self.high {
            return seconds * self.low;
        }
        let rounds = (seconds / ROUND).floor();
        let within = seconds - rounds * ROUND;
        rounds * self.round() + within.min(QUIET) * self.low + (within - QUIET).max(0.0) * self.high
    }

    /// After how many seconds a record is due; the first one, number 0, at once.
    pub fn seconds(&self, record: f64) -> f64 {
        if self.low == self.high {
            return record / self.low;
        }
        let rounds = (record / self.round()).floor();
        let within = record - rounds * self.round();
        let quiet = QUIET * self.low;
        let seconds = if within < quiet { within / self.low } else { QUIET + (within - quiet) / self.high };
        rounds * ROUND + seconds
    }

    /// The records of a round.
    fn round(&self) -> f64 {
        QUIET * self.low + (ROUND - QUIET) * self.high
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read() {
        assert_eq!(Rate::parse("5"), Some(Rate { low: 5.0, high: 5.0 }));
        assert_eq!(Rate::parse("10..1000"), Some(Rate { low: 10.0, high: 1000.0 }));
        assert_eq!(Rate::parse("0..3"), Some(Rate { low: 0.0, high: 3.0 }));
        assert!(Rate::parse("0").is_some_and(|rate| rate.is_full()));
        for wrong in ["", "fast", "-1", "inf", "nan", "2e9", "10..", "..10", "9..1", "0..0", "1..2..3"] {
            assert_eq!(Rate::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn times_and_records_agree() {
        for text in ["5", "0.25", "10..1000", "0..3", "3.3..3.4"] {
            let rate = Rate::parse(text).unwrap();
            let mut last = -1.0;
            for record in 0..5000 {
                let seconds = rate.seconds(f64::from(record));
                assert!(seconds >= last, "{text} {record}");
                assert!(
                    (rate.records(seconds) - f64::from(record)).abs() < 1e-6,
                    "{text} {record} {seconds}"
                );
                last = seconds;
            }
        }
        let bursts = Rate::parse("10..1000").unwrap();
        assert_eq!((bursts.records(7.0), bursts.records(8.0), bursts.records(10.0)), (70.0, 1070.0, 3070.0));
    }
}

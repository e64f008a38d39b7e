//! From a date and a clock to an instant.
//!
//! jiff knows the zones. Asking it costs more than all the rest of reading a time, so the stretches between the
//! changes of a zone around now are looked up once; only what is near a change or far away is asked for again.

use super::stamp::{Civil, Stamp};
use jiff::Timestamp;
use jiff::civil::date;
use jiff::tz::TimeZone;

/// How many changes of a zone before and after now are kept: four years and one.
const CHANGES_BEFORE: usize = 8;
const CHANGES_AFTER: usize = 2;
/// A date without a year may be this far in the future, in seconds: clocks differ, and so do zones.
const FUTURE: i64 = 86_400;

/// Civil seconds in which a zone has one offset, and no civil time occurs twice or not at all.
#[derive(Debug, Clone, Copy)]
struct Stretch {
    from: i64,
    until: i64,
    offset: i64,
}

/// A zone, and what time it is.
#[derive(Debug, Clone)]
pub(super) struct Zone {
    zone: TimeZone,
    stretches: Vec<Stretch>,
    now: i64,
    this_year: i64,
}

impl Zone {
    pub(super) fn new(zone: &TimeZone, now: Timestamp) -> Zone {
        let mut changes: Vec<(i64, i64)> = zone
            .preceding(now)
            .take(CHANGES_BEFORE)
            .chain(zone.following(now).take(CHANGES_AFTER))
            .map(|change| (change.timestamp().as_second(), i64::from(change.offset().seconds())))
            .collect();
        changes.sort_unstable();
        let mut stretches: Vec<Stretch> = changes
            .iter()
            .enumerate()
            .map(|(i, &(second, offset))| {
                // At a change clocks are put forward or back by what the two offsets differ.
                let before = i.checked_sub(1).map_or(offset, |i| changes[i].1);
                let from = second + offset.max(before);
                let until = match changes.get(i + 1) {
                    Some(&(next, after)) => next + offset.min(after),
                    // The last change known is the last of all, or not the whole of it can be trusted.
                    None if zone.following(now).count_up_to(CHANGES_AFTER) < CHANGES_AFTER => i64::MAX,
                    None => from,
                };
                Stretch { from, until, offset }
            })
            .collect();
        if changes.is_empty() {
            let offset = i64::from(zone.to_offset(now).seconds());
            stretches.push(Stretch { from: i64::MIN, until: i64::MAX, offset });
        } else if changes.len() > 1 {
            // What came before the oldest change is not known.
            stretches.remove(0);
        } else {
            stretches.clear();
        }
        stretches.reverse();
        let mut zone = Zone { zone: zone.clone(), stretches, now: 0, this_year: 0 };
        zone.set_now(now);
        zone
    }

    pub(super) fn set_now(&mut self, now: Timestamp) {
        self.now = now.as_second();
        self.this_year = i64::from(self.zone.to_datetime(now).year());
    }

    /// The instant of a stamp; `None` if there is no such day.
    #[inline]
    pub(super) fn instant(&self, stamp: Stamp) -> Option<Timestamp> {
        match stamp {
            Stamp::Epoch(seconds, nanos) => Timestamp::new(seconds, nanos as i32).ok(),
            Stamp::Civil(civil) => match civil.year {
                Some(year) => self.in_year(civil, year),
                // 29 February may be eight years back.
                None => (self.this_year - 8..=self.this_year + 1)
                    .rev()
                    .filter_map(|year| self.in_year(civil, year))
                    .find(|at| at.as_second() <= self.now + FUTURE),
            },
        }
    }

    fn in_year(&self, civil: Civil, year: i64) -> Option<Timestamp> {
        if i64::from(civil.day) > month_days(year, civil.month) {
            return None;
        }
        let local = days(year, civil.month, civil.day) * 86_400 + i64::from(civil.seconds);
        let offset = match civil.offset {
            Some(offset) => i64::from(offset),
            None => match self.stretches.iter().find(|span| (span.from..span.until).contains(&local)) {
                Some(span) => span.offset,
                None => return self.ask(civil, year),
            },
        };
        Timestamp::new(local - offset, civil.nanos as i32).ok()
    }

    #[cold]
    fn ask(&self, civil: Civil, year: i64) -> Option<Timestamp> {
        let (hour, minute, second) = (civil.seconds / 3600, civil.seconds / 60 % 60, civil.seconds % 60);
        let civil = date(i16::try_from(year).ok()?, civil.month as i8, civil.day as i8).at(
            hour as i8,
            minute as i8,
            second as i8,
            civil.nanos as i32,
        );
        self.zone.to_timestamp(civil).ok()
    }
}

/// Counts no further than needed: some zones change for ever.
trait CountUpTo: Iterator + Sized {
    fn count_up_to(self, most: usize) -> usize {
        self.take(most).count()
    }
}

impl<I: Iterator> CountUpTo for I {}

fn month_days(year: i64, month: u8) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar after year 0.
fn days(year: i64, month: u8, day: u8) -> i64 {
    // Counted from 1 March, so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let before = (153 * i64::from(month) + 2) / 5 + i64::from(day) - 1;
    year * 365 + year / 4 - year / 100 + year / 400 + before - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::ToSpan;

    #[test]
    fn every_hour_of_six_years_is_what_jiff_says() {
        for name in ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "UTC", "Australia/Lord_Howe"] {
            let tz = TimeZone::get(name).expect("a zone of jiff's table");
            let now: Timestamp = "2026-11-24T10:00:00Z".parse().expect("a time");
            let zone = Zone::new(&tz, now);
            let mut civil = date(2021, 1, 1).at(0, 30, 0, 0);
            while civil.year() < 2028 {
                let own = zone.in_year(
                    Civil {
                        year: None,
                        month: civil.month() as u8,
                        day: civil.day() as u8,
                        seconds: civil.hour() as u32 * 3600 + civil.minute() as u32 * 60,
                        nanos: 0,
                        offset: None,
                    },
                    i64::from(civil.year()),
                );
                assert_eq!(own, tz.to_timestamp(civil).ok(), "{name} {civil}");
                civil = civil.checked_add(1.hour()).expect("a date");
            }
        }
    }
}

//! The text of a time: from bytes to a [`Stamp`], which is not yet an instant.
//!
//! [`at`] reads the formats that begin at one place. Nothing here knows what day it is. A clock time alone is no
//! stamp: nobody can tell its day.

use super::scan::Scan;

/// What a text says about a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// Seconds and nanoseconds since 1970.
    Epoch(i64, u32),
    /// A date and a clock.
    Civil(Civil),
}

/// A date and a clock as they were written. All parts are in range, but the month may be too short for its day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Civil {
    pub(super) year: Option<i64>,
    pub(super) month: u8,
    pub(super) day: u8,
    /// Seconds since midnight.
    pub(super) seconds: u32,
    pub(super) nanos: u32,
    /// Seconds east of Greenwich, if the text says so.
    pub(super) offset: Option<i32>,
}

const MONTHS: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
const WEEKDAYS: &[u8; 21] = b"montuewedthufrisatsun";

impl Scan<'_> {
    /// What may stand between a date and its clock.
    fn separator(&mut self) -> Option<()> {
        match self.peek() {
            b'T' | b't' | b':' | b'_' => self.at += 1,
            b',' if self.ahead(1) == b' ' => self.at += 2,
            b' ' => {
                self.at += 1;
                // A clock whose hour is padded with a blank.
                self.spaces();
            }
            _ => return None,
        }
        Some(())
    }

    pub(super) fn date_clock(&mut self, year: Option<u64>, month: u64, day: u64) -> Option<Stamp> {
        let mut civil = civil(year, month, day)?;
        self.separator()?;
        self.clock(&mut civil)?;
        Some(Stamp::Civil(civil))
    }

    /// A date that begins with its year: `2026-11-24`, `2026/11/24`, `2026.11.24`.
    fn year_first(&mut self) -> Option<Stamp> {
        let year = self.number(4, 4)?;
        let separator = self.peek();
        if !matches!(separator, b'-' | b'/' | b'.') {
            return None;
        }
        self.at += 1;
        let month = match self.peek() {
            b'0'..=b'9' => self.number(1, 2)?,
            _ => u64::from(self.name(MONTHS)?),
        };
        self.take(separator)?;
        let day = self.number(1, 2)?;
        self.date_clock(Some(year), month, day)
    }

    /// A date that begins with one or two digits.
    fn day_first(&mut self) -> Option<Stamp> {
        let first = self.number(1, 2)?;
        let separator = self.peek();
        if !matches!(separator, b'-' | b'/' | b'.' | b' ') {
            return None;
        }
        self.at += 1;
        if self.peek().is_ascii_alphabetic() {
            let month = u64::from(self.name(MONTHS)?);
            if separator == b' ' && self.ahead(3) == b':' {
                // `24 Nov 10:00:00`, as old Redis writes it.
                return self.date_clock(None, month, first);
            }
            self.take(separator)?;
            let year = self.number(4, 4)?;
            return self.date_clock(Some(year), month, first);
        }
        let second = self.number(1, 2)?;
        if self.peek() == b' ' && separator == b'-' {
            // `11-24 10:00:00.123`, Android.
            return self.date_clock(None, first, second);
        }
        self.take(separator)?;
        let from = self.at;
        let year = match (self.number(2, 4)?, self.at - from) {
            (year, 4) => year,
            (year, 2) => 2000 + year,
            _ => return None,
        };
        // With dots the day comes first; with slashes it does in Britain, and the month in America.
        let (month, day) = match separator {
            b'/' if first <= 12 => (first, second),
            _ => (second, first),
        };
        self.date_clock(Some(year), month, day)
    }

    /// `Nov 24 10:00:00`, `Nov 24 2026 10:00:00`, `Nov 24, 2026 10:00:00 AM`, `Nov 24 10:00:00 UTC 2026`.
    fn month_first(&mut self) -> Option<Stamp> {
        let month = u64::from(self.name(MONTHS)?);
        self.take(b' ')?;
        self.spaces();
        let day = self.number(1, 2)?;
        if self.peek() == b',' {
            self.at += 1;
        }
        let mut year = None;
        if self.ahead(5) == b' ' || self.ahead(5) == b',' {
            let before = self.at;
            self.take(b' ')?;
            year = self.number(4, 4);
            if year.is_none() {
                self.at = before;
            }
        }
        let Stamp::Civil(mut civil) = self.date_clock(year, month, day)? else { return None };
        if year.is_none() {
            let before = self.at;
            // A zone that is none of ours may stand before the year.
            if civil.offset.is_none() && self.peek() == b' ' && self.ahead(1).is_ascii_uppercase() {
                self.at += 1;
                while self.peek().is_ascii_uppercase() {
                    self.at += 1;
                }
            }
            match (self.take(b' '), self.number(4, 4)) {
                (Some(()), Some(late)) if (1970..2200).contains(&late) && ends(self.peek()) => {
                    civil.year = Some(late as i64);
                }
                _ => self.at = before,
            }
        }
        Some(Stamp::Civil(civil))
    }

    /// Digits only: `20261124T100000`, `261124 10:00:00`, seconds since 1970.
    fn compact(&mut self, digits: usize) -> Option<Stamp> {
        match digits {
            8 | 6 => {
                let year = if digits == 8 { self.number(4, 4)? } else { 2000 + self.number(2, 2)? };
                let (month, day) = (self.number(2, 2)?, self.number(2, 2)?);
                if !matches!(self.peek(), b'T' | b' ' | b'-') {
                    return None;
                }
                let mut civil = civil(Some(year), month, day)?;
                self.at += 1;
                self.spaces();
                if self.ahead(1) == b':' || self.ahead(2) == b':' {
                    self.clock(&mut civil)?;
                } else {
                    let (hours, minutes, seconds) =
                        (self.number(2, 2)?, self.number(2, 2)?, self.number(2, 2)?);
                    self.fraction(&mut civil);
                    self.day_seconds(&mut civil, hours as u32, minutes as u32, seconds as u32)?;
                    self.zone(&mut civil);
                }
                Some(Stamp::Civil(civil))
            }
            10 | 13 | 16 | 19 if matches!(self.peek(), b'1' | b'2') => {
                let value = self.number(digits, digits)?;
                let mut stamp = epoch(value)?;
                if let (10, b'.', Stamp::Epoch(_, nanos)) = (digits, self.peek(), &mut stamp) {
                    self.at += 1;
                    *nanos = self.nanos();
                }
                (ends(self.peek()) || self.peek() == b':').then_some(stamp)
            }
            _ => None,
        }
    }
}

fn ends(byte: u8) -> bool {
    matches!(byte, 0 | b' ' | b'\t' | b']' | b')' | b',' | b'"' | b'|' | b';')
}

fn civil(year: Option<u64>, month: u64, day: u64) -> Option<Civil> {
    let fits = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && year.is_none_or(|year| (1970..2262).contains(&year));
    fits.then_some(Civil {
        year: year.map(|year| year as i64),
        month: month as u8,
        day: day as u8,
        seconds: 0,
        nanos: 0,
        offset: None,
    })
}

/// A whole number since 1970, its unit told by its size; `None` for what is no time after 1973.
pub(super) fn epoch(value: u64) -> Option<Stamp> {
    let per_second = match value {
        0..100_000_000 => return None,
        100_000_000..100_000_000_000 => 1,
        100_000_000_000..100_000_000_000_000 => 1_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000_000,
        _ => 1_000_000_000,
    };
    let nanos = (value % per_second) * (1_000_000_000 / per_second);
    (value / per_second < 9_000_000_000).then_some(Stamp::Epoch((value / per_second) as i64, nanos as u32))
}

/// A number as JSON writes it, with or without a fraction or an exponent.
pub(super) fn epoch_number(text: &[u8]) -> Option<Stamp> {
    let mut scan = Scan { text, at: 0 };
    let whole = scan.number(1, 19)?;
    match scan.peek() {
        0 => epoch(whole),
        b'.' if !text.iter().any(|byte| byte | 0x20 == b'e') => {
            scan.at += 1;
            let nanos = scan.nanos();
            match epoch(whole)? {
                Stamp::Epoch(seconds, 0) if whole < 100_000_000_000 => Some(Stamp::Epoch(seconds, nanos)),
                other => Some(other),
            }
        }
        b'.' | b'e' | b'E' => {
            let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            // A double has microseconds here, not more.
            (1e8..9e9).contains(&value).then(|| {
                let micros = (value * 1e6).round() as u64;
                Stamp::Epoch((micros / 1_000_000) as i64, (micros % 1_000_000) as u32 * 1_000)
            })
        }
        _ => None,
    }
}

/// The time that begins at `from`, and where it ends.
#[inline]
pub(super) fn at(text: &[u8], from: usize) -> Option<(Stamp, usize)> {
    let mut scan = Scan { text, at: from };
    let digits = text.get(from..)?.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count();
    let stamp = match digits {
        4 => scan.year_first(),
        1 | 2 => scan.day_first(),
        0 if scan.peek().is_ascii_uppercase() => {
            let before = scan.at;
            if scan.name(WEEKDAYS).is_some() {
                if scan.peek() == b',' {
                    scan.at += 1;
                }
                scan.spaces();
                if scan.peek().is_ascii_digit() {
                    return at(text, scan.at);
                }
            } else {
                scan.at = before;
            }
            scan.month_first()
        }
        0 => None,
        _ => scan.compact(digits),
    }?;
    Some((stamp, scan.at))
}

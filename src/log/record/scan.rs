//! A reader that moves over the bytes of a time: numbers, names, clocks, zones.

use super::stamp::Civil;

/// Zones that are one offset wherever they are used, in hours. Others (`IST`, `CST`) are read as the given zone.
const ZONES: [(&[u8], i32); 14] = [
    (b"UTC", 0),
    (b"GMT", 0),
    (b"WET", 0),
    (b"WEST", 1),
    (b"CET", 1),
    (b"CEST", 2),
    (b"EET", 2),
    (b"EEST", 3),
    (b"MSK", 3),
    (b"JST", 9),
    (b"EST", -5),
    (b"EDT", -4),
    (b"PST", -8),
    (b"PDT", -7),
];

/// A reader that moves over bytes; each step says whether it fitted.
pub(super) struct Scan<'a> {
    pub(super) text: &'a [u8],
    pub(super) at: usize,
}

impl Scan<'_> {
    #[inline]
    pub(super) fn peek(&self) -> u8 {
        self.ahead(0)
    }

    /// The byte `n` further on; 0 past the end.
    #[inline]
    pub(super) fn ahead(&self, n: usize) -> u8 {
        self.text.get(self.at + n).copied().unwrap_or(0)
    }

    #[inline]
    pub(super) fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    /// A number of `least` to `most` digits.
    #[inline]
    pub(super) fn number(&mut self, least: usize, most: usize) -> Option<u64> {
        let (mut value, from) = (0u64, self.at);
        while self.at - from < most {
            let digit = self.peek().wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value * 10 + u64::from(digit);
            self.at += 1;
        }
        (self.at - from >= least).then_some(value)
    }

    pub(super) fn spaces(&mut self) {
        while self.peek() == b' ' {
            self.at += 1;
        }
    }

    /// Which of the three-letter names stands here, from 1; it may not go on with a letter.
    pub(super) fn name(&mut self, names: &[u8]) -> Option<u8> {
        let word = [self.peek() | 0x20, self.ahead(1) | 0x20, self.ahead(2) | 0x20];
        if self.ahead(3).is_ascii_alphabetic() {
            return None;
        }
        let found = names.as_chunks::<3>().0.iter().position(|name| *name == word)?;
        self.at += 3;
        Some(found as u8 + 1)
    }

    /// `HH:MM`, seconds, fraction, AM or PM, zone.
    pub(super) fn clock(&mut self, civil: &mut Civil) -> Option<()> {
        let mut hours = self.number(1, 2)? as u32;
        self.take(b':')?;
        let minutes = self.number(2, 2)? as u32;
        let mut seconds = 0;
        if self.peek() == b':' && self.ahead(1).is_ascii_digit() {
            self.at += 1;
            seconds = self.number(2, 2)? as u32;
            self.fraction(civil);
        }
        if self.peek() == b' ' && self.ahead(2) | 0x20 == b'm' && !self.ahead(3).is_ascii_alphanumeric() {
            let half = self.ahead(1) | 0x20;
            if (half == b'a' || half == b'p') && (1..=12).contains(&hours) {
                hours = hours % 12 + if half == b'p' { 12 } else { 0 };
                self.at += 3;
            }
        }
        self.day_seconds(civil, hours, minutes, seconds)?;
        self.zone(civil);
        Some(())
    }

    /// A leap second is taken as the second before it.
    pub(super) fn day_seconds(
        &self,
        civil: &mut Civil,
        hours: u32,
        minutes: u32,
        seconds: u32,
    ) -> Option<()> {
        if hours > 23 || minutes > 59 || seconds > 60 || self.peek().is_ascii_digit() {
            return None;
        }
        civil.seconds = hours * 3600 + minutes * 60 + seconds.min(59);
        Some(())
    }

    /// `.123456`, `,123`, or `:123` as some Java servers write it.
    pub(super) fn fraction(&mut self, civil: &mut Civil) {
        let thousandths =
            || (1..4).all(|n| self.ahead(n).is_ascii_digit()) && !self.ahead(4).is_ascii_digit();
        let fits = match self.peek() {
            b'.' | b',' => self.ahead(1).is_ascii_digit(),
            b':' => thousandths(),
            _ => false,
        };
        if fits {
            self.at += 1;
            civil.nanos = self.nanos();
        }
    }

    /// The digits here as parts of a second; those past the ninth do not count.
    pub(super) fn nanos(&mut self) -> u32 {
        let (mut value, mut unit) = (0, 100_000_000);
        while self.peek().is_ascii_digit() {
            value += u32::from(self.peek() - b'0') * unit;
            unit /= 10;
            self.at += 1;
        }
        value
    }

    /// `Z`, `+01:00`, `+0100`, `+01`; after a blank `+0100`, `+01:00`, `UTC`.
    pub(super) fn zone(&mut self, civil: &mut Civil) {
        let from = self.at;
        let spaced = self.peek() == b' ';
        if spaced {
            self.at += 1;
        }
        let offset = match self.peek() {
            b'Z' if !self.ahead(1).is_ascii_alphanumeric() => {
                self.at += 1;
                Some(0)
            }
            b'+' | b'-' => self.numeric_zone(spaced),
            b'A'..=b'Z' if spaced => ZONES.iter().find_map(|&(name, hours)| {
                let rest = self.text[self.at..].strip_prefix(name)?;
                if rest.first().is_some_and(u8::is_ascii_alphanumeric) {
                    return None;
                }
                self.at += name.len();
                Some(hours * 3600)
            }),
            _ => None,
        };
        match offset {
            Some(offset) => civil.offset = Some(offset),
            None => self.at = from,
        }
    }

    fn numeric_zone(&mut self, spaced: bool) -> Option<i32> {
        let sign = if self.peek() == b'-' { -1 } else { 1 };
        self.at += 1;
        let hours = self.number(2, 2)? as i32;
        let colon = self.peek() == b':';
        if colon {
            self.at += 1;
        }
        let minutes = if self.peek().is_ascii_digit() {
            self.number(2, 2)? as i32
        } else if colon || spaced {
            return None;
        } else {
            0
        };
        let fits = hours <= 14 && minutes < 60 && !self.peek().is_ascii_alphanumeric();
        fits.then_some(sign * (hours * 3600 + minutes * 60))
    }
}

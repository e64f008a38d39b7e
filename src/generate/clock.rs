//! The time that lines carry: now, or a start that moves on by the rate.
//!
//! The text of a second is made once a second; a line copies it and adds its milliseconds. The real time is asked
//! for once in `LOOK_EVERY` lines, and when the writer waited. A start is shown in the offset it was typed with,
//! so that it gives the same bytes on every machine.

use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// How many lines share one look at the real clock: at full speed well below a millisecond.
const LOOK_EVERY: u32 = 64;

/// Where a time that moves on by the rate begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    at: Timestamp,
    zone: TimeZone,
}

impl Start {
    /// Reads `2026-11-24T12:00:00Z`, another offset, or a time without one, which is shown as it is typed.
    pub fn parse(text: &str) -> Option<Start> {
        let pieces = jiff::fmt::temporal::Pieces::parse(text).ok()?;
        if let Some(offset) = pieces.to_numeric_offset() {
            return Some(Start { at: text.parse().ok()?, zone: offset.to_time_zone() });
        }
        let zone = Offset::UTC.to_time_zone();
        let typed: DateTime = text.parse().ok()?;
        Some(Start { at: zone.to_timestamp(typed).ok()?, zone })
    }
}

/// A clock. See the module.
#[derive(Debug)]
pub struct Clock {
    zone: TimeZone,
    /// Time between two lines; `None` follows the real clock.
    step: Option<SignedDuration>,
    at: Timestamp,
    second: i64,
    asctime: Vec<u8>,
    iso: Vec<u8>,
    offset: Vec<u8>,
    clf: Vec<u8>,
    syslog: Vec<u8>,
    started: bool,
    /// Lines until the real clock is asked again.
    fresh: u32,
}

impl Clock {
    /// The real time, in the system's zone.
    pub fn now() -> Clock {
        Clock::new(Timestamp::now(), None, TimeZone::system())
    }

    /// Begins at `start` and moves by `rate` lines a second; 0 is taken as a thousand.
    pub fn fixed(start: Start, rate: f64) -> Clock {
        let rate = if rate > 0.0 { rate } else { 1000.0 };
        let step = SignedDuration::try_from_secs_f64(1.0 / rate).unwrap_or(SignedDuration::from_millis(1));
        Clock::new(start.at, Some(step.min(SignedDuration::from_hours(1))), start.zone)
    }

    fn new(at: Timestamp, step: Option<SignedDuration>, zone: TimeZone) -> Clock {
        let mut clock = Clock {
            zone,
            step,
            at,
            second: i64::MIN,
            asctime: Vec::new(),
            iso: Vec::new(),
            offset: Vec::new(),
            clf: Vec::new(),
            syslog: Vec::new(),
            started: false,
            fresh: 0,
        };
        clock.render();
        clock
    }

    /// Asks the real clock before the next line: time went by.
    pub fn waited(&mut self) {
        self.fresh = 0;
    }

    /// Moves on to the next line's time.
    pub fn next(&mut self) {
        match self.step {
            // The first line has the start itself.
            Some(_) if !std::mem::replace(&mut self.started, true) => return,
            Some(step) => self.at = self.at.checked_add(step).unwrap_or(self.at),
            None if self.fresh > 0 => {
                self.fresh -= 1;
                return;
            }
            None => {
                self.fresh = LOOK_EVERY - 1;
                self.at = Timestamp::now();
            }
        }
        if self.at.as_second() != self.second {
            self.render();
        }
    }

    fn render(&mut self) {
        self.second = self.at.as_second();
        let zoned = self.at.to_zoned_datetime(self.zone.clone());
        let text = |format: &str| zoned.strftime(format).to_string().into_bytes();
        self.asctime = text("%Y-%m-%d %H:%M:%S");
        self.iso = text("%Y-%m-%dT%H:%M:%S");
        self.offset = text("%:z");
        self.clf = text("%d/%b/%Y:%H:%M:%S %z");
        self.syslog = text("%b %e %H:%M:%S");
    }

    /// `2020-12-22 20:37:09,123`, as Python's logging writes it.
    pub fn push_asctime(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.asctime);
        self.push_millis(out, b',');
    }

    /// `2020-12-22T20:37:09.123+01:00`.
    pub fn push_iso(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.iso);
        self.push_millis(out, b'.');
        out.extend_from_slice(&self.offset);
    }

    /// `Dec  2 20:37:09`, as syslog writes it.
    pub fn push_syslog(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.syslog);
    }

    /// `22/Dec/2020:20:37:09 +0000`, as in the Common Log Format.
    pub fn push_clf(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.clf);
    }

    fn push_millis(&self, out: &mut Vec<u8>, mark: u8) {
        let millis = (self.at.subsec_nanosecond().max(0) / 1_000_000) as u32;
        let digit = |n: u32| b'0' + (n % 10) as u8;
        out.extend_from_slice(&[mark, digit(millis / 100), digit(millis / 10), digit(millis)]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second_line(start: &str, push: impl Fn(&Clock, &mut Vec<u8>)) -> String {
        let mut clock = Clock::fixed(Start::parse(start).expect(start), 1.0);
        clock.next();
        clock.next();
        let mut out = Vec::new();
        push(&clock, &mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn a_start_is_shown_as_it_is_typed() {
        let typed = "2020-12-02T23:59:59.123-03:30";
        assert_eq!(second_line(typed, Clock::push_asctime), "2020-12-03 00:00:00,123");
        assert_eq!(second_line(typed, Clock::push_iso), "2020-12-03T00:00:00.123-03:30");
        assert_eq!(second_line(typed, Clock::push_clf), "03/Dec/2020:00:00:00 -0330");
        assert_eq!(second_line(typed, Clock::push_syslog), "Dec  3 00:00:00");
        assert_eq!(second_line("2020-12-22 20:37:08", Clock::push_asctime), "2020-12-22 20:37:09,000");
        assert_eq!(second_line("2020-12-22T20:37:08Z", Clock::push_iso), "2020-12-22T20:37:09.000+00:00");
        assert_eq!(Start::parse("yesterday"), None);
    }
}

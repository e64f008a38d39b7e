//! The time that lines carry: now, a start that moves on by the rate, or a span that the lines are spread over.
//!
//! The text of a second is made once a second; a line copies it and adds its fraction. The real time is asked for
//! once in `LOOK_EVERY` lines, and when the writer waited. A start is shown in the offset it was typed with, so that
//! it gives the same bytes on every machine.

use super::pen::two;
use super::rate::Rate;
use jiff::civil::DateTime;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};

/// How many lines share one look at the real clock: at full speed well below a millisecond.
const LOOK_EVERY: u32 = 64;
/// The rate of a start where the writer has none.
const NO_RATE: f64 = 1000.0;
const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";

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

/// How time goes on.
#[derive(Debug, Clone, Copy)]
enum Course {
    /// As it does.
    Real,
    /// From the start by the rate, for ever or, if there is a time to reach, up to it and then as it does.
    Rate { rate: Rate, until: Option<Timestamp> },
    /// From the start over so many nanoseconds, by the part that is done.
    Spread { nanos: f64 },
}

/// A clock. See the module.
#[derive(Debug)]
pub struct Clock {
    zone: TimeZone,
    course: Course,
    start: Timestamp,
    at: Timestamp,
    second: i64,
    /// `2020-12-22 20:37:09,123`.
    asctime: [u8; 23],
    /// Hours and minutes from UTC, `+01:00`.
    offset: [u8; 6],
    /// The same second in UTC, `2020-12-22T19:37:09`.
    utc: [u8; 19],
    month: usize,
    /// Lines until the real clock is asked again.
    fresh: u32,
}

impl Clock {
    /// The real time, in the system's zone.
    pub fn now() -> Clock {
        Clock::new(Timestamp::now(), Course::Real, TimeZone::system())
    }

    /// Begins at `start` and moves by the rate; the full rate is taken as a thousand.
    pub fn fixed(start: Start, rate: Rate) -> Clock {
        let rate = if rate.is_full() { Rate::steady(NO_RATE) } else { rate };
        Clock::new(start.at, Course::Rate { rate, until: None }, start.zone)
    }

    /// Begins at `since` and moves by the rate until it has reached `now`; from there on it is real.
    pub fn from(since: Timestamp, now: Timestamp, rate: Rate) -> Clock {
        Clock::new(since, Course::Rate { rate, until: Some(now) }, TimeZone::system())
    }

    /// From `since` to `now`, by the part of all lines that is done.
    pub fn spread(since: Timestamp, now: Timestamp) -> Clock {
        let nanos = now.duration_since(since).max(SignedDuration::ZERO).as_nanos() as f64;
        Clock::new(since, Course::Spread { nanos }, TimeZone::system())
    }

    fn new(at: Timestamp, course: Course, zone: TimeZone) -> Clock {
        let (asctime, offset, utc) = (*b"0000-00-00 00:00:00,000", *b"+00:00", *b"0000-00-00T00:00:00");
        let second = i64::MIN;
        let mut clock =
            Clock { zone, course, start: at, at, second, asctime, offset, utc, month: 0, fresh: 0 };
        clock.render();
        clock
    }

    /// Whether the time of the next line is still to be caught up with.
    pub fn is_behind(&self) -> bool {
        matches!(self.course, Course::Rate { until: Some(_), .. })
    }

    /// Asks the real clock before the next line: time went by.
    pub fn waited(&mut self) {
        self.fresh = 0;
    }

    /// The time of this line.
    pub fn time(&self) -> Timestamp {
        self.at
    }

    /// Moves on to the time of a record by its number; `done` is the part of all, from 0 to 1.
    #[inline]
    pub(super) fn next(&mut self, record: u64, done: impl FnOnce() -> f64) {
        self.at = match self.course {
            Course::Real if self.fresh > 0 => {
                self.fresh -= 1;
                return;
            }
            Course::Real => {
                self.fresh = LOOK_EVERY - 1;
                Timestamp::now()
            }
            Course::Rate { rate, until } => {
                let at = self.after(rate.seconds(record as f64) * 1e9);
                match until {
                    Some(until) if at >= until => {
                        self.course = Course::Real;
                        Timestamp::now()
                    }
                    _ => at,
                }
            }
            Course::Spread { nanos } => self.after(nanos * done().clamp(0.0, 1.0)),
        };
        self.render();
    }

    fn after(&self, nanos: f64) -> Timestamp {
        let nanos = SignedDuration::from_nanos(nanos as i64);
        self.start.checked_add(nanos).unwrap_or(Timestamp::MAX)
    }

    fn render(&mut self) {
        let millis = self.at.subsec_nanosecond().max(0) as u32 / 1_000_000;
        self.asctime[20] = b'0' + (millis / 100) as u8;
        self.asctime[21..].copy_from_slice(&two(millis % 100));
        if self.at.as_second() == self.second {
            return;
        }
        self.second = self.at.as_second();
        let offset = self.zone.to_offset(self.at);
        let local = offset.to_datetime(self.at);
        digits(&mut self.asctime, local);
        digits(&mut self.utc, Offset::UTC.to_datetime(self.at));
        self.month = 3 * (local.month() as usize - 1);
        let seconds = offset.seconds();
        let minutes = seconds.unsigned_abs() / 60;
        self.offset[0] = if seconds < 0 { b'-' } else { b'+' };
        self.offset[1..3].copy_from_slice(&two(minutes / 60));
        self.offset[4..].copy_from_slice(&two(minutes % 60));
    }

    /// `2020-12-22 20:37:09,123`, as Python's logging writes it.
    #[inline]
    pub(super) fn push_asctime(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.asctime);
    }

    /// `2020-12-22T20:37:09.123+01:00`.
    pub(super) fn push_iso(&self, out: &mut Vec<u8>) {
        let mut text = [0; 29];
        text[..23].copy_from_slice(&self.asctime);
        (text[10], text[19]) = (b'T', b'.');
        text[23..].copy_from_slice(&self.offset);
        out.extend_from_slice(&text);
    }

    /// `2020-12-22T19:37:09.123456Z`, in UTC with so many digits of the second, nine at most.
    pub(super) fn push_utc<const DIGITS: usize>(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.utc);
        out.push(b'.');
        self.push_fraction::<DIGITS>(out);
        out.push(b'Z');
    }

    /// `2020/12/22 20:37:09.123456`, as Go's log writes it.
    pub(super) fn push_go(&self, out: &mut Vec<u8>) {
        let mut text = [0; 20];
        text.copy_from_slice(&self.asctime[..20]);
        (text[4], text[7], text[19]) = (b'/', b'/', b'.');
        out.extend_from_slice(&text);
        self.push_fraction::<6>(out);
    }

    /// `Dec  2 20:37:09`, as syslog writes it.
    pub(super) fn push_syslog(&self, out: &mut Vec<u8>) {
        let mut text = *b"Jan  1 00:00:00";
        text[..3].copy_from_slice(&MONTHS[self.month..self.month + 3]);
        text[4..6].copy_from_slice(&self.asctime[8..10]);
        if text[4] == b'0' {
            text[4] = b' ';
        }
        text[7..].copy_from_slice(&self.asctime[11..19]);
        out.extend_from_slice(&text);
    }

    /// `22/Dec/2020:20:37:09 +0000`, as in the Common Log Format.
    pub(super) fn push_clf(&self, out: &mut Vec<u8>) {
        let mut text = *b"01/Jan/2020:00:00:00 +0000";
        text[..2].copy_from_slice(&self.asctime[8..10]);
        text[3..6].copy_from_slice(&MONTHS[self.month..self.month + 3]);
        text[7..11].copy_from_slice(&self.asctime[..4]);
        text[12..20].copy_from_slice(&self.asctime[11..19]);
        text[21..24].copy_from_slice(&self.offset[..3]);
        text[24..].copy_from_slice(&self.offset[4..]);
        out.extend_from_slice(&text);
    }

    fn push_fraction<const DIGITS: usize>(&self, out: &mut Vec<u8>) {
        let nanos = self.at.subsec_nanosecond().max(0) as u32;
        let text: [u8; DIGITS] =
            std::array::from_fn(|at| b'0' + (nanos / 10u32.pow(8 - at.min(8) as u32) % 10) as u8);
        out.extend_from_slice(&text);
    }
}

/// Sets the digits of `2020-12-22 20:37:09`; what stands between them stays.
fn digits(text: &mut [u8], time: DateTime) {
    let year: u32 = time.year().unsigned_abs().into();
    text[..2].copy_from_slice(&two(year / 100));
    text[2..4].copy_from_slice(&two(year % 100));
    let parts = [time.month(), time.day(), time.hour(), time.minute(), time.second()];
    for (at, part) in parts.into_iter().enumerate() {
        text[5 + 3 * at..7 + 3 * at].copy_from_slice(&two(part.unsigned_abs().into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn second_line(start: &str, push: impl Fn(&Clock, &mut Vec<u8>)) -> String {
        let mut clock = Clock::fixed(Start::parse(start).expect(start), Rate::steady(1.0));
        clock.next(0, || 0.0);
        clock.next(1, || 0.0);
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
        assert_eq!(second_line(typed, Clock::push_go), "2020/12/03 00:00:00.123000");
        assert_eq!(second_line(typed, Clock::push_utc::<9>), "2020-12-03T03:30:00.123000000Z");
        assert_eq!(second_line("2020-12-22 20:37:08", Clock::push_asctime), "2020-12-22 20:37:09,000");
        assert_eq!(second_line("2020-12-22T20:37:08Z", Clock::push_iso), "2020-12-22T20:37:09.000+00:00");
        assert_eq!(Start::parse("yesterday"), None);
    }

    #[test]
    fn lines_are_spread_over_a_span() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let (since, now) = (time("2026-11-24T10:00:00Z"), time("2026-11-24T12:00:00Z"));
        let mut clock = Clock::spread(since, now);
        for (done, expected) in [(0.0, "10:00:00"), (0.25, "10:30:00"), (1.0, "12:00:00"), (2.0, "12:00:00")]
        {
            clock.next(7, || done);
            assert_eq!(clock.time(), time(&format!("2026-11-24T{expected}Z")));
        }
    }

    #[test]
    fn what_is_caught_up_with_is_real() {
        let now = Timestamp::now();
        let since = now - SignedDuration::from_secs(10);
        let mut clock = Clock::from(since, now, Rate::steady(1.0));
        clock.next(9, || 0.0);
        assert_eq!((clock.time(), clock.is_behind()), (since + SignedDuration::from_secs(9), true));
        clock.next(10, || 0.0);
        assert!(clock.time() >= now && !clock.is_behind());
    }
}

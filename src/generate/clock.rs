//! The time that lines carry: now, or a start that moves on by the rate.
//!
//! The text of a second is made once a second; a line copies it and adds its milliseconds.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

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
    clf: Vec<u8>,
    started: bool,
}

impl Clock {
    /// The real time, in the system's zone.
    pub fn now() -> Clock {
        Clock::new(Timestamp::now(), None, TimeZone::system())
    }

    /// Begins at `start` and moves by `rate` lines a second; 0 is taken as a thousand.
    pub fn fixed(start: Timestamp, rate: f64, zone: TimeZone) -> Clock {
        let rate = if rate > 0.0 { rate } else { 1000.0 };
        let step = SignedDuration::try_from_secs_f64(1.0 / rate).unwrap_or(SignedDuration::from_millis(1));
        Clock::new(start, Some(step.min(SignedDuration::from_hours(1))), zone)
    }

    fn new(at: Timestamp, step: Option<SignedDuration>, zone: TimeZone) -> Clock {
        let mut clock = Clock {
            zone,
            step,
            at,
            second: i64::MIN,
            asctime: Vec::new(),
            iso: Vec::new(),
            clf: Vec::new(),
            started: false,
        };
        clock.render();
        clock
    }

    /// Moves on to the next line's time.
    pub fn next(&mut self) {
        if !std::mem::replace(&mut self.started, true) && self.step.is_some() {
            return;
        }
        self.at = match self.step {
            Some(step) => self.at.checked_add(step).unwrap_or(self.at),
            None => Timestamp::now(),
        };
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
        self.clf = text("%d/%b/%Y:%H:%M:%S %z");
    }

    /// `2020-12-22 20:37:09,123`, as Python's logging writes it.
    pub fn push_asctime(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.asctime);
        self.push_millis(out, b',');
    }

    /// `2020-12-22T20:37:09.123`, local.
    pub fn push_iso(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.iso);
        self.push_millis(out, b'.');
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

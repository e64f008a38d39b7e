//! Sample logs: a story told in many formats, reproducible by a seed, numbered if wished so that `logcast check` can
//! tell whether a line is missing.
//!
//! [`story`](self) knows what happens, a module a family of formats how it is written, [`clock`] when. Everything is
//! a pure function of the recipe and the clock; the path of a line allocates nothing. Each line has a number of its
//! own, those of a stack trace too ([`numbered`]).

mod access;
pub mod clock;
mod code;
mod fields;
pub mod format;
mod hostile;
pub mod numbered;
mod pen;
pub mod rate;
mod story;
mod structured;
mod system;
mod words;

use clock::Clock;
use fastrand::Rng;
pub use format::{Format, Mix};
use jiff::Timestamp;
pub use numbered::{Numbered, push_numbered};
use pen::Counter;
use story::Story;
pub use story::Weights;

/// The levels, from the least to the most important.
pub const LEVELS: [&str; 6] = LOWER;
const LOWER: [&str; 6] = ["trace", "debug", "info", "warn", "error", "fatal"];
const UPPER: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
const PYTHON: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"];
/// The tutorial's log has nothing but INFO.
const TUTORIAL: Weights = [0, 0, 1, 0, 0, 0];
/// What breaks viewers comes at every level.
const EVERY: Weights = [1; 6];

/// The level of a name, Python's too.
pub fn level_of(name: &str) -> Option<usize> {
    [LOWER, PYTHON].iter().find_map(|names| names.iter().position(|own| own.eq_ignore_ascii_case(name)))
}

/// How long the story is: its incident comes in the middle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Length {
    /// So many lines.
    Lines(u64),
    /// So many bytes.
    Bytes(u64),
    /// So many records, and then again from the beginning.
    Rounds(u64),
}

/// What to generate.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What lines look like.
    pub mix: Mix,
    /// The same seed gives the same lines.
    pub seed: u64,
    /// How often each of [`LEVELS`] occurs; if nothing is said, as the story has it.
    pub weights: Option<Weights>,
    /// Whether each line ends with its number and sum.
    pub sequence: bool,
    /// When the story is over.
    pub length: Length,
}

/// What a file is to a generator.
#[derive(Debug, Clone, Copy, Default)]
pub struct Lane {
    /// Of its next line, in its mark.
    pub number: u64,
    /// The only format of its lines.
    pub only: Option<Format>,
}

/// What the last record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    /// When.
    pub time: Timestamp,
    /// How bad, in [`LEVELS`].
    pub level: usize,
    /// In which format.
    pub format: Format,
}

/// A source of lines.
#[derive(Debug)]
pub struct Generator {
    recipe: Recipe,
    rng: Rng,
    clock: Clock,
    story: Story,
    single: Option<Format>,
    /// The level of plain lines, if there is but one.
    plain: Option<usize>,
    record: u64,
    counter: Counter,
    /// Lines and bytes up to now.
    lines: u64,
    bytes: u64,
    /// A stack trace, and how much of it was pushed.
    trace: Vec<u8>,
    pushed: usize,
    said: (usize, Format),
}

impl Generator {
    /// Begins with record 0.
    pub fn new(recipe: Recipe, clock: Clock) -> Generator {
        let mut rng = Rng::with_seed(recipe.seed);
        let story = Story::new(recipe.weights, &mut rng);
        let weights = recipe.weights.unwrap_or(TUTORIAL);
        let mut used = (0..weights.len()).filter(|&level| weights[level] > 0);
        let plain = used.next().filter(|_| used.next().is_none());
        let single = recipe.mix.single();
        Generator {
            recipe,
            rng,
            clock,
            story,
            single,
            plain,
            record: 0,
            counter: Counter::new(0),
            lines: 0,
            bytes: 0,
            trace: Vec::new(),
            pushed: 0,
            said: (0, Format::Plain),
        }
    }

    /// Time went by since the last line.
    pub fn waited(&mut self) {
        self.clock.waited();
    }

    /// Whether the times of lines have yet to catch up with the real one.
    pub fn is_behind(&self) -> bool {
        self.clock.is_behind()
    }

    /// Whether the next line goes on with the last one's record: a stack trace.
    #[inline]
    pub fn is_inside(&self) -> bool {
        self.pushed < self.trace.len()
    }

    /// What the last record is about.
    pub fn said(&self) -> Said {
        Said { time: self.clock.time(), level: self.said.0, format: self.said.1 }
    }

    /// A number below `all`, for who spreads lines.
    pub fn pick(&mut self, all: u32) -> u32 {
        self.rng.u32(0..all.max(1))
    }

    /// Appends the next line with its newline. A record that is begun in a lane goes on in the same one.
    #[inline]
    pub fn push(&mut self, out: &mut Vec<u8>, lane: &mut Lane) {
        let start = out.len();
        if !self.is_inside() {
            self.push_record(out, lane.only);
        } else {
            let rest = &self.trace[self.pushed..];
            let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..len]);
            self.pushed += len + 1;
        }
        if self.recipe.sequence {
            push_numbered(out, start, lane.number);
            lane.number += 1;
        }
        out.push(b'\n');
        self.lines += 1;
        self.bytes += (out.len() - start) as u64;
    }

    #[inline]
    fn push_record(&mut self, out: &mut Vec<u8>, only: Option<Format>) {
        let format = match only.or(self.single) {
            Some(format) => format,
            None => self.recipe.mix.at(self.rng.u32(0..self.recipe.mix.total())),
        };
        let (lines, bytes, length) = (self.lines, self.bytes, self.recipe.length);
        self.clock.next(self.record, || match length {
            Length::Lines(all) | Length::Rounds(all) => lines as f64 / all.saturating_sub(1).max(1) as f64,
            Length::Bytes(all) => bytes as f64 / all.max(1) as f64,
        });
        if format == Format::Plain {
            let level = match self.plain {
                Some(level) => level,
                None => story::level(&self.recipe.weights.unwrap_or(TUTORIAL), &mut self.rng),
            };
            self.said = (level, format);
            self.clock.push_asctime(out);
            out.extend_from_slice(PLAIN[level]);
            out.extend_from_slice(self.counter.text());
        } else {
            self.push_story(out, format);
        }
        self.record += 1;
        self.counter.add();
    }

    fn push_story(&mut self, out: &mut Vec<u8>, format: Format) {
        let start = out.len();
        self.story.set(match self.recipe.length {
            Length::Lines(all) => thousandth(self.lines, all),
            Length::Bytes(all) => thousandth(self.bytes, all),
            Length::Rounds(all) => thousandth(self.record % all.max(1), all),
        });
        let (rng, clock, record) = (&mut self.rng, &self.clock, self.record);
        if format == Format::Hostile {
            let level = story::level(&self.recipe.weights.unwrap_or(EVERY), rng);
            self.said = (level, format);
            return hostile::hostile(out, record, level, rng, clock);
        }
        let event = if format.is_access() { self.story.answer(rng) } else { self.story.next(rng) };
        self.said = (event.level, format);
        match format {
            Format::Json => structured::json(out, &event, record, clock),
            Format::Logfmt => structured::logfmt(out, &event, record, clock),
            Format::Nginx => access::nginx(out, &event, clock),
            Format::Apache => access::apache(out, &event, clock),
            Format::Syslog => system::syslog(out, &event, clock),
            Format::Syslog5424 => system::syslog5424(out, &event, clock),
            Format::Cri => system::cri(out, &event, record, clock),
            Format::Log4j => code::log4j(out, &event, clock),
            Format::Python => code::python(out, &event, clock),
            Format::Go => code::go(out, &event, clock),
            Format::RustTracing => code::rust_tracing(out, &event, clock),
            Format::Ansi => code::ansi(out, &event, clock),
            Format::Plain | Format::Hostile => {}
        }
        if format.has_traces() {
            self.keep_trace(out, start);
        }
    }

    /// Takes what follows the first line off again: each call gives one line.
    fn keep_trace(&mut self, out: &mut Vec<u8>, start: usize) {
        self.trace.clear();
        self.pushed = 0;
        if let Some(at) = memchr::memchr(b'\n', &out[start..]) {
            self.trace.extend_from_slice(&out[start + at + 1..]);
            out.truncate(start + at);
        }
    }
}

/// What stands between time and number of the tutorial's lines.
const PLAIN: [&[u8]; 6] = [
    b" - log_app - TRACE - log message num: ",
    b" - log_app - DEBUG - log message num: ",
    b" - log_app - INFO - log message num: ",
    b" - log_app - WARNING - log message num: ",
    b" - log_app - ERROR - log message num: ",
    b" - log_app - CRITICAL - log message num: ",
];

/// How far it is, in thousandths.
fn thousandth(at: u64, all: u64) -> u32 {
    // No number of lines or bytes comes near the end of 64 bits; a recipe may.
    (at.min(u64::MAX / 1000) * 1000 / all.max(1)).min(999) as u32
}

#[cfg(test)]
mod tests {
    use super::*;
    use clock::Start;
    use rate::Rate;

    fn lines(format: Format, sequence: bool) -> Vec<u8> {
        let length = Length::Lines(400);
        let recipe = Recipe { mix: format.into(), seed: 7, weights: None, sequence, length };
        let start = Start::parse("2020-12-22T20:37:09.123Z").unwrap();
        let mut generator = Generator::new(recipe, Clock::fixed(start, Rate::steady(3.0)));
        let (mut out, mut lane) = (Vec::new(), Lane::default());
        for _ in 0..400 {
            generator.push(&mut out, &mut lane);
        }
        out
    }

    #[test]
    fn the_tutorial_s_own_line() {
        let text = String::from_utf8(lines(Format::Plain, false)).unwrap();
        assert_eq!(
            text.lines().next(),
            Some("2020-12-22 20:37:09,123 - log_app - INFO - log message num: 0")
        );
        let last = "2020-12-22 20:39:22,123 - log_app - INFO - log message num: 399";
        assert_eq!(text.lines().nth(399), Some(last));
    }

    #[test]
    fn a_seed_gives_the_same_lines_and_every_line_has_an_end() {
        for format in Format::ALL {
            let text = lines(format, false);
            assert!(text == lines(format, false), "{format:?}");
            assert_eq!(memchr::memchr_iter(b'\n', &text).count(), 400, "{format:?}");
        }
    }

    #[test]
    fn a_numbered_line_proves_itself() {
        for format in Format::ALL {
            let text = lines(format, true);
            let all = text.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n');
            for (number, line) in all.enumerate() {
                let expected = Numbered::Intact(number as u64);
                assert_eq!(Numbered::parse(line), expected, "{}", line.escape_ascii());
            }
        }
    }

    #[test]
    fn json_stays_json() {
        for (number, line) in lines(Format::Json, true).split(|byte| *byte == b'\n').enumerate() {
            if line.is_empty() {
                continue;
            }
            let object: serde_json::Value = serde_json::from_slice(line).unwrap();
            assert_eq!((&object["seq"], &object["n"]), (&number.into(), &number.into()));
        }
    }

    #[test]
    fn a_mixture_is_mixed() {
        let mix = Mix::parse("json=3,nginx=1").unwrap();
        let recipe = Recipe { mix, seed: 1, weights: None, sequence: false, length: Length::Rounds(1000) };
        let mut generator = Generator::new(recipe, Clock::now());
        let (mut out, mut lane) = (Vec::new(), Lane::default());
        let json = (0..1000)
            .filter(|_| {
                out.clear();
                generator.push(&mut out, &mut lane);
                out[0] == b'{'
            })
            .count();
        assert!((700..800).contains(&json), "{json}");
    }
}

//! Sample logs: lines of several styles, reproducible by a seed, numbered if wished so that `logcast check` can
//! tell whether one is missing.
//!
//! A numbered line ends with ` seq=N sum=HHHHHHHH`: the number counts from 0 without a gap, the sum is the low
//! half of the XXH3-64 of all before ` sum=`, in hexadecimal. A line that is a JSON object stays one: it ends with
//! `,"seq":N,"sum":"HHHHHHHH"}`, and the sum is of all before `,"sum":`. [`Numbered::parse`] reads both back. Each
//! line has a number of its own, those of a stack trace too. The sum finds accidents; it is no signature.

pub mod clock;
pub mod styles;

use clock::Clock;
use fastrand::Rng;
pub use styles::{LEVELS, Style};
use xxhash_rust::xxh3::xxh3_64;

/// What to generate.
#[derive(Debug, Clone)]
pub struct Recipe {
    /// What a line looks like.
    pub style: Style,
    /// The same seed gives the same lines.
    pub seed: u64,
    /// How often each of [`LEVELS`] occurs, relative to the others.
    pub weights: [u32; LEVELS.len()],
    /// Whether each line ends with its number and sum.
    pub sequence: bool,
}

/// A source of lines.
#[derive(Debug)]
pub struct Generator {
    recipe: Recipe,
    rng: Rng,
    clock: Clock,
    /// Of the next record, in its text.
    record: u64,
    /// Of the next line, in its mark.
    number: u64,
    /// A stack trace, and how much of it was pushed.
    trace: Vec<u8>,
    pushed: usize,
}

impl Generator {
    /// Begins with record 0; numbered lines begin with `number`.
    pub fn new(recipe: Recipe, clock: Clock, number: u64) -> Generator {
        let rng = Rng::with_seed(recipe.seed);
        Generator { recipe, rng, clock, record: 0, number, trace: Vec::new(), pushed: 0 }
    }

    /// Time went by since the last line.
    pub fn waited(&mut self) {
        self.clock.waited();
    }

    /// Whether the next line goes on with the last one's record: a stack trace.
    pub fn is_inside(&self) -> bool {
        self.pushed < self.trace.len()
    }

    /// Appends the next line with its newline.
    pub fn push(&mut self, out: &mut Vec<u8>) {
        let start = out.len();
        if !self.is_inside() {
            self.clock.next();
            let level = self.level();
            styles::push(self.recipe.style, out, self.record, level, &mut self.rng, &self.clock);
            self.record += 1;
            self.keep_trace(out, start);
        } else {
            let rest = &self.trace[self.pushed..];
            let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            out.extend_from_slice(&rest[..len]);
            self.pushed += len + 1;
        }
        if self.recipe.sequence {
            push_numbered(out, start, self.number);
            self.number += 1;
        }
        out.push(b'\n');
    }

    /// Takes what follows the first line off again: each call gives one line.
    fn keep_trace(&mut self, out: &mut Vec<u8>, start: usize) {
        self.trace.clear();
        self.pushed = 0;
        // Only this style has any.
        if self.recipe.style == Style::Java
            && let Some(at) = memchr::memchr(b'\n', &out[start..])
        {
            self.trace.extend_from_slice(&out[start + at + 1..]);
            out.truncate(start + at);
        }
    }

    fn level(&mut self) -> usize {
        let all = self.recipe.weights.iter().sum::<u32>().max(1);
        let mut at = self.rng.u32(0..all);
        self.recipe
            .weights
            .iter()
            .position(|&weight| {
                let here = at < weight;
                at = at.saturating_sub(weight);
                here
            })
            .unwrap_or(0)
    }
}

/// How a number and a sum stand in a line.
struct Form {
    seq: &'static [u8],
    sum: &'static [u8],
    end: &'static [u8],
}

const TEXT: Form = Form { seq: b" seq=", sum: b" sum=", end: b"" };
const JSON: Form = Form { seq: b",\"seq\":", sum: b",\"sum\":\"", end: b"\"}" };
const SUM_LEN: usize = 8;

fn sum(text: &[u8]) -> [u8; SUM_LEN] {
    let sum = xxh3_64(text) as u32;
    std::array::from_fn(|at| b"0123456789abcdef"[(sum >> (28 - 4 * at)) as usize & 15])
}

/// Ends the line that begins at `start` with its number and sum.
pub fn push_numbered(out: &mut Vec<u8>, start: usize, number: u64) {
    let is_object = out.len() > start + 2 && out[start] == b'{' && out.ends_with(b"}");
    let form = if is_object { JSON } else { TEXT };
    out.truncate(out.len() - usize::from(is_object));
    out.extend_from_slice(form.seq);
    push_number(out, number);
    let sum = sum(&out[start..]);
    out.extend_from_slice(form.sum);
    out.extend_from_slice(&sum);
    out.extend_from_slice(form.end);
}

/// What a numbered line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// Its number; its text is what was written.
    Intact(u64),
    /// It has a number, but not the text that was written with it.
    Altered(u64),
    /// It has no number.
    Plain,
}

impl Numbered {
    /// Reads a line without its newline.
    pub fn parse(line: &[u8]) -> Numbered {
        let read = |form: &Form| -> Option<Numbered> {
            let line = line.strip_suffix(form.end)?;
            let (text, found) = line.split_at_checked(line.len().checked_sub(SUM_LEN)?)?;
            let text = text.strip_suffix(form.sum)?;
            let digits = text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let (before, digits) = text.split_at(text.len() - digits);
            let number = std::str::from_utf8(digits).ok()?.parse().ok()?;
            before.ends_with(form.seq).then(|| match sum(text) == *found {
                true => Numbered::Intact(number),
                false => Numbered::Altered(number),
            })
        };
        read(&TEXT).or_else(|| read(&JSON)).unwrap_or(Numbered::Plain)
    }
}

/// A number in decimal, without a detour through `fmt`.
pub(crate) fn push_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        digits[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(style: Style, sequence: bool) -> String {
        let weights = if style == Style::Tutorial { styles::DEFAULT_WEIGHTS } else { styles::MIXED_WEIGHTS };
        let recipe = Recipe { style, seed: 7, weights, sequence };
        let start = clock::Start::parse("2020-12-22T20:37:09.123Z").unwrap();
        let mut generator = Generator::new(recipe, Clock::fixed(start, 3.0), 0);
        let mut out = Vec::new();
        for _ in 0..200 {
            generator.push(&mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn the_tutorial_s_own_line() {
        let text = lines(Style::Tutorial, false);
        assert_eq!(
            text.lines().next(),
            Some("2020-12-22 20:37:09,123 - log_app - INFO - log message num: 0")
        );
        assert_eq!(text.lines().nth(3).map(|line| &line[..23]), Some("2020-12-22 20:37:10,122"));
    }

    #[test]
    fn a_seed_gives_the_same_lines() {
        for style in Style::ALL {
            assert_eq!(lines(style, false), lines(style, false), "{style:?}");
        }
    }

    #[test]
    fn a_numbered_line_proves_itself() {
        for style in Style::ALL {
            for (number, line) in lines(style, true).lines().enumerate() {
                assert_eq!(Numbered::parse(line.as_bytes()), Numbered::Intact(number as u64), "{line}");
            }
        }
        assert_eq!(Numbered::parse(b"seq=5"), Numbered::Plain);
        assert_eq!(Numbered::parse(b""), Numbered::Plain);
    }

    #[test]
    fn every_altered_byte_is_found() {
        for style in [Style::Tutorial, Style::Json] {
            let line = lines(style, true).lines().next().unwrap().as_bytes().to_vec();
            for at in 0..line.len() {
                for flip in [0x01, 0x20, 0x80] {
                    let mut other = line.clone();
                    other[at] ^= flip;
                    assert!(!matches!(Numbered::parse(&other), Numbered::Intact(_)), "{at} {flip}");
                }
                let mut other = line.clone();
                other.remove(at);
                assert!(!matches!(Numbered::parse(&other), Numbered::Intact(_)), "without {at}");
            }
        }
    }

    #[test]
    fn json_stays_json() {
        for (number, line) in lines(Style::Json, true).lines().enumerate() {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            assert_eq!(object["seq"], number);
            assert_eq!(object["n"], number);
        }
    }

    #[test]
    fn traces_are_whole() {
        let text = lines(Style::Java, false);
        assert!(text.contains(": pool closed\n\tat "), "{text}");
        assert_eq!(text.lines().count(), 200);
    }
}

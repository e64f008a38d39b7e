//! Sample logs: lines of several styles, reproducible by a seed, numbered if wished so that `logcast check` can
//! tell whether one is missing.
//!
//! A numbered line ends with ` seq=N sum=HHHHHHHH`: the number counts from 0 without a gap, the sum is the low
//! half of the XXH3-64 of all before ` sum=`, in hexadecimal. [`Numbered::parse`] reads it back.

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
    number: u64,
    line: Vec<u8>,
}

impl Generator {
    /// Begins with line 0.
    pub fn new(recipe: Recipe, clock: Clock) -> Generator {
        let rng = Rng::with_seed(recipe.seed);
        Generator { recipe, rng, clock, number: 0, line: Vec::with_capacity(256) }
    }

    /// Appends the next line with its newline. A stack trace is one call, and several lines.
    pub fn push(&mut self, out: &mut Vec<u8>) {
        self.clock.next();
        self.line.clear();
        let level = self.level();
        styles::push(self.recipe.style, &mut self.line, self.number, level, &mut self.rng, &self.clock);
        if self.recipe.sequence {
            for part in self.line.split(|&byte| byte == b'\n').take(1) {
                let start = out.len();
                out.extend_from_slice(part);
                push_numbered(out, start, self.number);
                out.push(b'\n');
            }
        } else {
            out.extend_from_slice(&self.line);
            out.push(b'\n');
        }
        self.number += 1;
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

/// Ends the line that begins at `start` with its number and sum.
pub fn push_numbered(out: &mut Vec<u8>, start: usize, number: u64) {
    out.extend_from_slice(b" seq=");
    push_number(out, number);
    let sum = xxh3_64(&out[start..]) as u32;
    out.extend_from_slice(b" sum=");
    for shift in (0..8).rev() {
        out.push(b"0123456789abcdef"[(sum >> (shift * 4)) as usize & 15]);
    }
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
        let parse = || -> Option<(u64, bool)> {
            let at = line.len().checked_sub(13)?;
            let (text, sum) = line.split_at(at);
            let sum = u32::from_str_radix(std::str::from_utf8(sum.strip_prefix(b" sum=")?).ok()?, 16).ok()?;
            let digits = text.len() - text.iter().rev().take_while(|byte| byte.is_ascii_digit()).count();
            let number = std::str::from_utf8(&text[digits..]).ok()?.parse().ok()?;
            text[..digits].ends_with(b" seq=").then_some((number, xxh3_64(text) as u32 == sum))
        };
        match parse() {
            Some((number, true)) => Numbered::Intact(number),
            Some((number, false)) => Numbered::Altered(number),
            None => Numbered::Plain,
        }
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
        let recipe = Recipe { style, seed: 7, weights: styles::DEFAULT_WEIGHTS, sequence };
        let start = "2020-12-22T20:37:09.123Z".parse().unwrap();
        let mut generator = Generator::new(recipe, Clock::fixed(start, 3.0, jiff::tz::TimeZone::UTC));
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
        let line = lines(Style::Tutorial, true).lines().next().unwrap().replace("message", "massage");
        assert_eq!(Numbered::parse(line.as_bytes()), Numbered::Altered(0));
        assert_eq!(Numbered::parse(b"seq=5"), Numbered::Plain);
        assert_eq!(Numbered::parse(b""), Numbered::Plain);
    }
}

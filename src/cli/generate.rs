//! The arguments of `logcast generate`, and their way to the command's options.

use crate::commands::Failure;
use crate::commands::generate::{self, Every, Rotate};
use crate::generate::clock::{Clock, Start};
use crate::generate::{LEVELS, Recipe, Style, styles};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What to write.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// The file to append to, or - [default: standard output]
    file: Option<PathBuf>,
    /// Lines a second; 0 is as fast as it can [default: a line each 0.3 s]
    #[arg(long, default_value_t = 10.0 / 3.0, value_parser = rate, hide_default_value = true)]
    rate: f64,
    /// How many lines [default: for ever]
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// How much: a size like 10G
    #[arg(long, value_parser = size)]
    size: Option<u64>,
    /// The same seed and --start give the same bytes, wherever
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The time of the first line; the others follow by the rate [default: now, and the real clock]
    #[arg(long, value_name = "TIME", value_parser = start)]
    start: Option<Start>,
    /// What a line looks like
    #[arg(long, value_enum, default_value_t = StyleName::Tutorial)]
    style: StyleName,
    /// Which levels, and how often relative to each other: INFO=9,ERROR=1
    #[arg(long, value_name = "LEVEL[=N],…", value_parser = levels)]
    levels: Option<Weights>,
    /// End each line with ` seq=N sum=H`, which logcast check verifies
    #[arg(long)]
    sequence: bool,
    /// Rotate the file while writing it
    #[arg(long, value_enum, value_name = "HOW", requires = "file")]
    rotate: Option<RotateName>,
    /// Rotate after so many lines (1000), or so many bytes (64k, 10M, 500B)
    #[arg(long, value_name = "LINES|SIZE", default_value = "1000", value_parser = every)]
    rotate_every: Every,
    /// How many rotated files to keep
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    keep: u32,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StyleName {
    Tutorial,
    Json,
    Logfmt,
    Nginx,
    Java,
    Syslog,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RotateName {
    Rename,
    Copytruncate,
    Truncate,
}

/// How often each level occurs.
type Weights = [u32; LEVELS.len()];

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && (0.0..=1e9).contains(rate));
    rate.ok_or_else(|| "must be a number of lines a second".to_owned())
}

fn levels(text: &str) -> Result<Weights, String> {
    let mut weights = Weights::default();
    for part in text.split(',') {
        let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
        let at = LEVELS.iter().position(|level| level.eq_ignore_ascii_case(name.trim()));
        let at = at.ok_or_else(|| format!("levels are {}", LEVELS.join(", ")))?;
        let weight = weight.trim().parse().ok().filter(|&weight: &u32| weight <= 1_000_000);
        weights[at] = weight.ok_or("a level's weight is a number up to 1000000")?;
    }
    match weights.iter().any(|&weight| weight > 0) {
        true => Ok(weights),
        false => Err("at least one level must occur".to_owned()),
    }
}

fn every(text: &str) -> Result<Every, String> {
    let wrong = || "must be a number of lines like 1000, or a size like 10M".to_owned();
    let every = match text.bytes().all(|byte| byte.is_ascii_digit()) {
        true => Every::Lines(text.parse().map_err(|_| wrong())?),
        false => Every::Bytes(size(text).map_err(|_| wrong())?),
    };
    match every {
        Every::Lines(0) | Every::Bytes(0) => Err(wrong()),
        every => Ok(every),
    }
}

fn start(text: &str) -> Result<Start, String> {
    Start::parse(text).ok_or_else(|| "must be a time like 2020-12-22T20:37:09Z".to_owned())
}

/// A size: digits and an optional unit, powers of 1024 (`64M`, `1GiB`) or of 1000 (`64MB`).
pub(crate) fn size(text: &str) -> Result<u64, String> {
    let wrong = || "must be a size like 64M or 1GiB".to_owned();
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let number: u64 = text[..digits].parse().map_err(|_| wrong())?;
    let unit = text[digits..].trim().to_ascii_lowercase();
    let (letter, rest) = unit.split_at(unit.len().min(1));
    let power = match letter {
        "" | "b" => 0,
        "k" => 1,
        "m" => 2,
        "g" => 3,
        "t" => 4,
        _ => return Err(wrong()),
    };
    let base: u64 = match rest {
        "" | "i" | "ib" => 1024,
        "b" => 1000,
        _ => return Err(wrong()),
    };
    number.checked_mul(base.pow(power)).ok_or_else(|| "too large".to_owned())
}

/// From arguments to the command.
pub(crate) fn run(args: GenerateArgs) -> Result<(), Failure> {
    let file = args.file.filter(|file| file.as_os_str() != "-");
    if file.is_none() && args.rotate.is_some() {
        return Err(Failure::usage("cannot rotate standard output: name a file"));
    }
    let style = match args.style {
        StyleName::Tutorial => Style::Tutorial,
        StyleName::Json => Style::Json,
        StyleName::Logfmt => Style::Logfmt,
        StyleName::Nginx => Style::Nginx,
        StyleName::Java => Style::Java,
        StyleName::Syslog => Style::Syslog,
    };
    let mixed = if style == Style::Tutorial { styles::DEFAULT_WEIGHTS } else { styles::MIXED_WEIGHTS };
    let clock = match args.start {
        Some(start) => Clock::fixed(start, args.rate),
        None => Clock::now(),
    };
    let rotate = args.rotate.map(|how| match how {
        RotateName::Rename => Rotate::Rename,
        RotateName::Copytruncate => Rotate::CopyTruncate,
        RotateName::Truncate => Rotate::Truncate,
    });
    let recipe =
        Recipe { style, seed: args.seed, weights: args.levels.unwrap_or(mixed), sequence: args.sequence };
    generate::run(generate::Options {
        recipe,
        clock,
        file,
        rate: args.rate,
        count: args.count,
        size: args.size,
        rotate: rotate.map(|how| (how, args.rotate_every)),
        keep: args.keep,
        quiet: args.quiet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, expected) in [
            ("0", Some(0)),
            ("512", Some(512)),
            ("64k", Some(64 << 10)),
            ("64M", Some(64 << 20)),
            ("1GiB", Some(1 << 30)),
            ("2gb", Some(2_000_000_000)),
            ("", None),
            ("M", None),
            ("5x", None),
            ("99999999999999999999", None),
            ("99999999T", None),
        ] {
            assert_eq!(size(text).ok(), expected, "{text}");
        }
    }

    #[test]
    fn lines_or_bytes() {
        assert_eq!(every("1000"), Ok(Every::Lines(1000)));
        assert_eq!(every("500B"), Ok(Every::Bytes(500)));
        assert_eq!(every("64k"), Ok(Every::Bytes(64 << 10)));
        for wrong in ["", "0", "0k", "k", "ten", "-1"] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }
}

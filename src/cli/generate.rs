//! The arguments of `logcast generate`, and the way from them to its options.

use super::size;
use crate::commands::Failure;
use crate::commands::generate::{self as command, Rotate};
use crate::generate;
use crate::generate::clock::Clock;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// What `logcast generate` takes.
#[derive(Debug, Args)]
pub(super) struct GenerateArgs {
    /// The file to append to [default: standard output]
    file: Option<PathBuf>,
    /// Lines a second; 0 is as fast as it can
    #[arg(long, default_value_t = 10.0 / 3.0, value_parser = rate, hide_default_value = true)]
    rate: f64,
    /// How many lines [default: for ever]
    #[arg(long, value_name = "N")]
    count: Option<u64>,
    /// How much: a size like 10G
    #[arg(long, value_parser = size)]
    size: Option<u64>,
    /// The same seed and --start give the same bytes
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// The time of the first line, RFC 3339; the others follow by the rate [default: now, and the real clock]
    #[arg(long, value_name = "TIME")]
    start: Option<jiff::Timestamp>,
    /// What a line looks like
    #[arg(long, value_enum, default_value_t = StyleName::Tutorial)]
    style: StyleName,
    /// Which levels, and how often relative to each other: INFO=9,ERROR=1
    #[arg(long, value_name = "LEVEL[=N],…", value_parser = levels)]
    levels: Option<Weights>,
    /// End each line with its number and a sum that logcast check verifies
    #[arg(long)]
    sequence: bool,
    /// Rotate the file while writing it
    #[arg(long, value_enum, value_name = "HOW", requires = "file")]
    rotate: Option<RotateName>,
    /// Rotate after so many lines
    #[arg(long, value_name = "LINES", default_value_t = 1000, value_parser = clap::value_parser!(u64).range(1..))]
    rotate_every: u64,
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
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum RotateName {
    Rename,
    Copytruncate,
    Truncate,
}

/// How often each level occurs.
type Weights = [u32; generate::LEVELS.len()];

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && (0.0..=1e9).contains(rate));
    rate.ok_or_else(|| "must be a number of lines a second".to_owned())
}

fn levels(text: &str) -> Result<Weights, String> {
    let mut weights = Weights::default();
    for part in text.split(',') {
        let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
        let at = generate::LEVELS.iter().position(|level| level.eq_ignore_ascii_case(name.trim()));
        let at = at.ok_or_else(|| format!("levels are {}", generate::LEVELS.join(", ")))?;
        let weight = weight.trim().parse().ok().filter(|&weight: &u32| weight <= 1_000_000);
        weights[at] = weight.ok_or("a level's weight is a number up to 1000000")?;
    }
    match weights.iter().any(|&weight| weight > 0) {
        true => Ok(weights),
        false => Err("at least one level must occur".to_owned()),
    }
}

/// Runs it.
pub(super) fn run(args: GenerateArgs) -> Result<(), Failure> {
    let style = match args.style {
        StyleName::Tutorial => generate::Style::Tutorial,
        StyleName::Json => generate::Style::Json,
        StyleName::Logfmt => generate::Style::Logfmt,
        StyleName::Nginx => generate::Style::Nginx,
        StyleName::Java => generate::Style::Java,
    };
    let mixed = if style == generate::Style::Tutorial {
        generate::styles::DEFAULT_WEIGHTS
    } else {
        generate::styles::MIXED_WEIGHTS
    };
    let clock = match args.start {
        // A start that is given is for reproducing: in UTC, whatever the machine's zone.
        Some(start) => Clock::fixed(start, args.rate, jiff::tz::TimeZone::UTC),
        None => Clock::now(),
    };
    let rotate = args.rotate.map(|how| match how {
        RotateName::Rename => Rotate::Rename,
        RotateName::Copytruncate => Rotate::CopyTruncate,
        RotateName::Truncate => Rotate::Truncate,
    });
    let recipe = generate::Recipe {
        style,
        seed: args.seed,
        weights: args.levels.unwrap_or(mixed),
        sequence: args.sequence,
    };
    command::run(command::Options {
        recipe,
        clock,
        file: args.file,
        rate: args.rate,
        count: args.count,
        size: args.size,
        rotate: rotate.map(|how| (how, args.rotate_every)),
        keep: args.keep,
        quiet: args.quiet,
    })
}

//! The arguments of `logcast generate`, and their way to the command's options.

use super::values::{size, span};
use super::wrong::{wrong_choice, wrong_value};
use crate::commands::Failure;
use crate::commands::generate::{self, Every, MAX_FILES, Rotate, Rotation, Times};
use crate::generate::clock::Start;
use crate::generate::rate::Rate;
use crate::generate::{Format, LEVELS, Mix, Weights, level_of};
use crate::log::filter::instant;
use clap::builder::{PossibleValue, TypedValueParser};
use clap::{Arg, Args, Command, ValueHint};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use std::ffi::OsStr;
use std::path::PathBuf;
use std::time::Duration;

/// A line each 0.3 seconds, as the tutorial's program writes.
const RATE: f64 = 10.0 / 3.0;
/// When and how often a log is rotated if nothing is said.
const EVERY: Every = Every::Lines(1000);
const KEEP: u32 = 5;
const MAX_KEEP: u32 = 1000;

/// What to write.
#[derive(Debug, Args)]
pub(crate) struct GenerateArgs {
    /// The file to append to, or - [default: standard output]
    #[arg(value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// What lines look like; a mixture is json=3,nginx=1
    #[arg(long, alias = "style", value_name = "FORMAT[=N],…", default_value = "plain", value_parser = FormatParser)]
    format: Mix,
    /// Lines a second, 10..1000 for bursts; 0 is as fast as it can [default: a line each 0.3 s]
    #[arg(long, value_name = "N|LOW..HIGH", value_parser = rate, allow_negative_numbers = true)]
    rate: Option<Rate>,
    /// How many lines [default: for ever]
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    count: Option<u64>,
    /// How much: a size like 10G
    #[arg(long, value_parser = size)]
    size: Option<u64>,
    /// How long: a span like 30s or 1h30m
    #[arg(long, value_name = "SPAN", value_parser = span)]
    duration: Option<Duration>,
    /// The times of lines go from this time (2h, 14:02, 2026-11-24) up to now; without an end it then goes on live
    #[arg(long, value_name = "TIME", value_parser = since, conflicts_with = "start")]
    since: Option<Timestamp>,
    /// The time of the first line; the others follow by the rate [default: now, and the real clock]
    #[arg(long, value_name = "TIME", value_parser = start)]
    start: Option<Start>,
    /// Which levels, and how often relative to each other: info=90,error=1 [default: as the story has it]
    #[arg(long, value_name = "LEVEL[=N],…", value_parser = LevelsParser)]
    levels: Option<Weights>,
    /// With the same options the same seed gives the same text; with --start the same bytes, wherever
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// End each line with ` seq=N sum=H`, which logcast check verifies
    #[arg(long)]
    sequence: bool,
    /// Rotate the file while writing it: after so many lines or bytes, how, and how many old files to keep
    #[arg(long, value_name = "LINES|SIZE,HOW,KEEP", requires = "file", value_parser = RotateParser)]
    rotate: Option<RotateArg>,
    /// As the first part of --rotate
    #[arg(long, value_name = "LINES|SIZE", hide = true, requires = "rotate", value_parser = every)]
    rotate_every: Option<Every>,
    /// As the last part of --rotate
    #[arg(long, value_name = "N", hide = true, requires = "rotate", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_KEEP)))]
    keep: Option<u32>,
    /// Spread the lines over so many files, app-1.log and so on, the first the busiest
    #[arg(long, value_name = "N", requires = "file", value_parser = clap::value_parser!(u32).range(1..=i64::from(MAX_FILES)))]
    files: Option<u32>,
    /// Show no progress
    #[arg(short, long)]
    quiet: bool,
}

/// The parts of `--rotate` that were given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct RotateArg {
    how: Option<Rotate>,
    every: Option<Every>,
    keep: Option<u32>,
}

const ROTATES: [(&str, Rotate); 3] =
    [("rename", Rotate::Rename), ("copytruncate", Rotate::CopyTruncate), ("truncate", Rotate::Truncate)];

fn rate(text: &str) -> Result<Rate, String> {
    Rate::parse(text).ok_or_else(|| "must be lines a second like 5, or 10..1000 for bursts".to_owned())
}

fn since(text: &str) -> Result<Timestamp, String> {
    let found = instant("since", text, Timestamp::now(), &TimeZone::system());
    found.map_err(|_| "must be a time like 2h, 14:02 or 2026-11-24T14:02:00Z".to_owned())
}

fn start(text: &str) -> Result<Start, String> {
    Start::parse(text).ok_or_else(|| "must be a time like 2020-12-22T20:37:09Z".to_owned())
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

/// `json`, `json=3,nginx=1`.
#[derive(Debug, Clone, Copy)]
struct FormatParser;

impl TypedValueParser for FormatParser {
    type Value = Mix;

    fn parse_ref(&self, _: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Mix, clap::Error> {
        Mix::parse(&value.to_string_lossy()).map_err(|part| {
            let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
            if part.contains('=') {
                return wrong_value(arg, &part, "must be a format and a number like json=3");
            }
            let others: Vec<&str> = Format::ALL.iter().flat_map(|format| format.aliases()).copied().collect();
            wrong_choice(arg, &part, &names, &others)
        })
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let value = |format: Format| PossibleValue::new(format.name()).help(format.about());
        Some(Box::new(Format::ALL.into_iter().map(value)))
    }
}

/// `error`, `info=90,error=1`.
#[derive(Debug, Clone, Copy)]
struct LevelsParser;

impl TypedValueParser for LevelsParser {
    type Value = Weights;

    fn parse_ref(&self, _: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<Weights, clap::Error> {
        let text = value.to_string_lossy();
        let mut weights = Weights::default();
        for part in text.split(',') {
            let (name, weight) = part.split_once('=').unwrap_or((part, "1"));
            let at = level_of(name.trim())
                .ok_or_else(|| wrong_choice(arg, name.trim(), &LEVELS, &["warning", "critical"]))?;
            let weight = weight.trim().parse().ok().filter(|&weight: &u32| weight <= Mix::MAX_WEIGHT);
            weights[at] =
                weight.ok_or_else(|| wrong_value(arg, part, "must be a level and a number like info=90"))?;
        }
        match weights.iter().any(|&weight| weight > 0) {
            true => Ok(weights),
            false => Err(wrong_value(arg, &text, "at least one level must occur")),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(LEVELS.into_iter().map(PossibleValue::new)))
    }
}

/// `rename`, `10M`, `10M,copytruncate`, `1000,truncate,3`: each part is known by what it is, a second number is how
/// many to keep.
#[derive(Debug, Clone, Copy)]
struct RotateParser;

impl TypedValueParser for RotateParser {
    type Value = RotateArg;

    fn parse_ref(&self, _: &Command, arg: Option<&Arg>, value: &OsStr) -> Result<RotateArg, clap::Error> {
        let text = value.to_string_lossy();
        let mut found = RotateArg::default();
        for part in text.split(',').map(str::trim) {
            let style = ROTATES.iter().find(|(name, _)| *name == part);
            let keep = part.parse().ok().filter(|keep| (1..=MAX_KEEP).contains(keep));
            match (style, every(part), keep) {
                (Some((_, how)), ..) if found.how.is_none() => found.how = Some(*how),
                // What comes before the style says when; what comes after it, how many.
                (None, Ok(every), _) if found.every.is_none() && found.how.is_none() => {
                    found.every = Some(every);
                }
                (None, _, Some(keep)) if found.keep.is_none() && found.how.is_some() => {
                    found.keep = Some(keep);
                }
                _ => {
                    let is_word = part.bytes().all(|byte| byte.is_ascii_alphabetic()) && found.how.is_none();
                    return Err(match is_word && !part.is_empty() {
                        true => wrong_choice(arg, part, &ROTATES.map(|(name, _)| name), &[]),
                        false => wrong_value(arg, &text, "must be like 10M, rename or 10M,rename,5"),
                    });
                }
            }
        }
        Ok(found)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(ROTATES.into_iter().map(|(name, _)| PossibleValue::new(name))))
    }
}

/// From arguments to the command.
pub(crate) fn run(args: GenerateArgs) -> Result<(), Failure> {
    let file = args.file.filter(|file| file.as_os_str() != "-");
    if file.is_none() {
        let help = "logcast generate app.log";
        match (args.rotate, args.files) {
            (Some(_), _) => {
                return Err(Failure::usage("cannot rotate standard output: name a file").help(help));
            }
            (_, Some(_)) => {
                return Err(
                    Failure::usage("cannot spread lines over standard output: name a file").help(help)
                );
            }
            _ => {}
        }
    }
    // What is written of the past is written at once, unless somebody says how fast.
    let is_past = args.since.is_some() && (args.count.is_some() || args.size.is_some());
    let rate = match args.rate {
        Some(rate) => rate,
        None if is_past => Rate::FULL,
        None => Rate::steady(RATE),
    };
    let times = match (args.start, args.since) {
        (Some(start), _) => Times::Start(start),
        (_, Some(since)) => Times::Since(since),
        _ => Times::Now,
    };
    let rotation = args.rotate.map(|rotate| Rotation {
        how: rotate.how.unwrap_or(Rotate::Rename),
        every: args.rotate_every.or(rotate.every).unwrap_or(EVERY),
        keep: args.keep.or(rotate.keep).unwrap_or(KEEP),
    });
    generate::run(generate::Options {
        mix: args.format,
        seed: args.seed,
        weights: args.levels,
        sequence: args.sequence,
        times,
        file,
        files: args.files,
        rate,
        count: args.count,
        size: args.size,
        duration: args.duration,
        rotation,
        quiet: args.quiet,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_or_bytes() {
        assert_eq!(every("1000"), Ok(Every::Lines(1000)));
        assert_eq!(every("500B"), Ok(Every::Bytes(500)));
        assert_eq!(every("64k"), Ok(Every::Bytes(64 << 10)));
        for wrong in ["", "0", "0k", "k", "ten", "-1"] {
            assert!(every(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_rotation_in_one_word() {
        let read = |text: &str| RotateParser.parse_ref(&Command::new("x"), None, OsStr::new(text)).ok();
        let (how, every) = (Some(Rotate::CopyTruncate), Some(Every::Bytes(10 << 20)));
        assert_eq!(read("copytruncate"), Some(RotateArg { how, every: None, keep: None }));
        assert_eq!(read("10M,copytruncate"), Some(RotateArg { how, every, keep: None }));
        assert_eq!(read("10M,copytruncate,3"), Some(RotateArg { how, every, keep: Some(3) }));
        assert_eq!(read("10M"), Some(RotateArg { how: None, every, keep: None }));
        let lines = Some(Every::Lines(50));
        assert_eq!(read("50, rename").map(|arg| arg.every), Some(lines));
        for wrong in ["", "10M,5", "rename,rename", "rename,0", "rename,1001", "10X", "1,rename,2,3"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}

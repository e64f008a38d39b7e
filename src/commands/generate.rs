//! `logcast generate`: write sample logs to files or to standard output, at a rate, and rotate them if wished.
//!
//! A signal ends it with a complete last line; a reader that went away ends it silently, as `yes | head` does. A
//! numbered log that is there already goes on with the next number.

mod bar;
mod output;
mod pace;

use self::bar::Bar;
use self::output::Output;
use self::pace::Pace;
use super::stop::Stop;
use super::{Failure, plain};
use crate::generate::clock::{Clock, Start};
use crate::generate::rate::Rate;
use crate::generate::{Generator, Lane, Length, Mix, Recipe, Weights};
use jiff::Timestamp;
pub use output::{Every, Rotate, Rotation};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What is gathered before it is written, in bytes.
const BUFFER: usize = 256 << 10;
/// The most files at once: each is held open.
pub const MAX_FILES: u32 = 500;
/// A story that has no end begins again after so long, and after no fewer and no more records than this.
const ROUND: Duration = Duration::from_secs(300);
const ROUND_RECORDS: (f64, f64) = (1000.0, 100_000.0);

/// The time that lines carry.
#[derive(Debug, Clone)]
pub enum Times {
    /// The real one.
    Now,
    /// From a start on by the rate.
    Start(Start),
    /// From a time in the past up to now.
    Since(Timestamp),
}

/// What to write, where and how fast.
#[derive(Debug)]
pub struct Options {
    /// What lines look like.
    pub mix: Mix,
    /// The same seed gives the same lines.
    pub seed: u64,
    /// How often each level occurs; else as the story has it.
    pub weights: Option<Weights>,
    /// Whether to number lines.
    pub sequence: bool,
    /// The time of lines.
    pub times: Times,
    /// The file, appended to; `None` is standard output.
    pub file: Option<PathBuf>,
    /// Over how many files, NAME-1 and so on, the lines are spread.
    pub files: Option<u32>,
    /// Lines a second.
    pub rate: Rate,
    /// How many lines.
    pub count: Option<u64>,
    /// How many bytes, to the next line's end.
    pub size: Option<u64>,
    /// How long.
    pub duration: Option<Duration>,
    /// How to rotate, and when.
    pub rotation: Option<Rotation>,
    /// Whether to show no progress.
    pub quiet: bool,
}

/// Writes until all is written or a signal comes.
///
/// # Errors
/// What the system says to opening, writing or rotating.
pub fn run(options: Options) -> Result<(), Failure> {
    let paths = paths(&options);
    for path in &paths {
        check_path(path, options.rotation.is_some())?;
    }
    let now = Timestamp::now();
    let recipe = Recipe {
        mix: options.mix.clone(),
        seed: options.seed,
        weights: options.weights,
        sequence: options.sequence,
        length: length(&options, now),
    };
    let generator = Generator::new(recipe, clock(&options, now)?);
    let stop = Stop::listen(0)?;
    let mut outputs = Vec::new();
    let to_stdout = paths.is_empty();
    if to_stdout {
        outputs.push(Output::stdout()?);
    }
    for (number, path) in paths.into_iter().enumerate() {
        let lane =
            Lane { number: 0, only: options.files.map(|_| format_of_file(&options.mix, number as u32)) };
        outputs.push(Output::open(path, lane, options.sequence)?);
    }
    let mut writer =
        Writer { bar: Bar::new(&options), options, generator, outputs, lines: 0, bytes: 0, at: 0 };
    let ended = writer.run(&stop);
    writer.bar.clear();
    match ended {
        Err((name, error)) if error.kind() != io::ErrorKind::BrokenPipe => {
            let shown = if to_stdout { name } else { format!("'{name}'") };
            Err(Failure::refused(format!("cannot write to {shown}: {error}")))
        }
        _ => Ok(()),
    }
}

/// The files: one, or as many as are wished, with a number before the extension.
fn paths(options: &Options) -> Vec<PathBuf> {
    let Some(path) = &options.file else { return Vec::new() };
    let Some(files) = options.files else { return vec![path.clone()] };
    (1..=files)
        .map(|number| {
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            name.push(format!("-{number}"));
            if let Some(extension) = path.extension() {
                name.push(".");
                name.push(extension);
            }
            path.with_file_name(name)
        })
        .collect()
}

/// Each of several files has one format, so that the mixture holds over the files.
fn format_of_file(mix: &Mix, number: u32) -> crate::generate::Format {
    mix.at(number % mix.total())
}

/// Where the story has its middle.
fn length(options: &Options, now: Timestamp) -> Length {
    let rounds = |seconds: f64| {
        let records = if options.rate.is_full() { f64::MAX } else { options.rate.records(seconds) };
        Length::Rounds(records.clamp(ROUND_RECORDS.0, ROUND_RECORDS.1) as u64)
    };
    match (options.count, options.size, options.duration, &options.times) {
        (Some(lines), ..) => Length::Lines(lines),
        (_, Some(bytes), ..) => Length::Bytes(bytes),
        (_, _, Some(time), _) if !options.rate.is_full() => {
            Length::Lines(options.rate.records(time.as_secs_f64()) as u64)
        }
        (.., Times::Since(since)) => rounds(now.duration_since(*since).as_secs_f64()),
        _ => rounds(ROUND.as_secs_f64()),
    }
}

fn clock(options: &Options, now: Timestamp) -> Result<Clock, Failure> {
    let is_ended = options.count.is_some() || options.size.is_some();
    match &options.times {
        Times::Now => Ok(Clock::now()),
        Times::Start(start) => Ok(Clock::fixed(start.clone(), options.rate)),
        Times::Since(since) if *since > now => Err(Failure::usage("cannot begin in the future with --since")
            .help("--start TIME takes any time, and goes on by the rate")),
        Times::Since(since) if is_ended => Ok(Clock::spread(*since, now)),
        Times::Since(_) if options.rate.is_full() => {
            Err(Failure::usage("cannot spread lines without end over the time --since")
                .help("say how many with --count or --size, or how many a second with --rate"))
        }
        Times::Since(since) if options.duration.is_some() => Ok(Clock::spread(*since, now)),
        Times::Since(since) => Ok(Clock::from(*since, now, options.rate)),
    }
}

fn check_path(path: &Path, rotates: bool) -> Result<(), Failure> {
    let Ok(meta) = std::fs::metadata(path) else { return Ok(()) };
    let shown = plain(&path.to_string_lossy());
    if meta.is_dir() {
        let help = format!("logcast generate '{}/app.log'", shown.trim_end_matches('/'));
        return Err(Failure::usage(format!("cannot write to '{shown}': it is a folder")).help(help));
    }
    match rotates && !meta.is_file() {
        true => Err(Failure::usage(format!("cannot rotate '{shown}': it is no regular file"))
            .help("name a file that is there, or one that is not there yet")),
        false => Ok(()),
    }
}

struct Writer {
    options: Options,
    generator: Generator,
    outputs: Vec<Output>,
    lines: u64,
    bytes: u64,
    /// The output of the last record.
    at: usize,
    bar: Bar,
}

impl Writer {
    fn run(&mut self, stop: &Stop) -> Result<(), (String, io::Error)> {
        let mut pace = Pace::new(self.options.rate);
        while !stop.is_set() && !self.is_done() && !self.is_over(&pace) {
            let is_behind = self.generator.is_behind();
            let due = if is_behind { u64::MAX } else { pace.due() };
            self.generator.waited();
            self.fill(&mut pace, due)?;
            self.flush()?;
            self.bar.show(self.lines, self.bytes, pace.elapsed());
            if is_behind && !self.generator.is_behind() {
                pace = Pace::new(self.options.rate);
            } else if pace.records >= due && !self.is_done() {
                let left = self.options.duration.map(|time| time.saturating_sub(pace.elapsed()));
                stop.wait(pace.wait().min(left.unwrap_or(Duration::MAX)));
            }
        }
        Ok(())
    }

    /// Makes lines until the buffers are full, no more is due, or all is made. A buffer ends with a line, so that
    /// every end does.
    fn fill(&mut self, pace: &mut Pace, due: u64) -> Result<(), (String, io::Error)> {
        let end = self.bytes + BUFFER as u64;
        let is_behind = self.generator.is_behind();
        while self.bytes < end && !self.is_done() {
            if !self.generator.is_inside() {
                if pace.records >= due || is_behind && !self.generator.is_behind() {
                    break;
                }
                pace.records += 1;
                if self.outputs.len() > 1 {
                    self.at = output::spread(self.outputs.len(), &mut self.generator);
                }
            }
            let output = &mut self.outputs[self.at];
            let len = output.push(&mut self.generator);
            self.lines += 1;
            self.bytes += len;
            let Some(rotation) = self.options.rotation else { continue };
            // A file of one line is renamed and followed by the next one at once.
            while output.is_due(rotation) {
                output.rotate(rotation).map_err(|error| (output.name(), error))?;
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), (String, io::Error)> {
        for output in &mut self.outputs {
            output.flush().map_err(|error| (output.name(), error))?;
        }
        Ok(())
    }

    fn is_done(&self) -> bool {
        self.options.count.is_some_and(|count| self.lines >= count)
            || self.options.size.is_some_and(|size| self.bytes >= size)
    }

    fn is_over(&self, pace: &Pace) -> bool {
        !self.generator.is_inside() && self.options.duration.is_some_and(|time| pace.elapsed() >= time)
    }
}

//! The formats of `generate`: each is what is committed, and the reader of records reads its time and level right.

use crate::support::writer::golden;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use logcast::generate::clock::{Clock, Start};
use logcast::generate::rate::Rate;
use logcast::generate::{Format, Generator, LEVELS, Lane, Length, Recipe, Said, Weights};
use logcast::log::record::{Kind, Options, Reader};

/// Lines without their newlines, each with what it was made from, or `None` if it goes on with the one above.
fn lines(format: Format, weights: Option<Weights>, count: u64) -> Vec<(Vec<u8>, Option<Said>)> {
    let length = Length::Lines(count);
    let recipe = Recipe { mix: format.into(), seed: 1, weights, sequence: false, length };
    let start = Start::parse("2026-11-24T10:00:00.123Z").expect("a time");
    let mut generator = Generator::new(recipe, Clock::fixed(start, Rate::steady(7.0)));
    let mut lane = Lane::default();
    (0..count)
        .map(|_| {
            let (is_more, mut line) = (generator.is_inside(), Vec::new());
            generator.push(&mut line, &mut lane);
            line.pop();
            (line, (!is_more).then(|| generator.said()))
        })
        .collect()
}

/// How exactly a format tells time, in nanoseconds.
fn precision(format: Format) -> i128 {
    match format {
        Format::Nginx | Format::Apache | Format::Syslog => 1_000_000_000,
        Format::Go | Format::RustTracing => 1_000,
        Format::Cri => 1,
        _ => 1_000_000,
    }
}

/// What a format shows of a level.
fn shown(format: Format, level: usize) -> &'static str {
    match (format, LEVELS[level]) {
        // A server knows requests that were answered.
        (Format::Nginx | Format::Apache, "trace" | "debug") => "info",
        (Format::Nginx | Format::Apache, "fatal") => "error",
        (Format::Syslog | Format::Syslog5424, "trace") => "debug",
        (Format::RustTracing, "fatal") => "error",
        (_, level) => level,
    }
}

#[test]
fn time_and_level_are_read_as_they_were_meant() {
    let now = "2026-11-25T12:00:00Z".parse().expect("a time");
    let reader = Reader::new(&Options { now, zone: TimeZone::UTC });
    let every = Some([1; LEVELS.len()]);
    for format in Format::ALL {
        let (mut wrong, mut levels) = (Vec::new(), std::collections::BTreeSet::new());
        for (line, said) in [lines(format, None, 1000), lines(format, every, 1000)].concat() {
            let text = line.escape_ascii().to_string();
            let record = reader.read(&line);
            let Some(said) = said else {
                // What goes on has no level of its own; in a container's output each line has a time.
                let is_more = record.kind == Kind::Continuation || format == Format::Cri;
                if record.level.is_some() || !is_more {
                    wrong.push(format!("{:?} {:?}: {text}", record.kind, record.level));
                }
                continue;
            };
            if format == Format::Hostile && !text.contains(" - hostile - ") {
                continue;
            }
            let exact = said.time.as_nanosecond() / precision(format) * precision(format);
            let time = Timestamp::from_nanosecond(exact).expect("a time");
            let level = shown(format, said.level);
            levels.insert(level);
            if record.time != Some(time) || record.level.map(|level| level.name()) != Some(level) {
                wrong.push(format!("{:?} {:?}, not {time} {level}: {text}", record.time, record.level));
            }
        }
        wrong.truncate(5);
        assert!(wrong.is_empty(), "{}:\n{}", format.name(), wrong.join("\n"));
        assert!(levels.len() >= 3 && levels.contains("error"), "{} has only {levels:?}", format.name());
    }
}

#[test]
fn each_format_is_what_is_committed() {
    for format in Format::ALL {
        let count = if format == Format::Hostile { 120 } else { 60 };
        let mut text = String::new();
        for (line, _) in lines(format, None, count) {
            match format {
                // Shown in ASCII, and cut: no tool on the way may mend it.
                Format::Hostile => {
                    text.extend(line.escape_ascii().map(char::from).take(300));
                    text += &format!(" ({} bytes)\n", line.len());
                }
                _ => text += &format!("{}\n", std::str::from_utf8(&line).expect("UTF-8")),
            }
        }
        golden(&format!("tests/golden/generate/{}.log", format.name()), &text);
    }
}

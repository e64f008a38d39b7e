//! `logcast generate` and `logcast check`: reproducible lines, rotated if wished, and a verdict that finds each harm.

use crate::support::server::{LOGCAST, Outcome, run};
use crate::support::{Client, Place, Server};

#[track_caller]
fn logcast(place: &Place, args: &str) -> Outcome {
    let words: Vec<&str> = std::iter::once(LOGCAST).chain(args.split_whitespace()).collect();
    run(place, &words)
}

/// What a command that succeeds prints.
#[track_caller]
fn printed(place: &Place, args: &str) -> String {
    let outcome = logcast(place, args);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{args}");
    outcome.stdout
}

fn read(place: &Place, name: &str) -> String {
    std::fs::read_to_string(place.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// Without options it is the log of the tutorial: time with milliseconds, logger, level, message and its number.
#[test]
fn default_line() {
    let place = Place::new();
    let text = printed(&place, "generate --count 3");
    assert_eq!(text.lines().count(), 3, "{text}");
    for (number, line) in text.lines().enumerate() {
        let (time, rest) = line.split_at(23);
        let shape: String = time.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
        assert_eq!(shape, "0000-00-00 00:00:00,000", "{line}");
        assert_eq!(rest, format!(" - log_app - INFO - log message num: {number}"));
    }
}

/// The same seed and start give the same bytes at any rate of the machine, another seed gives others.
#[test]
fn reproducible() {
    let place = Place::new();
    for style in ["tutorial", "json", "logfmt", "nginx", "java"] {
        let make = |seed: u32| {
            let start = "--start 2026-11-24T12:00:00Z --rate 1000 --count 50 --levels INFO=3,ERROR=1";
            printed(&place, &format!("generate --style {style} {start} --seed {seed}"))
        };
        let text = make(7);
        assert_eq!(text, make(7), "{style}");
        assert_ne!(text, make(8), "{style}");
        assert!(text.lines().count() >= 50, "{style}");
    }
}

/// `--count` is lines; `--size` is bytes, to the end of the line that reaches it.
#[test]
fn count_and_size() {
    let place = Place::new();
    for count in [0, 1, 12345] {
        let text = printed(&place, &format!("generate --rate 0 --count {count}"));
        assert_eq!(text.lines().count(), count);
    }
    let text = printed(&place, "generate --rate 0 --size 64K");
    assert!(text.ends_with('\n'));
    let last = text.lines().last().map_or(0, str::len) + 1;
    assert!((64 << 10..(64 << 10) + last).contains(&text.len()), "{} bytes", text.len());
    assert_eq!(printed(&place, "generate --rate 0 --size 1G --count 7").lines().count(), 7);
}

/// Levels occur as they are weighed, others not at all.
#[test]
fn levels() {
    let place = Place::new();
    let text = printed(&place, "generate --rate 0 --count 4000 --levels info=3,ERROR");
    let count = |level: &str| text.matches(&format!(" - log_app - {level} - ")).count();
    assert_eq!(count("INFO") + count("ERROR"), 4000);
    // A quarter of 4000; eight standard deviations are 220.
    assert!((780..=1220).contains(&count("ERROR")), "{} errors", count("ERROR"));
}

/// A file is appended to, never replaced.
#[test]
fn appends() {
    let place = Place::with("f", "old\n");
    assert_eq!(printed(&place, "generate f --rate 0 --count 2"), "");
    printed(&place, "generate f --rate 0 --count 1");
    let text = read(&place, "f");
    assert!(text.starts_with("old\n"), "{text}");
    assert_eq!(text.lines().count(), 4, "{text}");
    let outcome = logcast(&place, "generate missing/f --count 1");
    let expected = "error: cannot write to 'missing/f': No such file or directory (os error 2)\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), expected));
}

/// Rotation while writing loses nothing: the whole set, oldest first, checks as one log.
#[test]
fn rotated_set_is_whole() {
    for how in ["rename", "copytruncate"] {
        let place = Place::new();
        printed(
            &place,
            &format!(
                "generate f --rate 0 --count 1050 --sequence --rotate {how} --rotate-every 100 --keep 20"
            ),
        );
        let kept = (1..=20).filter(|number| place.path(&format!("f.{number}")).exists()).count();
        assert!(kept >= 10, "{how}: {kept} rotated files");
        let mut all = String::new();
        for number in (1..=kept).rev() {
            all += &read(&place, &format!("f.{number}"));
        }
        all += &read(&place, "f");
        place.write("all", &all);
        assert_eq!(
            printed(&place, "check all"),
            "lines=1050 lost=0 doubled=0 out_of_order=0 altered=0 gaps=0 other=0\n",
            "{how}"
        );
    }
}

/// Only as many rotated files as asked for are kept.
#[test]
fn keeps_a_few() {
    let place = Place::new();
    printed(&place, "generate f --rate 0 --count 500 --rotate rename --rotate-every 50 --keep 3");
    let exists = |number: u32| place.path(&format!("f.{number}")).exists();
    assert_eq!([1, 2, 3, 4].map(exists), [true, true, true, false]);
}

/// What a user can try: serve a log that rotates, and every line comes once and in order.
#[test]
fn served_while_it_rotates() {
    for how in ["rename", "copytruncate"] {
        let place = Place::with("f", "");
        let server = Server::start(&place, &["f"]);
        let mut client = Client::all(&server);
        printed(
            &place,
            &format!(
                "generate f --rate 4000 --count 4000 --sequence --rotate {how} --rotate-every 500 --keep 20"
            ),
        );
        let lines = client.take(4000);
        place.write("got", lines.join("\n") + "\n");
        assert_eq!(
            printed(&place, "check got"),
            "lines=4000 lost=0 doubled=0 out_of_order=0 altered=0 gaps=0 other=0\n",
            "{how}"
        );
        assert!(!client.saw("gap"), "{how}");
    }
}

/// Each harm is found, counted and placed, and the status is 1.
#[test]
fn check_finds_each_harm() {
    let place = Place::new();
    printed(&place, "generate whole --rate 0 --count 20 --sequence");
    let whole = read(&place, "whole");
    let lines: Vec<&str> = whole.lines().collect();
    let harm = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
        change(&mut lines);
        place.write("harmed", lines.join("\n") + "\n");
        let outcome = logcast(&place, "check harmed");
        assert_eq!(outcome.stderr, "error: 'harmed' is not whole\n");
        assert_eq!(outcome.code, Some(1));
        outcome.stdout
    };
    assert_eq!(
        harm(&|lines| drop(lines.remove(7))),
        "lost: 7\nlines=19 lost=1 doubled=0 out_of_order=0 altered=0 gaps=0 other=0\n"
    );
    assert_eq!(
        harm(&|lines| drop(lines.drain(7..10))),
        "lost: 7 to 9\nlines=17 lost=3 doubled=0 out_of_order=0 altered=0 gaps=0 other=0\n"
    );
    assert_eq!(
        harm(&|lines| lines.insert(8, lines[7].clone())),
        "doubled: 7\nlines=21 lost=0 doubled=1 out_of_order=0 altered=0 gaps=0 other=0\n"
    );
    assert_eq!(
        harm(&|lines| lines.swap(7, 8)),
        "out of order: 7 after 8\nlines=20 lost=0 doubled=0 out_of_order=1 altered=0 gaps=0 other=0\n"
    );
    assert_eq!(
        harm(&|lines| lines[7] = lines[7].replace("message", "massage")),
        "altered: 7\nlines=20 lost=0 doubled=0 out_of_order=0 altered=1 gaps=0 other=0\n"
    );
    place.write("plain", "no number\n");
    let outcome = logcast(&place, "check plain");
    let expected = "error: 'plain' has no numbered lines\nhelp: logcast generate --sequence writes them\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), expected));
    let outcome = logcast(&place, "check missing");
    let expected = "error: cannot read 'missing': No such file or directory (os error 2)\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), expected));
}

/// A pipe is checked as a file is.
#[test]
fn check_of_a_pipe() {
    let place = Place::new();
    let script = "\"$0\" generate --rate 0 --count 1000 --sequence --style json | \"$0\" check";
    let outcome = run(&place, &["sh", "-c", script, LOGCAST]);
    assert_eq!(
        (outcome.code, outcome.stdout.as_str()),
        (Some(0), "lines=1000 lost=0 doubled=0 out_of_order=0 altered=0 gaps=0 other=0\n"),
        "{}",
        outcome.stderr
    );
}

/// A stream is checked to a number of lines; a wrong address is told.
#[test]
fn check_of_a_url() {
    let place = Place::new();
    printed(&place, "generate f --rate 0 --count 3000 --sequence");
    let mut server = Server::start(&place, &["f"]);
    let url = format!("{}?lines=all", server.stream);
    assert_eq!(
        printed(&place, &format!("check {url} --count 3000 --idle 15")),
        "lines=3000 lost=0 doubled=0 out_of_order=0 altered=0 gaps=0 other=0\n"
    );
    let outcome = logcast(&place, &format!("check {}nowhere", server.page));
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("404"), "{}", outcome.stderr);
    server.kill();
    let outcome = logcast(&place, &format!("check {url}"));
    let expected = format!("error: cannot read '{url}': Connection refused (os error 111)\n");
    assert_eq!((outcome.code, outcome.stderr), (Some(1), expected));
}

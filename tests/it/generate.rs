//! `logcast generate` and `logcast check`: the lines, the ends, the rotations, and the verdict on all of them.

use crate::support::server::{LOGCAST, Outcome, run};
use crate::support::{Place, Server, wait_for};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use logcast::generate::Format;
use rustix::process::{Pid, Signal, kill_process};
use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

const START: &str = "--start=2020-12-22T20:37:09.123+01:00";

fn logcast(place: &Place, args: &str) -> Outcome {
    let words: Vec<&str> = std::iter::once(LOGCAST).chain(args.split_whitespace()).collect();
    run(place, &words)
}

/// `generate ARGS` to its end, without a word.
#[track_caller]
fn generate(place: &Place, args: &str) -> String {
    let outcome = logcast(place, &format!("generate {args}"));
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{args}");
    outcome.stdout
}

/// `check ARGS`: the exit code and the last line of stdout.
fn check(place: &Place, args: &str) -> (Option<i32>, String) {
    let outcome = logcast(place, &format!("check {args}"));
    (outcome.code, outcome.stdout.lines().last().unwrap_or_default().to_owned())
}

fn whole(lines: usize) -> (Option<i32>, String) {
    (Some(0), format!("lines={lines} lost=0 doubled=0 out_of_order=0 altered=0 gaps=0 other=0"))
}

fn spawn(place: &Place, args: &str, stdout: Stdio) -> Child {
    Command::new(LOGCAST)
        .arg("generate")
        .args(args.split_whitespace())
        .current_dir(place.root())
        .stdout(stdout)
        .spawn()
        .expect("a child")
}

#[test]
fn the_tutorial_s_log() {
    let place = Place::new();
    let text = generate(&place, &format!("--count 2 --rate 0 {START}"));
    assert_eq!(
        text,
        "2020-12-22 20:37:09,123 - log_app - INFO - log message num: 0\n\
         2020-12-22 20:37:09,124 - log_app - INFO - log message num: 1\n"
    );
    let now = generate(&place, "--count 1");
    assert!(now.ends_with(" - log_app - INFO - log message num: 0\n"), "{now}");
    assert_eq!(now.len(), text.len() / 2, "{now}");
}

#[test]
fn a_seed_and_a_start_give_the_same_bytes() {
    let place = Place::new();
    // The old names, among them.
    for style in ["tutorial", "json", "logfmt", "nginx", "java", "syslog", "hostile", "json=3,nginx=1"] {
        let args = |seed: u64| {
            format!("--style {style} --rate 0 --count 300 --levels INFO=3,ERROR --seed {seed} {START}")
        };
        let first = generate(&place, &args(1));
        assert_eq!(first.lines().count(), 300, "{style}");
        assert_eq!(first, generate(&place, &args(1)), "{style}");
        assert_ne!(first, generate(&place, &args(2)), "{style}");
    }
}

#[test]
fn size_ends_with_the_line_that_reaches_it() {
    let place = Place::new();
    generate(&place, "--rate 0 --size 100k f");
    let len = fs::metadata(place.path("f")).expect("f").len();
    assert!((100 << 10..(100 << 10) + 100).contains(&len), "{len}");
    assert!(fs::read(place.path("f")).expect("f").ends_with(b"\n"));
}

#[test]
fn a_file_is_appended_to_and_its_numbers_go_on() {
    let place = Place::with("f", "before\n");
    generate(&place, "--rate 0 --count 10 --sequence f");
    generate(&place, "--rate 0 --count 10 --sequence f");
    let text = fs::read_to_string(place.path("f")).expect("f");
    assert!(text.starts_with("before\n"), "{text}");
    let (code, verdict) = check(&place, "f");
    assert_eq!((code, verdict.as_str()), {
        (Some(0), "lines=20 lost=0 doubled=0 out_of_order=0 altered=0 gaps=0 other=1")
    });
    // What a killed writer left unfinished spoils no other line.
    place.append("f", "torn");
    generate(&place, "--rate 0 --count 10 --sequence f");
    let (code, verdict) = check(&place, "f");
    assert_eq!((code, verdict.as_str()), {
        (Some(0), "lines=30 lost=0 doubled=0 out_of_order=0 altered=0 gaps=0 other=2")
    });
}

#[test]
fn a_reader_that_goes_away_ends_it_silently() {
    let place = Place::new();
    for format in ["plain", "log4j", "hostile"] {
        let script = "set -o pipefail; \"$0\" generate --format \"$1\" --rate 0 --count 10000000 | head -n 2";
        let outcome = run(&place, &["bash", "-c", script, LOGCAST, format]);
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""));
        assert_eq!(outcome.stdout.lines().count(), 2);
    }
}

#[test]
fn a_full_disk_is_one_line() {
    let place = Place::new();
    let outcome = logcast(&place, "generate --rate 0 --count 100 /dev/full");
    let expected = "error: cannot write to '/dev/full': No space left on device (os error 28)\n";
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(1), expected));
}

#[test]
fn a_signal_ends_it_with_a_whole_line() {
    for (signal, rate) in [(Signal::INT, "0"), (Signal::TERM, "100"), (Signal::TERM, "0.01")] {
        let place = Place::new();
        let mut child = spawn(&place, &format!("--sequence --rate {rate} f"), Stdio::null());
        wait_for("a line", || fs::metadata(place.path("f")).is_ok_and(|meta| meta.len() > 0).then_some(()));
        kill_process(Pid::from_child(&child), signal).expect("a signal");
        let status = wait_for("the end", || child.try_wait().expect("a child"));
        assert_eq!(status.code(), Some(0), "{signal:?} {rate}");
        assert!(fs::read(place.path("f")).expect("f").ends_with(b"\n"), "{signal:?} {rate}");
        let (code, verdict) = check(&place, "f");
        assert!(code == Some(0) && verdict.ends_with(" other=0"), "{verdict}");
    }
}

#[test]
fn a_signal_ends_it_before_a_pipe_that_nobody_reads() {
    let place = Place::new();
    let mut child = spawn(&place, "--rate 0", Stdio::piped());
    let mut out = BufReader::with_capacity(64, child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a first line");
    kill_process(Pid::from_child(&child), Signal::TERM).expect("a signal");
    let status = wait_for("the end", || child.try_wait().expect("a child"));
    assert_eq!(status.code(), Some(0));
}

#[test]
fn numbers_hold_in_every_format_and_in_mixtures() {
    let formats = Format::ALL.map(|format| format.name().to_owned());
    for format in formats.into_iter().chain(["log4j=1,json=2,hostile,cri".to_owned()]) {
        let place = Place::new();
        generate(&place, &format!("--format {format} --rate 0 --count 3000 --sequence f"));
        assert_eq!(check(&place, "f"), whole(3000), "{format}");
        // The last line may be a long one: its number is found all the same.
        generate(&place, &format!("--format {format} --rate 0 --count 55 --sequence f"));
        assert_eq!(check(&place, "f"), whole(3055), "{format}");
    }
}

#[test]
fn a_rotation_is_one_word() {
    let place = Place::new();
    generate(&place, "--rate 0 --count 1000 --sequence --rotate 5k,copytruncate,3 f");
    let len = |name: &str| fs::metadata(place.path(name)).map(|meta| meta.len()).ok();
    assert!(len("f.1").is_some_and(|len| (5 << 10..6 << 10).contains(&len)), "{:?}", len("f.1"));
    assert!(len("f.3").is_some() && len("f.4").is_none());
}

#[test]
fn several_files_share_a_story() {
    let place = Place::new();
    generate(&place, "--rate 0 --count 4000 --sequence --files 4 --format json=3,nginx=1 --seed 5 app.log");
    let read = |number: u32| fs::read_to_string(place.path(&format!("app-{number}.log"))).expect("a file");
    let texts: Vec<String> = (1..=4).map(read).collect();
    let counts: Vec<usize> = texts.iter().map(|text| text.lines().count()).collect();
    assert_eq!(counts.iter().sum::<usize>(), 4000);
    assert!(counts.is_sorted_by(|a, b| a > b), "{counts:?}");
    for number in 1..=4 {
        let (code, verdict) = check(&place, &format!("app-{number}.log"));
        assert_eq!(code, Some(0), "{verdict}");
    }
    // Each file has one format, and a request is met in several.
    assert!(texts[..3].iter().all(|text| text.lines().all(|line| line.starts_with('{'))));
    assert!(texts[3].starts_with("198."), "{}", &texts[3][..80]);
    let ids = |text: &str| -> BTreeSet<String> {
        let parts = text.split("\"request\":\"").skip(1);
        parts.filter_map(|part| part.split('"').next().map(str::to_owned)).collect()
    };
    let shared = ids(&texts[0]).intersection(&ids(&texts[1])).count();
    assert!(shared > 50, "{shared} ids in both");
}

#[test]
fn times_reach_back_and_end_now() {
    let place = Place::new();
    // A machine's zone is its own: the test has one.
    let since = |args: &str| {
        let words = format!("env TZ=UTC {LOGCAST} generate {args}");
        let outcome = run(&place, &words.split(' ').collect::<Vec<_>>());
        assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{args}");
        outcome.stdout
    };
    let reader = logcast::log::record::Reader::new(&logcast::log::record::Options {
        now: Timestamp::now(),
        zone: TimeZone::UTC,
    });
    let began = Timestamp::now();
    for args in ["--since 2h --count 1000", "--since 2h --size 60k", "--since 2h --rate 1000 --count 1000"] {
        let text = since(args);
        let times: Vec<Timestamp> =
            text.lines().map(|line| reader.time(line.as_bytes()).expect("a time")).collect();
        let ago = |time: Timestamp| Timestamp::now().duration_since(time).as_secs();
        let passed = Timestamp::now().duration_since(began).as_secs();
        assert!(times.is_sorted(), "{args}");
        assert!((7200..=7200 + passed).contains(&ago(times[0])), "{args}: {}", times[0]);
        assert!(ago(times[times.len() - 1]) <= 20 + passed, "{args}: {}", times[times.len() - 1]);
        let middle = ago(times[times.len() / 2]);
        assert!((3500..3700 + passed).contains(&middle), "{args}: {middle}");
    }
    // Without an end the past comes at once, and then it goes on.
    let mut child = spawn(&place, "--since 1h --rate 10 live", Stdio::null());
    wait_for("36,000 lines and some more", || {
        let text = fs::read_to_string(place.path("live")).ok()?;
        (text.lines().count() > 36_005).then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::TERM).expect("a signal");
    wait_for("the end", || child.try_wait().expect("a child"));
}

#[test]
fn it_ends_after_a_time() {
    let place = Place::new();
    let text = generate(&place, "--duration 300ms --rate 100");
    assert!((1..60).contains(&text.lines().count()), "{}", text.lines().count());
    assert!(!generate(&place, "--duration 1ms --rate 0 --format go").is_empty());
}

#[test]
fn bursts_move_the_times_of_lines() {
    let place = Place::new();
    let text = generate(&place, "--rate 1..1000000 --count 3000 --start 2026-11-24T10:00:00Z");
    let second = |number: usize| text.lines().nth(number).map(|line| &line[11..19]);
    // A line a second, for seven seconds; then all the others at once.
    assert_eq!([second(0), second(6), second(7)], [Some("10:00:00"), Some("10:00:06"), Some("10:00:07")]);
    assert_eq!(second(2999), Some("10:00:07"));
}

/// All lives together have every line, in every style and both orders of renaming.
#[test]
fn rotations_keep_every_line() {
    for (how, style, every) in [
        ("rename", "tutorial", "100"),
        ("rename", "java", "9k"),
        ("copytruncate", "json", "100"),
        ("copytruncate", "syslog", "10k"),
    ] {
        let place = Place::new();
        let args = "--rate 0 --count 1000 --sequence --keep 99 f";
        generate(&place, &format!("--style {style} --rotate {how} --rotate-every {every} {args}"));
        let newest_last = "cat $(ls -v f.* | tac) f >all 2>/dev/null; ls f.* | wc -l";
        let outcome = run(&place, &["sh", "-c", newest_last]);
        let old: usize = outcome.stdout.trim().parse().expect("a number");
        assert!(old >= 7, "{how} {style}: {old} old files");
        assert_eq!(check(&place, "all"), whole(1000), "{how} {style} {every}");
        assert_eq!(logcast(&place, "check all").stdout.lines().count(), 1);
    }
}

#[test]
fn a_renamed_file_is_still_written_for_a_moment() {
    let lines = |place: &Place, name: &str| {
        fs::read_to_string(place.path(name)).map(|text| text.lines().count()).ok()
    };
    for (count, expected) in [
        // The first time the new file is not there before the 3 last lines of the old one are written …
        (6, [Some(6), None, None]),
        (9, [None, Some(9), None]),
        (14, [Some(4), Some(10), None]),
        // … and the second time it is.
        (19, [Some(0), Some(9), Some(10)]),
        (23, [Some(3), Some(10), Some(10)]),
    ] {
        let place = Place::new();
        generate(&place, &format!("--rate 0 --count {count} --rotate rename --rotate-every 10 f"));
        assert_eq!(["f", "f.1", "f.2"].map(|name| lines(&place, name)), expected, "{count}");
    }
}

/// `--rotate N` means N lines in each file, and a size that the last line of each reaches.
#[test]
fn every_file_holds_what_was_said() {
    for how in ["rename", "copytruncate"] {
        for every in [1, 2, 3, 4, 100] {
            let place = Place::new();
            let count = every * 5;
            generate(&place, &format!("--rate 0 --count {count} --sequence --rotate {every},{how},9 f"));
            for old in 1..=5 {
                let text = fs::read_to_string(place.path(&format!("f.{old}"))).expect("an old file");
                assert_eq!(text.lines().count(), every, "{how} {every}: f.{old}");
            }
            assert!(!place.path("f.6").exists());
        }
        let place = Place::new();
        generate(&place, &format!("--rate 0 --count 2000 --format go --seed 3 --rotate 5k,{how},99 f"));
        let mut old = 0;
        while let Ok(text) = fs::read_to_string(place.path(&format!("f.{}", old + 1))) {
            old += 1;
            let last = text.lines().next_back().expect("lines").len() + 1;
            let before = text.len() - last;
            assert!(text.len() >= 5 << 10 && before < 5 << 10, "{how}: f.{old} {} {before}", text.len());
        }
        assert!(old >= 10, "{how}: {old} old files");
    }
}

#[test]
fn old_files_are_kept_up_to_a_number() {
    let place = Place::new();
    generate(&place, "--rate 0 --count 100 --rotate copytruncate --rotate-every 10 --keep 2 --sequence f");
    assert!(place.path("f.2").exists() && !place.path("f.3").exists());
    assert_eq!(check(&place, "f.1"), whole(10));
    let place = Place::new();
    generate(&place, "--rate 0 --count 105 --rotate truncate --rotate-every 10 --sequence f");
    assert!(!place.path("f.1").exists());
    assert_eq!(check(&place, "f"), whole(5));
}

#[test]
fn the_verdict_names_every_fault() {
    let place = Place::new();
    let text = generate(&place, "--rate 0 --count 20 --sequence");
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines[4] = lines[4].replace("message", "massage");
    lines.swap(8, 9);
    lines.remove(12);
    lines.insert(15, lines[14].clone());
    place.write("f", lines.join("\n") + "\n");
    let outcome = logcast(&place, "check f");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.stdout,
        "lost: 12\naltered: 4\nout of order: 8 after 9\ndoubled: 15\n\
         lines=20 lost=1 doubled=1 out_of_order=1 altered=1 gaps=0 other=0\n"
    );
    assert_eq!(outcome.stderr, "error: 'f' is not whole\n");
}

#[test]
fn a_pipe_is_checked_to_its_end() {
    let place = Place::new();
    let script = "\"$0\" generate --rate 0 --count 5000 --sequence --style nginx | \"$0\" check";
    let outcome = run(&place, &["sh", "-c", script, LOGCAST]);
    assert_eq!((outcome.code, outcome.stdout.trim().to_owned()), whole(5000));
    let outcome = run(&place, &["sh", "-c", "echo text | \"$0\" check -", LOGCAST]);
    assert_eq!(outcome.code, Some(1));
    assert!(outcome.stderr.contains("has no numbered lines\nhelp: "), "{}", outcome.stderr);
}

#[test]
fn a_signal_ends_a_check_of_a_silent_pipe_with_its_verdict() {
    let mut child = Command::new(LOGCAST)
        .arg("check")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a child");
    // Held open: it never ends by itself.
    let _writer = child.stdin.take();
    wait_for("a program that catches SIGTERM", || {
        let status = fs::read_to_string(format!("/proc/{}/status", child.id())).ok()?;
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
        let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
        (caught >> 14 & 1 == 1).then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::TERM).expect("a signal");
    wait_for("the end", || child.try_wait().expect("a child"));
    let outcome = child.wait_with_output().expect("its output");
    assert!(outcome.stdout.starts_with(b"lines=0 "), "{}", String::from_utf8_lossy(&outcome.stdout));
}

/// A stream is followed through rotations and a restart of the server.
#[test]
fn a_url_is_checked_through_a_restart() {
    let place = Place::new();
    generate(&place, "--rate 0 --count 1000 --sequence f");
    let mut server = Server::start(&place, &["f"]);
    let url = format!("{}?lines=all", server.stream);
    assert_eq!(check(&place, &format!("{url} --count 1000")), whole(1000));
    // The page's URL means the stream, with the backlog that it has.
    assert_eq!(check(&place, &format!("{} --count 10", server.page)), whole(10));

    let mut checking = Command::new(LOGCAST)
        .args(["check", &url, "--count", "3000", "--idle", "15"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("a child");
    let rotate = "--rotate rename --rotate-every 400 --sequence --rate 0 --count 1000 f";
    generate(&place, rotate);
    server.end(Signal::TERM);
    server.restart();
    generate(&place, rotate);
    wait_for("the verdict", || checking.try_wait().expect("a child"));
    let outcome = checking.wait_with_output().expect("its output");
    let text = String::from_utf8_lossy(&outcome.stdout).trim().to_owned();
    assert_eq!((outcome.status.code(), text), whole(3000));
}

#[test]
fn what_is_no_stream_is_refused() {
    let place = Place::with("f", "text\n");
    let server = Server::start(&place, &["f", "--token", "secret-token"]);
    let page = format!("http://{}/", server.address);
    for (url, cause) in [
        (
            format!("{page}nothing?token=secret-token"),
            "nothing/stream-logs': the server says '404 Not Found'",
        ),
        (page, "stream-logs': it needs another token\nhelp: "),
    ] {
        let outcome = logcast(&place, &format!("check {url}"));
        assert_eq!(outcome.code, Some(1), "{url}");
        assert!(outcome.stderr.contains(cause), "{}", outcome.stderr);
        assert!(!outcome.stderr.contains("secret"), "{}", outcome.stderr);
    }
}

//! Numbers of lines and counts by time: made when somebody asks, true as the file grows, gone with their generation.

use crate::support::http::get;
use crate::support::writer::text;
use crate::support::{Client, Place, Server, numbered, wait_for};
use serde_json::Value;

/// 2026-11-20T00:00:00Z in milliseconds.
const BEGIN: i64 = 1_795_132_800_000;

fn file(server: &Server) -> Value {
    get(server, "/api/files").json()["files"][0].clone()
}

/// What is told once the number of lines is this one.
#[track_caller]
fn numbered_lines(server: &Server, lines: u64) -> Value {
    wait_for(&format!("{lines} lines to be numbered"), || {
        Some(file(server)).filter(|file| file["lines"].as_u64() == Some(lines))
    })
}

#[test]
fn lines_are_counted_when_somebody_asks_and_as_they_come() {
    let place = Place::with("f", text(&numbered("old", 1, 30_000)));
    let server = Server::start(&place, &["f"]);
    let told = numbered_lines(&server, 30_000);
    assert_eq!(told["indexed"], told["tip"]);
    place.append("f", text(&numbered("new", 1, 500)));
    let told = numbered_lines(&server, 30_500);
    assert_eq!(told["indexed"], told["size"]);
    // An unfinished line is none yet.
    place.append("f", "unfini");
    place.append("f", "shed\nmore");
    numbered_lines(&server, 30_501);
    // A line that is longer than what is sent.
    place.append("f", format!("{}\n", "x".repeat(3 << 20)));
    let told = numbered_lines(&server, 30_502);
    assert_eq!(told["indexed"].as_u64(), std::fs::metadata(place.path("f")).ok().map(|meta| meta.len()));
}

#[test]
fn another_generation_begins_at_one() {
    let place = Place::with("f", text(&numbered("old", 1, 1_000)));
    let server = Server::start(&place, &["f"]);
    numbered_lines(&server, 1_000);
    place.rename("f", "f.1");
    place.write("f", text(&numbered("new", 1, 7)));
    numbered_lines(&server, 7);
    place.write("f", "cut\n");
    numbered_lines(&server, 1);
    place.remove("f");
    wait_for("the file to be missed", || (file(&server)["state"] == "waiting").then_some(()));
}

/// The page is told in its heartbeat; a number that is known is not lost while lines come.
#[test]
fn the_page_is_told() {
    let place = Place::with("f", text(&numbered("old", 1, 2_000)));
    let server = Server::start(&place, &["f"]);
    let mut page = Client::open(&server, "view=live&lines=0");
    page.until(|event| event.name == "tick" && event.json()["files"][0]["lines"] == 2_000);
    let mut written = 2_000;
    let mut ticks = 0;
    while ticks < 3 {
        place.append("f", text(&numbered("more", 1, 50)));
        written += 50;
        let event = page.next();
        if event.name == "tick" {
            ticks += 1;
            let lines = event.json()["files"][0]["lines"].as_u64();
            assert!(lines.is_some_and(|lines| lines <= written), "{lines:?} of {written}");
        }
    }
}

#[test]
fn nothing_is_read_unasked() {
    let place = Place::with("f", text(&numbered("old", 1, 1_000)));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::all(&server);
    client.take(1_000);
    let mut later = Client::open(&server, "lines=0");
    let told = later.hello().json()["files"][0].clone();
    assert!(told["lines"].is_null(), "{told}");
    assert_eq!(told["indexed"], 0);
}

fn histogram(server: &Server, query: &str) -> Value {
    let answer = get(server, &format!("/api/histogram?file=f{query}"));
    assert_eq!(answer.status, 200, "{query}: {}", answer.text());
    answer.json()
}

/// A log of long lines, ten a second, with a bad minute.
fn long(count: i64) -> String {
    let mut log = String::new();
    for n in 0..count {
        let level = if n % 50 == 0 || (n / 600) % 20 == 7 { "ERROR" } else { "INFO" };
        log +=
            &format!("{} {level} {n} {}\n", stamp(BEGIN + n * 100), "x".repeat(560 + n as usize * 7919 % 80));
    }
    log
}

#[track_caller]
fn sum(told: &Value, level: &str) -> u64 {
    let names = told["levels"].as_array().expect("levels");
    let at = names.iter().position(|name| name == level).expect("a level");
    let buckets = told["counts"].as_array().expect("buckets").iter();
    buckets.map(|counts| counts[at].as_u64().expect("a count")).sum()
}

#[test]
fn a_histogram_is_what_a_plain_count_is() {
    let mut log = String::new();
    for second in 0..3_000 {
        let level = ["INFO", "DEBUG", "WARN", "ERROR"][second % 4];
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        log += &format!("2026-11-20T{hour:02}:{minute:02}:{second:02}Z {level} something\n");
        if level == "ERROR" {
            log += "    at com.example.Main(Main.java:5)\n";
        }
    }
    let place = Place::with("f", &log);
    let server = Server::start(&place, &["f", "--tz", "UTC"]);
    let told = histogram(&server, "&since=2026-11-20T00:00:00Z&until=2026-11-20T00:50:00Z&buckets=50");
    assert_eq!((told["file"].as_str(), told["exact"].as_bool()), (Some("f"), Some(true)));
    assert_eq!(told["lines"], 3_750);
    for (level, count) in [("info", 750), ("debug", 750), ("warn", 750), ("error", 1_500), ("none", 0)] {
        assert_eq!(sum(&told, level), count, "{level}");
    }
    // A second is a bucket or a multiple of what the table's are.
    let (start, bucket) = (told["start"].as_i64().expect("a time"), told["bucket"].as_i64().expect("ms"));
    assert!(start <= BEGIN && BEGIN - start < bucket, "{start}");
    for (at, counts) in told["counts"].as_array().expect("buckets").iter().enumerate() {
        let from = start + at as i64 * bucket;
        let within = |second: &i64| (from..from + bucket).contains(&(BEGIN + second * 1000));
        let naive: i64 = (0..3_000).filter(within).map(|second| if second % 4 == 3 { 2 } else { 1 }).sum();
        let counted: i64 = counts.as_array().expect("counts").iter().filter_map(Value::as_i64).sum();
        assert_eq!(counted, naive, "bucket {at}");
    }
    let part = histogram(&server, "&since=2026-11-20%2000:10&until=2026-11-20%2000:20");
    assert_eq!((part["lines"].as_u64(), part["exact"].as_bool()), (Some(750), Some(true)));
    let whole = histogram(&server, "");
    assert_eq!(whole["lines"], 3_750);
    assert!(whole["counts"].as_array().expect("buckets").len() <= 120);
    // Live at the end.
    place.append("f", "2026-11-20T00:50:00Z FATAL the end\n");
    let one =
        wait_for("the last line", || Some(histogram(&server, "")).filter(|told| told["lines"] == 3_751));
    assert_eq!(sum(&one, "fatal"), 1);
    let none = histogram(&server, "&since=2027-01-01&until=2027-01-02&buckets=3");
    assert_eq!((none["lines"].as_u64(), none["counts"].as_array().map(Vec::len)), (Some(0), Some(3)));
}

#[test]
fn lines_without_times_have_no_histogram() {
    let place = Place::with("f", text(&numbered("no time", 1, 100)));
    let server = Server::start(&place, &["f"]);
    let told = histogram(&server, "");
    assert!(told["start"].is_null() && told["counts"].as_array().is_some_and(Vec::is_empty), "{told}");
}

/// Older lives belong to it where the time asked for reaches back to them.
#[test]
fn the_rotated_set_is_counted_as_one() {
    let line = |day: u32, n: u32| format!("2026-11-{day:02}T10:00:{:02}Z INFO line {n}\n", n % 60);
    let place = Place::with("f", (0..50).map(|n| line(22, n)).collect::<String>());
    place.write("f.1", (0..40).map(|n| line(21, n)).collect::<String>());
    place.write("f.2", (0..30).map(|n| line(20, n)).collect::<String>());
    let server = Server::start(&place, &["f"]);
    assert_eq!(histogram(&server, "")["lines"], 50);
    assert_eq!(histogram(&server, "&since=2026-11-21")["lines"], 90);
    assert_eq!(histogram(&server, "&since=2026-11-01&until=2026-11-22")["lines"], 70);
    assert_eq!(histogram(&server, "&since=2026-11-01")["exact"], true);
}

/// What is too long to be counted at once is sampled, and said so; then the table is made.
#[test]
fn a_sample_says_so() {
    let place = Place::new();
    let log = long(115_000);
    place.write("f", &log);
    assert!(log.len() > 65 << 20, "{} bytes are counted at once", log.len());
    let lines = log.lines().count() as f64;
    let server = Server::start(&place, &["f"]);
    let first = histogram(&server, "");
    assert_eq!(first["exact"], false);
    let about = first["lines"].as_u64().expect("a number") as f64;
    assert!((about - lines).abs() < lines * 0.05, "{about} of {lines}");
    let exact = wait_for("the table", || Some(histogram(&server, "")).filter(|told| told["exact"] == true));
    assert_eq!(exact["lines"].as_u64(), Some(lines as u64));
    let errors = (sum(&first, "error") as f64, sum(&exact, "error") as f64);
    assert!((errors.0 - errors.1).abs() < errors.1 * 0.3, "{errors:?}");
    // A narrow part is counted again, in narrow buckets.
    let (since, until) = (stamp(BEGIN + 1_000_000), stamp(BEGIN + 1_060_000));
    let part = histogram(&server, &format!("&since={since}&until={until}"));
    assert_eq!((part["exact"].as_bool(), part["lines"].as_u64()), (Some(true), Some(600)));
    assert!(part["bucket"].as_i64().is_some_and(|bucket| bucket <= 1_024), "{part}");
    // The table goes on with the file, and goes with its generation.
    place.append("f", format!("{} FATAL the end\n", stamp(BEGIN + 11_500_000)));
    wait_for("the last line", || {
        let told = histogram(&server, "");
        (told["exact"] == true && told["lines"] == 115_001).then_some(())
    });
    place.rename("f", "f.1");
    place.write("f", format!("{} INFO anew\n", stamp(BEGIN + 11_600_000)));
    wait_for("the new life", || (histogram(&server, "")["lines"] == 1).then_some(()));
}

fn stamp(milliseconds: i64) -> String {
    jiff::Timestamp::from_millisecond(milliseconds).expect("a time").to_string()
}

/// Lines without times are counted along the file.
#[test]
fn lines_by_place() {
    let line = |n: usize| format!("{} number {n:06}", if n < 2_500 { "ERROR" } else { "INFO" });
    let place = Place::with("f", text(&(0..10_000).map(line).collect::<Vec<_>>()));
    let server = Server::start(&place, &["f"]);
    let by_time = get(&server, "/api/histogram?file=f").json();
    assert!(by_time["start"].is_null(), "{by_time}");
    let told = get(&server, "/api/histogram?file=f&by=place&buckets=40").json();
    let size = std::fs::metadata(place.path("f")).expect("a file").len();
    assert_eq!(
        (&told["start"], &told["bucket"], &told["exact"]),
        (&0.into(), &size.div_ceil(40).into(), &true.into())
    );
    assert_eq!(told["lines"], 10_000, "{told}");
    let counts: Vec<Vec<u64>> = serde_json::from_value(told["counts"].clone()).expect("counts");
    assert_eq!(counts.len(), 40);
    // fatal, error, warn, info, …
    assert!(counts[..9].iter().all(|bucket| bucket[1] > 200), "{told}");
    assert!(counts[12..].iter().all(|bucket| bucket[1] == 0 && bucket[3] > 200), "{told}");
}

#[test]
fn what_is_refused() {
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f", "missing"]);
    for (query, status, parameter) in [
        ("", 400, "file"),
        ("file=g", 404, "file"),
        ("file=missing", 404, ""),
        ("file=f&buckets=0", 400, "buckets"),
        ("file=f&buckets=1001", 400, "buckets"),
        ("file=f&buckets=x", 400, "buckets"),
        ("file=f&since=soon", 400, "since"),
        ("file=f&until=", 400, "until"),
        ("file=f&since=2026-11-20&until=2026-11-20", 400, "until"),
        ("file=f&grep=x", 400, "grep"),
        ("file=f&by=size", 400, "by"),
        ("file=f&by=place&since=2026-11-20", 400, "since"),
        ("file=missing&by=place", 404, ""),
    ] {
        let answer = get(&server, &format!("/api/histogram?{query}"));
        assert_eq!(answer.status, status, "{query}: {}", answer.text());
        if !parameter.is_empty() {
            assert_eq!(answer.json()["parameter"], parameter, "{query}");
        }
    }
}

/// `at=line:N` and the number of an answer's first line are what a plain count of lines gives.
#[test]
fn every_number_leads_to_its_line() {
    let lines: Vec<String> =
        (0..20_000usize).map(|n| format!("{n} {}", "x".repeat(n * 7919 % 300))).collect();
    let place = Place::with("f", text(&lines));
    let server = Server::start(&place, &["f"]);
    numbered_lines(&server, 20_000);
    for number in [1, 2, 3, 437, 438, 9_999, 10_000, 19_999, 20_000] {
        let answer = get(&server, &format!("/api/lines?file=f&at=line:{number}&after=1"));
        assert_eq!(answer.text().trim_end_matches('\n'), lines[number - 1], "line {number}");
        let told = answer.header("x-logcast-line").map(str::to_owned);
        assert_eq!(told, Some(number.to_string()));
        let share = get(&server, &format!("/api/lines?file=f&at={}%25&before=1", number / 200));
        // An answer without lines, at the start of the file, has no number.
        if let Some(text) = share.text().split(' ').next().filter(|text| !text.is_empty()) {
            let first: usize = text.parse().expect("a number");
            assert_eq!(share.header("x-logcast-line"), Some((first + 1).to_string().as_str()), "{number}");
        }
    }
}

//! Filters of `/stream-logs`: exactly the lines that a naive look keeps, live and as a backlog, with a place to resume
//! that moves on; and the rotated set as one log.

use crate::support::http::{get, raw};
use crate::support::{Client, Place, Server, assert_lines};
use std::io::Write;
use std::time::Duration;

fn numbered(from: usize, to: usize) -> String {
    (from..to)
        .map(|n| format!("2026-11-20T10:{:02}:{:02}Z {} line {n}\n", n / 60 % 60, n % 60, word(n)))
        .collect()
}

fn word(n: usize) -> &'static str {
    if n.is_multiple_of(10) { "ERROR" } else { "INFO" }
}

fn line(n: usize) -> String {
    numbered(n, n + 1).trim_end().to_owned()
}

#[test]
fn a_backlog_counts_the_lines_that_are_kept_and_live_lines_follow() {
    let place = Place::with("f", numbered(0, 1000));
    let server = Server::start(&place, &["f"]);
    let mut client = Client::open(&server, "grep=line%20%5Cd*5%24&lines=3");
    client.hello();
    assert_lines(&client.take(3), &[line(975), line(985), line(995)]);
    place.append("f", numbered(1000, 1100));
    let expected: Vec<_> = (1000..1100).filter(|n| n % 10 == 5).map(line).collect();
    assert_lines(&client.take(expected.len()), &expected);
}

#[test]
fn several_patterns_levels_and_times_are_combined() {
    let place = Place::with("f", numbered(0, 3600));
    let server = Server::start(&place, &["f", "--no-follow"]);
    let kept = |query: &str| {
        let mut client = Client::open(&server, query);
        let events = client.until(|event| event.name == "ended");
        events.into_iter().filter(|event| event.is_line()).map(|event| event.data).collect::<Vec<_>>()
    };
    let lines =
        |wanted: &dyn Fn(usize) -> bool| (0..3600).filter(|&n| wanted(n)).map(line).collect::<Vec<_>>();
    assert_lines(&kept("lines=all&level=error"), &lines(&|n| n % 10 == 0));
    assert_lines(
        &kept("lines=all&grep=line&grep=7&exclude=77&exclude=%3A0"),
        &lines(&|n| line(n).contains('7') && !line(n).contains("77") && !line(n).contains(":0")),
    );
    assert_lines(&kept("lines=all&grep=error&case=yes"), &Vec::<String>::new());
    assert_lines(
        &kept("since=2026-11-20T10:30:00Z&until=2026-11-20T10:31:00Z"),
        &lines(&|n| (1800..1860).contains(&n)),
    );
    assert_lines(&kept("level=warn%2B&lines=2"), &[line(3580), line(3590)]);
}

/// Lines of which no level is known can be asked for, and asked for beside others.
#[test]
fn lines_without_a_level() {
    let lines = ["no level yet", "INFO a", "    more of a", "2026-11-20T10:00:00Z plain", "ERROR b"];
    let place = Place::with("f", lines.map(|line| format!("{line}\n")).concat());
    let server = Server::start(&place, &["f"]);
    for (levels, wanted) in [("none", &[0, 3][..]), ("none,error", &[0, 3, 4]), ("info", &[1, 2])] {
        let answer = get(&server, &format!("/raw/f?level={levels}")).text();
        let wanted: Vec<_> = wanted.iter().map(|n: &usize| lines[*n]).collect();
        assert_lines(&answer.lines().collect::<Vec<_>>(), &wanted);
    }
}

#[test]
fn a_stack_trace_goes_with_its_error() {
    let text = "2026-11-20T10:00:00Z INFO a\n2026-11-20T10:00:01Z ERROR b\njava.lang.Error: c\n    at d.e(F.java:1)\n2026-11-20T10:00:02Z INFO g\n";
    let place = Place::with("f", text);
    let server = Server::start(&place, &["f"]);
    let mut client = Client::open(&server, "level=error&lines=2");
    client.hello();
    assert_lines(&client.take(2), &["java.lang.Error: c", "    at d.e(F.java:1)"]);
    place.append("f", "2026-11-20T10:00:03Z ERROR h\n    at i.j(K.java:2)\n");
    assert_lines(&client.take(2), &["2026-11-20T10:00:03Z ERROR h", "    at i.j(K.java:2)"]);
    let mut json = Client::open(&server, "format=json&lines=1");
    json.hello();
    let object: serde_json::Value = serde_json::from_str(&json.take(1)[0]).expect("JSON");
    assert_eq!((&object["level"], &object["time"]), (&"error".into(), &"2026-11-20T10:00:03Z".into()));
}

/// A client whose filter keeps nothing of a flood does not begin before it again.
#[test]
fn the_place_to_resume_moves_over_what_is_filtered_out() {
    let place = Place::with("f", "start needle\n");
    let server = Server::start(&place, &["f"]);
    let mut client = Client::open(&server, "grep=needle&lines=1");
    client.hello();
    assert_lines(&client.take(1), &["start needle"]);
    let before = client.last_id.clone();
    place.append("f", numbered(0, 5000));
    let passed = client.until(|event| event.name == "cursor");
    assert!(passed.iter().all(|event| event.own_id && !event.is_line()), "{passed:?}");
    assert_ne!(client.last_id, before);
    let id = client.last_id.clone();
    drop(client);
    place.append("f", "another needle\n");
    let mut again = Client::resume(&server, "grep=needle", &id);
    assert_eq!(again.hello().id, id, "it goes on where it was told");
    assert_lines(&again.take(1), &["another needle"]);
}

#[test]
fn many_filters_at_once_each_get_their_own_lines() {
    let place = Place::with("f", "");
    let server = Server::start(&place, &["f"]);
    let mut clients: Vec<_> = (0..10)
        .map(|digit| {
            let mut client = Client::open(&server, &format!("grep=%5B%5E%3A%5Cd%5D{digit}%24"));
            client.hello();
            client
        })
        .collect();
    let mut file = place.appender("f");
    for n in 0..500 {
        writeln!(file, "x {}", n % 10).expect("a write");
    }
    for (digit, client) in clients.iter_mut().enumerate() {
        assert_lines(&client.take(50), &vec![format!("x {digit}"); 50]);
    }
}

#[test]
fn what_is_wrong_with_a_filter_is_said() {
    let place = Place::with("f", "a\n");
    let server = Server::start(&place, &["f"]);
    for (query, parameter, offset) in [
        ("grep=a%28b", "grep", Some(1)),
        ("exclude=%5Bz-a%5D", "exclude", Some(1)),
        ("level=loud", "level", Some(0)),
        ("since=never", "since", None),
        ("view=live&grep=a", "view", None),
    ] {
        let response = get(&server, &format!("/stream-logs?{query}"));
        assert_eq!(response.status, 400, "{query}");
        let problem = response.json();
        assert_eq!(problem["parameter"], parameter, "{problem}");
        assert_eq!(problem["offset"].as_u64(), offset, "{problem}");
    }
}

/// A log of 65 lines in three lives, the oldest compressed.
fn rotated() -> (Place, Server) {
    let place = Place::with("f", numbered(60, 65));
    place.append("f.1", numbered(40, 60));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gz.write_all(numbered(0, 40).as_bytes()).expect("a write");
    std::fs::write(place.path("f.2.gz"), gz.finish().expect("gzip")).expect("a file");
    let old = std::time::SystemTime::now() - Duration::from_secs(3600);
    std::fs::File::open(place.path("f.2.gz")).and_then(|file| file.set_modified(old)).expect("a time");
    let newer = old + Duration::from_secs(1800);
    std::fs::File::open(place.path("f.1")).and_then(|file| file.set_modified(newer)).expect("a time");
    let server = Server::start(&place, &["f"]);
    (place, server)
}

#[track_caller]
fn json(server: &Server, target: &str) -> serde_json::Value {
    let head = format!(
        "GET {target} HTTP/1.1\r\nHost: {}\r\nAccept: application/json\r\nConnection: close\r\n\r\n",
        server.address
    );
    let answer = raw(server, head.as_bytes()).expect("an answer");
    assert_eq!(answer.status, 200, "{target}: {}", answer.text());
    answer.json()
}

fn texts(answer: &serde_json::Value) -> Vec<String> {
    let lines = answer["lines"].as_array().expect("lines");
    lines.iter().map(|line| line["text"].as_str().expect("a text").to_owned()).collect()
}

/// `lines=50` right after a rotation still gives 50, from as many siblings as it takes, compressed ones too.
#[test]
fn the_last_lines_reach_back_into_rotated_siblings() {
    let (place, server) = rotated();
    for (count, filter) in
        [(3, ""), (5, ""), (12, ""), (25, ""), (50, ""), (500, ""), (3, "&level=error"), (5, "&level=error")]
    {
        let mut client = Client::open(&server, &format!("lines={count}{filter}"));
        client.hello();
        let all: Vec<_> = (0..65).filter(|n| filter.is_empty() || n % 10 == 0).map(line).collect();
        let expected = &all[all.len().saturating_sub(count)..];
        assert_lines(&client.take(expected.len()), expected);
        assert!(client.events.iter().all(|event| event.name != "gap"), "{:?}", client.events);
    }
    // A cursor there goes on over all that followed.
    let mut client = Client::open(&server, "lines=60");
    client.hello();
    client.take(2);
    let id = client.last_id.clone();
    let mut again = Client::resume(&server, "", &id);
    let expected: Vec<_> = (7..65).map(line).collect();
    assert_lines(&again.take(58), &expected);
    let mut since = Client::open(&server, "since=2026-11-20T10:00:30Z");
    since.hello();
    assert_lines(&since.take(35), &(30..65).map(line).collect::<Vec<_>>());
    drop(server);

    let server = Server::start(&place, &["f", "--no-history"]);
    let mut client = Client::open(&server, "lines=50");
    client.hello();
    assert_lines(&client.take(5), &(60..65).map(line).collect::<Vec<_>>());
    client.quiet(Duration::from_millis(300));
}

/// `/api/lines` over the whole set: from any place on to the older and newer lives, by time, and with filters.
#[test]
fn any_place_of_the_set_can_be_read() {
    let (place, server) = rotated();
    let files = get(&server, "/api/files").json();
    let names: Vec<_> = files["files"][0]["history"]
        .as_array()
        .expect("history")
        .iter()
        .map(|one| one["name"].clone())
        .collect();
    assert_eq!(names, ["f.1", "f.2.gz"]);
    // Back from the end over all lives, and forth again.
    let (mut at, mut all) = ("end".to_owned(), Vec::new());
    for _ in 0..40 {
        let answer = json(&server, &format!("/api/lines?file=f&at={at}&before=7"));
        let mut lines = texts(&answer);
        lines.append(&mut all);
        all = lines;
        at = match answer["previous"].as_str() {
            Some(previous) => previous.to_owned(),
            None if answer["from"] == answer["begin"] => break,
            None => format!(
                "{}&generation={}",
                answer["from"],
                answer["generation"].as_str().expect("a generation")
            ),
        };
    }
    assert_lines(&all, &(0..65).map(line).collect::<Vec<_>>());
    let (mut at, mut all) = ("time:2026-11-20T00:00:00Z".to_owned(), Vec::new());
    for _ in 0..40 {
        let answer = json(&server, &format!("/api/lines?file=f&at={at}&after=7"));
        all.extend(texts(&answer));
        at = match answer["next"].as_str() {
            Some(next) => next.to_owned(),
            None if answer["to"] == answer["size"] => break,
            None => answer["cursor"].as_str().expect("a cursor").to_owned(),
        };
    }
    assert_lines(&all, &(0..65).map(line).collect::<Vec<_>>());
    for n in [0, 1, 39, 40, 41, 59, 60, 64] {
        let time = line(n)[..20].to_owned();
        let answer = json(&server, &format!("/api/lines?file=f&at=time:{time}&after=1"));
        assert_lines(&texts(&answer), &[line(n)]);
        assert_eq!(answer["lines"][0]["time"], time, "{answer}");
    }
    let answer = json(&server, "/api/lines?file=f&at=time:2026-11-20T11:00:00Z&before=2&after=2");
    assert_lines(&texts(&answer), &[line(63), line(64)]);
    let answer = json(&server, "/api/lines?file=f&at=time:2026-11-20T10:00:20Z&after=3&level=error");
    assert_lines(&texts(&answer), &[line(20), line(30)]);
    assert_eq!((&answer["to"], &answer["more"]), (&answer["size"], &serde_json::Value::Null));
    let answer =
        json(&server, "/api/lines?file=f&at=time:2026-11-20T10:00:39Z&before=2&after=0&grep=%5B37%5D%24");
    assert_lines(&texts(&answer), &[line(33), line(37)]);
    drop(place);
}

#[test]
fn places_that_make_no_sense_are_refused() {
    let (_place, server) = rotated();
    let end = json(&server, "/api/lines?file=f&at=end&before=1");
    let cursor = end["cursor"].as_str().expect("a cursor");
    let generation = end["generation"].as_str().expect("a generation");
    for (at, status) in [
        ("line:0", 400),
        ("line:x", 400),
        ("time:never", 400),
        ("older:x", 400),
        (&format!("newer:{cursor}"), 410),
        (&format!("0&generation={generation}x"), 400),
        ("0&generation=AAAAAAAA", 410),
        ("end&grep=(", 400),
    ] {
        let answer = get(&server, &format!("/api/lines?file=f&at={at}&before=1"));
        assert_eq!(answer.status, status, "{at}: {}", answer.text());
    }
}

/// A line by its number: refused until the index has passed it, never scanned for.
#[test]
fn a_line_is_found_by_its_number_once_it_is_indexed() {
    let (place, server) = rotated();
    let first = || {
        let answer = get(&server, "/api/lines?file=f&at=line:3&after=1");
        assert!(answer.status == 200 || answer.status == 409, "{answer:?}");
        (answer.status == 200).then_some(answer)
    };
    let answer = crate::support::wait_for("the index", first);
    assert_eq!((answer.text().trim_end(), answer.header("x-logcast-line")), (line(62).as_str(), Some("3")));
    place.append("f", numbered(65, 70));
    let grown = || {
        let answer = json(&server, "/api/lines?file=f&at=line:10&before=2&after=1");
        (texts(&answer).len() == 3).then_some(answer)
    };
    let answer = crate::support::wait_for("the new lines", grown);
    assert_lines(&texts(&answer), &[line(67), line(68), line(69)]);
    assert_eq!(answer["line"], 8);
    let beyond = json(&server, "/api/lines?file=f&at=line:999&before=1&after=1");
    assert_lines(&texts(&beyond), &[line(69)]);
}

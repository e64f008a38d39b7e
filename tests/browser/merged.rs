//! Several files: as one by time, as tabs, and many of them.

use crate::chromium::Browser;
use crate::find::on;
use crate::page::{TEXTS, follows, last, state, texts};
use crate::support::writer::text;
use crate::support::{Place, Server, assert_lines};
use thirtyfour::prelude::Key;

const FILES: &str = "[...document.querySelectorAll('#block .row .file')].map((cell) => cell.title)";

/// Lines of one file, each with a time; the message says file and second.
fn timed(name: &str, seconds: impl Iterator<Item = u32>) -> Vec<String> {
    seconds
        .map(|s| {
            format!("2026-11-25T{:02}:{:02}:{:02}.000Z INFO {name} {s:05}", s / 3600, s / 60 % 60, s % 60)
        })
        .collect()
}

fn begin(place: &Place, files: &[&str]) -> Option<(Server, Browser)> {
    let browser = Browser::start()?;
    let server = Server::start(place, files);
    browser.open(&server.page);
    state(&browser, "live");
    browser.run("document.querySelector('#log').focus()");
    browser.keys("M");
    browser.until("merged rows", &format!("{FILES}.length > 3"));
    Some((server, browser))
}

#[test]
fn files_are_merged_by_time() {
    let place = Place::new();
    place.write("a", text(&timed("a", (0..3000).step_by(3))));
    place.write("b", text(&timed("b", (1..3000).step_by(3))));
    place.write("c", text(&timed("c", (2..3000).step_by(3))));
    let Some((_server, browser)) = begin(&place, &["a", "b", "c"]) else { return };
    let mut all: Vec<String> = ["a", "b", "c"]
        .iter()
        .enumerate()
        .flat_map(|(i, name)| timed(name, (i as u32..3000).step_by(3)))
        .collect();
    all.sort();
    let shown = texts(&browser);
    assert!(shown.len() > 20, "{shown:?}");
    assert_lines(&shown, &all[all.len() - shown.len()..]);
    // Upwards page by page: each line once, in order.
    let mut top = shown[0].clone();
    for _ in 0..12 {
        browser.keys(thirtyfour::prelude::Key::PageUp + "");
        let json = serde_json::to_string(&top).expect("JSON");
        browser.until("the screen to move up", &format!("{TEXTS}.length > 5 && {TEXTS}[0] < {json}"));
        let shown = texts(&browser);
        let first = all.iter().position(|line| *line == shown[0]).expect("a line of a file");
        assert_lines(&shown, &all[first..first + shown.len()]);
        top = shown[0].clone();
    }
    // Lines that come live, the later file first: still in the order of their times.
    browser.keys("f");
    place.append("b", "2026-11-25T01:00:02.000Z INFO b later\n");
    place.append("a", "2026-11-25T01:00:01.000Z INFO a sooner\n");
    last(&browser, "2026-11-25T01:00:02.000Z INFO b later");
    let shown = texts(&browser);
    assert_eq!(shown[shown.len() - 2], "2026-11-25T01:00:01.000Z INFO a sooner");
    // The start, and back.
    browser.keys("g");
    browser.until(
        "the first line",
        &format!("{TEXTS}[0] === {}", serde_json::to_string(&all[0]).expect("JSON")),
    );
    assert_lines(&texts(&browser)[..20], &all[..20]);
    browser.keys("G");
    last(&browser, "2026-11-25T01:00:02.000Z INFO b later");
    browser.no_errors(&[]);
}

/// A flood in a merged view shows the newest and stays small.
#[test]
fn a_flood_is_merged_too() {
    let place = Place::new();
    place.write("a", text(&timed("a", 0..50)));
    place.write("b", text(&timed("b", 0..50)));
    let Some((_server, browser)) = begin(&place, &["a", "b"]) else { return };
    for round in 1..20 {
        place.append("a", text(&timed("a", round * 1000..round * 1000 + 900)));
        place.append("b", text(&timed("b", round * 1000..round * 1000 + 900)));
    }
    last(&browser, timed("b", 19_899..19_900).last().expect("a line"));
    assert!(browser.get::<usize>("return document.querySelectorAll('#block .row').length") <= 600);
    let mut shown = texts(&browser);
    let sorted = {
        let mut sorted = shown.clone();
        sorted.sort();
        sorted
    };
    assert_lines(&shown, &sorted);
    shown.dedup();
    assert_eq!(shown.len(), sorted.len(), "a line came twice");
    browser.no_errors(&[]);
}

/// Lines without a time go with the line before them; a file without any times by when it came.
#[test]
fn lines_without_a_time() {
    let place = Place::new();
    place.write(
        "a",
        "2026-11-25T08:00:00Z ERROR a boom\n    at one\n    at two\n2026-11-25T08:00:04Z INFO a on\n",
    );
    place.write("b", "2026-11-25T08:00:02Z INFO b between\n");
    place.write("plain", "no time here\n");
    let Some((_server, browser)) = begin(&place, &["a", "b", "plain"]) else { return };
    let expected = [
        "no time here",
        "2026-11-25T08:00:00Z ERROR a boom",
        "    at one",
        "    at two",
        "2026-11-25T08:00:02Z INFO b between",
        "2026-11-25T08:00:04Z INFO a on",
    ];
    browser.until("all lines", &format!("{TEXTS}.length === {}", expected.len()));
    assert_lines(&texts(&browser), &expected);
    place.append("plain", "came now\n");
    last(&browser, "came now");
    browser.no_errors(&[]);
}

/// Three hundred files: few tabs, and all of them by name.
#[test]
fn many_files() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    for number in 0..300 {
        place.write(&format!("app-{number:03}.log"), format!("line of {number:03}\n"));
    }
    let server = Server::start(&place, &["app-*.log"]);
    browser.open(&server.page);
    state(&browser, "live");
    assert!(browser.get::<usize>("return document.querySelectorAll('#tabs [role=tab]').length") <= 30);
    browser.click(".rest");
    browser.keys("app-217\n");
    last(&browser, "line of 217");
    place.append("app-217.log", "more of 217\n");
    last(&browser, "more of 217");
    browser.no_errors(&[]);
}

/// A stream of an engine is one source; each of its lines says whose it is, those that were there and those that come.
#[cfg(feature = "nats")]
#[test]
fn a_line_of_a_stream_says_whose_it_is() {
    use crate::fake::Fake;
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let fake = Fake::start(&[(1_000, "one\ntwo")]);
    let server = Server::start(&place, &[&fake.url()]);
    browser.open(&server.page);
    last(&browser, "two");
    let whose = "return [...document.querySelectorAll('#block .row > .file')].map((cell) => [cell.textContent, cell.title, cell.style.getPropertyValue('--hue')])";
    let named = |count: usize| {
        let cells: Vec<[String; 3]> = browser.get(whose);
        assert_eq!(cells.len(), count, "{cells:?}");
        for [text, title, hue] in cells {
            assert_eq!((text.as_str(), title.as_str()), ("logs.a", "logs.a"));
            assert!(hue.starts_with("var(--hue"), "{hue}");
        }
    };
    named(2);
    fake.shown.lock().expect("unpoisoned").messages.push((1_001, "three".to_owned()));
    last(&browser, "three");
    named(3);
    browser.keys("G");
    browser.no_errors(&[]);
}

/// Of many hosts one is chosen in a line's detail, and so is one of its files; the choice stands in the address.
#[cfg(feature = "nats")]
#[test]
fn the_lines_of_one_host() {
    use crate::fake::Fake;
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    let fake = Fake::start(&[(1_000, "one"), (1_001, "two"), (1_002, "three"), (1_003, "four")]);
    fake.shown.lock().expect("unpoisoned").files =
        vec![("web-1", "/var/log/app"), ("web-2", "/var/log/app"), ("web-1", "/var/log/jobs")];
    let server = Server::start(&place, &[&fake.url()]);
    browser.open(&server.page);
    last(&browser, "four");
    let choose = |of: &str| {
        browser.run("document.querySelector('#log').focus()");
        browser.keys("g");
        follows(&browser, false);
        browser.keys("j");
        browser.keys("k");
        on(&browser, "one");
        browser.keys("o");
        browser.until("a detail", "document.querySelector('#block .detail')");
        browser.run(&format!("document.querySelector('#block .detail [data-of={of}] button').click()"));
    };
    let shown = |lines: &[&str]| {
        browser.until("the lines", &format!("{TEXTS}.join() === {}", serde_json::json!(lines.join(","))));
    };
    choose("host");
    shown(&["one", "three", "four"]);
    assert_eq!(
        browser.get::<String>("return document.querySelector('#kept .chip').textContent"),
        "from web-1"
    );
    fake.shown
        .lock()
        .expect("unpoisoned")
        .messages
        .extend([(1_004, "five".to_owned()), (1_005, "six".to_owned())]);
    shown(&["one", "three", "four", "six"]);
    browser.run("document.querySelector('#block .row.open')?.focus()");
    browser.run("document.querySelector('#block .detail [data-of=origin] button').click()");
    shown(&["one", "four"]);
    browser.until("the address", "/host=web-1/.test(location.hash) && /origin=web-1/.test(location.hash)");
    let address: String = browser.get("return location.href");
    browser.open("about:blank");
    browser.open(&address);
    shown(&["one", "four"]);
    // The line is copied as it is.
    browser.run("window.copied = ''; navigator.clipboard.writeText = async (text) => { window.copied = text; }; document.querySelector('#block .row').focus()");
    browser.keys("c");
    browser.until("the line to be copied", "window.copied === 'one\\n'");
    // What is saved of them is JSON: bytes do not tell whose they are.
    browser.run("document.querySelector('#log').focus()");
    browser.keys("s");
    let raw: [bool; 2] =
        browser.get("return [...document.querySelectorAll('#download [name=as]')].map((way) => way.checked)");
    assert_eq!(raw, [false, true]);
    browser.keys(Key::Escape + "");
    browser.run("document.querySelectorAll('#kept .chip button').forEach((button) => button.click())");
    shown(&["one", "two", "three", "four", "five", "six"]);
    browser.no_errors(&[]);
}

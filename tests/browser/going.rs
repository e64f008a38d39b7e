//! Going to a place: lines, shares, times, links; over rotations; line numbers; copying and saving over any distance.

use crate::chromium::Browser;
use crate::find::{CURSOR, WORDS, find, on, press};
use crate::page::{TEXTS, begin, follows, last, texts};
use crate::support::writer::text;
use crate::support::{DEADLINE, LOOK, Place, Server, assert_lines, http, numbered};
use std::io::Write;
use std::time::Instant;
use thirtyfour::prelude::Key;

/// Types a place after `:`.
#[track_caller]
fn go(browser: &Browser, place: &str) {
    press(browser, ":");
    browser.keys(place);
    browser.keys(Key::Enter + "");
    browser.until("the box to close", "!document.querySelector('#goto').open");
}

/// A jump draws what the screen shows; the lines around it come a moment later, or with the wheel, before anybody sees an edge.
#[test]
fn a_jump_draws_the_screen_first() {
    let Some((_place, _server, browser)) = begin(&numbered("n", 1, 30_000)) else { return };
    let block = "document.querySelector('#block')";
    counted(&browser);
    browser.run(&format!(
        "window.drawn = []; new MutationObserver(() => window.drawn.push({block}.children.length)).observe({block}, {{ childList: true }})"
    ));
    for line in [12_000, 3_000] {
        browser.run("window.drawn.length = 0");
        go(&browser, &line.to_string());
        on(&browser, &format!("n-{line:06}"));
        browser.until("the lines around", &format!("{block}.children.length > 180"));
        let drawn: Vec<usize> = browser.get("return window.drawn");
        assert!((40..130).contains(&drawn[0]), "{drawn:?}");
    }
    // Nothing stands there: the last line is the nearest.
    go(&browser, "99999999");
    on(&browser, "n-030000");
    go(&browser, "20000");
    browser.wheel(-400);
    browser.until("the screen to be full", &format!(
        "(() => {{ const [log, block] = ['#log', '#block'].map((id) => document.querySelector(id).getBoundingClientRect()); return {block}.children.length > 180 && block.top <= log.top && block.bottom >= log.bottom; }})()"
    ));
    browser.no_errors(&[]);
}

/// Waits until the server has counted the lines, and the page heard of it.
#[track_caller]
fn counted(browser: &Browser) {
    browser.until("the lines to be counted", "/line/.test(document.querySelector('#total').textContent)");
}

/// Checks 2 and 3: g and G lead to the ends, `:N` to line N, `:50%` to the middle; the numbers beside the lines are theirs.
#[test]
fn places_by_number_and_share() {
    let lines = numbered("n", 1, 30_000);
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    counted(&browser);
    press(&browser, "g");
    browser.until("line 1", &format!("{TEXTS}[0] === 'n-000001'"));
    follows(&browser, false);
    go(&browser, "12345");
    on(&browser, "n-012345");
    go(&browser, "50%");
    browser.until("the middle", &format!("Math.abs(Number({CURSOR}.slice(2)) - 15000) <= 30"));
    go(&browser, "-500");
    browser.until("lines before", &format!("Math.abs(Number({CURSOR}.slice(2)) - 14500) <= 30"));
    go(&browser, "@9");
    on(&browser, "n-000002");
    press(&browser, "G");
    last(&browser, "n-030000");
    follows(&browser, true);
    // Every row has its own number, after scrolling too.
    let right = "(() => { const rows = [...document.querySelectorAll('#block .row[data-offset]:not(.note)')];
        return rows.length > 20 && rows.every((row) => Number(row.dataset.line?.replaceAll(',', '')) === Number(row.querySelector('.text').textContent.slice(2))); })()";
    browser.until("the numbers of the lines", right);
    for key in [Key::PageUp, Key::PageUp, Key::PageUp, Key::PageDown] {
        press(&browser, key + "");
        browser.until("the numbers of the lines", right);
    }
    browser.until(
        "the number in the foot line",
        "/^Line 29,9/.test(document.querySelector('#place').textContent)",
    );
    // What is typed and is no place is told where it is typed; Escape closes the box and nothing else.
    find(&browser, "n-0299");
    press(&browser, ":");
    browser.keys("nowhere");
    browser.keys(Key::Enter + "");
    browser.until(
        "words about it",
        "/Not understood/.test(document.querySelector('#goto .problem').textContent)",
    );
    let open: &str = "return document.querySelector('#goto').open";
    assert!(browser.get::<bool>(open));
    browser.keys(Key::Escape + "");
    assert!(!browser.get::<bool>(open));
    assert!(browser.get::<bool>(&format!("return / of /.test({WORDS})")));
    // It stands over the log, and is gone when somebody turns to a line.
    press(&browser, ":");
    assert!(browser.get::<bool>(open));
    browser.run("document.querySelector('#block .row').focus()");
    assert!(!browser.get::<bool>(open));
    browser.no_errors(&[]);
}

/// Checks 1 and 2: of a large file the last lines are there before its lines are counted; until then they have no numbers,
/// then the right ones, and so has a line that is gone to.
#[test]
fn the_end_before_the_count() {
    const LINES: usize = 512; // in a block of 64 KiB
    const BLOCKS: usize = 16 << 10; // 1 GiB
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", "");
    let block = text(&(0..LINES).map(|n| format!("{n:03} {}", "x".repeat(123))).collect::<Vec<_>>());
    assert_eq!(block.len(), 64 << 10);
    let mut file = place.appender("f");
    for _ in 0..BLOCKS {
        file.write_all(block.as_bytes()).expect("a large file");
    }
    file.write_all(b"the last line\n").expect("its end");
    let watch = "window.seen = {}; const look = () => {
        const seen = window.seen, row = document.querySelector('#block .row');
        if (row && !seen.rows) { seen.rows = performance.now(); seen.last = [...document.querySelectorAll('#block .text')].at(-1).textContent; seen.numbers = document.querySelectorAll('#block [data-line]').length; }
        if (!seen.counted && / line/.test(document.querySelector('#total')?.textContent ?? '')) seen.counted = performance.now();
        if (!seen.counted) requestAnimationFrame(look);
    }; requestAnimationFrame(look)";
    browser.cdp("Page.addScriptToEvaluateOnNewDocument", serde_json::json!({ "source": watch }));
    let server = Server::start(&place, &["f"]);
    browser.open(&server.page);
    last(&browser, "the last line");
    // Counting takes as long as it takes: a debug build, a busy disk.
    let end = Instant::now() + 6 * DEADLINE;
    while browser.run("return window.seen.counted > 0") != true && Instant::now() < end {
        std::thread::sleep(LOOK);
    }
    let seen: serde_json::Value = browser.get("return window.seen");
    assert_eq!((&seen["last"], &seen["numbers"]), (&"the last line".into(), &0.into()), "{seen}");
    assert!(seen["rows"].as_f64() < seen["counted"].as_f64(), "{seen}");
    let number = |line: usize| {
        format!("document.querySelector('#block .row[data-line=\"{}\"] .text')?.textContent", grouped(line))
    };
    browser.until("the last line's number", &format!("{} === 'the last line'", number(BLOCKS * LINES + 1)));
    let line = 7_654_321;
    go(&browser, &line.to_string());
    browser.until("the line", &format!("{}?.startsWith('{:03} ')", number(line), (line - 1) % LINES));
    browser.no_errors(&[]);
}

/// A number as the page writes it.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    parts.join(",")
}

/// Times, as written and in words.
#[test]
fn places_by_time() {
    let lines: Vec<_> = (0..2000)
        .map(|n| format!("2026-11-24T{:02}:{:02}:00Z n {n:04}", n / 60 % 24, n % 60))
        .take(1440)
        .collect();
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", text(&lines));
    let server = Server::start(&place, &["f", "--tz", "UTC"]);
    browser.open(&server.page);
    last(&browser, lines.last().expect("lines"));
    for (typed, found) in [("2026-11-24 14:03", 14 * 60 + 3), ("2026-11-24T05:00:30Z", 5 * 60 + 1)] {
        go(&browser, typed);
        on(&browser, &lines[found]);
    }
    // The module by itself, which imports nothing; the page is sent one script.
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/js/goto.js");
    let module = std::fs::read_to_string(path).expect("the module").replace("export ", "");
    let goal: Vec<String> = browser.get(&format!(
        "{module}
         return ['14:03', '5 pm', 'yesterday 9:30', 'friday 5am', 'noon', '3 hours ago', '-90m', '2w ago', '11:02..11:09', 'quarter'].map((typed) => {{
                const to = goal(typed, {{ now: Date.parse('2026-11-25T12:00:00Z'), zone: 'UTC' }});
                return String(to.at ?? (to.kind === 'range' ? `${{to.since}} ${{to.until}}` : to.kind));
            }})",
    ));
    let expected = [
        "time:2026-11-25T14:03:00",
        "time:2026-11-25T17:00:00",
        "time:2026-11-24T09:30:00",
        "time:2026-11-20T05:00:00",
        "time:2026-11-25T12:00:00",
        "time:3h",
        "time:90m",
        "time:14d",
        "2026-11-25T11:02:00 2026-11-25T11:09:00",
        "wrong",
    ];
    assert_lines(&goal, &expected);
    browser.no_errors(&[]);
}

/// Row 49 of the page's table: back over rotated files without an end between them, each beginning with a divider.
#[test]
fn back_over_rotations() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f.2", text(&numbered("a", 1, 300)));
    place.write("f.1", text(&numbered("b", 1, 300)));
    place.write("f", text(&numbered("c", 1, 300)));
    let server = Server::start(&place, &["f"]);
    browser.open(&server.page);
    last(&browser, "c-000300");
    let all: Vec<_> = ["a", "b", "c"].iter().flat_map(|name| numbered(name, 1, 300)).collect();
    let mut top = texts(&browser)[0].clone();
    press(&browser, Key::PageUp + "");
    for _ in 0..80 {
        if top == all[0] {
            break;
        }
        press(&browser, Key::PageUp + "");
        browser.until("the screen to move up", &format!("{TEXTS}[0] !== {}", serde_json::json!(top)));
        let shown = texts(&browser);
        let at = all.iter().position(|line| *line == shown[0]).expect("a line of the files");
        assert_lines(&shown, &all[at..at + shown.len()]);
        top.clone_from(&shown[0]);
    }
    assert_eq!(top, all[0]);
    browser.until("the dividers", "document.querySelectorAll('#block .row.note').length > 0");
    browser.until("the foot line", "/older file/.test(document.querySelector('#place').textContent)");
    // A search meets all of them, and goes there.
    crate::find::find(&browser, "000150");
    on(&browser, "a-000150");
    browser.until("the count over all files", &format!("{} === '1 of 3'", crate::find::WORDS));
    press(&browser, "n");
    on(&browser, "b-000150");
    press(&browser, "n");
    on(&browser, "c-000150");
    press(&browser, Key::Escape + "");
    press(&browser, "G");
    last(&browser, "c-000300");
    browser.no_errors(&[]);
}

/// Check 27: a link leads to its line in another page, with what was searched and filtered; after a rotation to the same
/// line in the older file; and when the file is gone, the page says so.
#[test]
fn links_survive() {
    let Some((place, server, browser)) = begin(&numbered("n", 1, 500)) else { return };
    browser
        .run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }");
    crate::find::find(&browser, "n-000250");
    on(&browser, "n-000250");
    press(&browser, "y");
    browser.until("the link", "window.copied?.includes('o=') && location.href === window.copied");
    let link: String = browser.get("return window.copied");
    let opened = |what: &str| {
        browser.open("about:blank");
        browser.open(&link);
        on(&browser, "n-000250");
        browser.until(what, "document.activeElement.classList.contains('found') && document.querySelector('#find-field').value === 'n-000250'");
        browser.until("the link to stay", &format!("location.href === {}", serde_json::json!(link)));
    };
    opened("the line of the link");
    place.rename("f", "f.1");
    place.write("f", text(&numbered("m", 1, 20)));
    browser.open("about:blank");
    browser.open(&server.page);
    last(&browser, "m-000020");
    opened("the line in the rotated file");
    place.remove("f.1");
    browser.open("about:blank");
    // The server lets go of a rotated file some time after it is gone.
    let gone = || {
        browser.open("about:blank");
        browser.open(&link);
        browser.until("lines", &format!("{TEXTS}.length > 0"));
        browser.run("return /rotated away/.test(document.querySelector('#banner').textContent)") == true
    };
    crate::support::wait_for("the words about it", || gone().then_some(()));
    last(&browser, "m-000020");
    browser.no_errors(&["network"]);
}

/// Check 13: the pill counts exactly what came since; G hides it and follows. With a filter it counts what is kept.
#[test]
fn the_pill_counts() {
    let Some((place, _server, browser)) = begin(&[numbered("even", 1, 1), numbered("a", 1, 299)].concat())
    else {
        return;
    };
    browser.click("#follow");
    for part in numbered("b", 1, 123).chunks(40) {
        place.append("f", text(part));
    }
    browser.until("the count", "/↓ 123 new lines/.test(document.querySelector('#pill').textContent)");
    press(&browser, "G");
    last(&browser, "b-000123");
    browser.until("the pill to go", "document.querySelector('#pill').hidden");
    follows(&browser, true);
    press(&browser, "&");
    browser.keys("even");
    browser.keys(Key::Enter + "");
    browser.until("the filter", &format!("{TEXTS}.join() === 'even-000001'"));
    browser.click("#follow");
    follows(&browser, false);
    place.append("f", text(&(0..50).map(|n| if n % 5 == 0 { "even" } else { "odd" }).collect::<Vec<_>>()));
    browser.until(
        "the count of kept lines",
        "/↓ 10 new lines/.test(document.querySelector('#pill').textContent)",
    );
    browser.no_errors(&[]);
}

/// Row 39: copying over a distance takes the bytes of the file, whatever is in the document; and what is saved with a
/// filter is what the filter shows (check 34).
#[test]
fn copying_and_saving() {
    let mut lines = numbered("n", 1, 5000);
    lines[2000] = "\x1b[31mred\x1b[0m <b> & \u{1f600}".to_owned();
    let Some((_place, server, browser)) = begin(&lines) else { return };
    counted(&browser);
    browser
        .run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); }");
    go(&browser, "1000");
    on(&browser, "n-001000");
    press(&browser, "v");
    press(&browser, "G");
    last(&browser, "n-005000");
    press(&browser, "k");
    browser.until("a cursor", &format!("/^n-00[45]/.test({CURSOR})"));
    let end: String = browser.get(&format!("return {CURSOR}"));
    press(&browser, "c");
    browser.until("the copy", "window.copied !== undefined");
    let copied: String = browser.get("return window.copied");
    let to: usize = end[2..].parse().expect("a number");
    assert_lines(&copied.lines().collect::<Vec<_>>(), &lines[999..to]);
    press(&browser, Key::Escape + "");
    // What is saved.
    press(&browser, "&");
    browser.keys("00[12]7.$");
    browser.click("#find-regex");
    browser.keys(Key::Enter + "");
    browser.until("the filter", "document.querySelectorAll('#kept .chip').length === 1");
    press(&browser, "s");
    browser.until("the box", "document.querySelector('#download').open");
    let href: String = browser.get("return document.querySelector('#download a').href");
    let target = &href[href.find("/raw/").expect("a download")..];
    let answer = http::get(&server, target);
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert!(answer.header("content-disposition").is_some_and(|value| value.contains("attachment")));
    let expected: Vec<_> =
        lines.iter().filter(|line| line.len() == 8 && ["0017", "0027"].contains(&&line[3..7])).collect();
    assert_eq!(expected.len(), 20);
    assert_lines(&answer.text().lines().collect::<Vec<_>>(), &expected);
    // The same as JSON: what the browser is given to save.
    browser.run(
        "URL.createObjectURL = (blob) => { blob.text().then((text) => { window.saved = text; }); return 'data:,'; };
         HTMLAnchorElement.prototype.click = function () { window.savedAs = this.download; }",
    );
    let save = |lines: &str| -> Vec<serde_json::Value> {
        browser.run(&format!(
            "window.saved = undefined;
             for (const [name, value] of [['as', 'json'], ['lines', '{lines}']]) {{
                const option = document.querySelector(`#download input[name=${{name}}][value=${{value}}]`);
                option.checked = true; option.dispatchEvent(new Event('change', {{ bubbles: true }}));
             }}
             document.querySelector('#download form').requestSubmit()"
        ));
        browser.until("the JSON", "window.saved !== undefined && window.savedAs === 'f.ndjson'");
        let saved: String = browser.get("return window.saved");
        saved.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    };
    let text = |records: &[serde_json::Value]| -> Vec<String> {
        records.iter().map(|record| record["text"].as_str().expect("a text").to_owned()).collect()
    };
    let records = save("kept");
    assert_lines(&text(&records), &expected);
    let offset = lines.iter().position(|line| line == expected[0]).expect("a line") * 9;
    assert_eq!(records[0]["offset"], offset, "{}", records[0]);
    press(&browser, "s");
    assert_lines(&text(&save("all")), &lines);
    browser.no_errors(&[]);
}

//! Filters on the server, shown by the page: text, levels, ranges of time; and back to the same line among all others.

use crate::chromium::Browser;
use crate::find::{CURSOR, on, press};
use crate::page::{TEXTS, begin, follows, last, texts};
use crate::support::{Place, Server, assert_lines};
use thirtyfour::prelude::Key;

/// Adds a filter.
#[track_caller]
fn keep(browser: &Browser, text: &str) {
    press(browser, "&");
    browser.keys(text);
    browser.keys(Key::Enter + "");
    browser.until(
        "the filter's chip",
        "document.querySelectorAll('#kept .chip').length > 0 && document.activeElement.id !== 'find-field' && !document.querySelector('#log').ariaBusy",
    );
}

/// Every line on the way up from the end, read page by page.
#[track_caller]
fn all(browser: &Browser, first: &str) -> Vec<String> {
    let mut seen = texts(browser);
    for _ in 0..200 {
        if seen.first().is_some_and(|line| line == first) {
            return seen;
        }
        let top = serde_json::json!(seen[0]);
        press(browser, Key::PageUp + "");
        browser.until("the screen to move up", &format!("{TEXTS}.length > 3 && {TEXTS}[0] !== {top}"));
        browser.until(
            "a full screen",
            "document.querySelector('#block').getBoundingClientRect().top <= document.querySelector('#log').getBoundingClientRect().top + 1",
        );
        let shown = texts(browser);
        let joint = shown
            .iter()
            .position(|line| *line == seen[0])
            .unwrap_or_else(|| panic!("no overlap: {:?} … and {shown:?}", &seen[..3]));
        seen.splice(0..0, shown[..joint].iter().cloned());
    }
    panic!("{first} was not reached: {:?}", seen.first());
}

fn lines() -> Vec<String> {
    (1..=4000)
        .map(|n| {
            let word = if n % 7 == 0 { "seven" } else { "other" };
            let kind = if n % 2 == 0 { "even" } else { "odd" };
            format!("line {n:04} {word} {kind}")
        })
        .collect()
}

/// Check 25: the filter shows what grep gives, in order; new lines come while it follows; Esc leads back to the same
/// line among all others.
#[test]
fn a_filter_is_grep() {
    let lines = lines();
    let Some((place, _server, browser)) = begin(&lines) else { return };
    keep(&browser, "seven");
    let mut expected: Vec<_> = lines.iter().filter(|line| line.contains("seven")).cloned().collect();
    last(&browser, expected.last().expect("lines"));
    assert_lines(&all(&browser, &expected[0]), &expected);
    press(&browser, "G");
    last(&browser, expected.last().expect("lines"));
    follows(&browser, true);
    for part in 0..5 {
        place.append("f", format!("line 5{part} other\nline 6{part} seven odd\n"));
        expected.push(format!("line 6{part} seven odd"));
        last(&browser, expected.last().expect("lines"));
    }
    // Another one, the other way round.
    keep(&browser, "!odd");
    expected.retain(|line| !line.contains("odd"));
    last(&browser, expected.last().expect("lines"));
    assert_lines(&all(&browser, &expected[0]), &expected);
    let hash: String = browser.get("return location.hash");
    browser
        .until("both in the address", "/k=%3Aseven/.test(location.hash) && /x=%3Aodd/.test(location.hash)");
    assert!(!hash.contains("lv="), "{hash}");
    // The same line, among all others.
    press(&browser, "jjj");
    let line: String = browser.get(&format!("return {CURSOR}"));
    assert!(line.contains("seven even"), "{line}");
    press(&browser, Key::Escape + "");
    browser.until("the filter to go", "document.querySelectorAll('#kept .chip').length === 0");
    browser.until("all lines", &format!("{TEXTS}.some((line) => /other/.test(line))"));
    on(&browser, &line);
    let shown = texts(&browser);
    let at = shown.iter().position(|one| *one == line).expect("the line on screen");
    let number = lines.iter().position(|one| *one == line).expect("a line of the file");
    assert!(at > 0 && at + 1 < shown.len(), "{at} of {}", shown.len());
    assert_lines(&shown[at - 1..at + 2], &lines[number - 1..number + 2]);
    browser.no_errors(&[]);
}

/// A line among all others and back to the filter, by one key.
#[test]
fn in_context_and_back() {
    let lines = lines();
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    keep(&browser, "seven odd");
    press(&browser, "kkkkk");
    browser.until("a cursor", &format!("/seven odd/.test({CURSOR})"));
    let line: String = browser.get(&format!("return {CURSOR}"));
    press(&browser, ".");
    browser.until("all lines", &format!("{TEXTS}.some((line) => /other/.test(line))"));
    on(&browser, &line);
    browser.until("the filter to rest", "document.querySelector('#kept').classList.contains('rests')");
    press(&browser, ".");
    browser.until("the kept lines", &format!("{TEXTS}.every((line) => /seven odd/.test(line))"));
    on(&browser, &line);
    browser.no_errors(&[]);
}

/// Nothing kept: the page says so, with how much was searched; a line that fits appears.
#[test]
fn nothing_is_kept() {
    let Some((place, _server, browser)) = begin(&lines()) else { return };
    keep(&browser, "absent");
    browser.until(
        "words about it",
        "/^No line with “absent”/.test(document.querySelector('#empty').textContent) && !document.querySelector('#empty').hidden",
    );
    follows(&browser, true);
    place.append("f", "x\nabsent no more\n");
    last(&browser, "absent no more");
    assert_lines(&texts(&browser), &["absent no more"]);
    browser.until("the words to go", "document.querySelector('#empty').hidden");
    browser.no_errors(&[]);
}

const TRACE: &str = "\tat com.shop.Pool.get(Pool.java:1)";

/// A log with levels; one error in fifty has a trace of six lines, which have no level of their own.
fn levels() -> (Vec<String>, Vec<&'static str>) {
    let (mut lines, mut levels) = (Vec::new(), Vec::new());
    for n in 0..1000 {
        let level = match n % 50 {
            7 => "ERROR",
            9 | 19 => "WARN",
            3 | 23 | 43 => "DEBUG",
            _ => "INFO",
        };
        lines.push(format!("2026-11-24 10:{:02}:{:02} {level} message {n:04}", n / 60, n % 60));
        levels.push(level);
        for _ in 0..if level == "ERROR" { 6 } else { 0 } {
            lines.push(TRACE.to_owned());
            levels.push(level);
        }
    }
    (lines, levels)
}

/// What the columns show beside the text has gone from it: the message is the end of the line.
fn messages(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| &line[line.len() - 12..]).collect()
}

/// Check 26: the keys 1 to 5 hide levels, Alt with them shows one only, 0 shows all; a line without a level follows the
/// one above; the counts are right, and the address says it.
#[test]
fn levels_by_key() {
    let (lines, of) = levels();
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    let count = |level: &str| of.iter().filter(|one| **one == level).count();
    let chip = |n: usize| format!("document.querySelectorAll('.level')[{}]", n - 1);
    for (n, level) in [(1, "ERROR"), (2, "WARN"), (3, "INFO"), (4, "DEBUG"), (5, "TRACE")] {
        let words = format!("{}.querySelector('.number').textContent === '{}'", chip(n), count(level));
        browser.until(&format!("the count of {level}"), &words);
    }
    // All traces unfolded, so that each line is a row.
    press(&browser, "Z");
    press(&browser, "1");
    browser.until(
        "no errors",
        &format!("{TEXTS}.every((line) => !/ERROR|at com/.test(line)) && location.hash === '#lv=WIDTN'"),
    );
    press(&browser, "3");
    browser.until("no info either", "location.hash === '#lv=WDTN'");
    browser.until(
        "only the others",
        &format!("{TEXTS}.length > 5 && {TEXTS}.every((line) => /WARN|DEBUG/.test(line))"),
    );
    let expected: Vec<_> = lines
        .iter()
        .zip(&of)
        .filter(|(_, level)| ["WARN", "DEBUG"].contains(level))
        .map(|(line, _)| line.clone())
        .collect();
    assert_lines(&messages(&all(&browser, &expected[0])), &messages(&expected));
    press(&browser, "0");
    browser.until("all levels", "location.hash === ''");
    // Only errors, with the lines that belong to them.
    let alt = "document.querySelector('#log').dispatchEvent(new KeyboardEvent('keydown', { key: '1', code: 'Digit1', altKey: true, bubbles: true, cancelable: true }))";
    browser.run(alt);
    browser.until(
        "only errors",
        &format!("location.hash === '#lv=FE' && {TEXTS}.every((line) => /ERROR|at com/.test(line))"),
    );
    press(&browser, "G");
    let expected: Vec<_> =
        lines.iter().zip(&of).filter(|(_, level)| **level == "ERROR").map(|(line, _)| line.clone()).collect();
    assert_eq!(expected.len(), 20 * 7);
    // The lines of all traces read alike: the end is known by the head of the last.
    let head = serde_json::json!(messages(&expected[20 * 7 - 7..])[0]);
    browser.until("the last trace", &format!("{TEXTS}.at(-7)?.endsWith({head})"));
    let shown = texts(&browser);
    assert_lines(&shown, &expected[expected.len() - shown.len()..]);
    let pressed: Vec<String> =
        browser.get("return [...document.querySelectorAll('.level')].map((chip) => chip.ariaPressed)");
    assert_lines(&pressed, &["true", "false", "false", "false", "false", "false"]);
    browser.no_errors(&[]);
}

/// e and E go from error to error, not from line to line of a trace.
#[test]
fn from_error_to_error() {
    let (lines, of) = levels();
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    let errors: Vec<_> = lines
        .iter()
        .zip(&of)
        .filter(|(line, level)| **level == "ERROR" && !line.starts_with('\t'))
        .map(|(line, _)| line.clone())
        .collect();
    press(&browser, "g");
    browser.until("the first line", &format!("{TEXTS}[0] === {}", serde_json::json!(lines[0])));
    for line in &errors[..4] {
        press(&browser, "e");
        on(&browser, line);
    }
    press(&browser, "E");
    on(&browser, &errors[2]);
    press(&browser, "G");
    follows(&browser, true);
    press(&browser, "E");
    on(&browser, &errors[19]);
    press(&browser, "e");
    browser.until("a word about it", "/No error after/.test(document.querySelector('#toast').textContent)");
    browser.no_errors(&[]);
}

/// Lines of which no level is known have a chip of their own, and stay when another level goes.
#[test]
fn lines_without_a_level() {
    let lines: Vec<_> = (0..40)
        .map(|n| match n % 4 {
            0 => format!("2026-11-24 10:00:{n:02} DEBUG message {n}"),
            1 => format!("2026-11-24 10:00:{n:02} something else {n}"),
            2 => format!("2026-11-24 10:00:{n:02} INFO message {n}"),
            _ => format!("    more of it {n}"),
        })
        .collect();
    let with = |wanted: &[usize]| -> Vec<String> {
        lines
            .iter()
            .enumerate()
            .filter(|(n, _)| wanted.contains(&(n % 4)))
            .map(|(_, line)| line.clone())
            .collect()
    };
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    let chip = "document.querySelector('.level[data-level=none]')";
    browser.until("its count", &format!("{chip}.querySelector('.number').textContent === '10'"));
    let shows = |wanted: &[usize]| {
        let wanted = serde_json::to_string(&with(wanted)).expect("JSON");
        browser.until(
            "the lines",
            &format!("JSON.stringify({TEXTS}) === JSON.stringify({wanted}.slice(-{TEXTS}.length))"),
        );
    };
    press(&browser, "4");
    shows(&[1, 2, 3]);
    press(&browser, "6");
    shows(&[2, 3]);
    browser.until("the hash", "/lv=FEWIT/.test(location.hash)");
    browser.click(".level[data-level=none]");
    shows(&[1, 2, 3]);
    press(&browser, Key::Alt + "6");
    shows(&[1]);
    browser.until("the hash", "/lv=N/.test(location.hash)");
    press(&browser, "0");
    shows(&[0, 1, 2, 3]);
    browser.no_errors(&[]);
}

/// A range of time: typed, dragged over the bars, by keys; its chip and Esc end it; a click goes there.
#[test]
fn a_range_of_time() {
    let (lines, _) = levels();
    let browser = match Browser::start() {
        Some(browser) => browser,
        None => return,
    };
    let place = Place::with("f", crate::support::writer::text(&lines));
    let server = Server::start(&place, &["f", "--tz", "UTC"]);
    browser.open(&server.page);
    last(&browser, lines.last().expect("lines"));
    browser.until("the bars", "!document.querySelector('#hist').hidden");
    press(&browser, ":");
    browser.keys("2026-11-24 10:05..2026-11-24 10:06");
    browser.keys(Key::Enter + "");
    browser.until("the range", &format!("{TEXTS}[0]?.includes('10:05:00')"));
    browser.until("its chip", "/10:05.*10:06/.test(document.querySelector('#kept .range').textContent)");
    browser.until("its shade", "!document.querySelector('#hist-range').hidden");
    press(&browser, "G");
    browser.until("its end", &format!("{TEXTS}.at(-1)?.includes('10:05:59')"));
    browser.click("#kept .range button");
    browser.until(
        "all times",
        &format!("document.querySelector('#kept .range') === null && {TEXTS}.length > 0"),
    );
    // By keys: the plot has the focus, Shift with an arrow chooses, Enter takes it.
    browser.run("document.querySelector('#hist-plot').focus()");
    browser.keys(Key::Home + "");
    browser.run("for (let i = 0; i < 20; i += 1) document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowRight', shiftKey: true, bubbles: true, cancelable: true }))");
    browser.keys(Key::Enter + "");
    browser.until(
        "a range from the first line",
        &format!("/since=/.test(location.hash) && {TEXTS}[0] === {}", serde_json::json!(lines[0])),
    );
    browser.run("document.querySelector('#hist-plot').focus()");
    browser.keys(Key::Escape + "");
    browser.until("all times", "document.querySelector('#kept .range') === null");
    // By pointer: a click goes there, and drags nothing.
    browser.run(
        "const plot = document.querySelector('#hist-plot'); const box = plot.getBoundingClientRect();
         const at = (type, part) => plot.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, clientX: box.left + part * box.width, clientY: box.top + 20, bubbles: true }));
         plot.setPointerCapture = () => {};
         at('pointerdown', 0.5); at('pointerup', 0.5);",
    );
    browser.until("the middle", &format!("{TEXTS}.some((line) => / 10:0[78]:/.test(line))"));
    browser.run(
        "const plot = document.querySelector('#hist-plot'); const box = plot.getBoundingClientRect();
         const at = (type, part) => plot.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, clientX: box.left + part * box.width, clientY: box.top + 20, bubbles: true }));
         at('pointerdown', 0.25); at('pointermove', 0.5); at('pointerup', 0.5);",
    );
    browser.until(
        "a dragged range",
        &format!("document.querySelector('#kept .range') !== null && / 10:04:/.test({TEXTS}[0])"),
    );
    browser.no_errors(&[]);
}

/// Who goes elsewhere while the lines of a filter that ended are still on their way gets there, among all lines; neither the
/// old choice of lines nor the old place comes back.
#[test]
fn going_while_a_filter_ends() {
    let (lines, _) = levels();
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", crate::support::writer::text(&lines));
    let server = Server::start(&place, &["f", "--tz", "UTC"]);
    browser.open(&server.page);
    last(&browser, lines.last().expect("lines"));
    browser.until("the bars", "!document.querySelector('#hist').hidden");
    // Within the time for which old lines stay, and beyond it.
    for delay in [100, 2_000] {
        press(&browser, ":");
        browser.keys("2026-11-24 10:01..2026-11-24 10:02");
        browser.keys(Key::Enter + "");
        browser.until("the range", &format!("{TEXTS}[0]?.includes('10:01:00')"));
        browser.run(&format!(
            "const was = window.fetch; window.late = 0;
             window.fetch = (...asked) => {{
               if (window.late || !/api.lines/.test(String(asked[0].url ?? asked[0]))) return was(...asked);
               window.late = 1;
               return new Promise((done) => setTimeout(done, {delay})).then(() => was(...asked)).finally(() => setTimeout(() => {{ window.late = 2; window.fetch = was; }}, 200));
             }};
             document.querySelector('#hist-plot').focus();"
        ));
        browser.keys(Key::Escape + "");
        browser.until("a request that waits", "window.late === 1");
        browser.run(
            "const plot = document.querySelector('#hist-plot'); const box = plot.getBoundingClientRect();
             const at = (type, part) => plot.dispatchEvent(new PointerEvent(type, { pointerId: 1, button: 0, clientX: box.left + part * box.width, clientY: box.top + 20, bubbles: true }));
             plot.setPointerCapture = () => {};
             at('pointerdown', 0.5); at('pointerup', 0.5);",
        );
        let middle = format!("{TEXTS}.some((line) => / 10:0[78]:/.test(line))");
        browser.until("the middle", &middle);
        browser.until("the request that waited", "window.late === 2");
        browser.until("still the middle", &middle);
        browser.until("no chip", "document.querySelector('#kept .range') === null");
        press(&browser, "g");
        browser.until("all lines", &format!("{TEXTS}[0] === {}", serde_json::json!(lines[0])));
        press(&browser, "G");
        last(&browser, lines.last().expect("lines"));
    }
    browser.no_errors(&[]);
}

/// A filter is kept by name and comes back after a reload.
#[test]
fn saved_filters() {
    let Some((_place, server, browser)) = begin(&lines()) else { return };
    keep(&browser, "seven");
    press(&browser, "S");
    browser.until("the box", "document.querySelector('#saved').open");
    browser.keys("mine");
    browser.keys(Key::Enter + "");
    browser.until("it in the list", "/mine/.test(document.querySelector('#saved ul').textContent)");
    browser.keys(Key::Escape + "");
    browser.open("about:blank");
    browser.open(&server.page);
    last(&browser, "line 4000 other even");
    press(&browser, "S");
    browser.until(
        "the box",
        "document.querySelector('#saved').open && document.activeElement.className === 'use'",
    );
    browser.keys(Key::Enter + "");
    browser
        .until("the filter", &format!("{TEXTS}.length > 5 && {TEXTS}.every((line) => /seven/.test(line))"));
    browser.no_errors(&[]);
}

/// Lines without times are counted along the file: a click goes there, and the chips have counts.
#[test]
fn bars_without_times() {
    let lines: Vec<String> = (0..20_000)
        .map(|n| {
            format!(
                "{} something happened again, number {n:06}",
                if n / 100 == 150 { "ERROR" } else { "INFO" }
            )
        })
        .collect();
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    browser.until("the bars", "!document.querySelector('#hist').hidden && /without times/.test(document.querySelector('#hist-caption').textContent)");
    browser.until(
        "about the count",
        "/^(9\\d|1\\d\\d)$/.test(document.querySelector('.level[data-level=error] .number').textContent)",
    );
    let click = |part: f64| {
        browser.run(&format!(
            "const plot = document.querySelector('#hist-plot'), box = plot.getBoundingClientRect();
             for (const type of ['pointerdown', 'pointerup']) plot.dispatchEvent(new PointerEvent(type, {{ bubbles: true, button: 0, pointerId: 1, clientX: box.left + box.width * {part}, clientY: box.top + 5 }}))"
        ));
    };
    browser.run("Element.prototype.setPointerCapture = () => {}");
    click(0.5);
    browser.until("the middle", &format!("/number 0(09[89]|10[01])/.test({CURSOR})"));
    browser.run("document.querySelector('#hist-plot').focus()");
    browser.keys(Key::Home + "");
    browser.keys(Key::Enter + "");
    browser.until("the start", &format!("{CURSOR}.endsWith('number 000000')"));
    browser.no_errors(&[]);
}

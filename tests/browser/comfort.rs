//! Rows and what one does with them: colours, folds, fields, labels, wrapping, and that nothing moves what somebody reads.

use crate::chromium::Browser;
use crate::figures::look;
use crate::page::{TEXTS, begin, follows, last, state, texts};
use crate::support::writer::text;
use crate::support::{Place, Server, assert_lines, numbered};
use thirtyfour::prelude::Key;

fn focus(browser: &Browser) {
    browser.run("document.querySelector('#log').focus()");
}

/// The first row on the screen: its offset, and how far its top is from the screen's.
fn first(browser: &Browser) -> (String, f64) {
    browser.get(
        "const log = document.querySelector('#log').getBoundingClientRect();
         const row = [...document.querySelectorAll('#block .row')].find((row) => row.getBoundingClientRect().bottom > log.top + 1);
         return [row.dataset.offset, Math.round(row.getBoundingClientRect().top - log.top)]",
    )
}

/// Checks 7 and 8: colours read, nothing else of an escape sequence is left.
#[test]
fn colours_and_links_of_the_terminal() {
    let lines = [
        "plain \x1b[31mred\x1b[0m after",
        "\x1b[38;5;208morange\x1b[0m",
        "\x1b[38;2;10;10;10mdark\x1b[0m",
        "a\x1b[2Kb\x1b[10;20Hc\x1b]0;a title\x07d\x1b(Be\x1b[?25lf",
        "\x1b]8;;javascript:alert(1)\x1b\\bad\x1b]8;;\x1b\\ \x1b]8;;https://a.example/x\x1b\\good\x1b]8;;\x1b\\",
        "user\u{202e}nimda\u{2066} \u{7}\u{0}bell",
        "10%\r50%\r100%",
    ];
    let Some((place, _server, browser)) = begin(&[]) else { return };
    browser.prefer("dark", false);
    place.append("f", text(&lines));
    last(&browser, "100%");
    let run = |word: &str| {
        format!(
            "[...document.querySelectorAll('#block .text *')].find((node) => node.textContent === '{word}')"
        )
    };
    let colour = |word: &str| -> Vec<f64> {
        browser.get(&format!("return getComputedStyle({}).color.match(/[\\d.]+/g).map(Number)", run(word)))
    };
    assert_eq!(colour("red"), [255.0, 139.0, 130.0]);
    assert_eq!(colour("orange"), [255.0, 135.0, 0.0]);
    let dark = colour("dark");
    let luminance = |c: &[f64]| {
        let part =
            |v: f64| if v <= 10.31475 { v / 255.0 / 12.92 } else { ((v / 255.0 + 0.055) / 1.055).powf(2.4) };
        0.2126 * part(c[0]) + 0.7152 * part(c[1]) + 0.0722 * part(c[2])
    };
    let ground: Vec<f64> =
        browser.get("return getComputedStyle(document.body).backgroundColor.match(/[\\d.]+/g).map(Number)");
    let contrast = (luminance(&dark) + 0.05) / (luminance(&ground) + 0.05);
    assert!(contrast >= 4.5, "{contrast}: {dark:?} on {ground:?}");
    let shown = texts(&browser);
    assert_eq!(shown[3], "abcdef");
    assert_eq!(shown[5], "user⟨RLO⟩nimda⟨LRI⟩ bell");
    let links: Vec<Vec<String>> = browser
        .get("return [...document.querySelectorAll('#block a')].map((a) => [a.href, a.rel, a.textContent])");
    assert_eq!(links, [["https://a.example/x", "noopener noreferrer", "good"]]);
    assert!(!browser.get::<String>("return document.title").contains("a title"));
    browser.no_errors(&[]);
}

/// Check 28: a trace folds to one row and stays as the user left it; a detail stays open while lines come.
#[test]
fn folds_and_details_stay() {
    let mut lines = vec!["2026-11-25T08:00:00Z ERROR java.lang.Error: boom".to_owned()];
    lines.extend((0..37).map(|n| format!("\tat com.example.Main.step{n}(Main.java:{n})")));
    lines.push(
        r#"{"time":"2026-11-25T08:00:01Z","level":"info","msg":"hi","user":{"id":7,"plan":"pro"}}"#
            .to_owned(),
    );
    let Some((place, _server, browser)) = begin(&[]) else { return };
    place.append("f", text(&lines));
    browser.until("a fold", "/\\+37 lines/.test(document.querySelector('#block .fold')?.textContent)");
    assert_eq!(texts(&browser).len(), 2);
    focus(&browser);
    browser.keys("k");
    browser.keys("o");
    let pairs = "[...document.querySelectorAll('.detail tr.field')].map((tr) => `${tr.querySelector('th').textContent}=${tr.querySelector('td').textContent}`)";
    state(&browser, "paused");
    let found: Vec<String> = browser.get(&format!("return {pairs}"));
    assert_lines(
        &found,
        &["time=2026-11-25T08:00:01Z", "level=info", "msg=hi", "user.id=7", "user.plan=pro"],
    );
    browser.click("#block .fold");
    browser.until("the trace", "document.querySelectorAll('#block .row').length === 39");
    for n in 0..20 {
        place.append("f", format!("2026-11-25T08:00:02Z INFO new {n}\n"));
    }
    browser.until("the pill", "/20 new/.test(document.querySelector('#pill').textContent)");
    assert_eq!(browser.get::<Vec<String>>(&format!("return {pairs}")).len(), 5);
    assert_eq!(browser.get::<String>("return document.querySelector('#block .fold').ariaExpanded"), "true");
    browser.click("#block .fold");
    browser.keys("G");
    last(&browser, "2026-11-25T08:00:02Z INFO new 19");
    assert_eq!(browser.get::<String>("return document.querySelector('#block .fold').ariaExpanded"), "false");
    browser.no_errors(&[]);
}

/// Fields: a filter for the value, a column, a field that is hidden; kept for the next visit.
#[test]
fn fields_are_acted_on() {
    let lines: Vec<String> = (0..60)
        .map(|n| format!(r#"{{"level":"info","msg":"m{n}","order":{},"noise":"x{n}"}}"#, 1000 + n % 3))
        .collect();
    let Some((_place, server, browser)) = begin(&lines) else { return };
    state(&browser, "live");
    focus(&browser);
    browser.keys("k");
    browser.keys("o");
    let press = |field: &str, key: &str| {
        browser.run(&format!("document.querySelector('.detail tr[data-field={field}] button').focus()"));
        browser.keys(key);
    };
    press("noise", "x");
    press("order", "p");
    browser.until("a column", "document.querySelectorAll('#block .column').length > 10");
    browser.until("the field to go", "![...document.querySelectorAll('#block .row:not(.open) .text')].some((cell) => /noise/.test(cell.textContent))");
    let at: Vec<f64> = browser.get("return [...new Set([...document.querySelectorAll('#block .row:not(.open) .column')].map((cell) => cell.getBoundingClientRect().width))]");
    assert_eq!(at.len(), 1, "columns of one width: {at:?}");
    browser.open("about:blank");
    browser.open(&server.page);
    browser.until("the column after a reload", "document.querySelectorAll('#block .column').length > 10");
    focus(&browser);
    browser.keys("x");
    browser.until("lines as written", "document.querySelectorAll('#block .column').length === 0");
    browser.keys("k");
    browser.keys("o");
    browser.until("a detail", "document.querySelector('.detail tr[data-field=order] button')");
    press("order", "=");
    browser.until(
        "only that value",
        &format!("{TEXTS}.length >= 15 && {TEXTS}.every((line) => line.includes('\"order\":1002'))"),
    );
    browser.no_errors(&[]);
}

/// `H` colours the selected word everywhere, again takes it off.
#[test]
fn labels_colour_a_word() {
    let Some((_place, _server, browser)) = begin(&numbered("order", 1, 50)) else { return };
    focus(&browser);
    let select = "const node = document.querySelectorAll('#block .text')[10].firstChild; getSelection().setBaseAndExtent(node, 0, node, 5)";
    browser.run(select);
    state(&browser, "paused");
    browser.keys("H");
    browser.until("the colour", "CSS.highlights.get('label0')?.size > 10");
    browser.run(select);
    browser.keys("H");
    browser.until("no colour", "!CSS.highlights.has('label0')");
    browser.no_errors(&[]);
}

/// `serve --highlight` marks what matches, in each pattern's colour; what this browser cannot read marks nothing.
#[test]
fn what_the_server_was_told_is_marked() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", text(&numbered("order", 1, 50)));
    let marks =
        ["--highlight", r"order-0000\d[13579]", "--highlight", "(?P<no>0+2)", "--highlight", "(?x) a b"];
    let server = Server::start(&place, &[&["f"][..], &marks].concat());
    browser.open(&server.page);
    browser.until("odd numbers", "CSS.highlights.get('wished0')?.size >= 5");
    browser.until("others", "CSS.highlights.get('wished1')?.size >= 1");
    let marked: Vec<String> = browser.get("return [...CSS.highlights.get('wished0')].map(String)");
    assert!(marked.iter().all(|text| text.len() == 12 && text.starts_with("order-0000")), "{marked:?}");
    browser.no_errors(&[]);
}

/// Check 12: the first turn of the wheel stops following, and then nothing moves while lines come.
#[test]
fn the_wheel_stops_following() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 2000)) else { return };
    follows(&browser, true);
    browser.wheel(-100);
    follows(&browser, false);
    browser.wheel(-400);
    let mut before = first(&browser);
    for _ in 0..100 {
        std::thread::sleep(crate::support::LOOK);
        let now = first(&browser);
        if now == before {
            break;
        }
        before = now;
    }
    for part in numbered("b", 1, 10_000).chunks(500) {
        place.append("f", text(part));
    }
    browser.until("the pill", "/10,000 new/.test(document.querySelector('#pill').textContent)");
    assert_eq!(first(&browser), before);
    browser.no_errors(&[]);
}

/// Check 14: a selection freezes the screen.
#[test]
fn a_selection_stands_still() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 500)) else { return };
    browser.run(
        "const rows = document.querySelectorAll('#block .row'); const n = rows.length;
         getSelection().setBaseAndExtent(rows[n - 9].querySelector('.text').firstChild, 2, rows[n - 4].querySelector('.text').firstChild, 5)",
    );
    browser.until("words for it", "/text selected/.test(document.querySelector('#state').textContent)");
    let before: String = browser.get("return String(getSelection())");
    let place_before = first(&browser);
    for part in numbered("b", 1, 1000).chunks(50) {
        place.append("f", text(part));
    }
    browser.until("the pill", "/1,000 new/.test(document.querySelector('#pill').textContent)");
    assert_eq!(browser.get::<String>("return String(getSelection())"), before);
    assert_eq!(first(&browser), place_before);
    focus(&browser);
    browser.keys("G");
    last(&browser, "b-001000");
    browser.no_errors(&[]);
}

/// Check 15: a long way down and the same way up ends at the same line, wrapped or not.
#[test]
fn scrolling_does_not_drift() {
    let lines: Vec<String> =
        (0..30_000).map(|n| format!("line {n:06} {}", "word ".repeat(n * 7 % 60))).collect();
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    focus(&browser);
    // A wheel's turn is an animation, and on a busy machine lines come after it: the place is known once nothing is scrolled
    // any more, and a row stands at the top of the screen.
    let turn = |what: &str, times: usize, px: i32| {
        for _ in 0..times {
            browser.wheel(px);
        }
        browser.run(
            "window.rests = false;
             const log = document.querySelector('#log'); let was = -1, still = 0;
             const look = () => {
               still = was === log.scrollTop ? still + 1 : 0; was = log.scrollTop;
               const { top } = log.getBoundingClientRect();
               window.rests = still > 8 && [...document.querySelectorAll('#block .row')].some((row) => { const box = row.getBoundingClientRect(); return box.top <= top && box.bottom > top; });
               if (!window.rests) requestAnimationFrame(look);
             };
             look()",
        );
        browser.until(what, "window.rests");
        first(&browser)
    };
    for wrap in [false, true] {
        if wrap {
            browser.keys("w");
        }
        browser.keys("g");
        browser.until("the start", &format!("{TEXTS}[0]?.startsWith('line 000000')"));
        let before = turn("a first way", 20, 60);
        let far = turn("the way down", 100, 1200);
        assert!(far.0.parse::<u64>().expect("bytes") > 300_000, "{far:?}");
        let after = turn("the way up", 100, -1200);
        assert_eq!(after.0, before.0, "wrap {wrap}");
    }
    browser.no_errors(&[]);
}

/// Check 16: wrapping and another width keep the first line first.
#[test]
fn wrapping_keeps_the_place() {
    let lines: Vec<String> =
        (0..3000).map(|n| format!("line {n:06} {}", "word ".repeat(n * 7 % 80))).collect();
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    focus(&browser);
    browser.keys("g");
    browser.keys(Key::PageDown + "");
    browser.keys(Key::PageDown + "");
    browser.until("another line first", &format!("{TEXTS}[0] > 'line 000010'"));
    // A page down is an animation: the place is what it comes to.
    browser.until(
        "the end of the scrolling",
        "(() => { const top = document.querySelector('#log').scrollTop; const same = window.top_ === top; window.top_ = top; window.same_ = same ? (window.same_ ?? 0) + 1 : 0; return window.same_ > 5 })()",
    );
    let before = first(&browser).0;
    for _ in 0..2 {
        browser.keys("w");
        browser.until("two frames", "(window.frames_ = (window.frames_ ?? 0) + 1) > 3");
        assert_eq!(first(&browser).0, before);
    }
    browser.keys("w");
    for width in [600, 1280] {
        browser.size(width, 800, false);
        browser.until("the new width", &format!("innerWidth === {width}"));
        browser.until("the first line to be first", &format!("(() => {{ const log = document.querySelector('#log').getBoundingClientRect(); return [...document.querySelectorAll('#block .row')].find((row) => row.getBoundingClientRect().bottom > log.top + 1).dataset.offset === '{before}' }})()"));
    }
    browser.no_errors(&[]);
}

/// Check 33: a line of a megabyte, and NULs, hold nothing up.
#[test]
fn a_huge_line_costs_little() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 5)) else { return };
    browser.cdp("Performance.enable", serde_json::json!({ "timeDomain": "threadTicks" }));
    // To look costs the page something too: little, and as much for both.
    let ends =
        |line: &str| format!("document.querySelector('#block').lastElementChild?.textContent === '{line}'");
    let ordinary = look(&browser, false).cpu;
    place.append("f", format!("{}\n", "x".repeat(99)).repeat(10_000) + "one\n");
    browser.until("the lines", &ends("one"));
    let huge = look(&browser, false).cpu;
    place.append("f", format!("{}\n", "x".repeat(1_000_000)));
    place.append("f", [vec![0u8; 500], b"\nlast\n".to_vec()].concat());
    browser.until("the last line", &ends("last"));
    let more = "[...document.querySelectorAll('.more')].some((more) => /chars|cut/.test(more.textContent))";
    browser.until("the head of the line", more);
    let (ordinary, huge) = (huge - ordinary, look(&browser, false).cpu - huge);
    // Of those, a screen is drawn.
    assert!(huge < 4.0 * ordinary, "{huge} s for a line of a megabyte, {ordinary} s for 10,000 lines");
    browser.no_errors(&[]);
}

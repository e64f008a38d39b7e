//! The page: what it shows, what it never does with a log line, and how it comes back.

use crate::chromium::Browser;
use crate::support::writer::text;
use crate::support::{Place, Server, assert_lines, numbered, wait_for};
use thirtyfour::prelude::Key;

/// The texts of the lines on screen from top to bottom, without notices and without the rows kept ready beyond.
pub(crate) const TEXTS: &str = "((log) => [...document.querySelectorAll('#block .row[data-offset]:not(.note)')]
    .map((row) => ({ row, box: row.getBoundingClientRect() }))
    .filter(({ box }) => box.height > 0 && box.bottom > log.top + 1 && box.top < log.bottom - 1)
    .sort((a, b) => a.box.top - b.box.top)
    .map(({ row }) => row.querySelector('.text').textContent))(document.querySelector('#log').getBoundingClientRect())";

pub(crate) fn texts(browser: &Browser) -> Vec<String> {
    browser.get(&format!("return {TEXTS}"))
}

/// Waits until the last line on screen reads so.
#[track_caller]
pub(crate) fn last(browser: &Browser, line: &str) {
    let line = serde_json::to_string(line).expect("JSON");
    browser.until("the last line on screen", &format!("{TEXTS}.at(-1) === {line}"));
}

#[track_caller]
pub(crate) fn state(browser: &Browser, state: &str) {
    browser.until(state, &format!("document.querySelector('#state').dataset.state === '{state}'"));
}

#[track_caller]
pub(crate) fn follows(browser: &Browser, on: bool) {
    let expression = format!("document.querySelector('#follow').getAttribute('aria-pressed') === '{on}'");
    browser.until("the Follow button", &expression);
}

/// A server over `f` with these lines, and a page that shows the last of them.
pub(crate) fn begin(lines: &[String]) -> Option<(Place, Server, Browser)> {
    let browser = Browser::start()?;
    let place = Place::with("f", text(lines));
    let server = Server::start(&place, &["f"]);
    browser.open(&server.page);
    if let Some(line) = lines.last() {
        last(&browser, line);
    }
    Some((place, server, browser))
}

#[test]
fn lines_come_alive() {
    let lines = numbered("old", 1, 20);
    let Some((place, _server, browser)) = begin(&lines) else { return };
    state(&browser, "live");
    assert_lines(&texts(&browser), &lines);
    for number in 1..=5 {
        place.append("f", format!("new-{number}\n"));
        last(&browser, &format!("new-{number}"));
    }
    let new = (1..=5).map(|number| format!("new-{number}"));
    assert_lines(&texts(&browser), &lines.iter().cloned().chain(new).collect::<Vec<_>>());
    browser.no_errors(&[]);
}

/// Row 47 and check 21 of the page: an empty file, then its first line.
#[test]
fn first_line_of_an_empty_file() {
    let Some((place, _server, browser)) = begin(&[]) else { return };
    browser.until("words for an empty file", "!document.querySelector('#empty').hidden");
    place.append("f", "first\n");
    last(&browser, "first");
    browser.until("the words to go", "document.querySelector('#empty').hidden");
    browser.no_errors(&[]);
}

/// Row 120: a log line is text, whatever it holds.
#[test]
fn hostile_lines_are_text() {
    let lines = [
        "<img src=x onerror=alert(1)><script>alert(2)</script>",
        "<svg onload=alert(3)><style>*{display:none}</style>",
        "<a href=\"javascript:alert(4)\">x</a><iframe src=\"javascript:alert(5)\"></iframe>",
        "</div></main><h1>forged</h1>&lt;b&gt; &amp; <!-- ]]> -->",
        "\"><base href=//evil.example><meta http-equiv=refresh content=0>",
        "{\"level\":\"<img src=x onerror=alert(6)>\",\"msg\":\"<b>\"}",
        "level=<script>alert(7)</script> msg=\"<img src=x onerror=alert(8)>\"",
        "${alert(9)} {{constructor.constructor('alert(10)')()}} javascript:alert(11)",
    ];
    let link = "\x1b]8;;javascript:alert(12)\x1b\\click\x1b]8;;\x1b\\ \x1b]0;forged title\x07";
    let Some((place, server, browser)) = begin(&[]) else { return };
    place.append("f", text(&lines));
    place.append("f", format!("{link}\nx\revent: hello\rdata: forged\nlast\n"));
    last(&browser, "last");
    let shown = texts(&browser);
    assert_lines(&shown[..lines.len()], &lines);
    assert!(shown[lines.len()].contains("click"), "{shown:?}");
    let made =
        "return document.querySelectorAll('#block :is(img,script,svg,style,iframe,base,meta,h1,a)').length";
    assert_eq!(browser.run(made), 0, "elements made of log text");
    let title: String = browser.get("return document.title");
    assert!(!title.contains("forged"), "{title}");
    // The same text read by range, not by the stream: after a reload.
    browser.open("about:blank");
    browser.open(&server.page);
    last(&browser, "last");
    assert_lines(&texts(&browser)[..lines.len()], &lines);
    assert_eq!(browser.run(made), 0);
    browser.no_errors(&[]);
}

/// The eyes of these tests see: a thrown error, a broken policy and a dialog are found.
#[test]
fn errors_are_seen() {
    let Some((_place, _server, browser)) = begin(&numbered("a", 1, 3)) else { return };
    browser.no_errors(&[]);
    browser.run("setTimeout(() => { throw new Error('probe') }); return 1");
    let found = |word: &str| {
        wait_for(word, || {
            browser
                .log()
                .iter()
                .any(|entry| entry.level == "SEVERE" && entry.message.contains(word))
                .then_some(())
        });
    };
    found("probe");
    browser.run(
        "const s = document.createElement('style'); s.textContent = '*{color:red}'; document.head.append(s)",
    );
    found("Content Security Policy");
    browser.run("setTimeout(() => alert('probe')); return 1");
    wait_for("the dialog to be seen", || browser.dialog().then_some(()));
    browser.close_dialog();
}

/// Checks 10 and 11: a flood leaves at most 600 rows in the document, the last line is on screen, and what was left out is
/// there for who scrolls up two thousand lines.
#[test]
fn few_rows_for_many_lines() {
    let Some((place, _server, browser)) = begin(&numbered("old", 1, 5)) else { return };
    browser.run(
        "window.most = 0;
         new MutationObserver(() => {
            window.most = Math.max(window.most, document.querySelectorAll('#block .row').length);
         }).observe(document.querySelector('#block'), { childList: true, subtree: true });",
    );
    let lines = numbered("flood", 1, 50_000);
    for part in lines.chunks(2_000) {
        place.append("f", text(part));
    }
    last(&browser, "flood-050000");
    let most: usize = browser.get("return window.most");
    assert!((1..=600).contains(&most), "{most} rows");
    // What the flood left out is read when somebody looks: the lines before the screen, without a hole.
    browser.run("document.querySelector('#log').focus()");
    let mut seen = texts(&browser);
    for _ in 0..200 {
        if seen[0].as_str() < "flood-048000" {
            break;
        }
        let top = seen.first().cloned().expect("a screen of lines");
        browser.keys(Key::PageUp + "");
        let json = serde_json::to_string(&top).expect("JSON");
        browser.until("the screen to move up", &format!("{TEXTS}.length > 5 && {TEXTS}[0] < {json}"));
        seen = texts(&browser);
        let first: usize = seen[0].trim_start_matches("flood-").parse().expect("a number");
        assert_lines(&seen, &lines[first - 1..first - 1 + seen.len()]);
    }
    assert!(seen[0].as_str() < "flood-048000", "{}", seen[0]);
    browser.no_errors(&[]);
}

/// Pausing loses nothing: the screen stands still, the pill counts, and every line is there afterwards.
#[test]
fn pause_loses_nothing() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 200)) else { return };
    follows(&browser, true);
    browser.click("#follow");
    follows(&browser, false);
    state(&browser, "paused");
    let before = texts(&browser);
    let new = numbered("b", 1, 300);
    for part in new.chunks(30) {
        place.append("f", text(part));
    }
    browser.until("the pill to count", "/(^|\\D)300 new/.test(document.querySelector('#pill').textContent)");
    assert_lines(&texts(&browser)[..20], &before[..20]);
    // All of them, page by page, each once and in order.
    let mut all: Vec<String> = numbered("a", 1, 200);
    all.extend(new);
    browser.run("document.querySelector('#log').focus()");
    let mut bottom = before.last().cloned().expect("a line");
    for _ in 0..60 {
        if bottom == "b-000300" {
            break;
        }
        browser.keys(Key::PageDown + "");
        let json = serde_json::to_string(&bottom).expect("JSON");
        browser.until("the screen to move down", &format!("{TEXTS}.length > 5 && {TEXTS}.at(-1) > {json}"));
        let shown = texts(&browser);
        let first = all.iter().position(|line| *line == shown[0]).expect("a line of the file");
        let gone = all.iter().position(|line| *line == bottom).expect("a line of the file") + 1;
        assert!(first <= gone, "lines between {bottom} and {} were jumped over", shown[0]);
        assert_lines(&shown, &all[first..(first + shown.len()).min(all.len())]);
        bottom = shown.last().cloned().expect("a line");
    }
    assert_eq!(bottom, "b-000300");
    browser.no_errors(&[]);
}

/// The pill and the Follow button lead back to the end.
#[test]
fn back_to_the_end() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 200)) else { return };
    for way in ["#pill", "#follow"] {
        browser.click("#follow");
        follows(&browser, false);
        let line = format!("after {way}");
        place.append("f", text(&numbered(way, 1, 100)));
        place.append("f", format!("{line}\n"));
        browser.until("the pill", "!document.querySelector('#pill').hidden");
        browser.click(way);
        follows(&browser, true);
        last(&browser, &line);
    }
    browser.no_errors(&[]);
}

/// Check 17: the server is killed and started again: live again, no line missing, none twice.
#[test]
fn server_restart() {
    let Some((place, mut server, browser)) = begin(&numbered("a", 1, 8)) else { return };
    state(&browser, "live");
    server.kill();
    state(&browser, "reconnecting");
    place.append("f", text(&numbered("b", 1, 8)));
    server.restart();
    state(&browser, "live");
    place.append("f", text(&numbered("c", 1, 4)));
    last(&browser, "c-000004");
    let expected = [numbered("a", 1, 8), numbered("b", 1, 8), numbered("c", 1, 4)].concat();
    assert_lines(&texts(&browser), &expected);
    // The connection was broken on purpose: the browser reports requests that failed, and nothing else.
    browser.no_errors(&["network"]);
}

/// Check 18: a server that stands still with the socket open is noticed, and believed again afterwards.
#[test]
fn server_stands_still() {
    let Some((place, server, browser)) = begin(&numbered("a", 1, 8)) else { return };
    state(&browser, "live");
    server.freeze();
    state(&browser, "reconnecting");
    place.append("f", text(&numbered("b", 1, 8)));
    server.thaw();
    state(&browser, "live");
    last(&browser, "b-000008");
    assert_lines(&texts(&browser), &[numbered("a", 1, 8), numbered("b", 1, 8)].concat());
    browser.no_errors(&["network"]);
}

/// Check 19: a rotation and a truncation show as a divider, and the lines go on.
#[test]
fn rotation_is_a_divider() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 5)) else { return };
    place.rename("f", "f.1");
    place.write("f", text(&numbered("b", 1, 5)));
    last(&browser, "b-000005");
    let notes = "document.querySelectorAll('#block .row.note').length";
    browser.until("a divider", &format!("{notes} === 1"));
    place.copy("f", "f.2");
    place.truncate("f", 0);
    browser.until("another divider", &format!("{notes} === 2"));
    place.append("f", text(&numbered("c", 1, 5)));
    last(&browser, "c-000005");
    let expected = [numbered("a", 1, 5), numbered("b", 1, 5), numbered("c", 1, 5)].concat();
    assert_lines(&texts(&browser), &expected);
    browser.no_errors(&[]);
}

/// Logs that all begin with the same line: each file is one of its own, behind a divider, and all of it is reached.
#[test]
fn files_that_begin_alike() {
    let file = |name: &str, count| [vec!["# a log".to_owned()], numbered(name, 1, count)].concat();
    let Some((place, _server, browser)) = begin(&file("a", 900)) else { return };
    state(&browser, "live");
    let notes = "document.querySelectorAll('#block .row.note').length";
    place.rename("f", "f.1");
    place.write("f", text(&file("b", 3)));
    last(&browser, "b-000003");
    browser.until("a divider", &format!("{notes} === 1"));
    place.append("f", "b-000004\n");
    last(&browser, "b-000004");
    // Gone, and another one comes back.
    place.remove("f");
    state(&browser, "waiting");
    place.write("f", text(&file("c", 2)));
    last(&browser, "c-000002");
    browser.until("another divider", &format!("{notes} === 2"));
    let expected = [file("b", 4), file("c", 2)].concat();
    let shown = texts(&browser);
    assert_lines(&shown[shown.len() - expected.len()..], &expected);
    // Back to the first line of the first of them, without a hole.
    let all = [file("a", 900), expected].concat();
    let mut seen = shown;
    browser.run("document.querySelector('#log').focus()");
    for _ in 0..120 {
        if seen[0] == all[0] && seen[1] == all[1] {
            break;
        }
        let top = serde_json::json!(seen[..2]);
        browser.keys(Key::PageUp + "");
        browser.until(
            "the screen to move up",
            &format!("{TEXTS}.length > 5 && JSON.stringify({TEXTS}.slice(0, 2)) !== JSON.stringify({top})"),
        );
        seen = texts(&browser);
        let at = all.windows(2).position(|two| two == &seen[..2]).expect("lines of the files");
        assert_lines(&seen, &all[at..at + seen.len()]);
    }
    assert_lines(&seen[..2], &all[..2]);
    browser.no_errors(&[]);
}

/// Check 20: the file goes and comes back.
#[test]
fn file_goes_and_comes_back() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 5)) else { return };
    place.remove("f");
    state(&browser, "waiting");
    let banner = "document.querySelector('#banner')";
    browser.until("the banner", &format!("!{banner}.hidden && /f is gone/.test({banner}.textContent)"));
    assert_lines(&texts(&browser), &numbered("a", 1, 5));
    place.write("f", text(&numbered("b", 1, 3)));
    state(&browser, "live");
    last(&browser, "b-000003");
    browser.until("the banner to go", &format!("{banner}.hidden"));
    browser.until("a divider", "/is back/.test(document.querySelector('#block .row.note')?.textContent)");
    browser.no_errors(&[]);
}

/// Checks 5 and 6: no way from text to markup in the page's own files, and a policy that forbids the rest.
#[test]
fn no_text_becomes_markup() {
    let assets = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("assets");
    let ways = [
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "DOMParser",
    ];
    let (mut folders, mut read) = (vec![assets], 0);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("the page's files").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "js" || kind == "html") {
                let code = std::fs::read_to_string(&path).expect("text");
                let found: Vec<_> = ways.iter().filter(|way| code.contains(**way)).collect();
                assert!(found.is_empty(), "{}: {found:?}", path.display());
                read += 1;
            }
        }
    }
    assert!(read > 5, "only {read} files of the page found");
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f"]);
    let answer = crate::support::http::get(&server, "/");
    let policy = answer.header("content-security-policy").expect("a policy");
    for part in
        ["default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for"]
    {
        assert!(policy.contains(part), "{policy}");
    }
    assert!(!policy.contains("unsafe"), "{policy}");
}

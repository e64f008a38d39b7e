//! Search over the whole file: marks, counts, the way from match to match, and what a wrong pattern does.

use crate::chromium::Browser;
use crate::page::{TEXTS, begin, follows, last};
use crate::support::{Place, Server, assert_lines};
use thirtyfour::TypingData;
use thirtyfour::prelude::Key;

/// What the box says beside the text that is typed.
pub(crate) const WORDS: &str = "document.querySelector('#find-words').textContent";
/// The text of the line that has the cursor.
pub(crate) const CURSOR: &str =
    "(document.activeElement.closest('#block .row')?.querySelector('.text').textContent ?? '')";

/// Types keys where the log has the focus.
#[track_caller]
pub(crate) fn press(browser: &Browser, keys: impl Into<TypingData>) {
    browser
        .run("if (!document.activeElement.closest('#block, dialog')) document.querySelector('#log').focus()");
    browser.keys(keys);
}

/// Searches for a text, and waits until the whole file was searched.
#[track_caller]
pub(crate) fn find(browser: &Browser, text: &str) {
    press(browser, "/");
    browser.keys(text);
    browser.keys(Key::Enter + "");
    browser.until("the search to end", &format!("/match|^[\\d,]+ of/.test({WORDS}) && !/%/.test({WORDS})"));
}

/// Waits until the cursor is on this line.
#[track_caller]
pub(crate) fn on(browser: &Browser, line: &str) {
    browser.until("the cursor's line", &format!("{CURSOR} === {}", serde_json::json!(line)));
}

/// Every tenth line of these holds the word.
fn lines() -> Vec<String> {
    (1..=3000)
        .map(|n| if n % 10 == 5 { format!("line {n:04} Needle") } else { format!("line {n:04} hay") })
        .collect()
}

/// Check 23: the first match has the cursor and is marked, n and N visit all in order and wrap with a word about
/// it, the rail shows where they are, and the count is grep's.
#[test]
fn matches_are_counted_marked_and_visited() {
    let lines = lines();
    let Some((place, _server, browser)) = begin(&lines) else { return };
    let matching: Vec<_> = lines.iter().filter(|line| line.contains("Needle")).collect();
    find(&browser, "needle");
    // Who follows looks at the end: the newest match is the first.
    on(&browser, matching[matching.len() - 1]);
    browser.until("the count", &format!("{WORDS} === '300 of 300'"));
    follows(&browser, false);
    let marked = "[...CSS.highlights.get('current')].map(String).join() === 'Needle' && CSS.highlights.get('found').size > 0";
    browser.until("marks in the text", marked);
    browser.until("marks on the rail", "Number(document.querySelector('#rail').dataset.marks) > 50");
    press(&browser, "n");
    browser.until(
        "the word about wrapping",
        "/on from the start/.test(document.querySelector('#toast').textContent)",
    );
    on(&browser, matching[0]);
    browser.until("its number", &format!("{WORDS} === '1 of 300'"));
    for line in &matching[1..8] {
        press(&browser, "n");
        on(&browser, line);
    }
    for line in matching[..7].iter().rev() {
        press(&browser, "N");
        on(&browser, line);
    }
    press(&browser, "N");
    browser.until(
        "the word about wrapping",
        "/on from the end/.test(document.querySelector('#toast').textContent)",
    );
    on(&browser, matching[299]);
    // What is written later is found too.
    place.append("f", "line 3001 needle\nline 3002 hay\n");
    browser.until("the count to grow", &format!("/301/.test({WORDS})"));
    press(&browser, "n");
    on(&browser, "line 3001 needle");
    // Esc ends the search, and every mark goes.
    press(&browser, Key::Escape + "");
    browser.until(
        "the marks to go",
        "CSS.highlights.get('current').size + CSS.highlights.get('found').size === 0",
    );
    browser.until("the address", "!location.hash.includes('q=')");
    browser.no_errors(&[]);
}

/// Capitals and regular expressions, each by its button; text is text without it.
#[test]
fn text_capitals_and_patterns() {
    let lines = ["a.b", "axb", "A.B", "a+b (c", "end"].map(String::from);
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    let count = |text: &str, words: &str| {
        press(&browser, "/");
        browser.keys(text);
        browser.until(&format!("{words} for {text}"), &format!("{WORDS} === '{words}'"));
        browser.keys(Key::Escape + "");
    };
    count("a.b", "2 matches");
    count("A.B", "1 match");
    count("a+b (", "1 match");
    count("nothing", "no match");
    browser.click("#find-regex");
    count("a.b$", "3 matches");
    count("^a", "4 matches");
    browser.click("#find-case");
    count("^a", "3 matches");
    count(".*", "5 matches");
    browser.no_errors(&[]);
}

/// Row 122: a pattern for which a browser tries all ways, on a line that somebody wrote for it: the page answers. The
/// server finds the matches; those that would take the browser for ever are not marked.
#[test]
fn no_pattern_stops_the_page() {
    let mut lines = vec!["a".repeat(60) + "!", "a".repeat(8000) + "!", "aaab".to_owned()];
    lines.push("marked".to_owned());
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    browser.click("#find-regex");
    let asked = "window.began = performance.now(); setTimeout(() => { window.late = performance.now() - window.began; }, 0)";
    for (pattern, words) in
        [("(a+)+b", "1 match"), ("(a|a)*b", "1 match"), ("a*a*a*a*b", "1 match"), ("(?:a?a?)*c", "no match")]
    {
        press(&browser, "/");
        browser.keys(pattern);
        browser.until(&format!("{words} for {pattern}"), &format!("{WORDS} === '{words}'"));
        browser.keys(Key::Escape + "");
        browser.run(asked);
        browser.until("the page's next turn", "window.late !== undefined");
        browser.run("delete window.late");
    }
    // What is quick is marked as ever.
    press(&browser, "/");
    browser.keys("m.rk\\w+$");
    browser.until("the count", &format!("{WORDS} === '1 match'"));
    let marks = "[...CSS.highlights.get('found'), ...CSS.highlights.get('current')].map(String).join()";
    browser.until("the mark", &format!("{marks} === 'marked'"));
    browser.keys(Key::Escape + "");
    press(&browser, "/");
    browser.keys("a+a*b");
    browser.until("the mark", &format!("{marks} === 'aaab'"));
    browser.no_errors(&[]);
}

/// What the columns tell of JSON and logfmt is not told again beside them, unless it is what was searched for.
#[test]
fn fields_are_not_told_twice() {
    let lines = [
        r#"{"time":"2026-11-25T08:00:00Z","level":"warn","msg":"one"}"#,
        "time=2026-11-25T08:00:01Z level=info msg=two",
        r#"{"level":"error","msg":"three","time":"2026-11-25T08:00:02Z"}"#,
        // A time that the column does not show, and a level that is none.
        r#"{"ts":1764057600.5,"level":"info","msg":"four"}"#,
        r#"{"time":"2026-11-25T08:00:04Z","level":"odd","msg":"five"}"#,
    ]
    .map(str::to_owned);
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    let shown = || -> Vec<String> {
        browser
            .get("return [...document.querySelectorAll('#block .row .text')].map((text) => text.innerText)")
    };
    let mut expected = [
        r#"{"msg":"one"}"#,
        "msg=two",
        r#"{"msg":"three","time":"2026-11-25T08:00:02Z"}"#,
        &lines[3],
        r#"{"level":"odd","msg":"five"}"#,
    ];
    assert_lines(&shown(), &expected);
    find(&browser, r#""level":"warn""#);
    expected[0] = &lines[0];
    browser.until("what was found to be seen", "document.querySelector('#block .bare')");
    assert_lines(&shown(), &expected);
    browser.no_errors(&[]);
}

/// Check 24: a wrong pattern is told in its place, and what was found before stays.
#[test]
fn a_wrong_pattern_says_so() {
    let Some((_place, _server, browser)) = begin(&lines()) else { return };
    find(&browser, "Needle");
    browser.click("#find-regex");
    press(&browser, "/");
    browser.keys("Need(le");
    browser.until("the field to be invalid", "document.querySelector('#find-field').ariaInvalid === 'true'");
    browser.until("words about it", "!document.querySelector('#find-problem').hidden && /group|paren/.test(document.querySelector('#find-problem').textContent)");
    browser.until("the old count", &format!("/300/.test({WORDS})"));
    browser
        .until("the old marks", "CSS.highlights.get('found').size + CSS.highlights.get('current').size > 0");
    browser.keys(Key::Backspace + Key::Backspace + Key::Backspace + "");
    browser.until("the field to be valid", "document.querySelector('#find-field').ariaInvalid !== 'true' && document.querySelector('#find-problem').hidden");
    // In the filter too: it is not set before the server can read it.
    browser.keys(Key::Escape + "");
    press(&browser, "&");
    browser.keys("[a");
    browser.keys(Key::Enter + "");
    browser.until("the field to be invalid", "document.querySelector('#find-field').ariaInvalid === 'true'");
    assert_eq!(browser.run("return document.querySelectorAll('#kept .chip').length"), 0);
    // The browser tells of the requests that were refused.
    browser.no_errors(&["network"]);
}

/// `*` takes the selected word; n goes on while the search still runs or found more places than it tells.
#[test]
fn the_selected_word() {
    let Some((_place, _server, browser)) = begin(&lines()) else { return };
    browser.run(
        "const row = [...document.querySelectorAll('#block .row')].findLast((row) => /Needle/.test(row.textContent));
         const text = [...row.querySelector('.text').childNodes].at(-1);
         const at = text.data.indexOf('Needle');
         getSelection().setBaseAndExtent(text, at, text, at + 6);",
    );
    press(&browser, "*");
    browser.until("the word in the box", "document.querySelector('#find-field').value === 'Needle'");
    browser.until("a match with the cursor", &format!("/Needle/.test({CURSOR})"));
    browser.no_errors(&[]);
}

/// More matches than places are told: n and N ask the server, and meet each of them.
#[test]
fn more_matches_than_places() {
    let lines: Vec<_> = (1..=25_000).map(|n| format!("x {n:05}")).collect();
    let Some((_place, _server, browser)) = begin(&lines) else { return };
    find(&browser, "x ");
    browser.until("the count of all", &format!("{WORDS} === '25k matches'"));
    press(&browser, "g");
    browser.until("the first line", &format!("{TEXTS}[0] === 'x 00001'"));
    press(&browser, "n");
    on(&browser, "x 00001");
    press(&browser, "n");
    on(&browser, "x 00002");
    press(&browser, "N");
    on(&browser, "x 00001");
    press(&browser, "N");
    on(&browser, "x 25000");
    browser.no_errors(&[]);
}

/// Ctrl-F is ours; once more, in the box, it is the browser's own.
#[test]
fn the_browsers_own_find_is_reachable() {
    let Some((_place, _server, browser)) = begin(&lines()) else { return };
    browser.run("window.prevented = []; window.addEventListener('keydown', (event) => window.prevented.push(event.defaultPrevented))");
    let control = "const to = document.activeElement; to.dispatchEvent(new KeyboardEvent('keydown', { key: 'f', code: 'KeyF', ctrlKey: true, bubbles: true, cancelable: true }))";
    browser.run(&format!("document.querySelector('#log').focus(); {control}"));
    browser.until("our own box", "document.activeElement.id === 'find-field'");
    browser.run(control);
    assert_eq!(browser.run("return window.prevented"), serde_json::json!([true, false]));
    browser.no_errors(&[]);
}

/// A browser without highlights gets elements, of the same words, that go with the search.
#[test]
fn matches_are_marked_without_highlights_too() {
    let Some(browser) = Browser::start() else { return };
    let script = serde_json::json!({ "source": "delete window.Highlight" });
    browser.cdp("Page.addScriptToEvaluateOnNewDocument", script);
    let mut lines: Vec<String> = (0..500).map(|n| format!("INFO user=\"u{n}\" did {n} of them")).collect();
    lines.push("\x1b[31mu4\x1b[32m99\x1b[0m in two colours".to_owned());
    let place = Place::with("f", crate::support::writer::text(&lines));
    let server = Server::start(&place, &["f"]);
    browser.open(&server.page);
    last(&browser, "u499 in two colours");
    let marks = "[...document.querySelectorAll('#block mark.found')].map((mark) => mark.textContent)";
    find(&browser, "u499");
    browser.until("the marks", &format!("{marks}.join('') === 'u499u499'"));
    assert_eq!(browser.get::<Vec<String>>(&format!("return {marks}")), ["u499", "u4", "99"]);
    // The text is what it was.
    last(&browser, "u499 in two colours");
    find(&browser, "user=\"u49");
    browser.until(
        "other marks",
        &format!("{marks}.length > 5 && {marks}.every((text) => 'user=\"u49'.includes(text))"),
    );
    press(&browser, Key::Escape + "");
    press(&browser, Key::Escape + "");
    browser.until("no marks", "document.querySelectorAll('#block mark').length === 0");
    last(&browser, "u499 in two colours");
    browser.no_errors(&[]);
}

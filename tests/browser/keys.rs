//! Check 29: every key that the `?` sheet tells does something that one can see.

use crate::chromium::Browser;
use crate::page::TEXTS;
use crate::support::writer::text;
use crate::support::{LOOK, Place, Server};
use std::time::{Duration, Instant};
use thirtyfour::TypingData;
use thirtyfour::prelude::Key;

/// Everything that a key may change: what is shown, chosen, focused, open, told or copied.
const SEEN: &str = "JSON.stringify([
    location.hash, { ...localStorage }, { ...document.documentElement.dataset }, document.querySelector('#log').className,
    document.querySelector('#log').scrollTop, document.querySelector('#log').scrollLeft,
    document.activeElement.id || document.activeElement.dataset.offset, document.querySelector('dialog[open]')?.id,
    !document.querySelector('#toast').hidden && document.querySelector('#toast').textContent,
    [...document.querySelectorAll('[aria-pressed],[aria-selected]')].map((node) => node.ariaPressed + node.ariaSelected),
    document.querySelector('#hist').hidden, document.querySelector('#find').className, document.querySelector('#find-field').value,
    document.querySelector('#kept').textContent, window.copied, document.querySelectorAll('#block .row').length,
    [...document.querySelectorAll('#block .row')].map((row) => row.className + row.dataset.line + row.children[0].textContent).join(),
    LINES])";

fn lines() -> Vec<String> {
    let levels = ["INFO", "WARN", "ERROR", "DEBUG", "TRACE", "FATAL", "no level"];
    let mut lines = Vec::new();
    for n in 0..600 {
        let [minute, second] = [n / 60, n % 60];
        let long = if n % 5 == 0 { " and more of it".repeat(40) } else { String::new() };
        lines.push(format!(
            "2026-11-25T08:{minute:02}:{second:02}Z {} message {n} user=u{}{long}",
            levels[n % 7],
            n % 3
        ));
        if n % 7 == 2 {
            lines.extend((0..6).map(|n| format!("    at com.example.Main.step{n}(Main.java:{n})")));
        }
    }
    lines
}

/// A key as the sheet writes it, as the browser is told it.
fn typed(name: &str) -> TypingData {
    match name {
        "↓" => Key::Down + "",
        "↑" => Key::Up + "",
        "←" => Key::Left + "",
        "→" => Key::Right + "",
        "PgUp" => Key::PageUp + "",
        "PgDown" | "PgDn" => Key::PageDown + "",
        "Home" => Key::Home + "",
        "End" => Key::End + "",
        "Enter" => Key::Enter + "",
        "Esc" => Key::Escape + "",
        "Space" => " ".into(),
        "Shift-Space" => Key::Shift + " ",
        // On some keyboards Shift with a digit is a sign that is a key of its own; Alt with it is the same everywhere.
        _ if name.starts_with("Shift-") => Key::Alt + &name["Shift-".len()..],
        _ if name.starts_with("Ctrl-") => Key::Control + &name["Ctrl-".len()..],
        _ => {
            assert_eq!(name.chars().count(), 1, "the sheet tells a key that this test does not know: {name}");
            name.into()
        }
    }
}

/// What has to be there for a key to have something to do.
fn before(browser: &Browser, name: &str) {
    let search = |keys: &str, text: &str| {
        browser.keys(keys);
        browser.keys(text);
        browser.keys(Key::Enter + "");
        browser.until("the log to have the focus", "document.activeElement.closest('#log')");
    };
    match name {
        "n" | "N" => search("/", "message 30"),
        "." | "Esc" | "q" => search("&", "user=u1"),
        "0" => browser.keys("4"),
        "h" | "←" => browser.keys("ll"),
        "'" | "\"" => {
            browser.keys("mjj");
            browser.until("a mark", "document.querySelector('.row.marked')");
        }
        "z" => {
            // The next error may be a fatal one, which has no trace: down to a line that has one.
            let folds = || browser.get::<bool>("return document.activeElement.matches('.row.grouped')");
            let moves = (0..8).find(|_| {
                folds() || {
                    browser.keys("j");
                    false
                }
            });
            assert!(moves.is_some(), "no trace below the cursor");
        }
        _ => {}
    }
}

/// Waits until what was done before has been drawn: the lines around a place come a moment after those on the screen.
fn rests(browser: &Browser, seen: &str) {
    browser.run("window.was = null");
    browser.until("the page to rest", &format!(
        "(() => {{ const now = {seen}; if (now !== window.was) [window.was, window.since] = [now, performance.now()]; return performance.now() - window.since > 300; }})()"
    ));
}

#[test]
fn every_key_does_something() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", text(&lines()));
    place.write("e", "2026-11-25T08:02:02Z INFO another file\n");
    place.write("g", "2026-11-25T08:02:02Z INFO a third file\n");
    let server = Server::start(&place, &["e", "f", "g"]);
    let open = || {
        browser.open("about:blank");
        browser.open(&format!("{}#f=f", server.page));
        browser.until(
            "rows",
            &format!("{TEXTS}.length > 10 && document.querySelectorAll('.level .number:not(:empty)').length"),
        );
        browser.run(
            "window.copied = ''; navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve(); };
             document.querySelector('#log').focus()",
        );
        // Away from both ends, on a line.
        browser.keys("g");
        browser.until("the start", &format!("{TEXTS}[0].includes('message 0')"));
        browser.keys("djj");
        browser.until("a cursor", "document.activeElement.closest('#block .row')");
    };
    open();
    browser.keys("?");
    browser.until("the sheet", "document.querySelector('#sheet').open");
    let keys: Vec<String> =
        browser.get("return [...document.querySelectorAll('#sheet dt kbd')].map((key) => key.textContent)");
    assert!(keys.len() > 70, "{keys:?}");
    let seen = SEEN.replace("LINES", TEXTS);
    let mut dead = Vec::new();
    for name in &keys {
        browser.run("localStorage.clear(); localStorage.setItem('logcast', '{\"seen\":true}')");
        open();
        before(&browser, name);
        rests(&browser, &seen);
        browser.run(&format!("document.querySelector('#toast').hidden = true; window.was = {seen}"));
        browser.keys(typed(name));
        let end = Instant::now() + Duration::from_secs(5);
        while browser.run(&format!("return window.was !== {seen}")) != true {
            if Instant::now() > end {
                dead.push(name);
                break;
            }
            std::thread::sleep(LOOK);
        }
    }
    assert!(dead.is_empty(), "these keys do nothing: {dead:?}");
    // The look at the page itself can fail: a key that is not in the table does nothing.
    open();
    rests(&browser, &seen);
    browser.run(&format!("window.was = {seen}"));
    browser.keys("a");
    assert_eq!(browser.run(&format!("return window.was !== {seen}")), false);
    browser.no_errors(&[]);
}

//! Check 29 and 30: the page by keyboard, by screen reader, with little motion, on a phone.

use crate::chromium::Browser;
use crate::code::tools;
use crate::page::{TEXTS, state};
use crate::support::writer::text;
use crate::support::{Place, Server};
use std::time::{SystemTime, UNIX_EPOCH};
use thirtyfour::prelude::Key;

fn lines() -> Vec<String> {
    let levels = ["INFO", "WARN", "ERROR", "DEBUG", "TRACE", "FATAL"];
    let mut lines: Vec<String> = (0..120)
        .map(|n| {
            format!(
                "2026-11-25T08:00:{:02}Z {} message {n} took={n}ms path=\"/a/{n}\" http://a.example/{n}",
                n % 60,
                levels[n % 6]
            )
        })
        .collect();
    lines.push("2026-11-25T08:02:00Z ERROR \x1b[31mred\x1b[0m \x1b[38;2;10;10;10mdark\x1b[0m \x1b[44mon blue\x1b[0m java.lang.Error".to_owned());
    lines.extend((0..9).map(|n| format!("    at com.example.Main.step{n}(Main.java:{n})")));
    lines.push("{\"time\":\"2026-11-25T08:02:01Z\",\"level\":\"warn\",\"msg\":\"hello\",\"user\":{\"id\":7,\"plan\":\"pro\"}}".to_owned());
    lines
}

fn begin() -> Option<(Place, Server, Browser)> {
    let browser = Browser::start()?;
    let place = Place::with("f", text(&lines()));
    place.write("g", "2026-11-25T08:02:02Z INFO another file\n");
    let server = Server::start(&place, &["f", "g"]);
    open(&browser, &server);
    Some((place, server, browser))
}

fn open(browser: &Browser, server: &Server) {
    browser.open("about:blank");
    browser.open(&server.page);
    state(browser, "live");
    browser.until("rows", &format!("{TEXTS}.length > 3"));
    browser.run("document.querySelector('#log').focus()");
}

const DIALOGS: [(&str, &str); 7] = [
    ("?", "sheet"),
    (",", "settings"),
    ("X", "fields"),
    ("L", "health"),
    ("B", "notify"),
    (":", "goto"),
    ("S", "saved"),
];

fn close(browser: &Browser) {
    browser.run("document.querySelector('dialog[open]')?.close(); document.querySelector('#log').focus()");
}

/// What axe-core finds wrong, in words.
#[track_caller]
fn no_violations(browser: &Browser, axe: &str, what: &str) {
    browser.run(&format!(
        "if (!window.axe) {{ {axe} }}
         window.found = null;
         axe.run(document, {{ resultTypes: ['violations'] }}).then(
            ({{ violations }}) => {{ window.found = violations.flatMap(({{ id, nodes }}) => nodes.map((node) => `${{id}}: ${{node.html.slice(0, 160)}} ${{node.failureSummary}}`)); }},
            (error) => {{ window.found = [String(error)]; }})"
    ));
    browser.until("axe-core to end", "window.found !== null");
    let found: Vec<String> = browser.get("return window.found");
    assert!(found.is_empty(), "{what}: {found:#?}");
}

#[test]
fn axe_finds_nothing() {
    let Some(tools) = tools() else { return };
    let axe = std::fs::read_to_string(tools.join("node_modules/axe-core/axe.min.js")).expect("axe-core");
    let Some((_place, server, browser)) = begin() else { return };
    for (kind, width, height, phone) in [("desktop", 1280, 800, false), ("phone", 390, 844, true)] {
        browser.size(width, height, phone);
        for scheme in ["dark", "light"] {
            browser.prefer(scheme, false);
            open(&browser, &server);
            let what = |part: &str| format!("{kind}, {scheme}, {part}");
            no_violations(&browser, &axe, &what("the log"));
            browser.keys("k");
            browser.keys("o");
            browser.until("a detail", "document.querySelector('.detail table')");
            no_violations(&browser, &axe, &what("a detail"));
            browser.keys("o");
            for (key, id) in DIALOGS {
                browser.keys(key);
                browser.until(id, &format!("document.querySelector('dialog[open]')?.id.startsWith('{id}')"));
                no_violations(&browser, &axe, &what(id));
                close(&browser);
            }
            browser.keys(Key::Control + "k");
            browser.until("the palette", "document.querySelector('#palette').open");
            no_violations(&browser, &axe, &what("palette"));
            close(&browser);
            browser.keys("M");
            browser.until("merged rows", "document.querySelectorAll('#block .row .file').length > 3");
            no_violations(&browser, &axe, &what("merged"));
        }
    }
    // The check itself can fail.
    browser.run("document.body.append(document.createElement('button'))");
    browser.run("axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => { window.probe = violations.map(({ id }) => id); })");
    browser.until("the probe", "window.probe?.includes('button-name')");
    browser.no_errors(&[]);
}

/// Every key of the table is in the sheet, has an act, and does nothing while somebody types.
#[test]
fn keys_are_told_and_rest_while_typing() {
    let Some((_place, _server, browser)) = begin() else { return };
    browser.keys("?");
    browser.until("the sheet", "document.querySelector('#sheet').open");
    let missing: Vec<String> = browser.get(
        "return [...document.querySelectorAll('#sheet dl')].flatMap((list) => [...list.querySelectorAll('dd')].filter((words) => !words.textContent.trim()).map(String))",
    );
    assert!(missing.is_empty(), "{missing:?}");
    assert!(browser.get::<usize>("return document.querySelectorAll('#sheet kbd').length") > 50);
    close(&browser);
    // While somebody types, a letter is a letter.
    browser.keys(Key::Control + "k");
    let before: Vec<String> =
        browser.get("return Object.entries(document.documentElement.dataset).map(String)");
    browser.keys("wtDrfM#i");
    assert_eq!(browser.run("return document.querySelector('#palette input').value"), "wtDrfM#i");
    let after: Vec<String> =
        browser.get("return Object.entries(document.documentElement.dataset).map(String)");
    assert_eq!(before, after);
    close(&browser);
    // Single keys can be turned off.
    browser.keys(",");
    browser.run("const s = document.querySelector('#set-keys'); s.value = 'off'; s.dispatchEvent(new Event('change'))");
    close(&browser);
    browser.keys("w");
    assert_eq!(browser.run("return document.documentElement.dataset.wrap"), "false");
    browser.keys(Key::Control + "k");
    browser.until("the palette all the same", "document.querySelector('#palette').open");
    browser.no_errors(&[]);
}

/// Tab reaches every control, and one sees where one is.
#[test]
fn tab_reaches_all_and_focus_is_seen() {
    let Some((_place, _server, browser)) = begin() else { return };
    browser.run("document.activeElement.blur(); window.reached = new Set(); window.unseen = []");
    let wanted: usize = browser.get(
        "window.wanted = [...document.querySelectorAll('button, input, [tabindex=\"0\"], a[href]')].filter((node) => node.tabIndex >= 0 && node.checkVisibility({ visibilityProperty: true }) && !node.closest('#block, dialog'));
         return window.wanted.length",
    );
    for _ in 0..wanted + 6 {
        browser.keys(Key::Tab + "");
        browser.run(
            "const node = document.activeElement; window.reached.add(node);
             // A field may leave it to the box round it.
             const style = getComputedStyle(node.matches('form > input') ? node.parentElement : node);
             if (node !== document.body && (style.outlineStyle === 'none' || parseFloat(style.outlineWidth) < 1) && style.boxShadow === 'none') window.unseen.push(node.outerHTML.slice(0, 100))",
        );
    }
    let missed: Vec<String> =
        browser.get("return window.wanted.filter((node) => !window.reached.has(node)).map((node) => node.id || node.className || node.tagName)");
    assert!(missed.is_empty(), "Tab does not reach {missed:?}");
    let unseen: Vec<String> = browser.get("return window.unseen");
    assert!(unseen.is_empty(), "the focus is not seen on {unseen:?}");
    browser.no_errors(&[]);
}

#[test]
fn nothing_moves_where_motion_is_unwanted() {
    let Some((_place, _server, browser)) = begin() else { return };
    let running = "document.getAnimations().length";
    browser.prefer("dark", true);
    browser.until("the dot to pulse", &format!("{running} > 0"));
    browser.prefer("dark", false);
    browser.until("everything to stand still", &format!("{running} === 0"));
    browser.no_errors(&[]);
}

/// Check 30: a phone.
#[test]
fn a_phone() {
    let Some(browser) = Browser::start() else { return };
    browser.size(390, 844, true);
    let many: Vec<String> = (0..5000)
        .map(|n| {
            format!(
                "2026-11-25T08:00:00Z INFO a line that is long enough to be wrapped on a phone, number {n:05}"
            )
        })
        .collect();
    let place = Place::with("f", text(&many));
    let server = Server::start(&place, &["f"]);
    open(&browser, &server);
    assert!(browser.get::<bool>(
        "return document.documentElement.scrollWidth <= innerWidth && document.body.scrollWidth <= innerWidth"
    ));
    let small: Vec<String> = browser.get(
        "return [...document.querySelectorAll('button, input, a[href], select')].filter((node) => !node.closest('#block, dialog, footer') && node.checkVisibility({ visibilityProperty: true }))
            .map((node) => [node, node.getBoundingClientRect()]).filter(([node, box]) => box.width > 0 && box.bottom > 0 && (box.height < 43.5 || box.width < 43.5) && !node.closest('.skip'))
            .map(([node, box]) => `${node.id || node.className || node.outerHTML.slice(0, 80)} ${Math.round(box.width)}×${Math.round(box.height)}`)",
    );
    assert!(small.is_empty(), "smaller than 44 px: {small:?}");
    // Flings upwards: never a screen without rows.
    browser.run(
        "window.blank = 0; let since = 0;
         const look = () => {
           const log = document.querySelector('#log').getBoundingClientRect(), block = document.querySelector('#block').getBoundingClientRect();
           const bare = block.top > log.top + 2 || block.bottom < log.bottom - 2;
           if (!bare) since = 0; else { since ||= performance.now(); window.blank = Math.max(window.blank, performance.now() - since); }
           requestAnimationFrame(look);
         };
         look()",
    );
    // A finger that lets go while it moves: the page scrolls on by itself.
    for _ in 0..5 {
        let mut at = SystemTime::now().duration_since(UNIX_EPOCH).expect("a time after 1970").as_secs_f64();
        let mut touch = |kind: &str, points: serde_json::Value| {
            // A finger's pace, however busy the machine is.
            at += 0.01;
            let event = serde_json::json!({ "type": kind, "touchPoints": points, "timestamp": at });
            browser.cdp("Input.dispatchTouchEvent", event);
        };
        touch("touchStart", serde_json::json!([{ "x": 180, "y": 260 }]));
        for step in 1..=8 {
            touch("touchMove", serde_json::json!([{ "x": 180, "y": 260 + step * 55 }]));
        }
        touch("touchEnd", serde_json::json!([]));
    }
    browser.until(
        "the fling to come to rest",
        "(() => { const { scrollTop } = document.querySelector('#log'); const same = window.was === scrollTop; window.was = scrollTop; window.still = same ? (window.still ?? 0) + 1 : 0; return window.still > 10; })()",
    );
    browser.until(
        "the screen to have moved",
        "document.querySelector('#follow').getAttribute('aria-pressed') === 'false'",
    );
    // The finger went 2,200 px; the page went on by itself.
    let gone: f64 = browser.get(
        "const rows = [...document.querySelectorAll('#block .row')], { top } = document.querySelector('#log').getBoundingClientRect();
         const row = rows.find((row) => row.getBoundingClientRect().bottom > top);
         return (4999 - Number(/\\d+$/.exec(row.querySelector('.text').textContent))) * row.offsetHeight - document.querySelector('#log').clientHeight",
    );
    assert!(gone > 4400.0, "{gone} px");
    let blank: f64 = browser.get("return window.blank");
    assert!(blank < 200.0, "{blank} ms without rows");
    browser.no_errors(&[]);
}

/// § 2.2: on a phone a second tap opens the line's detail as a sheet at the bottom; one at a time, and it closes.
#[test]
fn a_sheet_on_a_phone() {
    let Some(browser) = Browser::start() else { return };
    browser.size(390, 844, true);
    let place = Place::with("f", text(&lines()));
    let server = Server::start(&place, &["f"]);
    open(&browser, &server);
    let tap = |back: usize| {
        let spot: Vec<f64> = browser.get(&format!(
            "const log = document.querySelector('#log').getBoundingClientRect();
             const rows = [...document.querySelectorAll('#block .row:not(.note)')].map((row) => row.getBoundingClientRect()).filter((box) => box.top > log.top && box.top < log.top + 200);
             return [120, rows[{back}].top + 8]"
        ));
        let point = serde_json::json!([{ "x": spot[0], "y": spot[1] }]);
        browser.cdp(
            "Input.dispatchTouchEvent",
            serde_json::json!({ "type": "touchStart", "touchPoints": point }),
        );
        browser.cdp("Input.dispatchTouchEvent", serde_json::json!({ "type": "touchEnd", "touchPoints": [] }));
    };
    let sheets = "document.querySelectorAll('.detail').length";
    tap(1);
    browser.until(
        "the line to be chosen",
        "document.querySelector('#follow').getAttribute('aria-pressed') === 'false'",
    );
    tap(1);
    browser.until("a sheet", &format!("{sheets} === 1"));
    let shape: Vec<f64> = browser.get(
        "const box = document.querySelector('.detail').getBoundingClientRect(); return [box.left, box.right, innerHeight - box.bottom, box.height]",
    );
    assert!(shape[0] == 0.0 && shape[1] == 390.0 && shape[2].abs() < 1.0, "not at the foot: {shape:?}");
    assert!((100.0..560.0).contains(&shape[3]), "{shape:?}");
    browser
        .until("the line's number", "/line \\d+ · byte/.test(document.querySelector('.detail').textContent)");
    assert!(browser.get::<bool>("return document.documentElement.scrollWidth <= innerWidth"));
    let small: Vec<String> = browser.get(
        "return [...document.querySelectorAll('.detail button')].map((node) => [node, node.getBoundingClientRect()])
            .filter(([, box]) => box.width > 0 && box.height < 43.5).map(([node]) => node.outerHTML.slice(0, 90))",
    );
    assert!(small.is_empty(), "smaller than 44 px: {small:?}");
    tap(3);
    tap(3);
    browser.until(
        "the other line's sheet",
        &format!("{sheets} === 1 && document.activeElement.querySelector('.detail')"),
    );
    browser.click(".detail [data-act=detail]");
    browser.until("no sheet", &format!("{sheets} === 0"));
    browser.no_errors(&[]);
}

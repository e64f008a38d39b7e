//! The page in Firefox: what a reader does in a day, once, and without a word in the console.

use crate::marionette::{ENTER, ESCAPE, Firefox, PAGE_UP};
use crate::page::TEXTS;
use crate::pictures::decoded;
use crate::support::writer::text;
use crate::support::{Place, Server, assert_lines, numbered, wait_for};

/// Lines with times and levels, a search word in every tenth.
fn lines(count: usize) -> Vec<String> {
    let levels = ["INFO", "WARN", "ERROR", "DEBUG"];
    let line = |n: usize| {
        let word = if n.is_multiple_of(10) { " needle" } else { "" };
        let [hour, minute, second] = [n / 3600, n / 60 % 60, n % 60];
        format!("2026-11-25T{hour:02}:{minute:02}:{second:02}Z {} line {n:05}{word}", levels[n % 4])
    };
    (0..count).map(line).collect()
}

/// Keys where the log has the focus.
#[track_caller]
fn press(browser: &Firefox, keys: &str) {
    browser.run("document.activeElement.closest('#log') ?? document.querySelector('#log').focus()");
    browser.keys(keys);
}

#[track_caller]
fn last(browser: &Firefox, end: &str) {
    browser
        .until("the last line on screen", &format!("{TEXTS}.at(-1)?.endsWith({})", serde_json::json!(end)));
}

#[track_caller]
fn follows(browser: &Firefox, on: bool) {
    let pressed = format!("document.querySelector('#follow').getAttribute('aria-pressed') === '{on}'");
    browser.until("the Follow button", &pressed);
}

/// Waits until the page has not moved for ten frames and for longer than a wheel's motion takes, whose last steps are
/// less than a pixel each: to be where it was a moment ago is not yet to rest.
fn rests(browser: &Firefox) {
    let still = "const log = document.querySelector('#log');
        return new Promise((done) => {
            let top, since, frames;
            const look = (now) => {
                if (log.scrollTop !== top) [top, since, frames] = [log.scrollTop, now, 0];
                frames += 1;
                frames > 10 && now - since > 500 ? done(true) : requestAnimationFrame(look);
            };
            requestAnimationFrame(look);
        })";
    assert_eq!(browser.run(still), true);
}

/// The first row on the screen: its place in the file, and how far it is from the screen's top.
const FIRST: &str = "((log) => { const row = [...document.querySelectorAll('#block .row')].find((row) => row.getBoundingClientRect().bottom > log.top + 1);
    return `${row?.dataset.offset} ${Math.round(row?.getBoundingClientRect().top - log.top)}`; })(document.querySelector('#log').getBoundingClientRect())";

#[test]
fn a_day_in_firefox() {
    let Some(browser) = Firefox::start(1280, 860) else { return };
    let place = Place::with("f", text(&lines(6000)));
    place.write("g", "2026-11-25T00:00:01Z INFO another file\n");
    let server = Server::start(&place, &["f", "g"]);
    let address = server.address.to_string();
    browser.open(&server.page);
    last(&browser, "line 05999");
    browser.until("live", "document.querySelector('#state').dataset.state === 'live'");

    // Lines come by themselves.
    for number in 0..5 {
        place.append("f", format!("new {number}\n"));
        last(&browser, &format!("new {number}"));
    }

    // The wheel stops following; nothing moves while lines come; the pill counts them and leads back.
    browser.wheel(-300);
    follows(&browser, false);
    rests(&browser);
    let first: String = browser.get(&format!("return {FIRST}"));
    place.append("f", text(&numbered("meanwhile", 1, 300)));
    browser.until("the pill", "/↓ 300 new lines/.test(document.querySelector('#pill').textContent)");
    assert_eq!(browser.get::<String>(&format!("return {FIRST}")), first);
    browser.click("#pill");
    follows(&browser, true);
    last(&browser, "meanwhile-000300");

    // By keys: pause, both ends, a place, a page, a line.
    press(&browser, " ");
    browser.until("the pause", "document.querySelector('#state').dataset.state === 'paused'");
    press(&browser, "g");
    browser.until("line 1", &format!("{TEXTS}[0]?.endsWith('line 00000 needle')"));
    press(&browser, "jjj");
    browser.until("the cursor", "document.activeElement.matches('.row[data-line=\"4\"]')");
    press(&browser, ":3000");
    browser.keys(ENTER);
    browser.until("line 3,000", "document.activeElement.textContent.includes('line 02999')");
    press(&browser, PAGE_UP);
    browser.until("a page up", &format!("{TEXTS}.length > 5 && !{TEXTS}.at(-1).endsWith('line 02999')"));
    press(&browser, "G");
    last(&browser, "meanwhile-000300");
    follows(&browser, true);

    // A long way up and the same way down ends where it began.
    press(&browser, ":3000");
    browser.keys(ENTER);
    browser.until("line 3,000", "document.activeElement.textContent.includes('line 02999')");
    browser.until("a block of rows", "document.querySelectorAll('#block .row').length > 100");
    rests(&browser);
    let first: String = browser.get(&format!("return {FIRST}"));
    for way in [-1, 1] {
        for _ in 0..20 {
            let top: f64 = browser.get("return document.querySelector('#log').scrollTop");
            browser.run(&format!(
                "document.querySelector('#log').scrollBy({{ top: {}, behavior: 'instant' }})",
                way * 900
            ));
            browser.until("it to scroll", &format!("document.querySelector('#log').scrollTop !== {top}"));
            browser.run(
                "return new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
            );
        }
    }
    assert_eq!(browser.get::<String>(&format!("return {FIRST}")), first);

    // A search: marked, counted as grep counts, visited.
    press(&browser, "/needle");
    browser.keys(ENTER);
    browser.until("the count", "/of 600$/.test(document.querySelector('#find-words').textContent)");
    browser.until(
        "the marks",
        "CSS.highlights.get('found')?.size > 0 && CSS.highlights.get('current')?.size === 1",
    );
    let on: String = browser.get("return document.activeElement.dataset.offset");
    press(&browser, "n");
    browser.until("the next match", &format!("document.activeElement.dataset.offset > '{on}' && /needle/.test(document.activeElement.textContent)"));
    press(&browser, ESCAPE);

    // A filter, and levels by chip and by key.
    press(&browser, "&needle");
    browser.keys(ENTER);
    browser.until("the filter", &format!("document.querySelectorAll('#kept .chip').length === 1 && {TEXTS}.length > 10 && {TEXTS}.every((line) => /needle/.test(line))"));
    press(&browser, ESCAPE);
    browser.until("the filter to end", "document.querySelectorAll('#kept .chip').length === 0");
    press(&browser, "G");
    press(&browser, "g");
    browser.until("line 1", &format!("{TEXTS}[0]?.endsWith('line 00000 needle')"));
    browser.click(".level[data-level=info]");
    browser.until("no line of this level", &format!("{TEXTS}.length > 10 && !document.querySelector('#block .row[data-level=info]') && /lv=/.test(location.hash)"));
    press(&browser, "0");
    browser.until("all levels", "document.querySelector('#block .row[data-level=info]')");

    // Bars, a detail, the sheet of keys, another file and back, another dress.
    browser.until("the bars", "!document.querySelector('#hist').hidden");
    press(&browser, "j");
    press(&browser, "o");
    browser.until("a detail", "document.querySelector('#block .detail')");
    press(&browser, "o");
    browser.until("no detail", "!document.querySelector('#block .detail')");
    press(&browser, "?");
    browser.until("the sheet", "document.querySelector('#sheet').open");
    browser.keys(ESCAPE);
    browser.until("no sheet", "!document.querySelector('#sheet').open");
    browser.click("#tabs [data-name=g]");
    last(&browser, "another file");
    browser.click("#tabs [data-name=f]");
    press(&browser, "G");
    last(&browser, "meanwhile-000300");
    browser.click("#theme");
    browser.click("#wrap");
    follows(&browser, true);

    // Text is text; a rotation is a divider; both while it follows.
    let hostile = "<img src=x onerror=alert(1)><script>alert(2)</script>";
    place.append("f", format!("{hostile}\n"));
    last(&browser, hostile);
    assert_eq!(browser.run("return document.querySelectorAll('#block :is(img,script)').length"), 0);
    place.rename("f", "f.1");
    place.write("f", text(&numbered("b", 1, 5)));
    last(&browser, "b-000005");
    browser.until("a divider", "document.querySelectorAll('#block .row.note').length === 1");
    let shown: Vec<String> = browser.get(&format!("return {TEXTS}.slice(-5)"));
    assert_lines(&shown, &numbered("b", 1, 5));
    if let Some(folder) = std::env::var_os("LOGCAST_SHOTS") {
        let path = std::path::Path::new(&folder).join("firefox.png");
        std::fs::write(path, decoded(&browser.picture())).expect("a picture");
    }
    browser.no_errors(&address);
}

/// A server that goes and comes back: nothing is missing, nothing doubled.
#[test]
fn firefox_comes_back() {
    let Some(browser) = Firefox::start(1280, 860) else { return };
    let place = Place::with("f", text(&numbered("a", 1, 8)));
    let mut server = Server::start(&place, &["f"]);
    browser.open(&server.page);
    last(&browser, "a-000008");
    browser.until("live", "document.querySelector('#state').dataset.state === 'live'");
    server.kill();
    browser.until("reconnecting", "document.querySelector('#state').dataset.state === 'reconnecting'");
    place.append("f", text(&numbered("b", 1, 8)));
    server.restart();
    browser.until("live", "document.querySelector('#state').dataset.state === 'live'");
    last(&browser, "b-000008");
    let shown: Vec<String> = browser.get(&format!("return {TEXTS}"));
    assert_lines(&shown, &[numbered("a", 1, 8), numbered("b", 1, 8)].concat());
    browser.no_errors("securitypolicy");
}

/// The eyes of these tests see: a thrown error and a broken policy are found.
#[test]
fn firefox_errors_are_seen() {
    let Some(browser) = Firefox::start(1280, 860) else { return };
    let place = Place::with("f", "one\n");
    let server = Server::start(&place, &["f"]);
    let address = server.address.to_string();
    browser.open(&server.page);
    last(&browser, "one");
    browser.no_errors(&address);
    browser.run(
        "const image = new Image(); image.src = 'http://127.0.0.1:9/x.png'; document.body.append(image);
         window.setTimeout(() => { throw new Error('thrown'); })",
    );
    for part in ["Content-Security-Policy", "thrown"] {
        wait_for(part, || {
            let found = browser.console(&address);
            found.iter().any(|words| words.contains(part)).then_some(())
        });
    }
}

//! What the page says of itself: delays, rates, attention, and errors in words.

use crate::chromium::Browser;
use crate::page::{begin, follows, last, state};
use crate::support::writer::text;
use crate::support::{Place, Server, numbered};

const WORDS: &str = "document.querySelector('#state .words').textContent";

#[test]
fn the_delay_of_a_line_is_shown() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 5)) else { return };
    state(&browser, "live");
    place.append("f", "one more\n");
    last(&browser, "one more");
    browser.until("a delay in words", &format!("/^Live · (.*\\/s · )?\\d+ ms$/.test({WORDS})"));
    browser.click("#state");
    let row = "document.querySelector('#health tbody tr').textContent";
    browser.until(
        "the file's health",
        &format!("/^ffollowed\\d+none50 B|^ffollowed\\d+none\\d+ B/.test({row})"),
    );
    browser.no_errors(&[]);
}

/// A page that is late says so, in words.
#[test]
fn a_late_page_says_so() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 5)) else { return };
    state(&browser, "live");
    // The main thread stands still while lines come.
    place.append("f", "before\n");
    last(&browser, "before");
    let writer = std::thread::spawn(move || {
        for number in 0..30 {
            place.append("f", format!("meanwhile-{number:02}\n"));
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        place
    });
    browser.run(
        "window.said = []; new MutationObserver(() => window.said.push(document.querySelector('#state').textContent))
            .observe(document.querySelector('#state'), { subtree: true, childList: true, characterData: true });
         const end = Date.now() + 3500; while (Date.now() < end);",
    );
    let _place = writer.join().expect("a writer");
    browser
        .until("words for being late", "window.said.some((words) => /^Behind by \\d+\\.\\d s$/.test(words))");
    last(&browser, "meanwhile-29");
    state(&browser, "live");
    browser.no_errors(&[]);
}

/// The title counts what came while nobody looked, and the icon shows it.
#[test]
fn title_and_icon_count() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 100)) else { return };
    follows(&browser, true);
    let icon = "document.querySelector('link[rel=icon]').href";
    let before: String = browser.get(&format!("return {icon}"));
    browser.run(
        "Object.defineProperty(document, 'hidden', { get: () => window.away, configurable: true });
         window.away = true; document.dispatchEvent(new Event('visibilitychange'))",
    );
    place.append("f", text(&numbered("b", 1, 7)));
    browser.until("the count in the title", "document.title.startsWith('(7) ')");
    browser.until("the dot in the icon", &format!("{icon}.startsWith('data:image/png')"));
    browser.run("window.away = false; document.dispatchEvent(new Event('visibilitychange'))");
    browser.until("the title without a count", "/^f/.test(document.title)");
    assert_eq!(browser.get::<String>(&format!("return {icon}")), before);
    last(&browser, "b-000007");
    browser.no_errors(&[]);
}

#[test]
fn a_line_that_was_waited_for() {
    let Some((place, _server, browser)) = begin(&numbered("a", 1, 5)) else { return };
    state(&browser, "live");
    browser.run("document.querySelector('#log').focus()");
    browser.keys("B");
    browser.until("the dialog", "document.querySelector('#notify').open");
    browser.run("document.querySelector('#notify-field').focus()");
    browser.keys("out of memory\n");
    browser.until("the dialog to close", "!document.querySelector('#notify').open");
    place.append("f", "all is well\n");
    last(&browser, "all is well");
    assert_eq!(browser.run("return document.title.startsWith('●')"), false);
    place.append("f", "worker 3: Out of memory\n");
    browser.until("the sign in the title", "document.title.startsWith('● ')");
    browser.keys(thirtyfour::prelude::Key::Escape + "");
    browser.until("the sign to go", "!document.title.startsWith('●')");
    browser.no_errors(&[]);
}

/// Check 22: a server that needs a token, and one that answers with an error.
#[test]
fn refusals_have_words() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", "one\ntwo\n");
    let server = Server::start(&place, &["f", "--token", "0123456789abcdef0123456789abcdef"]);
    let bare = server.page.split('?').next().expect("a URL").to_owned();
    browser.open(&bare);
    browser.until(
        "the panel",
        "!document.querySelector('#auth').hidden && document.activeElement.id === 'token'",
    );
    browser.keys("wrong\n");
    browser.until("words", "/not the right one/.test(document.querySelector('#auth .problem').textContent)");
    browser.keys("0123456789abcdef0123456789abcdef\n");
    last(&browser, "two");
    state(&browser, "live");
    // An answer that is no success: the server's words, and a way to try again.
    browser.run(
        "const was = window.fetch; window.broken = true;
         window.fetch = (...all) => window.broken ? Promise.resolve(new Response(
            JSON.stringify({ detail: 'too many searches at once' }), { status: 503 })) : was(...all);
         document.querySelector('#log').focus()",
    );
    browser.keys("g");
    browser.until(
        "the banner",
        "/too many searches at once/.test(document.querySelector('#banner').textContent)",
    );
    browser.run("window.broken = false");
    browser.click("#retry");
    browser.until("the banner to go", "document.querySelector('#banner').hidden");
    last(&browser, "two");
    browser.no_errors(&["network"]);
}

/// Check 35: a page of another version than its server offers to reload.
#[test]
fn an_upgrade_offers_to_reload() {
    let Some((_place, _server, browser)) = begin(&numbered("a", 1, 5)) else { return };
    state(&browser, "live");
    browser.run(
        "const channel = new BroadcastChannel('logcast /');
         channel.postMessage({ kind: 'lead', id: '0' });
         const text = JSON.stringify({ version: '99.0.0', files: [] });
         channel.postMessage({ kind: 'event', id: '0', name: 'hello', text, cursor: '' });",
    );
    browser.until("the offer", "/Reload/.test(document.querySelector('#banner').textContent)");
    browser.no_errors(&[]);
}

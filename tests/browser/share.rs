//! Many tabs, few connections: a browser gives one server six of them over HTTP/1.1.

use crate::chromium::Browser;
use crate::page::{TEXTS, last, state, texts};
use crate::support::writer::text;
use crate::support::{Place, Server, assert_lines, numbered};

/// Check 32 and more: twenty tabs, all live. A stream for each would leave all but six without an answer.
#[test]
fn twenty_tabs_are_live() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", text(&numbered("old", 1, 20)));
    let server = Server::start(&place, &["f"]);
    let mut tabs = vec![browser.here()];
    browser.open(&server.page);
    for _ in 1..20 {
        tabs.push(browser.tab());
        browser.open(&server.page);
    }
    for (number, tab) in tabs.iter().enumerate() {
        browser.turn(tab);
        state(&browser, "live");
        place.append("f", format!("seen-{number:02}\n"));
        last(&browser, &format!("seen-{number:02}"));
    }
    // The first tab had the stream: another takes over, and nothing is lost or doubled.
    browser.turn(&tabs[0]);
    browser.close_tab();
    browser.turn(&tabs[19]);
    place.append("f", text(&numbered("after", 1, 5)));
    last(&browser, "after-000005");
    let seen = (0..20).map(|number| format!("seen-{number:02}"));
    let expected: Vec<String> =
        numbered("old", 1, 20).into_iter().chain(seen).chain(numbered("after", 1, 5)).collect();
    let shown = texts(&browser);
    assert_lines(&shown, &expected[expected.len() - shown.len()..]);
    browser.no_errors(&[]);
}

/// A tab that was asleep in the middle of it all comes back to the truth, a rotation included.
#[test]
fn a_tab_that_rested_goes_on() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", text(&numbered("a", 1, 5)));
    let server = Server::start(&place, &["f"]);
    browser.open(&server.page);
    last(&browser, "a-000005");
    state(&browser, "live");
    let first = browser.here();
    let second = browser.tab();
    browser.open(&server.page);
    state(&browser, "live");
    browser.turn(&first);
    // What the page does by itself after a minute out of sight.
    browser.run("dispatchEvent(new Event('pagehide'))");
    place.append("f", text(&numbered("b", 1, 5)));
    place.rename("f", "f.1");
    place.write("f", text(&numbered("c", 1, 5)));
    browser.turn(&second);
    last(&browser, "c-000005");
    browser.turn(&first);
    assert_eq!(texts(&browser).last().map(String::as_str), Some("a-000005"), "it rested");
    browser.run("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))");
    last(&browser, "c-000005");
    browser.until("the lines before", &format!("{TEXTS}.length === 15"));
    let expected = [numbered("a", 1, 5), numbered("b", 1, 5), numbered("c", 1, 5)].concat();
    assert_lines(&texts(&browser), &expected);
    browser.no_errors(&[]);
}

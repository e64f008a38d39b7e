//! What the page says when the server says no.

use crate::chromium::Browser;
use crate::find::press;
use crate::page::{begin, last, state};
use crate::support::{Place, Server, numbered};
use thirtyfour::prelude::Key;

/// Check 22: without the token there is a panel that asks for it, a wrong one is told there, and the right one opens the log.
#[test]
fn a_token_is_asked_for() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", crate::support::writer::text(&numbered("a", 1, 20)));
    let server = Server::start(&place, &["f", "--token", "a-token-that-is-long-enough"]);
    let (page, _) = server.page.split_once("?").unwrap_or((&server.page, ""));
    browser.open(page);
    browser.until(
        "the panel",
        "!document.querySelector('#auth').hidden && document.activeElement.id === 'token'",
    );
    browser.keys("wrong");
    browser.keys(Key::Enter + "");
    browser.until(
        "words about it",
        "/not the right one/.test(document.querySelector('#auth .problem').textContent)",
    );
    browser.keys("a-token-that-is-long-enough");
    browser.keys(Key::Enter + "");
    last(&browser, "a-000020");
    state(&browser, "live");
    browser.until("the panel to go", "document.querySelector('#auth').hidden");
    browser.no_errors(&["network"]);
}

/// Check 22: an answer that is a failure is told with the server's words and a way to try again; the lines stay.
#[test]
fn a_failure_is_told() {
    let Some((_place, _server, browser)) = begin(&numbered("a", 1, 2000)) else { return };
    browser.run(
        "window.own = window.fetch;
         window.fetch = async () => new Response(JSON.stringify({ title: 'Service Unavailable', detail: 'the disk is asleep' }),
            { status: 503, headers: { 'content-type': 'application/problem+json' } });",
    );
    press(&browser, "g");
    let banner = "document.querySelector('#banner')";
    browser
        .until("the banner", &format!("!{banner}.hidden && /the disk is asleep/.test({banner}.textContent)"));
    browser.until("the lines to stay", "document.querySelectorAll('#block .row').length > 10");
    browser.run("window.fetch = window.own");
    browser.click("#retry");
    browser.until("the banner to go", &format!("{banner}.hidden"));
    press(&browser, "g");
    browser.until("the first line", "document.querySelector('#block .row .text').textContent === 'a-000001'");
    // A search that the server cannot take now is told in the box.
    browser.run("window.fetch = async () => new Response('{}', { status: 400, statusText: 'No' })");
    press(&browser, "/");
    browser.keys("a");
    browser.until("words in the box", "!document.querySelector('#find-problem').hidden");
    browser.no_errors(&["network"]);
}

/// § 2.5: a file that is no text says so, and is shown to who wants to see it; a log with a NUL here and there is none.
#[test]
fn a_binary_file_is_told() {
    let Some(browser) = Browser::start() else { return };
    let bytes: Vec<u8> =
        (0..40_000u32).flat_map(|n| [(n % 251) as u8, 0, (n / 7 % 255) as u8, b'x']).collect();
    let place = Place::with("program", bytes);
    let mut text = crate::support::writer::text(&numbered("a", 1, 60)).into_bytes();
    text.splice(0..0, [0; 500]); // what copytruncate leaves before a writer that does not append
    place.write("log", text);
    place.append("program", "\n");
    let server = Server::start(&place, &["program", "log"]);
    browser.open(&server.page);
    let banner = "document.querySelector('#banner')";
    browser.until(
        "the banner",
        &format!("!{banner}.hidden && /program looks binary/.test({banner}.textContent)"),
    );
    let hidden = "getComputedStyle(document.querySelector('#block')).visibility === 'hidden'";
    browser.until("nothing to be shown", hidden);
    browser.click("#retry");
    browser.until(
        "the lines",
        &format!("{banner}.hidden && !({hidden}) && document.querySelectorAll('#block .row').length > 5"),
    );
    browser.click("#tabs [data-name=log]");
    last(&browser, "a-000060");
    browser.until("no banner for a log", &format!("{banner}.hidden && !({hidden})"));
    browser.click("#tabs [data-name=program]");
    browser.until("the choice to be kept", &format!("{banner}.hidden && !({hidden})"));
    browser.no_errors(&[]);
}

/// Behind a path, and opened by a link that holds the token: the page, its parts, the stream and the session are all below
/// it, and the token leaves the address bar.
#[test]
fn below_a_path() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", "one\n");
    let token = "a-token-that-is-long-enough";
    let server = Server::start(&place, &["f", "--base-path", "/team/logs", "--token", token]);
    // Without the slash, as people type it.
    browser.open(&server.page.replace("/logs/?", "/logs?"));
    last(&browser, "one");
    state(&browser, "live");
    place.append("f", "two\n");
    last(&browser, "two");
    let shown: String = browser.get("return location.href");
    assert!(shown.starts_with(&format!("http://{}/team/logs/", server.address)), "{shown}");
    assert!(!shown.contains(token), "{shown}");
    // The cookie opens it again, and goes nowhere else.
    browser.open(&format!("http://{}/team/logs/", server.address));
    last(&browser, "two");
    browser.no_errors(&[]);
}

/// A name and a password, which the browser sends by itself once somebody has typed them: page and stream work with these
/// alone.
#[test]
fn by_name_and_password() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", "one\n");
    // eva, whose password is `geheim`.
    let eva = "eva:$2y$04$K0WJ1eyi1Zm3Nlu/nkxLtumDS1UVQFQ2/o8WCQuwMq1JGv7xanyHe";
    let server = Server::start(&place, &["f", "--auth", eva]);
    browser.cdp("Network.enable", serde_json::json!({}));
    let headers = serde_json::json!({ "headers": { "Authorization": "Basic ZXZhOmdlaGVpbQ==" } });
    browser.cdp("Network.setExtraHTTPHeaders", headers);
    browser.open(&server.page);
    last(&browser, "one");
    state(&browser, "live");
    place.append("f", "two\n");
    last(&browser, "two");
    browser.no_errors(&[]);
}

//! Pictures of the page in its states, for human eyes: run by hand, written to the folder `LOGCAST_SHOTS`.
//!
//! `LOGCAST_SHOTS=target/shots cargo test --test browser pictures -- --ignored`
//!
//! The README's are made by `LOGCAST_SHOTS=assets cargo test --test browser readme -- --ignored`.

use crate::chromium::Browser;
use crate::page::{TEXTS, state};
use crate::support::writer::text;
use crate::support::{Place, Server, numbered};
use std::path::PathBuf;
use std::process::Command;
use thirtyfour::prelude::Key;

fn generated(style: &str, count: usize, seed: u32) -> Vec<u8> {
    let count = count.to_string();
    let seed = seed.to_string();
    let words = [
        "generate", "--format", style, "--count", &count, "--seed", &seed,
        // Spread over the last minutes, written at once: a rate would be kept to on the clock.
        "--since", "10m", "-q",
    ];
    let made = Command::new(crate::support::server::LOGCAST).args(words).output().expect("sample lines");
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    made.stdout
}

#[test]
#[ignore = "writes pictures for people to look at"]
fn pictures() {
    let folder =
        PathBuf::from(std::env::var_os("LOGCAST_SHOTS").expect("LOGCAST_SHOTS: where the pictures go"));
    std::fs::create_dir_all(&folder).expect("a folder for the pictures");
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    place.folder("nginx");
    place.write("orders.log", generated("json", 3000, 1));
    place.write("nginx/access.log", generated("nginx", 3000, 2));
    place.write("app.log", generated("log4j", 3000, 3));
    place.write("worker.log", generated("logfmt", 3000, 4));
    place.write("empty.log", "");
    place.write("plain.log", text(&numbered("a line without a time or a level,", 1, 3000)));
    place.write("core.bin", (0..40_000u32).flat_map(|n| [(n % 251) as u8, 0, 10, b'x']).collect::<Vec<_>>());
    place.write("gone.log", text(&numbered("the last lines of a file,", 1, 40)));
    let files = [
        "orders.log",
        "nginx/access.log",
        "app.log",
        "worker.log",
        "empty.log",
        "plain.log",
        "core.bin",
        "gone.log",
    ];
    let mut server = Server::start(&place, &files);
    let page = server.page.clone();
    let shoot = |name: &str| {
        // What was done last has been painted.
        browser.run("return new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 100))");
        browser.picture(&folder.join(format!("{name}.png")));
    };
    let open = |file: &str, rows: usize| {
        browser.open("about:blank");
        browser.open(&page);
        state(&browser, "live");
        browser.run(&format!("document.querySelector('#tabs [data-name=\"{file}\"]').click()"));
        browser.until("rows", &format!("{TEXTS}.length > {rows}"));
        browser.run("document.querySelector('#toast').hidden = true");
    };
    for (kind, width, height, phone) in [("desktop", 1280, 800, false), ("phone", 390, 844, true)] {
        browser.size(width, height, phone);
        for scheme in ["dark", "light"] {
            browser.prefer(scheme, true);
            let shoot = |name: &str| shoot(&format!("{kind}-{scheme}-{name}"));
            open("orders.log", 5);
            shoot("live");
            place.append("orders.log", generated("json", 3, 9));
            browser.until("a delay", "/ms/.test(document.querySelector('#state').textContent)");
            shoot("delay");
            browser.run("document.querySelector('#log').focus()");
            browser.keys("k");
            browser.keys("k");
            browser.keys("o");
            browser.until("a detail", "document.querySelector('.detail')");
            shoot("detail");
            browser.keys("X");
            shoot("fields");
            browser.run("for (const name of ['service', 'msg']) document.querySelector(`#fields [data-key=\"pin ${name}\"]`)?.click()");
            browser.run("document.querySelector('#fields').close(); document.querySelector('#log').focus()");
            browser.keys("o");
            browser.keys("f");
            shoot("columns");
            browser.keys("?");
            shoot("sheet");
            browser.run("document.querySelector('#sheet').close()");
            for (act, name) in [(",", "settings"), ("L", "health"), ("B", "notify"), (":", "goto")] {
                browser.keys(act);
                shoot(name);
                browser.run(
                    "document.querySelector('dialog[open]').close(); document.querySelector('#log').focus()",
                );
            }
            browser.run("localStorage.removeItem('logcast-columns')");
            open("app.log", 5);
            shoot("traces");
            browser.run("document.querySelector('#log').focus()");
            browser.keys("M");
            browser.until("merged rows", "document.querySelectorAll('#block .row .file').length > 10");
            shoot("merged");
            browser.run("document.querySelector('#log').focus()");
            browser.keys(Key::Control + "k");
            shoot("palette");
            browser.run("document.querySelector('#palette').close()");
            states(&browser, &place, &open, &shoot);
            server.kill();
            state(&browser, "reconnecting");
            shoot("reconnecting");
            server.restart();
            state(&browser, "live");
        }
    }
    browser.no_errors(&["network"]);
}

/// What base64 stands for (RFC 4648 § 4).
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |byte: u8| DIGITS.iter().position(|own| *own == byte).and_then(|n| u32::try_from(n).ok());
    let digits: Vec<u32> = text.bytes().filter_map(digit).collect();
    let four = |part: &[u32]| {
        let bits = part.iter().fold(0, |bits, digit| bits << 6 | digit) << (6 * (4 - part.len()));
        bits.to_be_bytes()[1..part.len()].to_vec()
    };
    digits.chunks(4).flat_map(four).collect()
}

/// The README's: small, and of the minute in the middle of these logs in which payments fail.
#[test]
#[ignore = "writes the pictures of the README"]
fn readme() {
    let folder =
        PathBuf::from(std::env::var_os("LOGCAST_SHOTS").expect("LOGCAST_SHOTS: where the pictures go"));
    let Some(browser) = Browser::start() else { return };
    let place = Place::new();
    for (name, style, seed) in [
        ("orders.log", "json", 1),
        ("access.log", "nginx", 2),
        ("app.log", "log4j", 3),
        ("worker.log", "logfmt", 4),
    ] {
        place.write(name, generated(style, 6000, seed));
    }
    let server = Server::start(&place, &["orders.log", "access.log", "app.log", "worker.log"]);
    let shoot = |name: &str| {
        browser.run("document.querySelector('#toast').hidden = true; return new Promise((done) => setTimeout(() => requestAnimationFrame(() => requestAnimationFrame(done)), 500))");
        let taken =
            browser.cdp("Page.captureScreenshot", serde_json::json!({ "format": "webp", "quality": 70 }));
        let bytes = decoded(taken["data"].as_str().expect("a picture"));
        assert!(bytes.len() < 150_000, "{name}: {} bytes", bytes.len());
        std::fs::write(folder.join(name), bytes).expect("a picture");
    };
    let open = |file: &str| {
        browser.open("about:blank");
        browser.open(&server.page);
        state(&browser, "live");
        browser.run(&format!("document.querySelector('#tabs [data-name=\"{file}\"]').click()"));
        browser.until("rows", &format!("{TEXTS}.length > 5 && !document.querySelector('#hist').hidden"));
        browser.run("document.querySelector('#log').focus()");
    };
    let keys = |keys: &str| {
        for key in keys.chars() {
            browser.keys(key.to_string());
        }
    };
    let go = |place: &str| {
        keys(":");
        browser.keys(place);
        browser.keys(Key::Enter + "");
        browser.until("the box to close", "!document.querySelector('#goto').open");
    };
    let search = |text: &str| {
        keys("/");
        browser.keys(text);
        browser.keys(Key::Enter + "");
        browser
            .until("the matches", "/\\d (of|match)/.test(document.querySelector('#find-words').textContent)");
    };
    browser.size(1120, 660, false);
    browser.prefer("dark", true);
    // A trace, folded, and what was searched for.
    open("app.log");
    go("50%");
    search("circuit breaker");
    shoot("page.webp");
    // All files by time.
    open("app.log");
    keys("M");
    browser.until("merged rows", "document.querySelectorAll('#block .row .file').length > 10");
    go("50%");
    search("payment");
    shoot("page-merged.webp");
    // Fields as columns, and those of one line.
    browser.prefer("light", true);
    open("orders.log");
    keys("X");
    browser.until("the fields", "document.querySelector('#fields')?.open");
    browser.run("for (const name of ['service', 'msg', 'status', 'ms']) document.querySelector(`#fields [data-key=\"pin ${name}\"]`)?.click(); document.querySelector('#fields').close(); document.querySelector('#log').focus()");
    go("50%");
    keys("o");
    browser.until("a detail", "document.querySelector('.detail table')");
    shoot("page-fields.webp");
    browser.size(390, 780, true);
    browser.prefer("dark", true);
    open("worker.log");
    go("50%");
    search("payment");
    shoot("page-phone.webp");
    browser.no_errors(&[]);
}

/// The states that a log can be in (ui.md § 2.5).
fn states(browser: &Browser, place: &Place, open: &dyn Fn(&str, usize), shoot: &dyn Fn(&str)) {
    let focus = || browser.run("document.querySelector('#log').focus()");
    open("worker.log", 5);
    focus();
    browser.keys("/");
    browser.keys("request");
    browser.keys(Key::Enter + "");
    browser.until("the matches", "/\\d/.test(document.querySelector('#find-words').textContent)");
    shoot("search");
    browser.keys(Key::Escape + "");
    browser.keys("&");
    browser.keys("status=5");
    browser.keys(Key::Enter + "");
    browser.until(
        "the filter",
        &format!("{TEXTS}.length > 5 && {TEXTS}.every((line) => line.includes('status=5'))"),
    );
    shoot("filter");
    browser.keys("&");
    browser.keys("nothing has this");
    browser.keys(Key::Enter + "");
    browser.until("nothing", "!document.querySelector('#empty').hidden");
    shoot("no-match");
    open("orders.log", 5);
    focus();
    browser.keys(" ");
    place.append("orders.log", generated("json", 40, 11));
    browser.until("the pill", "/new/.test(document.querySelector('#pill').textContent)");
    shoot("paused");
    browser.keys("s");
    browser.until("the box", "document.querySelector('#download').open");
    shoot("save");
    browser.run("document.querySelector('#download').close()");
    open("plain.log", 5);
    browser.until("the bars", "!document.querySelector('#hist').hidden");
    shoot("no-times");
    let turn = |file: &str| {
        browser.run(&format!("document.querySelector('#tabs [data-name=\"{file}\"]').click()"));
    };
    turn("empty.log");
    browser.until("words", "/is empty/.test(document.querySelector('#empty').textContent)");
    shoot("empty");
    turn("core.bin");
    browser.until("the banner", "/binary/.test(document.querySelector('#banner').textContent)");
    shoot("binary");
    turn("gone.log");
    place.append("gone.log", "one more\n");
    browser.until("its lines", &format!("{TEXTS}.at(-1) === 'one more'"));
    place.remove("gone.log");
    browser.until("the banner", "/is gone/.test(document.querySelector('#banner').textContent)");
    shoot("gone");
    place.write("gone.log", text(&numbered("the first lines of a new file,", 1, 4)));
    browser.until(
        "the divider",
        "document.querySelector('#block .note') && document.querySelector('#banner').hidden",
    );
    shoot("back");
}

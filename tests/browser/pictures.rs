//! Pictures of the page in its states, for human eyes: run by hand, written to the folder `LOGCAST_SHOTS`.
//!
//! `LOGCAST_SHOTS=target/shots cargo test --test browser pictures -- --ignored`

use crate::chromium::Browser;
use crate::page::{TEXTS, state};
use crate::support::{Place, Server};
use std::path::PathBuf;
use std::process::Command;

fn generated(style: &str, count: usize, seed: u32) -> Vec<u8> {
    let count = count.to_string();
    let seed = seed.to_string();
    let words = [
        "generate",
        "--style",
        style,
        "--count",
        &count,
        "--seed",
        &seed,
        "--start",
        "2026-11-25T08:23:14Z",
        "--rate",
        "40",
        "-q",
    ];
    Command::new(crate::support::server::LOGCAST).args(words).output().expect("sample lines").stdout
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
    place.write("app.log", generated("java", 3000, 3));
    place.write("worker.log", generated("logfmt", 3000, 4));
    let server = Server::start(&place, &["orders.log", "nginx/access.log", "app.log", "worker.log"]);
    let shoot = |name: &str| browser.picture(&folder.join(format!("{name}.png")));
    let open = |file: &str, rows: usize| {
        browser.open("about:blank");
        browser.open(&server.page);
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
            browser.run("document.querySelector('#fields [data-key=\"pin level\"]')?.click(); for (const b of [...document.querySelectorAll('#fields [aria-pressed]')].filter((b) => /^Column /.test(b.ariaLabel)).slice(1, 4)) document.querySelector(`#fields [data-key=\"${b.dataset.key}\"]`).click()");
            browser.run("document.querySelector('#fields').close(); document.querySelector('#log').focus()");
            browser.keys("o");
            browser.keys("f");
            shoot("columns");
            browser.keys("?");
            shoot("sheet");
            browser.run("document.querySelector('#sheet').close()");
            for (act, name) in [(",", "settings"), ("L", "health"), ("B", "notify")] {
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
            browser.keys(thirtyfour::prelude::Key::Control + "k");
            shoot("palette");
            browser.run("document.querySelector('#palette').close()");
        }
    }
    browser.no_errors(&[]);
}

//! The page's figures, measured on the product: main-thread CPU, memory and delays under load (ui.md § 3.6 and § 3.7).
//!
//! By hand, on a quiet machine:
//! `cargo test --release --test browser figures -- --ignored --nocapture`
//! `LOGCAST_FIGURES_LINES=100000000` makes the large file that long; 2 million lines by default. `LOGCAST_FIGURES_FILE` is a
//! large file that is there already, `LOGCAST_FIGURES_PROGRAM` the program that serves, where the test's own is a debug build.

use crate::chromium::Browser;
use crate::page::{TEXTS, begin, state};
use crate::support::writer::text;
use crate::support::{Place, Server, numbered, server::LOGCAST};
use std::fs::File;
use std::io::Write;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

const SECONDS: u64 = 10;

/// The program over one file.
fn serve(place: &Place, file: &str) -> Server {
    let program = std::env::var("LOGCAST_FIGURES_PROGRAM").unwrap_or_else(|_| LOGCAST.to_owned());
    Server::launch(place, &[&program, "serve", file, "--port", "0"], Stdio::null())
}

/// CPU of the page's main thread in seconds, and its heap in MB after a collection.
pub(crate) struct Look {
    pub(crate) cpu: f64,
    heap: f64,
}

pub(crate) fn look(browser: &Browser, collect: bool) -> Look {
    if collect {
        browser.cdp("HeapProfiler.collectGarbage", serde_json::json!({}));
    }
    let metrics = browser.cdp("Performance.getMetrics", serde_json::json!({}));
    let get = |name: &str| {
        let all = metrics["metrics"].as_array().expect("metrics");
        all.iter()
            .find(|metric| metric["name"] == name)
            .and_then(|metric| metric["value"].as_f64())
            .unwrap_or_else(|| panic!("no {name}"))
    };
    // Time of tasks on the main thread, in the thread's own ticks.
    Look { cpu: get("TaskDuration"), heap: get("JSHeapUsedSize") / 1e6 }
}

/// Appends so many lines a second for so many seconds, in steps of 10 ms.
fn write(file: &mut File, rate: u64, seconds: u64) {
    let begin = Instant::now();
    let mut sent = 0;
    while begin.elapsed() < Duration::from_secs(seconds) {
        let due = (begin.elapsed().as_secs_f64() * rate as f64) as u64;
        let lines: String = (sent..due)
            .map(|n| format!("2026-11-25T08:00:00.{:03}Z INFO [worker-{}] order.sync: fetched {n} rows from replica in {} ms trace={:016x}\n", n % 1000, n % 16, n % 700, n * 7919))
            .collect();
        file.write_all(lines.as_bytes()).expect("a file to append to");
        sent = due;
        std::thread::sleep(Duration::from_millis(10));
    }
    file.write_all(format!("the last of {rate}\n").as_bytes()).expect("a file to append to");
}

/// A tab out of sight while 5,000 lines a second come, for so long: its heap stays as it was, after a while it lets go of
/// the stream, and in sight again it shows the end. `later` ms are added to the page's clock before the last second.
fn out_of_sight(seconds: u64, later: u64) {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", text(&numbered("old", 1, 1000)));
    let server = Server::start(&place, &["f"]);
    browser.open(&server.page);
    state(&browser, "live");
    browser.cdp("Performance.enable", serde_json::json!({}));
    // What a browser does to a tab behind another; here none is ever out of sight.
    let sight = |away: bool| {
        browser.run(&format!(
            "Object.defineProperty(document, 'hidden', {{ get: () => {away}, configurable: true }});
             document.dispatchEvent(new Event('visibilitychange'))"
        ));
    };
    sight(true);
    let mut file = place.appender("f");
    write(&mut file, 5_000, 2);
    browser.until("the count in the title", "/^\\(\\d/.test(document.title)");
    let before = look(&browser, true).heap;
    write(&mut file, 5_000, seconds);
    let after = look(&browser, true).heap;
    assert!(after < before + 4.0, "{before} MB before, {after} MB after");
    assert!(browser.get::<usize>("return document.querySelectorAll('#block .row').length") <= 600);
    if later > 0 {
        browser.run(&format!("const now = Date.now; Date.now = () => now() + {later}"));
    }
    browser.until("it to rest", "document.querySelector('#state').dataset.state === 'resting'");
    file.write_all(b"the very last\n").expect("a file to append to");
    sight(false);
    browser.until("the end", &format!("{TEXTS}.at(-1) === 'the very last'"));
    browser.no_errors(&[]);
}

/// While it follows the page asks for no size and no place: to ask has the rows laid out that a frame has written so far, and
/// once more at its end.
#[test]
fn a_frame_that_follows_measures_nothing() {
    let Some((place, _server, browser)) = begin(&numbered("old", 1, 1000)) else { return };
    state(&browser, "live");
    let mut file = place.appender("f");
    write(&mut file, 200, 1);
    browser.until("the last line", &format!("{TEXTS}.at(-1) === 'the last of 200'"));
    browser.run(
        "window.asked = 0; window.frames = 0;
         for (const [of, names] of [[HTMLElement, ['offsetTop', 'offsetHeight', 'offsetWidth']], [Element, ['clientWidth', 'clientHeight', 'scrollTop', 'scrollHeight']]]) {
           for (const name of names) {
             const was = Object.getOwnPropertyDescriptor(of.prototype, name);
             Object.defineProperty(of.prototype, name, { ...was, get() { window.asked += 1; return was.get.call(this); } });
           }
         }
         const box = Element.prototype.getBoundingClientRect;
         Element.prototype.getBoundingClientRect = function () { window.asked += 1; return box.call(this); };
         new MutationObserver(() => { window.frames += 1; }).observe(document.querySelector('#block'), { childList: true });",
    );
    // That it counts is seen by a look.
    browser.run("document.querySelector('#log').clientHeight");
    assert_eq!(browser.get::<u32>("return window.asked"), 1);
    write(&mut file, 200, 5);
    let [asked, frames]: [u32; 2] = browser.get("return [window.asked, window.frames]");
    // The bars are drawn anew every three seconds, and ask how large they are.
    assert!(frames > 20 && asked < frames / 2, "{asked} sizes asked for in {frames} frames");
    browser.no_errors(&[]);
}

/// Check 31, short: the page is told that a minute went by.
#[test]
fn a_tab_out_of_sight_stays_small() {
    out_of_sight(5, 61_000);
}

/// Check 31 as it stands.
#[test]
#[ignore = "two minutes"]
fn a_tab_out_of_sight_for_two_minutes() {
    out_of_sight(120, 0);
}

/// Check 10 as it stands.
#[test]
#[ignore = "writes 0.6 GB; by hand"]
fn five_million_lines() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("f", "begin\n");
    let server = Server::start(&place, &["f"]);
    browser.open(&server.page);
    state(&browser, "live");
    browser.cdp("Performance.enable", serde_json::json!({}));
    let mut file = place.appender("f");
    let begin = Instant::now();
    write(&mut file, 250_000, 20);
    let spent = begin.elapsed();
    browser.until("the last line", &format!("{TEXTS}.at(-1) === 'the last of 250000'"));
    let heap = look(&browser, true).heap;
    let rows: usize = browser.get("return document.querySelectorAll('#block .row').length");
    let lines =
        std::fs::read(place.path("f")).expect("the file").iter().filter(|byte| **byte == b'\n').count();
    eprintln!("{lines} lines in {spent:.1?}: {heap:.1} MB, {rows} rows");
    assert!(lines >= 4_900_000, "{lines} lines");
    assert!(heap < 64.0 && rows <= 600, "check 10: {heap} MB, {rows} rows");
    browser.no_errors(&[]);
}

/// Counts frames and the longest tasks from here on.
const WATCH: &str = "window.seen = { frames: 0, longest: 0, blank: 0, begun: performance.now() };
    new PerformanceObserver((list) => { for (const task of list.getEntries()) window.seen.longest = Math.max(window.seen.longest, task.duration); }).observe({ type: 'longtask' });
    const count = () => {
      const log = document.querySelector('#log').getBoundingClientRect(), block = document.querySelector('#block').getBoundingClientRect();
      window.seen.frames += 1;
      if (block.top > log.top + 2 || block.bottom < log.bottom - 2) window.seen.blank += 1;
      window.watching = requestAnimationFrame(count);
    };
    cancelAnimationFrame(window.watching); count();";

fn watched(browser: &Browser) -> (f64, f64, u64) {
    browser.get(
        "const s = window.seen; return [s.frames * 1000 / (performance.now() - s.begun), s.longest, s.blank]",
    )
}

#[test]
#[ignore = "figures, by hand on a quiet machine"]
fn figures() {
    let Some(browser) = Browser::start() else { return };
    browser.size(1360, 860, false);
    browser.cdp("Performance.enable", serde_json::json!({ "timeDomain": "threadTicks" }));
    eprintln!("| load | main-thread CPU | frames/s | longest task | heap | delay shown | last line after |");
    eprintln!("|--|--:|--:|--:|--:|--:|--:|");
    let mut busiest: f64 = 0.0;
    for rate in [200, 5_000, 50_000, 200_000] {
        let place = Place::with("f", "begin\n");
        let server = serve(&place, "f");
        browser.open("about:blank");
        browser.open(&server.page);
        state(&browser, "live");
        std::thread::sleep(Duration::from_secs(2));
        let mut file = place.appender("f");
        browser.run(WATCH);
        let before = look(&browser, false);
        let begin = Instant::now();
        write(&mut file, rate, SECONDS);
        let spent = begin.elapsed().as_secs_f64();
        let stopped = Instant::now();
        browser.until("the last line", &format!("{TEXTS}.at(-1) === 'the last of {rate}'"));
        let after_stop = stopped.elapsed();
        let (fps, longest, _) = watched(&browser);
        let cpu = look(&browser, false).cpu - before.cpu;
        let heap = look(&browser, true).heap;
        let words: String = browser.get("return document.querySelector('#state').textContent");
        let rows: usize = browser.get("return document.querySelectorAll('#block .row').length");
        let percent = cpu / spent * 100.0;
        eprintln!(
            "| {rate} lines/s | {percent:.1} % | {fps:.0} | {longest:.0} ms | {heap:.1} MB | {words} | {after_stop:.0?} |"
        );
        busiest = busiest.max(percent);
        assert!(heap < 64.0 && rows <= 600, "check 10: {heap} MB, {rows} rows");
    }
    // The large file.
    let lines = std::env::var("LOGCAST_FIGURES_LINES").unwrap_or_else(|_| "2000000".to_owned());
    let place = Place::new();
    let big = std::env::var("LOGCAST_FIGURES_FILE").unwrap_or_else(|_| {
        let made = Command::new(LOGCAST)
            .args(["generate", "--style", "logfmt", "--count", &lines, "--rate", "0", "-q"])
            .arg(place.path("big"))
            .args(["--start", "2026-11-01T00:00:00Z"])
            .status();
        assert!(made.expect("sample lines").success());
        "big".to_owned()
    });
    let size = std::fs::metadata(place.root().join(&big)).expect("a file").len();
    let server = serve(&place, &big);
    let mut paints: Vec<f64> = Vec::new();
    for _ in 0..9 {
        browser.open("about:blank");
        browser.open(&server.page);
        browser.until("rows", &format!("{TEXTS}.length > 10"));
        paints.push(browser.get("return performance.getEntriesByName('rows')[0].startTime"));
    }
    state(&browser, "live");
    paints.sort_by(f64::total_cmp);
    let mut jumps: Vec<f64> = Vec::new();
    for round in 0..20 {
        browser.run(&format!(
            "window.jumps = [];
             (async () => {{
               const rail = document.querySelector('#rail'), box = rail.getBoundingClientRect();
               for (let i = {round} * 10; i < {round} * 10 + 10; i += 1) {{
                 const row = () => document.querySelector('#block .row')?.dataset.offset;
                 const was = row(), begun = performance.now();
                 const y = box.top + 20 + ((i * 7919) % 997) / 997 * (box.height - 60);
                 for (const type of ['pointerdown', 'pointerup']) rail.dispatchEvent(new PointerEvent(type, {{ clientX: box.left + 4, clientY: y, pointerId: 1, button: 0, bubbles: true }}));
                 while (row() === was && performance.now() - begun < 3000) await new Promise(requestAnimationFrame);
                 await new Promise((done) => setTimeout(done));
                 window.jumps.push(performance.now() - begun);
               }}
             }})()"
        ));
        browser.until("the jumps", "window.jumps.length === 10");
        jumps.extend(browser.get::<Vec<f64>>("return window.jumps"));
    }
    jumps.sort_by(f64::total_cmp);
    eprintln!(
        "\n{:.2} GB: first rows after {:.0} ms (median of 9, {:.0} to {:.0})",
        size as f64 / 1e9,
        paints[4],
        paints[0],
        paints[8]
    );
    eprintln!(
        "200 jumps by the rail: p50 {:.0} ms, p95 {:.0} ms, longest {:.0} ms",
        jumps[100], jumps[190], jumps[199]
    );
    browser.until("the lines to be counted", "/ line/.test(document.querySelector('#total').textContent)");
    browser.run(
        "window.jumps = [];
         (async () => {
           const lines = Number(/([\\d,]+) line/.exec(document.querySelector('#total').textContent)[1].replaceAll(',', ''));
           const box = document.querySelector('#goto'), field = document.querySelector('#goto-field');
           for (let i = 1; i <= 100; i += 1) {
             const line = 1 + (i * 7919 * 7919) % lines, begun = performance.now();
             box.show(); field.value = line; box.querySelector('form').requestSubmit();
             const there = () => document.querySelector(`#block .row[data-line=\"${line.toLocaleString('en-US')}\"]`);
             // The task after a frame: what it drew is on its way to the screen.
             while (!there() && performance.now() - begun < 3000) await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
             window.jumps.push(performance.now() - begun);
           }
         })()",
    );
    browser.until("the jumps", "window.jumps.length === 100");
    let mut to_lines: Vec<f64> = browser.get("return window.jumps");
    to_lines.sort_by(f64::total_cmp);
    eprintln!(
        "100 jumps to a line's number: p50 {:.0} ms, p95 {:.0} ms, longest {:.0} ms",
        to_lines[50], to_lines[95], to_lines[99]
    );
    for (speed, wrap) in [(3_000, false), (3_000, true), (12_000, false)] {
        let on: bool = browser.get("return document.documentElement.dataset.wrap === 'true'");
        if on != wrap {
            browser.run("document.querySelector('#log').focus()");
            browser.keys("w");
        }
        browser.run(WATCH);
        let before = look(&browser, false);
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_secs(3) {
            browser.wheel(speed / 50);
            std::thread::sleep(Duration::from_millis(20).saturating_sub(Duration::from_millis(5)));
        }
        let spent = begin.elapsed().as_secs_f64();
        let cpu = look(&browser, false).cpu - before.cpu;
        let (fps, _, blank) = watched(&browser);
        eprintln!(
            "wheel about {speed} px/s, wrap {wrap}: {:.1} % of the main thread, {fps:.0} frames/s, {blank} frames with a bare edge",
            cpu / spent * 100.0
        );
    }
    // Each rate's server is gone before the next one.
    browser.no_errors(&["network"]);
    assert!(busiest < 35.0, "check 9: {busiest:.0} % of the main thread");
}

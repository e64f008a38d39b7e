//! A browser for one test: chromedriver on a port of its own, one session, no state left behind.
//!
//! thirtyfour is asynchronous and these tests are not: each call runs to its end on a small runtime. What
//! changes on a page is never waited for by time: `until` asks the page again until a script gives something.

use crate::asking;
use crate::support::{DEADLINE, LOOK, wait_for};
use std::cell::Cell;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::TryRecvError;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use thirtyfour::common::capabilities::desiredcapabilities::AlertBehaviour;
use thirtyfour::prelude::*;
use thirtyfour::{BrowserLogEntry, LoggingPrefsLogLevel, WindowHandle};

const CHROMIUM: &str = "/usr/bin/chromium";
const CHROMEDRIVER: &str = "/usr/bin/chromedriver";

/// A running browser with one page.
pub(crate) struct Browser {
    runtime: tokio::runtime::Runtime,
    driver: Option<WebDriver>,
    process: Child,
    /// Whether the test looked at the browser's log: one that did not fails.
    checked: Cell<bool>,
    /// Profile and sockets; named so that it goes after the processes.
    folder: Option<TempDir>,
}

impl Browser {
    /// Starts a browser, or says why not: `None` skips the test.
    #[track_caller]
    pub(crate) fn start() -> Option<Browser> {
        if let Some(missing) = [CHROMIUM, CHROMEDRIVER].into_iter().find(|path| !Path::new(path).exists()) {
            let must = std::env::var_os("LOGCAST_TEST_BROWSER").is_some_and(|value| value == "1");
            assert!(!must, "there is no {missing}: apt-get install chromium chromium-driver");
            eprintln!("skipped: there is no {missing} (apt-get install chromium chromium-driver)");
            return None;
        }
        let folder = TempDir::with_prefix("logcast-browser-").expect("a temporary folder");
        let (process, port) = driver(folder.path());
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a small runtime");
        let mut browser =
            Browser { runtime, driver: None, process, checked: Cell::new(false), folder: Some(folder) };
        let mut wanted = DesiredCapabilities::chrome();
        wanted.set_binary(CHROMIUM).expect("a path");
        let profile = format!("--user-data-dir={}", browser.path().join("profile").display());
        for arg in [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--window-size=1280,800",
            &profile,
        ] {
            wanted.add_arg(arg).expect("a flag");
        }
        wanted.set_browser_log_level(LoggingPrefsLogLevel::All).expect("a level");
        // A dialog stays open, so that the test cannot miss it.
        wanted.set_unexpected_alert_behaviour(AlertBehaviour::Ignore).expect("a behaviour");
        let driver = browser.wait(WebDriver::new(format!("http://127.0.0.1:{port}"), wanted));
        browser.driver = Some(driver.expect("a session"));
        Some(browser)
    }

    /// A folder that goes with the browser, readable by it.
    pub(crate) fn path(&self) -> &Path {
        self.folder.as_ref().expect("still there").path()
    }

    /// Opens a URL and waits for its load event.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.wait(self.driver().goto(url)).unwrap_or_else(|error| panic!("cannot open {url}: {error}"));
    }

    /// Runs a function's body in the page and gives what it returns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> serde_json::Value {
        let answer = self.wait(self.driver().execute(script, Vec::new()));
        answer.unwrap_or_else(|error| panic!("{error} in {script}")).json().clone()
    }

    /// The same, as a type.
    #[track_caller]
    pub(crate) fn get<T: serde::de::DeserializeOwned>(&self, script: &str) -> T {
        asking::get(|script| self.run(script), script)
    }

    /// Asks the page until an expression is true.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, expression: &str) {
        asking::until(|script| self.run(script), what, expression);
    }

    /// Clicks the element that a selector finds.
    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        self.wait(async {
            let element = self.driver().find(By::Css(selector)).await?;
            element.click().await
        })
        .unwrap_or_else(|error| panic!("cannot click {selector}: {error}"));
    }

    /// Types into the element that has the focus.
    #[track_caller]
    pub(crate) fn keys(&self, keys: impl Into<TypingData>) {
        let keys = keys.into();
        self.wait(async {
            let element = self.driver().active_element().await?;
            element.send_keys(keys).await
        })
        .unwrap_or_else(|error| panic!("cannot type: {error}"));
    }

    /// What the browser's log got since the last look, requests that failed left out where the test breaks
    /// the connection itself.
    #[track_caller]
    pub(crate) fn log(&self) -> Vec<BrowserLogEntry> {
        self.wait(self.driver().browser_log()).expect("the browser's log")
    }

    /// Asserts that the browser's log holds no error; `but` are sources that may have some.
    #[track_caller]
    pub(crate) fn no_errors(&self, but: &[&str]) {
        let bad = |entry: &BrowserLogEntry| {
            let source = entry.source.as_deref().unwrap_or("");
            matches!(entry.level.as_str(), "SEVERE" | "WARNING") && !but.contains(&source)
        };
        self.checked.set(true);
        let errors: Vec<_> = self.log().into_iter().filter(bad).collect();
        assert!(errors.is_empty(), "{errors:#?}");
        assert!(!self.dialog(), "a dialog is open");
    }

    /// Whether a dialog is open.
    #[track_caller]
    pub(crate) fn dialog(&self) -> bool {
        self.wait(self.driver().get_alert_text()).is_ok()
    }

    /// Closes the dialog.
    #[track_caller]
    pub(crate) fn close_dialog(&self) {
        self.wait(self.driver().dismiss_alert()).expect("a dialog");
    }

    /// A command of Chromium's own protocol, which chromedriver passes on.
    #[track_caller]
    pub(crate) fn cdp(&self, command: &str, params: serde_json::Value) -> serde_json::Value {
        let tools = self.driver().cdp();
        self.wait(tools.send_raw(command, params)).unwrap_or_else(|error| panic!("{command}: {error}"))
    }

    /// Makes the page as large as this many CSS pixels, on a screen that is touched if it is a phone's.
    #[track_caller]
    pub(crate) fn size(&self, width: u32, height: u32, phone: bool) {
        let screen = serde_json::json!({
            "width": width, "height": height, "deviceScaleFactor": if phone { 2 } else { 1 }, "mobile": phone,
        });
        self.cdp("Emulation.setDeviceMetricsOverride", screen);
        self.cdp("Emulation.setTouchEmulationEnabled", serde_json::json!({ "enabled": phone }));
    }

    /// What the system is said to prefer: `dark` or `light`, with or without motion.
    #[track_caller]
    pub(crate) fn prefer(&self, scheme: &str, motion: bool) {
        let features = serde_json::json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": if motion { "no-preference" } else { "reduce" } },
        ]});
        self.cdp("Emulation.setEmulatedMedia", features);
    }

    /// Opens one more tab and turns to it.
    #[track_caller]
    pub(crate) fn tab(&self) -> WindowHandle {
        self.wait(async {
            let tab = self.driver().new_tab().await?;
            self.driver().switch_to_window(tab.clone()).await?;
            Ok(tab)
        })
        .unwrap_or_else(|error| panic!("cannot open a tab: {error}"))
    }

    /// The tab that the test drives.
    #[track_caller]
    pub(crate) fn here(&self) -> WindowHandle {
        self.wait(self.driver().window()).expect("a window")
    }

    /// Turns to a tab.
    #[track_caller]
    pub(crate) fn turn(&self, tab: &WindowHandle) {
        self.wait(self.driver().switch_to_window(tab.clone()))
            .unwrap_or_else(|error| panic!("cannot turn to a tab: {error}"));
    }

    /// Closes the tab that the test drives; it has to turn to another then.
    #[track_caller]
    pub(crate) fn close_tab(&self) {
        self.wait(self.driver().close_window()).expect("a window to close");
    }

    /// A picture of the page, as PNG.
    #[track_caller]
    pub(crate) fn picture(&self, path: &Path) {
        self.wait(self.driver().screenshot(path)).unwrap_or_else(|error| panic!("no picture: {error}"));
    }

    /// Turns the wheel over the log, as a person does.
    #[track_caller]
    pub(crate) fn wheel(&self, px: i32) {
        let event =
            serde_json::json!({ "type": "mouseWheel", "x": 400, "y": 400, "deltaX": 0, "deltaY": px });
        self.cdp("Input.dispatchMouseEvent", event);
    }

    fn driver(&self) -> &WebDriver {
        self.driver.as_ref().expect("a session")
    }

    fn wait<T>(&self, work: impl Future<Output = WebDriverResult<T>>) -> WebDriverResult<T> {
        self.runtime.block_on(async {
            tokio::time::timeout(DEADLINE, work)
                .await
                .unwrap_or_else(|_| panic!("the browser does not answer"))
        })
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(driver) = self.driver.take() {
            // Ends Chromium; a driver that is killed first would leave it behind.
            let limit = Duration::from_secs(10);
            let _ = self.runtime.block_on(async { tokio::time::timeout(limit, driver.quit()).await });
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let Some(folder) = self.folder.take() else { return };
        // Chromium still writes for a moment after it said that it has ended.
        let path = folder.keep();
        let end = Instant::now() + Duration::from_secs(5);
        while std::fs::remove_dir_all(&path).is_err() && path.exists() && Instant::now() < end {
            std::thread::sleep(LOOK);
        }
        let checked = self.checked.get() || std::thread::panicking();
        assert!(checked, "this test never looked at the browser's log (no_errors)");
    }
}

/// A chromedriver, and the port that it took. One that ends at once is started anew: its port was taken after all.
#[track_caller]
fn driver(folder: &Path) -> (Child, u16) {
    for _ in 0..5 {
        let mut process = Command::new(CHROMEDRIVER)
            .arg("--port=0")
            .env("TMPDIR", folder)
            .env("HOME", folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver");
        if let Some(port) = port_of(process.stdout.take().expect("piped")) {
            return (process, port);
        }
        let _ = process.kill();
        let _ = process.wait();
    }
    panic!("chromedriver does not start");
}

/// Reads the port that chromedriver took, if it does not end before; its output is read on, so that it is never held up.
#[track_caller]
fn port_of(stdout: impl Read + Send + 'static) -> Option<u16> {
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Some((_, port)) = line.rsplit_once("successfully on port ") {
                let _ = sender.send(port.trim_end_matches('.').parse());
            }
        }
    });
    wait_for("chromedriver's port", || match receiver.try_recv() {
        Ok(port) => Some(port.ok()),
        Err(TryRecvError::Empty) => None,
        Err(TryRecvError::Disconnected) => Some(None),
    })
}

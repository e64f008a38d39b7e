//! Firefox for one test, spoken to by Marionette, the protocol that it has built in: no driver stands between.
//!
//! A message is its length, a colon, and a JSON array: `[0, id, command, parameters]` one way, `[1, id, error, result]`
//! the other. The browser takes a free port and writes it into its profile. Whatever it wants from other hosts goes to a
//! proxy that is not there; loopback needs none.

use crate::asking;
use crate::support::{DEADLINE, LOOK, wait_for};
use serde_json::{Value, json};
use std::cell::{Cell, RefCell};
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

const FIREFOX: &str = "/usr/bin/firefox-esr";
/// What names an element in an answer, by the WebDriver standard.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// No answer is longer; a picture is the longest.
const MOST: usize = 64 << 20;

const PREFERENCES: &str = r#"
user_pref("marionette.port", 0);
user_pref("network.proxy.type", 1);
user_pref("network.proxy.http", "127.0.0.1");
user_pref("network.proxy.http_port", 9);
user_pref("network.proxy.ssl", "127.0.0.1");
user_pref("network.proxy.ssl_port", 9);
"#;

/// Keys that are no letters, as WebDriver writes them.
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const ESCAPE: &str = "\u{e00c}";
pub(crate) const PAGE_UP: &str = "\u{e00e}";

/// A running Firefox with one page.
pub(crate) struct Firefox {
    process: Child,
    stream: RefCell<TcpStream>,
    asked: Cell<u64>,
    /// Whether the test looked at the browser's console: one that did not fails.
    checked: Cell<bool>,
    /// The profile; named so that it goes after the process.
    folder: Option<TempDir>,
}

impl Firefox {
    /// Starts a Firefox of this size, or says why not: `None` skips the test.
    #[track_caller]
    pub(crate) fn start(width: u32, height: u32) -> Option<Firefox> {
        if !Path::new(FIREFOX).exists() {
            let must = std::env::var_os("LOGCAST_TEST_BROWSER").is_some_and(|value| value == "1");
            assert!(!must, "there is no {FIREFOX}: apt-get install firefox-esr");
            eprintln!("skipped: there is no {FIREFOX} (apt-get install firefox-esr)");
            return None;
        }
        let folder = TempDir::with_prefix("logcast-firefox-").expect("a temporary folder");
        std::fs::write(folder.path().join("user.js"), PREFERENCES).expect("preferences");
        let process = Command::new(FIREFOX)
            // System access is for its console, which the page itself cannot read.
            .args(["--headless", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile"])
            .arg(folder.path())
            .env("HOME", folder.path())
            .env("TMPDIR", folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("firefox-esr");
        let told = folder.path().join("MarionetteActivePort");
        let port: u16 = wait_for("Firefox's port", || std::fs::read_to_string(&told).ok()?.parse().ok());
        let stream = wait_for("Firefox to listen", || TcpStream::connect(("127.0.0.1", port)).ok());
        stream.set_read_timeout(Some(DEADLINE)).expect("a limit");
        stream.set_write_timeout(Some(DEADLINE)).expect("a limit");
        let browser = Firefox {
            process,
            stream: RefCell::new(stream),
            asked: Cell::new(0),
            checked: Cell::new(false),
            folder: Some(folder),
        };
        let hello = browser.read().expect("a greeting");
        assert_eq!(hello["marionetteProtocol"], 3, "{hello}");
        browser.ask("WebDriver:NewSession", json!({}));
        browser.ask("WebDriver:SetWindowRect", json!({ "width": width, "height": height }));
        Some(browser)
    }

    /// Opens a URL and waits for its load event.
    #[track_caller]
    pub(crate) fn open(&self, url: &str) {
        self.ask("WebDriver:Navigate", json!({ "url": url }));
    }

    /// Runs a function's body in the page and gives what it returns.
    #[track_caller]
    pub(crate) fn run(&self, script: &str) -> Value {
        self.ask("WebDriver:ExecuteScript", json!({ "script": script, "args": [], "sandbox": null }))["value"]
            .take()
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
        let found = self.ask("WebDriver:FindElement", json!({ "using": "css selector", "value": selector }));
        self.ask("WebDriver:ElementClick", json!({ "id": found["value"][ELEMENT] }));
    }

    /// Types into the element that has the focus.
    #[track_caller]
    pub(crate) fn keys(&self, keys: &str) {
        let active = self.ask("WebDriver:GetActiveElement", json!({}));
        self.ask("WebDriver:ElementSendKeys", json!({ "id": active["value"][ELEMENT], "text": keys }));
    }

    /// Turns the wheel over the log, as a person does.
    #[track_caller]
    pub(crate) fn wheel(&self, px: i32) {
        let turn = json!({ "type": "scroll", "x": 400, "y": 400, "deltaX": 0, "deltaY": px, "duration": 0 });
        let wheel = json!({ "type": "wheel", "id": "wheel", "actions": [turn] });
        self.ask("WebDriver:PerformActions", json!({ "actions": [wheel] }));
    }

    /// A picture of the page, as the base64 text of a PNG.
    #[track_caller]
    pub(crate) fn picture(&self) -> String {
        let taken = self.ask("WebDriver:TakeScreenshot", json!({ "full": false }));
        taken["value"].as_str().expect("a picture").to_owned()
    }

    /// Errors and warnings in the console that came from pages of this address: what was thrown, and what the content
    /// security policy forbade. What a page writes there itself stays in its own process; ours writes nothing.
    #[track_caller]
    pub(crate) fn console(&self, address: &str) -> Vec<String> {
        self.ask("Marionette:SetContext", json!({ "value": "chrome" }));
        let script = "return Services.console.getMessageArray()
            .filter((entry) => entry instanceof Ci.nsIScriptError && (entry.sourceName + entry.errorMessage).includes(arguments[0]))
            .map((entry) => `${entry.category}: ${entry.errorMessage}`);";
        let found =
            self.ask("WebDriver:ExecuteScript", json!({ "script": script, "args": [address] }))["value"]
                .take();
        self.ask("Marionette:SetContext", json!({ "value": "content" }));
        serde_json::from_value(found).expect("words")
    }

    /// Asserts that the console holds nothing of this address.
    #[track_caller]
    pub(crate) fn no_errors(&self, address: &str) {
        self.checked.set(true);
        let found = self.console(address);
        assert!(found.is_empty(), "{found:#?}");
    }

    #[track_caller]
    fn ask(&self, command: &str, parameters: Value) -> Value {
        let id = self.asked.get() + 1;
        self.asked.set(id);
        let text = json!([0, id, command, &parameters]).to_string();
        let sent = self.stream.borrow_mut().write_all(format!("{}:{text}", text.len()).as_bytes());
        sent.unwrap_or_else(|error| panic!("cannot send {command}: {error}"));
        let mut answer = self.read().unwrap_or_else(|error| panic!("no answer to {command}: {error}"));
        assert_eq!(answer[1], id, "an answer to another command: {answer}");
        assert!(answer[2].is_null(), "{command} {parameters}: {}", answer[2]);
        answer[3].take()
    }

    fn read(&self) -> std::io::Result<Value> {
        let mut stream = self.stream.borrow_mut();
        let mut len = 0;
        loop {
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            match byte[0] {
                b':' => break,
                digit @ b'0'..=b'9' if len <= MOST => len = len * 10 + usize::from(digit - b'0'),
                _ => return Err(std::io::ErrorKind::InvalidData.into()),
            }
        }
        if len > MOST {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        let mut text = vec![0; len];
        stream.read_exact(&mut text)?;
        Ok(serde_json::from_slice(&text)?)
    }
}

impl Drop for Firefox {
    fn drop(&mut self) {
        let quit =
            json!([0, self.asked.get() + 1, "Marionette:Quit", { "flags": ["eForceQuit"] }]).to_string();
        let _ = self.stream.borrow_mut().write_all(format!("{}:{quit}", quit.len()).as_bytes());
        // Asked, it ends its other processes itself.
        let end = Instant::now() + Duration::from_secs(10);
        while self.process.try_wait().is_ok_and(|ended| ended.is_none()) && Instant::now() < end {
            std::thread::sleep(LOOK);
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
        let Some(folder) = self.folder.take() else { return };
        let path = folder.keep();
        let end = Instant::now() + Duration::from_secs(5);
        while std::fs::remove_dir_all(&path).is_err() && path.exists() && Instant::now() < end {
            std::thread::sleep(LOOK);
        }
        let checked = self.checked.get() || std::thread::panicking();
        assert!(checked, "this test never looked at the browser's console (no_errors)");
    }
}

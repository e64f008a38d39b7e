//! The tutorial's own client: an HTML file opened from disk, with `EventSource` and `onmessage`, unchanged.

use crate::chromium::Browser;
use crate::support::writer::text;
use crate::support::{Place, Server, assert_lines, numbered};

/// What a reader of the tutorial writes: nothing but the port is put in.
const CLIENT: &str = r#"<!DOCTYPE html>
<html>
<head><title>Event Source</title></head>
<body>
<h1>Logs</h1>
<div id="logs"></div>
<script>
  var source = new EventSource("http://localhost:PORT/stream-logs");
  source.onmessage = function (event) {
    var line = document.createElement("div");
    line.textContent = event.data;
    document.getElementById("logs").appendChild(line);
  };
</script>
</body>
</html>
"#;

const SHOWN: &str = "[...document.querySelectorAll('#logs div')].map((line) => line.textContent)";

fn open(browser: &Browser, server: &Server) {
    let path = browser.path().join("client.html");
    std::fs::write(&path, CLIENT.replace("PORT", &server.address.port().to_string())).expect("a file");
    browser.open(&format!("file://{}", path.display()));
}

fn generated(numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers
        .map(|number| {
            format!("2020-12-22 20:37:{number:02},123 - log_app - INFO - log message num: {number}")
        })
        .collect()
}

#[test]
fn a_file_from_disk_shows_the_log() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("test.log", text(&generated(0..5)));
    let mut server = Server::start(&place, &["test.log", "--allow-origin", "null"]);
    open(&browser, &server);
    browser.until("the backlog", &format!("{SHOWN}.length === 5"));
    for line in generated(5..10) {
        place.append("test.log", format!("{line}\n"));
    }
    browser.until("live lines", &format!("{SHOWN}.length === 10"));
    browser.no_errors(&[]);
    // The browser comes back by itself to a server that was killed, and asks for what it has not seen.
    server.kill();
    place.append("test.log", text(&generated(10..30)));
    server.restart();
    browser.until("the lines written while nobody served", &format!("{SHOWN}.length >= 30"));
    place.append("test.log", text(&generated(30..31)));
    browser.until("the line after", &format!("{SHOWN}.at(-1).endsWith('num: 30')"));
    let shown: Vec<String> = browser.get(&format!("return {SHOWN}"));
    assert_lines(&shown, &generated(0..31));
    browser.no_errors(&["network"]);
}

/// Without the option a page of no origin gets nothing: any site could make one.
#[test]
fn no_other_origin_reads_the_log() {
    let Some(browser) = Browser::start() else { return };
    let place = Place::with("test.log", text(&numbered("secret", 1, 5)));
    let server = Server::start(&place, &["test.log"]);
    open(&browser, &server);
    browser.until("the browser to be refused", "source.readyState === EventSource.CLOSED");
    assert_eq!(browser.run(&format!("return {SHOWN}.length")), 0);
    // The refusal itself is all that the browser reports.
    browser.no_errors(&["network", "javascript"]);
}

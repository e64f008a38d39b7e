//! The page's files as files: small, typed, no way from text to markup.

use crate::chromium::Browser;
use crate::page::{begin, state};
use crate::support::numbered;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All that the page is made of, as it is sent to a browser on this machine (with brotli).
const MOST_BYTES: u64 = 60_000;
const MOST_LINES: usize = 300;

fn assets() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("assets")
}

/// The page's own files, without pictures for the README.
fn files(kinds: &[&str]) -> Vec<PathBuf> {
    let (mut folders, mut found) = (vec![assets()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the page's files").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kinds.iter().any(|own| kind == *own)) {
                found.push(path);
            }
        }
    }
    assert!(found.len() > 5, "only {} files of the page found", found.len());
    found.sort();
    found
}

/// Where `tests/browser/install` put its tools; `None` skips a test.
pub(crate) fn tools() -> Option<PathBuf> {
    let target = std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("target"), PathBuf::from);
    let folder = std::env::var_os("LOGCAST_TEST_TOOLS").map_or(target.join("page"), PathBuf::from);
    if folder.join("node_modules").exists() {
        return Some(folder);
    }
    let must = std::env::var_os("LOGCAST_TEST_BROWSER").is_some_and(|value| value == "1");
    assert!(!must, "nothing is installed in {}: tests/browser/install {0}", folder.display());
    eprintln!("skipped: nothing is installed in {} (tests/browser/install)", folder.display());
    None
}

#[test]
fn types_hold() {
    let Some(tools) = tools() else { return };
    let check = |project: &Path| {
        let tsc = tools.join("node_modules/typescript/bin/tsc");
        let output = Command::new("node").arg(tsc).arg("-p").arg(project).output().expect("node");
        (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/tsconfig.json");
    let (ok, words) = check(&project);
    assert!(ok, "{words}");
    // The check itself can fail.
    let folder = tempfile::TempDir::with_prefix("logcast-types-").expect("a folder");
    let settings = fs::read_to_string(&project).expect("settings").replace("../../assets/js", ".");
    fs::write(folder.path().join("tsconfig.json"), settings).expect("settings");
    fs::write(folder.path().join("wrong.js"), "/** @type {number} */\nexport const wrong = 'text';\n")
        .expect("a file");
    let (ok, words) = check(folder.path());
    assert!(!ok && words.contains("TS2322"), "{words}");
}

/// All that a browser is sent to show the page, as it is sent; and nothing of it twice.
#[test]
fn the_page_is_small() {
    let Some((_place, server, browser)) = begin(&numbered("a", 1, 3)) else { return };
    let sent = |browser: &Browser| -> Vec<(String, u64, u64)> {
        let files = "return [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
            .filter(({ name }) => !/stream-logs|\\/api\\//.test(name))
            .map(({ name, encodedBodySize, transferSize }) => [name, encodedBodySize, transferSize])";
        browser.get(files)
    };
    let files = sent(&browser);
    let all: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    // The icon is no entry of the page's own list.
    let icon = crate::support::http::get(&server, "/assets/favicon.svg").body.len() as u64;
    assert!(files.iter().any(|(name, bytes, _)| name.ends_with("/page.js") && *bytes > 10_000), "{files:?}");
    assert!(all + icon < MOST_BYTES, "{all} bytes and an icon of {icon}, {MOST_BYTES} at most: {files:?}");
    eprintln!("the page is {} bytes as sent", all + icon);
    browser.run("location.reload()");
    browser.until("the page again", "document.readyState === 'complete' && performance.getEntriesByType('navigation')[0].type === 'reload'");
    state(&browser, "live");
    let again: u64 = sent(&browser).iter().map(|(_, _, bytes)| bytes).sum();
    assert!(again < all / 10, "{again} bytes of {all} came again");
    browser.no_errors(&[]);
}

#[test]
fn modules_are_short() {
    for path in files(&["js"]) {
        let lines = fs::read_to_string(&path).expect("text").lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}

/// What no other module imports is in nobody's page: build.rs joins what main.js leads to.
#[test]
fn every_module_is_in_the_page() {
    let (mut reached, mut at) = (vec![assets().join("js/main.js")], 0);
    while let Some(path) = reached.get(at).cloned() {
        at += 1;
        for line in
            fs::read_to_string(&path).expect("text").lines().filter(|line| line.starts_with("import "))
        {
            let name = line.rsplit_once("'./").and_then(|(_, name)| name.strip_suffix("';")).expect(line);
            let path = assets().join("js").join(name);
            if !reached.contains(&path) {
                reached.push(path);
            }
        }
    }
    let page = fs::read_to_string(assets().join("index.html")).expect("the page");
    for path in files(&["js", "css"]) {
        let name = path.file_name().expect("a name").to_str().expect("UTF-8");
        if fs::read_to_string(&path).expect("text").ends_with("export {};\n") {
            continue; // only types
        }
        let named = page.contains(&format!("\"assets/css/{name}\""));
        assert!(named || reached.contains(&path), "{name} is in nobody's page");
    }
}

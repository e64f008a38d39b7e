//! The page's files as files: small, typed, no way from text to markup.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All that the page is made of, compressed as one, without comments and indentation.
const MOST_BYTES: usize = 85_000;
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

#[test]
fn the_page_is_small() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for path in files(&["js", "css", "html"]) {
        let text = fs::read_to_string(&path).expect("text");
        std::io::Write::write_all(&mut packed, bare(&text).as_bytes()).expect("memory");
    }
    let all = packed.finish().expect("memory").len();
    assert!(all < MOST_BYTES, "{all} bytes compressed, {MOST_BYTES} at most");
    eprintln!("the page is {all} bytes compressed");
}

/// A text without the lines that are comments, and without indentation.
fn bare(text: &str) -> String {
    let (mut out, mut inside) = (String::new(), false);
    for line in text.lines().map(str::trim) {
        let begins = line.starts_with("/*");
        if !inside && !begins && !line.starts_with("//") {
            out.push_str(line);
            out.push('\n');
        }
        inside = (inside || begins) && !line.contains("*/");
    }
    out
}

#[test]
fn modules_are_short() {
    for path in files(&["js"]) {
        let lines = fs::read_to_string(&path).expect("text").lines().count();
        assert!(lines <= MOST_LINES, "{} has {lines} lines", path.display());
    }
}

/// A module that is not named beforehand costs a round trip for each level of imports.
#[test]
fn every_module_is_named_in_the_page() {
    let page = fs::read_to_string(assets().join("index.html")).expect("the page");
    for path in files(&["js", "css"]) {
        let name = path.strip_prefix(assets()).expect("below assets").to_str().expect("UTF-8");
        if fs::read_to_string(&path).expect("text").ends_with("export {};\n") {
            continue; // only types
        }
        assert!(page.contains(&format!("\"assets/{name}\"")), "{name} is not in index.html");
    }
    for name in page.split("href=\"assets/").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(assets().join(name).exists(), "{name} is in index.html and nowhere else");
    }
}

//! What lines of many formats say: `tests/golden/records/NAME.log`, and beside it a row `time level kind` a line.
//!
//! The lines are what programs wrote here, or were written after the documentation of their format. They are read
//! at noon of 25 November 2026 (UTC) in Berlin.

use jiff::tz::TimeZone;
use logcast::log::lines::lines;
use logcast::log::record::{Options, Reader, level};
use std::fmt::Write;
use std::fs;
use std::path::Path;

fn reader() -> Reader {
    let zone = TimeZone::get("Europe/Berlin").expect("a zone");
    Reader::new(&Options { now: "2026-11-25T12:00:00Z".parse().expect("a time"), zone })
}

/// The expected rows, and the reading of each part alone is the same.
fn rows(log: &[u8], reader: &Reader) -> String {
    let mut rows = String::new();
    for line in lines(log) {
        let record = reader.read(line.text);
        assert_eq!(reader.time(line.text), record.time, "{}", line.text.escape_ascii());
        assert_eq!(level(line.text), record.level, "{}", line.text.escape_ascii());
        let time = record.time.map_or_else(|| "-".to_owned(), |time| time.to_string());
        let level = record.level.map_or("-", |level| level.name());
        writeln!(rows, "{time} {level} {}", format!("{:?}", record.kind).to_lowercase()).expect("a string");
    }
    rows
}

#[test]
fn lines_are_read_as_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/records");
    let reader = reader();
    let (mut formats, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(&folder).expect("the corpus").flatten() {
        let path = entry.path();
        if path.extension().is_none_or(|extension| extension != "log") {
            continue;
        }
        formats += 1;
        let log = fs::read(&path).expect("lines");
        let rows = rows(&log, &reader);
        let expected = path.with_extension("expected");
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&expected, &rows).expect("the golden file");
            continue;
        }
        let committed = fs::read_to_string(&expected).unwrap_or_default();
        for (number, (is, should)) in rows.lines().zip(committed.lines()).enumerate() {
            if is != should {
                wrong.push(format!("{}:{}: {is}, not {should}", path.display(), number + 1));
            }
        }
        if rows.lines().count() != committed.lines().count() {
            wrong.push(format!("{} has another number of lines than its expected file", path.display()));
        }
    }
    assert!(formats >= 25, "only {formats} formats");
    assert!(wrong.is_empty(), "UPDATE_GOLDEN=1 rewrites them:\n{}", wrong.join("\n"));
}

#[test]
fn any_part_of_a_line_is_read_without_panic() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/records");
    let reader = reader();
    for entry in fs::read_dir(&folder).expect("the corpus").flatten() {
        let bytes = fs::read(entry.path()).expect("lines");
        for line in lines(&bytes) {
            for cut in 0..line.text.len() {
                let _ = (reader.read(&line.text[cut..]), reader.read(&line.text[..cut]));
            }
        }
    }
}

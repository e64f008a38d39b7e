//! The layer table, read from the `use` lines: imports go down only, and files stay small.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Design § 10: a module may use what stands at its own level or below.
const LEVELS: &[(&str, u8)] = &[
    ("cli", 5),
    ("main", 5),
    ("lib", 5),
    ("commands", 4),
    ("generate", 4),
    ("web", 3),
    ("live", 2),
    ("nats", 2),
    ("log::source", 1),
    ("log::decode", 1),
    ("log::logfile", 1),
    ("log::segment", 1),
    ("log::private", 1),
    ("log::ledger", 1),
    ("log::rotated", 1),
    ("log::said", 1),
    ("log::search", 1),
    ("log::sample", 1),
    ("log::seek", 1),
    ("log::shown", 1),
    ("log::spool", 1),
    ("log::index", 1),
    ("log::said", 1),
    ("log::search", 1),
    ("log::mod", 1),
    ("log", 0),
];
/// The most lines of a file before its tests.
const MOST_LINES: usize = 400;

/// The level of a module path such as `log::cursor::Cursor` or `web`.
fn level(module: &str) -> Option<u8> {
    let fits = |name: &str| module == name || module.starts_with(&format!("{name}::"));
    LEVELS.iter().find(|(name, _)| fits(name)).map(|(_, level)| *level)
}

/// All Rust files below a folder, with their module paths.
fn sources(root: &Path) -> BTreeMap<String, PathBuf> {
    let (mut found, mut folders) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of sources").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let inner = path.strip_prefix(root).expect("below").with_extension("");
                let parts: Vec<&str> =
                    inner.iter().map(|part| part.to_str().expect("a name in UTF-8")).collect();
                found.insert(parts.join("::"), path);
            }
        }
    }
    found
}

/// Where a file's unit tests begin.
fn before_tests(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

/// The targets of all `crate::` and `super::` paths in `use` lines, as paths from the crate's root.
fn targets(module: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let mut line = line.trim_start().to_owned();
        // rustfmt breaks long lists: the statement goes on to its semicolon.
        while line.contains("use ") && !line.contains(';') && line.ends_with(['{', ',']) {
            let Some(next) = lines.next() else { break };
            line.push_str(next.trim());
        }
        let Some(path) = line
            .strip_prefix("pub(crate) use ")
            .or_else(|| line.strip_prefix("pub use "))
            .or_else(|| line.strip_prefix("use "))
        else {
            continue;
        };
        let parent = match module.strip_suffix("::mod") {
            Some(own) => own,
            None => module.rsplit_once("::").map_or("", |(parent, _)| parent),
        };
        let base = if let Some(rest) = path.strip_prefix("crate::") {
            rest.to_owned()
        } else if let Some(rest) = path.strip_prefix("super::") {
            // In `mod.rs` of a folder at the top, `super` is the crate.
            if module.ends_with("::mod") { rest.to_owned() } else { format!("{parent}::{rest}") }
        } else {
            continue;
        };
        match base.trim_end_matches(';').split_once('{') {
            Some((stem, names)) => {
                let names =
                    names.trim_end_matches('}').split(',').map(str::trim).filter(|name| !name.is_empty());
                found.extend(names.map(|name| format!("{stem}{name}")));
            }
            None => found.push(base.trim_end_matches(';').to_owned()),
        }
    }
    found
}

#[test]
fn imports_go_down() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (module, path) in sources(&root) {
        let text = fs::read_to_string(&path).expect("a source");
        let own = level(&module).unwrap_or_else(|| panic!("{module} has no level: give it one in the table"));
        for target in targets(&module, before_tests(&text)) {
            let Some(other) = level(target.trim_start_matches(':')) else { continue };
            seen += 1;
            if other > own {
                wrong.push(format!("{module} ({own}) uses {target} ({other})"));
            }
        }
    }
    assert!(seen > 30, "only {seen} imports found: the reader is broken");
    assert!(wrong.is_empty(), "arrows that go up:\n{}", wrong.join("\n"));
}

/// Who may read the bytes of files as they are: what proves, counts or finds places, and the readers that hand them to
/// [`log::shown`](logcast::log::shown). Nothing else, so that nothing is shown that was to be redacted.
const READ_BYTES: &[&str] = &[
    "live::archive",
    "live::around::mod",
    "live::backlog",
    "live::followed::siblings",
    "live::growth",
    "live::indexed",
    "nats::ship::batch",
    "nats::ship::spool",
    "web::download",
    "web::raw",
];

#[test]
fn only_few_read_bytes_that_are_not_redacted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut readers: Vec<String> = sources(&root)
        .into_iter()
        .filter(|(module, _)| level(module).is_some_and(|level| level > 1))
        .filter(|(_, path)| before_tests(&fs::read_to_string(path).expect("a source")).contains(".read_at("))
        .map(|(module, _)| module)
        .collect();
    readers.sort();
    assert_eq!(readers, READ_BYTES, "lines for clients come from `log::shown`");
}

#[test]
fn files_are_small() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for (module, path) in sources(&root) {
        let text = fs::read_to_string(&path).expect("a source");
        let lines = before_tests(&text).lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{module}: {lines} lines before its tests"));
        }
    }
    assert!(wrong.is_empty(), "files over {MOST_LINES} lines:\n{}", wrong.join("\n"));
}

#[test]
fn the_reader_reads() {
    let text = "use crate::web::{State, auth::Policy};\n    use super::feed::Hub;\npub use crate::cli::main;\nuse std::io;";
    assert_eq!(
        targets("live::client", text),
        ["web::State", "web::auth::Policy", "live::feed::Hub", "cli::main"]
    );
    assert_eq!(targets("web::mod", "use super::live::feed;"), ["live::feed"]);
    assert_eq!(
        [level("log::cursor::Cursor"), level("log::segment"), level("web")],
        [Some(0), Some(1), Some(3)]
    );
    assert_eq!(level("nowhere"), None);
}

//! The README's table of threats: every test that it names is there.

use std::fs;
use std::path::Path;

/// The names `module::test` in a table's last column.
fn named(readme: &str) -> Vec<String> {
    let chapter = readme.split_once("\n## Threats\n").expect("the chapter").1;
    let chapter = chapter.split("\n## ").next().expect("its text");
    let rows = chapter.lines().filter(|line| line.starts_with("| ")).skip(2);
    rows.flat_map(|row| {
        let last = row.trim_end_matches([' ', '|']).rsplit('|').next().unwrap_or_default();
        let names: Vec<String> = last.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(!names.is_empty(), "no test is named in {row}");
        names
    })
    .collect()
}

/// Whether a test of this name is in the tree: `module::test` of one of the two binaries, or a unit test by its path.
fn exists(root: &Path, name: &str) -> bool {
    let (module, test) = name.rsplit_once("::").expect("a module");
    let file = module.replace("::", "/");
    ["tests/it", "tests/browser", "src"].iter().any(|folder| {
        [
            format!("{folder}/{file}.rs"),
            format!("{folder}/{file}/mod.rs"),
            format!("{folder}/{file}/tests.rs"),
        ]
        .iter()
        .any(|path| {
            let text = fs::read_to_string(root.join(path)).unwrap_or_default();
            let at = text.find(&format!("fn {test}()"));
            at.is_some_and(|at| {
                text[..at].trim_end().lines().rev().take(4).any(|line| line.contains("#[test]"))
            })
        })
    })
}

#[test]
fn every_test_that_is_named_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(root.join("README.md")).expect("the README");
    let names = named(&readme);
    assert!(names.len() > 30, "only {} names: the reader is broken", names.len());
    let missing: Vec<&String> = names.iter().filter(|name| !exists(root, name)).collect();
    assert!(missing.is_empty(), "tests that the README names and nobody wrote: {missing:?}");
    assert!(!exists(root, "threats::a_test_that_nobody_wrote") && !exists(root, "threats::exists"));
}

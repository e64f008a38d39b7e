//! The functions that the fuzz targets call, over the committed seeds, over what is made of them by small changes, and
//! over random bytes: so that they are always built, and a seed that once failed stays one that is tried.

use crate::properties;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::fs;
use std::path::Path;

/// Tries the seeds of a target, `cases` changes of them, and as many runs of random bytes.
fn tried(target: &str, property: fn(&[u8]), cases: u32) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/seeds").join(target);
    let mut seeds: Vec<Vec<u8>> = Vec::new();
    for entry in fs::read_dir(&folder).expect("seeds").flatten() {
        seeds.push(fs::read(entry.path()).expect("a seed"));
    }
    assert!(seeds.len() >= 8, "{} seeds of {target}", seeds.len());
    seeds.iter().for_each(|seed| property(seed));
    let mut runner = TestRunner::new(Config { cases, failure_persistence: None, ..Config::default() });
    let cut = (any::<prop::sample::Index>(), any::<prop::sample::Index>());
    let changed = (prop::sample::select(seeds), cut, prop::collection::vec(any::<u8>(), 0..5));
    let changed = changed.prop_map(|(seed, (from, to), new)| {
        let (from, to) = (from.index(seed.len() + 1), to.index(seed.len() + 1));
        [&seed[..from.min(to)], &new, &seed[from.max(to).min(from.min(to) + new.len())..]].concat()
    });
    let random = prop::collection::vec(any::<u8>(), 0..300);
    let inputs = prop_oneof![changed, random];
    let run = runner.run(&inputs, |input| {
        property(&input);
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{target}: {error}"));
}

#[test]
fn encoder() {
    tried("encoder", properties::encoder, 2_000);
}

#[test]
fn cursor() {
    tried("cursor", properties::cursor, 2_000);
}

#[test]
fn record() {
    tried("record", properties::record, 2_000);
}

#[test]
fn query() {
    tried("query", properties::query, 300);
}

#[test]
fn range() {
    tried("range", properties::range, 2_000);
}

#[test]
fn head() {
    tried("head", properties::head, 200);
}

/// Every property has a target, and every target calls the property of its name.
#[test]
fn every_target_is_tried() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let own = fs::read_to_string(root.join("it/fuzz.rs")).expect("this file");
    let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).expect("the package");
    let mut targets = 0;
    for entry in fs::read_dir(root.join("fuzz/targets")).expect("targets").flatten() {
        let path = entry.path();
        let name = path.file_stem().expect("a name").to_str().expect("ASCII");
        let text = fs::read_to_string(&path).expect("a target");
        assert!(text.contains(&format!("properties::{name}(data)")), "{name} calls another");
        assert!(own.contains(&format!("tried(\"{name}\", properties::{name}, ")), "{name} is not tried here");
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")), "{name} is not built");
        targets += 1;
    }
    assert_eq!(targets, 6);
}

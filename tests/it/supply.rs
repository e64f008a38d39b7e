//! What comes from others: every crate's licence and source, as `tests/deny.toml` allows them, and no crate that it bans.
//!
//! `cargo deny --config tests/deny.toml check` asks the same and more, but takes longer to build than logcast.

use serde_json::Value;
use std::path::Path;
use std::process::Command;

/// The strings of a list in a TOML file, the first of this name.
fn listed(toml: &str, name: &str) -> Vec<String> {
    let rest = toml.split_once(&format!("\n{name} = [")).expect("a list").1;
    let list = rest.split_once(']').expect("its end").0;
    list.split('"').skip(1).step_by(2).map(str::to_owned).collect()
}

/// Whether a licence expression (SPDX, or the older form with slashes) can be met by allowed licences alone.
fn is_met(expression: &str, allowed: &[String]) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut at = 0;
    let met = either(&words, &mut at, allowed);
    assert_eq!(at, words.len(), "an expression that is read to its end: {expression}");
    met
}

fn either(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = both(words, at, allowed);
    while words.get(*at) == Some(&"OR") {
        *at += 1;
        met |= both(words, at, allowed);
    }
    met
}

fn both(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let mut met = one(words, at, allowed);
    while words.get(*at) == Some(&"AND") {
        *at += 1;
        met &= one(words, at, allowed);
    }
    met
}

fn one(words: &[&str], at: &mut usize, allowed: &[String]) -> bool {
    let word = words.get(*at).expect("a licence");
    *at += 1;
    if *word == "(" {
        let met = either(words, at, allowed);
        assert_eq!(words.get(*at), Some(&")"));
        *at += 1;
        return met;
    }
    let mut licence = (*word).to_owned();
    if words.get(*at) == Some(&"WITH") {
        licence = format!("{licence} WITH {}", words.get(*at + 1).expect("an exception"));
        *at += 2;
    }
    allowed.contains(&licence)
}

/// The platform that the compiler builds for.
fn platform() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or("rustc".into());
    let told = Command::new(rustc).arg("-vV").output().expect("rustc");
    let told = String::from_utf8_lossy(&told.stdout);
    told.lines().find_map(|line| line.strip_prefix("host: ")).expect("a platform").to_owned()
}

#[test]
fn every_crate_may_be_used() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let toml = std::fs::read_to_string(root.join("tests/deny.toml")).expect("the lists");
    let (allowed, denied) = (listed(&toml, "allow"), listed(&toml, "deny"));
    let cargo = std::env::var_os("CARGO").unwrap_or("cargo".into());
    // Of this platform: what others need is not there where nobody built for them.
    let told = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", &platform()])
        .current_dir(root)
        .output()
        .expect("cargo");
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let told: Value = serde_json::from_slice(&told.stdout).expect("JSON");
    let packages = told["packages"].as_array().expect("packages");
    assert!(packages.len() > 100, "only {} crates", packages.len());
    let mut wrong = Vec::new();
    for package in packages {
        let name = package["name"].as_str().expect("a name");
        let licence = package["license"].as_str().unwrap_or("none that is named");
        if package["license"].is_null() || !is_met(licence, &allowed) {
            wrong.push(format!("{name}: {licence}"));
        }
        if denied.iter().any(|other| other == name) {
            wrong.push(format!("{name} is banned"));
        }
        let registry = "registry+https://github.com/rust-lang/crates.io-index";
        if name != "logcast" && package["source"] != registry {
            wrong.push(format!("{name} comes from {}", package["source"]));
        }
    }
    assert!(wrong.is_empty(), "see tests/deny.toml:\n{}", wrong.join("\n"));
}

#[test]
fn expressions_are_read() {
    let allowed = ["MIT".to_owned(), "ISC".to_owned(), "Apache-2.0 WITH LLVM-exception".to_owned()];
    for (expression, met) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("Unlicense/MIT", true),
        ("MIT AND GPL-3.0-only", false),
        ("(MIT OR Apache-2.0) AND ISC", true),
        ("(Apache-2.0 OR GPL-2.0-only) AND ISC", false),
        ("Apache-2.0 WITH LLVM-exception OR Apache-2.0", true),
        ("GPL-2.0-only OR MIT AND ISC", true),
    ] {
        assert_eq!(is_met(expression, &allowed), met, "{expression}");
    }
}

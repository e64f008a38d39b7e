//! Makes the table of the page's files, so that nobody keeps it by hand: `index.html`, the icon, `css/`, `js/`
//! and `vendor/` of `assets/`. Pictures for the README are not part of the page.

use std::fmt::Write;
use std::path::{Path, PathBuf};

fn main() {
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=build.rs");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("assets");
    let mut files = Vec::new();
    for part in ["index.html", "favicon.svg", "css", "js", "vendor"] {
        collect(&root.join(part), &mut files);
    }
    files.sort();
    let mut table = String::from("&[\n");
    for file in files {
        let name = file.strip_prefix(&root).expect("below the root").to_str().expect("names are UTF-8");
        let path = file.to_str().expect("the path is UTF-8");
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),").expect("a String takes it");
    }
    table.push(']');
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it")).join("assets.rs");
    std::fs::write(out, table).expect("the folder for build output can be written");
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_file() {
        files.push(path.to_owned());
    } else if let Ok(entries) = std::fs::read_dir(path) {
        for entry in entries.flatten() {
            collect(&entry.path(), files);
        }
    }
}

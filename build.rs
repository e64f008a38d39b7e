//! Makes the page out of `assets/`: all modules joined into one script, all style sheets into one, without comments and
//! white space, with short names and shorter ways to say the same, and each file once more compressed, as it is sent.
//!
//! Nobody keeps a list and nobody runs a tool: `cargo build` does it. `LOGCAST_PLAIN_PAGE=1 cargo build` keeps names and
//! lines, for a debugger. What this does not understand ends the build; it never guesses. Pictures for the README are
//! not part of the page.

use oxc_allocator::Allocator;
use oxc_ast::ast::{ImportDeclarationSpecifier, Program, Statement};
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_minifier::{Minifier, MinifierOptions};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SourceType;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Where the page begins.
const MAIN: &str = "main.js";

fn main() {
    println!("cargo::rerun-if-changed=assets");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LOGCAST_PLAIN_PAGE");
    let root = PathBuf::from(std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it")).join("assets");
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo sets it"));
    let plain = std::env::var_os("LOGCAST_PLAIN_PAGE").is_some_and(|value| value == "1");
    let page = read(&root.join("index.html"));
    let files = [
        ("index.html", markup(&page)),
        ("page.css", if plain { styles(&root, &page) } else { tight(&styles(&root, &page)) }),
        ("page.js", script(&root.join("js"), plain)),
        ("favicon.svg", read(&root.join("favicon.svg"))),
    ];
    let mut table = String::from("&[\n");
    for (name, text) in files {
        let path = |ending: &str| out.join(format!("{name}{ending}"));
        write(&path(""), text.as_bytes());
        write(&path(".br"), &brotli(text.as_bytes()));
        write(&path(".gz"), &gzip(text.as_bytes()));
        let bytes = |ending: &str| format!("include_bytes!({:?})", path(ending).to_str().expect("UTF-8"));
        writeln!(table, "    ({name:?}, [{}, {}, {}]),", bytes(".br"), bytes(".gz"), bytes(""))
            .expect("a String takes it");
    }
    table.push(']');
    write(&out.join("assets.rs"), table.as_bytes());
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn write(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}

// ── the script ──────────────────────────────────────────────────────────────────────────────────────────────────────

/// A module's name and text.
type Module = (String, String);

/// All modules as one, which runs them in the order in which a browser would.
fn script(folder: &Path, plain: bool) -> String {
    let mut modules = Vec::new();
    collect(folder, MAIN, &mut modules, &mut Vec::new());
    let all: String = modules.iter().map(|module| joined(module, &modules)).collect();
    if plain {
        return all;
    }
    let allocator = Allocator::default();
    let mut program = parsed(&allocator, "the joined script", &all);
    let short = Minifier::new(MinifierOptions::default()).minify(&allocator, &mut program);
    let printer = Codegen::new().with_options(CodegenOptions::minify());
    printer
        .with_scoping(short.scoping)
        .with_private_member_mappings(short.class_private_mappings)
        .build(&program)
        .code
}

fn parsed<'a>(allocator: &'a Allocator, name: &str, text: &'a str) -> Program<'a> {
    let parsed = Parser::new(allocator, text, SourceType::mjs()).parse();
    assert!(!parsed.panicked && parsed.diagnostics.is_empty(), "{name}: {:?}", parsed.diagnostics);
    parsed.program
}

/// Adds a module after those that it imports; `open` are those on the way to it.
fn collect(folder: &Path, name: &str, done: &mut Vec<Module>, open: &mut Vec<String>) {
    if done.iter().any(|(own, _)| own == name) || open.iter().any(|own| own == name) {
        return;
    }
    open.push(name.to_owned());
    let text = read(&folder.join(name));
    let allocator = Allocator::default();
    for statement in &parsed(&allocator, name, &text).body {
        if let Statement::ImportDeclaration(import) = statement {
            collect(folder, neighbour(&import.source.value), done, open);
        }
    }
    open.pop();
    done.push((name.to_owned(), text));
}

fn neighbour(source: &str) -> &str {
    source.strip_prefix("./").unwrap_or_else(|| panic!("import of '{source}': only from the same folder"))
}

/// One module without `import` and `export`: each name at its top gets the module's number, and what it imports the
/// name that it has where it comes from.
fn joined((name, text): &Module, modules: &[Module]) -> String {
    let number = |module: &str| modules.iter().position(|(own, _)| own == module).expect("it was read");
    let allocator = Allocator::default();
    let mut program = parsed(&allocator, name, text);
    let mut scoping = SemanticBuilder::new().build(&program).semantic.into_scoping();
    let unique = |name: &str, of: usize| allocator.alloc_str(&format!("{name}${of}"));
    let top: Vec<_> = scoping.get_bindings(scoping.root_scope_id()).values().copied().collect();
    for symbol in top {
        let own = unique(scoping.symbol_name(symbol), number(name));
        scoping.set_symbol_name(symbol, own.into());
    }
    for statement in std::mem::replace(&mut program.body, oxc_allocator::Vec::new_in(&&allocator)) {
        match statement {
            Statement::ImportDeclaration(import) => {
                let from = number(neighbour(&import.source.value));
                for specifier in import.specifiers.iter().flatten() {
                    let ImportDeclarationSpecifier::ImportSpecifier(specifier) = specifier else {
                        panic!("{name}: imports are by name");
                    };
                    let there = unique(&specifier.imported.name(), from);
                    scoping.set_symbol_name(specifier.local.symbol_id(), there.into());
                }
            }
            Statement::ExportDeclaration(export) => {
                program.body.push(Statement::from(export.unbox().declaration));
            }
            // `export {}` makes a module of a file that has only types.
            Statement::ExportNamedDeclaration(export) if export.specifiers.is_empty() => {}
            Statement::ExportNamedDeclaration(_)
            | Statement::ExportFromDeclaration(_)
            | Statement::ExportAllDeclaration(_)
            | Statement::ExportDefaultDeclaration(_) => panic!("{name}: exports are declarations"),
            other => program.body.push(other),
        }
    }
    Codegen::new().with_scoping(Some(scoping)).build(&program).code
}

// ── styles and markup ───────────────────────────────────────────────────────────────────────────────────────────────

/// The style sheets that the page names, in its order.
fn styles(root: &Path, page: &str) -> String {
    let names = page.split("<link rel=\"stylesheet\" href=\"assets/").skip(1);
    names.filter_map(|rest| rest.split_once('"')).map(|(name, _)| read(&root.join(name))).collect()
}

/// A style sheet without comments and white space that says nothing. Strings stay; so does white space that may part
/// two selectors or two operands.
fn tight(text: &str) -> String {
    let (mut out, mut rest) = (String::with_capacity(text.len()), text);
    let mut quote = None;
    while let Some(next) = rest.chars().next() {
        if quote.is_none() && rest.starts_with("/*") {
            rest = rest.split_once("*/").expect("a comment ends").1;
            continue;
        }
        match (quote, next) {
            (Some(_), '\\') => {
                let after = rest[1..].chars().next().expect("a string ends");
                let (escape, more) = rest.split_at(1 + after.len_utf8());
                out.push_str(escape);
                rest = more;
                continue;
            }
            (Some(own), _) if own == next => quote = None,
            (None, '"' | '\'') => quote = Some(next),
            _ => {}
        }
        rest = &rest[next.len_utf8()..];
        let space = |c: char| c.is_ascii_whitespace();
        if quote.is_some() || !space(next) {
            if quote.is_none() && next == '}' && out.ends_with(';') {
                out.pop();
            }
            out.push(next);
        } else if !out.ends_with(['{', '}', ';', ',', ':', ' '])
            && !rest.trim_start().starts_with(['{', '}', ';', ','])
        {
            out.push(' ');
        }
    }
    assert!(quote.is_none(), "a string in a style sheet does not end");
    out
}

/// The page with one style sheet and one script in place of its parts, without indentation.
fn markup(page: &str) -> String {
    let mut out = String::new();
    for line in page.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if line.starts_with("<link rel=\"stylesheet\"") {
            continue;
        }
        if line.starts_with("<script") {
            assert!(line.contains(&format!("assets/js/{MAIN}")), "one script: {line}");
            out.push_str("<link rel=\"stylesheet\" href=\"assets/page.css\">\n");
            out.push_str("<script type=\"module\" src=\"assets/page.js\"></script>\n");
            continue;
        }
        out.push_str(line);
        out.push('\n');
    }
    assert!(out.contains("assets/page.js"), "the page has no script");
    out
}

// ── what is sent ────────────────────────────────────────────────────────────────────────────────────────────────────

fn brotli(bytes: &[u8]) -> Vec<u8> {
    let params = brotli::enc::BrotliEncoderParams { size_hint: bytes.len(), ..Default::default() };
    let mut out = Vec::new();
    brotli::BrotliCompress(&mut &*bytes, &mut out, &params).expect("memory takes it");
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    out.write_all(bytes).expect("memory takes it");
    out.finish().expect("memory takes it")
}

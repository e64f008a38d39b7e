//! Sources: what the user named, and the names under which it is served.
//!
//! A source is a path, a quoted glob that is looked at again, or standard input. Its name is its label
//! (`NAME=PATH`), else its path as typed or expanded; the name never changes when others join. A request
//! names a source by this name and is never joined to a path.

use globset::{GlobBuilder, GlobMatcher};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

/// The most files that the globs of one server may join.
pub const MAX_SOURCES: usize = 10_000;
/// The most directory entries that one expansion looks at.
const MAX_ENTRIES: usize = 200_000;

/// What the user named.
#[derive(Debug, Clone)]
pub enum Spec {
    /// One file, perhaps not there yet.
    Path {
        /// Its name in URLs and on the page.
        name: String,
        /// Where it is.
        path: PathBuf,
    },
    /// A pattern, see [`Pattern`].
    Glob(Pattern),
    /// The messages of a stream, by its URL.
    Engine {
        /// Its name in URLs and on the page.
        name: String,
        /// Where it is.
        url: String,
    },
    /// Standard input.
    Stdin {
        /// Its name in URLs and on the page.
        name: String,
    },
}

/// A quoted glob: `*`, `?`, `[…]`, `{a,b}` within a path component, `**` across them.
#[derive(Debug, Clone)]
pub struct Pattern {
    text: PathBuf,
    matcher: GlobMatcher,
    /// The leading components without a wildcard.
    root: PathBuf,
    /// How deep below the root a match can lie; `None` with `**`.
    depth: Option<usize>,
    label: Option<String>,
}

/// Reads a SOURCE argument.
///
/// # Errors
/// One line about what is wrong with it.
pub fn parse(arg: &OsStr) -> Result<Spec, String> {
    if arg.is_empty() {
        return Err("an empty name is no source".to_owned());
    }
    if arg == "-" {
        return Ok(Spec::Stdin { name: "stdin".to_owned() });
    }
    let (label, rest) = match split_label(arg) {
        Some((label, rest)) if !Path::new(arg).exists() => (Some(label), rest),
        _ => (None, arg.to_owned()),
    };
    if rest == "-" {
        return Ok(Spec::Stdin { name: label.unwrap_or_else(|| "stdin".to_owned()) });
    }
    if let Some(url) = engine_url(&rest)? {
        let name = label.unwrap_or_else(|| engine_name(&url));
        return Ok(Spec::Engine { name, url });
    }
    let path = PathBuf::from(rest);
    let wild = path.as_os_str().as_bytes().iter().any(|byte| b"*?[{".contains(byte));
    if wild && std::fs::symlink_metadata(&path).is_err() {
        return Ok(Spec::Glob(Pattern::new(&path, label)?));
    }
    Ok(Spec::Path { name: label.unwrap_or_else(|| display(&path)), path })
}

/// A URL of the engine, if that is what it is.
fn engine_url(arg: &OsStr) -> Result<Option<String>, String> {
    let is_engine = |bytes: &[u8]| {
        ["nats://", "natss://", "tls://"].iter().any(|scheme| {
            bytes.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme.as_bytes()))
        })
    };
    match is_engine(arg.as_bytes()) {
        true => arg.to_str().map(|url| Some(url.to_owned())).ok_or_else(|| "a URL must be UTF-8".to_owned()),
        false => Ok(None),
    }
}

/// The subjects that a URL names: no host, so that it is the same on every server, and no secret.
fn engine_name(url: &str) -> String {
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/')).map_or("", |(_, path)| path);
    match path.split('?').next().unwrap_or_default() {
        "" => "logs.>".to_owned(),
        subjects => subjects.to_owned(),
    }
}

fn split_label(arg: &OsStr) -> Option<(String, OsString)> {
    let bytes = arg.as_bytes();
    let at = bytes.iter().position(|&byte| byte == b'=')?;
    let label = std::str::from_utf8(&bytes[..at]).ok()?;
    let plain =
        !label.is_empty() && !label.contains(['/', '*', '?', '[', '{']) && !label.contains(char::is_control);
    (plain && at + 1 < bytes.len()).then(|| (label.to_owned(), OsString::from_vec(bytes[at + 1..].to_vec())))
}

/// A path as a name: what is not UTF-8 is shown as U+FFFD, a leading `./` goes.
pub fn display(path: &Path) -> String {
    let path = path.strip_prefix("./").unwrap_or(path);
    path.to_string_lossy().into_owned()
}

impl Pattern {
    fn new(path: &Path, label: Option<String>) -> Result<Pattern, String> {
        let text = path.to_str().ok_or("a pattern must be UTF-8")?;
        let matcher = GlobBuilder::new(text)
            .literal_separator(true)
            .build()
            .map_err(|error| error.kind().to_string())?
            .compile_matcher();
        let is_wild =
            |part: &Component<'_>| part.as_os_str().as_bytes().iter().any(|byte| b"*?[{".contains(byte));
        let root: PathBuf = path.components().take_while(|part| !is_wild(part)).collect();
        let below = path.components().count() - root.components().count();
        let deep = path.components().any(|part| part.as_os_str() == "**");
        // A brace may hold a separator, so that the number of components says nothing.
        let depth = (!deep && !text.contains('{')).then_some(below);
        Ok(Pattern { text: path.to_owned(), matcher, root, depth, label })
    }

    /// The pattern as typed.
    pub fn text(&self) -> String {
        display(&self.text)
    }

    /// The folder below which all its matches lie.
    pub fn root(&self) -> &Path {
        if self.root.as_os_str().is_empty() { Path::new(".") } else { &self.root }
    }

    /// The regular files that match now, in order of their names. Folders that cannot be listed are left out.
    pub fn expand(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut budget = MAX_ENTRIES;
        self.walk(&self.root.clone(), 1, &mut budget, &mut found);
        found.sort();
        found
    }

    fn walk(&self, folder: &Path, level: usize, budget: &mut usize, found: &mut Vec<PathBuf>) {
        let listed = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let Ok(entries) = std::fs::read_dir(listed) else { return };
        for entry in entries.flatten() {
            if *budget == 0 || found.len() >= MAX_SOURCES {
                return;
            }
            *budget -= 1;
            let path = folder.join(entry.file_name());
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() {
                if self.depth.is_none_or(|depth| level < depth) && level < 32 {
                    self.walk(&path, level + 1, budget, found);
                }
            } else if self.matcher.is_match(&path)
                && std::fs::metadata(&path).is_ok_and(|meta| meta.is_file())
            {
                found.push(path);
            }
        }
    }

    /// The name of a match.
    pub fn name(&self, path: &Path) -> String {
        match &self.label {
            Some(label) => format!("{label}/{}", display(path.strip_prefix(&self.root).unwrap_or(path))),
            None => display(path),
        }
    }
}

/// `name`, or `name (2)`, … if it is taken.
pub fn distinct(name: String, taken: impl Fn(&str) -> bool) -> String {
    if !taken(&name) {
        return name;
    }
    (2..).map(|n| format!("{name} ({n})")).find(|name| !taken(name)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_paths_and_stdin() {
        assert!(matches!(parse(OsStr::new("-")), Ok(Spec::Stdin { name }) if name == "stdin"));
        assert!(matches!(parse(OsStr::new("build=-")), Ok(Spec::Stdin { name }) if name == "build"));
        assert!(
            matches!(parse(OsStr::new("web=/x/a.log")), Ok(Spec::Path { name, path }) if name == "web" && path == Path::new("/x/a.log"))
        );
        assert!(matches!(parse(OsStr::new("./a.log")), Ok(Spec::Path { name, .. }) if name == "a.log"));
        assert!(matches!(parse(OsStr::new("d/a=b")), Ok(Spec::Path { name, .. }) if name == "d/a=b"));
        assert!(parse(OsStr::new("x[.log")).is_err());
        assert!(parse(OsStr::new("")).is_err());
    }

    #[test]
    fn a_pattern_finds_files_and_only_those() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.log", "b.log", "c.txt", "deep/d.log", "deep/er/e.log"] {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        std::fs::create_dir(folder.path().join("dir.log")).unwrap();
        let names = |pattern: &str| -> Vec<String> {
            let Ok(Spec::Glob(glob)) = parse(folder.path().join(pattern).as_os_str()) else {
                panic!("{pattern}")
            };
            glob.expand().iter().map(|p| display(p.strip_prefix(folder.path()).unwrap())).collect()
        };
        assert_eq!(names("*.log"), ["a.log", "b.log"]);
        assert_eq!(names("*/*.log"), ["deep/d.log"]);
        assert_eq!(names("**/*.log"), ["a.log", "b.log", "deep/d.log", "deep/er/e.log"]);
        assert_eq!(names("{a,c}.*"), ["a.log", "c.txt"]);
    }
}

//! The hand that writes: a temporary folder and everything that happens to files in it.
//!
//! The folder goes when the test ends well; after a failure it is kept and its path and content are printed.

use rustix::fs::Mode;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Once;
use tempfile::TempDir;

/// A folder for one test.
pub(crate) struct Place {
    folder: Option<TempDir>,
}

impl Place {
    /// An empty folder.
    pub(crate) fn new() -> Place {
        // A stricter mask would make every file a secret to other users, which then needs a token.
        static MASK: Once = Once::new();
        MASK.call_once(|| {
            let _ = rustix::process::umask(Mode::from_bits_truncate(0o022));
        });
        Place { folder: Some(TempDir::with_prefix("logcast-test-").expect("a temporary folder")) }
    }

    /// A folder that holds a file.
    pub(crate) fn with(name: &str, content: impl AsRef<[u8]>) -> Place {
        let place = Place::new();
        place.write(name, content);
        place
    }

    /// The folder.
    pub(crate) fn root(&self) -> &Path {
        self.folder.as_ref().expect("still there").path()
    }

    /// A path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.root().join(name)
    }

    /// `>name`: creates or truncates, then writes.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        fs::write(self.path(name), content).expect(name);
    }

    /// `>>name`: opens, appends in one write, closes.
    pub(crate) fn append(&self, name: &str, content: impl AsRef<[u8]>) {
        self.appender(name).write_all(content.as_ref()).expect(name);
    }

    /// A descriptor that appends, for a writer that holds its file open.
    pub(crate) fn appender(&self, name: &str) -> File {
        OpenOptions::new().append(true).create(true).open(self.path(name)).expect(name)
    }

    /// `truncate -s`.
    pub(crate) fn truncate(&self, name: &str, len: u64) {
        let file = OpenOptions::new().write(true).open(self.path(name)).expect(name);
        file.set_len(len).expect(name);
    }

    /// `mv`.
    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).expect(from);
    }

    /// `cp`.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        fs::copy(self.path(from), self.path(to)).expect(from);
    }

    /// `rm`.
    pub(crate) fn remove(&self, name: &str) {
        fs::remove_file(self.path(name)).expect(name);
    }

    /// `mkdir -p`.
    pub(crate) fn folder(&self, name: &str) {
        fs::create_dir_all(self.path(name)).expect(name);
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Some(folder) = self.folder.take() else { return };
        if !std::thread::panicking() {
            return;
        }
        let folder = folder.keep();
        eprintln!("--- folder {}, kept:", folder.display());
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let len = entry.metadata().map_or(0, |metadata| metadata.len());
            eprintln!("    {len:>10} {:?}", entry.file_name());
        }
    }
}

/// `seq -f "PREFIX-%06g" from to`, as lines.
pub(crate) fn numbered(prefix: &str, from: usize, to: usize) -> Vec<String> {
    (from..=to).map(|number| format!("{prefix}-{number:06}")).collect()
}

/// Lines as a file holds them.
pub(crate) fn text<S: AsRef<str>>(lines: &[S]) -> String {
    lines.iter().flat_map(|line| [line.as_ref(), "\n"]).collect()
}

/// Compares with a committed file, or writes it if UPDATE_GOLDEN is set.
#[track_caller]
pub(crate) fn golden(path: &str, text: &str) {
    let full = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(full.parent().expect("a folder")).expect("a folder");
        fs::write(&full, text).expect(path);
        return;
    }
    let committed = fs::read_to_string(&full).unwrap_or_default();
    let parts = committed.lines().zip(text.lines()).find(|(a, b)| a != b);
    assert!(committed == text, "{path} is not what the program says: {parts:?}; UPDATE_GOLDEN=1 rewrites it");
}

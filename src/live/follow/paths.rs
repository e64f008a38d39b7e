//! Where events may tell of a followed path: the watcher names files below the folders that it watches.

use std::path::{Path, PathBuf};

/// The path as events may name it: below its folder, and below the folder of the file that a link leads to.
pub(super) fn names(path: &Path) -> Vec<PathBuf> {
    let Some(name) = path.file_name() else { return Vec::new() };
    let mut names = vec![parent(path).join(name)];
    if let Some(target) = link_target(path) {
        names.push(target);
    }
    names
}

/// The folders whose events may tell of the path.
pub(super) fn folders(path: &Path) -> Vec<PathBuf> {
    let mut folders = vec![parent(path)];
    if let Some(target) = link_target(path) {
        folders.push(parent(&target));
    }
    folders
}

/// The folder of a path, absolute: that is how events name it.
fn parent(path: &Path) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    path.parent().unwrap_or(Path::new("/")).to_owned()
}

fn link_target(path: &Path) -> Option<PathBuf> {
    let target = std::fs::read_link(path).ok()?;
    let target = parent(path).join(target);
    // A chain of links is followed by the tick; where the end of it is, its events come from.
    Some(target.canonicalize().unwrap_or(target))
}

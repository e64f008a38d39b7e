//! Who else on this machine may read a file: what its mode says, and the modes of the folders above it; and whose link
//! leads to it.
//!
//! Loopback is open to every user of the machine. What they may read anyway is no secret; what they may not read must
//! not reach them through us. Nor do we read for the owner of a link what that owner could not: who may write into a
//! folder of logs may put a link there to any file of the machine.

use super::rotated;
use super::source::Spec;
use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Component, Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// With more files than this their folders are not listed for rotated siblings.
const MOST_LISTED: usize = 256;
/// Others may read a file, and search a folder.
const OTHERS_READ: u32 = 0o004;
const OTHERS_SEARCH: u32 = 0o001;
/// As many links as the kernel follows for a path.
const MOST_LINKS: usize = 40;

/// Whether everybody on this machine may ask, so that nothing may be read but what everybody may read.
static ONLY_PUBLIC: AtomicBool = AtomicBool::new(false);

/// Says for the life of the process whether files whose mode keeps others out are left alone.
pub fn leave_private_files(yes: bool) {
    ONLY_PUBLIC.store(yes, Ordering::Relaxed);
}

/// Whether a file is one that is to be left alone.
pub(super) fn is_left_alone(meta: &Metadata) -> bool {
    ONLY_PUBLIC.load(Ordering::Relaxed) && keeps_others_out(meta)
}

/// Whether a file's mode keeps other users out.
pub fn keeps_others_out(meta: &Metadata) -> bool {
    meta.mode() & OTHERS_READ == 0
}

/// Who may read a file, from all to few.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Privacy {
    /// Every user.
    Open,
    /// Its mode would let every user read it, but a folder above it, such as a home, is closed to others.
    Enclosed,
    /// Its mode keeps others out.
    Private,
}

/// Who may read the file at a path; of one that is not there yet, who may enter its folder.
///
/// # Errors
/// What the system says to looking.
pub fn privacy(path: &Path) -> io::Result<Privacy> {
    let found = match path.canonicalize() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new(".")).canonicalize()?;
            return Ok(if reachable(&folder)? { Privacy::Open } else { Privacy::Enclosed });
        }
        found => found?,
    };
    if keeps_others_out(&std::fs::metadata(&found)?) {
        return Ok(Privacy::Private);
    }
    let folder = found.parent().unwrap_or(Path::new("/"));
    Ok(if reachable(folder)? { Privacy::Open } else { Privacy::Enclosed })
}

/// Whether others may come as far as into a folder; its path is canonical.
fn reachable(folder: &Path) -> io::Result<bool> {
    for folder in folder.ancestors() {
        if std::fs::metadata(folder)?.mode() & OTHERS_SEARCH == 0 {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a path leads over a link of somebody else, to a file that is neither theirs nor for every user to read: then it
/// is their wish that we read it, and our right. Links of root and of our own user are trusted.
pub fn is_lure(path: &Path) -> bool {
    let (Ok(meta), own) = (std::fs::metadata(path), rustix::process::geteuid().as_raw()) else {
        return false;
    };
    let trusted = [0, own, meta.uid()];
    let foreign =
        owners_of_links(path).map_or(true, |owners| owners.iter().any(|owner| !trusted.contains(owner)));
    foreign && privacy(path).map_or(true, |found| found != Privacy::Open)
}

/// Whose links lie on the way of a path, those in its folders too.
fn owners_of_links(path: &Path) -> io::Result<Vec<u32>> {
    let (mut owners, mut left) = (Vec::new(), std::path::absolute(path)?);
    // What was walked already has no links in it.
    let mut walked = PathBuf::from("/");
    loop {
        let mut parts = left.components();
        let Some(part) = parts.next() else { return Ok(owners) };
        let rest = parts.as_path().to_owned();
        match part {
            Component::RootDir => walked = PathBuf::from("/"),
            Component::ParentDir => drop(walked.pop()),
            Component::CurDir | Component::Prefix(_) => {}
            Component::Normal(name) => {
                walked.push(name);
                let meta = std::fs::symlink_metadata(&walked)?;
                if meta.is_symlink() {
                    owners.push(meta.uid());
                    if owners.len() > MOST_LINKS {
                        return Err(rustix::io::Errno::LOOP.into());
                    }
                    let target = std::fs::read_link(&walked)?;
                    let is_kernels = walked.starts_with("/proc");
                    walked.pop();
                    // What some links of the kernel lead to is no path: a pipe, a file that has no name any more.
                    if is_kernels && std::fs::symlink_metadata(walked.join(&target)).is_err() {
                        return Ok(owners);
                    }
                    left = target.join(rest);
                    continue;
                }
            }
        }
        left = rest;
    }
}

/// The strictest of all files that are served at the start, with their rotated siblings if `history` counts. A file that
/// cannot be looked at is one that cannot be read either. Standard input is its
/// user's own; of a stream of an engine its URL tells, which is not read here.
pub fn strictest(specs: &[Spec], history: bool) -> Privacy {
    let mut paths: Vec<PathBuf> = Vec::new();
    let mut found = Privacy::Open;
    for spec in specs {
        match spec {
            Spec::Path { path, .. } => paths.push(path.clone()),
            Spec::Glob(pattern) => {
                // What joins later lies there too.
                found = found.max(privacy(&pattern.root().join("*")).unwrap_or(Privacy::Open));
                paths.extend(pattern.expand());
            }
            Spec::Stdin { .. } | Spec::Engine { .. } => {}
        }
    }
    if history && paths.len() <= MOST_LISTED {
        // Of a file whose name is only similar nothing is shown but to who proves to know its content.
        let siblings = paths.iter().flat_map(|path| rotated::siblings(path).unwrap_or_default());
        let siblings = siblings.filter(|sibling| sibling.rotated_name).map(|sibling| sibling.path);
        let found: Vec<PathBuf> = siblings.collect();
        paths.extend(found);
    }
    paths.iter().filter_map(|path| privacy(path).ok()).fold(found, Privacy::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{Permissions, set_permissions};
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn modes_of_files_and_folders() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("folder");
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("app.log");
        std::fs::write(&file, "").unwrap();
        let link = root.path().join("link");
        std::os::unix::fs::symlink(&file, &link).unwrap();
        for (of_root, of_folder, of_file, expected) in [
            (0o755, 0o755, 0o644, Privacy::Open),
            (0o711, 0o711, 0o604, Privacy::Open),
            (0o755, 0o755, 0o640, Privacy::Private),
            (0o755, 0o750, 0o644, Privacy::Enclosed),
            (0o700, 0o755, 0o644, Privacy::Enclosed),
            (0o700, 0o755, 0o600, Privacy::Private),
        ] {
            for (path, mode) in [(root.path(), of_root), (&folder, of_folder), (&file, of_file)] {
                set_permissions(path, Permissions::from_mode(mode)).unwrap();
            }
            assert_eq!(privacy(&file).unwrap(), expected, "{of_root:o} {of_folder:o} {of_file:o}");
            assert_eq!(privacy(&link).unwrap(), expected, "by the link");
        }
        set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(privacy(&folder.join("later")).unwrap(), Privacy::Open);
        set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
        assert_eq!(privacy(&folder.join("later")).unwrap(), Privacy::Enclosed);
        assert!(privacy(Path::new("/nowhere/at/all")).is_err());
    }

    #[test]
    fn links_and_whose_they_are() {
        use std::os::unix::fs::{lchown, symlink};
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        std::fs::create_dir(at("folder")).unwrap();
        std::fs::write(at("folder/file"), "").unwrap();
        symlink("folder", at("door")).unwrap();
        symlink("../door/./file", at("folder/one")).unwrap();
        symlink(at("folder/one"), at("two")).unwrap();
        symlink("ring", at("ring")).unwrap();
        let own = rustix::process::geteuid().as_raw();
        let links = |name: &str| owners_of_links(&at(name)).map(|owners| owners.len());
        let above = links("folder/file").unwrap();
        for (name, count) in [("door/file", 1), ("folder/one", 2), ("two", 3), ("folder/../two", 3)] {
            assert_eq!(links(name).unwrap() - above, count, "{name}");
        }
        assert!(links("ring").is_err() && links("nothing").is_err());
        // What a shell makes of <(command).
        let (pipe, _writer) = std::io::pipe().unwrap();
        let number = std::os::fd::AsRawFd::as_raw_fd(&pipe);
        let name = format!("/dev/fd/{number}");
        assert!(owners_of_links(Path::new(&name)).unwrap().len() >= 3 && !is_lure(Path::new(&name)));
        set_permissions(at("folder/file"), Permissions::from_mode(0o600)).unwrap();
        assert!(!is_lure(&at("two")) && !is_lure(&at("nothing")) && !is_lure(&at("folder/file")), "our own");
        if own != 0 {
            // Only root can make links of others.
            return;
        }
        lchown(at("door"), Some(12_345), None).unwrap();
        for name in ["two", "door/file", "folder/one"] {
            assert!(is_lure(&at(name)), "{name}");
        }
        assert!(!is_lure(&at("folder/file")), "no link on the way");
        // What is theirs, they may show; and what is everybody's.
        lchown(at("folder/file"), Some(12_345), None).unwrap();
        assert!(!is_lure(&at("two")));
        lchown(at("folder/file"), Some(54_321), None).unwrap();
        assert!(is_lure(&at("two")));
        for name in ["", "folder"] {
            set_permissions(at(name), Permissions::from_mode(0o755)).unwrap();
        }
        set_permissions(at("folder/file"), Permissions::from_mode(0o644)).unwrap();
        assert!(!is_lure(&at("two")));
    }

    #[test]
    fn a_rotated_file_may_be_stricter() {
        let root = tempfile::tempdir().unwrap();
        set_permissions(root.path(), Permissions::from_mode(0o755)).unwrap();
        let spec = Spec::Path { name: "app.log".to_owned(), path: root.path().join("app.log") };
        for (name, mode) in [("app.log", 0o644), ("app.log.1", 0o640)] {
            std::fs::write(root.path().join(name), "one\n").unwrap();
            set_permissions(root.path().join(name), Permissions::from_mode(mode)).unwrap();
        }
        let specs = [spec];
        assert_eq!(strictest(&specs, false), Privacy::Open);
        assert_eq!(strictest(&specs, true), Privacy::Private);
    }
}

//! The watcher: it says *look again*, and never what happened.
//!
//! The parent folder is watched, because a watch on a file dies with its inode. Everything that may be lost
//! here (events, watches, whole file systems that tell nothing) is covered by the follower's tick. The callback
//! does nothing but note names in a bounded set and ring a bell with room for one ring.
//!
//! It also counts how often a path got a new file: a life that began and was gone between two looks leaves no
//! other trace.

use notify::event::{CreateKind, ModifyKind, RenameMode};
use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use std::collections::{HashMap, HashSet};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// The most names that are noted between two looks; with more, everything is looked at.
const MAX_NAMES: usize = 1024;

/// What changed since the last look.
#[derive(Debug, Default)]
pub struct Dirty {
    /// True if anything may have changed.
    pub all: bool,
    /// The paths that changed, below the folders as they were given.
    pub paths: HashSet<PathBuf>,
    /// How often each path got a new file.
    pub births: HashMap<PathBuf, u32>,
}

/// Rings the follower's bell.
#[derive(Debug, Clone)]
pub struct Bell {
    dirty: Arc<Mutex<Dirty>>,
    ring: SyncSender<()>,
}

impl Bell {
    /// Says that everything is to be looked at.
    pub fn ring(&self) {
        self.note(|dirty| dirty.all = true);
    }

    fn note(&self, change: impl FnOnce(&mut Dirty)) {
        change(&mut self.dirty.lock().unwrap_or_else(PoisonError::into_inner));
        // Full means that it rings already.
        let _ = self.ring.try_send(());
    }

    fn event(&self, event: notify::Result<Event>) {
        let Ok(event) = event else { return self.ring() };
        if event.need_rescan() {
            return self.ring();
        }
        // Our own opening of files makes access events.
        if matches!(event.kind, EventKind::Access(_)) {
            return;
        }
        let birth = matches!(
            event.kind,
            EventKind::Create(CreateKind::File | CreateKind::Any | CreateKind::Other)
                | EventKind::Modify(ModifyKind::Name(RenameMode::To))
        );
        self.note(|dirty| {
            for path in event.paths {
                if dirty.paths.len() + dirty.births.len() >= MAX_NAMES {
                    dirty.all = true;
                    break;
                }
                if birth {
                    *dirty.births.entry(path.clone()).or_default() += 1;
                }
                dirty.paths.insert(path);
            }
        });
    }
}

/// The folders that are watched.
pub struct Watcher {
    inner: Option<RecommendedWatcher>,
    folders: HashMap<PathBuf, (u64, u64)>,
    dirty: Arc<Mutex<Dirty>>,
    bell: Receiver<()>,
    said: bool,
}

impl std::fmt::Debug for Watcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watcher").field("folders", &self.folders.len()).finish_non_exhaustive()
    }
}

impl Watcher {
    /// A watcher, and the bell that wakes who waits for it. Without one (no inotify instance left) it works
    /// by the tick alone, and `talk` says so.
    pub fn new(talk: &dyn Fn(&str)) -> (Watcher, Bell) {
        let (ring, bell) = sync_channel(1);
        let dirty = Arc::new(Mutex::new(Dirty::default()));
        let ringer = Bell { dirty: dirty.clone(), ring };
        let callback = ringer.clone();
        let inner = notify::recommended_watcher(move |event| callback.event(event));
        let mut watcher = Watcher { inner: None, folders: HashMap::new(), dirty, bell, said: false };
        match inner {
            Ok(inner) => watcher.inner = Some(inner),
            Err(error) => watcher.say(&error, talk),
        }
        (watcher, ringer)
    }

    /// Whether there is a folder that had to be watched and is not.
    pub fn is_blind(&self) -> bool {
        self.said
    }

    /// Watches a folder, again if another one stands there now; a folder that is not there waits for the tick.
    /// Returns true if the watch is new: what happened before it is not known.
    pub fn watch(&mut self, folder: &Path, talk: &dyn Fn(&str)) -> bool {
        let Ok(meta) = std::fs::metadata(folder) else {
            self.unwatch(folder);
            return false;
        };
        let ident = (meta.dev(), meta.ino());
        if self.folders.get(folder) == Some(&ident) {
            return false;
        }
        self.unwatch(folder);
        let Some(inner) = &mut self.inner else { return false };
        match inner.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.folders.insert(folder.to_owned(), ident);
                true
            }
            Err(error) => {
                self.say(&error, talk);
                false
            }
        }
    }

    fn unwatch(&mut self, folder: &Path) {
        if self.folders.remove(folder).is_some()
            && let Some(inner) = &mut self.inner
        {
            // It fails if the folder is gone, and its watch with it.
            let _ = inner.unwatch(folder);
        }
    }

    /// Watches no other folders than these any more.
    pub fn keep(&mut self, wanted: &HashSet<&Path>) {
        let others = self.folders.keys().filter(|folder| !wanted.contains(folder.as_path()));
        for folder in others.cloned().collect::<Vec<_>>() {
            self.unwatch(&folder);
        }
    }

    fn say(&mut self, error: &notify::Error, talk: &dyn Fn(&str)) {
        if !self.said {
            self.said = true;
            let cause = match &error.kind {
                notify::ErrorKind::MaxFilesWatch => "the limit of inotify watches is reached".to_owned(),
                notify::ErrorKind::Io(error) => error.to_string(),
                kind => format!("{kind:?}"),
            };
            talk(&format!(
                "warning: cannot watch for changes: {cause}; looking again every {} ms",
                super::follow::BLIND_TICK.as_millis()
            ));
        }
    }

    /// Waits for the bell; returns what changed meanwhile, nothing after the time is over.
    pub fn wait(&self, timeout: Duration) -> Dirty {
        match self.bell.recv_timeout(timeout) {
            Ok(()) | Err(RecvTimeoutError::Timeout) => {}
            // Nobody is left who could ring.
            Err(RecvTimeoutError::Disconnected) => std::thread::sleep(timeout),
        }
        self.take()
    }

    /// What changed since the last time.
    pub fn take(&self) -> Dirty {
        std::mem::take(&mut *self.dirty.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_file_and_a_rename_are_births_and_our_own_opening_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let (mut watcher, _bell) = Watcher::new(&|text| panic!("{text}"));
        assert!(watcher.watch(folder.path(), &|_| {}));
        assert!(!watcher.watch(folder.path(), &|_| {}));
        let (a, b) = (folder.path().join("a"), folder.path().join("b"));
        std::fs::write(&a, "x").unwrap();
        std::fs::rename(&a, &b).unwrap();
        let mut births = HashMap::new();
        for _ in 0..100 {
            let dirty = watcher.wait(Duration::from_millis(100));
            births.extend(dirty.births);
            if births.len() == 2 {
                break;
            }
        }
        assert_eq!((births.get(&a), births.get(&b)), (Some(&1), Some(&1)));
        // Let what is still on its way arrive: the last event of the rename names both paths.
        while !watcher.wait(Duration::from_millis(300)).paths.is_empty() {}
        std::fs::read(&b).unwrap();
        assert!(watcher.wait(Duration::from_millis(300)).paths.is_empty());
    }
}

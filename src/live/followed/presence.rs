//! Whether the path has a file that can be read: what is said when it has none, or when a look failed. A look that
//! failed concludes nothing.

use super::{Followed, Look};
use crate::live::source::State;
use crate::live::vector::Delta;
use crate::log::private::keeps_others_out;
use std::fs::Metadata;
use std::io;
use std::time::{Duration, Instant};

/// How long a path may be without a file before that is worth a notice: rotations take less.
const MISSING_AFTER: Duration = Duration::from_secs(1);

impl Followed {
    /// Notes a look that failed, and says so once.
    pub(super) fn fail(&mut self, look: &mut Look<'_>, cause: &str) {
        if self.trouble.as_deref() != Some(cause) {
            (look.talk)(&format!("warning: cannot follow '{}': {cause}", self.source.name.escape_debug()));
            self.trouble = Some(cause.to_owned());
        }
        if self.open.is_empty() {
            self.waiting = true;
            self.source.set_state(State::Refused);
        }
        if look.tick {
            self.end_quiet(look);
        }
    }

    /// The same for an error of the system. One that says nothing about the file leaves it unseen: its content is not
    /// news when it can be opened.
    pub(super) fn fail_with(&mut self, look: &mut Look<'_>, error: &io::Error) {
        self.fail(look, &error.to_string());
        let exhausted = [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE, rustix::io::Errno::NOMEM];
        if !exhausted.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) {
            self.looked = true;
        }
    }

    /// Says it once if the mode of a file that is read was made stricter, where all may ask: what was open stays open, to
    /// us as to whoever else has it open. The next file at the path is refused if it is as strict.
    pub(super) fn note_mode(&mut self, look: &mut Look<'_>, meta: &Metadata) {
        let closed = look.only_public && self.named && keeps_others_out(meta);
        if closed && !self.closed {
            let name = self.source.name.escape_debug();
            (look.talk)(&format!(
                "warning: some users here may no longer read '{name}', and all may ask for it: a restart asks for a token"
            ));
        }
        self.closed = closed;
    }

    pub(super) fn is_there(&mut self, look: &mut Look<'_>, readable: bool) {
        if self.missing_since.take().is_some() {
            // Moved away and back: the watcher counts that as a new file.
            self.lives = self.lives.max(self.births_seen);
        }
        if readable {
            self.trouble = None;
        }
        if std::mem::take(&mut self.waiting) {
            self.source.set_state(State::Following);
            self.say(look, "resumed", Delta::Same);
        }
    }

    pub(super) fn is_missing(&mut self, look: &mut Look<'_>) {
        let since = *self.missing_since.get_or_insert_with(Instant::now);
        if self.waiting || (self.looked && since.elapsed() < MISSING_AFTER) {
            return;
        }
        self.waiting = true;
        self.source.set_state(State::Waiting);
        // From the start on there was nothing: `hello` says so.
        if self.looked {
            self.say(look, "waiting", Delta::Same);
        }
    }
}

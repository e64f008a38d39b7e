//! Standard output, written so that it is known what was delivered.
//!
//! Delivered is what a file or a terminal has taken, and what the next program has read out of a pipe: what still lies
//! in the pipe when that program fails would be lost with it, so it does not count. A pipe is written to only while
//! it has room, so that a signal or a reader that went away is seen.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Stdout, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio_util::sync::CancellationToken;

/// What an empty pipe takes at once, and what one with room for a page does.
const PIPE_EMPTY: usize = 64 << 10;
const PIPE_PAGE: usize = 4 << 10;
/// How long a full pipe is waited for between two looks at the signals, and after a signal.
const LOOK: Timespec = Timespec { tv_sec: 0, tv_nsec: 100_000_000 };
const LAST_WAIT: Duration = Duration::from_secs(1);
/// The most cursors that wait for a reader; more are put together.
const MOST_MARKS: usize = 1024;

/// Standard output.
#[derive(Debug)]
pub(super) struct Output {
    file: File,
    is_pipe: bool,
    written: u64,
    /// What is delivered when so many bytes are: number of the stream, cursor.
    marks: VecDeque<(u64, usize, String)>,
    /// When the first wait after a signal ends.
    last: Option<Instant>,
}

impl Output {
    /// Takes standard output over.
    ///
    /// # Errors
    /// If there are no descriptors left.
    pub(super) fn new(stdout: &Stdout) -> io::Result<Output> {
        let file = File::from(stdout.as_fd().try_clone_to_owned()?);
        let is_pipe = file.metadata()?.file_type().is_fifo();
        Ok(Output { file, is_pipe, written: 0, marks: VecDeque::new(), last: None })
    }

    /// A handle by which to see that the reader went away; `None` for what is no pipe.
    pub(super) fn pipe(&self) -> Option<File> {
        self.is_pipe.then(|| self.file.try_clone().ok()).flatten()
    }

    /// Writes lines.
    ///
    /// # Errors
    /// `BrokenPipe` where nobody reads any more, `TimedOut` after a signal, and what the system says.
    pub(super) fn write(&mut self, mut bytes: &[u8], stop: &CancellationToken) -> io::Result<()> {
        while !bytes.is_empty() {
            let at_once = match self.is_pipe {
                false => bytes.len(),
                true => {
                    self.wait_for_room(stop)?;
                    if self.unread() == 0 { PIPE_EMPTY } else { PIPE_PAGE }
                }
            };
            match self.file.write(&bytes[..at_once.min(bytes.len())]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(len) => {
                    self.written += len as u64;
                    bytes = &bytes[len..];
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // Whoever shares the terminal or socket may have said that it must not block.
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => self.wait_for_room(stop)?,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn wait_for_room(&mut self, stop: &CancellationToken) -> io::Result<()> {
        loop {
            let mut fds = [PollFd::new(&self.file, PollFlags::OUT)];
            match poll(&mut fds, Some(&LOOK)) {
                Ok(0) | Err(rustix::io::Errno::INTR) => {}
                Ok(_) => return Ok(()),
                Err(error) => return Err(error.into()),
            }
            if stop.is_cancelled() && Instant::now() > *self.last.get_or_insert(Instant::now() + LAST_WAIT) {
                return Err(io::ErrorKind::TimedOut.into());
            }
        }
    }

    fn unread(&self) -> u64 {
        if self.is_pipe { rustix::io::ioctl_fionread(&self.file).unwrap_or(0) } else { 0 }
    }

    /// Remembers a cursor: all before it was written.
    pub(super) fn mark(&mut self, number: usize, id: String) {
        if self.marks.len() == MOST_MARKS
            && let Some(at) = self.marks.iter().rposition(|(_, own, _)| *own == number)
        {
            self.marks.remove(at);
        }
        self.marks.push_back((self.written, number, id));
    }

    /// The next cursor all before which was delivered.
    pub(super) fn delivered(&mut self) -> Option<(usize, String)> {
        let end = self.marks.front()?.0;
        if self.written - self.unread().min(self.written) < end {
            return None;
        }
        self.marks.pop_front().map(|(_, number, id)| (number, id))
    }

    /// Whether cursors wait for a reader.
    pub(super) fn has_marks(&self) -> bool {
        !self.marks.is_empty()
    }
}

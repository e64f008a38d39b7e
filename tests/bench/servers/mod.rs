//! The yardsticks. None of them is part of logcast: they show what the machine can do, and what the usual design
//! costs.

pub(crate) mod bare;
pub(crate) mod memory;
pub(crate) mod naive;
pub(crate) mod sendfile;

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::Path;

/// The head of every answer: no framing, the end of the connection ends the body; then a comment, so that a client
/// knows that it is seated.
pub(crate) const HEAD: &[u8] =
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n:\n\n";

/// Bytes that were not sent yet, as logcast has it.
const UNSENT: u32 = 128 << 10;

/// Says where a server listens, as logcast does.
pub(crate) fn announce(address: SocketAddr) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "http://{address}/")?;
    out.flush()
}

/// What makes a socket fast: no waiting for more, and little that was not sent yet. Without the latter a hundred
/// clients have more in the kernel than the caches hold, and each byte costs three times as much.
pub(crate) fn tune(stream: &tokio::net::TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    socket2::SockRef::from(stream).set_tcp_notsent_lowat(UNSENT)
}

/// Waits for somebody to write to a file: inotify on the file itself, which is never replaced here.
pub(crate) struct Bell(std::os::fd::OwnedFd);

impl Bell {
    pub(crate) fn on(path: &Path) -> io::Result<Bell> {
        use rustix::fs::inotify;
        let bell = inotify::init(inotify::CreateFlags::CLOEXEC)?;
        inotify::add_watch(&bell, path, inotify::WatchFlags::MODIFY)?;
        Ok(Bell(bell))
    }

    /// Returns when there was a write since the last time.
    pub(crate) fn wait(&self) -> io::Result<()> {
        let mut events = [0; 4096];
        rustix::io::read(&self.0, &mut events[..])?;
        Ok(())
    }
}

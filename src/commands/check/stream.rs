//! The small blocking reader of an event stream behind `logcast check URL`.
//!
//! A block counts once its empty line is there, as in a browser; a stream that is cut is asked for again with the
//! id of the last whole block. It asks by HTTP/1.0, whose answers have no chunks.

use super::{LOOK, MAX_LINE, Options, Stop, Verdict, plain};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

/// The wait before a cut stream is asked for again.
const RETRY: Duration = Duration::from_millis(300);
/// How long a connection and the head of an answer may take.
const HEAD: Duration = Duration::from_secs(10);

/// Reads events until the stream has ended, was silent for too long, or brought as many lines as wished.
pub(super) fn read(url: &str, options: &Options, stop: &Stop, verdict: &mut Verdict) -> io::Result<()> {
    let mut reader = Reader::new(url, options, stop, verdict);
    let mut first = true;
    while !stop.is_set() {
        match reader.connect() {
            Ok(None) => return Ok(()),
            Ok(Some(connection)) => {
                first = false;
                if reader.events(connection) {
                    return Ok(());
                }
            }
            Err(error) if first || error.kind() == io::ErrorKind::InvalidData => return Err(error),
            Err(_) => {}
        }
        if reader.last_line.elapsed() >= options.idle {
            return Ok(());
        }
        stop.wait(RETRY);
    }
    Ok(())
}

/// Whether a URL has no host.
pub(super) fn is_nowhere(url: &str) -> bool {
    url.starts_with("http://") && split(url).0.trim_start_matches(':').is_empty()
}

/// Host and path of a URL; the page's own URL means its stream.
fn split(url: &str) -> (&str, String) {
    let rest = url.trim_start_matches("http://");
    let rest = rest.split('#').next().unwrap_or_default();
    let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (path, query) = path.split_at(path.find('?').unwrap_or(path.len()));
    let path = if matches!(path, "" | "/") { "/stream-logs" } else { path };
    (host, format!("{path}{query}"))
}

struct Reader<'a> {
    host: &'a str,
    path: String,
    options: &'a Options,
    stop: &'a Stop,
    verdict: &'a mut Verdict,
    id: String,
    last_line: Instant,
}

impl<'a> Reader<'a> {
    fn new(url: &'a str, options: &'a Options, stop: &'a Stop, verdict: &'a mut Verdict) -> Reader<'a> {
        let (host, path) = split(url);
        Reader { host, path, options, stop, verdict, id: String::new(), last_line: Instant::now() }
    }

    /// Asks for the stream; `None` if there is no more of it.
    fn connect(&self) -> io::Result<Option<BufReader<TcpStream>>> {
        let host = self.host;
        let has_port = host.rsplit(']').next().is_some_and(|port| port.contains(':'));
        let address = if has_port { host.to_owned() } else { format!("{host}:80") };
        let mut tried = Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address"));
        for address in address.to_socket_addrs()? {
            tried = TcpStream::connect_timeout(&address, HEAD);
            if tried.is_ok() {
                break;
            }
        }
        let mut socket = tried?;
        socket.set_read_timeout(Some(LOOK))?;
        let resume = match self.id.as_str() {
            "" => String::new(),
            id => format!("Last-Event-ID: {id}\r\n"),
        };
        let path = &self.path;
        write!(socket, "GET {path} HTTP/1.0\r\nHost: {host}\r\nAccept: text/event-stream\r\n{resume}\r\n")?;
        let mut reader = BufReader::with_capacity(256 << 10, socket);
        let until = Instant::now() + HEAD;
        let (mut status, mut is_stream) = (String::new(), false);
        let mut line = Vec::new();
        loop {
            line.clear();
            self.read_line(&mut reader, &mut line, until)?;
            let text = String::from_utf8_lossy(&line).trim_end().to_ascii_lowercase();
            match text.as_str() {
                "" if line.is_empty() => return Err(io::ErrorKind::UnexpectedEof.into()),
                "" => break,
                _ if status.is_empty() => status = String::from_utf8_lossy(&line).trim_end().to_owned(),
                header => {
                    is_stream |= header
                        .strip_prefix("content-type:")
                        .is_some_and(|kind| kind.trim_start().starts_with("text/event-stream"));
                }
            }
        }
        let wrong = |text: String| Err(io::Error::new(io::ErrorKind::InvalidData, text));
        match status.split(' ').nth(1) {
            Some("200") if is_stream => Ok(Some(reader)),
            Some("200") => wrong("the answer is no event stream".to_owned()),
            Some("204") => Ok(None),
            _ => wrong(format!("the server says '{}'", plain(&status))),
        }
    }

    /// Reads a line with its newline; a time-out of the socket is waited out until `until`.
    fn read_line(
        &self,
        from: &mut BufReader<TcpStream>,
        line: &mut Vec<u8>,
        until: Instant,
    ) -> io::Result<()> {
        loop {
            match from.by_ref().take(MAX_LINE).read_until(b'\n', line) {
                Ok(_) => return Ok(()),
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                    if Instant::now() >= until || self.stop.is_set() {
                        return Err(io::ErrorKind::TimedOut.into());
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Reads events until the stream is cut; true if the check is over.
    fn events(&mut self, mut from: BufReader<TcpStream>) -> bool {
        let (mut name, mut data, mut next_id) = (String::new(), None::<Vec<u8>>, self.id.clone());
        let mut line = Vec::new();
        loop {
            line.clear();
            match self.read_line(&mut from, &mut line, self.last_line + self.options.idle) {
                Err(error) if error.kind() == io::ErrorKind::TimedOut => return true,
                Err(_) => return false,
                // A block that was cut off does not count.
                Ok(()) if !line.ends_with(b"\n") => return false,
                Ok(()) => line.truncate(line.len() - 1),
            }
            if let Some(value) = line.strip_prefix(b"data:") {
                data = Some(value.strip_prefix(b" ").unwrap_or(value).to_vec());
            } else if let Some(value) = line.strip_prefix(b"id: ") {
                next_id = String::from_utf8_lossy(value).into_owned();
            } else if let Some(value) = line.strip_prefix(b"event: ") {
                name = String::from_utf8_lossy(value).into_owned();
            } else if line.is_empty() {
                self.id.clone_from(&next_id);
                match (name.as_str(), data.take()) {
                    ("", Some(text)) => {
                        self.last_line = Instant::now();
                        self.verdict.line(&text);
                    }
                    ("gap", Some(text)) => self.verdict.gap(&String::from_utf8_lossy(&text)),
                    _ => {}
                }
                name.clear();
                let enough = self.options.count.is_some_and(|count| self.verdict.numbered >= count);
                // A busy stream leaves no silence in which a signal or the clock would be looked at.
                if enough || self.stop.is_set() || self.last_line.elapsed() >= self.options.idle {
                    return true;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_means_its_stream() {
        for (url, host, path) in [
            ("http://127.0.0.1:8000/", "127.0.0.1:8000", "/stream-logs"),
            ("http://[::1]:8000", "[::1]:8000", "/stream-logs"),
            ("http://h/?token=a/b", "h", "/stream-logs?token=a/b"),
            ("http://h?lines=all", "h", "/stream-logs?lines=all"),
            ("http://h/logs/stream-logs?lines=all#top", "h", "/logs/stream-logs?lines=all"),
        ] {
            assert_eq!(split(url), (host, path.to_owned()), "{url}");
        }
    }
}

//! Plain HTTP/1.1 for tests: a connection, a request of any bytes, an answer.

use super::{DEADLINE, Server};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

/// An answer to a plain request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Response {
    /// The status.
    pub(crate) status: u16,
    /// Header names in lower case, and values.
    pub(crate) headers: Vec<(String, String)>,
    /// The body, unchunked.
    pub(crate) body: Vec<u8>,
}

impl Response {
    /// A header's value.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()))
    }
}

/// A connection to the server, small in its buffers so that a stalled client is felt.
pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let socket = TcpStream::connect(address).expect("a connection");
    socket.set_read_timeout(Some(DEADLINE)).expect("a time-out");
    socket.set_write_timeout(Some(DEADLINE)).expect("a time-out");
    socket
}

/// GET and the whole answer.
#[track_caller]
pub(crate) fn get(server: &Server, target: &str) -> Response {
    let host = server.address;
    raw(server, format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap_or_else(|| panic!("no answer to {target}"))
}

/// Sends bytes and reads to the end of the connection; `None` if it was closed without an answer.
pub(crate) fn raw(server: &Server, request: &[u8]) -> Option<Response> {
    let mut socket = connect(server.address);
    // A server that refuses early may close before all is written: its answer counts.
    let _ = socket.write_all(request);
    let mut all = Vec::new();
    let mut block = [0; 65536];
    let end = Instant::now() + DEADLINE;
    loop {
        match socket.read(&mut block) {
            Ok(0) => break,
            Ok(len) => all.extend_from_slice(&block[..len]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                panic!("the connection stayed open after {} bytes", all.len())
            }
            Err(_) => break,
        }
        assert!(Instant::now() < end, "the answer does not end");
    }
    let head = all.windows(4).position(|four| four == b"\r\n\r\n")?;
    let mut response = parse_head(&all[..head]);
    response.body = all.split_off(head + 4);
    if response.header("transfer-encoding") == Some("chunked") {
        response.body = Chunks::default().decode(&response.body);
    }
    Some(response)
}

/// Reads a head; what came behind it is given back.
pub(crate) fn read_head(socket: &mut TcpStream) -> (Response, Vec<u8>) {
    let mut bytes = Vec::new();
    let mut block = [0; 4096];
    loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(end + 4);
            return (parse_head(&bytes[..end]), rest);
        }
        let len = socket.read(&mut block).expect("an answer in time");
        assert!(len > 0, "closed before the answer: {:?}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&block[..len]);
    }
}

fn parse_head(bytes: &[u8]) -> Response {
    let head = std::str::from_utf8(bytes).expect("a head in ASCII");
    let mut lines = head.split("\r\n");
    let status = lines.next().expect("a status line");
    let status = status.split(' ').nth(1).expect("a status").parse().expect("a number");
    let headers = lines.map(|line| {
        let (name, value) = line.split_once(": ").unwrap_or_else(|| panic!("a header {line:?}"));
        (name.to_ascii_lowercase(), value.to_owned())
    });
    Response { status, headers: headers.collect(), body: Vec::new() }
}

/// Chunked transfer coding, without extensions and trailers: the server sends neither.
#[derive(Default)]
pub(crate) struct Chunks {
    pending: Vec<u8>,
    state: Coding,
}

#[derive(Clone, Copy, Default, PartialEq)]
enum Coding {
    #[default]
    Size,
    Data(usize),
    DataEnd,
    Last,
    Done,
}

impl Chunks {
    /// Takes bytes of the connection, cut anywhere, and gives those of the body.
    pub(crate) fn decode(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let mut body = Vec::new();
        let mut rest = self.pending.as_slice();
        loop {
            match self.state {
                Coding::Data(0) => self.state = Coding::DataEnd,
                Coding::Data(_) if rest.is_empty() => break,
                Coding::Data(left) => {
                    let (data, behind) = rest.split_at(left.min(rest.len()));
                    body.extend_from_slice(data);
                    self.state = Coding::Data(left - data.len());
                    rest = behind;
                }
                Coding::Done => {
                    assert!(rest.is_empty(), "bytes after the last chunk");
                    break;
                }
                Coding::Size | Coding::DataEnd | Coding::Last => {
                    let Some(len) = rest.windows(2).position(|pair| pair == b"\r\n") else { break };
                    let line = std::str::from_utf8(&rest[..len]).expect("a chunk's size");
                    rest = &rest[len + 2..];
                    self.state = match (self.state, line) {
                        (Coding::Size, "0") => Coding::Last,
                        (Coding::Size, _) => {
                            Coding::Data(usize::from_str_radix(line, 16).expect("a chunk's size"))
                        }
                        (Coding::DataEnd, "") => Coding::Size,
                        (Coding::Last, "") => Coding::Done,
                        _ => panic!("{line:?} where a chunk ends"),
                    };
                }
            }
        }
        let left = rest.len();
        self.pending.drain(..self.pending.len() - left);
        body
    }

    /// Whether the last chunk came.
    pub(crate) fn ended(&self) -> bool {
        self.state == Coding::Done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_in_any_pieces() {
        let bytes = b"5\r\nhello\r\n1\r\n \r\nA\r\nworld\r\n0\r\n\r\n0\r\n\r\n";
        for len in 1..=bytes.len() {
            let mut chunks = Chunks::default();
            let body: Vec<u8> = bytes.chunks(len).flat_map(|piece| chunks.decode(piece)).collect();
            assert_eq!(body, b"hello world\r\n0\r\n");
            assert!(chunks.ended());
        }
    }

    #[test]
    fn broken_chunks() {
        for bytes in [&b"5\r\nhelloX\r\n"[..], b"x\r\n", b"0\r\n\r\nmore", b"\r\n"] {
            let read = std::panic::catch_unwind(|| Chunks::default().decode(bytes));
            assert!(read.is_err(), "{bytes:?} was read");
        }
        assert!(!Chunks::default().ended(), "nothing came");
    }
}

//! The floors of catching up: a file of ready bytes through sendfile, which copies nothing in this process, and
//! through a loop of read and write, which on some machines is the faster one since its client sleeps less.

use super::announce;
use anyhow::Result;
use std::fs::File;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};

/// Bytes of a call of sendfile, and of a read.
const CALL: usize = 1 << 20;
const READ: usize = 256 << 10;

/// How the bytes go.
#[derive(Debug, Clone, Copy)]
pub(crate) enum How {
    Sendfile,
    Copy,
}

/// Serves the file to each client from its start to its end, until it is killed.
pub(crate) fn run(path: &Path, how: How) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    announce(listener.local_addr()?)?;
    for stream in listener.incoming() {
        let (stream, path) = (stream?, path.to_owned());
        std::thread::spawn(move || {
            let _ = client(stream, path, how);
        });
    }
    Ok(())
}

fn client(mut stream: TcpStream, path: PathBuf, how: How) -> Result<()> {
    let mut request = [0; 1024];
    let _ = stream.read(&mut request)?;
    stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")?;
    let mut file = File::open(path)?;
    match how {
        How::Sendfile => while rustix::fs::sendfile(&stream, &file, None, CALL)? > 0 {},
        How::Copy => {
            let mut buf = vec![0; READ];
            while let n @ 1.. = file.read(&mut buf)? {
                stream.write_all(&buf[..n])?;
            }
        }
    }
    Ok(())
}

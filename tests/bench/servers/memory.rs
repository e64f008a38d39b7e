//! The floor without a file: the same bytes from memory, one block again and again, to every client.
//!
//! A client says when to begin with a byte behind its request, so that all of them begin together.

use super::{HEAD, announce, tune};
use anyhow::Result;
use std::sync::Arc;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// Lines of a block: 128 KiB of log.
const BLOCK_LINES: usize = 1092;

/// Serves so many lines to each client, until it is killed.
pub(crate) fn run(lines: u64) -> Result<()> {
    let line = [b'x'; crate::writer::LINE - 1];
    let mut wire = Vec::new();
    super::bare::frame(&[&line[..], b"\n"].concat().repeat(BLOCK_LINES), 0, &mut wire);
    let wire = Arc::new(wire);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        announce(listener.local_addr()?)?;
        loop {
            let (stream, _) = listener.accept().await?;
            tune(&stream)?;
            let wire = wire.clone();
            tokio::spawn(async move {
                let _ = client(stream, &wire, lines).await;
            });
        }
    })
}

async fn client(mut stream: TcpStream, wire: &[u8], lines: u64) -> std::io::Result<()> {
    let mut request = [0; 1024];
    let _ = stream.read(&mut request).await?;
    stream.write_all(HEAD).await?;
    let _ = stream.read(&mut request).await?;
    let line = wire.len() / BLOCK_LINES;
    let mut left = lines as usize * line;
    while left > 0 {
        let n = left.min(wire.len());
        stream.write_all(&wire[..n]).await?;
        left -= n;
    }
    // The client closes when it has all.
    let _ = stream.read(&mut request).await?;
    Ok(())
}

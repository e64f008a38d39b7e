//! A client that comes late and wants all: a large file from its start, against sendfile of the same bytes. MB/s are
//! those of the wire.

use super::{Bench, note};
use crate::decode::{Look, Shape};
use crate::load::{Load, Outcome, Request, Until};
use crate::process::Process;
use crate::started::{Kind, Started, address_of};
use anyhow::{Context, Result, ensure};
use std::fs::File;
use std::io::{BufWriter, Read, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

const TARGET: &str = "/stream-logs?lines=all&follow=false";

/// One event a line, against sendfile of the events.
pub(crate) fn events(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    let log = bench.generated(bench.options.scaled(bench.options.size))?;
    let wire = bench.folder.join("wire.sse");
    // The wire's bytes are what logcast sends, out of their chunks.
    let started = Started::start(&Kind::Logcast, &log)?;
    save(started.address, &wire)?;
    drop(started);
    measure(bench, scenario, &log, &wire, "text/event-stream", Shape::EVENT)?;
    std::fs::remove_file(wire)?;
    Ok(())
}

/// Bare lines, against sendfile of the file.
pub(crate) fn text(bench: &mut Bench<'_>, scenario: &str) -> Result<()> {
    let log = bench.generated(bench.options.scaled(bench.options.size))?;
    measure(bench, scenario, &log, &log, "text/plain", Shape::PLAIN)
}

fn measure(
    bench: &mut Bench<'_>,
    scenario: &str,
    log: &Path,
    wire: &Path,
    accept: &'static str,
    shape: Shape,
) -> Result<()> {
    let size = std::fs::metadata(wire)?.len();
    let whole = |outcome: &Outcome| {
        ensure!(outcome.bytes.abs_diff(size) < 4096, "{} of {size} bytes came", outcome.bytes);
        Ok(())
    };
    for _ in 0..bench.options.rounds {
        let path = wire.to_str().context("a path in UTF-8")?;
        for floor in ["sendfile", "copy"] {
            let server = Process::role(&[floor, path])?;
            let address = address_of(&server.line()?)?;
            let request = Request { accept, ..Request::events(address, "/", shape, Look::Count) };
            let (outcome, cpu) = fetch(&server, &request)?;
            whole(&outcome)?;
            note(bench, scenario, floor, &outcome, cpu);
        }
        for kind in Kind::ours(bench.options) {
            let started = Started::start(&kind, log)?;
            let address = started.address;
            let request = Request { accept, ..Request::events(address, TARGET, shape, Look::Count) };
            let (outcome, cpu) = fetch(&started.process, &request)?;
            whole(&outcome)?;
            note(bench, scenario, kind.name(), &outcome, cpu);
        }
    }
    Ok(())
}

fn fetch(server: &Process, request: &Request) -> Result<(Outcome, f64)> {
    let before = server.cpu_seconds()?;
    let mut load = Load::ask(1, request)?;
    let outcome = load.run(Until::End, Duration::from_secs(5), super::DEADLINE, |_| Ok(()))?;
    ensure!(outcome.closed == 0, "the response was cut");
    Ok((outcome, server.cpu_seconds()? - before))
}

/// The body of a response into a file. HTTP/1.0 has no chunks.
fn save(address: SocketAddr, into: &PathBuf) -> Result<()> {
    let mut stream = std::net::TcpStream::connect(address)?;
    stream.set_read_timeout(Some(super::DEADLINE))?;
    write!(stream, "GET {TARGET} HTTP/1.0\r\nhost: {address}\r\n\r\n")?;
    let mut out = BufWriter::new(File::create(into)?);
    let mut head = Vec::new();
    let mut byte = [0; 1];
    while !head.ends_with(b"\r\n\r\n") {
        ensure!(head.len() < 16 << 10 && stream.read(&mut byte)? == 1, "no head");
        head.push(byte[0]);
    }
    ensure!(head.starts_with(b"HTTP/1.0 200"), "not 200");
    let mut buf = vec![0; 1 << 20];
    loop {
        let n = stream.read(&mut buf)?;
        if n == 0 {
            break;
        }
        out.write_all(&buf[..n])?;
    }
    out.flush()?;
    Ok(())
}

//! The load client: any number of connections on one thread with epoll, each read into one shared buffer.
//!
//! It has to cost much less than the servers, since it runs beside them: it copies each byte once, out of the
//! kernel, and counts newlines over it.

use crate::decode::{Decoder, Look, Shape};
use crate::histogram::Histogram;
use crate::writer::now_ns;
use anyhow::{Context, Result, bail};
use rustix::event::epoll::{self, Event, EventData, EventFlags};
use rustix::time::Timespec;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// Bytes of a read: it stays in the second cache.
const READ: usize = 128 << 10;
/// How long the connections may take to be seated.
const SEATED: Duration = Duration::from_secs(30);
/// Connections that are opened before their answers are read.
const STRIDE: usize = 64;

/// What each connection asks for.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) address: SocketAddr,
    /// Path and query.
    pub(crate) target: String,
    /// The `accept` header.
    pub(crate) accept: &'static str,
    pub(crate) shape: Shape,
    pub(crate) look: Look,
    /// What is said behind the request.
    pub(crate) words: Vec<u8>,
}

impl Request {
    /// An event stream.
    pub(crate) fn events(address: SocketAddr, target: &str, shape: Shape, look: Look) -> Request {
        Request {
            address,
            target: target.to_owned(),
            accept: "text/event-stream",
            shape,
            look,
            words: Vec::new(),
        }
    }

    /// Opens a connection and asks.
    pub(crate) fn send(&self) -> Result<TcpStream> {
        let mut stream = TcpStream::connect(self.address).context("cannot connect")?;
        stream.set_nodelay(true)?;
        let (target, address, accept) = (&self.target, self.address, self.accept);
        let upgrade = match self.shape.bytes > 0 {
            true => {
                "connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
                 sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            }
            false => "",
        };
        let head = format!("GET {target} HTTP/1.1\r\nhost: {address}\r\naccept: {accept}\r\n{upgrade}\r\n");
        if !self.shape.headless {
            stream.write_all(&[head.as_bytes(), &self.words].concat())?;
        }
        stream.set_nonblocking(true)?;
        Ok(stream)
    }
}

/// When a run is over.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Until {
    /// Every connection has so many lines.
    Lines(u64),
    /// Every response has ended.
    End,
    /// A time has passed.
    Passed(Duration),
}

/// What a run gave.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// From the start to the last byte.
    pub(crate) elapsed: Duration,
    /// Lines of all connections together.
    pub(crate) lines: u64,
    /// Bytes of all bodies.
    pub(crate) bytes: u64,
    /// Lines that did not come, where a number was wanted.
    pub(crate) lost: u64,
    /// Pieces whose last line had another number than was due.
    pub(crate) wrong: u64,
    /// Connections that ended before their time.
    pub(crate) closed: u64,
    pub(crate) latencies: Histogram,
}

struct Connection {
    stream: TcpStream,
    decoder: Decoder,
    open: bool,
}

/// Open connections.
pub(crate) struct Load {
    poll: OwnedFd,
    connections: Vec<Connection>,
    events: Vec<Event>,
    buf: Vec<u8>,
    latencies: Histogram,
    last_byte: Instant,
}

impl Load {
    /// Opens `count` connections and waits until each has its first bytes of the body.
    pub(crate) fn open(count: usize, request: &Request) -> Result<Load> {
        let mut load = Load::ask(count, request)?;
        load.seat(count)?;
        Ok(load)
    }

    /// A request of its own for each connection; `greeted` tells whether each answer begins before the first line.
    pub(crate) fn each(requests: &[Request], greeted: bool) -> Result<Load> {
        let mut load = Load::asking(requests.iter(), greeted)?;
        if greeted {
            load.seat(requests.len())?;
        }
        Ok(load)
    }

    /// Opens connections and does not wait for answers, for those that answer with all at once.
    pub(crate) fn ask(count: usize, request: &Request) -> Result<Load> {
        Load::asking(std::iter::repeat_n(request, count), true)
    }

    fn asking<'a>(requests: impl ExactSizeIterator<Item = &'a Request>, greeted: bool) -> Result<Load> {
        let mut load = Load {
            poll: epoll::create(epoll::CreateFlags::CLOEXEC)?,
            connections: Vec::with_capacity(requests.len()),
            events: Vec::with_capacity(256),
            buf: vec![0; READ],
            latencies: Histogram::new(),
            last_byte: Instant::now(),
        };
        for (at, request) in requests.enumerate() {
            let stream = request.send()?;
            epoll::add(&load.poll, &stream, EventData::new_u64(at as u64), EventFlags::IN)?;
            let decoder = Decoder::new(request.shape, request.look);
            load.connections.push(Connection { stream, decoder, open: true });
            if greeted && at % STRIDE == STRIDE - 1 {
                load.seat(at + 1)?;
            }
        }
        Ok(load)
    }

    fn seat(&mut self, count: usize) -> Result<()> {
        let until = Instant::now() + SEATED;
        while self.connections[..count].iter().any(|connection| connection.decoder.bytes == 0) {
            self.step(Duration::from_millis(100))?;
            if Instant::now() > until {
                bail!("not all of {count} connections were answered");
            }
        }
        Ok(())
    }

    /// Reads what there is for a while, so that nothing is on its way.
    pub(crate) fn settle(&mut self, time: Duration) -> Result<()> {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.step(Duration::from_millis(20))?;
        }
        Ok(())
    }

    /// Sends a byte on every connection, for a server that waits for it.
    pub(crate) fn go(&mut self) -> Result<()> {
        for connection in &mut self.connections {
            connection.stream.write_all(b"\n")?;
        }
        Ok(())
    }

    /// Reads until it is over; lines count from the call of `start` on. It is over too when nothing has come for
    /// `quiet`, or at the deadline.
    pub(crate) fn run(
        &mut self,
        until: Until,
        quiet: Duration,
        deadline: Duration,
        start: impl FnOnce(&mut Load) -> Result<()>,
    ) -> Result<Outcome> {
        for connection in &mut self.connections {
            connection.decoder.begin();
            connection.decoder.wrong = 0;
        }
        self.latencies = Histogram::new();
        let began = Instant::now();
        let bytes_before = self.bytes();
        self.last_byte = began;
        start(self)?;
        let mut last_check = 0;
        loop {
            self.step(Duration::from_millis(20))?;
            let now = Instant::now();
            let goal = match until {
                Until::Lines(lines) => lines,
                _ => u64::MAX,
            };
            // The slowest is looked for where the last look found it: most looks are at one connection.
            while last_check < self.connections.len() && {
                let connection = &self.connections[last_check];
                !connection.open || connection.decoder.ended() || connection.decoder.lines() >= goal
            } {
                last_check += 1;
            }
            let passed = matches!(until, Until::Passed(time) if now - began >= time);
            let silent = !matches!(until, Until::Passed(_)) && now - self.last_byte > quiet;
            if last_check == self.connections.len() || passed || silent || now - began > deadline {
                break;
            }
        }
        let lines = self.connections.iter().map(|connection| connection.decoder.lines());
        let lost = match until {
            Until::Lines(goal) => lines.clone().map(|lines| goal.saturating_sub(lines)).sum(),
            _ => 0,
        };
        let closed = |connection: &&Connection| !connection.open && !connection.decoder.ended();
        Ok(Outcome {
            elapsed: self.last_byte - began,
            lines: lines.sum(),
            bytes: self.bytes() - bytes_before,
            lost,
            wrong: self.connections.iter().map(|connection| connection.decoder.wrong).sum(),
            closed: self.connections.iter().filter(closed).count() as u64,
            latencies: std::mem::replace(&mut self.latencies, Histogram::new()),
        })
    }

    fn bytes(&self) -> u64 {
        self.connections.iter().map(|connection| connection.decoder.bytes).sum()
    }

    /// One wait, and one read of each connection that has something.
    fn step(&mut self, wait: Duration) -> Result<()> {
        let wait = Timespec { tv_sec: 0, tv_nsec: i64::from(wait.subsec_nanos()) };
        self.events.clear();
        match epoll::wait(&self.poll, rustix::buffer::spare_capacity(&mut self.events), Some(&wait)) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        for event in &self.events {
            let data = event.data;
            let connection = &mut self.connections[data.u64() as usize];
            match connection.stream.read(&mut self.buf) {
                Ok(0) => {
                    connection.decoder.close();
                    connection.open = false;
                    epoll::delete(&self.poll, &connection.stream)?;
                }
                Ok(n) => {
                    let clocks = if connection.decoder.wants_clocks() { now_ns() } else { 0 };
                    connection.decoder.take(&self.buf[..n], clocks, &mut self.latencies)?;
                    self.last_byte = Instant::now();
                }
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => {}
                Err(_) => {
                    connection.open = false;
                    epoll::delete(&self.poll, &connection.stream)?;
                }
            }
        }
        Ok(())
    }
}

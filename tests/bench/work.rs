//! Fixed work on logcast's own parts, for counting instructions: no clock and no network decides how much is done.

use anyhow::{Context, Result, bail, ensure};
use futures_util::StreamExt;
use logcast::live::backlog::Backlog;
use logcast::live::client::{Client, Opened, Options};
use logcast::live::feed::Hub;
use logcast::live::followed::{Followed, Look};
use logcast::live::resume::Start;
use logcast::live::view::ViewKey;
use logcast::log::encode::{Block, Encoder, Format, Stamp};
use logcast::log::map::Map;
use std::fs::File;
use std::future::Future;
use std::hint::black_box;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Lines of a block at speed: 64 KiB.
const BLOCK_LINES: u64 = 546;
/// Records for each client of the delivery.
const RECORDS: u64 = 200;
/// The longest wait for bytes that are due.
const DUE: Duration = Duration::from_secs(60);

/// A part, and two amounts of work.
pub(crate) struct Part {
    /// Its name in the record.
    pub(crate) name: &'static str,
    /// The lesser amount.
    pub(crate) less: u64,
    /// The greater.
    pub(crate) more: u64,
    /// Lines, or lines times clients, for each unit of work.
    unit: u64,
}

impl Part {
    /// Lines in an amount of work.
    pub(crate) fn lines(&self, amount: u64) -> u64 {
        amount * self.unit
    }
}

/// All parts.
pub(crate) const PARTS: &[Part] = &[
    // Lines to events, the fast path.
    Part { name: "encoder", less: 50, more: 150, unit: BLOCK_LINES },
    // A file that grows by blocks, with one view: look, read, cut, encode, publish.
    Part { name: "follower", less: 50, more: 150, unit: BLOCK_LINES },
    // The same a line at a time: what a look costs.
    Part { name: "follower-single", less: 200, more: 600, unit: 1 },
    // Clients that share single lines of a view: what one more of them costs a line.
    Part { name: "delivery", less: 10, more: 30, unit: RECORDS },
    // A client that reads a file from its start.
    Part { name: "catch-up", less: 50, more: 150, unit: BLOCK_LINES },
];

/// Does an amount of a part's work.
pub(crate) fn run(part: &str, amount: u64) -> Result<()> {
    match part {
        "encoder" => encoder(amount),
        "follower" => block_on(follower(amount, &block())),
        "follower-single" => block_on(follower(amount, &line())),
        "delivery" => block_on(delivery(amount)),
        "catch-up" => block_on(catch_up(amount)),
        _ => bail!("no such part: {part}"),
    }
}

fn block_on(work: impl Future<Output = Result<()>>) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async { tokio::time::timeout(DUE, work).await.context("it takes too long")? })
}

/// A line of 120 bytes.
pub(crate) fn line() -> Vec<u8> {
    let mut line = b"2026-01-01T00:00:00.000Z INFO checkout order=247238 ms=701 user=968 plan=pro".to_vec();
    line.resize(119, b'.');
    line.push(b'\n');
    line
}

/// 64 KiB of them.
pub(crate) fn block() -> Vec<u8> {
    line().repeat(BLOCK_LINES as usize)
}

/// A stamp like that of one file.
pub(crate) fn stamp() -> Stamp {
    let mut stamp = Stamp::default();
    stamp.before = b"eTJq6bHbKHkEtM".to_vec();
    stamp
}

fn encoder(blocks: u64) -> Result<()> {
    let (bytes, stamp) = (block(), stamp());
    let encoder = Encoder::new(Format::Sse, "app.log");
    let mut out = Vec::new();
    let mut from = 0;
    for _ in 0..blocks {
        let to = from + bytes.len() as u64;
        out.clear();
        encoder.encode(
            &stamp,
            Block { bytes: black_box(&bytes), from, omitted: 0, wide: None, check: 0, to, map: Map::SAME },
            &mut out,
        );
        black_box(&out);
        from = to;
    }
    Ok(())
}

/// A log with a first line, followed, and its hub.
struct Site {
    folder: TempDir,
    file: File,
    hub: Arc<Hub>,
    followed: Followed,
    buf: Vec<u8>,
}

impl Site {
    fn new(first: &[u8]) -> Result<Site> {
        let folder = tempfile::tempdir()?;
        let path = path_in(&folder);
        let mut file = File::create(&path)?;
        file.write_all(first)?;
        let hub = Arc::new(Hub::default());
        let source = hub.join("app.log".to_owned(), Some(path.clone()));
        let followed = Followed::new(source, path, false);
        let mut site = Site { folder, file, hub, followed, buf: Vec::new() };
        site.look();
        Ok(site)
    }

    fn look(&mut self) {
        let mut look =
            Look { hub: &self.hub, buf: &mut self.buf, talk: &|_| {}, tick: false, only_public: false };
        self.followed.look(&mut look);
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes)?;
        self.look();
        Ok(())
    }

    async fn client(&self, backlog: Backlog, follow: bool) -> Result<Client> {
        let seat = self.hub.enter(ViewKey::all(Format::Sse)).expect("few views");
        let options = Options { start: Start::Backlog(backlog), follow, until: None };
        match Client::open(seat, options, CancellationToken::new()).await {
            Opened::Stream(client) => Ok(*client),
            Opened::AllDelivered => bail!("nothing to deliver"),
        }
    }
}

fn path_in(folder: &TempDir) -> PathBuf {
    folder.path().join("app.log")
}

async fn follower(appends: u64, bytes: &[u8]) -> Result<()> {
    let mut site = Site::new(&line())?;
    // A client at the tip: lines that nobody shares are not encoded.
    let mut stream = Box::pin(site.client(Backlog::Last(0), true).await?.into_stream());
    stream.next().await.context("a greeting")??;
    tokio::select! {
        biased;
        _ = stream.next() => bail!("a line before there was one"),
        () = std::future::ready(()) => {}
    }
    for _ in 0..appends {
        site.append(bytes)?;
    }
    let size = std::fs::metadata(path_in(&site.folder))?.len();
    let source = site.hub.source_named("app.log").context("a source")?;
    let at = source.status().current.context("a generation")?.1.offset;
    ensure!(at == size, "followed to {at} of {size}");
    drop(stream);
    Ok(())
}

async fn delivery(clients: u64) -> Result<()> {
    let line = line();
    let mut site = Site::new(&line)?;
    let mut streams = Vec::new();
    for _ in 0..clients {
        let mut stream = Box::pin(site.client(Backlog::Last(0), true).await?.into_stream());
        stream.next().await.context("a greeting")??;
        streams.push(stream);
    }
    for _ in 0..RECORDS {
        site.append(&line)?;
        for stream in &mut streams {
            let bytes = stream.next().await.context("a line")??;
            ensure!(bytes.ends_with(b"..\n\n"), "not a line: {bytes:?}");
        }
    }
    Ok(())
}

async fn catch_up(blocks: u64) -> Result<()> {
    let bytes = block();
    let folder = tempfile::tempdir()?;
    let mut file = File::create(path_in(&folder))?;
    for _ in 0..blocks {
        file.write_all(&bytes)?;
    }
    let hub = Arc::new(Hub::default());
    let source = hub.join("app.log".to_owned(), Some(path_in(&folder)));
    let followed = Followed::new(source, path_in(&folder), false);
    let mut site = Site { folder, file, hub, followed, buf: Vec::new() };
    site.look();
    let mut stream = Box::pin(site.client(Backlog::All, false).await?.into_stream());
    let mut sent = 0;
    while let Some(part) = stream.next().await {
        sent += part?.len() as u64;
    }
    ensure!(sent > blocks * bytes.len() as u64, "only {sent} bytes came");
    Ok(())
}

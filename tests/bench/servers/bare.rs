//! The bare sender, the yardstick of promise 4: the least program that follows one file and sends it as an event
//! stream to all clients.
//!
//! inotify, pread, one pass that writes `id` and `data` around each line into a block, and the same block to every
//! socket. Ids are as long as logcast's and hold an offset, but nothing proves them. No rotation, no resume, no
//! backlog, no formats, no HTTP beyond a fixed head. It loses nothing because it waits for its slowest client,
//! which a real server must not do. Blocks are used again, so that it never allocates at speed.

use super::{Bell, HEAD, announce, tune};
use anyhow::Result;
use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::Thread;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Bytes of a read.
const READ: usize = 128 << 10;
/// Blocks that the slowest client may be behind.
const RING: u64 = 16;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What stands before the five digits of the offset.
const FRAME: &[u8] = b"id: eTJq6bHbKHkEtM6bHbKHkE";

type Block = Arc<Vec<u8>>;

struct Shared {
    ring: Mutex<Vec<Block>>,
    head: watch::Sender<u64>,
    clients: Mutex<Vec<Arc<AtomicU64>>>,
    /// Set while the reader waits for the slowest client.
    waiting: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves the file until it is killed.
pub(crate) fn run(path: &Path) -> Result<()> {
    let shared = Arc::new(Shared {
        ring: Mutex::new(vec![Block::default(); RING as usize]),
        head: watch::Sender::new(0),
        clients: Mutex::default(),
        waiting: AtomicBool::new(false),
    });
    let (file, bell) = (File::open(path)?, Bell::on(path)?);
    let reading = shared.clone();
    let reader = std::thread::spawn(move || read(&file, &bell, &reading)).thread().clone();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async move {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        announce(listener.local_addr()?)?;
        loop {
            let (stream, _) = listener.accept().await?;
            tune(&stream)?;
            tokio::spawn(client(stream, shared.clone(), reader.clone()));
        }
    })
}

async fn client(mut stream: TcpStream, shared: Arc<Shared>, reader: Thread) {
    let mut request = [0; 1024];
    let _ = stream.read(&mut request).await;
    let mut head = shared.head.subscribe();
    let position = Arc::new(AtomicU64::new(u64::MAX));
    // Under the lock no block is published between the look at the head and the seat.
    let mut at = {
        let mut clients = lock(&shared.clients);
        let at = *head.borrow_and_update();
        position.store(at, Ordering::Release);
        clients.push(position.clone());
        at
    };
    let mut blocks: Vec<Block> = Vec::with_capacity(RING as usize);
    let mut alive = stream.write_all(HEAD).await.is_ok();
    while alive {
        let to = *head.borrow_and_update();
        if at == to {
            alive = head.changed().await.is_ok();
            continue;
        }
        {
            let ring = lock(&shared.ring);
            blocks.extend((at..to).map(|number| ring[(number % RING) as usize].clone()));
        }
        alive = send(&mut stream, &blocks).await.is_ok();
        blocks.clear();
        at = to;
        position.store(at, Ordering::Release);
        if shared.waiting.load(Ordering::Acquire) {
            reader.unpark();
        }
    }
    position.store(u64::MAX, Ordering::Release);
    lock(&shared.clients).retain(|other| !Arc::ptr_eq(other, &position));
    reader.unpark();
}

/// Small blocks go together, one system call for all of them; large ones one by one.
async fn send(stream: &mut TcpStream, blocks: &[Block]) -> std::io::Result<()> {
    if let [one] = blocks {
        return stream.write_all(one).await;
    }
    let small = blocks.iter().map(|block| block.len()).sum::<usize>() <= 64 << 10;
    if small {
        return stream.write_all(&blocks.iter().map(|block| &block[..]).collect::<Vec<_>>().concat()).await;
    }
    for block in blocks {
        stream.write_all(block).await?;
    }
    Ok(())
}

fn read(file: &File, bell: &Bell, shared: &Shared) -> Result<()> {
    let mut offset = file.metadata()?.len();
    let mut run = vec![0; READ];
    let (mut head, mut slowest) = (0, 0);
    loop {
        let n = file.read_at(&mut run, offset)?;
        let whole = memchr::memrchr(b'\n', &run[..n]).map_or(0, |at| at + 1);
        if whole == 0 {
            bell.wait()?;
            continue;
        }
        while head - slowest >= RING {
            shared.waiting.store(true, Ordering::Release);
            slowest = slowest_of(shared, head);
            if head - slowest >= RING {
                std::thread::park_timeout(Duration::from_millis(20));
            }
        }
        shared.waiting.store(false, Ordering::Release);
        let slot = (head % RING) as usize;
        let mut block = std::mem::take(&mut lock(&shared.ring)[slot]);
        match Arc::get_mut(&mut block) {
            Some(bytes) => frame(&run[..whole], offset, bytes),
            None => {
                let mut bytes = Vec::new();
                frame(&run[..whole], offset, &mut bytes);
                block = Arc::new(bytes);
            }
        }
        lock(&shared.ring)[slot] = block;
        head += 1;
        {
            let _seats = lock(&shared.clients);
            shared.head.send_replace(head);
        }
        offset += whole as u64;
    }
}

fn slowest_of(shared: &Shared, head: u64) -> u64 {
    let clients = lock(&shared.clients);
    clients.iter().map(|client| client.load(Ordering::Acquire)).min().map_or(head, |at| at.min(head))
}

/// Writes the events of a run of whole lines.
pub(crate) fn frame(run: &[u8], offset: u64, out: &mut Vec<u8>) {
    out.clear();
    out.reserve(run.len() + run.len() / 3 + 256);
    let mut from = 0;
    let mut lead = [0; FRAME.len() + 5 + 7];
    lead[..FRAME.len()].copy_from_slice(FRAME);
    lead[FRAME.len() + 5..].copy_from_slice(b"\ndata: ");
    for end in memchr::memchr_iter(b'\n', run) {
        let place = offset + end as u64 + 1;
        for (i, digit) in lead[FRAME.len()..FRAME.len() + 5].iter_mut().enumerate() {
            *digit = DIGITS[(place >> (6 * (4 - i))) as usize & 63];
        }
        out.extend_from_slice(&lead);
        out.extend_from_slice(&run[from..=end]);
        out.push(b'\n');
        from = end + 1;
    }
}

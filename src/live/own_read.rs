//! One read of a client that reads on its own account, off the reactor, shared with those who read the same.

use super::archive;
use super::blocks::{Key, edge};
use super::lens::Lens;
use super::live_view::{BATCH_BYTES, Batch};
use super::pool;
use super::view::View;
use crate::log::encode::{Encoder, Format, Stamp};
use crate::log::segment::{Place, ReadError, Segment};
use bytes::Bytes;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// The most own reads at once: enough to keep a disk busy, few enough to bound their memory.
static READS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(32));

/// What is to be read.
#[derive(Debug, Clone)]
pub(super) struct OwnRead {
    /// For which view.
    pub(super) view: Arc<View>,
    /// Of which generation.
    pub(super) segment: Arc<Segment>,
    /// The source's name.
    pub(super) name: String,
    /// Its path, beside which a copy may stand.
    pub(super) path: Option<PathBuf>,
    /// What stands around the moving part of the ids.
    pub(super) stamp: Stamp,
    /// From where.
    pub(super) from: Place,
    /// Up to where at most, the end of a line.
    pub(super) to: u64,
    /// About how many bytes.
    pub(super) size: u64,
    /// How the view sees lines, if it is not plain.
    pub(super) lens: Option<Arc<Lens>>,
}

/// How much is read at most through a lens before what was kept is sent, and it is looked whether somebody still waits.
const LENS_BYTES: u64 = 16 << 20;

impl OwnRead {
    /// The block, encoded, and the place behind it.
    ///
    /// # Errors
    /// As [`Segment::read_lines`].
    pub(super) async fn block(&self) -> Result<(Bytes, Place), ReadError> {
        // The page's blocks end at the tip; nobody else wants them.
        if self.view.key.format == Format::Live {
            return self.read().await;
        }
        // Through a lens as much is read as gives a block to send.
        let to = match self.lens {
            None => self.to.min(edge(self.from.offset, self.size)),
            Some(_) => self.to,
        };
        let key = Key { serial: self.segment.serial, from: self.from, to, stamp: self.stamp.clone() };
        self.view.blocks.slot(key).get_or_try_init(|| self.read()).await.cloned()
    }

    /// Begins to read the block after this one.
    pub(super) fn after(self, from: Place) {
        if from.offset < self.to {
            let next = OwnRead { from, ..self };
            // What goes wrong here is found again by who wants the block.
            tokio::spawn(async move { next.block().await.is_ok() });
        }
    }

    async fn read(&self) -> Result<(Bytes, Place), ReadError> {
        // The semaphore is never closed.
        let _permit = READS.acquire().await;
        let read = self.clone();
        blocking(move || match read.read_now() {
            Err(ReadError::Gone) if archive::relocate(&read.segment, read.path.as_deref(), read.from) => {
                read.read_now()
            }
            result => result,
        })
        .await
    }

    fn read_now(&self) -> Result<(Bytes, Place), ReadError> {
        let max = (edge(self.from.offset, self.size) - self.from.offset) as usize;
        match &self.lens {
            Some(lens) => self.read_through(lens, max),
            None => read_block(
                &self.segment,
                &self.name,
                self.from,
                self.to,
                self.view.key.format,
                max,
                &self.stamp,
            ),
        }
    }

    /// Reads blocks of lines until what is kept of them is about as much as a block.
    fn read_through(&self, lens: &Lens, max: usize) -> Result<(Bytes, Place), ReadError> {
        let encoder = Encoder::new(self.view.key.format, &self.name);
        let mut seen = lens.seen_before(&self.segment.file(), self.segment.begin(), self.from.offset)?;
        let (mut out, mut place) = (pool::take(max), self.from);
        loop {
            let lines = match self.segment.read_lines(place, self.to, max, pool::take(max)) {
                Ok(lines) => lines,
                // What was read before stands; the next read says what happened.
                Err(_) if place != self.from => break,
                Err(error) => return Err(error),
            };
            lens.encode(&encoder, &self.stamp, &lines, &mut seen, &mut out);
            place = lines.to;
            pool::give(lines.into_buffer());
            let read = place.offset - self.from.offset;
            if place.offset >= self.to || out.len() >= max || read >= LENS_BYTES {
                break;
            }
        }
        Ok((pool::freeze(out), place))
    }
}

/// Reads lines of a generation and encodes them: all of them from `from` on, or for the page the newest.
///
/// # Errors
/// As [`Segment::read_lines`].
fn read_block(
    segment: &Arc<Segment>,
    name: &str,
    from: Place,
    to: u64,
    format: Format,
    max: usize,
    stamp: &Stamp,
) -> Result<(Bytes, Place), ReadError> {
    if format != Format::Live {
        let lines = segment.read_lines(from, to, max, pool::take(max))?;
        let mut out = pool::take(max);
        Encoder::new(format, name).encode(stamp, lines.block(), &mut out);
        let place = lines.to;
        pool::give(lines.into_buffer());
        return Ok((pool::freeze(out), place));
    }
    // The page wants the newest; what is skipped it reads by range when somebody looks there.
    let mut start = from;
    if to - from.offset > BATCH_BYTES as u64 {
        let file = segment.file();
        if let Some(at) = file.next_line_end(to - BATCH_BYTES as u64, to)?.filter(|&at| at < to) {
            start = Place { offset: at, check: file.check_before(segment.begin(), at)? };
        }
    }
    let lines = segment.read_lines(start, to, BATCH_BYTES, Vec::new())?;
    let batch = Batch::newest(segment.clone(), name, from.offset, lines.block(), lines.to);
    Ok((Bytes::from(batch.encode(stamp)), lines.to))
}

/// Runs blocking code off the reactor; its panic is ours.
pub(super) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

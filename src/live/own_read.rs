//! One read of a client that reads on its own account, off the reactor.

use super::live_view::{BATCH_BYTES, Batch};
use super::pool;
use crate::log::encode::{Encoder, Format, Stamp};
use crate::log::segment::{Place, ReadError, Segment};
use bytes::Bytes;
use std::sync::Arc;

/// Reads lines of a generation and encodes them: all of them from `from` on, or for the page the newest.
///
/// # Errors
/// As [`Segment::read_lines`].
pub(super) fn read_block(
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

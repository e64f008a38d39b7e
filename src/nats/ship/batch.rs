//! One message's payload: read from the file, as it is or as it is shown, and compressed. Everything here blocks.

use crate::live::source::Source;
use crate::live::unshipped::{read, read_lines};
use crate::log::segment::{Place, ReadError, Segment};
use crate::nats::message::{Encoding, deflate};
use bytes::Bytes;

/// What a message carries.
#[derive(Debug)]
pub(super) struct Batch {
    /// The payload.
    pub(super) payload: Bytes,
    /// How it is compressed.
    pub(super) encoding: Encoding,
    /// How many lines end in it.
    pub(super) lines: u64,
    /// Whether it ends with a newline.
    pub(super) whole: bool,
    /// Whether it begins inside of a line.
    pub(super) inside: bool,
    /// How many bytes of its last line are left out.
    pub(super) cut: Option<u64>,
    /// Where the file stands behind it.
    pub(super) to: Place,
}

/// How to make one.
#[derive(Clone)]
pub(super) struct Make {
    /// About how many bytes of the file.
    pub(super) bytes: usize,
    /// The most that a payload may have.
    pub(super) room: usize,
    /// Whether to compress.
    pub(super) compress: bool,
    /// Whether lines are shipped as they are shown, with what is redacted replaced.
    pub(super) redacted: bool,
}

impl Make {
    /// Reads the next bytes of a generation, at most up to `to`, the end of a line.
    pub(super) fn batch(
        &self,
        segment: &Segment,
        source: &Source,
        from: Place,
        to: u64,
    ) -> Result<Batch, ReadError> {
        if !self.redacted {
            let (bytes, to) = read(segment, source, from, to, self.bytes.min(self.room))?;
            let inside = is_inside(segment, from);
            return Ok(Batch { inside, ..self.packed(bytes, to, None) });
        }
        let mut want = self.bytes;
        loop {
            // Whole lines only: a secret in two pieces would be in neither.
            let lines = read_lines(segment, source, from, to, want)?;
            let place = lines.to;
            let block = lines.block();
            if block.bytes.len() <= self.room && block.omitted == 0 {
                return Ok(self.packed(block.bytes.to_vec(), place, None));
            }
            if block.omitted > 0 || memchr::memchr_iter(b'\n', block.bytes).nth(1).is_none() || want < 2 {
                return Ok(self.beginning(block.bytes, block.omitted, place));
            }
            want /= 2;
        }
    }

    /// A payload of the beginning of a line, of which `omitted` bytes were not read.
    pub(super) fn beginning(&self, line: &[u8], omitted: u64, to: Place) -> Batch {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let kept = &line[..line.len().min(self.room.saturating_sub(1))];
        let cut = omitted + (line.len() - kept.len()) as u64;
        self.packed([kept, b"\n"].concat(), to, Some(cut).filter(|&cut| cut > 0))
    }

    /// A payload of these bytes.
    pub(super) fn packed(&self, bytes: Vec<u8>, to: Place, cut: Option<u64>) -> Batch {
        let lines = memchr::memchr_iter(b'\n', &bytes).count() as u64;
        let whole = bytes.ends_with(b"\n");
        let (payload, encoding) = match self.compress.then(|| deflate(&bytes)).flatten() {
            Some(deflated) => (deflated, Encoding::Zstd),
            None => (bytes, Encoding::Plain),
        };
        Batch { payload: Bytes::from(payload), encoding, lines, whole, inside: false, cut, to }
    }
}

/// Whether a place lies inside of a line.
fn is_inside(segment: &Segment, from: Place) -> bool {
    let mut before = [b'\n'];
    let at = from.offset.checked_sub(1).filter(|&at| at >= segment.begin());
    at.is_some_and(|at| segment.file().read_at(&mut before, at).is_ok() && before != *b"\n")
}

//! The client's side of a response, as cheap as it can be: past the head, out of the chunks, newlines counted.
//!
//! An event stream has a fixed number of newlines for each line, so that counting them counts the lines. In each
//! piece of the body the last numbered line is also read: its number must be what was counted, so that a lost, a
//! doubled or a strange line is seen at the next piece at the latest. For latencies every line is read.

use crate::histogram::Histogram;
use crate::writer::{CLOCK, NUMBER};
use anyhow::{Result, bail};
use memchr::memmem::{Finder, FinderRev};
use std::sync::LazyLock;

/// The largest head of a response that is waited for.
const MAX_HEAD: usize = 16 << 10;
static DATA: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("data:"));
static LAST_DATA: LazyLock<FinderRev<'static>> = LazyLock::new(|| FinderRev::new("data:"));

/// How a stream frames its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Newlines for each line.
    pub(crate) newlines: u64,
    /// Those of them before the line's own text.
    pub(crate) before: u64,
    /// Where lines are not told by newlines: bytes of the body for each line.
    pub(crate) bytes: u64,
    /// Whether there is no head.
    pub(crate) headless: bool,
}

impl Shape {
    /// `id`, `data`, a blank line.
    pub(crate) const EVENT: Shape = Shape { newlines: 3, before: 1, bytes: 0, headless: false };
    /// `data`, `id`, a blank line.
    pub(crate) const WARP_EVENT: Shape = Shape { newlines: 3, before: 0, bytes: 0, headless: false };
    /// `data` and a blank line.
    pub(crate) const DATA_ONLY: Shape = Shape { newlines: 2, before: 0, bytes: 0, headless: false };
    /// Frames of a web socket, one for each line, with so many bytes around it and no newline.
    pub(crate) const fn frames(around: u64) -> Shape {
        let bytes = crate::writer::LINE as u64 - 1 + around;
        Shape { newlines: 0, before: 0, bytes, headless: false }
    }
    /// The lines, no HTTP.
    pub(crate) const RAW: Shape = Shape { newlines: 1, before: 0, bytes: 0, headless: true };
    /// The line.
    pub(crate) const PLAIN: Shape = Shape { newlines: 1, before: 0, bytes: 0, headless: false };
}

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Look {
    /// Newlines only.
    Count,
    /// And the number of the last line of each piece.
    Numbers,
    /// And the clock of each line.
    Clocks,
    /// The clock of each line, and no number: lines of several files.
    Times,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Framing {
    Close,
    /// Bytes left of the chunk with its line end; 0 before a size.
    Chunks(u64),
    Ended,
}

/// The decoder of one response.
#[derive(Debug)]
pub(crate) struct Decoder {
    shape: Shape,
    look: Look,
    framing: Option<Framing>,
    head: Vec<u8>,
    /// Newlines of the body.
    pub(crate) newlines: u64,
    /// The newlines before the first numbered line.
    base: u64,
    /// Bytes of the body.
    pub(crate) bytes: u64,
    /// The bytes before the first line.
    bytes_base: u64,
    /// Lines that did not have the number that was due.
    pub(crate) wrong: u64,
}

impl Decoder {
    pub(crate) fn new(shape: Shape, look: Look) -> Decoder {
        let framing = shape.headless.then_some(Framing::Close);
        let head = Vec::new();
        Decoder { shape, look, framing, head, newlines: 0, base: 0, bytes: 0, bytes_base: 0, wrong: 0 }
    }

    /// Whether it needs to know the time of a read.
    pub(crate) fn wants_clocks(&self) -> bool {
        matches!(self.look, Look::Clocks | Look::Times)
    }

    /// Whether the body has come to its end.
    pub(crate) fn ended(&self) -> bool {
        self.framing == Some(Framing::Ended)
    }

    /// The connection was closed, which ends a body without chunks.
    pub(crate) fn close(&mut self) {
        if self.framing == Some(Framing::Close) {
            self.framing = Some(Framing::Ended);
        }
    }

    /// From now on lines count.
    pub(crate) fn begin(&mut self) {
        self.base = self.newlines;
        self.bytes_base = self.bytes;
    }

    /// The lines since [`Decoder::begin`].
    pub(crate) fn lines(&self) -> u64 {
        match self.shape.bytes {
            0 => (self.newlines - self.base) / self.shape.newlines,
            line => (self.bytes - self.bytes_base) / line,
        }
    }

    /// Takes what was read.
    pub(crate) fn take(&mut self, bytes: &[u8], now: u64, latencies: &mut Histogram) -> Result<()> {
        let Some(framing) = self.framing else { return self.take_head(bytes, now, latencies) };
        match framing {
            Framing::Close => self.body(bytes, now, latencies),
            Framing::Ended => {}
            Framing::Chunks(left) => self.chunks(bytes, left, now, latencies)?,
        }
        Ok(())
    }

    fn take_head(&mut self, bytes: &[u8], now: u64, latencies: &mut Histogram) -> Result<()> {
        self.head.extend_from_slice(bytes);
        let Some(end) = memchr::memmem::find(&self.head, b"\r\n\r\n") else {
            if self.head.len() > MAX_HEAD {
                bail!("no end of the response's head");
            }
            return Ok(());
        };
        let rest = self.head.split_off(end + 4);
        let head = String::from_utf8_lossy(&self.head).to_ascii_lowercase();
        let good = ["http/1.1 200", "http/1.0 200", "http/1.1 101"];
        if !good.iter().any(|good| head.starts_with(good)) {
            bail!("not 200: {}", head.lines().next().unwrap_or_default());
        }
        let chunked = head.contains("transfer-encoding: chunked");
        self.framing = Some(if chunked { Framing::Chunks(0) } else { Framing::Close });
        self.head = Vec::new();
        self.take(&rest, now, latencies)
    }

    fn chunks(&mut self, mut bytes: &[u8], mut left: u64, now: u64, latencies: &mut Histogram) -> Result<()> {
        while !bytes.is_empty() {
            if left == 0 {
                // A size is short: it is gathered byte by byte, where it was cut across two reads.
                let end = memchr::memchr(b'\n', bytes);
                self.head.extend_from_slice(&bytes[..end.map_or(bytes.len(), |at| at + 1)]);
                if self.head.len() > 64 {
                    bail!("no size of a chunk");
                }
                let Some(end) = end else { break };
                bytes = &bytes[end + 1..];
                let size = u64::from_str_radix(String::from_utf8_lossy(&self.head).trim(), 16)?;
                self.head.clear();
                if size == 0 {
                    self.framing = Some(Framing::Ended);
                    return Ok(());
                }
                left = size + 2;
                continue;
            }
            let here = left.min(bytes.len() as u64) as usize;
            // The chunk's last two bytes are its line end.
            let data = (left.saturating_sub(2) as usize).min(here);
            self.body(&bytes[..data], now, latencies);
            bytes = &bytes[here..];
            left -= here as u64;
        }
        self.framing = Some(Framing::Chunks(left));
        Ok(())
    }

    fn body(&mut self, piece: &[u8], now: u64, latencies: &mut Histogram) {
        let count = |bytes: &[u8]| memchr::memchr_iter(b'\n', bytes).count() as u64;
        self.bytes += piece.len() as u64;
        let before = self.newlines;
        match (self.look, LAST_DATA.rfind(piece)) {
            (Look::Count, _) | (_, None) => self.newlines += count(piece),
            (look, Some(at)) => {
                let newlines = before + count(&piece[..at]);
                self.newlines = newlines + count(&piece[at..]);
                if look != Look::Times
                    && let Some((number, _)) = numbered(&piece[at..])
                {
                    let due = number * self.shape.newlines + self.shape.before;
                    self.wrong += u64::from(newlines - self.base.min(newlines) != due);
                }
                if self.wants_clocks() {
                    for at in DATA.find_iter(piece) {
                        if let Some((_, Some(clock))) = numbered(&piece[at..]) {
                            latencies.add(now.saturating_sub(clock));
                        }
                    }
                }
            }
        }
    }
}

/// The number and the clock of a line that begins with `data:`, as far as they are there.
fn numbered(bytes: &[u8]) -> Option<(u64, Option<u64>)> {
    let text = bytes.get(5..)?;
    let text = text.strip_prefix(b" ").unwrap_or(text);
    if text.get(NUMBER) != Some(&b' ') {
        return None;
    }
    let number = digits(&text[..NUMBER])?;
    let clock = text.get(NUMBER + 1..NUMBER + 1 + CLOCK).and_then(digits);
    Some((number, clock))
}

fn digits(text: &[u8]) -> Option<u64> {
    text.iter().try_fold(0u64, |value, byte| {
        byte.is_ascii_digit().then(|| value.wrapping_mul(10).wrapping_add(u64::from(byte - b'0')))
    })
}

//! The body of a download: bytes of generations, block by block, never more than one block of it in memory.
//!
//! Every read happens off the reactor and only when the socket can take more, so that a client that goes is noticed
//! within a block. Every block proves with the bytes before it that the file still shows what it showed; where it does
//! not, and no copy does, the transfer breaks: the client never takes other bytes for the file's.

use crate::live::archive::relocate;
use crate::live::history::History;
use crate::log::cursor::{self, HEAD_BYTES, NO_GENERATION};
use crate::log::filter::Sieve;
use crate::log::redact::Veil;
use crate::log::segment::{Place, Segment};
use crate::log::wide::Wide;
use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream::try_unfold;
use std::io;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How much is read at once.
const BLOCK_BYTES: u64 = 256 << 10;
/// How many bytes before a block prove it.
const OVERLAP_BYTES: u64 = 256;
/// The most reads at once: they come beside those of clients that lag, and filter too.
static READS: LazyLock<Semaphore> = LazyLock::new(|| Semaphore::new(8));
/// The most downloads at once: each holds a block while its client takes no more.
static DOWNLOADS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(128)));

/// The right to one more download.
pub type Permit = OwnedSemaphorePermit;

/// The right to one more download, if there are not too many.
pub fn permit() -> Option<Permit> {
    DOWNLOADS.clone().try_acquire_owned().ok()
}

/// Runs blocking code off the reactor, not too much of it at once.
///
/// # Errors
/// Those of the code; its panic.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    let _turn = READS.acquire().await.map_err(io::Error::other)?;
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// A run of bytes of one generation.
#[derive(Debug)]
pub struct Part {
    segment: Arc<Segment>,
    /// Beside which a copy may stand.
    path: Option<PathBuf>,
    /// A line's end that a copy must show.
    tip: Place,
    at: u64,
    to: u64,
    /// The end of all that is there.
    whole: u64,
    /// The bytes before `at`.
    before: Vec<u8>,
}

impl Part {
    /// All of a generation that is there now; `tip` is the end of a line of it. `NotFound` if the file shows another.
    ///
    /// # Errors
    /// What the system says.
    pub fn whole(segment: Arc<Segment>, path: Option<PathBuf>, tip: Place) -> io::Result<Part> {
        let shows = |segment: &Segment| match segment.generation() {
            NO_GENERATION => segment.file().size().is_ok_and(|size| size >= tip.offset),
            known => segment.proves(known, tip),
        };
        if !(shows(&segment) || relocate(&segment, path.as_deref(), tip) && shows(&segment)) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let size = segment.file().size()?;
        let (at, to) = (segment.begin(), segment.end().map_or(size, |end| end.min(size)));
        let to = to.max(at);
        Ok(Part { segment, path, tip, at, to, whole: to, before: Vec::new() })
    }

    /// Where it begins and ends.
    pub fn range(&self) -> Range<u64> {
        self.at..self.to
    }

    /// The generation that it is of.
    pub fn segment(&self) -> &Segment {
        &self.segment
    }

    /// Of what is redacted only whole lines are given: begins with the line that it begins in, and ends with the one that it
    /// ends in.
    ///
    /// # Errors
    /// What the system says.
    pub fn veil(&mut self) -> io::Result<Option<Veil>> {
        let (segment, whole) = (self.segment.clone(), self.whole);
        let (file, begin) = (segment.file(), segment.begin());
        let Some(redactor) = file.redact() else { return Ok(None) };
        let from = file.last_line_end(begin, self.at)?;
        let to = match self.to > from {
            true => file.next_line_end(self.to - 1, whole)?.unwrap_or(whole),
            false => from,
        };
        self.only(from..to)?;
        Ok(Some(Veil::new(redactor.clone(), file.state_at(begin, from)?, file.wide_at(from))))
    }

    /// What its next byte is in UTF-16, if it is given in that.
    pub fn shown_wide(&self) -> Option<Wide> {
        self.segment.file().shown_wide(self.at)
    }

    /// What its next byte is in UTF-16, if it is in that.
    pub fn wide(&self) -> Option<Wide> {
        self.segment.file().wide_at(self.at)
    }

    /// Only these bytes of it, which it has.
    ///
    /// # Errors
    /// What the system says.
    pub fn only(&mut self, range: Range<u64>) -> io::Result<()> {
        self.at = range.start.max(self.segment.begin());
        self.to = range.end.max(self.at);
        let length = (self.at - self.segment.begin()).min(OVERLAP_BYTES);
        self.before = vec![0; length as usize];
        let n = self.segment.file().read_at(&mut self.before, self.at - length)?;
        if n < self.before.len() { Err(cut()) } else { Ok(()) }
    }

    /// The hash of the last bytes before `end`, where it begins at `from`.
    ///
    /// # Errors
    /// What the system says; that the file is shorter.
    pub fn check(&self, from: u64, end: u64) -> io::Result<u64> {
        let mut last = [0; HEAD_BYTES];
        let length = end.saturating_sub(from).min(HEAD_BYTES as u64);
        let last = &mut last[..length as usize];
        let n = self.segment.file().read_at(last, end - length)?;
        if n < last.len() { Err(cut()) } else { Ok(cursor::generation(last)) }
    }

    /// The next bytes; none at the end.
    fn next(&mut self) -> io::Result<Bytes> {
        let want = (self.to - self.at).min(BLOCK_BYTES) as usize;
        if want == 0 {
            return Ok(Bytes::new());
        }
        let read = match self.read(want)? {
            None if relocate(&self.segment, self.path.as_deref(), self.tip) => self.read(want)?,
            read => read,
        };
        let block = read.ok_or_else(cut)?;
        let overlap = self.before.len();
        self.at += want as u64;
        self.before = block[block.len() - block.len().min(OVERLAP_BYTES as usize)..].to_vec();
        Ok(block.slice(overlap..))
    }

    /// What stands before the next bytes and those; `None` if the file does not show this generation there.
    fn read(&self, want: usize) -> io::Result<Option<Bytes>> {
        let file = self.segment.file();
        let overlap = self.before.len();
        let start = self.at - overlap as u64;
        let mut block = vec![0; overlap + want];
        if file.read_at(&mut block, start)? < block.len() || block[..overlap] != self.before {
            return Ok(None);
        }
        // After the data: what stands before them now stood there all the while.
        let mut again = vec![0; overlap];
        let n = file.read_at(&mut again, start)?;
        // A spool says where content begins before it gives up what stood before.
        let begin = self.segment.begin();
        if n < overlap || again != self.before || begin > self.at {
            return Ok(None);
        }
        let generation = self.segment.generation();
        let at_head = overlap == 0 && generation != NO_GENERATION && !self.segment.is_trimmed();
        let shows = !at_head || file.head(begin)?.settled() == generation;
        Ok(shows.then(|| Bytes::from(block)))
    }
}

fn cut() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the file was cut or removed under the download")
}

/// What is sent: a part, perhaps others after it, perhaps only some lines of them.
#[derive(Debug)]
pub struct Download {
    part: Part,
    /// The history and the number of its lives that are still to come.
    lives: Option<(History, usize)>,
    path: Option<PathBuf>,
    /// What hides what is redacted, and then what keeps some lines.
    veil: Option<Veil>,
    sieve: Option<Sieve>,
    ended: bool,
    _permit: Permit,
}

impl Download {
    /// A part of a generation; of one that is redacted only whole lines.
    ///
    /// # Errors
    /// What the system says.
    pub fn part(mut part: Part, sieve: Option<Sieve>, permit: Permit) -> io::Result<Download> {
        let veil = part.veil()?;
        Ok(Download { part, lives: None, path: None, veil, sieve, ended: false, _permit: permit })
    }

    /// All lives of a history, oldest first; `None` if there is nothing.
    ///
    /// # Errors
    /// What the system or the decoder says.
    pub fn history(
        history: History,
        path: Option<PathBuf>,
        sieve: Option<Sieve>,
        permit: Permit,
    ) -> io::Result<Option<Download>> {
        let mut left = history.len();
        let mut first = next_life(&history, &mut left, path.as_ref())?;
        let lives = Some((history, left));
        let mut sieve = sieve;
        if let (Some(sieve), Some(part)) = (&mut sieve, &first) {
            sieve.begin(part.shown_wide());
        }
        let veil = first.as_mut().map(Part::veil).transpose()?.flatten();
        Ok(first.map(|part| Download { part, lives, path, veil, sieve, ended: false, _permit: permit }))
    }

    /// Reads a block and gives what of it is sent, perhaps nothing; `None` at the end.
    fn step(&mut self) -> io::Result<Option<Bytes>> {
        if self.ended {
            return Ok(None);
        }
        let block = self.part.next()?;
        if !block.is_empty() {
            let block = match &mut self.veil {
                None => block,
                Some(veil) => {
                    let mut shown = Vec::new();
                    veil.push(&block, &mut shown);
                    Bytes::from(shown)
                }
            };
            let Some(sieve) = &mut self.sieve else { return Ok(Some(block)) };
            let mut kept = Vec::new();
            sieve.push(&block, &mut kept);
            return Ok(Some(Bytes::from(kept)));
        }
        let (mut last, mut kept, mut begins) = (Vec::new(), Vec::new(), false);
        if let Some(veil) = &mut self.veil {
            veil.finish(self.part.segment().end().is_none(), &mut last);
        }
        if let Some((history, left)) = &mut self.lives
            && let Some(next) = next_life(history, left, self.path.as_ref())?
        {
            self.part = next;
            self.veil = self.part.veil()?;
            begins = true;
        } else {
            self.ended = true;
        }
        match &mut self.sieve {
            None => kept = last,
            Some(sieve) => {
                sieve.push(&last, &mut kept);
                sieve.finish(&mut kept);
                if begins {
                    sieve.begin(self.part.shown_wide());
                }
            }
        }
        // The last line of a life stays one of its own.
        if !self.ended && kept.last().is_some_and(|&last| last != b'\n') {
            kept.push(b'\n');
        }
        Ok(Some(Bytes::from(kept)))
    }

    /// The body.
    pub fn into_stream(self) -> impl Stream<Item = io::Result<Bytes>> {
        try_unfold(self, |mut download| async move {
            loop {
                let (back, step) = blocking(move || {
                    let step = download.step()?;
                    Ok((download, step))
                })
                .await?;
                download = back;
                match step {
                    None => return Ok(None),
                    Some(bytes) if bytes.is_empty() => {}
                    Some(bytes) => return Ok(Some((bytes, download))),
                }
            }
        })
    }
}

/// The oldest of the lives that are still to come.
fn next_life(history: &History, left: &mut usize, path: Option<&PathBuf>) -> io::Result<Option<Part>> {
    while *left > 0 {
        *left -= 1;
        let life = history.life(*left)?;
        match Part::whole(life.segment, path.cloned(), life.end) {
            // Cut before the download began, and no copy holds it.
            Err(error) if error.kind() == io::ErrorKind::NotFound && *left > 0 => {}
            part => return part.map(Some),
        }
    }
    Ok(None)
}

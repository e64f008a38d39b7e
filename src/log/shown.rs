//! Lines of a file as they are shown: the one place where bytes that were read become lines that clients may have.
//!
//! Where nothing is redacted they are the bytes themselves. Else they are what the redactor makes of them: text in UTF-8,
//! with a [`Map`] of where its lines are in the file, and the checks of cursors are made over that, so that an id tells
//! nothing of what was replaced. Reading, counting and proving otherwise goes by the file's own bytes.

use super::cursor::{self, NO_LINE};
use super::lines::{self, LINE_LIMIT};
use super::logfile::LogFile;
use super::map::Map;
use super::redact::{EDGE_BYTES, LOOK_BACK_BYTES, State};
use super::wide::{Wide, is_rest};
use std::borrow::Cow;
use std::io;

/// How much is read at first to find where a line begins.
const LINE_BYTES: u64 = 4 << 10;

/// A run of lines as they are shown.
#[derive(Debug)]
pub struct Shown<'a> {
    /// The lines.
    pub bytes: Cow<'a, [u8]>,
    /// Where they are in the run.
    pub map: Map,
}

impl LogFile {
    /// What shown bytes are in at an offset, if they are not the text itself.
    #[inline]
    pub fn shown_wide(&self, offset: u64) -> Option<Wide> {
        if self.redactor().is_some() { None } else { self.wide_at(offset) }
    }

    /// The text of a run of shown lines.
    pub fn shown_text<'a>(&self, run: &'a [u8], offset: u64) -> Cow<'a, [u8]> {
        if self.redactor().is_some() { Cow::Borrowed(run) } else { self.text(run, offset) }
    }

    /// What a redactor has to know of the lines above an offset, a line's start; content begins at `begin`.
    ///
    /// # Errors
    /// What the system says.
    pub fn state_at(&self, begin: u64, offset: u64) -> io::Result<State> {
        let mut state = State::default();
        if self.redactor().is_none() || offset <= begin {
            return Ok(state);
        }
        // With the byte before: a line may begin at the very start.
        let from = offset.saturating_sub(LOOK_BACK_BYTES + 1).max(begin);
        let mut run = vec![0; (offset - from) as usize];
        let n = self.read_at(&mut run, from)?;
        let run = &run[..n];
        let whole = match from == begin {
            true => 0,
            false => memchr::memchr(b'\n', run).map_or(n, |newline| newline + 1),
        };
        match self.wide_at(from + whole as u64) {
            None => state.pass(&run[whole..]),
            Some(wide) => {
                for line in lines::lines(&run[whole..]) {
                    let text = wide.at(line.from as u64).text(&run[whole..][line.from..line.to]);
                    state.pass_line(text.as_bytes(), (line.to - line.from) as u64);
                }
            }
        }
        Ok(state)
    }

    /// Whole lines that were read at an offset, as they are shown; the last may lack its newline.
    ///
    /// # Errors
    /// What the system says to a look at the lines above.
    pub fn shown<'a>(&self, begin: u64, offset: u64, run: &'a [u8]) -> io::Result<Shown<'a>> {
        let mut state = self.state_at(begin, offset)?;
        Ok(self.shown_from(&mut state, offset, run))
    }

    /// The same for who goes over a file and knows what holds above.
    pub fn shown_from<'a>(&self, state: &mut State, offset: u64, run: &'a [u8]) -> Shown<'a> {
        let made = self.redactor().and_then(|redactor| redactor.shown(state, run, self.wide_at(offset)));
        match made {
            Some((bytes, map)) => Shown { bytes: Cow::Owned(bytes), map },
            None => Shown { bytes: Cow::Borrowed(run), map: Map::default() },
        }
    }

    /// The beginning of a line of more than [`LINE_LIMIT`] bytes, from `from` to `end` without its newline, as it is shown;
    /// `read` are its first bytes.
    ///
    /// # Errors
    /// What the system says; `UnexpectedEof` if the line is not there any more.
    pub fn shown_long<'a>(
        &self,
        begin: u64,
        (from, end): (u64, u64),
        read: &'a [u8],
    ) -> io::Result<Cow<'a, [u8]>> {
        let Some(redactor) = self.redactor() else { return Ok(Cow::Borrowed(read)) };
        let mut seen = vec![0; (end - from).min((LINE_LIMIT + EDGE_BYTES) as u64) as usize];
        if self.read_at(&mut seen, from)? < seen.len()
            || !seen.starts_with(&read[..read.len().min(seen.len())])
        {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let mut state = self.state_at(begin, from)?;
        Ok(Cow::Owned(redactor.long(&mut state, &seen, self.wide_at(from))))
    }

    /// The text of lines as they are shown, but for private keys: what they tell of their time and level.
    pub fn told<'a>(&self, run: &'a [u8], offset: u64) -> Cow<'a, [u8]> {
        match self.redactor() {
            None => self.text(run, offset),
            Some(_) => self.shown_from(&mut State::default(), offset, run).bytes,
        }
    }

    /// What may be shown of an unfinished last line, as text; `rest` are its bytes.
    pub fn shown_unfinished(&self, begin: u64, offset: u64, rest: &[u8]) -> Option<Vec<u8>> {
        let text = self.text(rest, offset);
        match self.redactor() {
            None => Some(text.into_owned()),
            Some(redactor) => redactor.unfinished(self.state_at(begin, offset).ok()?, &text),
        }
    }

    /// The check of the line before an offset, as it is shown.
    pub(super) fn shown_check(&self, begin: u64, mut offset: u64) -> io::Result<u64> {
        loop {
            if offset <= begin {
                return Ok(NO_LINE);
            }
            let (from, line) = self.line_before(begin, offset)?;
            if self.wide_at(from).is_some_and(|wide| is_rest(wide, &line)) {
                // Half a newline is no line.
                offset = from;
                continue;
            }
            let end = offset - u64::from(line.ends_with(b"\n"));
            if end - from > LINE_LIMIT as u64 {
                return Ok(cursor::check(&self.shown_long(begin, (from, end), &[])?));
            }
            return Ok(cursor::check_at_end(&self.shown(begin, from, &line)?.bytes));
        }
    }

    /// The line that ends at an offset, and where it begins; of one longer than [`LINE_LIMIT`] only its last bytes.
    fn line_before(&self, begin: u64, offset: u64) -> io::Result<(u64, Vec<u8>)> {
        let mut size = LINE_BYTES;
        loop {
            let from = offset.saturating_sub(size).max(begin);
            let mut run = vec![0; (offset - from) as usize];
            if self.read_at(&mut run, from)? < run.len() {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            // The newline before `offset` ends the line.
            let line = run.len() - 1;
            if let Some(newline) = memchr::memrchr(b'\n', &run[..line]) {
                let line = run.split_off(newline + 1);
                return Ok((offset - line.len() as u64, line));
            }
            if from == begin {
                return Ok((begin, run));
            }
            if size > LINE_LIMIT as u64 + 1 {
                // Of a long line only where it begins is missing.
                return Ok((self.last_line_end(begin, from)?, run));
            }
            size = (size * 8).min(LINE_LIMIT as u64 + 2);
        }
    }
}

#[cfg(test)]
mod tests;
